"""A pose as JSON and as BVH, and back onto this rig or another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Matrix

from addon.blender import pose_files, reference
from addon.blender.armature import posed_matrices, rig_from_armature
from addon.blender.characters import import_character
from addon.blender.extent import Extent
from addon.blender.mannequin import add_mannequin
from addon.blender.pose import Posed, pose_from_sketch, remembered
from addon.core import pose_file, skeleton
from addon.core.errors import UserError
from addon.core.rotations import from_quaternions

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
ELBOW = "mixamorig:LeftForeArm"


@pytest.fixture
def posed(drawing: Path, estimator: Any) -> Posed:
    image = bpy.data.images.load(str(drawing))
    return pose_from_sketch(bpy.context, image, None, estimator=estimator)


def basis(armature: bpy.types.Object) -> np.ndarray:
    bpy.context.view_layer.update()
    return np.array([bone.matrix_basis for bone in armature.pose.bones])


def heads(armature: bpy.types.Object) -> dict[str, np.ndarray]:
    """World positions of the bones' heads, by name."""
    bpy.context.view_layer.update()
    return {b.name: np.array(armature.matrix_world @ b.head) for b in armature.pose.bones}


# ---- JSON ------------------------------------------------------------------------------------


def test_a_pose_file_tells_of_drawing_and_pose(posed: Posed, tmp_path: Path) -> None:
    pose_files.describe(bpy.context, posed.armature).save(tmp_path / "pose.json")
    pose = pose_file.load(tmp_path / "pose.json")
    assert pose.armature == "Mannequin"
    assert (pose.drawing.image, pose.drawing.size) == ("drawing.png", (400, 300))
    np.testing.assert_allclose(pose.drawing.keypoints, posed.estimate.keypoints, atol=1e-3)
    np.testing.assert_allclose(pose.joints, posed.solution.joints, atol=1e-4)
    np.testing.assert_allclose(
        pose.camera.project(pose.joints), posed.solution.projected, atol=0.05
    )
    for name, bone in pose.bones.items():
        own = np.array(posed.armature.pose.bones[name].matrix_basis)
        np.testing.assert_allclose(from_quaternions(bone.rotation), own[:3, :3], atol=1e-5)
        np.testing.assert_allclose(bone.location, own[:3, 3], atol=1e-5)


def test_corrections_by_hand_are_in_it(posed: Posed) -> None:
    before = pose_files.describe(bpy.context, posed.armature)
    elbow = posed.armature.pose.bones[ELBOW]
    elbow.rotation_mode = "XYZ"
    elbow.rotation_euler = (1.0, 0.2, 0.3)
    after = pose_files.describe(bpy.context, posed.armature)
    assert after.bones[ELBOW].rotation == pytest.approx(
        tuple(elbow.rotation_euler.to_quaternion()), abs=1e-5
    )
    moved = np.linalg.norm(after.joints - before.joints, axis=1) > 1e-4
    assert {name for name, far in zip(skeleton.KEYPOINTS, moved, strict=True) if far} == {
        "LeftHand"
    }


def test_a_pose_without_a_drawing_is_refused() -> None:
    with pytest.raises(UserError, match="press Pose from Sketch first"):
        pose_files.describe(bpy.context, add_mannequin(bpy.context))


def test_loading_poses_the_same_rig_again(posed: Posed, tmp_path: Path) -> None:
    path = tmp_path / "pose.json"
    pose_files.describe(bpy.context, posed.armature).save(path)
    wanted = basis(posed.armature)
    kept = remembered(posed.armature)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    armature, _ = pose_files.load_pose(bpy.context, path, None)
    np.testing.assert_allclose(basis(armature), wanted, atol=1e-3)
    again = remembered(armature)
    assert kept and again and again.reading == kept.reading
    # drawing.png lies beside the file, and so it stands behind the character again.
    (thing,) = (one for one in bpy.data.objects if one.type == "EMPTY")
    assert thing.data.name == "drawing.png"
    assert reference.find_camera(bpy.context.scene) == bpy.context.scene.camera


def test_loading_without_the_drawing(posed: Posed, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    pose_files.describe(bpy.context, posed.armature).save(folder / "pose.json")
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    armature, _ = pose_files.load_pose(bpy.context, folder / "pose.json", None, keyframe=True)
    assert np.abs(basis(armature) - np.eye(4)).max() > 0.3
    assert armature.animation_data.action
    assert not bpy.data.images
    assert bpy.context.scene.camera


def test_loading_poses_another_rig(posed: Posed, tmp_path: Path) -> None:
    character = SHARED / "characters" / "makehuman" / "toddler.fbx"
    if not character.exists():
        pytest.skip("the shared characters are not here")
    path = tmp_path / "pose.json"
    pose_files.describe(bpy.context, posed.armature).save(path)
    armature = import_character(character).armature
    bpy.context.view_layer.update()
    pose_files.load_pose(bpy.context, path, armature)
    rig = rig_from_armature(armature)
    theirs = heads(armature)
    limbs = {}
    for name, joint in zip(skeleton.KEYPOINTS, posed.solution.joints, strict=True):
        if name in rig.mapping:
            limbs[name] = joint, theirs[rig.names[rig.mapping[name]]]
    for start, end in (("Arm", "ForeArm"), ("ForeArm", "Hand"), ("UpLeg", "Leg"), ("Leg", "Foot")):
        for side in ("Left", "Right"):
            a, b = (
                np.subtract(two, one)
                for one, two in zip(limbs[side + start], limbs[side + end], strict=True)
            )
            cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
            assert np.degrees(np.arccos(cosine)) < 20, side + start


def test_loading_tells_which_bones_could_not_follow(posed: Posed, tmp_path: Path) -> None:
    path = tmp_path / "pose.json"
    pose_files.describe(bpy.context, posed.armature).save(path)
    armature = add_mannequin(bpy.context)
    assert pose_files.load_pose(bpy.context, path, armature)[1] == ""
    elbow = armature.pose.bones["mixamorig:LeftForeArm"]
    elbow.matrix_basis.identity()
    elbow.lock_rotation, elbow.lock_rotation_w = (True, True, True), True
    _, held = pose_files.load_pose(bpy.context, path, armature)
    assert "locked channels" in held and elbow.name in held


def test_loading_tells_of_limbs_that_keep_their_lengths(
    rigify: bpy.types.Object, drawing: Path, estimator: Any, tmp_path: Path
) -> None:
    path, image = tmp_path / "pose.json", bpy.data.images.load(str(drawing))
    stretched = pose_from_sketch(bpy.context, image, None, estimator=estimator, stretch=True)
    pose_files.describe(bpy.context, stretched.armature).save(path)
    assert pose_files.load_pose(bpy.context, path, stretched.armature)[1] == ""
    _, held = pose_files.load_pose(bpy.context, path, rigify)
    assert held == "The limbs of a rig with controls keep their lengths."


def test_loading_goes_as_far_as_an_extent_allows(posed: Posed, tmp_path: Path) -> None:
    path = tmp_path / "pose.json"
    pose_files.describe(bpy.context, posed.armature).save(path)
    names = posed.armature.pose.bones.keys()
    whole = dict(zip(names, basis(posed.armature), strict=True))
    armature = add_mannequin(bpy.context)
    half = Extent("UPPER", 0.5)
    pose_files.load_pose(bpy.context, path, armature, extent=half, keyframe=True)
    now = dict(zip(names, basis(armature), strict=True))
    changed = {name for name in names if not np.allclose(now[name], np.eye(4), atol=1e-5)}
    assert ELBOW in changed and not any("Leg" in name or "Hips" in name for name in changed)
    for name in changed:
        _, way = Matrix(whole[name].tolist()).to_quaternion().to_axis_angle()
        _, gone = Matrix(now[name].tolist()).to_quaternion().to_axis_angle()
        assert gone == pytest.approx(way / 2, abs=2e-3), name
    armature.pose.bones[ELBOW].matrix_basis.identity()
    bpy.context.scene.frame_set(bpy.context.scene.frame_current)
    elbow = np.array(armature.pose.bones[ELBOW].matrix_basis)
    np.testing.assert_allclose(elbow, now[ELBOW], atol=1e-5)


def test_loading_onto_no_selected_bone_changes_nothing(posed: Posed, tmp_path: Path) -> None:
    path = tmp_path / "pose.json"
    pose_files.describe(bpy.context, posed.armature).save(path)
    before, objects = basis(posed.armature), len(bpy.data.objects)
    for armature in (posed.armature, None):
        with pytest.raises(UserError, match=r"[Ss]elect bones of .* whole rig\."):
            pose_files.load_pose(bpy.context, path, armature, extent=Extent("SELECTED"))
    np.testing.assert_array_equal(basis(posed.armature), before)
    assert len(bpy.data.objects) == objects


def test_a_damaged_file_changes_nothing(posed: Posed, tmp_path: Path) -> None:
    (tmp_path / "pose.json").write_text("{}")
    before, objects = basis(posed.armature), len(bpy.data.objects)
    for armature in (posed.armature, None):
        with pytest.raises(UserError, match="pose.json is not a pose of Croquis"):
            pose_files.load_pose(bpy.context, tmp_path / "pose.json", armature)
    np.testing.assert_array_equal(basis(posed.armature), before)
    assert len(bpy.data.objects) == objects


# ---- BVH -------------------------------------------------------------------------------------


def import_bvh(path: Path) -> bpy.types.Object:
    before = {*bpy.data.objects}
    bpy.ops.import_anim.bvh(filepath=str(path), frame_start=1)
    (armature,) = {*bpy.data.objects} - before
    return armature


def test_blender_reads_the_pose_back(posed: Posed, tmp_path: Path) -> None:
    pose_files.save_bvh(bpy.context, posed.armature, tmp_path / "pose.bvh")
    wanted = heads(posed.armature)
    armature = import_bvh(tmp_path / "pose.bvh")
    bpy.context.scene.frame_set(1)
    found = heads(armature)
    assert set(found) == {f"mixamorig:{name}" for name in skeleton.KEYPOINTS}
    for name, place in found.items():
        np.testing.assert_allclose(place, wanted[name], atol=1e-4, err_msg=name)


@pytest.mark.parametrize(
    "character",
    [
        "characters/makehuman/toddler.fbx",
        "characters/vrm/CoolCow.vrm",
        "characters/kaykit/Knight.glb",
        "mixamo/characters/Michelle.glb",
    ],
)
def test_any_rig_anywhere(character: str, drawing: Path, estimator: Any, tmp_path: Path) -> None:
    if not (SHARED / character).exists():
        pytest.skip("the shared characters are not here")
    armature = import_character(SHARED / character).armature
    armature.location = (1, 2, 0.5)
    armature.rotation_mode = "XYZ"
    armature.rotation_euler = (0, 0, 0.8)
    armature.scale *= 1.3
    bpy.context.view_layer.update()
    image = bpy.data.images.load(str(drawing))
    pose_from_sketch(bpy.context, image, armature, estimator=estimator)
    pose_files.save_bvh(bpy.context, armature, tmp_path / "pose.bvh")
    wanted = heads(armature)
    found = heads(import_bvh(tmp_path / "pose.bvh"))
    rig = rig_from_armature(armature)
    assert {rig.names[row] for row in rig.mapping.values()} <= set(found)
    for name, place in found.items():
        np.testing.assert_allclose(place, wanted[name], atol=2e-3 * rig.height, err_msg=name)


def test_an_animation_is_written_frame_by_frame(posed: Posed, tmp_path: Path) -> None:
    elbow = posed.armature.pose.bones[ELBOW]
    for frame, angle in ((1, 0.0), (11, 1.0)):
        elbow.rotation_mode = "XYZ"
        elbow.rotation_euler = (angle, 0, 0)
        elbow.keyframe_insert("rotation_euler", frame=frame)
    scene = bpy.context.scene
    scene.render.fps, scene.frame_end = 30, 11
    scene.frame_set(4)
    pose_files.save_bvh(bpy.context, posed.armature, tmp_path / "walk.bvh", range(1, 12))
    assert scene.frame_current == 4
    text = (tmp_path / "walk.bvh").read_text()
    assert "Frames: 11\nFrame Time: 0.03333333\n" in text
    armature = import_bvh(tmp_path / "walk.bvh")
    for frame in (1, 6, 11):
        scene.frame_set(frame)
        wanted, found = heads(posed.armature), heads(armature)
        for name, place in found.items():
            np.testing.assert_allclose(place, wanted[name], atol=1e-4, err_msg=name)


def test_a_pose_without_keyframes_is_written_as_it_is(posed: Posed, tmp_path: Path) -> None:
    posed.armature.pose.bones[ELBOW].keyframe_insert("rotation_quaternion")
    posed.armature.pose.bones[ELBOW].rotation_quaternion = (0.7, 0, 0.7, 0)
    bpy.context.view_layer.update()
    wanted = posed_matrices(posed.armature, rig_from_armature(posed.armature))
    pose_files.save_bvh(bpy.context, posed.armature, tmp_path / "pose.bvh")
    now = posed_matrices(posed.armature, rig_from_armature(posed.armature))
    np.testing.assert_array_equal(now, wanted)


def test_what_has_no_keyframes_yet_stays_when_an_animation_is_written(
    posed: Posed, tmp_path: Path
) -> None:
    elbow = posed.armature.pose.bones[ELBOW]
    elbow.rotation_mode = "QUATERNION"
    elbow.keyframe_insert("rotation_quaternion", frame=1)
    bpy.context.scene.frame_set(4)
    elbow.rotation_quaternion = (0.8, 0, 0.6, 0)
    pose_files.save_bvh(bpy.context, posed.armature, tmp_path / "walk.bvh", range(1, 4))
    bpy.context.view_layer.update()
    assert tuple(elbow.rotation_quaternion) == pytest.approx((0.8, 0, 0.6, 0))


# ---- buttons ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("registered")
class TestButtons:
    """The panel "Keep" and the menus' lines."""

    @pytest.fixture(autouse=True)
    def chosen(self, registered: None, posed: Posed) -> None:
        bpy.context.scene.croquis.armature = posed.armature

    def test_insert_keyframes(self, posed: Posed) -> None:
        bpy.context.scene.frame_set(12)
        wanted = basis(posed.armature)
        assert bpy.ops.croquis.insert_keyframes() == {"FINISHED"}
        action = posed.armature.animation_data.action
        assert tuple(action.frame_range) == (12, 12)
        for bone in posed.armature.pose.bones:
            bone.matrix_basis.identity()
        bpy.context.scene.frame_set(12)
        np.testing.assert_allclose(basis(posed.armature), wanted, atol=1e-5)

    def test_locked_channels_get_no_keyframes(self, posed: Posed) -> None:
        hips = posed.armature.pose.bones["mixamorig:Hips"]
        hips.lock_location = (True, False, True)
        elbow, knee, head = (
            posed.armature.pose.bones[f"mixamorig:{name}"]
            for name in ("LeftArm", "LeftLeg", "Head")
        )
        elbow.rotation_mode, elbow.lock_rotation = "XYZ", (False, True, False)
        knee.lock_rotation = (True, True, True)
        head.lock_rotation = (False, True, False)
        bpy.ops.croquis.insert_keyframes()
        keyed = keyed_channels(posed.armature)
        assert {i for path, i in keyed if path == f'pose.bones["{hips.name}"].location'} == {1}
        assert {i for path, i in keyed if f'"{elbow.name}"' in path} == {0, 2}
        assert not {i for path, i in keyed if f'"{knee.name}"' in path}
        assert {i for path, i in keyed if f'"{head.name}"' in path} == {0, 1, 2, 3}

    def test_one_undo_takes_keyframes_back(self, posed: Posed) -> None:
        bpy.ops.ed.undo_push(message="before")
        bpy.ops.croquis.insert_keyframes()
        bpy.ops.ed.undo_push(message="Insert Keyframes")
        assert bpy.data.actions
        bpy.ops.ed.undo()
        assert not bpy.data.actions
        assert bpy.data.objects["Mannequin"].animation_data is None

    def test_save_to_pose_library(self) -> None:
        assert bpy.ops.croquis.save_pose_asset() == {"FINISHED"}
        assert bpy.data.actions["drawing"].asset_data

    def test_the_chosen_library_that_is_gone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("addon.operators.export.pose_library", lambda _context: "Gone")
        with pytest.raises(RuntimeError, match="no asset library “Gone”"):
            bpy.ops.croquis.save_pose_asset()
        assert not bpy.data.actions

    def test_files_to_and_fro(self, posed: Posed, tmp_path: Path) -> None:
        json_path, bvh_path = tmp_path / "a.json", tmp_path / "a.bvh"
        assert bpy.ops.croquis.export_json(filepath=str(json_path)) == {"FINISHED"}
        assert bpy.ops.croquis.export_bvh(filepath=str(bvh_path)) == {"FINISHED"}
        bpy.context.scene.frame_end = 5
        bpy.ops.croquis.export_bvh(filepath=str(bvh_path), frames="SCENE")
        assert "Frames: 5\n" in bvh_path.read_text()
        wanted = basis(posed.armature)
        for bone in posed.armature.pose.bones:
            bone.rotation_quaternion = (1, 0, 0, 0)
        assert bpy.ops.croquis.load_pose(filepath=str(json_path)) == {"FINISHED"}
        np.testing.assert_allclose(basis(posed.armature), wanted, atol=1e-3)
        settings = bpy.context.scene.croquis
        settings.influence = 0.0
        posed.armature.pose.bones[ELBOW].rotation_quaternion = (1, 0, 0, 0)
        assert bpy.ops.croquis.load_pose(filepath=str(json_path)) == {"FINISHED"}
        assert posed.armature.pose.bones[ELBOW].rotation_quaternion.angle == 0
        settings.influence, settings.part = 1.0, "SELECTED"
        with pytest.raises(RuntimeError, match="Select bones"):
            bpy.ops.croquis.load_pose(filepath=str(json_path))
        settings.part, settings.armature = "ALL", None
        assert bpy.ops.croquis.load_pose(filepath=str(json_path)) == {"FINISHED"}
        other = bpy.context.scene.croquis.armature
        assert other != posed.armature
        np.testing.assert_allclose(basis(other), wanted, atol=1e-3)

    @pytest.mark.parametrize("name", ["export_json", "export_bvh"])
    def test_a_place_that_cannot_be_written_is_named(self, name: str, tmp_path: Path) -> None:
        suffix = name.removeprefix("export_")
        path = tmp_path / "missing" / f"pose.{suffix}"
        with pytest.raises(RuntimeError, match="missing") as error:
            getattr(bpy.ops.croquis, name)(filepath=str(path))
        assert "Traceback" not in str(error.value)

    def test_loading_something_else_is_explained(self, drawing: Path) -> None:
        with pytest.raises(RuntimeError, match="drawing.png is not a pose of Croquis"):
            bpy.ops.croquis.load_pose(filepath=str(drawing))
        with pytest.raises(RuntimeError, match="No such file"):
            bpy.ops.croquis.load_pose(filepath=str(drawing.with_name("missing.json")))

    @pytest.mark.parametrize(
        ("operator", "change", "words"),
        [
            ("insert_keyframes", "none", "Choose an armature"),
            ("save_pose_asset", "none", "Choose an armature"),
            ("export_json", "none", "Choose an armature"),
            ("export_bvh", "none", "Choose an armature"),
            ("export_json", "forget", "press Pose from Sketch first"),
            ("export_bvh", "unlink", "not in this view layer"),
            ("load_pose", "unlink", "not in this view layer"),
            ("insert_keyframes", "edit", "Object Mode or Pose Mode"),
            ("load_pose", "edit", "Object Mode or Pose Mode"),
        ],
    )
    def test_why_a_button_is_grey(
        self, posed: Posed, operator: str, change: str, words: str
    ) -> None:
        if change == "none":
            bpy.context.scene.croquis.armature = None
        elif change == "forget":
            posed.armature.croquis_estimate = ""
        elif change == "unlink":
            bpy.context.scene.collection.objects.unlink(posed.armature)
        else:
            bpy.context.view_layer.objects.active = posed.armature
            bpy.ops.object.mode_set(mode="EDIT")
        with pytest.raises(RuntimeError, match=words):
            getattr(bpy.ops.croquis, operator)()
        if change == "edit":
            bpy.ops.object.mode_set(mode="OBJECT")


def keyed_channels(armature: bpy.types.Object) -> set[tuple[str, int]]:
    action: Any = armature.animation_data.action
    with_slots = hasattr(action, "slots")  # since Blender 4.4
    bag = action.layers[0].strips[0].channelbags[0] if with_slots else action
    return {(curve.data_path, curve.array_index) for curve in bag.fcurves}
