"""Motions from files, and motions onto characters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from bpy.types import Object
from mathutils import Matrix, Vector
from numpy.typing import NDArray

from ..core import retarget, skeleton
from ..core.errors import UserError
from ..core.files import files_in
from ..core.retarget import Motion
from .characters import bones_by_keypoint, import_objects, remove_objects

SUFFIXES = (".fbx", ".glb", ".gltf", ".npz")


def motion_files(folder: Path) -> list[Path]:
    """The animation files of a folder, sorted by name.

    Raises:
        UserError: the folder does not exist or holds none.
    """
    return files_in(folder, SUFFIXES, "animation")


def load_motions(path: Path, every: int = 1) -> list[Motion]:
    """The motions of one file: one of an animation, all clips of a pose corpus.

    Args:
        path: .fbx, .glb, .gltf, or .npz (a pose corpus).
        every: keep every N-th frame. A corpus is thinned already and is kept whole.

    Raises:
        UserError: the file cannot be read, has no armature, no animation, or lacks a humanoid's
            bones.
    """
    if path.suffix.lower() == ".npz":
        try:
            return retarget.load_corpus(str(path))
        except ValueError as error:
            raise UserError(f"{error}.") from error
    added = import_objects(path)
    try:
        armatures = [obj for obj in added if obj.type == "ARMATURE"]
        if not armatures:
            raise UserError(f"{path.name} holds no armature, so it has no motion.")
        return [_read_motion(path.stem, armatures[0], every)]
    finally:
        remove_objects(added)


def _read_motion(name: str, armature: Object, every: int) -> Motion:
    bones = bones_by_keypoint(armature)
    missing = [bone for bone in retarget.MINIMAL_BONES if bone not in bones]
    if missing:
        raise UserError(f"{name} has no bone {missing[0]}, so its motion cannot be read.")
    action = armature.animation_data.action if armature.animation_data else None
    if action is None:
        raise UserError(f"{name} holds no animation.")

    joints = [joint for joint in retarget.JOINTS if joint in bones]
    rest, turn = _rest_pose(armature, bones)
    rest_rotations = np.stack([turn @ rest[joint][:3, :3] for joint in joints])
    hip_rest = turn @ rest["Hips"][:3, 3]
    floor = min(float(matrix[2, 3]) for matrix in rest.values())
    hip_height = max(hip_rest[2] - floor, 1e-6)

    first, last = (round(edge) for edge in action.frame_range)
    frames = np.arange(first, max(last, first) + 1, every)
    scene = bpy.context.scene
    rotations = np.tile(np.eye(3), (len(frames), len(retarget.JOINTS), 1, 1))
    root = np.empty((len(frames), 3))
    rows = [retarget.JOINTS.index(joint) for joint in joints]
    for f, frame in enumerate(frames):
        scene.frame_set(int(frame))
        world: NDArray[np.float64] = np.array(armature.matrix_world)
        posed = np.stack([world @ np.array(armature.pose.bones[bones[j]].matrix) for j in joints])
        rotations[f, rows] = turn @ _unscaled(posed[:, :3, :3]) @ np.swapaxes(rest_rotations, 1, 2)
        root[f] = (turn @ posed[joints.index("Hips"), :3, 3] - hip_rest) / hip_height
    # A joint that the file does not have turns with its parent.
    for row, joint in enumerate(retarget.JOINTS):
        if joint not in bones:
            rotations[:, row] = rotations[:, retarget.JOINTS.index(_known_parent(joint, bones))]
    positions = {joint: turn @ matrix[:3, 3] for joint, matrix in rest.items()}
    return Motion(name, frames, rotations, root, retarget.limb_directions(positions))


def _known_parent(joint: str, bones: dict[str, str]) -> str:
    row = skeleton.INDEX[joint]
    while skeleton.KEYPOINTS[row] not in bones:
        row = skeleton.PARENTS[row]
    return skeleton.KEYPOINTS[row]


def _unscaled(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """``[..., 3, 3]`` without the scale of their columns (Mixamo scales armatures by 0.01)."""
    return matrices / np.linalg.norm(matrices, axis=-2, keepdims=True)


def _rest_pose(
    armature: Object, bones: dict[str, str]
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]]:
    """World rest matrices by bare name, rotation unscaled, and the turn that makes them face -Y."""
    world: NDArray[np.float64] = np.array(armature.matrix_world)
    rest = {}
    for joint, name in bones.items():
        matrix = world @ np.array(armature.data.bones[name].matrix_local)
        matrix[:3, :3] = _unscaled(matrix[:3, :3])
        rest[joint] = matrix
    return rest, retarget.heading(rest["LeftUpLeg"][:3, 3], rest["RightUpLeg"][:3, 3])


@dataclass
class Puppet:
    """A character made ready to take poses of motions.

    Attributes:
        armature: its armature object.
        bones: bare Mixamo name -> bone name.
        height: of the highest joint above the lowest at rest, metres.
    """

    armature: Object
    bones: dict[str, str]
    height: float
    _names: list[str]
    _parents: NDArray[np.int64]
    _rest: NDArray[np.float64]
    _turn: NDArray[np.float64]
    _limbs: dict[str, NDArray[np.float64]]
    _hip_height: float

    @classmethod
    def prepare(cls, armature: Object) -> Puppet:
        """Take the character's own animation away and note its rest pose.

        Raises:
            UserError: it lacks a humanoid's bones under Mixamo's names.
        """
        bones = bones_by_keypoint(armature)
        missing = [bone for bone in retarget.MINIMAL_BONES if bone not in bones]
        if missing:
            raise UserError(
                f"{armature.name} has no bone {missing[0]}; a character needs Mixamo's bone names."
            )
        armature.animation_data_clear()
        names = [bone.name for bone in armature.data.bones]
        row = {name: i for i, name in enumerate(names)}
        world: NDArray[np.float64] = np.array(armature.matrix_world)
        matrices = np.stack([world @ np.array(b.matrix_local) for b in armature.data.bones])
        rest, turn = _rest_pose(armature, bones)
        positions = {joint: turn @ matrix[:3, 3] for joint, matrix in rest.items()}
        heights = [position[2] for position in positions.values()]
        return cls(
            armature=armature,
            bones=bones,
            height=max(heights) - min(heights),
            _names=names,
            _parents=np.array(
                [row[b.parent.name] if b.parent else -1 for b in armature.data.bones]
            ),
            _rest=turn @ _unscaled(matrices[:, :3, :3]),
            _turn=turn,
            _limbs=retarget.limb_directions(positions),
            _hip_height=positions["Hips"][2] - min(heights),
        )

    def pose(self, motion: Motion, row: int) -> None:
        """Put one pose of a motion on the armature (its pose bones; no keyframe is set)."""
        align = retarget.alignments(self._limbs, motion.limbs)
        index = {name: i for i, name in enumerate(self._names)}
        wanted = {}
        for j, joint in enumerate(retarget.JOINTS):
            if joint in self.bones:
                bone = index[self.bones[joint]]
                turned = motion.rotations[row, j] @ align.get(joint, np.eye(3))
                wanted[bone] = turned @ self._rest[bone]
        basis = retarget.local_rotations(self._parents, self._rest, wanted)
        for name, rotation in zip(self._names, basis, strict=True):
            bone = self.armature.pose.bones[name]
            bone.matrix_basis = Matrix(rotation.tolist()).to_4x4()
        self._move_hips(motion.root[row] * self._hip_height)

    def _move_hips(self, offset: NDArray[np.float64]) -> None:
        """Shift the hips by metres in the space where the character faces -Y."""
        hips = self.armature.pose.bones[self.bones["Hips"]]
        to_world = self.armature.matrix_world @ hips.bone.matrix_local
        hips.location = to_world.to_3x3().inverted() @ Vector((self._turn.T @ offset).tolist())

    def joints(self) -> NDArray[np.float64]:
        """``[23, 3]`` world positions of the keypoints in the current pose, metres.

        Call it after the view layer has been updated. A point without a bone is put where its
        parents and the rest of the body suggest (see :func:`_fill`).
        """
        world = self.armature.matrix_world
        known = {
            joint: np.array(world @ self.armature.pose.bones[name].head)
            for joint, name in self.bones.items()
        }
        head = self.armature.pose.bones[self.bones["Head"]] if "Head" in self.bones else None
        return _fill(known, None if head is None else np.array(world @ head.tail))


def _fill(
    known: dict[str, NDArray[np.float64]], head_tail: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Rows of all 23 keypoints; missing trunk points lie evenly between their known neighbours."""
    points = dict(known)
    if "HeadTop_End" not in points and head_tail is not None:
        points["HeadTop_End"] = head_tail
    for name in skeleton.KEYPOINTS:
        if name in points:
            continue
        parent = points[skeleton.KEYPOINTS[skeleton.PARENTS[skeleton.INDEX[name]]]]
        descendants = [n for n in _below(name) if n in points]
        if descendants:
            points[name] = parent + (points[descendants[0]] - parent) / (
                1 + len(_path(name, descendants[0]))
            )
        else:
            points[name] = parent
    return np.stack([points[name] for name in skeleton.KEYPOINTS])


def _below(name: str) -> list[str]:
    row = skeleton.INDEX[name]
    return [skeleton.KEYPOINTS[c] for c in range(row + 1, skeleton.COUNT) if row in _ancestors(c)]


def _path(name: str, descendant: str) -> list[int]:
    row = skeleton.INDEX[name]
    return [a for a in (*_ancestors(skeleton.INDEX[descendant]),) if a >= row]


def _ancestors(row: int) -> Iterator[int]:
    while skeleton.PARENTS[row] >= 0:
        row = skeleton.PARENTS[row]
        yield row
