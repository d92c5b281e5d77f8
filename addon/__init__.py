"""Croquis: a drawing goes in, the user's own rig comes out in that pose.

Importing this package imports no bpy, so that ``addon.core`` serves the trainer and plain scripts.
"""


def register() -> None:
    """Add Croquis' settings, operators and panels to Blender."""
    from . import operators, preferences, properties, translations, ui

    for part in (translations, preferences, properties, operators, ui):
        part.register()


def unregister() -> None:
    """Leave Blender as it was before :func:`register`."""
    from . import operators, preferences, properties, translations, ui

    for part in (ui, operators, properties, preferences, translations):
        part.unregister()
