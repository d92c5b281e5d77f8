"""Other readings of the drawing that posed a character: one click each."""

from __future__ import annotations

from typing import ClassVar

import bpy
from bpy.props import EnumProperty

from ..blender import pose
from ..blender.extent import why_not_within
from ..core.errors import UserError
from ..core.readings import LIMBS, PAIRS, Reading, Readings
from ..translations import say
from .character import ExplainedOperator, chosen_extent, why_not_posable

LIMB_NAMES = {
    "Trunk": "Trunk",
    "LeftArm": "Left Arm",
    "LeftForeArm": "Left Forearm",
    "RightArm": "Right Arm",
    "RightForeArm": "Right Forearm",
    "LeftUpLeg": "Left Leg",
    "LeftLeg": "Left Shin",
    "RightUpLeg": "Right Leg",
    "RightLeg": "Right Shin",
}
"""What the limbs are called for the animator; flipping an arm or a leg takes its lower half along.
"""

_LIMB_ITEMS = tuple((limb, LIMB_NAMES[limb], "") for limb in LIMBS)


class DrawnOperator(ExplainedOperator):
    """What operators share that need a character which remembers its drawing."""

    bl_options: ClassVar = {"REGISTER", "UNDO"}

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """The panel's character must have been posed from a drawing, and still be posable."""
        armature = context.scene.croquis.armature
        if armature is None or pose.remembered(armature) is None:
            return "Pose a character from a drawing first."
        extent = chosen_extent(context)
        return why_not_posable(context, armature) or why_not_within(armature, extent)


class _ReadingOperator(DrawnOperator):
    """What the operators share: another reading, and a pose that follows."""

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Pose it anew as far as the reading differs."""
        settings = context.scene.croquis
        armature = settings.armature
        kept = pose.remembered(armature)
        assert kept is not None  # or poll would not have let it pass
        readings = pose.readings_of(kept)
        reading = self.choose(readings, kept.reading)
        try:
            anew, held = pose.choose_reading(
                context,
                armature,
                reading,
                keyframe=settings.insert_keyframes,
                extent=chosen_extent(context),
            )
        except UserError as error:
            self.report({"ERROR"}, say(error))
            return {"CANCELLED"}
        said = self.describe(readings, reading)
        if anew:
            said += " The whole figure was posed anew."
        possible = readings.is_possible(reading)
        if not possible:
            said += " A knee does not bend that way, so it is kept straight."
        self.report({"INFO"} if possible else {"WARNING"}, say(f"{said} {held}".strip()))
        return {"FINISHED"}

    def choose(self, readings: Readings, reading: Reading) -> Reading:
        """The reading to pose, from the one so far."""
        raise NotImplementedError

    def describe(self, readings: Readings, reading: Reading) -> str:
        """A sentence on the reading that is posed now."""
        position = readings.position(reading)
        share = f"{readings.probability(reading):.0%}"
        return f"Reading {position} of {len(readings.listed)}, {share} likely."


class CROQUIS_OT_flip_limb(_ReadingOperator, bpy.types.Operator):
    """Bring a limb to the other side of the picture plane."""

    bl_idname = "croquis.flip_limb"
    bl_label = "Flip Limb"
    bl_description = (
        "Read a limb the other way in depth: what came towards us goes away from us. It looks the "
        "same in the drawing's view, and the rest of the pose stays"
    )

    limb: EnumProperty(
        name="Limb",
        description="The limb; an arm or a leg takes its lower half along where it bends that way",
        items=_LIMB_ITEMS,
        default="LeftArm",
    )

    @classmethod
    def description(
        cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties
    ) -> str:
        """The tooltip of each limb's button."""
        limb = say(LIMB_NAMES[properties.limb], "tooltips").lower()
        return say(
            f"Read the {limb} the other way in depth. It looks the same in the drawing's view, "
            "and the rest of the pose stays",
            "tooltips",
        )

    def choose(self, readings: Readings, reading: Reading) -> Reading:
        """The limb on its other side."""
        return readings.flip(reading, self.limb)

    def describe(self, readings: Readings, reading: Reading) -> str:
        """Where the limb is now."""
        side = "behind" if readings.behind(reading, self.limb) else "in front"
        share = f"{readings.certainty(reading, self.limb):.0%}"
        return f"{LIMB_NAMES[self.limb]}: {side}, {share} likely."


class CROQUIS_OT_mirror(_ReadingOperator, bpy.types.Operator):
    """Exchange left and right."""

    bl_idname = "croquis.mirror"
    bl_label = "Mirror"
    bl_description = (
        "Take the drawn left limbs for the right ones, and the right ones for the left: a figure "
        "that faced us then often turns its back"
    )

    limbs: EnumProperty(
        name="Limbs",
        description="Whose left and right are exchanged",
        items=(
            ("ALL", "Arms and Legs", "The whole figure"),
            ("Arms", "Arms", "Only the arms and the chest"),
            ("Legs", "Legs", "Only the legs and the hips"),
        ),
    )

    def choose(self, readings: Readings, reading: Reading) -> Reading:
        """The likeliest reading in depth of the exchanged sides."""
        return readings.mirror(reading, PAIRS if self.limbs == "ALL" else (self.limbs,))

    def describe(self, readings: Readings, reading: Reading) -> str:
        """How sure the sides are now."""
        sides = readings.sides(reading)
        return f"Left and right: arms {sides.arms:.0%}, legs {sides.legs:.0%} likely."


class CROQUIS_OT_next_reading(_ReadingOperator, bpy.types.Operator):
    """The next likeliest pose."""

    bl_idname = "croquis.next_reading"
    bl_label = "Next Reading"
    bl_description = "Pose the next likeliest way to read the drawing in depth"

    def choose(self, readings: Readings, reading: Reading) -> Reading:
        """One further down the list."""
        return readings.next(reading, 1)


class CROQUIS_OT_previous_reading(_ReadingOperator, bpy.types.Operator):
    """The pose before this one in the list."""

    bl_idname = "croquis.previous_reading"
    bl_label = "Previous Reading"
    bl_description = "Pose the likelier way to read the drawing that comes before this one"

    def choose(self, readings: Readings, reading: Reading) -> Reading:
        """One further up the list."""
        return readings.next(reading, -1)


class CROQUIS_OT_first_reading(_ReadingOperator, bpy.types.Operator):
    """Back to the likeliest pose."""

    bl_idname = "croquis.first_reading"
    bl_label = "First Reading"
    bl_description = "Pose the likeliest way to read the drawing again"

    def choose(self, readings: Readings, _reading: Reading) -> Reading:
        """The top of the list."""
        return readings.first
