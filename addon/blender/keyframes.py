"""The channels of a pose: which properties of which bones hold it, for keyframes and assets."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

import bpy

from ..core import rigs
from .armature import placed_bones, pose_bones, rig_from_armature, rotation_path


class Channel(NamedTuple):
    """One number of a pose.

    Attributes:
        bone: the pose bone.
        path: its property, such as ``rotation_quaternion`` or ``["IK_FK"]``.
        index: which element of the property; -1 for a property that is one number.
        locked: the animator wants it to stay as it is.
    """

    bone: bpy.types.PoseBone
    path: str
    index: int
    locked: bool

    @property
    def data_path(self) -> str:
        """The property as animation curves of the object name it."""
        dot = "" if self.path.startswith("[") else "."
        return f"{self.bone.path_from_id()}{dot}{self.path}"

    @property
    def value(self) -> float:
        """What it is now."""
        value = self.bone.path_resolve(self.path)
        return value if self.index < 0 else value[self.index]


def pose_channels(armature: bpy.types.Object) -> list[Channel]:
    """The channels that hold the pose of an armature's trunk and limbs.

    These are the bones that a drawing poses: their rotations, the places of the hips and of bones
    that are somewhere else than at rest, the scale of those that are stretched now or at another
    frame, and the switches between forward and inverse kinematics. Fingers, hair and the face are
    left out.

    Raises:
        UserError: the object is no humanoid armature.
    """
    rig = rig_from_armature(armature)
    placed = placed_bones(armature, rig)
    keyed = _keyed(armature)
    channels: list[Channel] = []
    for bone in pose_bones(armature, rig):
        channels += _rotation(bone)
        if bone.name in placed or bone.location.length:
            channels += (Channel(bone, "location", i, bone.lock_location[i]) for i in range(3))
        if bone.scale.to_tuple() != (1, 1, 1) or bone.path_from_id("scale") in keyed:
            channels += (Channel(bone, "scale", i, bone.lock_scale[i]) for i in range(3))
    bones = armature.pose.bones
    controls = rigs.controls_of(bones.keys())
    for name, switch, *_ in controls.switches if controls else ():
        if switch in bones[name]:
            channels.append(Channel(bones[name], f'["{switch}"]', -1, False))
    return channels


def insert_keyframes(armature: bpy.types.Object, only: Collection[str] | None = None) -> int:
    """Insert keyframes for the pose at the current frame, but none on locked channels.

    They go into the armature's action, a new one where it has none.

    Args:
        armature: the armature.
        only: names of the pose bones that receive keyframes; None for all that hold the pose.

    Returns:
        How many bones have keyframes now.

    Raises:
        UserError: the object is no humanoid armature.
    """
    channels = [
        channel
        for channel in pose_channels(armature)
        if not channel.locked and (only is None or channel.bone.name in only)
    ]
    for bone, path, index, _ in channels:
        bone.keyframe_insert(path, index=index, group=bone.name)
    return len({channel.bone.name for channel in channels})


def _keyed(armature: bpy.types.Object) -> set[str]:
    """The properties of an armature that have curves in its action."""
    moved = armature.animation_data
    if not moved or not moved.action:
        return set()
    if not hasattr(moved.action, "slots"):  # before Blender 4.4
        return {curve.data_path for curve in moved.action.fcurves}
    strips = (strip for layer in moved.action.layers for strip in layer.strips)
    bags = (bag for strip in strips for bag in strip.channelbags if bag.slot == moved.action_slot)
    return {curve.data_path for bag in bags for curve in bag.fcurves}


def _rotation(bone: bpy.types.PoseBone) -> Iterator[Channel]:
    path = rotation_path(bone)
    locks = list(bone.lock_rotation)
    if path != "rotation_euler":  # four numbers of which none can stay while another one changes
        locks = [all(locks)] * 4
    return (Channel(bone, path, i, locked) for i, locked in enumerate(locks))
