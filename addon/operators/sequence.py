"""The list of several drawings, and what it becomes: keyframes, or one pose."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import EnumProperty

from ..blender import sequence, viewport
from ..blender.drawings import enlist
from ..blender.keyframes import insert_keyframes
from ..core.errors import UserError
from ..preferences import make_estimator
from ..translations import say
from .character import POSABLE_MODES, ExplainedOperator, why_not_posable
from .drawing import PicturesOperator
from .progress import SteppedOperator

_GONE = "A drawing of the list is no longer in the file; remove it from the list."


def _listed(context: bpy.types.Context) -> list[tuple[str, int]]:
    """What the list shows: a picture's name and frame in each row."""
    rows = context.scene.croquis.several.drawings
    return [(item.image.name if item.image else "", item.frame) for item in rows]


def _drawings(context: bpy.types.Context) -> list[sequence.Drawing]:
    return [
        sequence.Drawing(
            item.image,
            item.frame,
            None if item.find_angle else item.angle,
            sequence.correction_from_json(item.correction),
        )
        for item in context.scene.croquis.several.drawings
    ]


class CROQUIS_OT_add_drawings(PicturesOperator, bpy.types.Operator):
    """Add picture files to the list."""

    bl_idname = "croquis.add_drawings"
    bl_label = "Add Drawings..."
    bl_description = "Add picture files to the list, several at once, in the order of their names"

    def take(self, context: bpy.types.Context, images: list[bpy.types.Image]) -> str:
        """Enlist them."""
        enlist(context.scene.croquis.several, images)
        return f"Added {'1 drawing' if len(images) == 1 else f'{len(images)} drawings'}."


class _ListOperator(ExplainedOperator):
    """An operator on the list's active drawing."""

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """There must be one."""
        several = context.scene.croquis.several
        return "" if 0 <= several.active < len(several.drawings) else "Add drawings first."


class CROQUIS_OT_remove_drawing(_ListOperator, bpy.types.Operator):
    """Take the active drawing off the list."""

    bl_idname = "croquis.remove_drawing"
    bl_label = "Remove Drawing"
    bl_description = "Take this drawing off the list; its picture and keyframes stay in the file"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove it."""
        several = context.scene.croquis.several
        several.drawings.remove(several.active)
        several.active = max(min(several.active, len(several.drawings) - 1), 0)
        return {"FINISHED"}


class CROQUIS_OT_move_drawing(_ListOperator, bpy.types.Operator):
    """Change the order of the list."""

    bl_idname = "croquis.move_drawing"
    bl_label = "Move Drawing"
    bl_description = "Move this drawing in the list; the frames stay where they are"

    direction: EnumProperty(
        name="Direction",
        description="Where in the list it goes",
        items=(("UP", "Up", "Earlier"), ("DOWN", "Down", "Later")),
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Exchange it with its neighbour, except for the frames."""
        several = context.scene.croquis.several
        here = several.active
        there = here + (-1 if self.direction == "UP" else 1)
        if not 0 <= there < len(several.drawings):
            return {"CANCELLED"}
        one, other = several.drawings[here], several.drawings[there]
        one.frame, other.frame = other.frame, one.frame
        several.drawings.move(here, there)
        several.active = there
        return {"FINISHED"}


class _StepsOperator(SteppedOperator):
    """Looks at one drawing at a step, and changes nothing before the last.

    Meanwhile the user may look around, but not take away what is being worked on.
    """

    bl_options = {"REGISTER", "UNDO"}
    stop = "Stop Posing"

    _steps: sequence.Steps[Any]
    _listed: list[tuple[str, int]]

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """The drawings must be there, and the armature be the user's to pose."""
        settings = context.scene.croquis
        drawings = settings.several.drawings
        if context.mode in POSABLE_MODES:
            if not drawings:
                return "Add drawings first."
            if any(item.image is None for item in drawings):
                return _GONE
        return why_not_posable(context, settings.armature)

    def begin(self, context: bpy.types.Context) -> None:
        """Note which drawings are meant."""
        self._steps = self.start(context)
        self._listed = _listed(context)

    def step(self, context: bpy.types.Context) -> set[str] | None:
        """Look at a drawing, or pose after all of them; the status bar says what comes next."""
        if _listed(context) != self._listed:
            raise UserError("The list of drawings has changed meanwhile; start again.")
        try:
            step = next(self._steps)
        except StopIteration as end:
            self.report({"INFO"}, say(self.finish(context, end.value)))
            return {"FINISHED"}
        self.show(context, step.done / step.total, step.message)
        return None

    def close(self) -> None:
        """Look at no more drawings."""
        self._steps.close()

    def stopped(self) -> str:
        """What is to be said at Esc."""
        return "Stopped; nothing has changed."

    def lets_through(self, event: bpy.types.Event) -> bool:
        """Looking around, and the timer of a dataset that is being rendered beside this."""
        return event.type in {"TIMER", "MOUSEMOVE", "INBETWEEN_MOUSEMOVE", *viewport.VIEW_EVENTS}

    def start(self, context: bpy.types.Context) -> sequence.Steps[Any]:
        """The work."""
        raise NotImplementedError

    def finish(self, context: bpy.types.Context, result: Any) -> str:
        """Show what came of it; a sentence about it."""
        raise NotImplementedError


class CROQUIS_OT_pose_sequence(_StepsOperator, bpy.types.Operator):
    """Key the poses of the drawings."""

    bl_idname = "croquis.pose_sequence"
    bl_label = "Pose Sequence"
    bl_description = (
        "Insert keyframes for the character's pose at the frame of each drawing; depth is read "
        "from the sequence as a whole, and reference drawings keep the pose that you gave them"
    )

    def start(self, context: bpy.types.Context) -> sequence.Steps[sequence.PosedSequence]:
        """The work."""
        settings = context.scene.croquis
        return sequence.pose_sequence(
            context,
            _drawings(context),
            settings.armature,
            estimator=make_estimator(context),
            smoothness=settings.several.smoothness,
        )

    def finish(self, context: bpy.types.Context, result: sequence.PosedSequence) -> str:
        """Choose the character, mark what to correct first."""
        settings = context.scene.croquis
        settings.armature = result.armature
        items = sorted(settings.several.drawings, key=lambda item: item.frame)
        for row, item in enumerate(items):
            item.suggested, item.posed = row in result.suggested, True
        if settings.look_through_camera:
            viewport.look_through(context, result.camera)
        names = ", ".join(f"“{items[row].image.name}”" for row in result.suggested)
        text = f"Keyed “{result.armature.name}” at {len(items)} frames. {result.held}".strip()
        return f"{text} Check {names} first." if names else text


class CROQUIS_OT_pose_from_sheet(_StepsOperator, bpy.types.Operator):
    """Pose the character from all drawings together."""

    bl_idname = "croquis.pose_from_sheet"
    bl_label = "Pose from Model Sheet"
    bl_description = "Pose the character as all drawings of the list show it together"

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """As for a sequence, and there must be two drawings or more."""
        few = len(context.scene.croquis.several.drawings) < 2
        return super().why_not(context) or ("Add two drawings of the pose or more." if few else "")

    def start(self, context: bpy.types.Context) -> sequence.Steps[sequence.PosedSheet]:
        """The work."""
        settings = context.scene.croquis
        return sequence.pose_from_sheet(
            context,
            _drawings(context),
            settings.armature,
            estimator=make_estimator(context),
            stretch=settings.stretch,
        )

    def finish(self, context: bpy.types.Context, result: sequence.PosedSheet) -> str:
        """Choose the character, show the angles that were found."""
        settings = context.scene.croquis
        settings.armature = result.armature
        for item, azimuth in zip(settings.several.drawings, result.sheet.azimuths, strict=True):
            if item.find_angle:
                item.angle = azimuth
        if settings.look_through_camera:
            viewport.look_through(context, result.camera)
        return result.summary()


class CROQUIS_OT_keep_correction(_ListOperator, bpy.types.Operator):
    """Make the pose at the active drawing a reference."""

    bl_idname = "croquis.keep_correction"
    bl_label = "Use Pose as Reference"
    bl_description = (
        "Keep the character's pose at this drawing's frame as you have corrected it, keyed; the "
        "next Pose Sequence lets the neighbouring drawings follow it"
    )

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """There must be a drawing, and a character that can be keyed."""
        if reason := super().why_not(context):
            return reason
        armature = context.scene.croquis.armature
        return why_not_posable(context, armature) if armature else "Pose the sequence first."

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Key it and keep it."""
        settings = context.scene.croquis
        item = settings.several.drawings[settings.several.active]
        if item.image is None:
            self.report({"ERROR"}, say(_GONE))
            return {"CANCELLED"}
        drawing = sequence.Drawing(item.image, item.frame)
        try:
            directions = sequence.correction_from_pose(context, settings.armature, drawing)
        except UserError as error:
            self.report({"ERROR"}, say(error))
            return {"CANCELLED"}
        insert_keyframes(settings.armature)
        item.correction = sequence.correction_to_json(directions)
        item.suggested = False
        text = f"“{item.image.name}” is a reference now; pose the sequence again."
        self.report({"INFO"}, say(text))
        return {"FINISHED"}


class CROQUIS_OT_clear_correction(_ListOperator, bpy.types.Operator):
    """Let the active drawing be read anew."""

    bl_idname = "croquis.clear_correction"
    bl_label = "Clear Reference"
    bl_description = "Let the next Pose Sequence pose this drawing anew"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Forget it."""
        several = context.scene.croquis.several
        several.drawings[several.active].correction = ""
        return {"FINISHED"}
