"""The panel "Several Drawings": a sequence or a model sheet."""

from __future__ import annotations

import bpy

from ..operators.sequence import (
    CROQUIS_OT_add_drawings,
    CROQUIS_OT_clear_correction,
    CROQUIS_OT_keep_correction,
    CROQUIS_OT_move_drawing,
    CROQUIS_OT_pose_from_sheet,
    CROQUIS_OT_pose_sequence,
    CROQUIS_OT_remove_drawing,
)
from .panels import CroquisPanel, large_row


class CROQUIS_UL_drawings(bpy.types.UIList):
    """The drawings with their frames, or with their view angles."""

    def draw_item(
        self,
        _context: bpy.types.Context,
        layout: bpy.types.UILayout,
        several: bpy.types.PropertyGroup,
        item: bpy.types.PropertyGroup,
        _icon: int,
        _active_data: bpy.types.PropertyGroup,
        _active_property: str,
        _index: int,
    ) -> None:
        """Name, what is to know of it, and its number."""
        split = layout.split(factor=0.6)
        name = split.row(align=True)
        if item.image is None:
            name.label(text="Missing", icon="ERROR")
        else:
            name.label(text=item.image.name, icon_value=layout.icon(item.image))
        number = split.row(align=True)
        if several.kind == "SEQUENCE":
            if item.correction:
                name.label(text="", icon="CHECKMARK")
            elif item.suggested:
                name.label(text="", icon="QUESTION")
            number.prop(item, "frame", text="", emboss=False)
        else:
            number.prop(item, "find_angle", text="", icon="VIEWZOOM")
            angle = number.row()
            angle.active = not item.find_angle
            angle.prop(item, "angle", text="", emboss=False)


class CROQUIS_PT_several(CroquisPanel, bpy.types.Panel):
    """Several drawings at once."""

    bl_label = "Several Drawings"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """The list, and the button of its kind."""
        layout = self.layout
        several = context.scene.croquis.several
        layout.row().prop(several, "kind", expand=True)
        row = layout.row()
        row.template_list(
            CROQUIS_UL_drawings.__name__, "", several, "drawings", several, "active", rows=4
        )
        side = row.column(align=True)
        side.operator(CROQUIS_OT_add_drawings.bl_idname, text="", icon="ADD")
        side.operator(CROQUIS_OT_remove_drawing.bl_idname, text="", icon="REMOVE")
        side.separator()
        move = CROQUIS_OT_move_drawing.bl_idname
        side.operator(move, text="", icon="TRIA_UP").direction = "UP"
        side.operator(move, text="", icon="TRIA_DOWN").direction = "DOWN"
        if several.kind == "SEQUENCE":
            layout.prop(several, "smoothness")
            button = large_row(layout)
            button.operator(CROQUIS_OT_pose_sequence.bl_idname, icon="KEYINGSET")
            correction = layout.row(align=True)
            correction.operator(CROQUIS_OT_keep_correction.bl_idname, icon="CHECKMARK")
            correction.operator(CROQUIS_OT_clear_correction.bl_idname, text="", icon="X")
        else:
            button = large_row(layout)
            button.operator(CROQUIS_OT_pose_from_sheet.bl_idname, icon="VIEW_ORTHO")
