"""Rigs of all kinds lie as a drawing shows them: judged by the evaluated pose."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np
import pytest
from mathutils import Euler, Matrix, Vector

from addon.blender.armature import (
    apply_solution,
    bone_table,
    choose_bones,
    chosen_bones,
    is_plain,
    matched_bones,
    pose_bones,
    posed_matrices,
    rig_from_armature,
)
from addon.blender.characters import import_character, import_objects, main_armature
from addon.blender.keyframes import insert_keyframes
from addon.blender.mannequin import add_mannequin
from addon.blender.puppet import Puppet
from addon.core import rigs, skeleton
from addon.core.camera import look_at
from addon.core.errors import UserError
from addon.core.rotations import from_vector
from addon.core.solve import Rig, Solution, pose_matrices
from scripts import draw_rigs

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def loaded(path: Path) -> bpy.types.Object:
    armature = main_armature(import_objects(path))
    assert armature is not None
    bpy.context.view_layer.update()
    return armature


def shared(name: str) -> bpy.types.Object:
    if not (SHARED / name).exists():
        pytest.skip("the shared characters are not here")
    armature = import_character(SHARED / name).armature
    bpy.context.view_layer.update()
    return armature


def any_pose(rig: Rig, seed: int, size: float = 0.6) -> Solution:
    rng = np.random.default_rng(seed)
    basis = np.tile(np.eye(3), (len(rig.names), 1, 1))
    for row in rig.mapping.values():
        basis[row] = from_vector(rng.normal(0, size / np.sqrt(3), 3))
    joints = np.zeros((skeleton.COUNT, 3))
    camera = look_at((0, -5, 1), (0, 0, 1), size=(100, 100), focal=50, orthographic=True)
    step = rng.normal(0, 0.2, 3) * rig.height
    return Solution(basis, step, joints, camera, camera.project(joints))


def misses(armature: bpy.types.Object, rig: Rig, solution: Solution) -> tuple[float, float]:
    """By how many degrees, and shares of the height, a keypoint's bone is off at most."""
    bpy.context.view_layer.update()
    rows = list(rig.mapping.values())
    now, wanted = posed_matrices(armature, rig)[rows], pose_matrices(rig, solution)[rows]
    cosines = (now[:, :3, 1] * wanted[:, :3, 1]).sum(axis=1)
    off = np.linalg.norm(now[:, :3, 3] - wanted[:, :3, 3], axis=1)
    angle = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
    return float(angle.max()), float(off.max() / rig.height)


def turn_one_by_one(armature: bpy.types.Object, rig: Rig, solution: Solution) -> None:
    """Turn each control of a rig at the origin after Blender has evaluated the one before."""
    bones, wanted = armature.pose.bones, pose_matrices(rig, solution)
    controls = rigs.controls_of(bones.keys())
    assert controls is not None
    for name, switch, value, _ in controls.switches:
        bones[name][switch] = value
    for name, _ in controls.rest:
        bones[name].matrix_basis = Matrix()
    for name, keypoint in controls.turns:
        bpy.context.view_layer.update()
        row = rig.mapping[keypoint]
        now = bones[rig.names[row]].matrix.to_quaternion()
        turn = Matrix(wanted[row].tolist()).to_quaternion() @ now.inverted()
        place, before, scale = bones[name].matrix.decompose()
        bones[name].matrix = Matrix.LocRotScale(place, turn @ before, scale)
    bpy.context.view_layer.update()
    hips = rig.mapping["Hips"]
    step = Vector(wanted[hips, :3, 3]) - bones[rig.names[hips]].head
    bones[controls.turns[0][0]].matrix = (
        Matrix.Translation(step) @ bones[controls.turns[0][0]].matrix
    )


def place_anywhere(armature: bpy.types.Object) -> None:
    armature.location = (1.0, 2.0, 0.5)
    armature.rotation_mode = "XYZ"
    armature.rotation_euler = Euler((0.3, -0.4, 1.5))
    armature.scale *= 1.7
    bpy.context.view_layer.update()


def lock_two_axes(bone: bpy.types.PoseBone) -> None:
    bone.rotation_mode, bone.lock_rotation = "XYZ", (True, True, False)


def limit_rotation(bone: bpy.types.PoseBone) -> None:
    limit: Any = bone.constraints.new("LIMIT_ROTATION")
    limit.owner_space = "LOCAL"
    limit.use_limit_x = limit.use_limit_y = limit.use_limit_z = True
    limit.max_x = 0.1


def copy_half_a_rotation(bone: bpy.types.PoseBone) -> None:
    copy: Any = bone.constraints.new("COPY_ROTATION")
    copy.target, copy.subtarget, copy.influence = bone.id_data, "root", 0.5


class TestRigify:
    @pytest.mark.parametrize("placed", [False, True])
    def test_deforming_bones_lie_as_solved(self, rigify: bpy.types.Object, placed: bool) -> None:
        if placed:
            place_anywhere(rigify)
        rig = rig_from_armature(rigify)
        assert len(rig.mapping) == len(rig.names) == 22
        solution = any_pose(rig, seed=1)
        assert apply_solution(rigify, rig, solution) == ""
        angle, off = misses(rigify, rig, solution)
        assert angle < 0.2
        assert off < 0.002
        # The limbs' deforming bones follow: it is they that move the skin.
        for deforming, inner in (("DEF-forearm.L", "ORG-forearm.L"), ("DEF-shin.R", "ORG-shin.R")):
            axes = [np.array(rigify.pose.bones[n].matrix)[:3, 1] for n in (deforming, inner)]
            assert axes[0] @ axes[1] / np.prod(np.linalg.norm(axes, axis=1)) > 0.9999

    def test_what_was_posed_before_does_not_matter(self, rigify: bpy.types.Object) -> None:
        rig = rig_from_armature(rigify)
        for name in ("torso", "hips", "chest", "forearm_fk.L"):
            rigify.pose.bones[name].rotation_mode = "XYZ"
            rigify.pose.bones[name].rotation_euler = (0.4, 0.3, -0.2)
        rigify.pose.bones["hand_ik.R"].location = (0.3, 0.2, 0.1)
        solution = any_pose(rig, seed=2)
        apply_solution(rigify, rig, solution)
        assert misses(rigify, rig, solution)[0] < 0.2

    @pytest.mark.parametrize("size", [0.1, 0.6])
    @pytest.mark.parametrize("follow", [0.0, 1.0])
    @pytest.mark.parametrize("bent", [False, True])
    def test_controls_turn_as_one_by_one(
        self, rigify: bpy.types.Object, size: float, follow: float, bent: bool
    ) -> None:
        """Whether limbs follow the root or their parents, and whatever was posed before."""
        bones, rig = rigify.pose.bones, rig_from_armature(rigify)
        for name in ("upper_arm_parent.L", "thigh_parent.R"):
            bones[name]["FK_limb_follow"] = follow
        for name in ("torso", "spine_fk.001", "spine_fk", "chest", "shoulder.R") if bent else ():
            bones[name].rotation_quaternion = Euler((0.3, 0.2, -0.1)).to_quaternion()
        rigify.update_tag()
        before = {bone.name: bone.matrix_basis.copy() for bone in bones}
        solution = any_pose(rig, seed=6, size=size)
        turn_one_by_one(rigify, rig, solution)
        expected = {bone.name: np.array(bone.matrix_basis) for bone in bones}
        for bone in bones:
            bone.matrix_basis = before[bone.name]
        assert apply_solution(rigify, rig, solution) == ""
        for bone in bones:
            found = np.array(bone.matrix_basis)
            np.testing.assert_allclose(found, expected[bone.name], atol=1e-4, err_msg=bone.name)

    @pytest.mark.parametrize(
        ("name", "hold", "reason"),
        [
            ("upper_arm_fk.L", lock_two_axes, "locked channels"),
            ("upper_arm_fk.L", limit_rotation, "constraints"),
            ("shoulder.L", copy_half_a_rotation, "constraints"),
            ("thigh_fk.L", limit_rotation, "constraints"),
        ],
    )
    def test_limbs_lie_as_solved_beyond_a_control_that_is_held(
        self,
        rigify: bpy.types.Object,
        name: str,
        hold: Callable[[bpy.types.PoseBone], None],
        reason: str,
    ) -> None:
        hold(rigify.pose.bones[name])
        rig = rig_from_armature(rigify)
        solution = any_pose(rig, seed=7)
        assert f"{reason} hold “{name}”" in apply_solution(rigify, rig, solution)
        bpy.context.view_layer.update()
        wanted, now = pose_matrices(rig, solution), posed_matrices(rigify, rig)
        for keypoint in ("LeftForeArm", "LeftHand", "RightForeArm", "LeftLeg", "LeftFoot"):
            row = rig.mapping[keypoint]
            np.testing.assert_allclose(now[row, :3, 1], wanted[row, :3, 1], atol=1e-4)

    def test_keyframes_hold_pose_and_switches(self, rigify: bpy.types.Object) -> None:
        rig = rig_from_armature(rigify)
        scene = bpy.context.scene
        solutions = {frame: any_pose(rig, seed=frame) for frame in (1, 10)}
        for frame, solution in solutions.items():
            scene.frame_set(frame)
            apply_solution(rigify, rig, solution)
            insert_keyframes(rigify)
        rigify.pose.bones["thigh_parent.L"]["IK_FK"] = 0.0
        for frame, solution in solutions.items():
            scene.frame_set(frame)
            assert misses(rigify, rig, solution)[0] < 0.2
        assert rigify.pose.bones["thigh_parent.L"]["IK_FK"] == 1.0

    def test_fingers_and_the_root_stay(self, rigify: bpy.types.Object) -> None:
        finger, root = rigify.pose.bones["f_index.01.L"], rigify.pose.bones["root"]
        finger.rotation_mode = "XYZ"
        finger.rotation_euler = (0.5, 0, 0)
        root.location = (1.0, 0.0, 0.0)
        bpy.context.view_layer.update()
        rig = rig_from_armature(rigify)
        solution = any_pose(rig, seed=3)
        apply_solution(rigify, rig, solution)
        assert misses(rigify, rig, solution)[1] < 0.002
        assert finger.rotation_euler.x == pytest.approx(0.5)
        assert root.location.x == pytest.approx(1.0)

    def test_a_rig_that_does_not_obey_is_named(self, rigify: bpy.types.Object) -> None:
        rigify.animation_data_clear()  # with it go the drivers of the switches
        rig = rig_from_armature(rigify)
        sentence = apply_solution(rigify, rig, any_pose(rig, seed=4))
        assert "Not all follows the drawing" in sentence and sentence.endswith(".")

    def test_it_is_no_puppet(self, rigify: bpy.types.Object) -> None:
        before = [len(bone.constraints) for bone in rigify.pose.bones]
        with pytest.raises(UserError, match="controls"):
            Puppet.prepare(rigify)
        assert [len(bone.constraints) for bone in rigify.pose.bones] == before


# New names for Mixamo's: keypoint without its side -> name, and the letters of the sides.
RENAMED = {
    "VRoid": (
        {
            **{"Hips": "J_Bip_C_Hips", "Spine": "J_Bip_C_Spine", "Spine1": "J_Bip_C_Chest"},
            **{"Spine2": "J_Bip_C_UpperChest", "Neck": "J_Bip_C_Neck", "Head": "J_Bip_C_Head"},
            **{"Shoulder": "J_Bip_{}_Shoulder", "Arm": "J_Bip_{}_UpperArm"},
            **{"ForeArm": "J_Bip_{}_LowerArm", "Hand": "J_Bip_{}_Hand"},
            **{"UpLeg": "J_Bip_{}_UpperLeg", "Leg": "J_Bip_{}_LowerLeg"},
            **{"Foot": "J_Bip_{}_Foot", "ToeBase": "J_Bip_{}_ToeBase"},
        },
        "LR",
    ),
    "Daz": (
        {
            **{"Hips": "hip", "Spine": "abdomenLower", "Spine1": "abdomenUpper"},
            **{"Spine2": "chestLower", "Neck": "neckLower", "Head": "head"},
            **{"Shoulder": "{}Collar", "Arm": "{}ShldrBend", "ForeArm": "{}ForearmBend"},
            **{"Hand": "{}Hand", "UpLeg": "{}ThighBend", "Leg": "{}Shin"},
            **{"Foot": "{}Foot", "ToeBase": "{}Toe"},
        },
        "lr",
    ),
    "MPFB": (
        {
            **{"Hips": "root", "Spine": "spine04", "Spine1": "spine03", "Spine2": "spine01"},
            **{"Neck": "neck01", "Head": "head", "Shoulder": "clavicle.{}"},
            **{"Arm": "upperarm01.{}", "ForeArm": "lowerarm01.{}", "Hand": "wrist.{}"},
            **{"UpLeg": "upperleg01.{}", "Leg": "lowerleg01.{}"},
            **{"Foot": "foot.{}", "ToeBase": "toe1-1.{}"},
        },
        "LR",
    ),
    "Auto-Rig Pro": (
        {
            **{"Hips": "c_root_master.x", "Spine": "c_spine_01.x", "Spine1": "c_spine_02.x"},
            **{"Spine2": "c_spine_03.x", "Neck": "c_neck.x", "Head": "c_head.x"},
            **{"Shoulder": "c_shoulder.{}", "Arm": "c_arm_fk.{}", "ForeArm": "c_forearm_fk.{}"},
            **{"Hand": "c_hand_fk.{}", "UpLeg": "c_thigh_fk.{}", "Leg": "c_leg_fk.{}"},
            **{"Foot": "c_foot_fk.{}", "ToeBase": "c_toes_fk.{}"},
        },
        "lr",
    ),
}


def rename(armature: bpy.types.Object, kind: str) -> dict[str, str]:
    """Give an armature the names of another kind of rig; what should be found."""
    table, letters = RENAMED[kind]
    names = {}
    for keypoint, bone in matched_bones(armature).items():
        bare = skeleton.without_side(keypoint)
        if bare in table:
            name = table[bare].format(letters[keypoint.startswith("Right")])
            armature.data.bones[bone].name = name
            names[keypoint] = name
        else:
            armature.data.bones[bone].name = "Crown"
    return names


@pytest.mark.parametrize("kind", RENAMED)
def test_names_of_other_rigs(kind: str) -> None:
    armature = add_mannequin(bpy.context)
    names = rename(armature, kind)
    assert matched_bones(armature) == names
    rig = rig_from_armature(armature)
    solution = any_pose(rig, seed=5)
    assert apply_solution(armature, rig, solution) == ""
    assert misses(armature, rig, solution)[0] < 0.2


def test_inner_bones_that_follow_controls_by_constraints() -> None:
    """As in Auto-Rig Pro: a skeleton of controls, and one that copies it."""
    armature = add_mannequin(bpy.context)
    names = rename(armature, "Auto-Rig Pro")
    inner = {
        "Hips": "root.x",
        "LeftArm": "arm.l",
        "LeftForeArm": "forearm.l",
        "RightUpLeg": "thigh.r",
        "RightLeg": "leg.r",
    }
    bpy.ops.object.mode_set(mode="EDIT")
    edit = armature.data.edit_bones
    for keypoint, name in inner.items():
        bone, control = edit.new(name), edit[names[keypoint]]
        bone.head, bone.tail, bone.roll = control.head, control.tail, control.roll
    bpy.ops.object.mode_set(mode="OBJECT")
    for keypoint, name in inner.items():
        constraint = armature.pose.bones[name].constraints.new("COPY_TRANSFORMS")
        constraint.target, constraint.subtarget = armature, names[keypoint]
    bpy.context.view_layer.update()
    rig = rig_from_armature(armature)
    assert {k: rig.names[rig.mapping[k]] for k in inner} == inner
    solution = any_pose(rig, seed=6)
    assert apply_solution(armature, rig, solution) == ""
    angle, off = misses(armature, rig, solution)
    assert angle < 0.2 and off < 0.002
    assert {bone.name for bone in pose_bones(armature, rig)} == set(names.values())


@pytest.mark.parametrize(
    "file",
    [
        "characters/kenney/characterMedium.fbx",
        "characters/quaternius/RobotExpressive.glb",
        "characters/jammo/Jammo_LowPoly.fbx",
        "mixamo/characters/Y Bot.fbx",
    ],
)
def test_real_rigs(file: str) -> None:
    armature = shared(file)
    rig = rig_from_armature(armature)
    solution = any_pose(rig, seed=7)
    assert apply_solution(armature, rig, solution) == ""
    angle, off = misses(armature, rig, solution)
    assert angle < 0.2 and off < 0.002


def test_motion_capture_files() -> None:
    path = SHARED / "poses" / "bvh" / "02_03.bvh"
    if not path.exists():
        pytest.skip("the shared motions are not here")
    armature = loaded(path)
    armature.animation_data.action = None
    rig = rig_from_armature(armature)
    assert rig.names[rig.mapping["RightForeArm"]] == "rForeArm"
    solution = any_pose(rig, seed=8)
    apply_solution(armature, rig, solution)
    assert misses(armature, rig, solution)[0] < 0.2


@pytest.mark.parametrize(
    "file", ["characters/makehuman/man_young.fbx", "characters/vrm/CosmicBot.vrm"]
)
def test_meaningless_names_are_matched_by_shape(file: str) -> None:
    armature = shared(file)
    truth = matched_bones(armature)
    numbers = {name: f"joint{i:03}" for i, name in enumerate(armature.data.bones.keys())}
    for name, number in numbers.items():
        armature.data.bones[name].name = number
    assert matched_bones(armature) == {k: numbers[name] for k, name in truth.items()}


def test_loose_feet_go_with_the_leg() -> None:
    armature = shared("characters/quaternius/RobotExpressive.glb")
    rig = rig_from_armature(armature)
    assert not is_plain(armature, rig)
    foot, knee = rig.mapping["LeftFoot"], rig.mapping["LeftLeg"]
    assert rig.parents[foot] == knee
    assert armature.data.bones["Foot.L"].parent.name == "Bone"
    solution = any_pose(rig, seed=9)
    scene = bpy.context.scene
    apply_solution(armature, rig, solution)
    insert_keyframes(armature)
    armature.pose.bones["Foot.L"].matrix_basis.identity()
    scene.frame_set(scene.frame_current)
    assert misses(armature, rig, solution)[1] < 0.002


def test_a_connected_pelvis_is_moved_by_what_it_is_connected_to() -> None:
    armature = add_mannequin(bpy.context)
    bpy.ops.object.mode_set(mode="EDIT")
    hips = armature.data.edit_bones["mixamorig:Hips"]
    root = armature.data.edit_bones.new("Root")
    root.head, root.tail = (0, 0, 0), hips.head
    hips.parent, hips.use_connect = root, True
    bpy.ops.object.mode_set(mode="OBJECT")
    rig = rig_from_armature(armature)
    solution = any_pose(rig, seed=10)
    apply_solution(armature, rig, solution)
    assert misses(armature, rig, solution)[1] < 0.002


class TestHeldBones:
    @pytest.fixture
    def armature(self) -> bpy.types.Object:
        return add_mannequin(bpy.context)

    @pytest.mark.parametrize("mode", ["XYZ", "ZYX", "QUATERNION", "AXIS_ANGLE"])
    def test_locked_channels_stay(self, armature: bpy.types.Object, mode: str) -> None:
        knee = armature.pose.bones["mixamorig:LeftLeg"]
        knee.rotation_mode = mode
        knee.lock_rotation = (False, True, True)
        rig = rig_from_armature(armature)
        sentence = apply_solution(armature, rig, any_pose(rig, seed=11))
        order = mode if mode in ("XYZ", "ZYX") else "XYZ"
        bpy.context.view_layer.update()
        euler = knee.matrix_basis.to_euler(order)
        assert abs(euler.x) > 0.05
        assert (euler.y, euler.z) == pytest.approx((0, 0), abs=1e-5)
        assert "“mixamorig:LeftLeg”" in sentence and "locked channels" in sentence

    def test_a_hinge_that_suffices_is_not_named(self, armature: bpy.types.Object) -> None:
        armature.pose.bones["mixamorig:LeftLeg"].rotation_mode = "XYZ"
        armature.pose.bones["mixamorig:LeftLeg"].lock_rotation = (False, True, True)
        rig = rig_from_armature(armature)
        solution = any_pose(rig, seed=12, size=0.0)
        solution.basis[rig.mapping["LeftLeg"]] = from_vector([0.7, 0, 0])
        assert apply_solution(armature, rig, solution) == ""
        assert misses(armature, rig, solution)[0] < 0.2

    def test_inverse_kinematics_are_named(self, armature: bpy.types.Object) -> None:
        target = bpy.data.objects.new("Target", None)
        bpy.context.scene.collection.objects.link(target)
        target.location = (0.3, -0.5, 0.6)
        constraint = armature.pose.bones["mixamorig:LeftLeg"].constraints.new("IK")
        constraint.target, constraint.chain_count = target, 2
        rig = rig_from_armature(armature)
        solution = any_pose(rig, seed=13)
        sentence = apply_solution(armature, rig, solution)
        assert "constraints" in sentence and "“mixamorig:LeftLeg”" in sentence
        assert sentence.endswith(".") and sentence.count(". ") == 0
        constraint.mute = True
        assert apply_solution(armature, rig, solution) == ""

    def test_drivers_are_named(self, armature: bpy.types.Object) -> None:
        neck = armature.pose.bones["mixamorig:Neck"]
        neck.rotation_mode = "XYZ"
        neck.driver_add("rotation_euler", 0).driver.expression = "1.2"
        rig = rig_from_armature(armature)
        sentence = apply_solution(armature, rig, any_pose(rig, seed=14))
        assert "drivers" in sentence and "“mixamorig:Neck”" in sentence


@pytest.mark.usefixtures("registered")
class TestTheUsersChoice:
    @pytest.fixture
    def armature(self) -> Iterator[bpy.types.Object]:
        armature = add_mannequin(bpy.context)
        bpy.context.scene.croquis.armature = armature
        yield armature

    def choose(self, joint: str, bone: str) -> set[str]:
        return bpy.ops.croquis.choose_bone(joint=joint, bone=bone)

    def test_a_correction_is_used(self, armature: bpy.types.Object) -> None:
        assert self.choose("Spine1", "") == {"FINISHED"}
        rig = rig_from_armature(armature)
        assert "Spine1" not in rig.mapping and len(rig.mapping) == 22
        assert bpy.ops.croquis.match_bones() == {"FINISHED"}
        assert chosen_bones(armature) == {}
        assert len(rig_from_armature(armature).mapping) == 23

    @pytest.mark.parametrize(
        ("joint", "bone", "words"),
        [
            ("LeftArm", "mixamorig:RightArm", "right side"),
            ("LeftForeArm", "mixamorig:LeftLeg", "does not hang from"),
            ("Neck", "Gill", "no bone “Gill”"),
        ],
    )
    def test_a_mistake_changes_nothing(
        self, armature: bpy.types.Object, joint: str, bone: str, words: str
    ) -> None:
        with pytest.raises(RuntimeError, match=words):
            self.choose(joint, bone)
        assert chosen_bones(armature) == {}

    def test_it_survives_saving(self, armature: bpy.types.Object, tmp_path: Path) -> None:
        self.choose("Spine1", "")
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "file.blend"))
        bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "file.blend"))
        assert "Spine1" not in rig_from_armature(bpy.data.objects["Mannequin"]).mapping

    def test_it_survives_saving_with_a_library_override(
        self, armature: bpy.types.Object, tmp_path: Path
    ) -> None:
        library, file = str(tmp_path / "library.blend"), str(tmp_path / "file.blend")
        bpy.data.libraries.write(library, {armature})
        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
        linked: Any = bpy.data.libraries.load(library, link=True)  # the stubs say None
        with linked as (_, target):
            target.objects = ["Mannequin"]
        override = target.objects[0].override_create(remap_local_usages=True)
        bpy.context.scene.collection.objects.link(override)
        bpy.context.scene.croquis.armature = override
        assert self.choose("Spine1", "") == {"FINISHED"}
        bpy.ops.wm.save_as_mainfile(filepath=file)
        bpy.ops.wm.open_mainfile(filepath=file)
        again = next(o for o in bpy.data.objects if o.type == "ARMATURE" and o.override_library)
        assert "Spine1" not in matched_bones(again)

    def test_a_rig_that_nothing_recognises_is_chosen_bone_by_bone(
        self, armature: bpy.types.Object
    ) -> None:
        choose_bones(armature, {"Hips": "mixamorig:Hips"})
        bones, sentence = bone_table(armature)
        assert "no arms and no legs" in sentence
        with pytest.raises(UserError, match="no arms and no legs"):
            rig_from_armature(armature)
        for joint in ("Arm", "ForeArm", "UpLeg", "Leg"):
            for side in ("Left", "Right"):
                assert self.choose(side + joint, f"mixamorig:{side}{joint}") == {"FINISHED"}
        assert len(rig_from_armature(armature).mapping) == 9

    def test_bones_that_are_gone_are_named(self, armature: bpy.types.Object) -> None:
        self.choose("Spine1", "")
        armature.data.bones["mixamorig:Neck"].name = "Gorge"
        with pytest.raises(UserError, match="no bone “mixamorig:Neck”"):
            rig_from_armature(armature)
        bones, sentence = bone_table(armature)
        assert "Neck" not in bones and "Neck" in sentence
        assert self.choose("Neck", "Gorge") == {"FINISHED"}
        rig = rig_from_armature(armature)
        assert rig.names[rig.mapping["Neck"]] == "Gorge"

    def test_without_an_armature_the_buttons_are_grey(self) -> None:
        bpy.context.scene.croquis.armature = None
        assert not bpy.ops.croquis.match_bones.poll()
        assert not bpy.ops.croquis.choose_bone.poll()


class TestScript:
    def test_it_compares_and_draws(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        sheet, table = tmp_path / "sheet.png", tmp_path / "table.json"
        rigs_ = ["mannequin", "metarig"]
        draw_rigs.main([*rigs_, "--out", str(sheet), "--json", str(table), "--side", "60"])
        picture = cv2.imread(str(sheet))
        assert picture.shape[1] == 60 * (1 + len(rigs_))
        assert picture.std() > 5
        first, other = json.loads(table.read_text())
        assert first["worst_degrees"] == 0
        assert 0 < other["median_degrees"] <= draw_rigs.TARGET
        assert "2 of 2 within 5 degrees" in capsys.readouterr().out

    def test_a_file_without_an_armature_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "empty.blend"
        bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
        with pytest.raises(UserError, match="holds no armature"):
            draw_rigs.main([str(path), "--out", str(tmp_path / "sheet.png")])
        assert not (tmp_path / "sheet.png").exists()


def test_kinds_with_controls_are_told_from_the_skeleton(rigify: bpy.types.Object) -> None:
    assert rigs.kind_of(rigify.pose.bones.keys()) == "Rigify"
    assert rigs.kind_of(add_mannequin(bpy.context).pose.bones.keys()) is None
