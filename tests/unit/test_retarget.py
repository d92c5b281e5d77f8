"""Motions: rotations that carry over between rigs, and the choice of different poses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.core import retarget, skeleton
from addon.core import rotations as rot

POSES = Path(__file__).resolve().parents[3] / "shared" / "data" / "poses"


def _motion(rotations: np.ndarray) -> retarget.Motion:
    count = len(rotations)
    full = np.tile(np.eye(3), (count, len(retarget.JOINTS), 1, 1))
    full[:, retarget.JOINTS.index("LeftArm")] = rotations
    return retarget.Motion("clip", np.arange(count) * 10, full, np.zeros((count, 3)), {})


@given(st.floats(-np.pi, np.pi), st.floats(-2, 2), st.floats(-2, 2))
def test_heading_turns_any_character_to_face_the_front_view(
    angle: float, x: float, y: float
) -> None:
    c, s = np.cos(angle), np.sin(angle)
    across = np.array([c, s, 0.1])
    middle = np.array([x, y, 1.0])
    turn = retarget.heading(middle + across, middle - across)
    assert turn @ across == pytest.approx([1, 0, 0.1], abs=1e-9)
    assert turn @ [0, 0, 1] == pytest.approx([0, 0, 1])


@given(st.integers(0, 2**32 - 1))
def test_local_rotations_give_bones_the_wanted_world_rotations(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parents = np.array([-1, 0, 1, 1, 3])
    rest = rot.from_vector(rng.normal(size=(5, 3)))
    wanted = {row: rot.from_vector(rng.normal(size=3)) for row in (0, 2, 3)}
    basis = retarget.local_rotations(parents, rest, wanted)
    # Blender's rule, written out by hand: world = parent's world, rest relative to it, basis.
    world: list[np.ndarray] = []
    for row, parent in enumerate(parents):
        carried = rest[row] if parent < 0 else world[parent] @ rest[parent].T @ rest[row]
        world.append(carried @ basis[row])
    for row, rotation in wanted.items():
        assert world[row] == pytest.approx(rotation, abs=1e-9)
    assert basis[1] == pytest.approx(np.eye(3)) and basis[4] == pytest.approx(np.eye(3))


def test_an_a_pose_is_lifted_into_the_t_pose() -> None:
    down = np.array([1.0, 0, -1.0]) / np.sqrt(2)
    level = np.array([1.0, 0, 0])
    align = retarget.alignments(
        {"LeftArm": down, "LeftForeArm": down}, {"LeftArm": level, "LeftForeArm": level}
    )
    for name in ("LeftArm", "LeftForeArm", "LeftHand"):
        assert align[name] @ down == pytest.approx(level, abs=1e-9)
    assert "LeftFoot" not in align


def test_the_farthest_frames_skip_repetitions() -> None:
    # A still, a raised arm for one frame, the still again: both poses are found, in order of time.
    raised = rot.from_vector(np.array([0, 2.0, 0]))
    motion = _motion(np.stack([np.eye(3)] * 10 + [raised] + [np.eye(3)] * 10))
    motion = motion.take(np.arange(20))
    chosen = motion.take(retarget.farthest_frames(motion, 2))
    assert len(chosen) == 2
    assert raised.tolist() in chosen.rotations[:, retarget.JOINTS.index("LeftArm")].tolist()
    assert (np.diff(chosen.frames) > 0).all()
    assert len(retarget.farthest_frames(motion, 99)) == len(motion)


def test_the_farthest_frames_do_not_count_headings() -> None:
    rotations = np.tile(np.eye(3), (9, len(retarget.JOINTS), 1, 1))
    rotations[:4] = rot.about_axis(2, 2.5)  # the same stillness, seen from elsewhere
    rotations[6] = rot.about_axis(0, 1.5)  # lying down
    motion = retarget.Motion("clip", np.arange(9), rotations, np.zeros((9, 3)), {})
    assert retarget.farthest_frames(motion, 2).tolist() == [4, 6]


def test_a_raised_arm_is_where_the_adults_arm_reaches() -> None:
    still = np.tile(np.eye(3), (len(retarget.JOINTS), 1, 1))
    raised = still.copy()
    for name in ("LeftArm", "LeftForeArm", "LeftHand"):
        raised[retarget.JOINTS.index(name)] = rot.about_axis(1, -np.pi / 2)  # +x towards +z
    joints, before = (retarget.joint_positions(pose, {}) for pose in (raised, still))
    shoulder, hand = skeleton.INDEX["LeftArm"], skeleton.INDEX["LeftHand"]
    assert before[hand] - before[shoulder] == pytest.approx([0.53, 0, 0])
    assert joints[hand] - joints[shoulder] == pytest.approx([0, 0, 0.53])
    mirrored = before[list(skeleton.FLIP)] * [-1, 1, 1]
    assert before == pytest.approx(mirrored)
    # An A-pose at rest hangs lower by itself.
    down = np.array([1.0, 0, -1.0]) / np.sqrt(2)
    hanging = retarget.joint_positions(still, {"LeftArm": down, "LeftForeArm": down})
    assert hanging[hand] - hanging[shoulder] == pytest.approx(0.53 * down)


def test_the_lowest_part_of_a_body_has_flesh_around_it() -> None:
    names = ["Hips", "LeftFoot", "LeftToeBase"]
    rest = np.array([1.0, 0.09, 0.02])
    standing, jumping, sitting = rest, rest + 0.5, np.array([0.11, 0.09, 0.02])
    lying = np.array([0.11, 0.3, 0.3])
    heights = np.stack([standing, jumping, sitting, lying])
    lowest = retarget.lowest_part(heights, rest, names)
    assert lowest == pytest.approx([0, 0.5, 0, 0])
    # Where nobody knows the ground, it is where the clip's figure usually is.
    levels = retarget.above_ground(np.array([-1.0, *[-0.95] * 18, -0.2]))
    assert levels == pytest.approx([0, *[0] * 18, 0.75])


@given(st.integers(0, 2**32 - 1))
def test_unscaled_bones_are_a_chain_of_rigid_links(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parents = np.array([-1, 0, 1, 1])
    rest = np.tile(np.eye(4), (4, 1, 1))
    rest[:, :3, :3] = rot.from_vector(rng.normal(size=(4, 3)))
    rest[:, :3, 3] = rng.normal(size=(4, 3))
    basis = rot.from_vector(rng.normal(size=(4, 3)))
    posed = retarget.posed_bones(parents, rest, basis, np.ones((4, 3)))
    # Blender's rule for matrices, without scale: pose = parent's pose, rest relative to it, basis.
    for i, parent in enumerate(parents):
        own = np.eye(4)
        own[:3, :3] = basis[i]
        above = np.eye(4) if parent < 0 else posed[parent] @ np.linalg.inv(rest[parent])
        assert posed[i] == pytest.approx(above @ rest[i] @ own, abs=1e-9)


def test_a_scaled_bone_moves_its_child_and_keeps_its_thickness_to_itself() -> None:
    rest = np.tile(np.eye(4), (2, 1, 1))
    rest[1, :3, 3] = 0.1, 1.0, 0.0
    scales = np.array([[3.0, 2.0, 3.0], [1.0, 1.0, 1.0]])
    quarter = rot.about_axis(2, np.pi / 2)
    basis = np.stack([quarter, np.eye(3)])
    posed = retarget.posed_bones(np.array([-1, 0]), rest, basis, scales)
    assert posed[1, :3, 3] == pytest.approx([-2.0, 0.3, 0.0])
    assert posed[1, :3, :3] == pytest.approx(quarter)
    assert posed[0, :3, 1] == pytest.approx([-2, 0, 0])


@given(st.integers(0, 2**32 - 1))
def test_a_motion_comes_back_from_its_file(tmp_path_factory: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = int(rng.integers(0, 4))
    motion = retarget.Motion(
        "Salsa (2) @ é",
        rng.integers(0, 999, frames),
        rng.normal(size=(frames, len(retarget.JOINTS), 3, 3)),
        rng.normal(size=(frames, 3)),
        {name: rng.normal(size=3) for name in ("RightArm", "LeftLeg")[: rng.integers(0, 3)]},
    )
    folder = tmp_path_factory.mktemp("motions")
    motion.save(folder / "a.npz")
    again = retarget.Motion.load(folder / "a.npz")
    assert again.name == motion.name and again.limbs.keys() == motion.limbs.keys()
    for name in ("frames", "rotations", "root"):
        np.testing.assert_array_equal(getattr(again, name), getattr(motion, name))
    again.save(folder / "b.npz")
    assert (folder / "a.npz").read_bytes() == (folder / "b.npz").read_bytes()


def test_equal_motions_are_equal_files_at_any_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    motion = _motion(np.stack([np.eye(3)] * 3))
    motion.save(tmp_path / "a.npz")
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setattr("time.localtime", lambda *_: (2033, 5, 18, 3, 33, 20, 2, 138, 0))
    reordered = dict(reversed(motion.limbs.items()))
    retarget.Motion(
        motion.name, motion.frames.copy(), motion.rotations.copy(), motion.root, reordered
    ).save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("damage", ["cut", "other", "text"])
def test_what_is_no_motion_says_so(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "walk.npz"
    _motion(np.stack([np.eye(3)] * 3)).save(path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:200])
    elif damage == "other":
        np.savez(path, rot=np.zeros(3))
    else:
        path.write_text("a motion")
    with pytest.raises(ValueError, match="walk.npz is not a motion"):
        retarget.Motion.load(path)


def test_a_file_that_is_no_corpus_says_so(tmp_path: Path) -> None:
    path = tmp_path / "poses.npz"
    np.savez(path, rot=np.zeros(3))
    with pytest.raises(ValueError, match="poses.npz is not a pose corpus"):
        retarget.load_corpus(str(path))


@pytest.mark.skipif(not POSES.is_dir(), reason="the shared pose corpora are not here")
def test_the_cc0_corpus_stands_upright() -> None:
    motions = {motion.name: motion for motion in retarget.load_corpus(str(POSES / "cc0_poses.npz"))}
    walk = motions["cc0_poses/kaykit/Walking_B"]
    up = walk.rotations[:, retarget.JOINTS.index("Spine2")] @ [0, 0, 1]
    assert (up[:, 2] > 0.8).all()
    # Somebody who walks swings the legs against each other.
    left = walk.rotations[:, retarget.JOINTS.index("LeftUpLeg")] @ [0, 0, -1]
    right = walk.rotations[:, retarget.JOINTS.index("RightUpLeg")] @ [0, 0, -1]
    assert np.corrcoef(left[:, 1], right[:, 1])[0, 1] < 0
    assert np.linalg.det(walk.rotations) == pytest.approx(1.0)


@pytest.mark.skipif(not POSES.is_dir(), reason="the shared pose corpora are not here")
def test_who_walks_is_on_the_ground_and_who_flips_is_not() -> None:
    motions = {motion.name: motion for motion in retarget.load_corpus(str(POSES / "cc0_poses.npz"))}
    assert motions["cc0_poses/kaykit/Walking_B"].root[:, 2].max() < 0.08
    assert motions["cc0_poses/mesh2motion/Backflip"].root[:, 2].max() > 0.5
    assert all((motion.root[:, 2] >= 0).all() for motion in motions.values())
