from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.core import lift, skeleton
from addon.core.rotations import from_vector

FRONT = {  # a figure that faces the drawing's reader, in units of its height, y down
    "Hips": (0, 0),
    "Spine": (0, -0.06),
    "Spine1": (0, -0.13),
    "Spine2": (0, -0.2),
    "Neck": (0, -0.29),
    "Head": (0, -0.35),
    "HeadTop_End": (0, -0.5),
    "LeftShoulder": (0.04, -0.27),
    "LeftArm": (0.11, -0.26),
    "LeftForeArm": (0.15, -0.1),
    "LeftHand": (0.16, 0.05),
    "LeftUpLeg": (0.06, 0.03),
    "LeftLeg": (0.07, 0.26),
    "LeftFoot": (0.07, 0.48),
    "LeftToeBase": (0.09, 0.52),
}
SCORES = np.ones(skeleton.COUNT)


def figure() -> np.ndarray:
    points = np.zeros((skeleton.COUNT, 2))
    for name, (x, y) in FRONT.items():
        points[skeleton.INDEX[name]] = x, y
        points[skeleton.FLIP[skeleton.INDEX[name]]] = (-x, y) if name.startswith("Left") else (x, y)
    return points * 300 + 200


@st.composite
def drawings(draw: st.DrawFn) -> np.ndarray:
    """The figure with each joint moved at random."""
    seed = draw(st.integers(0, 2**32 - 1))
    return figure() + np.random.default_rng(seed).normal(scale=25, size=(skeleton.COUNT, 2))


def same(a: lift.Lifted, b: lift.Lifted, turn: np.ndarray | None = None) -> None:
    turn = np.eye(3) if turn is None else turn
    np.testing.assert_allclose(b.directions, a.directions @ turn.T, atol=1e-4)
    np.testing.assert_allclose(b.axes, a.axes @ turn.T, atol=1e-4)
    np.testing.assert_allclose(b.certainty, a.certainty, atol=1e-4)


@settings(deadline=None)
@given(drawings(), st.floats(-1000, 1000), st.floats(-1000, 1000), st.floats(0.05, 50))
def test_place_and_size_of_the_drawing_do_not_matter(
    points: np.ndarray, x: float, y: float, scale: float
) -> None:
    same(lift.lift(points, SCORES), lift.lift(points * scale + (x, y), SCORES))


@settings(deadline=None)
@given(drawings(), st.floats(-np.pi, np.pi))
def test_the_reading_turns_with_the_drawing(points: np.ndarray, angle: float) -> None:
    turn = from_vector([0, 0, angle])
    same(lift.lift(points, SCORES), lift.lift(points @ turn[:2, :2].T, SCORES), turn)


@settings(deadline=None)
@given(drawings())
def test_the_mirrored_drawing_gives_the_mirrored_reading(points: np.ndarray) -> None:
    seen = lift.lift(points, SCORES)
    other = lift.lift(points[list(skeleton.FLIP)] * (-1, 1), SCORES)
    mirrored = lift.mirror(np.concatenate([seen.directions, seen.axes]))
    np.testing.assert_allclose(np.concatenate([other.directions, other.axes]), mirrored, atol=1e-4)


def test_mirroring_twice_changes_nothing() -> None:
    vectors = np.random.default_rng(0).normal(size=(30, 3))
    np.testing.assert_array_equal(lift.mirror(lift.mirror(vectors)), vectors)


@settings(deadline=None)
@given(drawings(), st.sets(st.integers(0, 22)), st.booleans())
def test_missing_joints_are_not_read(points: np.ndarray, missing: set[int], nan: bool) -> None:
    rows = sorted(missing)
    scores = SCORES.copy()
    spoiled = points.copy()
    spoiled[rows] = np.nan if nan else 1e6
    scores[rows] = np.nan if nan else 0
    seen, expected = (
        lift.lift(spoiled, scores),
        lift.lift(points, np.where(np.isnan(scores), 0, scores)),
    )
    same(expected, seen)
    for array in (seen.directions, seen.certainty, seen.axes, seen.axes_certainty):
        assert np.isfinite(array).all()
    np.testing.assert_allclose(np.linalg.norm(seen.directions, axis=1), 1, atol=1e-9)
    assert (seen.certainty >= 0).all() and (seen.certainty <= 1).all()


def test_coincident_points() -> None:
    seen = lift.lift(np.full((23, 2), 7.0), SCORES)
    assert np.isfinite(seen.directions).all() and np.isfinite(seen.certainty).all()


def test_a_standing_figure_stands() -> None:
    seen = lift.lift(figure(), SCORES)
    axes = dict(zip(lift.AXES, seen.axes, strict=True))
    assert axes["Up"][1] < -0.9
    # It faces the reader: its left is on the picture's right.
    for name in ("Hips", "Spine2", "Head"):
        assert axes[name][0] > 0.9, name
    bones = {
        skeleton.KEYPOINTS[child]: d
        for (_, child), d in zip(skeleton.BONES, seen.directions, strict=True)
    }
    assert bones["LeftLeg"][1] > 0.9 and bones["Spine1"][1] < -0.9
    # Feet point at the reader.
    assert bones["LeftToeBase"][2] < -0.3 and bones["RightToeBase"][2] < -0.3


def test_swapped_sides_show_the_back() -> None:
    seen = lift.lift(figure()[list(skeleton.FLIP)], SCORES)
    assert seen.axes[lift.AXES.index("Hips"), 0] < -0.9
    toes = [b for _, b in skeleton.BONES].index(skeleton.INDEX["LeftToeBase"])
    assert seen.directions[toes, 2] > 0.3


def test_a_missing_limb_makes_the_reading_less_certain() -> None:
    scores = SCORES.copy()
    scores[[skeleton.INDEX[n] for n in ("LeftForeArm", "LeftHand")]] = 0
    hand = [b for _, b in skeleton.BONES].index(skeleton.INDEX["LeftHand"])
    complete, lacking = lift.lift(figure(), SCORES), lift.lift(figure(), scores)
    assert lacking.certainty[hand] < complete.certainty[hand] - 0.1


@given(st.floats(1e-3, 500))
def test_mean_resultant_length_is_that_of_the_distribution(kappa: float) -> None:
    # Integrate cos(theta) over the density ~ exp(kappa cos(theta)) on the sphere.
    cosine = np.linspace(-1, 1, 200_001)
    density = np.exp(kappa * (cosine - 1))
    expected = (cosine * density).sum() / density.sum()
    assert lift.mean_resultant_length(np.array(kappa)) == pytest.approx(expected, abs=1e-3)


def test_bones_in_the_plane_are_drawn_as_they_are() -> None:
    points = figure()
    directions = lift.in_plane(points)
    lengths = [np.linalg.norm(points[b] - points[a]) for a, b in skeleton.BONES]
    joints = lift.place_bones(directions, lengths)
    np.testing.assert_allclose(joints[:, :2], points - points[0], atol=1e-9)
    assert not joints[:, 2].any()


def stick_figure(raised: float = 0.9) -> np.ndarray:
    """Pixels ``[23, 2]`` of a figure that faces us, its limbs spread, as children draw it."""
    place = {
        name: (0.0, float(y))
        for name, y in zip(
            ("Hips", "Spine", "Spine1", "Spine2", "Neck", "Head", "HeadTop_End"),
            (0, -10, -20, -32, -45, -55, -75),
            strict=True,
        )
    }
    for side, sign in (("Left", 1), ("Right", -1)):
        place[side + "Shoulder"] = place[side + "Arm"] = (0.0, -42.0)
        place[side + "ForeArm"] = (sign * 25.0, -42 - 10 * raised)
        place[side + "Hand"] = (sign * 48.0, -42 - 22 * raised)
        place[side + "UpLeg"] = (0.0, 0.0)
        place[side + "Leg"] = (sign * 15.0, 38.0)
        place[side + "Foot"] = place[side + "ToeBase"] = (sign * 28.0, 76.0)
    return np.array([place[name] for name in skeleton.KEYPOINTS]) + (200, 200)


@pytest.mark.parametrize("raised", [-1.0, 0.0, 0.9])
def test_a_stick_figure_with_spread_limbs_is_seen_from_the_front(raised: float) -> None:
    """Or from behind; what it is not is seen from the side."""
    points = stick_figure(raised)
    points += np.random.default_rng(0).normal(0, 0.6, points.shape)  # nobody draws exactly
    scores = np.ones(skeleton.COUNT)
    scores[[skeleton.INDEX[s + "ToeBase"] for s in ("Left", "Right")]] = 0
    lifted = lift.lift(points, scores)
    for name in ("Hips", "Spine2"):
        assert abs(lifted.axes[lift.AXES.index(name), 0]) > 0.7, name


def test_only_figures_without_any_width_lose_their_hips_and_shoulders() -> None:
    scores = np.full(skeleton.COUNT, 0.8)
    points = stick_figure()
    lost = lift.telling(points, scores) == 0
    assert {skeleton.KEYPOINTS[row] for row in np.flatnonzero(lost)} == {
        side + name for side in ("Left", "Right") for name in ("Shoulder", "Arm", "UpLeg")
    }
    for name in ("Arm", "UpLeg"):
        wide = points.copy()
        wide[skeleton.INDEX["Left" + name]] += (12, 0)
        np.testing.assert_array_equal(lift.telling(wide, scores), scores)
    unseen = scores.copy()
    unseen[skeleton.INDEX["LeftArm"]] = np.nan
    np.testing.assert_array_equal(lift.telling(points, unseen), unseen)
