from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.core import lift, proportions, skeleton
from addon.core.rotations import from_vector
from addon.core.solve import pose_matrices, solve
from tests.unit.synthetic import BONES, INDEX, RIG, SCORES, T_POSE, make_rig, plausible

fast = settings(deadline=None, max_examples=25)
seeds = st.integers(0, 2**32 - 1)
factors = st.floats(0.8, 1.25)
SEGMENTS = {  # as a rig has them, from the shoulder and from the hip on
    "Arm": ("LeftArm", "LeftForeArm"),
    "ForeArm": ("LeftForeArm", "LeftHand"),
    "UpLeg": ("LeftUpLeg", "LeftLeg"),
    "Leg": ("LeftLeg", "LeftFoot"),
}


def other_limbs(**longer: float) -> dict[str, tuple[float, float, float]]:
    """The T-pose with limbs of other lengths; what hangs from them moves along."""
    pose = {name: np.array(place, dtype=float) for name, place in T_POSE.items()}
    below = {"Arm": ("ForeArm", "Hand"), "ForeArm": ("Hand",)}
    below |= {"UpLeg": ("Leg", "Foot", "ToeBase"), "Leg": ("Foot", "ToeBase")}
    for limb, factor in longer.items():
        start, end = SEGMENTS[limb]
        step = (factor - 1) * (pose[end] - pose[start])
        for name in below[limb]:
            pose["Left" + name] = pose["Left" + name] + step
    return {name: (x, y, z) for name, (x, y, z) in pose.items()}


@fast
@given(seeds, factors, factors, factors, factors)
def test_the_limbs_lengths_are_found(
    seed: int, arm: float, forearm: float, thigh: float, shin: float
) -> None:
    """Under any foreshortening that the lifter tells."""
    wanted = {"Arm": arm, "ForeArm": forearm, "UpLeg": thigh, "Leg": shin}
    truth = plausible(seed, make_rig(other_limbs(**wanted)))
    found = proportions.find_stretch(RIG, truth.keypoints, SCORES, truth.lifted)
    for limb, factor in wanted.items():
        for side in ("Left", "Right"):
            assert found[RIG.mapping[side + limb]] == pytest.approx(factor, rel=0.12)
    others = np.ones(len(found), bool)
    others[[RIG.mapping[s + n] for s in ("Left", "Right") for n in wanted]] = False
    np.testing.assert_array_equal(found[others], 1)


def test_a_limb_that_points_at_the_eye_is_not_short() -> None:
    """One forearm is foreshortened to a third, the other one is seen whole."""
    view = np.array([RIG.left, [0, 0, -1], -RIG.front])
    joints = RIG.joints @ view.T
    hand = joints[INDEX["LeftForeArm"]] + 0.25 * np.array([np.sin(0.34), 0, -np.cos(0.34)])
    joints[INDEX["LeftHand"]] = hand
    steps = joints[BONES[:, 1]] - joints[BONES[:, 0]]
    directions = steps / np.linalg.norm(steps, axis=1)[:, None]
    reading = lift.Lifted(directions, np.full(22, 0.98), np.zeros((8, 3)), np.zeros(8))
    found = proportions.find_stretch(RIG, joints[:, :2] * 100, SCORES, reading)
    np.testing.assert_allclose(found, 1, atol=0.02)
    # Even where the lifter has no idea, the whole forearm speaks for both.
    lost = replace(reading, directions=directions * (1, 1, 0), certainty=np.full(22, 0.98))
    lost.certainty[BONES[:, 1].tolist().index(INDEX["LeftHand"])] = 0.3
    found = proportions.find_stretch(RIG, joints[:, :2] * 100, SCORES, lost)
    assert found[RIG.mapping["LeftForeArm"]] > 0.85


@fast
@given(seeds, st.sets(st.integers(0, 22)))
def test_factors_are_finite_alike_and_within_bounds_whatever_is_drawn(
    seed: int, missing: set[int]
) -> None:
    keypoints = np.random.default_rng(seed).uniform(0, 300, (skeleton.COUNT, 2))
    scores = SCORES.copy()
    scores[sorted(missing)] = 0
    solution = solve(RIG, keypoints, scores, stretch=True)
    found = solution.stretch
    assert found is not None
    low, high = proportions.BOUNDS
    assert (found >= low).all() and (found <= high).all()
    for name, row in RIG.mapping.items():
        assert found[row] == found[RIG.mapping[skeleton.mirror_name(name)]]
    assert np.isfinite(solution.joints).all() and np.isfinite(solution.projected).all()


@fast
@given(seeds, factors, factors)
def test_a_stretched_rig_has_the_drawings_proportions(seed: int, arm: float, thigh: float) -> None:
    truth = plausible(seed, make_rig(other_limbs(Arm=arm, UpLeg=thigh)))
    plain, longer = (
        solve(RIG, truth.keypoints, SCORES, truth.lifted, stretch=stretch)
        for stretch in (False, True)
    )
    misses = [np.linalg.norm(s.projected - truth.keypoints, axis=1) for s in (plain, longer)]
    height = 150 * RIG.height
    assert np.median(misses[1]) < 0.012 * height
    assert misses[1].max() < misses[0].max() + 0.01 * height


@fast
@given(seeds)
def test_without_the_option_no_bone_changes_its_length(seed: int) -> None:
    keypoints = plausible(seed).keypoints
    assert solve(RIG, keypoints, SCORES).stretch is None


@fast
@given(seeds)
def test_stretched_bones_are_as_long_as_told_and_joints_where_told(seed: int) -> None:
    keypoints = np.random.default_rng(seed).uniform(0, 300, (skeleton.COUNT, 2))
    solution = solve(RIG, keypoints, SCORES, stretch=True)
    assert solution.stretch is not None
    pose = pose_matrices(RIG, solution)
    for name, bone in RIG.mapping.items():
        np.testing.assert_allclose(pose[bone, :3, 3], solution.joints[INDEX[name]], atol=1e-9)
    for start, end in SEGMENTS.values():
        a, b = RIG.mapping[start], RIG.mapping[end]
        now = np.linalg.norm(pose[b, :3, 3] - pose[a, :3, 3])
        rest = np.linalg.norm(RIG.heads[b] - RIG.heads[a])
        assert now == pytest.approx(rest * solution.stretch[a])


def test_limbs_whose_bones_point_elsewhere_keep_their_lengths() -> None:
    """As of files whose joints have axes of their own."""
    rest = RIG.rest.copy()
    bone = RIG.mapping["LeftArm"]
    rest[bone, :3, :3] = from_vector((0, 0, 0.5)) @ rest[bone, :3, :3]
    truth = plausible(1, make_rig(other_limbs(Arm=1.2, Leg=1.2)))
    found = proportions.find_stretch(replace(RIG, rest=rest), truth.keypoints, SCORES, truth.lifted)
    assert found[bone] == found[RIG.mapping["RightArm"]] == 1
    assert found[RIG.mapping["LeftLeg"]] > 1.1
