"""Croquis' panels in the 3D viewport's sidebar."""

import bpy

from .panels import (
    CROQUIS_PT_character,
    CROQUIS_PT_dataset,
    CROQUIS_PT_drawing,
    CROQUIS_PT_pose,
)

_CLASSES = (CROQUIS_PT_drawing, CROQUIS_PT_character, CROQUIS_PT_pose, CROQUIS_PT_dataset)


def register() -> None:
    """Add the panels to Blender."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take the panels away again."""
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
