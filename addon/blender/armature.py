"""Blender's armatures as the solver sees them, and its solutions as poses and keyframes."""

from __future__ import annotations

from collections.abc import Collection

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ..core.errors import UserError
from ..core.solve import Rig, Solution, pose_matrices

FloatArray = NDArray[np.float64]


def rig_from_armature(armature: bpy.types.Object) -> Rig:
    """Read an armature's rest pose.

    Args:
        armature: an armature object; its transform must be up to date (``view_layer.update()``).

    Returns:
        The rig, in world space: metres, the object's transform applied and its scale taken out of
        the bones' axes, parents before children.

    Raises:
        UserError: the object is no armature, is flattened or mirrored by its scale, or lacks limbs.
    """
    if armature.type != "ARMATURE":
        raise UserError(f"“{armature.name}” is not an armature; choose an armature.")
    to_world = np.array(armature.matrix_world, np.float64)
    if not np.linalg.det(to_world[:3, :3]) > 0:
        raise UserError(
            f"“{armature.name}” has a zero or negative scale; apply its scale (Ctrl+A) first."
        )
    bones = sorted(armature.data.bones, key=lambda bone: len(bone.parent_recursive))
    names = [bone.name for bone in bones]
    index = {name: i for i, name in enumerate(names)}
    parents = np.array([index[bone.parent.name] if bone.parent else -1 for bone in bones], int)
    rest = np.array(
        [_without_scale(to_world @ np.array(bone.matrix_local, np.float64)) for bone in bones]
    )
    lengths = [bone.length * _mean_scale(to_world) for bone in bones]
    return Rig.from_bones(names, parents, rest.reshape(-1, 4, 4), lengths)


def apply_solution(
    armature: bpy.types.Object,
    rig: Rig,
    solution: Solution,
    keyframe: bool,
    only: Collection[int] | None = None,
) -> None:
    """Put a solved pose on an armature.

    Posed are the bones that the solver knows and everything between them and the root, which must
    be at rest for the solution to hold. Fingers, hair, skirts and the face stay as the animator
    left them.

    Args:
        armature: the object from which ``rig`` was read.
        rig: its rig.
        solution: the pose.
        keyframe: also insert keyframes at the current frame, into the armature's action (a new one
            where it has none).
        only: rows of the rig's bones that may change; the others stay as the animator left them.
    """
    to_world = np.array(armature.matrix_world, np.float64)
    wanted = np.linalg.inv(_without_scale(to_world)) @ pose_matrices(rig, solution)
    wanted[:, :3, 3] /= _mean_scale(to_world)
    hips = rig.mapping["Hips"]
    if armature.data.pose_position != "POSE":  # an override's data may be linked and read-only
        armature.data.pose_position = "POSE"
    for i in posed_bones(rig) if only is None else sorted(only):
        pose_bone = armature.pose.bones[rig.names[i]]
        bone = pose_bone.bone
        inherited = {}
        if (parent := rig.parents[i]) >= 0:
            inherited = {
                "parent_matrix": Matrix(wanted[parent].tolist()),
                "parent_matrix_local": bone.parent.matrix_local,
            }
        # Blender's own conversion knows the bone's inheritance options.
        basis = bone.convert_local_to_pose(
            Matrix(wanted[i].tolist()), bone.matrix_local, invert=True, **inherited
        )
        _set_rotation(pose_bone, basis)
        pose_bone.location = basis.translation if i == hips else (0.0, 0.0, 0.0)
        pose_bone.scale = (1.0, 1.0, 1.0)
        if keyframe:
            pose_bone.keyframe_insert(rotation_path(pose_bone), group=pose_bone.name)
            if i == hips:
                pose_bone.keyframe_insert("location", group=pose_bone.name)


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

    Without the second part an animation between two keyframes could go the long way round.
    """
    rotation = basis.to_quaternion()
    match pose_bone.rotation_mode:
        case "QUATERNION":
            rotation.make_compatible(pose_bone.rotation_quaternion)
            pose_bone.rotation_quaternion = rotation
        case "AXIS_ANGLE":
            axis, angle = rotation.to_axis_angle()
            pose_bone.rotation_axis_angle = (angle, *axis)
        case order:
            pose_bone.rotation_euler = rotation.to_euler(order, pose_bone.rotation_euler)


def posed_bones(rig: Rig) -> list[int]:
    """The bones of the mapping and all their ancestors, parents first."""
    posed: set[int] = set()
    for i in rig.mapping.values():
        while i >= 0 and i not in posed:
            posed.add(i)
            i = int(rig.parents[i])
    return sorted(posed)


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
