"""The tab "Croquis" reads from top to bottom as the work does."""

from __future__ import annotations

import bpy

from ..operators.character import CROQUIS_OT_add_mannequin
from ..operators.dataset import CROQUIS_OT_render_dataset
from ..operators.pose import CROQUIS_OT_look, CROQUIS_OT_pose_from_sketch


class _CroquisPanel:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Croquis"


class CROQUIS_PT_drawing(_CroquisPanel, bpy.types.Panel):
    """The picture whose pose is wanted."""

    bl_label = "Drawing"

    def draw(self, context: bpy.types.Context) -> None:
        """The picture and a button that opens a file."""
        self.layout.template_ID(context.scene.croquis, "drawing", open="image.open")


class CROQUIS_PT_character(_CroquisPanel, bpy.types.Panel):
    """Who is posed."""

    bl_label = "Character"

    def draw(self, context: bpy.types.Context) -> None:
        """The armature, or a mannequin."""
        layout = self.layout
        layout.prop(context.scene.croquis, "armature", text="", placeholder="Mannequin")
        layout.operator(CROQUIS_OT_add_mannequin.bl_idname, icon="OUTLINER_OB_ARMATURE")


class CROQUIS_PT_pose(_CroquisPanel, bpy.types.Panel):
    """The main button and how its result is shown."""

    bl_label = "Pose"

    def draw(self, context: bpy.types.Context) -> None:
        """Button, options, views."""
        layout = self.layout
        settings = context.scene.croquis
        button = layout.row()
        button.scale_y = 1.6
        button.operator(CROQUIS_OT_pose_from_sketch.bl_idname, icon="POSE_HLT")
        layout.prop(settings, "insert_keyframes")
        layout.prop(settings, "look_through_camera")
        views = layout.row(align=True)
        for side, label in (("DRAWING", "Drawing's View"), ("SIDE", "Side View")):
            views.operator(CROQUIS_OT_look.bl_idname, text=label).side = side


class CROQUIS_PT_dataset(_CroquisPanel, bpy.types.Panel):
    """Rendering sketches of rigged characters, to train an estimator on."""

    bl_label = "Dataset"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Folders, numbers, button."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        settings = context.scene.croquis.dataset
        folders = layout.column()
        for name in ("characters", "animations", "output"):
            folders.prop(settings, name)
        numbers = layout.column(align=True)
        for name in ("cameras", "every", "size", "limit"):
            numbers.prop(settings, name)
        layout.operator(CROQUIS_OT_render_dataset.bl_idname, icon="RENDER_ANIMATION")
