from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from addon.core import anatomy, contacts, lift, skeleton, solve
from addon.core.errors import UserError
from addon.core.rotations import between, from_vector, unit
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


# Then nothing but the figure matters: not which way is up, nor how bodies usually are.
FREE = partial(solve.solve, ground=False, prior=False)


@fast
@given(seeds, st.floats(-100, 100), st.floats(-100, 100), st.floats(0.1, 10))
def test_place_and_size_of_the_drawing_do_not_matter(
    seed: int, x: float, y: float, scale: float
) -> None:
    keypoints = plausible(seed).keypoints
    for pose in (solve.solve, FREE):
        a = pose(RIG, keypoints, SCORES)
        b = pose(RIG, keypoints * scale + (x, y), SCORES)
        np.testing.assert_allclose(b.basis, a.basis, atol=2e-3)
        np.testing.assert_allclose(b.projected, a.projected * scale + (x, y), atol=0.5 * scale)


@fast
@given(seeds, st.floats(-np.pi, np.pi), st.booleans())
def test_turning_the_drawing_turns_the_hips_only(seed: int, angle: float, prior: bool) -> None:
    keypoints = plausible(seed).keypoints
    turn = from_vector([0, 0, angle])
    a = solve.solve(RIG, keypoints, SCORES, ground=False, prior=prior)
    b = solve.solve(RIG, keypoints @ turn[:2, :2].T, SCORES, ground=False, prior=prior)
    hips = RIG.mapping["Hips"]
    others = [i for i in range(len(RIG.names)) if i != hips]
    np.testing.assert_allclose(b.basis[others], a.basis[others], atol=5e-3)
    np.testing.assert_allclose(seen_directions(b), seen_directions(a) @ turn.T, atol=1e-2)


@fast
@given(seeds)
def test_the_mirrored_drawing_gives_the_mirrored_pose(seed: int) -> None:
    keypoints = plausible(seed).keypoints
    flipped = keypoints[list(skeleton.FLIP)] * (-1, 1)
    for pose in (solve.solve, FREE):
        a = seen_directions(pose(RIG, keypoints, SCORES))
        b = seen_directions(pose(RIG, flipped, SCORES))
        np.testing.assert_allclose(b, a[list(lift.BONE_FLIP)] * (-1, 1, 1), atol=2e-2)


@settings(deadline=None, max_examples=100)
@given(
    seeds,
    st.sets(st.integers(0, 22)),
    st.sampled_from([0.0, np.nan]),
    st.sets(st.integers(0, 22)),
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_whatever_is_drawn_gives_a_finite_pose(
    seed: int,
    missing: set[int],
    blank: float,
    coincident: set[int],
    options: tuple[bool, bool, bool],
) -> None:
    """Any joints missing, without a score or with one that is no number, and any in one place."""
    keypoints, scores = plausible(seed).keypoints.copy(), SCORES.copy()
    keypoints[sorted(coincident)] = keypoints[0]
    keypoints[sorted(missing)[::2]] = np.nan
    scores[sorted(missing)[1:]] = blank
    ground, prior, stretch = options
    solution = solve.solve(RIG, keypoints, scores, ground=ground, prior=prior, stretch=stretch)
    for array in (solution.basis, solution.joints, solution.projected, solution.hips_translation):
        assert np.isfinite(array).all()
    np.testing.assert_allclose(np.linalg.det(solution.basis), 1)
    assert np.isfinite(solution.camera.rotation).all() and solution.camera.focal > 0
    assert np.isfinite(solution.camera.translation).all()


def test_the_prior_bends_the_spine_evenly() -> None:
    """Of a drawing of which the trunk's inner joints are not seen and nobody knows the depth."""

    def unevenness(prior: bool) -> float:
        result = []
        for seed in range(8):
            truth = plausible(seed)
            scores = SCORES.copy()
            scores[[INDEX[name] for name in ("Spine", "Spine1", "Spine2")]] = 0
            lifted = replace(truth.lifted, certainty=np.full(22, 0.4))
            rng = np.random.default_rng(seed)
            noisy = unit(lifted.directions + rng.normal(0, 0.2, (22, 3)))
            lifted = replace(lifted, directions=noisy)
            solution = solve.solve(RIG, truth.keypoints, scores, lifted, prior=prior)
            steps = seen_directions(solution)[:4]
            result.append(angles(steps[:-1], steps[1:]).max())
        return float(np.mean(result))

    assert unevenness(prior=True) < 0.7 * unevenness(prior=False)


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
        camera = solve.solve(RIG, truth.keypoints, SCORES, truth.lifted, ground=False).camera
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
        assert camera.rotation[2] @ rig.left == pytest.approx(0)  # no yaw
        assert camera.rotation[0] @ rig.left > np.cos(np.radians(15))  # little roll
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


def gap(joints: np.ndarray, point: np.ndarray, start: str, end: str) -> float:
    """Metres from a point to the line between two keypoints."""
    a, b = joints[INDEX[start]], joints[INDEX[end]]
    share = np.clip((point - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
    return float(np.linalg.norm(point - a - share * (b - a)))


def palm(joints: np.ndarray, side: str) -> np.ndarray:
    wrist, elbow = joints[INDEX[side + "Hand"]], joints[INDEX[side + "ForeArm"]]
    return wrist + 0.045 * RIG.height * unit(wrist - elbow)


def standing_figure(**moved: tuple[float, float, float]) -> np.ndarray:
    """Joints ``[23, 3]``, metres, world space, of a standing figure with some joints moved."""
    joints = RIG.joints.copy()
    for side, sign in (("Left", 1), ("Right", -1)):  # arms down
        joints[INDEX[side + "ForeArm"]] = joints[INDEX[side + "Arm"]] + (0.06 * sign, 0.02, -0.273)
        joints[INDEX[side + "Hand"]] = joints[INDEX[side + "ForeArm"]] + (0.03 * sign, -0.06, -0.24)
    for name, place in moved.items():
        joints[INDEX[name]] = place
    return joints


def bent_arm(joints: np.ndarray, side: str, target: ArrayLike, elbow: ArrayLike) -> None:
    """Put a palm on a place, the elbow towards a direction; the rig's own lengths."""
    shoulder = joints[INDEX[side + "Arm"]]
    upper, lower = 0.28, 0.25 + 0.045 * RIG.height
    reach = np.asarray(target) - shoulder
    length = min(float(np.linalg.norm(reach)), 0.999 * (upper + lower))
    along = (upper**2 - lower**2 + length**2) / (2 * length)
    out = np.asarray(elbow) - (np.asarray(elbow) @ unit(reach)) * unit(reach)
    bend = shoulder + along * unit(reach) + np.sqrt(upper**2 - along**2) * unit(out)
    joints[INDEX[side + "ForeArm"]] = bend
    joints[INDEX[side + "Hand"]] = bend + 0.25 * unit(shoulder + length * unit(reach) - bend)


def seen_by_a_doubtful_lifter(
    joints: np.ndarray, side: str, off: float
) -> tuple[np.ndarray, lift.Lifted]:
    """Keypoints of a figure that faces the reader, and a reading whose one arm is off in depth.

    Args:
        joints: ``[23, 3]`` world space.
        side: the arm.
        off: radians by which its bones are turned towards the reader.
    """
    view = np.array([RIG.left, [0, 0, -1], -RIG.front])
    seen = joints @ view.T
    directions = unit(seen[BONES[:, 1]] - seen[BONES[:, 0]])
    certainty = np.full(len(directions), 0.99)
    for row, (_, child) in enumerate(BONES):
        if skeleton.KEYPOINTS[child] in (side + "ForeArm", side + "Hand"):
            flat = np.append(unit(directions[row, :2]), 0.0)
            axis = np.cross(flat, (0.0, 0.0, -1.0))
            directions[row] = from_vector(off * axis) @ directions[row]
            certainty[row] = 0.9
    axes = [view @ (0, 0, 1), *[view @ RIG.left] * 3]
    for joint in lift.AXES[4:]:
        rows = [[c for _, c in skeleton.BONES].index(INDEX[n]) for n in (joint, anatomy.END[joint])]
        axes.append(unit(np.cross(*directions[rows])))
    sure = np.array([0.99] * 4 + [0.8] * 2 + [0.0] * 2)
    return seen[:, :2] * 150 + (200, 300), lift.Lifted(directions, certainty, np.array(axes), sure)


CONTACTS = {
    # Where the right palm lies, where the elbow points, and the line that the palm should touch.
    "hand on hip": ((-0.165, -0.04, 0.95), (-1, 0.2, 0), ("RightUpLeg", "Hips")),
    "hand on thigh": ((-0.10, -0.09, 0.82), (-1, 0.1, 0), ("RightUpLeg", "RightLeg")),
    "crossed arms": ((0.205, -0.022, 1.20), (-0.6, -0.2, -1), ("LeftArm", "LeftForeArm")),
    "hand on head": ((-0.09, -0.10, 1.62), (-1, 0, 0), ("Head", "HeadTop_End")),
}


@pytest.mark.parametrize("name", CONTACTS)
@pytest.mark.parametrize("off", [-0.12, 0.12])
def test_a_hand_touches_what_it_is_drawn_on(name: str, off: float) -> None:
    target, elbow, line = CONTACTS[name]
    joints = standing_figure()
    bent_arm(joints, "Right", target, elbow)
    true = gap(joints, palm(joints, "Right"), *line)
    keypoints, lifted = seen_by_a_doubtful_lifter(joints, "Right", off)
    solution = solve.solve(RIG, keypoints, SCORES, lifted)
    assert gap(solution.joints, palm(solution.joints, "Right"), *line) == pytest.approx(
        true, abs=0.035
    )


def test_hands_that_meet_in_the_drawing_meet_in_the_pose() -> None:
    joints = standing_figure()
    for side, sign in (("Left", 1), ("Right", -1)):
        bent_arm(joints, side, (0.025 * sign, -0.30, 1.15), (sign, 0, -0.5))
    keypoints, lifted = seen_by_a_doubtful_lifter(joints, "Right", 0.12)
    solution = solve.solve(RIG, keypoints, SCORES, lifted)
    between = palm(solution.joints, "Left") - palm(solution.joints, "Right")
    assert np.linalg.norm(between) < 0.05 + 0.035


def test_a_hand_held_far_before_the_body_touches_nothing() -> None:
    joints = standing_figure()
    bent_arm(joints, "Right", (-0.10, -0.45, 0.95), (-1, 0.1, 0))
    keypoints, lifted = seen_by_a_doubtful_lifter(joints, "Right", 0.0)
    solution = solve.solve(RIG, keypoints, SCORES, lifted)
    assert solution.joints[INDEX["RightHand"], 1] < -0.3


def test_one_foot_stands_and_the_other_stays_raised() -> None:
    joints = standing_figure(
        LeftLeg=(0.1, -0.36, 0.74), LeftFoot=(0.1, -0.30, 0.34), LeftToeBase=(0.11, -0.42, 0.24)
    )
    keypoints, lifted = seen_by_a_doubtful_lifter(joints, "Right", 0.0)
    solution = solve.solve(RIG, keypoints, SCORES, lifted)
    for name in ("RightFoot", "RightToeBase"):
        height = solution.joints[INDEX[name], 2] - RIG.joints[INDEX[name], 2]
        assert abs(height) < 0.003 * RIG.height, name
    raised = solution.joints[INDEX["LeftFoot"], 2] - RIG.joints[INDEX["LeftFoot"], 2]
    assert raised == pytest.approx(0.25, abs=0.05)


def test_feet_at_slightly_different_heights_stand_level() -> None:
    joints = standing_figure(
        LeftLeg=(0.1, -0.108, 0.505), LeftFoot=(0.1, 0.0, 0.12), LeftToeBase=(0.11, -0.14, 0.05)
    )
    keypoints, lifted = seen_by_a_doubtful_lifter(joints, "Right", 0.0)
    level = solve.solve(RIG, keypoints, SCORES, lifted)
    for name in contacts.FEET:
        height = level.joints[INDEX[name], 2] - RIG.joints[INDEX[name], 2]
        assert abs(height) < 0.01 * RIG.height, name
    free = solve.solve(RIG, keypoints, SCORES, lifted, ground=False)
    assert free.joints[INDEX["LeftFoot"], 2] - free.joints[INDEX["RightFoot"], 2] > 0.02
    np.testing.assert_array_equal(free.hips_translation, 0)


def ground_under(turns: np.ndarray, up: np.ndarray, known: float = 1e-3) -> contacts.Ground:
    """The ground of a pose whose depth is certain; ``known`` is the deviation of up, radians."""
    sure = lift.Lifted(np.zeros((22, 3)), np.full(22, 0.999), np.zeros((8, 3)), np.zeros(8))
    body = anatomy.Body(RIG)
    return contacts.find_ground(body, turns, SCORES, sure, up, (known, known))


def test_the_soles_of_a_lying_figure_are_not_on_the_ground() -> None:
    view = np.array([RIG.left, [0, 0, -1], -RIG.front])
    up, nodes = view @ (0.0, 0.0, 1.0), len(anatomy.Body(RIG).nodes)
    lying = np.tile(view @ from_vector((-np.pi / 2, 0, 0)), (nodes, 1, 1))
    assert not {"LeftToeBase", "RightToeBase"} & set(ground_under(lying, up).feet)
    upright = np.tile(view, (nodes, 1, 1))
    assert set(ground_under(upright, up).feet) == set(contacts.FEET)


def astride() -> np.ndarray:
    """Turns ``[K, 3, 3]``, seen level from the front: legs apart, one forwards, one back."""
    view = np.array([RIG.left, [0, 0, -1], -RIG.front])
    body = anatomy.Body(RIG)
    turns = np.tile(np.eye(3), (len(body.nodes), 1, 1))
    for side, sign in (("Left", 1), ("Right", -1)):
        along = unit(sign * 0.3 * RIG.left + sign * 0.4 * RIG.front - (0, 0, 1))
        for name, end in (("UpLeg", "Leg"), ("Leg", "Foot")):
            turns[body.index[side + name]] = between(body.segment(side + end), along)
    return view @ turns


@fast
@given(st.floats(-8, 8), st.floats(-4, 4))
def test_feet_that_stand_tell_where_up_is(lean: float, askew: float) -> None:
    true = np.array([0.0, -1.0, 0.0])
    believed = from_vector(np.radians((lean, 0, askew))) @ true
    ground = ground_under(astride(), believed, np.radians(10))
    assert set(ground.feet) == set(contacts.FEET)
    assert angles(ground.up, true) < 0.35 * angles(believed, true) + 0.1


def test_another_pose_of_the_drawing_keeps_up_and_lengths() -> None:
    truth = plausible(4)
    first = solve.solve(RIG, truth.keypoints, SCORES, truth.lifted, stretch=True)
    other = solve.solve(RIG, truth.keypoints[::-1], SCORES, like=first)
    up = first.camera.rotation @ (0, 0, 1)
    np.testing.assert_allclose(other.camera.rotation @ (0, 0, 1), up, atol=2e-3)
    assert first.stretch is not None and other.stretch is not None
    np.testing.assert_array_equal(other.stretch, first.stretch)


@pytest.mark.parametrize("elevation", [-10, 0, 20])
@pytest.mark.parametrize("off", [(-8, 0), (8, 0), (0, 4), (6, -4)])
def test_all_that_stands_is_on_one_ground(elevation: float, off: tuple[float, float]) -> None:
    """However wrong the reading of up is."""
    raised = from_vector((np.radians(elevation), 0, 0))
    seen = anatomy.Body(RIG).place(raised @ astride())
    up = raised @ (0, -1, 0)
    believed = from_vector(np.radians((off[0], 0, off[1]))) @ up
    left = raised @ (1, 0, 0)
    axes = np.array([believed, left, left, left, *np.zeros((4, 3))])
    sure = np.array([0.98] * 4 + [0.0] * 4)
    directions = unit(seen[BONES[:, 1]] - seen[BONES[:, 0]])
    reading = lift.Lifted(directions, np.full(22, 0.98), axes, sure)
    solution = solve.solve(RIG, seen[:, :2] * 150 + (200, 300), SCORES, reading)
    rows = [INDEX[name] for name in contacts.FEET]
    np.testing.assert_allclose(
        solution.joints[rows, 2], RIG.joints[rows, 2], atol=0.005 * RIG.height
    )


@fast
@given(seeds, st.booleans())
def test_every_joint_stays_in_its_range(seed: int, lifted: bool) -> None:
    """Whatever is drawn; the angles are computed here, from Blender's matrices."""
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
    pose = solve.pose_matrices(RIG, solution)

    def turn(name: str) -> np.ndarray:
        bone = RIG.mapping[name]
        return pose[bone, :3, :3] @ RIG.rest[bone, :3, :3].T

    most = {"Spine": 60, "Spine1": 45, "Spine2": 45, "Neck": 60, "Head": 70}
    most |= {s + n: a for s in ("Left", "Right") for n, a in (("Shoulder", 45), ("Foot", 70))}
    for name, degrees in most.items():
        parent = skeleton.KEYPOINTS[skeleton.PARENTS[INDEX[name]]]
        cosine = (np.trace(turn(parent).T @ turn(name)) - 1) / 2
        assert np.degrees(np.arccos(np.clip(cosine, -1, 1))) < degrees + 0.1, name
    for side, sign in (("Left", 1), ("Right", -1)):
        a, b, c, d = (solution.joints[INDEX[side + n]] for n in ("Arm", "ForeArm", "UpLeg", "Leg"))
        arm, thigh = turn("Spine2").T @ unit(b - a), turn("Hips").T @ unit(d - c)
        # An arm does not point back across the chest, a thigh not up behind the back.
        assert angles(arm, unit((sign * 0.6, -0.75, -0.2))) < 118.1
        assert angles(thigh, unit((sign * 0.2, -0.77, -0.64))) < 105.1


def test_a_limb_with_a_missing_joint_still_goes_where_it_is_drawn() -> None:
    """Knee and elbow unseen, wrist and ankle still lie where they are drawn."""
    far = []
    for seed in range(12):
        truth = plausible(seed)
        scores = SCORES.copy()
        scores[[INDEX["LeftForeArm"], INDEX["RightLeg"]]] = 0
        solution = solve.solve(RIG, truth.keypoints, scores, ground=False)
        rows = [INDEX["LeftHand"], INDEX["RightFoot"]]
        misses = np.linalg.norm(solution.projected[rows] - truth.keypoints[rows], axis=1)
        far.extend(misses / (150 * RIG.height))
    assert np.median(far) < 0.015
