"""The main operator, and the two views of its result."""

from __future__ import annotations

import bpy
from bpy.props import EnumProperty, FloatVectorProperty, IntProperty

from ..blender import pose, reference, viewport
from ..blender.extent import why_not_within
from ..core.errors import UserError
from ..core.image import Box
from ..preferences import make_estimator
from ..translations import say
from .character import POSABLE_MODES, ExplainedOperator, chosen_extent, why_not_posable


class PosingOperator(ExplainedOperator):
    """What operators share that pose the character of the panel from its drawing."""

    figure: IntProperty(
        name="Figure",
        description="Which figure of the drawing: 1 is the largest",
        default=1,
        min=1,
        soft_max=10,
        options={"SKIP_SAVE"},
    )
    box: FloatVectorProperty(
        name="Box",
        description=(
            "Left, top, width and height of the figure in pixels of the drawing; all zero, Croquis "
            "looks for the figure"
        ),
        size=4,
        min=0.0,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def drawing(cls, context: bpy.types.Context) -> bpy.types.Image | None:
        """The picture with the figure."""
        return context.scene.croquis.drawing

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """A drawing must be chosen, and the armature, if one is chosen, be the user's to pose."""
        settings = context.scene.croquis
        if context.mode in POSABLE_MODES and cls.drawing(context) is None:
            return "Choose a drawing first."
        armature = settings.armature
        extent = chosen_extent(context)
        return why_not_posable(context, armature) or why_not_within(armature, extent)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Pose, then show it as the panel says."""
        settings, drawing = context.scene.croquis, self.drawing(context)
        assert drawing is not None  # or poll would not have let it pass
        try:
            with viewport.busy(context):
                result = pose.pose_from_sketch(
                    context,
                    drawing,
                    settings.armature,
                    estimator=make_estimator(context),
                    keyframe=settings.insert_keyframes,
                    figure=self.figure - 1,
                    box=Box(*self.box) if any(self.box) else None,
                    extent=chosen_extent(context),
                    stretch=settings.stretch,
                )
        except UserError as error:
            self.report({"ERROR"}, say(error))
            return {"CANCELLED"}
        settings.armature = result.armature
        if settings.look_through_camera:
            viewport.look_through(context, result.camera)
        self.report({"INFO"}, say(result.summary()))
        return {"FINISHED"}


class CROQUIS_OT_pose_from_sketch(PosingOperator, bpy.types.Operator):
    """Pose the character of the panel from its drawing."""

    bl_idname = "croquis.pose_from_sketch"
    bl_label = "Pose from Sketch"
    bl_description = "Pose the character like the figure in the drawing"
    bl_options = {"REGISTER", "UNDO"}


class CROQUIS_OT_look(ExplainedOperator, bpy.types.Operator):
    """Turn the 3D viewport to the posed character."""

    bl_idname = "croquis.look"
    bl_label = "Look at Pose"
    bl_description = "Turn the view to the posed character"

    side: EnumProperty(
        name="Side",
        description="From where to look",
        items=(
            ("DRAWING", "Drawing", "Look through the drawing's camera"),
            ("SIDE", "Side", "Look from the side, at what the drawing does not show"),
        ),
    )

    @classmethod
    def description(
        cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties
    ) -> str:
        """The tooltip of each of the two buttons."""
        if properties.side == "DRAWING":
            return "Look at the character through the drawing's camera"
        return "Look at the character from the side, at what the drawing does not show"

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """There must be a 3D viewport and something to look at."""
        if context.region_data is None:
            return "This works in a 3D viewport."
        if context.scene is None or reference.find_camera(context.scene) is None:
            return "Pose a character from a drawing first."
        return ""

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Turn the view."""
        scene = context.scene
        camera = reference.find_camera(scene) if scene else None
        if camera is None:
            return {"CANCELLED"}
        if self.side == "DRAWING":
            viewport.look_through(context, camera)
        else:
            viewport.look_from_side(context, camera, scene.croquis.armature)
        return {"FINISHED"}
