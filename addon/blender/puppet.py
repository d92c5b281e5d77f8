"""A character as a puppet: any humanoid rig takes poses of motions, on any proportions."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import bpy
import numpy as np
from bpy.types import Object
from mathutils import Matrix
from numpy.typing import ArrayLike, NDArray

from ..core import retarget, skeleton
from ..core.errors import UserError
from ..core.retarget import JOINTS, Motion
from ..core.rotations import about_axis, unit
from ..core.solve import Rig
from ..core.strokes import NO_BONE
from ..core.variation import Proportions
from .armature import is_plain, rig_from_armature
from .characters import hangs_from_bone, mesh_points

FloatArray = NDArray[np.float64]

_ALONG = np.cos(np.radians(25))
"""A bone's axis runs along the limb if it is this near to it; glTF bones need not have one."""

_DIRECTIONS = unit([d for d in itertools.product((-1, 0, 1), repeat=3) if any(d)])
"""26 directions: towards the corners, edges and faces of a cube."""


def turn_to_front(rig: Rig) -> FloatArray:
    """``[3, 3]`` the turn about Z after which the rig's rest pose faces -Y."""
    return retarget.heading(rig.left, np.zeros(3))


class PosedKeypoints:
    """Where an armature's bones have taken the keypoints.

    Points without a bone of their own (see ``Rig.carriers``) ride on the bone above.
    """

    def __init__(self, armature: Object, rig: Rig, joints: FloatArray) -> None:
        """Note where the keypoints ``[23, 3]`` of the rest pose (world space) lie on the bones."""
        self._armature = armature
        carriers = [skeleton.KEYPOINTS[row] for row in rig.carriers]
        self.bones = np.array([rig.mapping[name] for name in carriers])
        self._names = [rig.names[rig.mapping[name]] for name in carriers]
        self._joint_rows = [skeleton.INDEX[joint] for joint in JOINTS]
        self._rest_turns = rig.rest[self.bones[self._joint_rows], :3, :3]
        world = np.array(armature.matrix_world, np.float64)
        rest = [world @ np.array(armature.data.bones[name].matrix_local) for name in self._names]
        homogeneous = np.concatenate([joints, np.ones((skeleton.COUNT, 1))], axis=1)
        self._local = np.linalg.solve(np.array(rest), homogeneous[..., None])

    def _matrices(self) -> FloatArray:
        """``[23, 4, 4]`` the carrying bones in world space, as posed."""
        bones = self._armature.pose.bones
        posed = np.array([bones[name].matrix for name in self._names], np.float64)
        return np.array(self._armature.matrix_world, np.float64) @ posed

    def places(self) -> FloatArray:
        """``[23, 3]`` world positions, metres."""
        return (self._matrices() @ self._local)[:, :3, 0]

    def turns(self) -> FloatArray:
        """``[J, 3, 3]`` rotation of each of ``retarget.JOINTS`` since rest, world space."""
        matrices = self._matrices()[self._joint_rows, :3, :3]
        # Bones are scaled along their axes only, which leaves the columns at right angles.
        axes = matrices / np.linalg.norm(matrices, axis=-2, keepdims=True)
        return axes @ np.swapaxes(self._rest_turns, -1, -2)


@dataclass
class _Rest:
    """A mesh at rest: vertices ``[V, 3]``, and the keypoint row ``[V]`` each of them follows."""

    vertices: FloatArray
    bones: NDArray[np.uint8]


class Puppet:
    """A character made ready to take poses of motions, on other proportions if wanted.

    It stands on the ground z = 0, its hips over the origin, and faces -Y at rest, wherever the file
    had it; :meth:`place` moves it. What it looks like depends on the last :meth:`shape`,
    :meth:`place` and :meth:`pose` only, to the last bit, and not on earlier ones.

    Attributes:
        armature: its armature object.
        meshes: its mesh objects, without what it holds in its hands.
        bones: keypoint name -> bone name.
        rest_joints: ``[23, 3]`` metres, the keypoints at rest, on the character's own proportions.
        height: from the lowest to the highest keypoint at rest, as shaped, metres.
        girth: how much thicker than its own flesh is, as shaped, on average.
    """

    def __init__(self, armature: Object, rig: Rig, meshes: Sequence[Object]) -> None:
        """Note the rest pose of a character that faces -Y; see :meth:`prepare`."""
        self.armature = armature
        self.bones = {keypoint: rig.names[row] for keypoint, row in rig.mapping.items()}
        self._rig = rig
        self._origin = np.array(armature.matrix_world, np.float64)
        self._keypoint_of_bone = _keypoints_of_bones(rig)
        self.meshes, held = self._without_held(meshes)
        for obj in held:
            obj.hide_viewport = obj.hide_render = True
        self._rests = {mesh.name: self._read_rest(mesh) for mesh in self.meshes}

        self.rest_joints = self._find_joints()
        self._points = PosedKeypoints(armature, rig, self.rest_joints)
        self._ride = self._points.bones, self._on_bones(self._points.bones, self.rest_joints)
        self._skin = self._find_skin()
        self._limbs = retarget.limb_directions(
            {
                joint: self.rest_joints[skeleton.INDEX[joint]]
                for joint in JOINTS
                if joint in rig.mapping
            }
        )
        self._placement = np.eye(4)
        self._stand = np.eye(4)
        self.shape(None)

    @classmethod
    def prepare(cls, armature: Object, meshes: Sequence[Object] = ()) -> Puppet:
        """Take a character's own animation away, turn it to the front and note its rest pose.

        Args:
            armature: any armature that ``core.rigs`` knows by its bones' names.
            meshes: the meshes that it moves. Those that hang from its hands (games give a figure
                all its weapons at once) are hidden. Without meshes the lowest keypoint stands on
                the ground instead of the soles.

        Raises:
            UserError: it lacks a humanoid's bones, is posed by controls, or is flattened or
                mirrored by its scale.
        """
        if not is_plain(armature, rig_from_armature(armature)):  # before anything is changed
            raise UserError(
                f"“{armature.name}” has controls or feet of their own; export its deforming bones "
                "as one skeleton."
            )
        armature.animation_data_clear()
        armature.data.pose_position = "POSE"
        for bone in armature.data.bones:
            bone.use_inherit_rotation = bone.use_local_location = True
            # A child keeps its own thickness: what would otherwise shear at every bent joint.
            bone.inherit_scale = "NONE"
        for bone in armature.pose.bones:
            while bone.constraints:
                bone.constraints.remove(bone.constraints[0])
            bone.rotation_mode = "QUATERNION"
            bone.matrix_basis.identity()
        bpy.context.view_layer.update()
        for mesh in meshes:
            if not _is_within(mesh, armature):
                world = mesh.matrix_world.copy()
                mesh.parent = armature
                mesh.matrix_world = world
        turn = np.eye(4)
        turn[:3, :3] = turn_to_front(rig_from_armature(armature))
        armature.matrix_world = Matrix(turn.tolist()) @ armature.matrix_world
        bpy.context.view_layer.update()
        return cls(armature, rig_from_armature(armature), meshes)

    def shape(self, proportions: Proportions | None) -> None:
        """Give the figure other proportions, or its own again; seen from the next pose on.

        Bones are scaled along and across the limb. Bones without a keypoint (fingers, hair) scale
        as the bone that carries them.
        """
        scales = np.ones((len(self._rig.names), 3))
        if proportions is not None:
            proportions = proportions.suited(self.rest_joints)
            for row in range(len(scales)):
                scales[row] = self._bone_scale(row, proportions)
        self._scales = scales
        self.girth = (
            1.0 if proportions is None else float(np.mean(list(proportions.girth.values())))
        )
        rest = self._bones(np.tile(np.eye(3), (len(scales), 1, 1)), scales)
        joints = _carried(rest, *self._ride)
        self.height = float(np.ptp(joints[:, 2]))
        ground = _carried(rest, *self._skin)[:, 2].min()
        self._hip_height = float(joints[skeleton.INDEX["Hips"], 2] - ground)

    def _bone_scale(self, row: int, proportions: Proportions) -> FloatArray:
        """Scale ``[3]`` of a bone along its own axes."""
        keypoint = self._keypoint_of_bone[row]
        if keypoint == NO_BONE:
            return np.ones(3)
        name = skeleton.KEYPOINTS[keypoint]
        length, girth = proportions.length[name], proportions.girth[name]
        carrier = self._rig.mapping[name]
        axes = self._rig.rest[carrier, :3, :3]
        ends = [c for c, parent in enumerate(skeleton.PARENTS) if parent == keypoint]
        along = unit(self.rest_joints[ends[0]] - self.rest_joints[keypoint]) if ends else axes[:, 1]
        local = np.abs(along @ axes)
        if local.max() < _ALONG:  # no axis to stretch: the length decides
            return np.full(3, length)
        scale = np.full(3, girth)
        scale[int(np.argmax(local))] = length
        if row == carrier:
            return scale
        # How much longer the carrier's stretch makes this bone's own axes.
        stretch = axes @ (scale[:, None] * axes.T)
        return np.linalg.norm(stretch @ self._rig.rest[row, :3, :3], axis=0)

    def pose(
        self, motion: Motion, row: int, limb_scales: Mapping[str, float] | None = None
    ) -> None:
        """Put one pose of a motion on the armature (its pose bones; no keyframe is set).

        The hips stay where :meth:`place` has them; the lowest part of the body is as far above the
        ground as in the motion, in hip heights. Update the view layer before reading anything back.

        Args:
            motion: from any rig.
            row: which of its poses.
            limb_scales: joint name -> how much larger its bone is drawn than its parent's; what
                hangs from a bone grows with it (see ``variation.limb_scales``).
        """
        rig = self._rig
        align = retarget.alignments(self._limbs, motion.limbs)
        wanted = {}
        for j, joint in enumerate(JOINTS):
            if joint in rig.mapping:
                bone = rig.mapping[joint]
                turned = motion.rotations[row, j] @ align.get(joint, np.eye(3))
                wanted[bone] = turned @ rig.rest[bone, :3, :3]
        basis = retarget.local_rotations(rig.parents, rig.rest[:, :3, :3], wanted)
        scales = self._scales * self._enlarged(limb_scales or {})[:, None]
        matrices = self._bones(basis, scales)
        hips = _carried(matrices, *self._ride)[skeleton.INDEX["Hips"]]
        above = motion.root[row, 2] * self._hip_height
        low = _carried(matrices, *self._skin)[:, 2].min()
        for name, rotation, scale in zip(rig.names, basis, scales, strict=True):
            bone = self.armature.pose.bones[name]
            bone.location = (0.0, 0.0, 0.0)
            bone.rotation_quaternion = Matrix(rotation.tolist()).to_quaternion()
            bone.scale = scale.tolist()
        self._stand = np.eye(4)
        self._stand[:3, 3] = -hips[0], -hips[1], above - low
        self._move()

    def place(self, offset: ArrayLike = (0.0, 0.0), heading: float = 0.0) -> None:
        """Move the whole figure over the ground; later poses stay there.

        Args:
            offset: ``[2]`` metres, where the hips stand.
            heading: radians about Z; at 0 the figure faces -Y.
        """
        self._placement = np.eye(4)
        self._placement[:3, :3] = about_axis(2, heading)
        self._placement[:2, 3] = offset
        self._move()

    def _move(self) -> None:
        # The object is moved, not the hips: they may be connected to a root bone and stay put.
        matrix = self._placement @ self._stand @ self._origin
        self.armature.matrix_world = Matrix(matrix.tolist())

    def _enlarged(self, limb_scales: Mapping[str, float]) -> FloatArray:
        """Each bone's factor ``[N]``: its keypoint's and those of all keypoints above."""
        factors = np.ones(skeleton.COUNT)
        for row, (name, parent) in enumerate(
            zip(skeleton.KEYPOINTS, skeleton.PARENTS, strict=True)
        ):
            above = factors[parent] if parent >= 0 else 1.0
            factors[row] = above * limb_scales.get(name, 1.0)
        rows = self._keypoint_of_bone
        return np.where(rows == NO_BONE, 1.0, factors[np.where(rows == NO_BONE, 0, rows)])

    def _bones(self, basis: FloatArray, scales: FloatArray) -> FloatArray:
        """``[N, 4, 4]`` where a pose takes the bones, before the figure is put on the ground."""
        return retarget.posed_bones(self._rig.parents, self._rig.rest, basis, scales)

    def _on_bones(self, bones: NDArray[np.int64], points: FloatArray) -> FloatArray:
        """Rest points ``[K, 3]`` in the axes of one bone each ``[K]``, metres."""
        rest = self._rig.rest[bones]
        return np.einsum("kji,kj->ki", rest[:, :3, :3], points - rest[:, :3, 3])

    def _find_skin(self) -> tuple[NDArray[np.int64], FloatArray]:
        """The skin's outermost points, as bone and place on it; without meshes, the keypoints.

        What touches the ground is among them, however the body lies.
        """
        bones, points = [], []
        for keypoint in range(skeleton.COUNT):
            skin = [
                rest.vertices[rest.bones == keypoint]
                for mesh, rest in zip(self.meshes, self._rests.values(), strict=True)
                if not hangs_from_bone(mesh, self.armature)
            ]
            vertices = np.concatenate([np.zeros((0, 3)), *skin])
            if len(vertices):
                bones.append(np.full(len(_DIRECTIONS), self._points.bones[keypoint]))
                points.append(vertices[np.argmax(_DIRECTIONS @ vertices.T, axis=1)])
        if not points:
            return self._ride
        every = np.concatenate(bones)
        return every, self._on_bones(every, np.concatenate(points))

    def joints(self) -> FloatArray:
        """``[23, 3]`` world positions of the keypoints as posed, metres.

        Call it after the view layer has been updated. A point without a bone rides on the bone that
        carries it: missing joints inside the body lie between their neighbours, a missing top of
        the head is the crown of what the head moves.
        """
        return self._points.places()

    def turns(self) -> FloatArray:
        """``[J, 3, 3]`` global rotation of each of ``retarget.JOINTS`` as posed, world space.

        Since the character's own rest pose facing -Y, whatever its arms do there (T or A): a
        point of the rest pose relative to its joint, turned by it, is where the pose has it. A
        joint without a bone turns with the bone that carries it.
        """
        return self._points.turns()

    def vertex_bones(self, mesh: Object) -> NDArray[np.uint8]:
        """``[V]`` keypoint row of the bone that moves each vertex most, or ``strokes.NO_BONE``.

        Of a bone without a keypoint (a finger), it is the nearest one above (the hand). The head's
        top counts as head. Vertices are those of the evaluated mesh.
        """
        return self._rests[mesh.name].bones

    def rest_vertices(self, mesh: Object) -> FloatArray:
        """``[V, 3]`` metres: the evaluated mesh's vertices in the rest pose of ``rest_joints``."""
        return self._rests[mesh.name].vertices

    def _without_held(self, meshes: Sequence[Object]) -> tuple[list[Object], list[Object]]:
        hands = {skeleton.INDEX["LeftHand"], skeleton.INDEX["RightHand"]}
        held = [
            mesh
            for mesh in meshes
            if hangs_from_bone(mesh, self.armature) and self._carrier(mesh.parent_bone) in hands
        ]
        return [mesh for mesh in meshes if mesh not in held], held

    def _carrier(self, bone: str) -> int:
        """Row of the keypoint that carries a bone, or :data:`strokes.NO_BONE`."""
        rows = {
            name: int(k) for name, k in zip(self._rig.names, self._keypoint_of_bone, strict=True)
        }
        return rows.get(bone, NO_BONE)

    def _read_rest(self, mesh: Object) -> _Rest:
        """Read a mesh while the armature is at rest."""
        vertices = mesh_points(mesh)
        data = mesh.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
        if hangs_from_bone(mesh, self.armature):
            bones = np.full(len(vertices), self._carrier(mesh.parent_bone), np.uint8)
            return _Rest(vertices, bones)
        row = {name: i for i, name in enumerate(self._rig.names)}
        group_rows = {group.index: row.get(group.name) for group in mesh.vertex_groups}
        bones = np.full(len(vertices), NO_BONE, np.uint8)
        for i, vertex in enumerate(data.vertices):
            weights: dict[int, float] = {}  # of each keypoint; fingers add to their hand
            for element in vertex.groups:
                bone = group_rows.get(element.group)
                if bone is not None and element.weight > 0:
                    keypoint = int(self._keypoint_of_bone[bone])
                    weights[keypoint] = weights.get(keypoint, 0.0) + element.weight
            if weights:
                bones[i] = max(sorted(weights), key=lambda keypoint: weights[keypoint])
        return _Rest(vertices, bones)

    def _find_joints(self) -> FloatArray:
        """The keypoints ``[23, 3]`` at rest; a missing top of the head is the mesh's crown."""
        joints = self._rig.joints.copy()
        if "HeadTop_End" in self._rig.mapping or "Head" not in self._rig.mapping:
            return joints
        head = skeleton.INDEX["Head"]
        skull = [r.vertices[r.bones == head] for r in self._rests.values()]
        points = np.concatenate([np.zeros((0, 3)), *skull])
        if len(points):
            joints[skeleton.INDEX["HeadTop_End"]] = _crown(points, joints[head])
        return joints


def _carried(matrices: FloatArray, bones: NDArray[np.int64], points: FloatArray) -> FloatArray:
    """``[K, 3]`` points on bones ``[K]``, in the frame of the bones' matrices ``[N, 4, 4]``."""
    carriers = matrices[bones]
    return carriers[:, :3, 3] + np.einsum("kij,kj->ki", carriers[:, :3, :3], points)


def _crown(points: FloatArray, joint: FloatArray) -> FloatArray:
    """The top ``[3]`` of a head: straight above its joint, as high as the skull in its middle.

    Horns, ears and the brim of a hat stand away from the middle and do not count.

    Args:
        points: ``[N, 3]`` vertices that the head moves, metres.
        joint: ``[3]`` where the head turns.
    """
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    from_middle = np.abs(points[:, :2] - (low + high) / 2) / np.maximum(high - low, 1e-9)
    middle = points[(from_middle < 0.25).all(axis=1)]
    top = (middle if len(middle) else points)[:, 2].max()
    return np.array([joint[0], joint[1], top])


def _keypoints_of_bones(rig: Rig) -> NDArray[np.uint8]:
    """``[N]`` row of the keypoint whose bone is the nearest one upwards, or ``NO_BONE``."""
    own = {bone: skeleton.INDEX[name] for name, bone in rig.mapping.items()}
    result = np.full(len(rig.names), NO_BONE, np.uint8)
    for row, parent in enumerate(rig.parents):  # parents come first
        result[row] = own.get(row, result[parent] if parent >= 0 else NO_BONE)
    top, head = skeleton.INDEX["HeadTop_End"], skeleton.INDEX["Head"]
    return np.where(result == top, np.uint8(head), result)


def _is_within(obj: Object, armature: Object) -> bool:
    """Whether an object moves along when the armature object does."""
    parent: Object | None = obj
    while parent is not None and parent != armature:
        parent = parent.parent
    return parent == armature
