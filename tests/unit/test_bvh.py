"""Hierarchies and motion as BVH: nothing is lost on the way to a file and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from addon.core import bvh, skeleton, solve
from addon.core.bvh import Bvh
from addon.core.errors import UserError
from addon.core.rotations import about_axis, from_vector
from tests.unit.synthetic import A_POSE, FINGER, T_POSE, make_rig

CMU = Path(__file__).resolve().parents[3] / "shared" / "data" / "poses" / "bvh"
TO_BLENDER = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])

angles = st.floats(-180, 180, allow_nan=False)
in_one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def posed(rig: solve.Rig, seed: int, frames: int = 3) -> np.ndarray:
    """``[F, N, 4, 4]`` world matrices of a rig that turns and walks."""
    rng = np.random.default_rng(seed)
    matrices = []
    for _ in range(frames):
        basis = np.tile(np.eye(3), (len(rig.names), 1, 1))
        for row in rig.mapping.values():
            basis[row] = from_vector(rng.normal(0, 0.9, 3))
        camera = solve.solve(rig, np.zeros((23, 2)), np.zeros(23)).camera
        solution = solve.Solution(basis, rng.normal(0, 1, 3), rig.joints, camera, np.zeros((23, 2)))
        matrices.append(solve.pose_matrices(rig, solution))
    return np.array(matrices)


# ---- angles ----------------------------------------------------------------------------------


@given(angles, angles, angles)
def test_angles_give_the_rotation_back(z: float, x: float, y: float) -> None:
    rotation = about_axis(2, np.radians(z)) @ about_axis(0, np.radians(x))
    rotation = rotation @ about_axis(1, np.radians(y))
    np.testing.assert_allclose(bvh.from_angles([z, x, y], "ZXY"), rotation, atol=1e-12)
    np.testing.assert_allclose(bvh.from_angles(bvh.to_angles(rotation)), rotation, atol=1e-7)


@given(angles, angles, st.sampled_from((90.0, -90.0)), st.floats(-1e-3, 1e-3), st.integers(0, 99))
def test_gimbal_lock_loses_nothing(z: float, y: float, lock: float, near: float, seed: int) -> None:
    rotation = bvh.from_angles([z, lock + near, y])
    # What Blender gives has the noise of single precision.
    noisy = rotation + np.random.default_rng(seed).normal(0, 1e-7, (3, 3))
    np.testing.assert_allclose(bvh.from_angles(bvh.to_angles(noisy)), rotation, atol=1e-5)


@pytest.mark.parametrize("order", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX", "Z", ""])
def test_any_order_of_axes(order: str) -> None:
    values = [30.0, -40.0, 50.0][: len(order)]
    expected = np.eye(3)
    for axis, value in zip(order, values, strict=True):
        expected = expected @ about_axis("XYZ".index(axis), np.radians(value))
    np.testing.assert_allclose(bvh.from_angles(values, order), expected, atol=1e-12)


# ---- a rig's poses ---------------------------------------------------------------------------


@pytest.mark.parametrize("rest", [T_POSE, A_POSE])
def test_joints_are_where_the_rig_has_them(rest: dict, tmp_path: Path) -> None:
    rig = make_rig(rest, roll_seed=4, scale=1.3, turn=0.5)
    matrices = posed(rig, seed=1)
    bvh.write(tmp_path / "pose.bvh", bvh.from_poses(rig, matrices, 1 / 24))
    read = bvh.read(tmp_path / "pose.bvh")
    assert sorted(read.names) == sorted(skeleton.KEYPOINTS)
    assert read.names[0] == "Hips"
    rows = [rig.names.index(name) for name in read.names]
    np.testing.assert_allclose(
        read.joints() @ TO_BLENDER.T, matrices[:, rows][..., :3, 3], atol=1e-4
    )
    assert read.frame_time == pytest.approx(1 / 24)


def test_rest_is_zero_and_faces_forward(tmp_path: Path) -> None:
    rig = make_rig()
    bvh.write(tmp_path / "rest.bvh", bvh.from_poses(rig, rig.rest[None], 1 / 25))
    lines = (tmp_path / "rest.bvh").read_text().splitlines()
    assert lines[:3] == ["HIERARCHY", "ROOT Hips", "{"]
    x, y, z, *turns = map(float, lines[-1].split())
    assert (x, y, z) == pytest.approx((0, 0.95, 0), abs=1e-6)  # Y is up, in metres
    assert np.abs(turns).max() < 1e-6
    assert len(turns) == 3 * len(rig.mapping)
    offset = lines[next(i for i, line in enumerate(lines) if "LeftToeBase" in line) + 2].split()
    assert float(offset[3]) > 0.1  # toes point along +Z: that is forward
    assert not any(name in line for line in lines for name in ("Root", FINGER))


def test_bones_between_keypoints_are_joints_of_their_own() -> None:
    rig = make_rig()
    mapping = {name: row for name, row in rig.mapping.items() if name != "LeftForeArm"}
    motion = bvh.from_poses(
        solve.Rig(rig.names, rig.parents, rig.rest, rig.lengths, mapping), rig.rest[None], 1.0
    )
    assert motion.names[motion.parents[motion.names.index("LeftHand")]] == "LeftForeArm"


def test_limbs_that_hang_from_elsewhere_join_the_tree() -> None:
    rig = make_rig()
    parents = np.where(rig.parents == rig.mapping["Hips"], 0, rig.parents)  # now Root's children
    loose = solve.Rig(rig.names, parents, rig.rest, rig.lengths, rig.mapping)
    matrices = posed(rig, seed=2)
    motion = bvh.from_poses(loose, matrices, 1.0)
    assert (motion.parents < 0).sum() == 1
    rows = [rig.names.index(name) for name in motion.names]
    np.testing.assert_allclose(
        motion.joints() @ TO_BLENDER.T, matrices[:, rows][..., :3, 3], atol=1e-9
    )


def test_stretched_bones_keep_their_places(tmp_path: Path) -> None:
    rig = make_rig()
    matrices = posed(rig, seed=3)
    hand = rig.names.index("LeftHand")
    matrices[1:, hand, :3, 3] += (0.1, 0.05, 0)
    bvh.write(tmp_path / "pose.bvh", bvh.from_poses(rig, matrices, 1 / 24))
    read = bvh.read(tmp_path / "pose.bvh")
    found = read.joints()[:, read.names.index("LeftHand")] @ TO_BLENDER.T
    np.testing.assert_allclose(found, matrices[:, hand, :3, 3], atol=1e-4)
    assert (tmp_path / "pose.bvh").read_text().count("CHANNELS 6") == 2


# ---- to a file and back ----------------------------------------------------------------------


@st.composite
def hierarchies(draw: st.DrawFn) -> Bvh:
    """Any tree with any motion: several roots, long chains, half of the joints at gimbal lock."""
    count, frames = draw(st.integers(1, 12)), draw(st.integers(1, 4))
    parents = np.array([-1, *(draw(st.integers(-1, i - 1)) for i in range(1, count))])
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    turns = rng.uniform(-180, 180, (frames, count, 3))
    turns[..., 1] = np.where(rng.random((frames, count)) < 0.5, 90.0, turns[..., 1])
    offsets = rng.normal(0, 1, (count, 3))
    positions = np.tile(offsets, (frames, 1, 1))
    positions[:, parents < 0] += rng.normal(0, 1, (frames, int((parents < 0).sum()), 3))
    ends = {i: rng.normal(0, 1, 3) for i in range(count) if i not in parents}
    names = [draw(st.text("aB0:. ", max_size=4)) for _ in range(count)]
    return Bvh(names, parents, offsets, ends, bvh.from_angles(turns), positions, 1 / 30)


@in_one_folder
@given(hierarchies())
def test_writing_and_reading_gives_the_same_joints(tmp_path: Path, motion: Bvh) -> None:
    bvh.write(tmp_path / "any.bvh", motion)
    read = bvh.read(tmp_path / "any.bvh")
    assert len(set(read.names)) == len(motion.names)
    # The file nests the joints, which changes their order.
    order = list(bvh._depth_first(motion.parents))
    np.testing.assert_allclose(read.joints(), motion.joints()[:, order], atol=1e-4)
    ends = {order.index(row): end for row, end in motion.ends.items()}
    assert read.ends.keys() == ends.keys()
    for row, end in ends.items():
        np.testing.assert_allclose(read.ends[row], end, atol=1e-6)


@pytest.mark.parametrize("path", sorted(CMU.glob("*.bvh")), ids=lambda path: path.stem)
def test_motion_capture_survives(path: Path, tmp_path: Path) -> None:
    original = bvh.read(path)
    assert len(original.names) > 30
    assert original.frame_time == pytest.approx(1 / 120, rel=1e-4)
    bvh.write(tmp_path / "copy.bvh", original)
    copy = bvh.read(tmp_path / "copy.bvh")
    assert list(copy.names) == list(original.names)
    np.testing.assert_allclose(copy.joints(), original.joints(), atol=1e-4)


def test_angles_do_not_jump_between_frames(tmp_path: Path) -> None:
    turning = bvh.from_angles(np.array([[[angle, 0, 0]] for angle in range(0, 1080, 30)]))
    still = np.zeros((len(turning), 1, 3))
    end = {0: np.ones(3)}
    motion = Bvh(["Top"], np.array([-1]), np.zeros((1, 3)), end, turning, still, 0.1)
    bvh.write(tmp_path / "top.bvh", motion)
    lines = (tmp_path / "top.bvh").read_text().splitlines()[-len(turning) :]
    spins = np.array([float(line.split()[3]) for line in lines])
    np.testing.assert_allclose(np.diff(spins), 30, atol=1e-5)


# ---- other people's files --------------------------------------------------------------------

GOOD = """HIERARCHY
ROOT  Left  leg
{
    OFFSET 0 1 0
    CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
    End Site
    {
        OFFSET 0 -1 0
    }
}
MOTION
Frames: 2
Frame Time: 0.04
0 1 0 0 0 0
0 2 0 0 90 0
"""


def read_text(tmp_path: Path, text: str) -> Bvh:
    path = tmp_path / "walk.bvh"
    path.write_bytes(text.encode())
    return bvh.read(path)


@pytest.mark.parametrize("text", [GOOD, GOOD.replace("\n", "\r\n"), GOOD.replace("    ", "\t")])
def test_spaces_and_lines_are_as_they_like(tmp_path: Path, text: str) -> None:
    motion = read_text(tmp_path, text)
    assert motion.names == ["Left leg"]
    np.testing.assert_allclose(motion.joints()[:, 0], [[0, 1, 0], [0, 2, 0]])
    tip = motion.rotations[1, 0] @ motion.ends[0]
    np.testing.assert_allclose(tip, [0, 0, -1], atol=1e-9)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("HIERARCHY", "HIERARCHIE"),
        ("ROOT", "JOINT"),
        ("OFFSET 0 1 0", "OFFSET 0 one 0"),
        ("OFFSET 0 1 0", "SCALE 1"),
        ("CHANNELS 6", "CHANNELS 5"),
        ("Zrotation", "Wrotation"),
        ("Zrotation", "Zscale"),
        ("0 -1 0\n    }", "0 -1 0"),
        ("}\nMOTION", "MOTION"),
        ("MOTION", "} MOTION"),
        ("Frames: 2", "Frames: 3"),
        ("Frames: 2", "Frames: 0"),
        ("0 2 0", "0 nan 0"),
        ("0 2 0", "0 0"),
        (GOOD, ""),
        (GOOD, "HIERARCHY MOTION Frames: 1 Frame Time: 1"),
        (GOOD, GOOD[:80]),
        (GOOD, "\x00\xff" * 50),
    ],
)
def test_damage_is_one_sentence(tmp_path: Path, old: str, new: str) -> None:
    assert old in GOOD
    with pytest.raises(UserError) as error:
        read_text(tmp_path, GOOD.replace(old, new, 1))
    text = str(error.value)
    assert text.startswith("walk.bvh is not a BVH file that Croquis can read: ")
    assert text.endswith(".") and len(text.splitlines()) == 1
