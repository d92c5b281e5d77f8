"""Blender's armatures and the solver's rigs agree, for every kind of armature."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from mathutils import Euler

from addon.blender.armature import apply_solution, rig_from_armature, rotation_path
from addon.blender.characters import import_character
from addon.blender.keyframes import insert_keyframes
from addon.blender.mannequin import add_mannequin
from addon.core import skeleton
from addon.core.camera import look_at
from addon.core.errors import UserError
from addon.core.rotations import from_vector
from addon.core.solve import Rig, Solution, pose_matrices, solve

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
CHARACTERS = [
    "mannequin",
    "mixamo/characters/Big Vegas.fbx",
    "mixamo/characters/Michelle.glb",
    "characters/makehuman/toddler.fbx",
    "characters/vrm/CoolCow.vrm",
    "characters/kaykit/Knight.glb",
    "characters/quaternius/Mannequin_F.glb",
]


def load(character: str) -> bpy.types.Object:
    if character == "mannequin":
        return add_mannequin(bpy.context)
    if not (SHARED / character).exists():
        pytest.skip("the shared characters are not here")
    armature = import_character(SHARED / character).armature
    bpy.context.view_layer.update()
    return armature


def random_solution(rig: Rig, seed: int) -> Solution:
    """Any rotation of the posed bones, as the solver might give it."""
    rng = np.random.default_rng(seed)
    basis = np.tile(np.eye(3), (len(rig.names), 1, 1))
    for row in rig.mapping.values():
        basis[row] = from_vector(rng.normal(0, 0.8, 3))
    joints = np.zeros((skeleton.COUNT, 3))
    camera = look_at((0, -5, 1), (0, 0, 1), size=(100, 100), focal=50, orthographic=True)
    return Solution(basis, rng.normal(0, 0.3, 3), joints, camera, camera.project(joints))


def world_matrices(armature: bpy.types.Object, rig: Rig) -> np.ndarray:
    """``[N, 4, 4]`` where Blender has the posed bones, without scale."""
    bpy.context.view_layer.update()
    result = np.array([armature.matrix_world @ armature.pose.bones[n].matrix for n in rig.names])
    result[:, :3, :3] /= np.linalg.norm(result[:, :3, :3], axis=1, keepdims=True)
    return result


def place_anywhere(armature: bpy.types.Object) -> None:
    """Move, turn and scale the object."""
    armature.location = (1.0, 2.0, 0.5)
    armature.rotation_mode = "XYZ"
    armature.rotation_euler = Euler((0.3, -0.4, 1.5))
    armature.scale *= 1.7
    bpy.context.view_layer.update()


@pytest.mark.parametrize("character", CHARACTERS)
@pytest.mark.parametrize("placed", [False, True])
def test_blender_poses_as_the_solver_means(character: str, placed: bool) -> None:
    armature = load(character)
    if placed:
        place_anywhere(armature)
    rig = rig_from_armature(armature)
    assert len(rig.mapping) >= 18
    np.testing.assert_allclose(np.linalg.det(rig.rest[:, :3, :3]), 1, atol=1e-5)
    solution = random_solution(rig, seed=len(character))
    apply_solution(armature, rig, solution)
    rows = sorted(rig.mapping.values())
    np.testing.assert_allclose(
        world_matrices(armature, rig)[rows], pose_matrices(rig, solution)[rows], atol=2e-4
    )


@pytest.mark.parametrize("mode", ["QUATERNION", "AXIS_ANGLE", "XYZ", "ZYX", "YXZ"])
def test_rotation_modes_stay_and_hold_the_same_pose(mode: str) -> None:
    armature = load("mannequin")
    for bone in armature.pose.bones:
        bone.rotation_mode = mode
    rig = rig_from_armature(armature)
    solution = random_solution(rig, seed=1)
    apply_solution(armature, rig, solution)
    assert {bone.rotation_mode for bone in armature.pose.bones} == {mode}
    np.testing.assert_allclose(
        world_matrices(armature, rig), pose_matrices(rig, solution), atol=1e-4
    )


def test_turns_take_the_short_way() -> None:
    armature = load("mannequin")
    rig = rig_from_armature(armature)
    elbow = armature.pose.bones["mixamorig:LeftForeArm"]
    for mode, previous in (("QUATERNION", (-1, 0, 0, 0)), ("XYZ", (6.2, 0, 0))):
        elbow.rotation_mode = mode
        setattr(elbow, rotation_path(elbow), previous)
        solution = random_solution(rig, seed=2)
        solution.basis[rig.names.index(elbow.name)] = from_vector((0.2, 0, 0))
        apply_solution(armature, rig, solution)
        now = np.array(getattr(elbow, rotation_path(elbow)))
        assert np.abs(now - previous).max() < 0.5


def test_keyframes_hold_the_pose_at_its_frame() -> None:
    armature = load("mannequin")
    rig = rig_from_armature(armature)
    scene = bpy.context.scene
    solutions = {frame: random_solution(rig, seed=frame) for frame in (1, 10)}
    for frame, solution in solutions.items():
        scene.frame_set(frame)
        apply_solution(armature, rig, solution)
        insert_keyframes(armature)
    for frame, solution in solutions.items():
        scene.frame_set(frame)
        np.testing.assert_allclose(
            world_matrices(armature, rig), pose_matrices(rig, solution), atol=1e-4
        )
    scene.frame_set(5)
    between = world_matrices(armature, rig)
    assert np.abs(between - pose_matrices(rig, solutions[1])).max() > 0.05


def test_without_keyframes_no_action_appears() -> None:
    armature = load("mannequin")
    rig = rig_from_armature(armature)
    apply_solution(armature, rig, random_solution(rig, seed=3))
    assert armature.animation_data is None
    assert not bpy.data.actions


def test_fingers_stay_as_the_animator_left_them() -> None:
    armature = load("mixamo/characters/Michelle.glb")
    finger = next(bone for bone in armature.pose.bones if "LeftHandIndex1" in bone.name)
    finger.rotation_mode = "XYZ"
    finger.rotation_euler = (0.5, 0, 0)
    rig = rig_from_armature(armature)
    apply_solution(armature, rig, random_solution(rig, seed=4))
    assert np.array(finger.rotation_euler) == pytest.approx([0.5, 0, 0])


def test_a_posed_root_does_not_shift_the_result() -> None:
    armature = load("mannequin")
    bpy.ops.object.mode_set(mode="EDIT")
    root = armature.data.edit_bones.new("Root")
    root.head, root.tail = (0, 0, 0), (0, 0.3, 0)
    armature.data.edit_bones["mixamorig:Hips"].parent = root
    bpy.ops.object.mode_set(mode="OBJECT")
    armature.pose.bones["Root"].location = (1, 2, 3)
    rig = rig_from_armature(armature)
    solution = random_solution(rig, seed=5)
    apply_solution(armature, rig, solution)
    np.testing.assert_allclose(
        world_matrices(armature, rig), pose_matrices(rig, solution), atol=1e-4
    )


def test_bones_that_inherit_nothing_are_posed_all_the_same() -> None:
    armature = load("mannequin")
    for name in ("mixamorig:Head", "mixamorig:LeftLeg"):
        armature.data.bones[name].use_inherit_rotation = False
        armature.data.bones[name].use_local_location = False
    rig = rig_from_armature(armature)
    solution = random_solution(rig, seed=6)
    apply_solution(armature, rig, solution)
    np.testing.assert_allclose(
        world_matrices(armature, rig), pose_matrices(rig, solution), atol=1e-4
    )


def test_a_mirrored_armature_is_refused() -> None:
    armature = load("mannequin")
    armature.scale.x = -1
    bpy.context.view_layer.update()
    with pytest.raises(UserError, match="apply its scale"):
        rig_from_armature(armature)


def test_something_else_is_refused() -> None:
    thing = bpy.data.objects.new("Cube", bpy.data.meshes.new("Cube"))
    with pytest.raises(UserError, match="not an armature"):
        rig_from_armature(thing)


def stretched_solution(rig: Rig, seed: int) -> Solution:
    """A believable pose with arms and legs of other lengths, as the solver gives it."""
    rng = np.random.default_rng(seed)
    keypoints = rig.joints[:, [0, 2]] * (1, -1) * 100
    keypoints[np.abs(keypoints[:, 0] - keypoints[0, 0]) > 15] *= (1.25, 1)
    keypoints += rng.normal(0, 6, keypoints.shape)
    solution = solve(rig, keypoints, np.ones(skeleton.COUNT), stretch=True)
    assert solution.stretch is not None
    return solution


@pytest.mark.parametrize("character", CHARACTERS)
def test_stretched_limbs_are_as_long_as_the_solver_means(character: str) -> None:
    armature = load(character)
    rig = rig_from_armature(armature)
    solution = stretched_solution(rig, seed=3)
    apply_solution(armature, rig, solution)
    matrices, wanted = world_matrices(armature, rig), pose_matrices(rig, solution)
    rows = list(rig.mapping.values())
    height = rig.height
    np.testing.assert_allclose(
        matrices[rows, :3, 3], wanted[rows, :3, 3], atol=0.002 * height, err_msg=character
    )
    along = (matrices[rows, :3, 1] * wanted[rows, :3, 1]).sum(axis=1)
    assert np.degrees(np.arccos(along.clip(-1, 1))).max() < 0.5
    # Hands, feet and head are not stretched with the limbs from which they hang.
    for name in ("Head", "LeftHand", "RightHand", "LeftFoot", "RightFoot"):
        if name in rig.mapping:
            bone = armature.pose.bones[rig.names[rig.mapping[name]]]
            assert bone.length == pytest.approx(bone.bone.length, rel=1e-3), name


def test_without_stretch_every_bone_is_as_large_as_at_rest() -> None:
    armature = load("mannequin")
    rig = rig_from_armature(armature)
    apply_solution(armature, rig, stretched_solution(rig, seed=3))
    assert any(tuple(bone.scale) != (1, 1, 1) for bone in armature.pose.bones)
    apply_solution(armature, rig, random_solution(rig, seed=1))
    assert all(tuple(bone.scale) == (1, 1, 1) for bone in armature.pose.bones)
