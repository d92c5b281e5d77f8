"""Humanoids are found in rigs whose names say nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from addon.core import rig_geometry, rigs, skeleton
from addon.core.errors import UserError
from addon.core.rotations import from_vector

from .synthetic import A_POSE, T_POSE, make_rig, places


@dataclass
class Bones:
    """A rig that grows; the bones of keypoints bear their names."""

    names: list[str]
    parents: list[int]
    points: np.ndarray  # [N, 2, 3]

    @classmethod
    def of(
        cls, pose: dict[str, tuple[float, float, float]], without: tuple[str, ...] = ()
    ) -> Bones:
        rig = make_rig(pose, without=without)
        tails = rig.heads + rig.rest[:, :3, 1] * rig.lengths[:, None]
        points = np.stack([rig.heads, tails], axis=1)
        return cls(list(rig.names[:-1]), rig.parents[:-1].tolist(), points[:-1])  # no finger

    def grow(self, up: str, start: ArrayLike, step: ArrayLike, count: int) -> None:
        """Add a strand of bones."""
        parent, start, step = self.names.index(up), np.array(start), np.array(step)
        for i in range(count):
            self.names.append(f"strand{len(self.names)}")
            self.parents.append(parent)
            head = start + step * i
            self.points = np.concatenate([self.points, [[head, head + step]]])
            parent = len(self.parents) - 1

    def grow_fingers(self) -> None:
        for side in ("Left", "Right"):
            wrist, elbow = (self.points[self.names.index(side + k), 0] for k in ("Hand", "ForeArm"))
            along = (wrist - elbow) / np.linalg.norm(wrist - elbow)
            for aside in (-0.03, 0.0, 0.03):
                start = wrist + along * 0.08 + np.array([0, aside, 0])
                self.grow(side + "Hand", start, along * 0.03, 3)

    def find(self) -> dict[str, str]:
        found = rig_geometry.find(self.parents, self.points[:, 0], self.points[:, 1])
        return {keypoint: self.names[row] for keypoint, row in found.items()}


def scrambled(bones: Bones, seed: int) -> tuple[Bones, dict[str, str]]:
    """A rig under names that say nothing, in any order, and which bone is which."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(bones.names))
    place = np.argsort(order)
    parents = [int(place[p]) if (p := bones.parents[i]) >= 0 else -1 for i in order]
    names = [f"b{number:03}" for number in rng.permutation(1000)[: len(order)]]
    truth = {
        name: names[place[row]] for row, name in enumerate(bones.names) if name in skeleton.INDEX
    }
    return Bones(names, parents, bones.points[order]), truth


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 10_000),
    st.sampled_from([T_POSE, A_POSE]),
    st.booleans(),
    st.tuples(*[st.floats(-3, 3)] * 3),
    st.floats(-4, 4),
)
def test_anywhere_in_any_size_under_any_names(
    seed: int, pose: dict, fingers: bool, turn: tuple[float, float, float], size: float
) -> None:
    bones = Bones.of(pose)
    if fingers:
        bones.grow_fingers()
    bones, truth = scrambled(bones, seed)
    moved = (bones.points @ from_vector(turn).T + np.array([3.0, -2, 1])) * 10**size
    assert rigs.match(bones.names, bones.parents, moved) == truth


@pytest.mark.parametrize("pose", [T_POSE, A_POSE])
@pytest.mark.parametrize(
    "without",
    [
        ("Spine1",),
        ("Spine", "Spine1"),
        ("LeftShoulder", "RightShoulder"),
        ("LeftToeBase", "RightToeBase"),
        ("Neck",),
        ("HeadTop_End",),
    ],
)
def test_bones_that_a_rig_does_not_have(pose: dict, without: tuple[str, ...]) -> None:
    bones, truth = scrambled(Bones.of(pose, without), 1)
    found = rigs.match(bones.names, bones.parents, bones.points)
    trunk = {"Spine", "Spine1", "Neck", "Head", "HeadTop_End"}  # what they are called is a choice
    assert {k: v for k, v in found.items() if k not in trunk} == {
        k: v for k, v in truth.items() if k not in trunk
    }


def test_the_mirror_image_changes_sides() -> None:
    """A rig seen in a mirror still looks ahead, so its left bones are on its right."""
    bones, truth = scrambled(Bones.of(T_POSE), 2)
    found = rigs.match(bones.names, bones.parents, bones.points * (-1, 1, 1))
    assert found == {k: truth[skeleton.mirror_name(k)] for k in truth}


def test_twist_bones_are_passed_over() -> None:
    bones = Bones.of(T_POSE)
    bones.grow_fingers()
    for child in ("LeftForeArm", "RightForeArm", "LeftLeg", "RightLeg"):
        row = bones.names.index(child)
        up = bones.parents[row]
        half = (bones.points[row, 0] - bones.points[up, 0]) / 2
        bones.grow(bones.names[up], bones.points[up, 0] + half, half, 1)
        bones.parents[row] = len(bones.parents) - 1
    assert bones.find() == {k: k for k in skeleton.KEYPOINTS}


def test_skirts_hair_and_controls_are_not_limbs() -> None:
    bones, heads = Bones.of(T_POSE), places(T_POSE)
    for sign in (1, -1):
        crown = heads[skeleton.INDEX["Head"]] + (0.1 * sign, 0.05, 0.1)
        bones.grow("Head", crown, (0, 0, -0.2), 4)
        bones.grow("Hips", heads[0] + (0.15 * sign, 0, 0), (0.02 * sign, 0, -0.15), 4)
        bones.grow("Root", (0.1 * sign, 0.02, 0.09), (0, -0.1, 0), 3)
    found = bones.find()
    limbs = [k for k in skeleton.KEYPOINTS if k.startswith(("Left", "Right"))]
    assert {k: found.get(k) for k in limbs} == {k: k for k in limbs}


def test_something_in_one_hand() -> None:
    bones = Bones.of(A_POSE)
    bones.grow("RightHand", bones.points[bones.names.index("RightHand"), 0], (0, -0.4, 0.1), 2)
    found = bones.find()
    arms = [s + k for s in ("Left", "Right") for k in ("Shoulder", "Arm", "ForeArm", "Hand")]
    assert {k: found.get(k) for k in arms} == {k: k for k in arms}


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(0, 25))
def test_no_humanoid_is_no_error(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    parents = [int(rng.integers(-1, i)) if i else -1 for i in range(count)]
    points = rng.normal(size=(count, 2, 3)) * rng.integers(0, 2)  # all in one place, too
    found = rig_geometry.find(parents, points[:, 0], points[:, 1])
    assert set(found) <= set(skeleton.KEYPOINTS)
    assert len(set(found.values())) == len(found)


def test_a_four_legged_table_is_refused() -> None:
    feet = [(x, y) for x in (1, -1) for y in (1, -1)]
    points = np.array([[(0, 0, 1), (0, 0, 1.1)], *([(x, y, 1), (x, y, 0)] for x, y in feet)])
    with pytest.raises(UserError, match="finds no hips and no arms and no legs"):
        rigs.match(["top", "a", "b", "c", "d"], [-1, 0, 0, 0, 0], points)
