"""Correcting the joints that were found in a drawing: by handles in the viewport, or by name."""

from __future__ import annotations

from typing import Any, ClassVar

import bpy
import numpy as np
from bpy.props import BoolProperty, EnumProperty, FloatProperty
from numpy.typing import NDArray

from ..blender import correct, pose
from ..blender.drawing_plane import plane_of
from ..core import skeleton
from ..core.correct import corrected_joints
from ..core.errors import UserError
from ..translations import BODY, say
from .character import chosen_extent
from .readings import DrawnOperator

_NAMES = {
    "Spine": "Lower Back",
    "Spine1": "Upper Back",
    "Spine2": "Chest",
    "HeadTop_End": "Top of Head",
    "Shoulder": "Collarbone",
    "Arm": "Shoulder",
    "ForeArm": "Elbow",
    "Hand": "Wrist",
    "UpLeg": "Hip",
    "Leg": "Knee",
    "Foot": "Ankle",
    "ToeBase": "Toes",
}


def _name_of(joint: str) -> str:
    bare = skeleton.without_side(joint)
    return f"{joint.removesuffix(bare)} {_NAMES.get(bare, bare)}".strip()


JOINT_NAMES = {joint: _name_of(joint) for joint in skeleton.KEYPOINTS}
"""What the joints are called for the animator: ``LeftForeArm`` -> ``Left Elbow``."""

JOINT_MENU = "CROQUIS_MT_joint"
"""The menu of a joint that was clicked."""

_JOINT_ITEMS = tuple((joint, name, "") for joint, name in JOINT_NAMES.items())


class _CorrectionOperator(DrawnOperator):
    """What the operators share: a correction, and a pose that follows."""

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Correct, and let the character follow."""
        settings = context.scene.croquis
        try:
            said = self.correct(
                context,
                settings.armature,
                keyframe=settings.insert_keyframes,
                extent=chosen_extent(context),
            )
        except UserError as error:
            self.report({"ERROR"}, say(error))
            return {"CANCELLED"}
        self.report({"INFO"}, say(said))
        return {"FINISHED"}

    def correct(
        self, context: bpy.types.Context, armature: bpy.types.Object, **options: Any
    ) -> str:
        """What the operator does; a sentence about it."""
        raise NotImplementedError


class _JointOperator(_CorrectionOperator):
    """An operator for one joint."""

    joint: EnumProperty(
        name="Joint",
        description="The joint of the drawing, left and right being the character's own",
        items=_JOINT_ITEMS,
        default="LeftHand",
        translation_context=BODY,
    )


class CROQUIS_OT_move_joint(_JointOperator, bpy.types.Operator):
    """Put a joint where the artist sees it."""

    bl_idname = "croquis.move_joint"
    bl_label = "Move Joint"
    bl_description = (
        "Drag the joint to where it is in the drawing, and the character follows. Click it for more"
    )

    clicked: ClassVar[str] = ""
    """The joint that was clicked last without being dragged."""

    x: FloatProperty(name="X", description="Pixels of the drawing, to the right")
    y: FloatProperty(name="Y", description="Pixels of the drawing, downwards")

    def correct(
        self, context: bpy.types.Context, armature: bpy.types.Object, **options: Any
    ) -> str:
        """Move it to the pixel."""
        correct.move_joint(context, armature, self.joint, (self.x, self.y), **options)
        return f"{JOINT_NAMES[self.joint]} moved."

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Take hold of the joint: at its handle, or, without the button pressed, at the mouse."""
        armature = context.scene.croquis.armature
        try:
            self._correction = correct.Correction(context, armature, chosen_extent(context))
            drawing = self._correction.before
            plane, under = plane_of(context.scene, drawing), self._pixel_at(context, event)
            if plane is None or under is None:
                raise UserError("Drag joints in a 3D viewport in which the drawing is seen.")
        except UserError as error:
            self.report({"ERROR"}, say(error))
            return {"CANCELLED"}
        held = (event.type, event.value) == ("LEFTMOUSE", "PRESS")
        self._ends = {("LEFTMOUSE", "RELEASE" if held else "PRESS"), ("RET", "PRESS")}
        self._start = np.array((event.mouse_x, event.mouse_y))
        self._grip = np.zeros(2)
        self._is_dragged = not held
        if held:
            handles = correct.joint_places(drawing, armature, plane)
            self._grip = handles[skeleton.INDEX[self.joint]] - under
        context.window_manager.modal_handler_add(self)
        name = JOINT_NAMES[self.joint]
        context.workspace.status_text_set(
            say(f"{name}: release or click to leave it here, Esc to take it back", "interface")
        )
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Follow the mouse until the button, or take everything back."""
        if self._correction.is_lost:
            context.workspace.status_text_set(None)
            self.report({"ERROR"}, say("The character was deleted meanwhile; choose another."))
            return {"CANCELLED"}
        if event.type in {"ESC", "RIGHTMOUSE"} and event.value == "PRESS":
            return self._cancelled(context)
        if event.type == "MOUSEMOVE":
            self._follow(context, event)
        elif event.type == "LEFTMOUSE" and not self._is_dragged:  # a mere click
            self._cancelled(context)
            CROQUIS_OT_move_joint.clicked = self.joint
            bpy.ops.wm.call_menu(name=JOINT_MENU)
            return {"CANCELLED"}
        elif (event.type, event.value) in self._ends:
            self._follow(context, event)
            self._correction.finish(keyframe=context.scene.croquis.insert_keyframes)
            context.workspace.status_text_set(None)
            return {"FINISHED"}
        return {"RUNNING_MODAL"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the drag, as when another file is opened."""
        self._cancelled(context)

    def _follow(self, context: bpy.types.Context, event: bpy.types.Event) -> None:
        moved = np.abs(np.array((event.mouse_x, event.mouse_y)) - self._start).max()
        if not self._is_dragged and moved < context.preferences.inputs.drag_threshold_mouse:
            return
        self._is_dragged = True
        under = self._pixel_at(context, event)
        if under is not None:
            self.x, self.y = under + self._grip
            self._correction.move(self.joint, (self.x, self.y))

    def _cancelled(self, context: bpy.types.Context) -> set[str]:
        if not self._correction.is_lost:
            self._correction.take_back()
        context.workspace.status_text_set(None)
        return {"CANCELLED"}

    def _pixel_at(
        self, context: bpy.types.Context, event: bpy.types.Event
    ) -> NDArray[np.float64] | None:
        plane = plane_of(context.scene, self._correction.before)
        return plane.pixel_under(context, (event.mouse_x, event.mouse_y)) if plane else None


class CROQUIS_OT_hide_joint(_JointOperator, bpy.types.Operator):
    """Leave a joint out of account."""

    bl_idname = "croquis.hide_joint"
    bl_label = "Hide Joint"
    bl_description = (
        "Leave a joint of the drawing out of account, as it is hidden or was not found: the rest "
        "of the figure tells where it goes"
    )

    hidden: BoolProperty(
        name="Hidden",
        description="Without it, a hidden joint counts again",
        default=True,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def description(
        cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties
    ) -> str:
        """The tooltip of both directions."""
        return cls.bl_description if properties.hidden else "Let a hidden joint count again"

    def correct(
        self, context: bpy.types.Context, armature: bpy.types.Object, **options: Any
    ) -> str:
        """Hide or show it."""
        correct.hide_joint(context, armature, self.joint, hidden=self.hidden, **options)
        name = JOINT_NAMES[self.joint]
        return f"{name} hidden." if self.hidden else f"{name} shown."


class CROQUIS_OT_reset_joint(_JointOperator, bpy.types.Operator):
    """Take the corrections of a joint back."""

    bl_idname = "croquis.reset_joint"
    bl_label = "Reset Joint"
    bl_description = "Put a joint back to where Croquis has found it in the drawing"

    def correct(
        self, context: bpy.types.Context, armature: bpy.types.Object, **options: Any
    ) -> str:
        """Put it back."""
        correct.reset_joints(context, armature, [self.joint], **options)
        return f"{JOINT_NAMES[self.joint]} is where it was found."


class CROQUIS_OT_reset_joints(_CorrectionOperator, bpy.types.Operator):
    """Take all corrections back."""

    bl_idname = "croquis.reset_joints"
    bl_label = "Reset All Joints"
    bl_description = "Put all joints back to where Croquis has found them in the drawing"

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """There must be something to take back."""
        reason = super().why_not(context)
        kept = None if reason else pose.remembered(context.scene.croquis.armature)
        return reason if kept is None or corrected_joints(kept) else "No joint is corrected."

    def correct(
        self, context: bpy.types.Context, armature: bpy.types.Object, **options: Any
    ) -> str:
        """Put them back."""
        correct.reset_joints(context, armature, **options)
        return "All joints are where they were found."
