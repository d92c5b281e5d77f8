"""How much of a pose a character takes over: which of its bones, and how far they go."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import bpy

from ..core import rigs, skeleton
from ..core.errors import UserError
from ..core.solve import Rig, Solution
from ..core.stance import Stance, blend
from . import notes
from .armature import apply_solution, pose_bones, posed_matrices
from .keyframes import insert_keyframes

Part = Literal["ALL", "SELECTED", "UPPER", "LOWER"]

_LOWER = frozenset(("Hips", *(skeleton.KEYPOINTS[row] for row in skeleton.SIDED["Legs"])))
"""Keypoints of the lower body; with the hips goes the place of the whole character."""

_TRANSFORM = (
    *("location", "rotation_quaternion", "rotation_axis_angle", "rotation_euler"),
    "scale",
)


@dataclass(frozen=True)
class Extent:
    """Which bones take over a pose, and how far.

    Attributes:
        part: all bones that a drawing poses; the selected ones of them; those of the trunk, the
            head and the arms; or those of the hips and the legs.
        influence: 0 leaves the pose as it was, 1 takes the new one, and between them each bone goes
            part of its way.
    """

    part: Part = "ALL"
    influence: float = 1.0


WHOLE = Extent()


def is_selected(bone: bpy.types.PoseBone) -> bool:
    """Whether a pose bone is selected, in every version of Blender."""
    return bone.select if "select" in bone.bl_rna.properties else bone.bone.select


def why_not_within(armature: bpy.types.Object | None, extent: Extent) -> str:
    """Why an extent holds nothing of a character, or of the mannequin that comes without one."""
    if extent.part != "SELECTED":
        return ""
    if armature is None:
        return "Choose an armature and select bones of it, or apply the pose to the whole rig."
    if any(map(is_selected, armature.pose.bones)):
        return ""
    return f"Select bones of “{armature.name}” in Pose Mode, or apply the pose to the whole rig."


def bones_within(armature: bpy.types.Object, rig: Rig, extent: Extent) -> set[str]:
    """Names of the pose bones, or of the controls, that an extent lets change.

    Raises:
        UserError: none of the selected bones is one that a drawing poses.
    """
    if extent.influence <= 0:
        return set()
    bones = pose_bones(armature, rig)
    names = {bone.name for bone in bones}
    match extent.part:
        case "ALL":
            return names
        case "SELECTED":
            if chosen := {bone.name for bone in bones if is_selected(bone)}:
                return chosen
            raise UserError(
                f"Select bones of “{armature.name}” that belong to its trunk or limbs, or apply "
                "the pose to the whole rig."
            )
    lower = _lower_body(armature, rig)
    return names & lower if extent.part == "LOWER" else names - lower


def bones_that_change(
    armature: bpy.types.Object, rig: Rig, extent: Extent, only: Collection[str] | None
) -> set[str]:
    """As :func:`bones_within`, but some of them only if not None, and what switches their limbs."""
    names = bones_within(armature, rig, extent)
    if only is not None:
        names &= set(only)
    return names | _switches(armature, names)


def stance_of(context: bpy.types.Context, armature: bpy.types.Object, rig: Rig) -> Stance:
    """How a character stands now, whatever moves its bones."""
    context.view_layer.update()
    return Stance.of(rig, posed_matrices(armature, rig))


def remember_before(armature: bpy.types.Object, rig: Rig, before: Stance) -> None:
    """Keep how a character stood before a drawing posed it, for other readings of the drawing."""
    notes.keep(armature, notes.BEFORE, before.to_json(rig.names))


def remembered_before(armature: bpy.types.Object, rig: Rig) -> Stance | None:
    """What :func:`remember_before` has kept; None without it, or if its bones are not there."""
    return Stance.from_json(notes.kept(armature, notes.BEFORE), rig.names)


def apply_within(
    armature: bpy.types.Object,
    rig: Rig,
    solution: Solution,
    before: Stance,
    extent: Extent = WHOLE,
    *,
    only: Collection[str] | None = None,
    keyframe: bool = False,
) -> str:
    """Put a solved pose on an armature as far as an extent allows.

    Whatever is outside keeps every channel as it is. Limbs of controlled rigs are switched to
    forward kinematics only if one of their controls is inside.

    Args:
        armature: the object from which ``rig`` was read.
        rig: its rig.
        solution: the pose.
        before: the pose from which ``extent.influence`` counts.
        extent: how much of the pose is taken over.
        only: names of the pose bones that may change; None for all of the extent.
        keyframe: also insert keyframes for what may change, at the current frame.

    Returns:
        As :func:`.armature.apply_solution`, of what may change.

    Raises:
        UserError: see :func:`bones_within`. Nothing has changed then.
    """
    if extent == WHOLE and only is None:
        held = apply_solution(armature, rig, solution)
        if keyframe:
            insert_keyframes(armature)
        return held
    names = bones_that_change(armature, rig, extent, only)
    solution = blend(rig, before, solution, extent.influence)
    others = KeptPose(armature, rig, but=names)
    held = apply_solution(armature, rig, solution, names)
    others.restore()
    if keyframe and names:
        insert_keyframes(armature, names)
    return held


def _lower_body(armature: bpy.types.Object, rig: Rig) -> set[str]:
    """Names of the pose bones of hips and legs and of those that carry them, or of controls."""
    bones = armature.pose.bones
    if controls := rigs.controls_of(bones.keys()):
        return {name for name, keypoint in (*controls.rest, *controls.turns) if keypoint in _LOWER}
    matched = (bones[rig.names[row]] for k, row in rig.mapping.items() if k in _LOWER)
    return {b.name for bone in matched for b in (bone, *bone.parent_recursive)}


class KeptPose:
    """The pose of an armature's trunk and limbs, to go back to."""

    def __init__(self, armature: bpy.types.Object, rig: Rig, but: Collection[str] = ()) -> None:
        """Keep the bones that a solution poses and their switches, but some that may change."""
        self._armature = armature
        self._transforms = {
            bone.name: [tuple(getattr(bone, path)) for path in _TRANSFORM]
            for bone in pose_bones(armature, rig)
            if bone.name not in but
        }
        bones = armature.pose.bones
        controls = rigs.controls_of(bones.keys())
        self._switches = [
            (name, switch, bones[name][switch])
            for name, switch, *_ in (controls.switches if controls else ())
            if name not in but and switch in bones[name]
        ]

    def restore(self) -> None:
        """Put the bones and switches back."""
        bones = self._armature.pose.bones
        for name, values in self._transforms.items():
            for path, value in zip(_TRANSFORM, values, strict=True):
                if tuple(getattr(bones[name], path)) != value:  # or Blender evaluates the pose anew
                    setattr(bones[name], path, value)
        for name, switch, value in self._switches:
            if bones[name][switch] != value:
                bones[name][switch] = value
                self._armature.update_tag()  # Blender does not see that its drivers are to run


def _switches(armature: bpy.types.Object, names: Collection[str]) -> set[str]:
    """Names of the bones that switch the limbs which some controls turn."""
    controls = rigs.controls_of(armature.pose.bones.keys())
    if controls is None:
        return set()
    turned = {keypoint for name, keypoint in controls.turns if name in names}
    return {name for name, _, _, limb in controls.switches if turned & skeleton.below(limb)}
