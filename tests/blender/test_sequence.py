"""Several drawings: keyframes from a sequence, one pose from a model sheet, and the list itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np
import pytest
from mathutils import Matrix

from addon.blender import sequence
from addon.blender.armature import rig_from_armature
from addon.blender.mannequin import add_mannequin
from addon.core import retarget, skeleton
from addon.core.errors import UserError
from addon.core.estimator import Estimate, Sides
from addon.core.image import Box
from addon.core.lift import lift
from addon.core.rotations import from_vector, pa_mpjpe
from addon.core.solve import Rig, solve

POSES = Path(__file__).resolve().parents[3] / "shared" / "data" / "poses"
SIZE = (400, 500)
SCALE = 200.0  # pixels per metre


class KnownJoints:
    """Stands in for the network: knows each page by its grey level."""

    def __init__(self, keypoints: np.ndarray) -> None:
        self.keypoints = keypoints

    def estimate(self, grey: np.ndarray, box: Box | None = None, figure: int = 0) -> Estimate:
        number = int(grey[0, 0])
        if number >= len(self.keypoints):
            raise UserError("Nothing is drawn in the picture; choose another drawing.")
        points = self.keypoints[number].astype(np.float32)
        scores = np.full(skeleton.COUNT, 0.9, np.float32)
        return Estimate(points, scores, Box(0, 0, *SIZE), Sides(0.95, 0.95))


def pages(folder: Path, count: int) -> list[bpy.types.Image]:
    """Pictures that differ by their grey level only."""
    images = []
    for number in range(count):
        path = folder / f"key{number + 1}.png"
        page = np.full(SIZE[::-1], number, np.uint8)
        path.write_bytes(cv2.imencode(".png", page)[1].tobytes())
        images.append(bpy.data.images.load(str(path)))
    return images


def clip(rig: Rig, name: str, count: int) -> np.ndarray:
    """``[count, 23, 3]`` joints of the rig in every second frame of a real clip, metres, Z up."""
    path = POSES / "cc0_poses.npz"
    if not path.exists():
        pytest.skip("the shared poses are not here")
    motion = next(m for m in retarget.load_corpus(str(path)) if m.name.endswith(name))
    joints = retarget.joint_positions(motion.rotations[:count], motion.limbs)
    # On the rig's own proportions.
    rest = rig.joints
    result = np.zeros_like(joints)
    for parent, child in skeleton.BONES:
        bone = joints[:, child] - joints[:, parent]
        length = np.linalg.norm(rest[child] - rest[parent])
        bone *= length / np.linalg.norm(bone, axis=1, keepdims=True)
        result[:, child] = result[:, parent] + bone
    return result


def drawn(joints: np.ndarray, azimuth: float, noise: float = 0.0) -> np.ndarray:
    """Joints ``[..., 23, 3]`` seen by a level camera without perspective, pixels."""
    turned = joints @ from_vector([0, 0, -azimuth]).T
    points = np.stack([turned[..., 0], -turned[..., 2]], axis=-1) * SCALE + (200, 220)
    size = np.ptp(points, axis=-2).max(axis=-1)[..., None, None]
    return points + noise * size * np.random.default_rng(0).normal(size=points.shape)


def posed(armature: bpy.types.Object) -> np.ndarray:
    """``[23, 3]`` metres, world space."""
    bpy.context.view_layer.update()
    rig = rig_from_armature(armature)
    bones = (rig.names[rig.mapping[name]] for name in skeleton.KEYPOINTS)
    return np.array([armature.matrix_world @ armature.pose.bones[bone].head for bone in bones])


def contents() -> dict[str, list[str]]:
    kinds = ("objects", "armatures", "meshes", "cameras", "images", "actions")
    return {kind: [block.name for block in getattr(bpy.data, kind)] for kind in kinds}


def depths(joints: np.ndarray) -> np.ndarray:
    """``[F, 22]`` how far each bone's direction leaves the picture of a camera in front."""
    ends = joints[:, np.array(skeleton.BONES)]
    bones = ends[:, :, 1] - ends[:, :, 0]
    return (bones / np.linalg.norm(bones, axis=-1, keepdims=True))[..., 1]


@pytest.mark.parametrize("name", ["Dance Charleston", "Throw Object", "Fighting Left Jab"])
def test_depth_flickers_less_and_the_picture_stays(name: str, tmp_path: Path) -> None:
    armature = add_mannequin(bpy.context)
    rig = rig_from_armature(armature)
    truth = clip(rig, name, 8)
    points = drawn(truth, np.radians(40), noise=0.02)
    drawings = [sequence.Drawing(image, 1 + 2 * i) for i, image in enumerate(pages(tmp_path, 8))]
    estimator: Any = KnownJoints(points)
    result = run(drawings, estimator, armature)
    together = []
    for drawing in drawings:
        bpy.context.scene.frame_set(drawing.frame)
        together.append(posed(armature))
    alone = [solve(rig, p, np.full(23, 0.9), lift(p, np.full(23, 0.9)), size=SIZE) for p in points]
    jitter = [
        float(np.abs(np.diff(depths(np.array(joints)), n=2, axis=0)).mean())
        for joints in ([one.joints for one in alone], together)
    ]
    misses = [
        100
        * float(np.median(np.linalg.norm([s.projected for s in solutions] - points, axis=-1)))
        / (SCALE * rig.height)
        for solutions in (alone, result.solutions)
    ]
    errors = [
        100
        * float(np.mean([pa_mpjpe(a, b) for a, b in zip(joints, truth, strict=True)]))
        / rig.height
        for joints in ([one.joints for one in alone], together)
    ]
    print(
        f"\n{name}: jitter in depth {jitter[0]:.3f} -> {jitter[1]:.3f}, re-projection "
        f"{misses[0]:.2f} -> {misses[1]:.2f} %, PA-MPJPE {errors[0]:.2f} -> {errors[1]:.2f} %"
    )
    assert jitter[1] < 0.7 * jitter[0]
    assert misses[1] < misses[0] + 0.5
    assert errors[1] < errors[0] + 0.3


@pytest.fixture
def several(tmp_path: Path) -> tuple[list[sequence.Drawing], Any, bpy.types.Object]:
    """Five drawings of a clip, their estimator, and the mannequin."""
    armature = add_mannequin(bpy.context)
    points = drawn(clip(rig_from_armature(armature), "Dance Charleston", 5), 0.5)
    images = pages(tmp_path, 5)
    drawings = [sequence.Drawing(image, 1 + 5 * i) for i, image in enumerate(images)]
    return drawings, KnownJoints(points), armature


def run(drawings: list[sequence.Drawing], estimator: Any, armature: Any) -> Any:
    return sequence.finish(
        sequence.pose_sequence(bpy.context, drawings, armature, estimator=estimator)
    )


def test_keyframes_cameras_and_drawings_stand_at_their_frames(several: Any) -> None:
    drawings, estimator, armature = several
    result = run(drawings, estimator, armature)
    action = armature.animation_data.action
    assert tuple(action.frame_range) == (1, 21)
    scene = bpy.context.scene
    for drawing, solution in zip(drawings, result.solutions, strict=True):
        scene.frame_set(drawing.frame)
        np.testing.assert_allclose(posed(armature), solution.joints, atol=1e-3)
        shown = [o for o in scene.objects if o.type == "EMPTY" and not o.hide_viewport]
        assert [thing.data for thing in shown] == [drawing.image]
    markers = {marker.frame for marker in scene.timeline_markers}
    run(drawings, estimator, armature)
    assert {marker.frame for marker in scene.timeline_markers} == markers
    assert len(scene.timeline_markers) == len(drawings)


def test_bones_that_are_held_are_named(several: Any) -> None:
    drawings, estimator, armature = several
    assert run(drawings, estimator, armature).held == ""
    bone = armature.pose.bones["mixamorig:LeftUpLeg"]
    bone.constraints.new("LIMIT_ROTATION").use_limit_x = True
    held = run(drawings, estimator, armature).held
    assert "constraints" in held and bone.name in held


def test_a_correction_stays_and_its_neighbours_follow(several: Any) -> None:
    drawings, estimator, armature = several
    before = run(drawings, estimator, armature)
    scene = bpy.context.scene
    scene.frame_set(drawings[2].frame)
    # The animator swings the left arm backwards.
    bone = armature.pose.bones["mixamorig:LeftArm"]
    turn = Matrix.Rotation(0.9, 4, "X")
    place = bone.matrix.translation.copy()
    bone.matrix = Matrix.Translation(place) @ turn @ Matrix.Translation(-place) @ bone.matrix
    bpy.context.view_layer.update()
    bone.keyframe_insert("rotation_quaternion")
    by_hand = posed(armature)
    directions = sequence.correction_from_pose(bpy.context, armature, drawings[2])
    drawings[2] = sequence.Drawing(drawings[2].image, drawings[2].frame, correction=directions)
    after = run(drawings, estimator, armature)
    scene.frame_set(drawings[2].frame)
    np.testing.assert_allclose(posed(armature), by_hand, atol=1e-4)
    assert 2 not in after.suggested
    elbow = skeleton.INDEX["LeftForeArm"]
    arm = skeleton.INDEX["LeftArm"]
    moved = [
        np.linalg.norm((a.joints[elbow] - a.joints[arm]) - (b.joints[elbow] - b.joints[arm]))
        for a, b in zip(after.solutions, before.solutions, strict=True)
    ]
    assert moved[1] > 0.02 and moved[3] > 0.02


def test_a_drawing_that_cannot_be_read_is_named_and_changes_nothing(
    several: Any, tmp_path: Path
) -> None:
    drawings, estimator, armature = several
    estimator.keypoints = estimator.keypoints[:3]
    before, pose = contents(), posed(armature)
    for work in (sequence.pose_sequence, sequence.pose_from_sheet):
        with pytest.raises(UserError, match="“key4.png”: nothing is drawn"):
            sequence.finish(work(bpy.context, drawings, armature, estimator=estimator))
    assert contents() == before
    np.testing.assert_array_equal(posed(armature), pose)
    assert armature.animation_data is None


@pytest.mark.parametrize("work", [sequence.pose_sequence, sequence.pose_from_sheet])
def test_stopped_before_the_last_step_nothing_has_changed(several: Any, work: Any) -> None:
    drawings, estimator, armature = several
    before, pose = contents(), posed(armature)
    steps = work(bpy.context, drawings, armature, estimator=estimator)
    told = [next(steps)]
    while told[-1].done < told[-1].total - 1:
        told.append(next(steps))
    steps.close()
    assert [step.done for step in told] == list(range(told[0].total))
    assert [step.message for step in told[:5]] == [f"Reading “key{i}.png”" for i in range(1, 6)]
    assert contents() == before
    np.testing.assert_array_equal(posed(armature), pose)
    assert armature.animation_data is None


def test_a_deleted_drawing_stops_a_sequence_in_one_sentence(several: Any) -> None:
    drawings, estimator, armature = several
    steps = sequence.pose_sequence(bpy.context, drawings, armature, estimator=estimator)
    next(steps)
    bpy.data.images.remove(drawings[3].image)
    pose = posed(armature)
    with pytest.raises(UserError, match="was deleted meanwhile"):
        sequence.finish(steps)
    np.testing.assert_array_equal(posed(armature), pose)


def test_two_drawings_at_one_frame_are_named(several: Any) -> None:
    drawings, estimator, armature = several
    drawings[1] = sequence.Drawing(drawings[1].image, drawings[0].frame)
    with pytest.raises(UserError, match="are both at frame 1"):
        run(drawings, estimator, armature)


def test_a_model_sheet_poses_the_mannequin(tmp_path: Path) -> None:
    armature = add_mannequin(bpy.context)
    rig = rig_from_armature(armature)
    truth = clip(rig, "Throw Object", 5)[4]
    sides = np.radians([0.0, 45.0, 90.0, 180.0])
    points = np.array([drawn(truth, side) for side in sides])
    points[2, skeleton.INDEX["LeftHand"]] += 90  # one wrong joint
    drawings = [
        sequence.Drawing(image, azimuth=side)
        for image, side in zip(pages(tmp_path, 4), sides.tolist(), strict=True)
    ]
    estimator: Any = KnownJoints(points)
    result = sequence.finish(
        sequence.pose_from_sheet(bpy.context, drawings, armature, estimator=estimator)
    )
    off = 100 * pa_mpjpe(posed(armature), truth) / rig.height
    alone = solve(rig, points[0], np.ones(23), size=SIZE)
    print(
        f"\nmodel sheet: {off:.2f} %, {100 * pa_mpjpe(alone.joints, truth) / rig.height:.2f} alone"
    )
    assert off < 2.5
    assert "LeftHand in “key3.png”" in result.summary()
    # Every drawing's camera sees the character where it is drawn.
    cameras = [o for o in bpy.context.scene.objects if o.type == "CAMERA"]
    assert len(cameras) == 4 and bpy.context.scene.camera in cameras
    for row, side in enumerate(sides):
        view = sequence._camera(result.sheet, row, result.solution, SIZE, rig)
        misses = np.linalg.norm(view.project(result.solution.joints) - points[row], axis=1)
        assert np.median(misses) < 0.03 * SCALE * rig.height, np.degrees(side)


@pytest.mark.parametrize("stretch", [False, True])
def test_a_model_sheet_tells_how_long_limbs_are(tmp_path: Path, stretch: bool) -> None:
    armature = add_mannequin(bpy.context)
    rig = rig_from_armature(armature)
    truth = clip(rig, "Throw Object", 5)[4]
    for side in ("Left", "Right"):  # upper arms and forearms, a quarter longer
        shoulder, *arm = (skeleton.INDEX[side + name] for name in ("Arm", "ForeArm", "Hand"))
        truth[arm] = truth[shoulder] + 1.25 * (truth[arm] - truth[shoulder])
    sides = [0.0, np.pi / 4, np.pi / 2, np.pi]
    points = np.array([drawn(truth, side) for side in sides])
    drawings = [
        sequence.Drawing(image, azimuth=side)
        for image, side in zip(pages(tmp_path, 4), sides, strict=True)
    ]
    estimator: Any = KnownJoints(points)
    sequence.finish(
        sequence.pose_from_sheet(
            bpy.context, drawings, armature, estimator=estimator, stretch=stretch
        )
    )
    now = posed(armature)
    for start, end, longer in (
        ("LeftArm", "LeftForeArm", 1.25),
        ("RightForeArm", "RightHand", 1.25),
        ("LeftUpLeg", "LeftLeg", 1.0),
    ):
        length, rest = (
            np.linalg.norm(joints[skeleton.INDEX[end]] - joints[skeleton.INDEX[start]])
            for joints in (now, rig.joints)
        )
        # The usual proportions count, too, and hold the arms back a little.
        assert length / rest == pytest.approx(longer if stretch else 1.0, abs=0.07)


def test_a_model_sheet_leaves_limbs_with_controls_as_long_as_they_are(
    rigify: bpy.types.Object, tmp_path: Path
) -> None:
    truth = clip(rig_from_armature(add_mannequin(bpy.context)), "Throw Object", 5)[4]
    drawings = [
        sequence.Drawing(image, azimuth=side)
        for image, side in zip(pages(tmp_path, 2), (0.0, np.pi / 2), strict=True)
    ]
    estimator: Any = KnownJoints(np.array([drawn(truth, side) for side in (0.0, np.pi / 2)]))
    result = sequence.finish(
        sequence.pose_from_sheet(bpy.context, drawings, rigify, estimator=estimator, stretch=True)
    )
    assert "The limbs of a rig with controls keep their lengths." in result.summary()


def test_corrections_survive_in_the_file() -> None:
    directions = np.random.default_rng(0).normal(size=(22, 3))
    again = sequence.correction_from_json(sequence.correction_to_json(directions))
    assert again is not None
    np.testing.assert_allclose(again, directions, atol=1e-5)
    assert sequence.correction_from_json("") is None


class TestPanel:
    """The list and its buttons."""

    @pytest.fixture(autouse=True)
    def panel(
        self, registered: None, monkeypatch: pytest.MonkeyPatch, several: Any, tmp_path: Path
    ) -> None:
        drawings, self.estimator, self.armature = several
        for drawing in drawings:
            bpy.data.images.remove(drawing.image)
        self.folder = tmp_path
        monkeypatch.setattr(
            "addon.operators.sequence.make_estimator", lambda _context: self.estimator
        )

    def add(self, *names: str) -> Any:
        files = [{"name": name} for name in names]
        return bpy.ops.croquis.add_drawings(directory=str(self.folder), files=files)

    def test_files_are_added_in_order_and_frames_follow(self) -> None:
        several = bpy.context.scene.croquis.several
        assert self.add("key3.png", "key1.png", "key2.png") == {"FINISHED"}
        assert [item.image.name for item in several.drawings] == [
            "key1.png",
            "key2.png",
            "key3.png",
        ]
        assert [item.frame for item in several.drawings] == [1, 11, 21]
        bpy.ops.croquis.move_drawing(direction="UP")
        assert [item.image.name for item in several.drawings][1] == "key3.png"
        assert [item.frame for item in several.drawings] == [1, 11, 21]
        bpy.ops.croquis.remove_drawing()
        assert [item.image.name for item in several.drawings] == ["key1.png", "key2.png"]

    def test_a_file_that_is_no_picture_adds_nothing(self) -> None:
        (self.folder / "notes.png").write_text("no picture")
        with pytest.raises(RuntimeError, match="notes.png is damaged or is not a picture"):
            self.add("key1.png", "notes.png")
        assert not bpy.context.scene.croquis.several.drawings
        assert "key1.png" not in bpy.data.images

    def test_the_sequence_is_keyed(self) -> None:
        with pytest.raises(RuntimeError, match="Add drawings first"):
            bpy.ops.croquis.pose_sequence()
        self.add(*(f"key{i}.png" for i in range(1, 6)))
        settings = bpy.context.scene.croquis
        settings.armature = self.armature
        assert bpy.ops.croquis.pose_sequence() == {"FINISHED"}
        assert tuple(self.armature.animation_data.action.frame_range) == (1, 41)
        items = settings.several.drawings
        assert any(item.suggested for item in items)
        settings.several.active = 2
        assert bpy.context.scene.frame_current == items[2].frame
        assert bpy.ops.croquis.keep_correction() == {"FINISHED"}
        assert items[2].correction and not items[2].suggested
        assert bpy.ops.croquis.pose_sequence() == {"FINISHED"}
        bpy.ops.croquis.clear_correction()
        assert not items[2].correction

    def test_one_undo_takes_the_sequence_back(self) -> None:
        self.add(*(f"key{i}.png" for i in range(1, 4)))
        bpy.context.scene.croquis.armature = self.armature
        name = self.armature.name
        bpy.ops.ed.undo_push(message="before")
        before = contents()
        bpy.ops.croquis.pose_sequence()
        bpy.ops.ed.undo_push(message="Pose Sequence")
        assert contents() != before
        bpy.ops.ed.undo()
        assert contents() == before
        assert bpy.data.objects[name].animation_data is None

    def test_the_sheet_finds_its_angles(self) -> None:
        joints = clip(rig_from_armature(self.armature), "Throw Object", 5)[4]
        self.estimator.keypoints = np.array([drawn(joints, side) for side in (0.0, 0.8, 1.6)])
        self.add("key1.png")
        with pytest.raises(RuntimeError, match="two drawings of the pose or more"):
            bpy.ops.croquis.pose_from_sheet()
        self.add("key2.png", "key3.png")
        assert bpy.ops.croquis.pose_from_sheet() == {"FINISHED"}
        angles = [item.angle for item in bpy.context.scene.croquis.several.drawings]
        np.testing.assert_allclose(np.diff(angles), 0.8, atol=0.1)
        assert bpy.context.scene.croquis.armature
