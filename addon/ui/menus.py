"""Croquis' lines in Blender's own menus.

In Object > Croquis and Pose > Croquis stands every operator, which is where search (F3) looks.
"""

from __future__ import annotations

import bpy

from ..operators.character import CROQUIS_OT_add_mannequin
from ..operators.correct import (
    CROQUIS_OT_hide_joint,
    CROQUIS_OT_move_joint,
    CROQUIS_OT_reset_joint,
    CROQUIS_OT_reset_joints,
)
from ..operators.dataset import CROQUIS_OT_render_dataset, CROQUIS_OT_show_contact_sheet
from ..operators.drawing import (
    CROQUIS_OT_add_frames,
    CROQUIS_OT_drawing_from_grease_pencil,
    CROQUIS_OT_drawing_from_render,
    CROQUIS_OT_drawing_from_viewport,
    CROQUIS_OT_open_drawing,
)
from ..operators.export import (
    CROQUIS_OT_export_bvh,
    CROQUIS_OT_export_json,
    CROQUIS_OT_insert_keyframes,
    CROQUIS_OT_load_pose,
    CROQUIS_OT_save_pose_asset,
)
from ..operators.figure import CROQUIS_OT_choose_figure
from ..operators.pose import CROQUIS_OT_look, CROQUIS_OT_pose_from_sketch
from ..operators.readings import (
    CROQUIS_OT_first_reading,
    CROQUIS_OT_flip_limb,
    CROQUIS_OT_mirror,
    CROQUIS_OT_next_reading,
    CROQUIS_OT_previous_reading,
)
from ..operators.rig import CROQUIS_OT_choose_bone, CROQUIS_OT_match_bones
from ..operators.sequence import (
    CROQUIS_OT_add_drawings,
    CROQUIS_OT_clear_correction,
    CROQUIS_OT_keep_correction,
    CROQUIS_OT_move_drawing,
    CROQUIS_OT_pose_from_sheet,
    CROQUIS_OT_pose_sequence,
    CROQUIS_OT_remove_drawing,
)

_SECTIONS = (
    (
        (CROQUIS_OT_open_drawing, ""),
        (CROQUIS_OT_drawing_from_grease_pencil, ""),
        (CROQUIS_OT_drawing_from_render, ""),
        (CROQUIS_OT_drawing_from_viewport, ""),
    ),
    (
        (CROQUIS_OT_add_mannequin, ""),
        (CROQUIS_OT_choose_bone, "joint"),
        (CROQUIS_OT_match_bones, ""),
    ),
    (
        (CROQUIS_OT_pose_from_sketch, ""),
        (CROQUIS_OT_choose_figure, ""),
        (CROQUIS_OT_look, "side"),
    ),
    (
        (CROQUIS_OT_move_joint, "joint"),
        (CROQUIS_OT_hide_joint, "joint"),
        (CROQUIS_OT_reset_joint, "joint"),
        (CROQUIS_OT_reset_joints, ""),
    ),
    (
        (CROQUIS_OT_flip_limb, "limb"),
        (CROQUIS_OT_mirror, "limbs"),
        (CROQUIS_OT_next_reading, ""),
        (CROQUIS_OT_previous_reading, ""),
        (CROQUIS_OT_first_reading, ""),
    ),
    (
        (CROQUIS_OT_insert_keyframes, ""),
        (CROQUIS_OT_save_pose_asset, ""),
        (CROQUIS_OT_export_json, ""),
        (CROQUIS_OT_export_bvh, ""),
        (CROQUIS_OT_load_pose, ""),
    ),
    (
        (CROQUIS_OT_add_drawings, ""),
        (CROQUIS_OT_add_frames, ""),
        (CROQUIS_OT_remove_drawing, ""),
        (CROQUIS_OT_move_drawing, "direction"),
        (CROQUIS_OT_pose_sequence, ""),
        (CROQUIS_OT_keep_correction, ""),
        (CROQUIS_OT_clear_correction, ""),
        (CROQUIS_OT_pose_from_sheet, ""),
    ),
    (
        (CROQUIS_OT_render_dataset, ""),
        (CROQUIS_OT_show_contact_sheet, ""),
    ),
)
"""Operators in the order of the panels; with a property, each of its choices is a line."""


class CROQUIS_MT_croquis(bpy.types.Menu):
    """All of Croquis."""

    bl_label = "Croquis"

    def draw(self, _context: bpy.types.Context) -> None:
        """The operators, as the work goes."""
        layout = self.layout
        layout.operator_context = "INVOKE_REGION_WIN"  # also from the header
        for number, section in enumerate(_SECTIONS):
            if number:
                layout.separator()
            for operator, choices in section:
                if choices:
                    layout.operator_menu_enum(operator.bl_idname, choices)
                else:
                    layout.operator(operator.bl_idname)


def draw_all(menu: bpy.types.Menu, _context: bpy.types.Context) -> None:
    """The 3D viewport's menus Object and Pose."""
    menu.layout.separator()
    menu.layout.menu(CROQUIS_MT_croquis.__name__)


def draw_export(menu: bpy.types.Menu, _context: bpy.types.Context) -> None:
    """File > Export."""
    for operator, label in (
        (CROQUIS_OT_export_json, "Croquis Pose (.json)"),
        (CROQUIS_OT_export_bvh, "Croquis Pose (.bvh)"),
    ):
        menu.layout.operator(operator.bl_idname, text=label)


def draw_import(menu: bpy.types.Menu, _context: bpy.types.Context) -> None:
    """File > Import."""
    menu.layout.operator(CROQUIS_OT_load_pose.bl_idname, text="Croquis Pose (.json)")


_ADDITIONS = (
    ("TOPBAR_MT_file_import", draw_import),
    ("TOPBAR_MT_file_export", draw_export),
    ("VIEW3D_MT_object", draw_all),
    ("VIEW3D_MT_pose", draw_all),
)


def register() -> None:
    """Add the lines to Blender's menus."""
    for menu, draw in _ADDITIONS:
        getattr(bpy.types, menu).append(draw)


def unregister() -> None:
    """Take them away again."""
    for menu, draw in reversed(_ADDITIONS):
        getattr(bpy.types, menu).remove(draw)
