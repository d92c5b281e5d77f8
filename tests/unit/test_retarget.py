"""Motions: rotations that carry over between rigs, and the choice of different poses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.core import retarget
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


def test_a_file_that_is_no_corpus_says_so(tmp_path: Path) -> None:
    path = tmp_path / "poses.npz"
    np.savez(path, rot=np.zeros(3))
    with pytest.raises(ValueError, match="poses.npz is not a pose corpus"):
        retarget.load_corpus(str(path))


@pytest.mark.skipif(not POSES.is_dir(), reason="the shared pose corpora are not here")
def test_the_cc0_corpus_stands_upright() -> None:
    motions = {motion.name: motion for motion in retarget.load_corpus(str(POSES / "cc0_poses.npz"))}
    walk = motions["cc0_poses_kaykit/Walking_B"]
    up = walk.rotations[:, retarget.JOINTS.index("Spine2")] @ [0, 0, 1]
    assert (up[:, 2] > 0.8).all()
    # Somebody who walks swings the legs against each other.
    left = walk.rotations[:, retarget.JOINTS.index("LeftUpLeg")] @ [0, 0, -1]
    right = walk.rotations[:, retarget.JOINTS.index("RightUpLeg")] @ [0, 0, -1]
    assert np.corrcoef(left[:, 1], right[:, 1])[0, 1] < 0
    assert np.linalg.det(walk.rotations) == pytest.approx(1.0)
