"""The panel "Drawing": which picture is posed, where it comes from, how it stands in the scene."""

from __future__ import annotations

import bpy

from ..blender.drawings import is_film
from ..operators.drawing import (
    CROQUIS_OT_add_frames,
    CROQUIS_OT_drawing_from_grease_pencil,
    CROQUIS_OT_drawing_from_render,
    CROQUIS_OT_drawing_from_viewport,
    CROQUIS_OT_open_drawing,
)
from .panels import CroquisPanel

_PREVIEW = 7.0
"""Height of the drawing's preview, in Blender's units of a button."""


class CROQUIS_FH_drawing(bpy.types.FileHandler):
    """Pictures and films that are dropped into a viewport."""

    bl_idname = "CROQUIS_FH_drawing"
    bl_label = "Croquis Drawing"
    bl_import_operator = CROQUIS_OT_open_drawing.bl_idname
    bl_file_extensions = (
        ".png;.jpg;.jpeg;.webp;.bmp;.tif;.tiff;.tga;.exr;.hdr;.psd;.mp4;.mov;.avi;.mkv;.webm"
    )

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """Drops are Croquis' while its tab is open; otherwise they stay Blender's own."""
        area = context.area
        if area is None or area.type != "VIEW_3D":
            return False
        return any(
            region.type == "UI" and region.active_panel_category == CroquisPanel.bl_category
            for region in area.regions
        )


class CROQUIS_PT_drawing(CroquisPanel, bpy.types.Panel):
    """The picture whose pose is wanted."""

    bl_label = "Drawing"

    def draw(self, context: bpy.types.Context) -> None:
        """The picture, where else it may come from, and which of its figures."""
        layout = self.layout
        settings = context.scene.croquis
        layout.template_ID(settings, "drawing")
        if settings.drawing and not is_film(settings.drawing):  # Blender has no previews of films
            layout.template_icon(icon_value=layout.icon(settings.drawing), scale=_PREVIEW)
        sources = layout.column(align=True)
        sources.operator(CROQUIS_OT_open_drawing.bl_idname, icon="FILE_FOLDER")
        sources.operator(
            CROQUIS_OT_drawing_from_grease_pencil.bl_idname, icon="OUTLINER_OB_GREASEPENCIL"
        )
        shown = sources.row(align=True)
        shown.operator(CROQUIS_OT_drawing_from_render.bl_idname, icon="RENDER_RESULT")
        shown.operator(CROQUIS_OT_drawing_from_viewport.bl_idname, icon="RESTRICT_VIEW_OFF")
        if is_film(settings.drawing):
            layout.operator(CROQUIS_OT_add_frames.bl_idname, icon="RENDERLAYERS")
        layout.prop(settings, "figure")


class CROQUIS_PT_reference(CroquisPanel, bpy.types.Panel):
    """How the drawing stands in the scene."""

    bl_label = "Reference"
    bl_parent_id = "CROQUIS_PT_drawing"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Where it is, before or behind the character, and how much of it shows."""
        layout = self.layout
        settings = context.scene.croquis.reference
        layout.row().prop(settings, "kind", expand=True)
        layout.row().prop(settings, "depth", expand=True)
        layout.prop(settings, "opacity", slider=True)
