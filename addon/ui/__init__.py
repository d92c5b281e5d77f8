"""Croquis' panels in the 3D viewport's sidebar."""

import bpy

from . import panels

_CLASSES = (
    panels.CROQUIS_PT_drawing,
    panels.CROQUIS_PT_character,
    panels.CROQUIS_PT_pose,
    panels.CROQUIS_PT_dataset,
    panels.CROQUIS_PT_dataset_figures,
    panels.CROQUIS_PT_dataset_cameras,
    panels.CROQUIS_PT_dataset_style,
    panels.CROQUIS_PT_dataset_labels,
    panels.CROQUIS_PT_dataset_run,
)


def register() -> None:
    """Add the panels to Blender."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take the panels away again."""
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
