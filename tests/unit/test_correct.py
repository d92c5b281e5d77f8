"""Corrected keypoints: what is certain, what is left out, what comes back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.core import correct, skeleton
from addon.core.estimator import Sides
from addon.core.image import Box
from addon.core.posing import pose_reading
from addon.core.readings import LIFTED, LIMBS, PAIRS, Reading, Readings
from addon.core.remembered import Keypoint, Remembered
from addon.core.solve import pose_matrices
from tests.unit.synthetic import RIG
from tests.unit.test_lift import SCORES, drawings

JOINTS = st.sampled_from(skeleton.KEYPOINTS)
PLACES = st.tuples(st.floats(-500, 2000, width=32), st.floats(-500, 2000, width=32))
READINGS = st.sets(st.sampled_from(PAIRS)).map(lambda pairs: Reading.of((), pairs))


def drawing(reading: Reading = LIFTED) -> Remembered:
    rng = np.random.default_rng(5)
    keypoints = rng.uniform(0, 900, (skeleton.COUNT, 2)).astype(np.float32)
    keypoints[skeleton.INDEX["LeftToeBase"]] = np.nan
    scores = rng.uniform(0.1, 0.9, skeleton.COUNT).astype(np.float32)
    box = Box(10.0, 20.0, 300.0, 640.0)
    return Remembered(keypoints, scores, Sides(0.9, 0.4), box, (640, 960), "page.png", reading)


def assert_same(one: Remembered, other: Remembered) -> None:
    np.testing.assert_array_equal(one.keypoints, other.keypoints)
    np.testing.assert_array_equal(one.scores, other.scores)
    assert one.found.keys() == other.found.keys()


@given(JOINTS, PLACES, READINGS)
def test_a_moved_joint_is_certain_and_the_others_stay(
    joint: str, place: tuple[float, float], reading: Reading
) -> None:
    before = drawing(reading)
    after = correct.move(before, joint, place)
    points, scores = correct.as_read(after)
    row = skeleton.INDEX[joint]
    np.testing.assert_array_equal(points[row], np.array(place, np.float32))
    assert scores[row] == 1
    others = [i for i in range(skeleton.COUNT) if i != row]
    for now, was in zip((points, scores), correct.as_read(before), strict=True):
        np.testing.assert_array_equal(now[others], was[others])
    assert correct.corrected_joints(after) == [joint]


@given(st.lists(st.tuples(JOINTS, PLACES, st.booleans()), max_size=6), READINGS)
def test_reset_brings_back_what_the_network_found(
    edits: list[tuple[str, tuple[float, float], bool]], reading: Reading
) -> None:
    before = now = drawing(reading)
    for joint, place, hidden in edits:
        now = correct.hide(now, joint) if hidden else correct.move(now, joint, place)
    assert_same(correct.reset(now, skeleton.KEYPOINTS), before)
    restored = Remembered.from_json(now.to_json())  # saved and loaded in between
    assert restored is not None
    again = correct.reset(restored, skeleton.KEYPOINTS)
    np.testing.assert_allclose(again.keypoints, before.keypoints, atol=1e-3)
    np.testing.assert_allclose(again.scores, before.scores, atol=1e-3)


@given(JOINTS)
def test_a_hidden_joint_comes_back_as_it_was(joint: str) -> None:
    before = drawing()
    hidden = correct.hide(before, joint)
    assert hidden.scores[skeleton.INDEX[joint]] == 0
    assert_same(correct.show(hidden, joint), before)
    assert_same(correct.show(before, joint), before)  # it was not hidden


def test_a_moved_joint_that_was_hidden_comes_back_where_it_was_put() -> None:
    moved = correct.move(drawing(), "RightHand", (40, 50))
    shown = correct.show(correct.hide(moved, "RightHand"), "RightHand")
    assert_same(shown, moved)


def test_corrections_belong_to_what_is_drawn_not_to_its_side() -> None:
    moved = correct.move(drawing(), "LeftHand", (40, 50))
    mirrored = replace(moved, reading=Reading.of((), PAIRS))
    assert correct.corrected_joints(mirrored) == ["RightHand"]
    points, _ = correct.as_read(mirrored)
    np.testing.assert_array_equal(points[skeleton.INDEX["RightHand"]], (40, 50))


def test_a_new_estimate_of_the_same_figure_keeps_corrections() -> None:
    before = correct.hide(correct.move(drawing(), "LeftHand", (40, 50)), "Head")
    fresh = drawing(Reading.of(["LeftArm"], ["Legs"]))
    assert_same(correct.keep_corrections(fresh, before), before)
    for other in (
        replace(before, image="other.png"),
        replace(before, size=(640, 961)),
        replace(before, box=Box(10.0, 20.0, 301.0, 640.0)),
        None,
    ):
        assert correct.keep_corrections(fresh, other) is fresh


def test_kept_corrections_can_be_taken_back_to_the_new_estimate() -> None:
    before = correct.move(drawing(), "LeftHand", (40, 50))
    fresh = replace(drawing(), scores=drawing().scores / 2)
    kept = correct.keep_corrections(fresh, before)
    assert_same(correct.reset(kept, ["LeftHand"]), fresh)
    assert isinstance(kept.found["LeftHand"], Keypoint)


@pytest.mark.parametrize(
    ("joints", "turned"),
    [
        (["LeftHand"], ["LeftArm", "LeftForeArm"]),
        (["RightForeArm"], ["RightArm", "RightForeArm"]),
        (["LeftToeBase"], ["LeftFoot"]),
        (
            ["RightFoot", "LeftHand"],
            ["LeftArm", "LeftForeArm", "RightUpLeg", "RightLeg", "RightFoot"],
        ),
        (["HeadTop_End"], ["Head"]),
        (["Head"], ["Neck", "Head"]),
        (["Hips"], None),
        (["LeftHand", "LeftUpLeg"], None),
        ([], []),
    ],
)
def test_what_follows_a_joint(joints: list[str], turned: list[str] | None) -> None:
    assert correct.joints_that_turn(joints) == turned


@settings(deadline=None, max_examples=30)
@given(drawings(), st.sets(st.sampled_from(LIMBS)), JOINTS, PLACES)
def test_flipped_limbs_keep_their_sides(
    points: np.ndarray, flipped: set[str], joint: str, place: tuple[float, float]
) -> None:
    sides = Sides(1.0, 1.0)
    moved = points.copy()
    moved[skeleton.INDEX[joint]] = place
    before, after = (Readings(one, SCORES, sides) for one in (points, moved))
    reading = Reading.of(flipped, ())
    kept = correct.same_sides(reading, before, after)
    for limb in flipped:
        assert after.behind(kept, limb) == before.behind(reading, limb)
    assert correct.same_sides(reading, before, before) == reading


@settings(deadline=None, max_examples=15)
@given(drawings(), st.sets(st.sampled_from(LIMBS)), st.sampled_from(["LeftHand", "RightFoot"]))
def test_bones_do_not_depend_on_other_flipped_limbs(
    points: np.ndarray, flipped: set[str], joint: str
) -> None:
    readings, reading = Readings(points, SCORES, Sides(1.0, 1.0)), Reading.of(flipped, ())
    turned = correct.joints_that_turn([joint])
    assert turned
    shorter = correct.reading_for(reading, turned)
    assert correct.reading_for(reading, None) == reading
    assert len(shorter.flipped) < len(reading.flipped) or shorter == reading
    poses = [
        pose_matrices(RIG, pose_reading(RIG, readings, one, size=(400, 300)))
        for one in (reading, shorter)
    ]
    rows = [RIG.mapping[name] for name in turned]
    one, other = (pose[rows, :3, :3] for pose in poses)
    np.testing.assert_allclose(one, other, atol=1e-9)
