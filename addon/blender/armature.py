"""Blender's armatures as the solver sees them, and its solutions as poses and keyframes.

Bones are turned directly, or by the controls of a rig that has them (see ``core.rig_names``).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from math import isfinite

import bpy
import numpy as np
from mathutils import Euler, Matrix, Quaternion, Vector
from numpy.typing import NDArray

from ..core import rigs
from ..core.errors import UserError
from ..core.rig_names import Controls
from ..core.solve import Rig, Solution, pose_matrices
from . import notes

FloatArray = NDArray[np.float64]

_ENDLESS = 1e4
"""Radians, and parts of a quaternion, that nobody has set on purpose."""

_CLOSE = 1e-5
"""By how much two transforms may differ, as rounding makes them."""

_ROUNDS = 5
"""How often the controls of a limb are turned again at most: it has four, each needs its parent."""

_ASTRAY = np.cos(np.radians(5))
"""Cosine of the angle by which a bone may miss its direction before the user hears of it."""


def rig_from_armature(armature: bpy.types.Object) -> Rig:
    """Read an armature's rest pose.

    Args:
        armature: an armature object; its transform must be up to date (``view_layer.update()``).

    Returns:
        The rig, in world space: metres, the object's transform applied and its scale taken out of
        the bones' axes, parents before children. A keypoint's bone that hangs elsewhere has the
        bone of the keypoint above for a parent. Of a rig with controls only the keypoints' bones
        are there, which follow the controls.

    Raises:
        UserError: the object is no armature, is flattened or mirrored by its scale, or lacks limbs,
            or the bones that its user has chosen are not there any more.
    """
    if armature.type != "ARMATURE":
        raise UserError(f"“{armature.name}” is not an armature; choose an armature.")
    to_world = np.array(armature.matrix_world, np.float64)
    if not np.linalg.det(to_world[:3, :3]) > 0:
        raise UserError(
            f"“{armature.name}” has a zero or negative scale; apply its scale (Ctrl+A) first."
        )
    bones, parents, mapping = _tree(armature)
    rest = np.array(
        [_without_scale(to_world @ np.array(bone.matrix_local, np.float64)) for bone in bones]
    )
    if not np.isfinite(rest).all():
        raise UserError(
            f"“{armature.name}” has a place or bones that are not numbers; put them right first."
        )
    lengths = np.array([bone.length * _mean_scale(to_world) for bone in bones])
    return Rig([bone.name for bone in bones], parents, rest, lengths, mapping)


def _tree(
    armature: bpy.types.Object,
) -> tuple[list[bpy.types.Bone], NDArray[np.int64], dict[str, int]]:
    """An armature's bones, the row of the one that carries each, and those of the keypoints."""
    bones = list(armature.data.bones)
    names, parents = _hierarchy(armature)
    matched = matched_bones(armature)
    rigs.require_limbs(matched)
    mapping = {keypoint: names.index(name) for keypoint, name in matched.items()}
    carriers = rigs.carried_by(mapping, parents)
    # Between the bones of a controlled rig is its machinery, which no tree describes.
    kept = set(mapping.values()) if rigs.kind_of(names) else set(range(len(bones)))

    def line(bone: int) -> list[int]:
        """The bone and those that carry it, outermost first."""
        return [bone, *(line(carriers[bone]) if carriers[bone] >= 0 else ())]

    lines = sorted(([b for b in line(i) if b in kept] for i in sorted(kept)), key=len)
    place = {line[0]: i for i, line in enumerate(lines)}
    up = np.array([place[line[1]] if len(line) > 1 else -1 for line in lines], np.int64)
    return [bones[line[0]] for line in lines], up, {k: place[i] for k, i in mapping.items()}


def _ends(armature: bpy.types.Object) -> FloatArray:
    """Heads and tails ``[N, 2, 3]`` of the bones at rest, in the armature's own space."""
    bones = armature.data.bones
    ends = np.empty((2, 3 * len(bones)), np.float32)
    bones.foreach_get("head_local", ends[0])
    bones.foreach_get("tail_local", ends[1])
    return ends.reshape(2, -1, 3).swapaxes(0, 1).astype(np.float64)


def matched_bones(armature: bpy.types.Object) -> dict[str, str]:
    """The bone of each keypoint, as its user has chosen or as found: keypoint name -> bone name.

    Raises:
        UserError: chosen bones are not there any more, or no humanoid is found.
    """
    names, parents = _hierarchy(armature)
    if chosen := chosen_bones(armature):
        return rigs.check(chosen, names, parents)
    return rigs.match(names, parents, _ends(armature))


def rig_kind(armature: bpy.types.Object) -> str:
    """Whose bones they are: a kind of rig by its usual name, or how else they have been found.

    Raises:
        UserError: no humanoid is found.
    """
    if chosen_bones(armature):
        return "Chosen by Hand"
    names, parents = _hierarchy(armature)
    return rigs.recognise(names, parents, _ends(armature))[0] or "Found by Shape"


def bone_table(armature: bpy.types.Object) -> tuple[dict[str, str], str]:
    """What of :func:`matched_bones` there is, and one sentence about what is wrong; "" for nothing.

    Chosen bones that are not there any more are left out, so that others can be chosen.
    """
    try:
        bones = matched_bones(armature)
        rigs.require_limbs(bones)
    except UserError as error:
        there = armature.data.bones
        return {k: name for k, name in chosen_bones(armature).items() if name in there}, str(error)
    return bones, ""


def _hierarchy(armature: bpy.types.Object) -> tuple[list[str], list[int]]:
    """The bones' names, and the row of each one's parent, -1 for roots."""
    bones = armature.data.bones
    row = {bone.name: i for i, bone in enumerate(bones)}
    return list(row), [row[bone.parent.name] if bone.parent else -1 for bone in bones]


def chosen_bones(armature: bpy.types.Object) -> dict[str, str]:
    """What the user has chosen by hand, as :func:`matched_bones`; empty where nothing."""
    try:
        bones = json.loads(notes.kept(armature, notes.BONES) or "{}")
    except ValueError:
        return {}
    return {str(k): str(v) for k, v in bones.items()} if isinstance(bones, dict) else {}


def choose_bones(armature: bpy.types.Object, bones: Mapping[str, str]) -> None:
    """Keep the bones that the user has chosen with the armature; it is saved with them.

    Args:
        armature: the armature object.
        bones: keypoint name -> bone name, of all keypoints that have one; empty to match anew.

    Raises:
        UserError: the armature cannot be posed with these bones.
    """
    text = json.dumps(rigs.check(bones, *_hierarchy(armature))) if bones else ""
    notes.keep(armature, notes.BONES, text)


def is_plain(armature: bpy.types.Object, rig: Rig) -> bool:
    """Whether turning its bones is all it takes to pose a rig: no controls, no loose bones."""
    return rigs.kind_of(armature.pose.bones.keys()) is None and not _loose(armature, rig)


def bones_of(armature: bpy.types.Object, rig: Rig, joints: Collection[str]) -> set[str]:
    """Names of the pose bones that start at keypoints, or of the controls that turn those.

    With a leg goes what places the hips: they rise or sink so that the figure stays on the ground.
    """
    controls = rigs.controls_of(armature.pose.bones.keys())
    if controls:
        names = {name for name, keypoint in controls.turns if keypoint in joints}
    else:
        names = {rig.names[rig.mapping[joint]] for joint in joints if joint in rig.mapping}
    return names | placed_bones(armature, rig) if has_leg(joints) else names


def has_leg(names: Iterable[str]) -> bool:
    """Whether a leg is among limbs or joints."""
    return any(name.endswith(("Leg", "Foot")) for name in names)


def apply_solution(
    armature: bpy.types.Object,
    rig: Rig,
    solution: Solution,
    among: Collection[str] | None = None,
) -> str:
    """Put a solved pose on an armature.

    Posed are the bones that the solver knows and everything between them and the root, which must
    be at rest for the solution to hold; or the controls of a rig that has them, whose limbs are
    switched to forward kinematics. Fingers, hair, skirts and the face stay as the animator left
    them, and so do locked channels.

    Args:
        armature: the object from which ``rig`` was read.
        rig: its rig.
        solution: the pose.
        among: names of the pose bones of which the user wants to hear; None for all.

    Returns:
        One sentence about bones that constraints, drivers or locks keep from the pose; "" for none.
    """
    wanted = _in_armature_space(armature, pose_matrices(rig, solution))
    if armature.data.pose_position != "POSE":  # an override's data may be linked and read-only
        armature.data.pose_position = "POSE"
    controls = rigs.controls_of(armature.pose.bones.keys())
    if controls:
        _turn_controls(armature, rig, wanted, controls)
    else:
        _turn_bones(armature, rig, wanted, solution)
    return _astray(armature, rig, wanted, among)


def _in_armature_space(armature: bpy.types.Object, matrices: FloatArray) -> FloatArray:
    """World matrices ``[N, 4, 4]`` as those of Blender's pose bones."""
    to_world = np.array(armature.matrix_world, np.float64)
    result = np.linalg.inv(_without_scale(to_world)) @ matrices
    result[:, :3, 3] /= _mean_scale(to_world)
    return result


def _turn_bones(
    armature: bpy.types.Object, rig: Rig, wanted: FloatArray, solution: Solution
) -> None:
    """Pose bones one by one, parents first; each is told where its parent will be."""
    bones = pose_bones(armature, rig)
    row = {name: i for i, name in enumerate(rig.names)}
    mover, placed = _mover(armature, rig), placed_bones(armature, rig)
    hips = armature.pose.bones[rig.names[rig.mapping["Hips"]]]
    # A bone above the hips moves in their place where they are connected to it.
    to_world = np.array(armature.matrix_world, np.float64)
    step = np.linalg.solve(_without_scale(to_world)[:3, :3], solution.hips_translation)
    step /= _mean_scale(to_world)
    wanted = wanted.copy()
    for bone in hips.parent_recursive:
        if bone == mover or mover in bone.parent_recursive:
            wanted[row[bone.name], :3, 3] += step
    if solution.stretch is not None:
        wanted[:, :3, 1] *= solution.stretch[:, None]
    for pose_bone in bones:
        i = row[pose_bone.name]
        parent = wanted[row[pose_bone.parent.name]] if pose_bone.parent else None
        basis, scale = _basis(pose_bone, wanted[i], parent), Vector((1.0, 1.0, 1.0))
        if solution.stretch is not None:
            basis, scale = _without_shear(basis)
        _set_rotation(pose_bone, basis)
        at_rest = pose_bone.name not in placed
        _set_location(pose_bone, Vector() if at_rest else basis.translation)
        _set_scale(pose_bone, scale)
        if solution.stretch is not None:  # children inherit what has become of it
            wanted[i] = np.array(_convert(pose_bone, pose_bone.matrix_basis, parent))


def _turn_controls(
    armature: bpy.types.Object, rig: Rig, wanted: FloatArray, controls: Controls
) -> None:
    """Turn controls until the bones that follow them lie as wanted.

    What a control does to a bone is left to Blender. But evaluating a rig of hundreds of bones
    after each control would take long, so what hangs from a control is expected to go along with
    it, and the evaluated pose tells in the end whether it did; else the limbs are turned again.
    What lies as wanted is not touched.
    """
    bones = armature.pose.bones
    for name, switch, value, _ in controls.switches:
        if switch in bones[name]:
            bones[name][switch] = type(bones[name][switch])(value)
    for name, _ in controls.rest:
        _set_rotation(bones[name], Matrix())
        _set_location(bones[name], Vector())
    turns = [turn for turn in controls.turns if turn[1] in rig.mapping]
    mover, hips = _mover(armature, rig).name, rig.names[rig.mapping["Hips"]]
    places = _Places(armature, {name: rig.names[rig.mapping[k]] for name, k in turns})

    def turn(name: str, keypoint: str) -> None:
        row = rig.mapping[keypoint]
        now, control = _without_scale(places[rig.names[row]]), places[name].copy()
        missing = wanted[row, :3, :3] @ now[:3, :3].T
        if _is_close(missing, np.eye(3)):
            return
        control[:3, :3] = missing @ control[:3, :3]
        before = bones[name].matrix_basis.copy()
        _set_rotation(bones[name], _basis(bones[name], control, places.parent(name)))
        places.follow(name, before)

    first = 0  # of the controls that have been turned since the pose was evaluated
    for i, (name, keypoint) in enumerate(turns):
        if name in controls.partial:
            places.look()
            first = i
        turn(name, keypoint)
    for _ in range(_ROUNDS):
        place = wanted[rig.mapping["Hips"], :3, 3]
        if not _is_close(places[hips][:3, 3], place):
            matrix = places[mover].copy()
            matrix[:3, 3] += place - places[hips][:3, 3]
            basis = _basis(bones[mover], matrix, places.parent(mover))
            before = bones[mover].matrix_basis.copy()
            _set_location(bones[mover], basis.translation)
            places.follow(mover, before)
        if places.look(hips, *(name for name, _ in turns[first:])):
            break
        for name, keypoint in turns[first:]:
            turn(name, keypoint)


class _Places:
    """Where controls, and the bones that follow them, are or will be, armature space."""

    def __init__(self, armature: bpy.types.Object, followers: Mapping[str, str]) -> None:
        """Look where they are.

        Args:
            armature: the armature.
            followers: control -> the bone that follows it, parents first; a bone with several
                goes along with the last one.
        """
        self._bones = armature.pose.bones
        self._followers = followers
        lines: dict[str, set[str]] = {}
        for name, follower in followers.items():
            above = [bone.name for bone in self._bones[name].parent_recursive]
            line = {*above}.union(*(lines[up] for up in above if up in lines))
            lines |= {up: line for up in above[:1]}
            lines |= {name: {name, *line}, follower: {name, *line}}
        self._row = {name: i for i, name in enumerate(lines)}
        self._carried = {
            name: np.array([name in line for line in lines.values()]) for name in followers
        }
        self._matrices = np.empty((len(lines), 4, 4))
        self._has_moved = True
        self.look()

    def look(self, *names: str) -> bool:
        """Evaluate the pose; whether some controls and what follows them are where expected."""
        if not self._has_moved:
            return True
        bpy.context.view_layer.update()
        before = self._matrices
        self._matrices = np.array([self._bones[name].matrix for name in self._row], np.float64)
        self._has_moved = False
        rows = [self._row[n] for name in names for n in (name, self._followers.get(name, name))]
        return _is_close(self._matrices[rows], before[rows])

    def __getitem__(self, name: str) -> FloatArray:
        """Where a bone is expected, ``[4, 4]``."""
        return self._matrices[self._row[name]]

    def parent(self, name: str) -> FloatArray | None:
        """Where the parent of a control is expected, ``[4, 4]``; None for a root."""
        parent = self._bones[name].parent
        return self[parent.name] if parent else None

    def follow(self, name: str, before: Matrix) -> None:
        """Expect that a control, whose channels have changed, takes along what hangs from it.

        It is not where its channels say if a constraint holds it; so what counts is by how much
        they have changed since its own transform was ``before``.
        """
        bone, carried, parent = self._bones[name], self._carried[name], self.parent(name)
        then, now = (_convert(bone, basis, parent) for basis in (before, bone.matrix_basis))
        step = np.array(now @ then.inverted_safe(), np.float64)
        if _is_close(step, np.eye(4)):
            return
        self._has_moved = True
        self._matrices[carried] = step @ self._matrices[carried]


def _is_close(one: FloatArray, other: FloatArray) -> bool:
    """Whether two arrays differ as rounding makes them at most; NaN is never close."""
    return bool((np.abs(one - other) < _CLOSE * (1 + np.abs(other))).all())


def _basis(pose_bone: bpy.types.PoseBone, matrix: FloatArray, parent: FloatArray | None) -> Matrix:
    """A bone's own transform that takes it to ``matrix [4, 4]``, its parent being at ``parent``."""
    return _convert(pose_bone, Matrix(matrix.tolist()), parent, invert=True)


def _convert(
    pose_bone: bpy.types.PoseBone, matrix: Matrix, parent: FloatArray | None, invert: bool = False
) -> Matrix:
    """From a bone's own transform to its place, its parent being at ``parent [4, 4]``, or back.

    Blender's own conversion knows the bone's inheritance options.
    """
    bone, inherited = pose_bone.bone, {}
    if parent is not None:
        inherited = {
            "parent_matrix": Matrix(parent.tolist()),
            "parent_matrix_local": bone.parent.matrix_local,
        }
    return bone.convert_local_to_pose(matrix, bone.matrix_local, invert=invert, **inherited)


def _without_shear(basis: Matrix) -> tuple[Matrix, Vector]:
    """A transform as rotation and scale, its axis Y kept; a bone has no channels for more.

    A bone that inherits the stretch of a bent limb would need them to be quite itself again.
    """
    matrix = np.array(basis, np.float64)
    turn = _without_scale(matrix)
    scale = (turn[:3, :3] * matrix[:3, :3]).sum(axis=0)
    return Matrix(turn.tolist()), Vector(scale.tolist())


def _astray(
    armature: bpy.types.Object, rig: Rig, wanted: FloatArray, among: Collection[str] | None
) -> str:
    """One sentence about bones that are kept from their wanted place, and by what; "" for none."""
    controlled = rigs.kind_of(armature.pose.bones.keys())
    driven = _driven(armature)
    held = {b.name: reason for b in pose_bones(armature, rig) if (reason := _holding(b, driven))}
    if not held and not controlled:
        return ""
    bpy.context.view_layer.update()
    astray: list[str] = []
    for row in _rows_of(armature, rig, among):
        now = _without_scale(np.array(armature.pose.bones[rig.names[row]].matrix, np.float64))
        if now[:3, 1] @ wanted[row, :3, 1] < _ASTRAY:
            astray.append(rig.names[row])
    if not astray:
        return ""
    # What holds a bone may sit on another one, such as the end of a chain of inverse kinematics.
    names = [name for name in astray if name in held] or list(held) or astray
    reasons = " and ".join(sorted({held[name] for name in names if name in held}))
    shown = ", ".join(f"“{name}”" for name in names[:3])
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"Not all follows the drawing: {reasons or 'other bones'} hold {shown}{more}."


def _rows_of(armature: bpy.types.Object, rig: Rig, among: Collection[str] | None) -> list[int]:
    """The keypoints' bones that are among some pose bones, or turned by controls among them."""
    if among is None:
        return list(rig.mapping.values())
    if controls := rigs.controls_of(armature.pose.bones.keys()):
        turned = {keypoint for name, keypoint in controls.turns if name in among}
        return [row for keypoint, row in rig.mapping.items() if keypoint in turned]
    return [row for row in rig.mapping.values() if rig.names[row] in among]


def _driven(armature: bpy.types.Object) -> list[str]:
    """The rotations, of bones among others, that drivers turn."""
    drivers = armature.animation_data.drivers if armature.animation_data else ()
    return [path for curve in drivers if ".rotation" in (path := curve.data_path)]


def _holding(bone: bpy.types.PoseBone, driven: Collection[str]) -> str:
    """What may keep a pose bone from turning; "" for nothing."""
    if any(c.influence > 0 and not c.mute for c in bone.constraints):
        return "constraints"
    turned = bone.path_from_id() + ".rotation"
    if any(path.startswith(turned) for path in driven):
        return "drivers"
    return "locked channels" if any(bone.lock_rotation) else ""


def posed_matrices(armature: bpy.types.Object, rig: Rig) -> FloatArray:
    """Where an armature's bones are now, ``[N, 4, 4]`` in world space: metres, orthonormal axes.

    Args:
        armature: the object from which ``rig`` was read; its pose must be up to date
            (``view_layer.update()``).
        rig: its rig.
    """
    to_world = np.array(armature.matrix_world, np.float64)
    bones = (armature.pose.bones[name] for name in rig.names)
    return np.array([_without_scale(to_world @ np.array(bone.matrix)) for bone in bones])


def rotation_path(pose_bone: bpy.types.PoseBone) -> str:
    """The property that holds a pose bone's rotation, by its rotation mode."""
    if pose_bone.rotation_mode == "QUATERNION":
        return "rotation_quaternion"
    return "rotation_axis_angle" if pose_bone.rotation_mode == "AXIS_ANGLE" else "rotation_euler"


def _set_rotation(pose_bone: bpy.types.PoseBone, basis: Matrix) -> None:
    """Rotate a pose bone in its own rotation mode, on the turn nearest to where it was.

    Without the second part an animation between two keyframes could go the long way round. Locked
    axes stay as they are. Where it was no rotation before (NaN, endless), there is no near turn.
    """
    rotation = basis.to_quaternion()
    mode = pose_bone.rotation_mode
    if any(pose_bone.lock_rotation):
        order = mode if mode in _EULER_ORDERS else "XYZ"
        before = _rotation(pose_bone).to_euler(order)
        euler = rotation.to_euler(order, before)
        for axis, locked in enumerate(pose_bone.lock_rotation):
            if locked:
                euler[axis] = before[axis]
        rotation = euler.to_quaternion()
    match mode:
        case "QUATERNION":
            if _is_rotation(pose_bone.rotation_quaternion):
                rotation.make_compatible(pose_bone.rotation_quaternion)
            pose_bone.rotation_quaternion = rotation
        case "AXIS_ANGLE":
            axis, angle = rotation.to_axis_angle()
            pose_bone.rotation_axis_angle = (angle, *axis)
        case order if _is_rotation(pose_bone.rotation_euler):
            pose_bone.rotation_euler = rotation.to_euler(order, pose_bone.rotation_euler)
        case order:
            pose_bone.rotation_euler = rotation.to_euler(order)


def _is_rotation(values: Quaternion | Euler) -> bool:
    """Whether an animator could have meant these angles or this quaternion."""
    return all(abs(value) < _ENDLESS for value in values)  # NaN is not


_EULER_ORDERS = ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")


def _rotation(pose_bone: bpy.types.PoseBone) -> Quaternion:
    """A pose bone's own rotation, whatever its mode."""
    match pose_bone.rotation_mode:
        case "QUATERNION":
            return pose_bone.rotation_quaternion.copy()
        case "AXIS_ANGLE":
            angle, *axis = pose_bone.rotation_axis_angle
            return Quaternion(axis, angle)
        case _:
            return pose_bone.rotation_euler.to_quaternion()


def _set_location(pose_bone: bpy.types.PoseBone, location: Vector) -> None:
    """Move a pose bone; locked axes stay as they are, and so does one whose parents have no place.

    Such are bones below one that is scaled to nothing, or beyond all numbers.
    """
    for axis, locked in enumerate(pose_bone.lock_location):
        if not locked and isfinite(location[axis]):
            pose_bone.location[axis] = location[axis]


def _set_scale(pose_bone: bpy.types.PoseBone, scale: Vector) -> None:
    """Scale a pose bone; locked axes stay as they are."""
    for axis, locked in enumerate(pose_bone.lock_scale):
        if not locked:
            pose_bone.scale[axis] = scale[axis]


def pose_bones(armature: bpy.types.Object, rig: Rig) -> list[bpy.types.PoseBone]:
    """The pose bones that hold a pose, parents first: those of the solver, or their controls."""
    bones = armature.pose.bones
    if controls := rigs.controls_of(armature.pose.bones.keys()):
        turns = dict.fromkeys(name for name, keypoint in controls.turns if keypoint in rig.mapping)
        return [bones[name] for name in (*dict(controls.rest), *turns)]
    posed: dict[str, bpy.types.PoseBone] = {}
    for row in rig.mapping.values():
        bone = bones[rig.names[row]]
        posed |= {b.name: b for b in (bone, *bone.parent_recursive)}
    return sorted(posed.values(), key=lambda bone: len(bone.parent_recursive))


def placed_bones(armature: bpy.types.Object, rig: Rig) -> set[str]:
    """Names of the pose bones that are placed as well: of the hips and of loose feet."""
    loose = set() if rigs.kind_of(armature.pose.bones.keys()) else _loose(armature, rig)
    return {_mover(armature, rig).name, *loose}


def _mover(armature: bpy.types.Object, rig: Rig) -> bpy.types.PoseBone:
    """The bone that places the hips: they themselves, or what they are connected to."""
    if controls := rigs.controls_of(armature.pose.bones.keys()):
        return armature.pose.bones[controls.turns[0][0]]
    mover = armature.pose.bones[rig.names[rig.mapping["Hips"]]]
    while mover.bone.use_connect and mover.parent:
        mover = mover.parent
    return mover


def _loose(armature: bpy.types.Object, rig: Rig) -> set[str]:
    """Names of bones that hang elsewhere than their keypoint, and must be placed."""
    loose = set()
    for row in rig.mapping.values():
        parent, up = armature.data.bones[rig.names[row]].parent, int(rig.parents[row])
        if up >= 0 and (parent is None or parent.name != rig.names[up]):
            loose.add(rig.names[row])
    return loose


def _mean_scale(matrix: FloatArray) -> float:
    """How much larger a transform ``[4, 4]`` makes things, as the mean over its axes."""
    return float(np.cbrt(np.linalg.det(matrix[:3, :3])))


def _without_scale(matrix: FloatArray) -> FloatArray:
    """A transform ``[4, 4]`` with orthonormal axes, its axis Y kept, at the same place."""
    y = matrix[:3, 1] / np.linalg.norm(matrix[:3, 1])
    x = matrix[:3, 0] - (matrix[:3, 0] @ y) * y
    x /= np.linalg.norm(x)
    result = np.eye(4)
    result[:3, :3] = np.column_stack([x, y, np.cross(x, y)])
    result[:3, 3] = matrix[:3, 3]
    return result
