from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.core import anatomy, lift, skeleton, solve
from addon.core.errors import UserError
from addon.core.rotations import from_vector, unit
from tests.unit.synthetic import (
    A_POSE,
    BONES,
    FINGER,
    RIG,
    SCORES,
    T_POSE,
    make_rig,
    plausible,
)

INDEX = skeleton.INDEX


def seen_directions(solution: solve.Solution) -> np.ndarray:
    joints = solution.camera.to_camera(solution.joints)
    return unit(joints[BONES[:, 1]] - joints[BONES[:, 0]])


def angles(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.degrees(np.arccos((a * b).sum(axis=-1).clip(-1, 1)))


def bends(rig: solve.Rig, solution: solve.Solution) -> dict[str, float]:
    """The signed bend of elbows and knees, degrees, as the posed bones show it.

    Bent limbs are checked to lie in the plane of their hinge.
    """
    pose = solve.pose_matrices(rig, solution)
    result = {}
    for joint, hinge in anatomy.Body(rig).hinges.items():
        upper = skeleton.KEYPOINTS[skeleton.PARENTS[INDEX[joint]]]
        end = joint.replace("ForeArm", "Hand").replace("Leg", "Foot")
        bone = rig.mapping[upper]
        axis = pose[bone, :3, :3] @ rig.rest[bone, :3, :3].T @ hinge
        a, b, c = (solution.joints[INDEX[n]] for n in (upper, joint, end))
        first, second = unit(b - a), unit(c - b)
        if 20 < angles(first, second) < 140:
            assert abs(np.cross(unit(np.cross(first, second)), axis)).max() < 0.02
        result[joint] = np.degrees(np.arctan2(np.cross(first, second) @ axis, first @ second))
    return result


seeds = st.integers(0, 2**32 - 1)
fast = settings(deadline=None, max_examples=25)


@fast
@given(seeds)
def test_a_known_pose_comes_back(seed: int) -> None:
    truth = plausible(seed)
    solution = solve.solve(RIG, truth.keypoints, SCORES, truth.lifted)
    height = 150 * RIG.height
    misses = np.linalg.norm(solution.projected - truth.keypoints, axis=1) / height
    assert np.median(misses) < 0.01 and misses.max() < 0.03
    off = angles(seen_directions(solution), truth.lifted.directions)
    assert np.median(off) < 3 and off.max() < 12


@fast
@given(seeds)
def test_the_bones_turn_and_do_not_only_point(seed: int) -> None:
    truth = plausible(seed)
    solution = solve.solve(RIG, truth.keypoints, SCORES, truth.lifted, ground=False)
    pose = solve.pose_matrices(RIG, solution)
    for name in ("Hips", "Spine2", "Head", "LeftArm", "RightLeg", "LeftFoot"):
        bone = RIG.mapping[name]
        turn = solution.camera.rotation @ pose[bone, :3, :3] @ RIG.rest[bone, :3, :3].T
        cosine = (np.trace(turn.T @ truth.turns[name]) - 1) / 2
        assert np.degrees(np.arccos(np.clip(cosine, -1, 1))) < 15, name


@fast
@given(seeds, st.sampled_from([T_POSE, A_POSE]), st.integers(0, 5), st.floats(0.1, 20))
def test_rest_pose_roll_and_size_of_the_rig_do_not_matter(
    seed: int, pose: dict[str, tuple[float, float, float]], roll: int, scale: float
) -> None:
    truth = plausible(seed)
    other = make_rig(pose, roll_seed=roll, scale=scale, turn=np.pi)
    a = solve.solve(RIG, truth.keypoints, SCORES, truth.lifted)
    b = solve.solve(other, truth.keypoints, SCORES, truth.lifted)
    off = angles(seen_directions(a), seen_directions(b))
    assert np.median(off) < 3 and off.max() < 25


@fast
@given(seeds)
def test_blenders_matrices_give_the_joints_and_keep_the_bones_lengths(seed: int) -> None:
    keypoints = np.random.default_rng(seed).uniform(0, 300, (skeleton.COUNT, 2))
    solution = solve.solve(RIG, keypoints, SCORES)
    pose = solve.pose_matrices(RIG, solution)
    for name, bone in RIG.mapping.items():
        np.testing.assert_allclose(pose[bone, :3, 3], solution.joints[INDEX[name]], atol=1e-9)
    for bone, parent in enumerate(RIG.parents):
        if parent >= 0 and bone != RIG.mapping["Hips"]:
            rest = np.linalg.norm(RIG.heads[bone] - RIG.heads[parent])
            assert np.linalg.norm(pose[bone, :3, 3] - pose[parent, :3, 3]) == pytest.approx(rest)
    eye = solution.basis @ solution.basis.transpose(0, 2, 1)
    np.testing.assert_allclose(eye, np.broadcast_to(np.eye(3), eye.shape), atol=1e-9)
    assert (np.linalg.det(solution.basis) > 0).all()
    # What the solver does not pose stays at rest.
    for name in ("Root", FINGER):
        np.testing.assert_allclose(
            solution.basis[list(RIG.names).index(name)], np.eye(3), atol=1e-9
        )


@fast
@given(seeds, st.booleans())
def test_elbows_and_knees_bend_their_own_way_only(seed: int, lifted: bool) -> None:
    """Whatever is drawn."""
    rng = np.random.default_rng(seed)
    keypoints = rng.uniform(0, 300, (skeleton.COUNT, 2))
    reading = None
    if lifted:
        reading = lift.Lifted(
            unit(rng.normal(size=(22, 3))),
            rng.uniform(0, 1, 22),
            unit(rng.normal(size=(8, 3))),
            rng.uniform(0, 1, 8),
        )
    solution = solve.solve(RIG, keypoints, SCORES, reading)
    for joint, bend in bends(RIG, solution).items():
        assert -6 < bend < 160, joint


@fast
@given(seeds, st.floats(-100, 100), st.floats(-100, 100), st.floats(0.1, 10))
def test_place_and_size_of_the_drawing_do_not_matter(
    seed: int, x: float, y: float, scale: float
) -> None:
    keypoints = plausible(seed).keypoints
    a = solve.solve(RIG, keypoints, SCORES)
    b = solve.solve(RIG, keypoints * scale + (x, y), SCORES)
    np.testing.assert_allclose(b.basis, a.basis, atol=2e-3)
    np.testing.assert_allclose(b.projected, a.projected * scale + (x, y), atol=0.5 * scale)


@fast
@given(seeds, st.floats(-np.pi, np.pi))
def test_turning_the_drawing_turns_the_hips_only(seed: int, angle: float) -> None:
    keypoints = plausible(seed).keypoints
    turn = from_vector([0, 0, angle])[:2, :2]
    a = solve.solve(RIG, keypoints, SCORES, ground=False)
    b = solve.solve(RIG, keypoints @ turn.T, SCORES, ground=False)
    hips = RIG.mapping["Hips"]
    others = [i for i in range(len(RIG.names)) if i != hips]
    np.testing.assert_allclose(b.basis[others], a.basis[others], atol=5e-3)
    np.testing.assert_allclose(
        seen_directions(b)[:, :2], seen_directions(a)[:, :2] @ turn.T, atol=1e-2
    )


@fast
@given(seeds)
def test_the_mirrored_drawing_gives_the_mirrored_pose(seed: int) -> None:
    keypoints = plausible(seed).keypoints
    a = seen_directions(solve.solve(RIG, keypoints, SCORES))
    flipped = keypoints[list(skeleton.FLIP)] * (-1, 1)
    b = seen_directions(solve.solve(RIG, flipped, SCORES))
    np.testing.assert_allclose(b, a[list(lift.BONE_FLIP)] * (-1, 1, 1), atol=2e-2)


@fast
@given(seeds, st.sets(st.integers(0, 22)), st.sampled_from([0.0, np.nan]))
def test_any_subset_of_joints_gives_a_finite_pose(
    seed: int, missing: set[int], blank: float
) -> None:
    truth = plausible(seed)
    rows = sorted(missing)
    keypoints, scores = truth.keypoints.copy(), SCORES.copy()
    keypoints[rows], scores[rows] = np.nan, blank
    solution = solve.solve(RIG, keypoints, scores)
    for array in (solution.basis, solution.joints, solution.projected, solution.hips_translation):
        assert np.isfinite(array).all()
    assert solution.camera.focal > 0


def test_coincident_points_give_a_finite_pose() -> None:
    solution = solve.solve(RIG, np.full((23, 2), 5.0), SCORES)
    assert np.isfinite(solution.basis).all() and np.isfinite(solution.projected).all()


def test_points_of_no_score_are_not_read() -> None:
    truth = plausible(3)
    rows = [INDEX["LeftHand"], INDEX["RightToeBase"]]
    scores = SCORES.copy()
    scores[rows] = 0
    wild = truth.keypoints.copy()
    wild[rows] = 1e5
    a, b = (solve.solve(RIG, k, scores, size=(400, 400)) for k in (truth.keypoints, wild))
    np.testing.assert_array_equal(a.basis, b.basis)
    np.testing.assert_array_equal(a.projected, b.projected)


def test_the_shipped_lifter_and_the_solver_together() -> None:
    """Upright poses from the picture alone: they look as drawn, and most of the depth is right."""
    reprojection, solved, flat = [], [], []
    for seed in range(30):
        truth = plausible(seed)
        solution = solve.solve(RIG, truth.keypoints, SCORES)
        misses = np.linalg.norm(solution.projected - truth.keypoints, axis=1)
        reprojection.append(np.median(misses) / (150 * RIG.height))
        solved.append(np.mean(angles(seen_directions(solution), truth.lifted.directions)))
        flat.append(np.mean(angles(lift.in_plane(truth.keypoints), truth.lifted.directions)))
    assert np.median(reprojection) < 0.02
    assert np.median(solved) < 0.7 * np.median(flat)


def test_the_camera_is_raised_as_the_drawing_is_seen_from_above() -> None:
    for seed in range(10):
        truth = plausible(seed)
        camera = solve.solve(RIG, truth.keypoints, SCORES, truth.lifted).camera
        raised = np.degrees(np.arcsin(-camera.rotation[2, 2]))
        assert raised == pytest.approx(np.degrees(truth.elevation), abs=2)


@fast
@given(seeds)
def test_the_drawing_corrects_the_reading(seed: int) -> None:
    """A reading that is 10 degrees off everywhere still gives a pose that looks as drawn."""
    truth = plausible(seed)
    rng = np.random.default_rng(seed)
    off = from_vector(np.radians(10) * unit(rng.normal(size=(22, 3))))
    wrong = np.einsum("bij,bj->bi", off, truth.lifted.directions)
    reading = replace(truth.lifted, directions=wrong, certainty=np.full(22, 0.95))
    solution = solve.solve(RIG, truth.keypoints, SCORES, reading)
    limbs = [i for i, (a, _) in enumerate(skeleton.BONES) if a in skeleton.COMMON_INDEX]
    drawn = truth.keypoints[BONES[limbs, 1]] - truth.keypoints[BONES[limbs, 0]]
    posed = solution.projected[BONES[limbs, 1]] - solution.projected[BONES[limbs, 0]]
    long = np.linalg.norm(drawn, axis=1) > 15
    assert np.median(angles(unit(drawn), unit(posed))[long]) < 2


def test_a_limb_that_is_bent_at_rest_shows_its_hinge() -> None:
    rig = make_rig(A_POSE)
    for side in ("Left", "Right"):
        a, b, c = (rig.joints[INDEX[side + n]] for n in ("Arm", "ForeArm", "Hand"))
        axis = anatomy.Body(rig).hinges[side + "ForeArm"]
        np.testing.assert_allclose(axis, unit(np.cross(b - a, c - b)), atol=1e-9)


def test_the_same_drawing_gives_the_same_pose() -> None:
    keypoints = plausible(1).keypoints
    a, b = (solve.solve(RIG, keypoints, SCORES) for _ in range(2))
    np.testing.assert_array_equal(a.basis, b.basis)


def test_a_drawing_of_other_proportions_gives_the_drawn_pose() -> None:
    child = {
        name: (x * 0.7, y, 0.35 * z if z < 0.95 else 0.33 + (z - 0.95) * 0.9)
        for name, (x, y, z) in T_POSE.items()
    }
    truth = plausible(5, make_rig(child))
    solution = solve.solve(RIG, truth.keypoints, SCORES, truth.lifted)
    limbs = [i for i, (_, c) in enumerate(skeleton.BONES) if c in skeleton.COMMON_INDEX]
    limbs = [i for i in limbs if "UpLeg" not in skeleton.KEYPOINTS[BONES[i, 1]]]
    off = angles(seen_directions(solution), truth.lifted.directions)[limbs]
    assert np.median(off) < 5


def test_the_camera_stands_in_front_upright_and_sees_the_whole_figure() -> None:
    for turn in (0.0, np.pi, 0.7):
        rig = make_rig(turn=turn)
        truth = plausible(2, rig)
        solution = solve.solve(rig, truth.keypoints, SCORES, size=(640, 480))
        camera = solution.camera
        assert camera.size == (640, 480)
        assert camera.rotation[0] @ rig.left == pytest.approx(1)  # no roll, no yaw
        assert camera.rotation[2] @ rig.front < -0.4
        assert (camera.to_camera(solution.joints)[:, 2] > 0).all()
        np.testing.assert_allclose(solution.projected, camera.project(solution.joints))


def test_the_pose_stands_on_the_ground_where_the_rig_stood() -> None:
    floor = RIG.joints[:, 2].min()
    for seed in range(10):
        solution = solve.solve(RIG, plausible(seed).keypoints, SCORES)
        np.testing.assert_array_equal(solution.hips_translation[:2], 0)
        np.testing.assert_allclose(solution.joints[0, :2], RIG.joints[0, :2])
        assert floor - 1e-9 <= solution.joints[:, 2].min() < floor + 0.1


def test_rest_pose_drawn_from_the_front_stays_at_rest() -> None:
    view = np.array([RIG.left, [0, 0, -1], -RIG.front])
    joints = RIG.joints @ view.T
    axes = np.array([view @ (0, 0, 1), *[view @ RIG.left] * 3, *np.zeros((4, 3))], dtype=float)
    directions = unit(joints[BONES[:, 1]] - joints[BONES[:, 0]])
    lifted = lift.Lifted(directions, np.full(22, 0.99), axes, np.array([0.99] * 4 + [0.0] * 4))
    solution = solve.solve(RIG, joints[:, :2] * 100 + 200, SCORES, lifted)
    np.testing.assert_allclose(solution.joints, RIG.joints, atol=0.02)
    for i, matrix in enumerate(solution.basis):
        cosine = (np.trace(matrix) - 1) / 2
        assert np.degrees(np.arccos(min(cosine, 1.0))) < 3, RIG.names[i]


def test_missing_joints_of_the_rig_have_a_place() -> None:
    lacking = ("HeadTop_End", "Spine1", "Neck", "LeftShoulder", "RightShoulder", "LeftToeBase")
    rig = make_rig(without=lacking)
    assert not set(lacking) & set(rig.mapping)
    expected = RIG.joints[INDEX["HeadTop_End"]]
    np.testing.assert_allclose(rig.joints[INDEX["HeadTop_End"]], expected, atol=1e-9)
    assert np.isfinite(rig.joints).all()
    truth = plausible(4)
    solution = solve.solve(rig, truth.keypoints, SCORES, truth.lifted)
    assert np.isfinite(solution.joints).all()
    rows = [[c for _, c in skeleton.BONES].index(INDEX[n]) for n in ("LeftHand", "RightFoot")]
    off = angles(seen_directions(solution), truth.lifted.directions)[rows]
    assert off.max() < 5


def test_a_rig_without_arms_is_refused() -> None:
    names = [name for name in skeleton.KEYPOINTS if "Arm" not in name]
    count = len(names)
    with pytest.raises(UserError, match="no arms"):
        solve.Rig.from_bones(
            names, np.full(count, -1), np.tile(np.eye(4), (count, 1, 1)), np.ones(count)
        )


def test_a_rig_of_65_bones_is_solved_in_time() -> None:
    fingers = 65 - len(RIG.names)
    rig = replace(
        RIG,
        names=[*RIG.names, *(f"Finger{i}" for i in range(fingers))],
        parents=np.append(RIG.parents, [RIG.mapping["LeftHand"]] * fingers),
        rest=np.concatenate([RIG.rest, np.repeat(RIG.rest[-1:], fingers, axis=0)]),
        lengths=np.append(RIG.lengths, [0.02] * fingers),
    )
    poses = [plausible(seed).keypoints for seed in range(5)]
    times = []
    for keypoints in poses:
        started = time.process_time()
        solve.solve(rig, keypoints, SCORES)
        times.append(time.process_time() - started)
    assert min(times) < 0.1
