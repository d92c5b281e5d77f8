"""From a drawing to a posed armature, by the plain function and by the panel's button."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import cv2
import numpy as np
import pytest

from addon.blender.armature import rig_from_armature
from addon.blender.mannequin import add_mannequin
from addon.blender.pose import choose_reading, pose_from_sketch, readings_of, remembered
from addon.core import skeleton
from addon.core.errors import UserError
from addon.core.estimator import SHIPPED, Estimate, Estimator
from addon.core.image import Box
from addon.preferences import CroquisPreferences

needs_network = pytest.mark.skipif(not SHIPPED.exists(), reason="no network has been trained yet")


def posed_joints(armature: bpy.types.Object) -> np.ndarray:
    """``[23, 3]`` metres, world space, of a rig that has all the bones."""
    bpy.context.view_layer.update()
    rig = rig_from_armature(armature)
    bones = (rig.names[rig.mapping[name]] for name in skeleton.KEYPOINTS)
    return np.array([armature.matrix_world @ armature.pose.bones[bone].head for bone in bones])


def pose_values(armature: bpy.types.Object) -> np.ndarray:
    bpy.context.view_layer.update()
    return np.array([bone.matrix_basis for bone in armature.pose.bones])


def contents() -> dict[str, list[str]]:
    """The names of everything in the file."""
    kinds = ("objects", "armatures", "meshes", "cameras", "images", "materials", "actions")
    return {kind: [block.name for block in getattr(bpy.data, kind)] for kind in kinds}


def angle(a: np.ndarray, b: np.ndarray) -> float:
    """Degrees between two directions."""
    cosine = a @ b / (np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


@pytest.fixture
def image(drawing: Path) -> bpy.types.Image:
    return bpy.data.images.load(str(drawing))


def test_limbs_point_as_drawn(image: bpy.types.Image, estimator: Any) -> None:
    armature = add_mannequin(bpy.context)
    result = pose_from_sketch(bpy.context, image, armature, estimator=estimator)
    joints = posed_joints(armature)
    np.testing.assert_allclose(joints, result.solution.joints, atol=1e-4)
    seen = result.solution.camera.project(joints)
    for name in ("ForeArm", "Hand", "Leg", "Foot"):
        for side in ("Left", "Right"):
            child = skeleton.INDEX[side + name]
            parent = skeleton.PARENTS[child]
            drawn = result.estimate.keypoints[child] - result.estimate.keypoints[parent]
            assert angle(seen[child] - seen[parent], drawn) < 12, side + name


def test_left_is_the_characters_own_left(image: bpy.types.Image, estimator: Any) -> None:
    armature = add_mannequin(bpy.context)
    pose_from_sketch(bpy.context, image, armature, estimator=estimator)
    joints = dict(zip(skeleton.KEYPOINTS, posed_joints(armature), strict=True))
    assert joints["LeftHand"][2] > joints["Head"][2] > joints["RightHand"][2]
    assert joints["LeftHand"][0] > 0 > joints["RightHand"][0]


def test_without_an_armature_the_mannequin_comes(image: bpy.types.Image, estimator: Any) -> None:
    result = pose_from_sketch(bpy.context, image, None, estimator=estimator)
    assert result.armature.name == "Mannequin"
    assert "Mannequin" in result.summary()
    assert bpy.context.scene.camera == result.camera
    assert result.drawing.data == image
    behind = result.solution.camera.to_camera(np.array(result.drawing.matrix_world.translation))[2]
    assert behind > result.solution.camera.to_camera(result.solution.joints)[:, 2].max()


def test_posing_again_gives_the_same_pose_and_no_more_objects(
    image: bpy.types.Image, estimator: Any
) -> None:
    armature = pose_from_sketch(bpy.context, image, None, estimator=estimator).armature
    before, pose = contents(), pose_values(armature)
    pose_from_sketch(bpy.context, image, armature, estimator=estimator)
    assert contents() == before
    np.testing.assert_allclose(pose_values(armature), pose, atol=1e-6)


def test_the_estimate_stays_with_the_armature(
    image: bpy.types.Image, estimator: Any, tmp_path: Path
) -> None:
    result = pose_from_sketch(bpy.context, image, None, estimator=estimator, number=2)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "posed.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "posed.blend"))
    kept = remembered(bpy.data.objects["Mannequin"])
    assert kept is not None
    np.testing.assert_allclose(kept.keypoints, result.estimate.keypoints, atol=1e-3)
    assert kept.box == pytest.approx(result.estimate.box, abs=1e-3)
    assert (kept.size, kept.image, kept.number) == ((400, 300), "drawing.png", 2)


def test_no_estimate_is_remembered_as_none() -> None:
    armature = add_mannequin(bpy.context)
    assert remembered(armature) is None
    for foreign in ("", "{}", 3.5):
        armature["croquis_estimate"] = foreign
        assert remembered(armature) is None


def test_an_empty_page_changes_nothing(estimator: Any, tmp_path: Path) -> None:
    armature = add_mannequin(bpy.context)
    path = tmp_path / "empty.png"
    path.write_bytes(cv2.imencode(".png", np.full((200, 200), 255, np.uint8))[1].tobytes())
    image = bpy.data.images.load(str(path))
    before, pose = contents(), pose_values(armature)
    for target in (armature, None):
        with pytest.raises(UserError, match="Nothing is drawn"):
            pose_from_sketch(bpy.context, image, target, estimator=estimator)
    assert contents() == before
    np.testing.assert_array_equal(pose_values(armature), pose)


def test_a_rig_without_arms_changes_nothing(image: bpy.types.Image, estimator: Any) -> None:
    armature = add_mannequin(bpy.context)
    remove_bones(armature, "Shoulder", "Arm", "Hand")
    before, pose = contents(), pose_values(armature)
    with pytest.raises(UserError, match="no arms"):
        pose_from_sketch(bpy.context, image, armature, estimator=estimator)
    assert contents() == before
    np.testing.assert_array_equal(pose_values(armature), pose)


def remove_bones(armature: bpy.types.Object, *parts: str) -> None:
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for bone in list(armature.data.edit_bones):
        if any(part in bone.name for part in parts):
            armature.data.edit_bones.remove(bone)
    bpy.ops.object.mode_set(mode="OBJECT")


class TestButton:
    """``bpy.ops.croquis.pose_from_sketch`` and what the panel says about it."""

    @pytest.fixture(autouse=True)
    def panel(self, registered: None, monkeypatch: pytest.MonkeyPatch, estimator: Any) -> None:
        monkeypatch.setattr("addon.operators.pose.make_estimator", lambda _context: estimator)

    def test_it_waits_for_a_drawing(self) -> None:
        assert not bpy.ops.croquis.pose_from_sketch.poll()
        with pytest.raises(RuntimeError, match="Choose a drawing first"):
            bpy.ops.croquis.pose_from_sketch()

    def test_it_poses_and_chooses_the_mannequin(self, image: bpy.types.Image) -> None:
        settings = bpy.context.scene.croquis
        settings.drawing = image
        assert bpy.ops.croquis.pose_from_sketch() == {"FINISHED"}
        assert settings.armature.name == "Mannequin"
        turned = np.abs(pose_values(settings.armature) - np.eye(4)).max(axis=(1, 2)) > 0.05
        assert turned.sum() >= 8
        assert not bpy.data.actions

    def test_it_does_what_the_plain_function_does(
        self, image: bpy.types.Image, estimator: Any
    ) -> None:
        settings = bpy.context.scene.croquis
        settings.drawing, settings.armature = image, add_mannequin(bpy.context)
        bpy.ops.croquis.pose_from_sketch()
        other = pose_from_sketch(bpy.context, image, None, estimator=estimator).armature
        np.testing.assert_allclose(pose_values(settings.armature), pose_values(other), atol=1e-5)

    def test_it_inserts_keyframes_at_the_current_frame(self, image: bpy.types.Image) -> None:
        settings = bpy.context.scene.croquis
        settings.drawing, settings.insert_keyframes = image, True
        bpy.context.scene.frame_set(7)
        bpy.ops.croquis.pose_from_sketch()
        action = settings.armature.animation_data.action
        assert tuple(action.frame_range) == (7, 7)

    def test_it_poses_the_figure_or_the_box_that_is_asked_for(
        self, image: bpy.types.Image, monkeypatch: pytest.MonkeyPatch, estimator: Any
    ) -> None:
        asked = []

        def estimate(grey: np.ndarray, box: Box | None = None, figure: int = 0) -> Estimate:
            asked.append((box, figure))
            return estimator.estimate(grey, box or Box(20, 20, 200, 250))

        stand_in = SimpleNamespace(estimate=estimate)
        monkeypatch.setattr("addon.operators.pose.make_estimator", lambda _context: stand_in)
        bpy.context.scene.croquis.drawing = image
        bpy.ops.croquis.pose_from_sketch(figure=2)
        bpy.ops.croquis.pose_from_sketch(box=(10, 20, 200, 250))
        bpy.ops.croquis.pose_from_sketch()
        assert asked == [(None, 1), (Box(10, 20, 200, 250), 0), (None, 0)]

    def test_one_undo_takes_it_back(self, image: bpy.types.Image) -> None:
        # In the background Blender pushes no undo steps by itself.
        settings = bpy.context.scene.croquis
        settings.drawing, settings.armature = image, add_mannequin(bpy.context)
        name = settings.armature.name
        bpy.ops.ed.undo_push(message="before")
        before, pose = contents(), pose_values(settings.armature)
        bpy.ops.croquis.pose_from_sketch()
        bpy.ops.ed.undo_push(message="Pose from Sketch")
        assert contents() != before
        bpy.ops.ed.undo()
        assert contents() == before
        np.testing.assert_allclose(pose_values(bpy.data.objects[name]), pose, atol=1e-6)

    def test_it_works_in_pose_mode(self, image: bpy.types.Image) -> None:
        settings = bpy.context.scene.croquis
        settings.drawing, settings.armature = image, add_mannequin(bpy.context)
        bpy.ops.object.mode_set(mode="POSE")
        assert bpy.ops.croquis.pose_from_sketch() == {"FINISHED"}
        assert bpy.context.mode == "POSE"

    def test_it_waits_for_the_end_of_editing(self, image: bpy.types.Image) -> None:
        settings = bpy.context.scene.croquis
        settings.drawing, settings.armature = image, add_mannequin(bpy.context)
        bpy.ops.object.mode_set(mode="EDIT")
        with pytest.raises(RuntimeError, match="Object Mode or Pose Mode"):
            bpy.ops.croquis.pose_from_sketch()
        bpy.ops.object.mode_set(mode="OBJECT")

    def test_it_notices_an_armature_that_is_gone(self, image: bpy.types.Image) -> None:
        settings = bpy.context.scene.croquis
        settings.drawing, settings.armature = image, add_mannequin(bpy.context)
        bpy.context.scene.collection.objects.unlink(settings.armature)
        with pytest.raises(RuntimeError, match="not in this view layer"):
            bpy.ops.croquis.pose_from_sketch()

    def test_a_linked_armature_needs_an_override(self, drawing: Path, tmp_path: Path) -> None:
        path = tmp_path / "library.blend"
        add_mannequin(bpy.context)
        bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
        library: Any = bpy.data.libraries.load(
            str(path), link=True
        )  # a context, whatever stubs say
        with library as (_, target):
            target.objects = ["Mannequin", "Mannequin Body"]
        for thing in target.objects:
            bpy.context.scene.collection.objects.link(thing)
        linked = bpy.data.objects["Mannequin"]
        settings = bpy.context.scene.croquis
        settings.drawing, settings.armature = bpy.data.images.load(str(drawing)), linked
        with pytest.raises(RuntimeError, match="make a library override first"):
            bpy.ops.croquis.pose_from_sketch()
        override = linked.override_hierarchy_create(
            bpy.context.scene, bpy.context.view_layer, do_fully_editable=True
        )
        settings.armature = override
        assert bpy.ops.croquis.pose_from_sketch() == {"FINISHED"}
        assert (np.abs(pose_values(override) - np.eye(4)) > 0.05).any()

    def test_it_says_what_is_wrong_with_the_rig(self, image: bpy.types.Image) -> None:
        settings = bpy.context.scene.croquis
        settings.drawing, settings.armature = image, add_mannequin(bpy.context)
        remove_bones(settings.armature, "Shoulder", "Arm", "Hand")
        before = contents()
        with pytest.raises(RuntimeError, match="no arms") as error:
            bpy.ops.croquis.pose_from_sketch()
        assert "Traceback" not in str(error.value)
        assert contents() == before

    def test_it_refuses_what_is_no_armature(self, image: bpy.types.Image) -> None:
        # The panel offers armatures only; a script can set anything.
        settings = bpy.context.scene.croquis
        settings.drawing = image
        settings.armature = bpy.data.objects.new("Empty", None)
        with pytest.raises(RuntimeError, match="not an armature"):
            bpy.ops.croquis.pose_from_sketch()


def test_a_missing_network_is_named(
    registered: None, image: bpy.types.Image, tmp_path: Path
) -> None:
    preferences = bpy.context.preferences.addons
    entry = preferences.get(CroquisPreferences.bl_idname)
    added = None if entry else preferences.new()
    if added:
        added.module = CroquisPreferences.bl_idname
    entry = entry or added
    assert entry is not None
    bpy.context.scene.croquis.drawing = image
    entry.preferences.network = str(tmp_path / "missing.onnx")
    before = contents()
    try:
        with pytest.raises(RuntimeError, match="missing.onnx") as error:
            bpy.ops.croquis.pose_from_sketch()
    finally:
        entry.preferences.network = ""
        if added:
            preferences.remove(added)
    assert "Traceback" not in str(error.value)
    assert contents() == before


@needs_network
def test_the_shipped_network_poses_the_mannequin(image: bpy.types.Image) -> None:
    result = pose_from_sketch(bpy.context, image, None, estimator=Estimator())
    np.testing.assert_allclose(posed_joints(result.armature), result.solution.joints, atol=1e-4)


def test_limbs_are_stretched_on_request_only(image: bpy.types.Image, estimator: Any) -> None:
    """And stay so in another reading, at keyframes, and back again."""
    armature = pose_from_sketch(bpy.context, image, None, estimator=estimator).armature
    plain = pose_values(armature)
    assert all(bone.scale.to_tuple() == (1, 1, 1) for bone in armature.pose.bones)

    result = pose_from_sketch(
        bpy.context, image, armature, estimator=estimator, stretch=True, keyframe=True
    )
    factors = result.solution.stretch
    assert factors is not None and np.ptp(factors) > 0.05
    np.testing.assert_allclose(posed_joints(armature), result.solution.joints, atol=1e-3)
    rig = rig_from_armature(armature)
    for name in ("LeftArm", "RightForeArm", "LeftUpLeg", "RightLeg"):
        bone = armature.pose.bones[rig.names[rig.mapping[name]]]
        assert bone.length / bone.bone.length == pytest.approx(factors[rig.mapping[name]], abs=1e-3)

    kept = remembered(armature)
    assert kept is not None and kept.stretch
    choose_reading(bpy.context, armature, readings_of(kept).flip(kept.reading, "LeftArm"))
    bone = armature.pose.bones[rig.names[rig.mapping["LeftArm"]]]
    stretched = bone.length / bone.bone.length
    assert stretched == pytest.approx(factors[rig.mapping["LeftArm"]], abs=1e-3)

    scene = bpy.context.scene
    scene.frame_set(scene.frame_current + 10)
    pose_from_sketch(bpy.context, image, armature, estimator=estimator, keyframe=True)
    assert all(bone.scale.to_tuple() == (1, 1, 1) for bone in armature.pose.bones)
    np.testing.assert_allclose(pose_values(armature), plain, atol=1e-6)
    scene.frame_set(scene.frame_current - 10)
    np.testing.assert_allclose(posed_joints(armature), result.solution.joints, atol=1e-3)
    scene.frame_set(scene.frame_current + 10)
    np.testing.assert_allclose(pose_values(armature), plain, atol=1e-6)
