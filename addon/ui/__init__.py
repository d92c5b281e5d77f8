"""Croquis' panels in the 3D viewport's sidebar, and its lines in Blender's menus."""

from typing import Any

import bpy

from . import drawing, handles, menus, panels, several

# The types that pyright sees know no gizmos.
_CLASSES: tuple[Any, ...] = (
    drawing.CROQUIS_FH_drawing,
    drawing.CROQUIS_PT_drawing,
    drawing.CROQUIS_PT_reference,
    panels.CROQUIS_PT_character,
    panels.CROQUIS_PT_bones,
    panels.CROQUIS_PT_pose,
    handles.CROQUIS_GT_joint,
    handles.CROQUIS_GGT_joints,
    handles.CROQUIS_MT_joint,
    handles.CROQUIS_PT_joints,
    panels.CROQUIS_PT_readings,
    panels.CROQUIS_PT_keep,
    several.CROQUIS_UL_drawings,
    several.CROQUIS_PT_several,
    panels.CROQUIS_PT_dataset,
    panels.CROQUIS_PT_dataset_figures,
    panels.CROQUIS_PT_dataset_cameras,
    panels.CROQUIS_PT_dataset_style,
    panels.CROQUIS_PT_dataset_labels,
    panels.CROQUIS_PT_dataset_run,
    menus.CROQUIS_MT_croquis,
)


def register() -> None:
    """Add the panels and the menus' lines to Blender."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    menus.register()


def unregister() -> None:
    """Take all of them away again."""
    menus.unregister()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
