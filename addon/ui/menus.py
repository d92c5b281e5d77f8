"""Croquis' lines in Blender's own menus."""

from __future__ import annotations

import bpy

from ..operators.export import CROQUIS_OT_export_bvh, CROQUIS_OT_export_json, CROQUIS_OT_load_pose


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
