"""Croquis' operators: each is a poll, a call and a report."""

import bpy

from .character import CROQUIS_OT_add_mannequin
from .dataset import CROQUIS_OT_render_dataset
from .pose import CROQUIS_OT_look, CROQUIS_OT_pose_from_sketch

_CLASSES = (
    CROQUIS_OT_add_mannequin,
    CROQUIS_OT_pose_from_sketch,
    CROQUIS_OT_look,
    CROQUIS_OT_render_dataset,
)


def register() -> None:
    """Add the operators to Blender."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take the operators away again."""
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
