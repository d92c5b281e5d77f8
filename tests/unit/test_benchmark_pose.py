from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from addon.core import anatomy, contacts, lift, retarget, skeleton
from addon.core.rotations import from_vector, unit
from addon.core.solve import solve
from addon.core.strokes import StrokePack, View
from scripts import benchmark_pose as benchmark
from tests.unit.synthetic import RIG, SCORES, plausible

SIDE = 640
T_POSE = np.tile(np.eye(3), (len(retarget.JOINTS), 1, 1))


@pytest.fixture(scope="module")
def views() -> list[View]:
    result = []
    for seed in range(12):
        truth = plausible(seed)
        result.append(
            View(
                strokes=[truth.keypoints.astype(np.float32)],
                keypoints=truth.keypoints.astype(np.float32),
                visibility=np.full(skeleton.COUNT, 2, np.uint8),
                joints=(truth.joints * 3).astype(np.float32),  # rendered at another size
            )
        )
    return result


@pytest.fixture(scope="module")
def motions() -> list[retarget.Motion]:
    """Clips of swinging limbs, two of them held out."""
    names = ("cmu_poses/01/01_01", "cmu_poses/05/05_02", "cc0_poses/kaykit/Idle", "x/martial/kick")
    return [_swinging(name, seed) for seed, name in enumerate(names)]


def _swinging(name: str, seed: int, count: int = 5) -> retarget.Motion:
    rng = np.random.default_rng(seed)
    rotations = np.tile(T_POSE, (count, 1, 1, 1))
    for joint, parent in enumerate(retarget.PARENTS):
        if parent >= 0:
            local = from_vector(rng.normal(size=(count, 3)) * 0.25)
            rotations[:, joint] = rotations[:, parent] @ local
    limbs = retarget.limb_directions(dict(zip(skeleton.KEYPOINTS, benchmark.adult(), strict=True)))
    return retarget.Motion(name, np.arange(count), rotations, np.zeros((count, 3)), limbs)


def test_true_keypoints_meet_the_acceptance(views: list[View]) -> None:
    scores = benchmark.measure_views(RIG, views, SIDE, benchmark.true_keypoints)
    assert scores["reprojection_median_percent"] < 3
    assert scores["pa_mpjpe_solved_percent"] < min(6, scores["pa_mpjpe_in_plane_percent"])
    assert scores["pa_mpjpe_in_plane_percent"] > 3


def test_the_unit_is_the_characters_height(views: list[View]) -> None:
    """Keypoints that are all moved by 5 % of the height re-project 5 % beside the truth."""

    def beside(view: View, side: int) -> tuple[np.ndarray, np.ndarray]:
        keypoints, scores = benchmark.true_keypoints(view, side)
        return keypoints + (0.05 * 150 * RIG.height, 0), scores

    good = benchmark.measure_views(RIG, views, SIDE, benchmark.true_keypoints)
    moved = benchmark.measure_views(RIG, views, SIDE, beside)
    assert moved["reprojection_median_percent"] == pytest.approx(5, abs=0.7)
    assert moved["pa_mpjpe_solved_percent"] == pytest.approx(
        good["pa_mpjpe_solved_percent"], abs=0.1
    )


def test_views_are_taken_evenly(views: list[View], tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    StrokePack.from_views(views, SIDE, [("Anna", "walk")]).save(path)
    taken, side = benchmark.load_views([path], 4)
    assert side == SIDE and len(taken) == 4
    np.testing.assert_array_equal(taken[-1].keypoints, views[-1].keypoints)
    assert len(benchmark.load_views([path], 100)[0]) == 12


def test_held_out_are_the_clips_that_the_training_leaves_out(
    motions: Sequence[retarget.Motion],
) -> None:
    trainer = pytest.importorskip("trainer.lifter", reason="the trainer needs torch")
    assert trainer.HELD_OUT == benchmark.HELD_OUT
    assert [m.name for m in benchmark.split(motions, held_out=True)] == [
        "cmu_poses/05/05_02",
        "x/martial/kick",
    ]
    assert len(benchmark.split(motions, held_out=False)) == 2


def test_a_body_at_rest_stands_where_it_rests() -> None:
    rest = RIG.joints - RIG.joints[0]
    figure = benchmark.pose(rest, T_POSE, {})
    np.testing.assert_allclose(figure.joints, rest, atol=1e-12)
    assert figure.height == pytest.approx(RIG.height)
    assert figure.standing.all()


def test_a_raised_foot_does_not_stand() -> None:
    kick = T_POSE.copy()
    for name in ("LeftUpLeg", "LeftLeg", "LeftFoot", "LeftToeBase"):
        kick[retarget.JOINTS.index(name)] = from_vector((-1.2, 0, 0))
    figure = benchmark.pose(RIG.joints, kick, {})
    standing = dict(zip(contacts.FEET, figure.standing, strict=True))
    assert standing == {name: name.startswith("Right") for name in contacts.FEET}


def test_other_bodies_differ_in_lengths_but_not_in_pose() -> None:
    rng = np.random.default_rng(0)
    rest = benchmark.adult()
    bones = rest[benchmark._CHILDREN] - rest[benchmark._PARENTS]
    for _ in range(20):
        other = benchmark.other_body(rest, rng)
        others = other[benchmark._CHILDREN] - other[benchmark._PARENTS]
        np.testing.assert_allclose(unit(others), unit(bones), atol=1e-9)
        ratio = np.linalg.norm(others, axis=1) / np.linalg.norm(bones, axis=1)
        assert np.ptp(ratio) > 0.05
        np.testing.assert_allclose(ratio[list(lift.BONE_FLIP)], ratio)  # both sides alike


def test_spoilt_keypoints_have_the_errors_of_an_estimator() -> None:
    rng = np.random.default_rng(0)
    points = plausible(0).keypoints
    size = np.ptp(points, axis=0).max()
    many = [benchmark.spoil(points, rng) for _ in range(2000)]
    off = np.array([noisy - points for noisy, _ in many]) / size
    trunk = [i for i, name in enumerate(skeleton.KEYPOINTS) if name[:4] not in ("Left", "Righ")]
    assert off[:, trunk].std() == pytest.approx(0.02, rel=0.05)
    missing = np.array([scores == 0 for _, scores in many])
    assert missing.mean() == pytest.approx(0.15, abs=0.01)
    hand = skeleton.INDEX["LeftHand"]
    swapped = np.linalg.norm(off[:, hand], axis=1) > 0.1
    assert swapped.mean() == pytest.approx(0.03, abs=0.015)


def test_the_most_similar_view_of_a_training_pose_is_that_pose(
    motions: Sequence[retarget.Motion],
) -> None:
    rng = np.random.default_rng(0)
    similar = benchmark.MostSimilar(motions, rng)
    figure = benchmark.pose(benchmark.adult(), motions[0].rotations[2], motions[0].limbs)
    angles = []
    for camera in benchmark.look(figure, rng, 8):
        truth = camera.to_camera(figure.joints)
        read = similar.read(camera.project(figure.joints), SCORES)
        directions = unit(truth[benchmark._CHILDREN] - truth[benchmark._PARENTS])
        angles.append(np.degrees(np.arccos((read * directions).sum(axis=1).clip(-1, 1))))
    assert np.median(angles) < 25


def test_all_figures_come_out_of_small_runs(motions: Sequence[retarget.Motion]) -> None:
    rng = np.random.default_rng(0)
    lifter = benchmark.measure_lifter(motions, 4, rng)
    rig = benchmark.measure_rig(RIG, motions, 4, rng)
    figures = {("lifter", name) for name in lifter} | {("rig", name) for name in rig}
    assert {bound for bound in benchmark.BOUNDS if bound[0] != "rigs"} <= figures
    assert lifter["true_pa_mpjpe_percent"] < lifter["true_in_plane_pa_mpjpe_percent"]
    assert rig["drawn_angle_median_degrees"] < 2
    assert rig["reprojection_median_percent"] < 2
    assert rig["hinges_beyond_limits_percent"] == 0
    assert rig["standing_feet_height_median_percent"] < 1
    shares = [rig[f"standing_feet_{name}_percent"] for name, *_ in benchmark.FOOT_HEIGHTS]
    assert sum(shares) == pytest.approx(100)


def test_bends_are_counted_as_they_close() -> None:
    truth = plausible(3)
    solution = solve(RIG, truth.keypoints, SCORES, truth.lifted)
    bends = benchmark.hinge_bends(RIG, solution)
    for joint, bend in zip(anatomy.Body(RIG).hinges, bends, strict=True):
        upper = skeleton.KEYPOINTS[skeleton.PARENTS[skeleton.INDEX[joint]]]
        a, b, c = (truth.joints[skeleton.INDEX[n]] for n in (upper, joint, anatomy.END[joint]))
        true = np.degrees(np.arccos(unit(b - a) @ unit(c - b)))
        assert bend == pytest.approx(true, abs=12), joint
