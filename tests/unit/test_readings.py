"""The readings of a figure: what flips do, how they are ranked, and how likely they are."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.core import lift, skeleton
from addon.core.estimator import Sides
from addon.core.readings import LIFTED, LIMBS, PAIRS, Reading, Readings
from tests.unit.test_lift import SCORES, drawings, figure

BONES = {
    name: [skeleton.BONES.index((skeleton.INDEX[a], skeleton.INDEX[b])) for a, b in pairs]
    for name, pairs in {
        "Trunk": [("Hips", "Spine"), ("Spine", "Spine1"), ("Spine1", "Spine2"), ("Spine2", "Neck")],
        **{
            side + start: [(side + start, side + end)]
            for side in ("Left", "Right")
            for start, end in (
                ("Arm", "ForeArm"),
                ("ForeArm", "Hand"),
                ("UpLeg", "Leg"),
                ("Leg", "Foot"),
            )
        },
    }.items()
}
readings_of_figure = st.builds(
    Reading.of, st.sets(st.sampled_from(LIMBS)), st.sets(st.sampled_from(PAIRS))
)


@settings(deadline=None, max_examples=30)
@given(drawings(), readings_of_figure, st.sampled_from(LIMBS))
def test_two_flips_are_none(points: np.ndarray, reading: Reading, limb: str) -> None:
    readings = Readings(points, SCORES, Sides(0.8, 0.7))
    once = readings.flip(reading, limb)
    assert once != reading
    assert readings.flip(once, limb) == reading
    assert readings.behind(once, limb) != readings.behind(reading, limb)


@settings(deadline=None, max_examples=30)
@given(drawings(), readings_of_figure, st.sampled_from(LIMBS))
def test_front_and_back_are_all(points: np.ndarray, reading: Reading, limb: str) -> None:
    readings = Readings(points, SCORES, Sides(0.8, 0.7))
    other = readings.flip(reading, limb)
    total = readings.certainty(reading, limb) + readings.certainty(other, limb)
    assert total == pytest.approx(1)


@settings(deadline=None, max_examples=10)
@given(drawings(), st.floats(0, 1), st.floats(0, 1))
def test_every_reading_comes_once_the_likeliest_first(
    points: np.ndarray, arms: float, legs: float
) -> None:
    readings = Readings(points, SCORES, Sides(arms, legs))
    ranked = list(readings.ranked())
    chances = [one.probability for one in ranked]
    assert chances == sorted(chances, reverse=True)
    assert sum(chances) == pytest.approx(1)
    assert len({one.reading for one in ranked}) == len(ranked)
    for one in ranked[:20]:
        assert readings.probability(one.reading) == pytest.approx(one.probability)
    for pair, sure in zip(PAIRS, readings.sides(LIFTED), strict=True):
        kept = sum(one.probability for one in ranked if pair not in one.reading.swapped)
        assert kept == pytest.approx(sure)


@settings(deadline=None, max_examples=20)
@given(drawings(), st.sampled_from(LIMBS[1:]))
def test_a_flip_goes_through_the_picture_plane(points: np.ndarray, limb: str) -> None:
    readings = Readings(points, SCORES, Sides(1, 1))
    before = readings.lifted(LIFTED).directions
    after = readings.lifted(Reading.of([limb], [])).directions
    (row,) = BONES[limb]
    assert before[row, 2] * after[row, 2] < 0
    flat = [unit / np.linalg.norm(unit) for unit in (before[row, :2], after[row, :2])]
    np.testing.assert_allclose(flat[0], flat[1], atol=1e-6)
    others = np.arange(len(before)) != row
    np.testing.assert_array_equal(before[others], after[others])
    np.testing.assert_allclose(np.linalg.norm(after, axis=1), 1, atol=1e-6)


@settings(deadline=None, max_examples=20)
@given(drawings(), readings_of_figure)
def test_elbows_and_knees_close_about_their_axes(points: np.ndarray, reading: Reading) -> None:
    lifted = Readings(points, SCORES, Sides(1, 1)).lifted(reading)
    for upper, lower in (("LeftArm", "LeftForeArm"), ("RightUpLeg", "RightLeg")):
        if not reading.flipped & {upper, lower}:
            continue
        axis = lifted.axes[lift.AXES.index(lower)]
        bend = np.cross(*(lifted.directions[BONES[name][0]] for name in (upper, lower)))
        if np.linalg.norm(bend) > 0.25:
            assert axis @ bend > 0
        assert np.linalg.norm(axis) == pytest.approx(1)


@settings(deadline=None, max_examples=20)
@given(drawings())
def test_swapped_keypoints_read_like_the_estimators_mistake(points: np.ndarray) -> None:
    swapped = skeleton.swap_sides(points, PAIRS)
    one, other = (
        Readings(points, SCORES, Sides(0.9, 0.9)),
        Readings(swapped, SCORES, Sides(0.1, 0.1)),
    )
    for ranked in islice(one.ranked(), 5):
        twin = Reading(ranked.reading.flipped, ranked.reading.swapped ^ {*PAIRS})
        assert other.probability(twin) == pytest.approx(ranked.probability)
        np.testing.assert_allclose(
            one.lifted(ranked.reading).directions, other.lifted(twin).directions, atol=1e-6
        )


def test_the_estimator_can_be_overruled_only_where_it_doubts() -> None:
    points = skeleton.swap_sides(
        figure(), PAIRS
    )  # a figure from the front, taken for one from behind
    chances = [
        Readings(points, SCORES, Sides(sure, sure)).sides(LIFTED).arms for sure in (0.01, 0.5, 0.99)
    ]
    assert chances == sorted(chances)
    assert chances[0] < 0.3
    assert chances[-1] > 0.7


def test_unsure_joints_say_little_about_left_and_right() -> None:
    """Whichever way a figure looks familiar, the estimator has the more to say the less it does."""
    rng = np.random.default_rng(5)
    points = figure() + rng.normal(scale=4, size=(23, 2))  # one that is not quite a body
    estimator = Sides(0.7, 0.6)
    away = [
        np.abs(
            np.subtract(Readings(points, score * SCORES, estimator).sides(LIFTED), estimator)
        ).max()
        for score in (1.0, 0.7, 0.4)
    ]
    assert away[0] > 0.05
    assert away == sorted(away, reverse=True)
    assert away[2] < 0.02


def test_facing_changes_with_left_and_right() -> None:
    readings = Readings(figure(), SCORES, Sides(0.99, 0.99))
    assert readings.faces_us(LIFTED)
    assert readings.facing_certainty(LIFTED) > 0.7
    mirrored = readings.mirror(LIFTED)
    assert mirrored.swapped == {*PAIRS}
    assert not readings.faces_us(mirrored)
    total = readings.facing_certainty(LIFTED) + readings.facing_certainty(mirrored)
    assert total == pytest.approx(1)
    assert readings.mirror(mirrored).swapped == frozenset()


def test_knees_bend_backwards_only() -> None:
    """A raised knee, seen from the front: thigh towards us, shin away."""
    points = figure()
    hip, knee, ankle = (skeleton.INDEX["Left" + name] for name in ("UpLeg", "Leg", "Foot"))
    toes = skeleton.INDEX["LeftToeBase"]
    points[[knee, ankle, toes]] = points[hip] + np.array([[5, 20], [5, 75], [8, 90]])
    readings = Readings(points, SCORES, Sides(1, 1))
    assert not readings.behind(readings.first, "LeftUpLeg")
    assert readings.is_possible(readings.first)
    backwards = Reading(readings.first.flipped ^ {"LeftUpLeg", "LeftLeg"})
    assert readings.behind(readings.first, "LeftLeg")
    assert not readings.is_possible(backwards)
    assert readings.probability(backwards) < 0.01
    assert "LeftLeg" not in readings.flip(LIFTED, "LeftUpLeg").flipped


def test_leafing_is_a_ring() -> None:
    readings = Readings(figure(), SCORES, Sides(0.7, 0.7))
    reading = readings.first
    for place in range(1, len(readings.listed) + 1):
        assert readings.position(reading) == place
        assert readings.next(readings.next(reading, 1), -1) == reading
        reading = readings.next(reading, 1)
    assert reading == readings.first


def test_a_reading_of_the_artists_own_has_neighbours() -> None:
    readings = Readings(figure(), SCORES, Sides(0.7, 0.7))
    own = Reading.of(LIMBS, PAIRS)
    assert readings.position(own) == 0
    assert readings.next(own, -1) == readings.listed[-1].reading
    assert readings.next(own, 1) == readings.first


def test_listed_poses_differ() -> None:
    readings = Readings(figure(), SCORES, Sides(0.7, 0.7))
    poses = [readings.lifted(ranked.reading) for ranked in readings.listed]
    for i, one in enumerate(poses):
        for other in poses[:i]:
            vectors = [np.concatenate([p.directions, p.axes[1:3]]) for p in (one, other)]
            assert (vectors[0] * vectors[1]).sum(axis=1).min() < np.cos(np.radians(19))


@settings(deadline=None, max_examples=20)
@given(drawings(), st.sets(st.integers(0, skeleton.COUNT - 1)), st.sampled_from([np.nan, 0.0]))
def test_whatever_is_missing_readings_are_finite(
    points: np.ndarray, missing: set[int], score: float
) -> None:
    scores = SCORES.copy()
    scores[list(missing)] = score
    points[list(missing)] = np.nan
    readings = Readings(points, scores, Sides(np.nan, 0.5))
    for ranked in readings.listed:
        lifted = readings.lifted(ranked.reading)
        assert np.isfinite(lifted.directions).all() and np.isfinite(lifted.axes).all()
        assert np.isfinite(ranked.probability)


def test_half_space_agrees_with_counting() -> None:
    """Against vectors drawn from the distribution (Ulrich's method, in three dimensions exact)."""
    rng = np.random.default_rng(0)
    kappa, angle = np.array([0.5, 3.0, 20.0, 120.0]), np.radians([80.0, 70.0, 95.0, 93.0])
    for k, a, share in zip(kappa, angle, lift.halfspace(kappa, np.cos(angle)), strict=True):
        along = 1 + np.log(rng.random(200_000) * (1 - np.exp(-2 * k)) + np.exp(-2 * k)) / k
        across = np.sqrt(1 - along**2) * np.cos(rng.uniform(0, 2 * np.pi, len(along)))
        heights = along * np.cos(a) + across * np.sin(a)
        assert share == pytest.approx((heights > 0).mean(), abs=0.005)


def test_concentration_is_the_way_back() -> None:
    kappa = np.array([0.1, 1.0, 5.0, 30.0, 200.0])
    np.testing.assert_allclose(
        lift.concentration(lift.mean_resultant_length(kappa)), kappa, rtol=0.05
    )
