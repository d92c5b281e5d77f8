"""How much of a pose a character takes over: some of its bones, part of the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Quaternion

from addon.blender.armature import pose_bones, rig_from_armature
from addon.blender.characters import import_character
from addon.blender.extent import Extent, KeptPose, is_selected
from addon.blender.mannequin import add_mannequin
from addon.blender.pose import choose_reading, pose_from_sketch, readings_of, remembered
from addon.core.errors import UserError
from addon.core.solve import Rig
from addon.operators import pose as operators

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
Pose = Callable[[Extent], None]
Values = dict[str, tuple[float, ...]]


@pytest.fixture(params=["mannequin", "mixamo/characters/Michelle.glb", "rigify"])
def character(request: pytest.FixtureRequest) -> bpy.types.Object:
    """A character that its animator has already posed a little."""
    if request.param == "mannequin":
        armature = add_mannequin(bpy.context)
    elif request.param == "rigify":
        armature = request.getfixturevalue("rigify")
    elif (SHARED / request.param).exists():
        armature = import_character(SHARED / request.param).armature
        armature.animation_data_clear()
    else:
        pytest.skip("the shared characters are not here")
    bpy.context.view_layer.update()
    rng = np.random.default_rng(1)
    for bone in pose_bones(armature, rig_from_armature(armature)):
        bone.rotation_mode = ("QUATERNION", "XYZ", "AXIS_ANGLE")[rng.integers(3)]
        if bone.rotation_mode == "QUATERNION":
            bone.rotation_quaternion = Quaternion(rng.normal(size=3), 0.2)
        elif bone.rotation_mode == "XYZ":
            bone.rotation_euler = rng.normal(0, 0.1, 3)
        else:
            bone.rotation_axis_angle = (0.2, *rng.normal(size=3))
    bpy.context.view_layer.update()
    return armature


@pytest.fixture
def pose(character: bpy.types.Object, drawing: Path, estimator: Any) -> Pose:
    image = bpy.data.images.load(str(drawing))

    def run(extent: Extent) -> None:
        pose_from_sketch(bpy.context, image, character, estimator=estimator, extent=extent)

    return run


def channels(armature: bpy.types.Object) -> Values:
    """Every number of a pose, as it is stored."""
    return {
        bone.name: (
            *bone.location,
            *bone.rotation_quaternion,
            *bone.rotation_axis_angle,
            *bone.rotation_euler,
            *bone.scale,
            *(bone[key] for key in sorted(bone.keys()) if isinstance(bone[key], int | float)),
        )
        for bone in armature.pose.bones
    }


def places(armature: bpy.types.Object) -> dict[str, np.ndarray]:
    bpy.context.view_layer.update()
    return {bone.name: np.array(bone.matrix) for bone in armature.pose.bones}


def changed(before: Values, after: Values) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def select(armature: bpy.types.Object, names: Iterable[str]) -> None:
    for bone in armature.pose.bones:
        owner = bone if "select" in bone.bl_rna.properties else bone.bone
        owner.select = bone.name in names


def bone_of(armature: bpy.types.Object, keypoint: str) -> str:
    """The bone, or the control, that turns a keypoint."""
    controls = {"LeftArm": "upper_arm_fk.L", "LeftForeArm": "forearm_fk.L", "Head": "head"}
    if controls[keypoint] in armature.pose.bones:
        return controls[keypoint]
    rig = rig_from_armature(armature)
    return rig.names[rig.mapping[keypoint]]


def local_turns(rig: Rig, matrices: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rotation of each keypoint's bone against that of the keypoint above."""

    def axes(row: int) -> np.ndarray:  # stretched limbs have a scale, too
        matrix = matrices[rig.names[row]][:3, :3]
        return matrix / np.linalg.norm(matrix, axis=0)

    rows = {name: (row, int(rig.parents[row])) for name, row in rig.mapping.items()}
    return {
        name: axes(up).T @ axes(row) if up >= 0 else axes(row) for name, (row, up) in rows.items()
    }


def angle(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip((np.trace(a.T @ b) - 1) / 2, -1, 1))))


def test_only_the_selected_bones_change(character: bpy.types.Object, pose: Pose) -> None:
    arm = {bone_of(character, name) for name in ("LeftArm", "LeftForeArm")}
    select(character, arm)
    assert {bone.name for bone in character.pose.bones if is_selected(bone)} == arm
    before = channels(character)
    pose(Extent("SELECTED"))
    # The switch of a controlled arm goes with it: else the arm would not follow.
    assert changed(before, channels(character)) - {"upper_arm_parent.L"} == arm


def test_the_body_has_two_halves(character: bpy.types.Object, pose: Pose) -> None:
    start = channels(character)
    pose(Extent("UPPER"))
    upper = changed(start, channels(character))
    pose(Extent("LOWER"))
    both = channels(character)
    assert bone_of(character, "LeftForeArm") in upper and bone_of(character, "Head") in upper
    rig = rig_from_armature(character)
    lower = {rig.names[rig.mapping[name]] for name in ("Hips", "LeftUpLeg", "RightFoot")}
    assert not upper & (lower | {"torso", "hips", "thigh_fk.L", "foot_fk.R", "thigh_parent.L"})
    if "torso" in start:  # two controls turn these hips, and nothing says how they share the turn
        return
    pose(Extent("ALL"))
    whole = channels(character)
    for name in both:
        np.testing.assert_allclose(both[name], whole[name], atol=2e-3, err_msg=name)


def test_bones_go_half_their_way(character: bpy.types.Object, pose: Pose) -> None:
    rig = rig_from_armature(character)
    start = places(character)
    before = {bone.name: bone.matrix_basis.copy() for bone in character.pose.bones}
    pose(Extent(influence=1.0))
    end = places(character)
    for bone in character.pose.bones:
        bone.matrix_basis = before[bone.name]
        if "IK_FK" in bone:
            bone["IK_FK"] = 0.0
    character.update_tag()  # setting a custom property does not
    start = places(character) if "torso" in before else start
    pose(Extent(influence=0.5))
    middle = places(character)
    off = 0.6 if "torso" in before else 0.1  # degrees; controls are turned by what is measured
    first, half, last = (local_turns(rig, one) for one in (start, middle, end))
    for name in rig.mapping:
        way = angle(first[name], last[name])
        assert angle(first[name], half[name]) == pytest.approx(way / 2, abs=off), name
        assert angle(half[name], last[name]) == pytest.approx(way / 2, abs=off), name
    hips = rig.names[rig.mapping["Hips"]]
    straight = (start[hips][:3, 3] + end[hips][:3, 3]) / 2
    size = np.linalg.norm(end[rig.names[rig.mapping["Head"]]][:3, 3] - end[hips][:3, 3])
    assert np.linalg.norm(middle[hips][:3, 3] - straight) < 2e-3 * size


def test_without_influence_nothing_changes(character: bpy.types.Object, pose: Pose) -> None:
    before = channels(character)
    pose(Extent(influence=0.0))
    assert channels(character) == before


def test_a_switch_that_alone_was_changed_goes_back(rigify: bpy.types.Object) -> None:
    turned = rigify.pose.bones["upper_arm_fk.L"]
    turned.rotation_quaternion = Quaternion((1, 0, 0), 1)
    switch = rigify.pose.bones["upper_arm_parent.L"]
    switch["IK_FK"] = 1.0
    rigify.update_tag()
    before = places(rigify)
    kept = KeptPose(rigify, rig_from_armature(rigify))
    switch["IK_FK"] = 0.0
    rigify.update_tag()
    assert np.abs(places(rigify)["ORG-forearm.L"] - before["ORG-forearm.L"]).max() > 0.1
    kept.restore()
    for name, matrix in places(rigify).items():
        np.testing.assert_allclose(matrix, before[name], atol=1e-5, err_msg=name)


def test_a_flip_goes_as_far_as_the_pose_did(character: bpy.types.Object, pose: Pose) -> None:
    """There and back is nothing, and the way counts from the pose before the drawing."""
    half = Extent(influence=0.5)
    pose(half)
    once = places(character)
    kept = remembered(character)
    assert kept is not None
    flipped = readings_of(kept).flip(kept.reading, "LeftArm")
    choose_reading(bpy.context, character, flipped, extent=half)
    away = places(character)
    hand = bone_of(character, "LeftForeArm")
    assert np.abs(away[hand] - once[hand]).max() > 0.01
    choose_reading(bpy.context, character, kept.reading, extent=half)
    for name, matrix in places(character).items():
        np.testing.assert_allclose(matrix, once[name], atol=3e-3, err_msg=name)


def test_other_readings_leave_other_bones_alone(character: bpy.types.Object, pose: Pose) -> None:
    pose(Extent())
    arm = {bone_of(character, name) for name in ("LeftArm", "LeftForeArm")}
    select(character, arm)
    before = channels(character)
    kept = remembered(character)
    assert kept is not None
    mirrored = readings_of(kept).mirror(kept.reading)
    choose_reading(bpy.context, character, mirrored, extent=Extent("SELECTED"))
    assert changed(before, channels(character)) <= arm


def test_keyframes_are_for_what_is_posed(character: bpy.types.Object, pose: Pose) -> None:
    arm = bone_of(character, "LeftArm")
    select(character, {arm})
    character.animation_data_clear()
    kept_by = {"extent": Extent("SELECTED", 0.5), "keyframe": True}
    pose(Extent())
    kept = remembered(character)
    assert kept is not None
    choose_reading(bpy.context, character, readings_of(kept).mirror(kept.reading), **kept_by)
    action = character.animation_data.action
    curves = action.fcurves if hasattr(action, "fcurves") else action.layers[0].strips[0]
    paths = {curve.data_path for curve in _curves(curves)}
    assert paths and all(f'"{arm}"' in path or "IK_FK" in path for path in paths)


def _curves(owner: Any) -> list[Any]:
    if hasattr(owner, "channelbags"):
        return [curve for bag in owner.channelbags for curve in bag.fcurves]
    return list(owner)


@pytest.mark.parametrize("selected", [(), ("mixamorig:LeftHandIndex1",)])
def test_a_selection_without_limbs_changes_nothing(
    drawing: Path, estimator: Any, selected: tuple[str, ...]
) -> None:
    if not (SHARED / "mixamo/characters/Michelle.glb").exists():
        pytest.skip("the shared characters are not here")
    armature = import_character(SHARED / "mixamo/characters/Michelle.glb").armature
    assert not selected or selected[0] in armature.pose.bones
    select(armature, selected)
    image = bpy.data.images.load(str(drawing))
    before, objects = channels(armature), bpy.data.objects.keys()
    for target in (armature, None):
        with pytest.raises(UserError, match=r"[Ss]elect bones of .* whole rig\."):
            pose_from_sketch(
                bpy.context, image, target, estimator=estimator, extent=Extent("SELECTED")
            )
        assert (channels(armature), bpy.data.objects.keys()) == (before, objects)
        assert remembered(armature) is None


def test_the_panel_decides_for_its_buttons(
    registered: None, drawing: Path, estimator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operators, "make_estimator", lambda _context: estimator)
    armature = add_mannequin(bpy.context)
    settings = bpy.context.scene.croquis
    settings.armature, settings.drawing = armature, bpy.data.images.load(str(drawing))
    legs = {bone.name for bone in armature.pose.bones if re.search("Leg|Foot", bone.name)}
    rest = channels(armature)
    settings.part, settings.influence = "UPPER", 0.5
    assert bpy.ops.croquis.pose_from_sketch() == {"FINISHED"}
    half = channels(armature)
    assert changed(rest, half) and not changed(rest, half) & legs
    assert bpy.ops.croquis.mirror() == {"FINISHED"}
    assert bpy.ops.croquis.mirror() == {"FINISHED"}
    assert not changed(rest, channels(armature)) & legs
    for name, values in channels(armature).items():
        np.testing.assert_allclose(values, half[name], atol=1e-4, err_msg=name)
    settings.influence = 0.0
    assert bpy.ops.croquis.pose_from_sketch() == {"FINISHED"}
    for name, values in channels(armature).items():
        np.testing.assert_allclose(values, half[name], atol=1e-4, err_msg=name)
