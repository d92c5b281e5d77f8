"""Motions from animation files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from bpy.types import Object
from numpy.typing import NDArray

from ..core import retarget, skeleton
from ..core.errors import UserError
from ..core.retarget import JOINTS, Motion
from ..core.solve import Rig
from .armature import rig_from_armature
from .characters import import_objects, main_armature, remove_objects
from .puppet import PosedKeypoints, turn_to_front


def load_motions(path: Path, every: int = 1) -> list[Motion]:
    """The motions of one file: its animation or animations, or all clips of a pose corpus.

    Args:
        path: .fbx, .glb, .gltf, .bvh, or .npz (a pose corpus).
        every: keep every N-th frame. A corpus is thinned already and is kept whole.

    Returns:
        Motions named after the file; where it holds several, FILE/ANIMATION.

    Raises:
        UserError: the file cannot be read, has no armature, no animation, or lacks a humanoid's
            bones.
    """
    if path.suffix.lower() == ".npz":
        try:
            return retarget.load_corpus(str(path))
        except ValueError as error:
            raise UserError(f"{error}.") from error
    scene = bpy.context.scene
    scene.frame_set(0)  # a rig is read where it stands: not where the last animation left the clock
    before = {*bpy.data.actions, *bpy.data.collections}
    added = import_objects(path)
    actions = [action for action in bpy.data.actions if action not in before]
    try:
        armature = main_armature(added)
        if armature is None:
            raise UserError(f"{path.name} holds no armature, so it has no motion.")
        return _read_motions(path, armature, actions, every)
    finally:
        scene.frame_set(0)
        remove_objects(added)
        # Actions may bear a fake user; left behind, they would change the names of later ones.
        kinds = (bpy.data.actions, bpy.data.collections)
        bpy.data.batch_remove([block for kind in kinds for block in kind if block not in before])


def _read_motions(
    path: Path, armature: Object, actions: Sequence[bpy.types.Action], every: int
) -> list[Motion]:
    takes = [(action, slot) for action in actions for slot in _slots(action, armature)]
    if not takes:
        raise UserError(f"{path.name} holds no animation.")
    bpy.context.view_layer.update()
    try:
        rig = rig_from_armature(armature)
    except UserError as error:
        raise UserError(f"{path.name}: {error}") from error
    tracks = armature.animation_data or armature.animation_data_create()
    tracks.use_nla = False
    motions: list[Motion] = []
    names: list[str] = []
    for action, slot in takes:
        for bone in armature.pose.bones:  # what one animation leaves alone keeps no earlier pose
            bone.matrix_basis.identity()
        tracks.action = action
        if slot is not None:
            tracks.action_slot = slot
        # Before 4.4 the glTF importer adds the armature's name, for want of slots.
        take = action.name.removesuffix(f"_{armature.name}")
        names.append(f"{take} {names.count(take) + 1}" if take in names else take)
        name = path.stem if len(takes) == 1 else f"{path.stem}/{names[-1]}"
        motions.append(_read_motion(name, armature, rig, _frames(action, every)))
    return motions


def _slots(action: bpy.types.Action, armature: Object) -> list[Any]:
    """The slots of an action that move the armature's bones; None for an action without slots."""
    if not hasattr(action, "slots"):  # before Blender 4.4
        return [None] if _moves_bones(action.fcurves, armature) else []
    return [
        bag.slot
        for layer in action.layers
        for strip in layer.strips
        for bag in strip.channelbags
        if _moves_bones(bag.fcurves, armature)
    ]


def _moves_bones(curves: Iterable[bpy.types.FCurve], armature: Object) -> bool:
    bones = {f'pose.bones["{bpy.utils.escape_identifier(b.name)}"]' for b in armature.data.bones}
    return any(curve.data_path.rpartition(".")[0] in bones for curve in curves)


def _frames(action: bpy.types.Action, every: int) -> NDArray[np.int64]:
    first, last = (round(edge) for edge in action.frame_range)
    return np.arange(first, max(last, first) + 1, every)


def _read_motion(name: str, armature: Object, rig: Rig, frames: NDArray[np.int64]) -> Motion:
    turn = turn_to_front(rig)
    points = PosedKeypoints(armature, rig, rig.joints)
    rest = rig.joints @ turn.T
    hips = skeleton.INDEX["Hips"]
    floor = rest[:, 2].min()
    hip_height = max(rest[hips, 2] - floor, 1e-6)
    rotations = np.empty((len(frames), len(JOINTS), 3, 3))
    root = np.empty((len(frames), 3))
    heights = np.empty((len(frames), skeleton.COUNT))
    for f, frame in enumerate(frames):
        bpy.context.scene.frame_set(int(frame))
        rotations[f] = turn @ points.turns() @ turn.T
        joints = points.places() @ turn.T
        root[f] = joints[hips] - rest[hips]
        heights[f] = joints[:, 2] - floor
    root /= hip_height
    lowest = retarget.lowest_part(
        heights / hip_height, (rest[:, 2] - floor) / hip_height, skeleton.KEYPOINTS
    )
    # A BVH file's rest pose hangs from the origin: there only the clip can tell the ground.
    stands = abs(floor) < 0.2 * hip_height
    root[:, 2] = lowest.clip(min=0.0) if stands else retarget.above_ground(lowest)
    limbs = retarget.limb_directions(
        {joint: rest[skeleton.INDEX[joint]] for joint in JOINTS if joint in rig.mapping}
    )
    return Motion(name, frames, rotations, root, limbs)
