"""Sequences: depth that flickers is settled, what is drawn stays, corrections carry."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.core import retarget, sequence, skeleton
from addon.core.estimator import Sides
from addon.core.lift import lift
from addon.core.rotations import from_vector, unit
from addon.core.sequence import Key
from tests.unit.synthetic import BONES, plausible

POSES = Path(__file__).resolve().parents[3] / "shared" / "data" / "poses"
SURE = Sides(0.99, 0.99)
SCORES = np.ones(skeleton.COUNT)
ROW = {skeleton.KEYPOINTS[child]: row for row, (_, child) in enumerate(skeleton.BONES)}

seeds = st.integers(0, 2**32 - 1)
fast = settings(deadline=None, max_examples=15)


def angles(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.degrees(np.arccos((a * b).sum(axis=-1).clip(-1, 1)))


def directions_of(joints: np.ndarray) -> np.ndarray:
    return unit(joints[..., BONES[:, 1], :] - joints[..., BONES[:, 0], :])


@pytest.fixture(scope="module")
def clips() -> dict[str, np.ndarray]:
    """Real clips, eight drawings each: joints ``[8, 23, 3]`` seen obliquely, camera space."""
    path = POSES / "cc0_poses.npz"
    if not path.exists():
        pytest.skip("the shared poses are not here")
    names = ("Dance Charleston", "Throw Object", "Fighting Left Jab", "Jumping Jacks")
    turn = from_vector([0, np.radians(40), 0])
    result = {}
    for motion in retarget.load_corpus(str(path)):
        if motion.name.endswith(names) and len(motion) >= 8:
            x, y, z = retarget.joint_positions(motion.rotations[:8], motion.limbs).transpose(
                2, 0, 1
            )
            result[motion.name] = np.stack([x, -z, y], axis=-1) @ turn.T
    assert len(result) >= 3
    return result


def keys_of(joints: np.ndarray, step: float = 2, noise: float = 0.0, seed: int = 0) -> list[Key]:
    """Drawings of poses ``[F, 23, 3]``, 300 pixels a metre, with errors in shares of the size."""
    rng = np.random.default_rng(seed)
    points = 300 * joints[..., :2]
    points = points + noise * 500 * rng.normal(size=points.shape)
    return [Key(step * i, drawn, SCORES, SURE) for i, drawn in enumerate(points)]


def wobble(directions: np.ndarray) -> float:
    """Mean angle, degrees, between a bone and half way between itself before and after."""
    middle = unit(directions[:-2] + directions[2:])
    return float(angles(directions[1:-1], middle).mean())


def test_depth_flickers_less_and_is_no_less_true(clips: dict[str, np.ndarray]) -> None:
    rows = []
    for seed, (name, joints) in enumerate(clips.items()):
        keys = keys_of(joints, noise=0.02, seed=seed)
        alone = np.array([lift(key.keypoints, key.scores).directions for key in keys])
        settled = sequence.settle(keys)
        together = np.array([one.lifted.directions for one in settled])
        truth = directions_of(joints)
        # Depth alone: the picture's own share of each direction is as drawn in either.
        jitter = [np.abs(np.diff(d[..., 2], n=2, axis=0)).mean() for d in (alone, together)]
        errors = [angles(d, truth).mean() for d in (alone, together)]
        rows.append((*jitter, *errors, wobble(truth)))
        print(
            f"\n{name}: second difference of depth {jitter[0]:.3f} -> {jitter[1]:.3f}, "
            f"bone angle error {errors[0]:.1f} -> {errors[1]:.1f} degrees"
        )
    before, after, error_before, error_after, _ = np.mean(rows, axis=0)
    assert after < 0.6 * before
    assert error_after < error_before + 0.2


def test_a_flipped_drawing_is_outvoted_by_its_neighbours(clips: dict[str, np.ndarray]) -> None:
    """The same pose ten times, once a little off so that it is read the other way round."""
    joints = next(iter(clips.values()))[:1].repeat(7, axis=0)
    rng = np.random.default_rng(3)
    points = 300 * joints[..., :2] + rng.normal(scale=6, size=(7, skeleton.COUNT, 2))
    keys = [Key(i, drawn, SCORES, Sides(0.8, 0.8)) for i, drawn in enumerate(points)]
    together = np.array([one.lifted.directions for one in sequence.settle(keys)])
    assert angles(together[1:], together[:-1]).max() < 45
    assert len({one.reading for one in sequence.settle(keys)}) == 1


@fast
@given(seeds)
def test_what_is_drawn_stays(seed: int) -> None:
    keys = [Key(4 * i, plausible(seed + i).keypoints, SCORES, SURE) for i in range(4)]
    for one in sequence.settle(keys):
        np.testing.assert_array_equal(one.scores, SCORES)
        before = lift(one.keypoints, one.scores).directions
        deep = np.hypot(*one.lifted.directions[:, :2].T) > 0.05
        flat = unit(one.lifted.directions[:, :2])
        # Trunks may be turned as a whole by a reading; arms and legs keep their drawn directions.
        limbs = [
            ROW[n] for n in ("LeftForeArm", "LeftHand", "RightLeg", "RightFoot") if deep[ROW[n]]
        ]
        np.testing.assert_allclose(flat[limbs], unit(before[limbs, :2]), atol=0.02)


@fast
@given(seeds)
def test_the_order_of_the_drawings_does_not_matter(seed: int) -> None:
    keys = [Key(3 * i, plausible(seed + i).keypoints, SCORES, SURE) for i in range(3)]
    one = sequence.settle(keys)
    other = sequence.settle(keys[::-1])[::-1]
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a.lifted.directions, b.lifted.directions, atol=1e-9)


def test_far_apart_drawings_are_read_alone() -> None:
    keys = [Key(1e7 * i, plausible(i).keypoints, SCORES, SURE) for i in range(3)]
    apart = sequence.settle(keys)
    for key, one in zip(keys, apart, strict=True):
        alone = sequence.settle([key])[0]
        assert one.reading == alone.reading
        np.testing.assert_allclose(one.lifted.directions, alone.lifted.directions, atol=1e-3)
    calm = sequence.settle(keys, smoothness=0.0)
    np.testing.assert_allclose(
        calm[1].lifted.directions, sequence.settle(keys[1:2])[0].lifted.directions, atol=1e-6
    )


def test_a_correction_carries_to_the_neighbours_less_and_less(
    clips: dict[str, np.ndarray],
) -> None:
    joints = next(iter(clips.values()))[:1].repeat(9, axis=0)
    keys = keys_of(joints, step=4)
    plain = sequence.settle(keys)
    bone = ROW["LeftForeArm"]
    correction = np.full((22, 3), np.nan)
    depth = np.arcsin(plain[4].lifted.directions[bone, 2])
    wanted = depth + np.copysign(0.4, depth)  # deeper on the same side
    flat = unit(plain[4].lifted.directions[bone, :2]) * np.cos(wanted)
    correction[bone] = *flat, np.sin(wanted)
    keys[4] = replace(keys[4], correction=correction)
    after = sequence.settle(keys)
    np.testing.assert_allclose(after[4].lifted.directions[bone], correction[bone], atol=1e-2)
    assert after[4].lifted.certainty[bone] > 0.99
    moved = np.array(
        [
            angles(a.lifted.directions[bone], b.lifted.directions[bone])
            for a, b in zip(after, plain, strict=True)
        ]
    )
    assert moved[4] > moved[5] > moved[6] > moved[8] and moved[4] > moved[3] > moved[2] > moved[0]
    assert moved[5] > 0.5 * moved[4] and moved[8] < 0.3 * moved[4]


def test_two_drawings_at_one_frame_are_an_error() -> None:
    key = Key(1, plausible(0).keypoints, SCORES, SURE)
    with pytest.raises(ValueError, match="same frame"):
        sequence.settle([key, key])


@fast
@given(seeds, st.sets(st.integers(0, 22), max_size=20))
def test_missing_joints_take_their_neighbours_directions(seed: int, missing: set[int]) -> None:
    keys = [Key(2 * i, plausible(seed).keypoints.copy(), SCORES.copy(), SURE) for i in range(3)]
    keys[1].keypoints[sorted(missing)] = np.nan
    keys[1].scores[sorted(missing)] = 0
    for one in sequence.settle(keys):
        assert np.isfinite(one.lifted.directions).all()
        np.testing.assert_allclose(np.linalg.norm(one.lifted.directions, axis=1), 1, atol=1e-9)
        assert (one.lifted.certainty >= 0).all() and (one.lifted.certainty <= 1).all()


class TestRepresentatives:
    @fast
    @given(seeds, st.floats(0.1, 10), st.floats(-100, 100))
    def test_place_and_size_make_no_distance(self, seed: int, scale: float, x: float) -> None:
        points = plausible(seed).keypoints
        apart = sequence.distances(np.array([points, points * scale + x]), np.ones((2, 23)))
        np.testing.assert_allclose(apart, 0, atol=1e-9)

    def test_one_of_each_group_the_larger_group_first(self) -> None:
        rng = np.random.default_rng(0)
        group = np.repeat([0, 1, 2], [2, 5, 3])
        centres = np.array([plausible(seed).keypoints for seed in (1, 8, 21)])
        points = centres[group] + rng.normal(size=(10, skeleton.COUNT, 2))
        apart = sequence.distances(points, np.ones((10, 23)))
        chosen = sequence.representatives(apart, 5, radius=0.1)
        assert group[chosen].tolist() == [1, 2, 0]
        worth = np.where(group == 0, 10.0, 1.0)
        assert group[sequence.representatives(apart, 1, radius=0.1, worth=worth)].tolist() == [0]

    @given(seeds, st.integers(1, 4))
    def test_greedy_is_as_good_as_promised(self, seed: int, count: int) -> None:
        places = np.random.default_rng(seed).uniform(size=(9, 2))
        apart = np.linalg.norm(places[:, None] - places, axis=-1)
        near = apart <= 0.35

        def covered(rows: list[int]) -> int:
            return int(near[rows].any(axis=0).sum())

        best = max(covered(list(rows)) for rows in combinations(range(9), count))
        assert covered(sequence.representatives(apart, count, radius=0.35)) >= (1 - 1 / np.e) * best

    def test_figures_that_share_no_joints_are_infinitely_far_apart(self) -> None:
        scores = np.ones((2, 23))
        scores[0, :12], scores[1, 12:] = 0, 0
        apart = sequence.distances(np.zeros((2, 23, 2)), scores)
        assert apart[0, 1] == np.inf and apart[0, 0] == 0


class TestClicks:
    @staticmethod
    def pose(seed: int) -> np.ndarray:
        joints = np.zeros((skeleton.COUNT, 3))
        for (parent, child), step in zip(BONES, plausible(seed).lifted.directions, strict=True):
            joints[child] = joints[parent] + 0.2 * step
        return joints

    @fast
    @given(seeds, st.booleans())
    def test_the_clicked_joint_lies_under_the_click_and_bones_keep_their_lengths(
        self, seed: int, behind: bool
    ) -> None:
        joints = self.pose(seed)
        hand, elbow = skeleton.INDEX["LeftHand"], skeleton.INDEX["LeftForeArm"]
        # The forearm turns by an angle that is known; the click is where its end then shows.
        truth = joints.copy()
        direction = unit(np.array([0.5, -0.6, 0.62 if behind else -0.62]))
        truth[hand] = joints[elbow] + 0.2 * direction
        clicks = 250 * truth[:, :2]
        order = np.sign(truth[BONES[:, 1], 2] - truth[BONES[:, 0], 2])
        order[np.abs(truth[BONES[:, 1], 2] - truth[BONES[:, 0], 2]) < 0.03] = 0
        placed = sequence.place_clicks(joints, clicks, SCORES, scale=250, nearer=order)
        lengths = np.linalg.norm(placed[BONES[:, 1]] - placed[BONES[:, 0]], axis=1)
        np.testing.assert_allclose(lengths, 0.2, atol=1e-9)
        assert np.abs(placed[:, :2] - truth[:, :2]).max() < 0.005
        assert (placed[hand, 2] > placed[elbow, 2]) == behind
        assert np.linalg.norm(placed[hand] - placed[elbow] - 0.2 * direction) < 0.03

    @fast
    @given(seeds)
    def test_without_clicks_nothing_moves(self, seed: int) -> None:
        joints = self.pose(seed)
        clicks = np.full((skeleton.COUNT, 2), np.nan)
        order = np.zeros(len(BONES))
        placed = sequence.place_clicks(joints, clicks, SCORES, nearer=order)
        np.testing.assert_allclose(placed, joints, atol=1e-6)

    def test_a_click_out_of_reach_stretches_the_limb_towards_it(self) -> None:
        joints = self.pose(4)
        clicks = np.full((skeleton.COUNT, 2), np.nan)
        clicks[[skeleton.INDEX["Hips"]]] = joints[0, :2]
        clicks[skeleton.INDEX["RightHand"]] = -9, 0
        placed = sequence.place_clicks(joints, clicks, SCORES, nearer=np.zeros(len(BONES)))
        arm = placed[skeleton.INDEX["RightHand"]] - placed[skeleton.INDEX["RightArm"]]
        assert np.linalg.norm(arm) > 0.36 and unit(arm)[0] < -0.95
