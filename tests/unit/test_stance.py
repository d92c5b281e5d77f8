"""Poses between two poses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.core.rotations import from_vector
from addon.core.solve import Rig, Solution, pose_matrices, solve
from addon.core.stance import Stance, blend
from tests.unit.synthetic import RIG, SCORES, plausible

seeds = st.integers(0, 2**32 - 1)
shares = st.floats(0, 1)
fast = settings(deadline=None, max_examples=20)


def solved(rig: Rig, seed: int) -> Solution:
    truth = plausible(seed)
    return solve(rig, truth.keypoints, SCORES, truth.lifted)


def stance(rig: Rig, solution: Solution) -> Stance:
    return Stance.of(rig, pose_matrices(rig, solution))


@fast
@given(seeds)
def test_a_stance_is_read_from_posed_bones(seed: int) -> None:
    solution = solved(RIG, seed)
    read = stance(RIG, solution)
    np.testing.assert_allclose(read.basis, solution.basis, atol=1e-9)
    head = RIG.rest[RIG.mapping["Hips"], :3, 3] + solution.hips_translation
    np.testing.assert_allclose(read.hips_head(RIG), head, atol=1e-9)


@fast
@given(seeds, shares)
def test_bones_go_the_same_share_of_their_way(seed: int, share: float) -> None:
    before, solution = stance(RIG, solved(RIG, seed)), solved(RIG, seed + 1)
    between = blend(RIG, before, solution, share)
    for a, b, c in zip(before.basis, solution.basis, between.basis, strict=True):
        whole, part = (np.arccos(np.clip((np.trace(a.T @ m) - 1) / 2, -1, 1)) for m in (b, c))
        assert part == pytest.approx(share * whole, abs=1e-5)
    places = pose_matrices(RIG, between)
    hips = RIG.mapping["Hips"]
    way = (1 - share) * before.hips_head(RIG) + share * pose_matrices(RIG, solution)[hips, :3, 3]
    np.testing.assert_allclose(places[hips, :3, 3], way, atol=1e-9)
    np.testing.assert_allclose(between.joints, RIG.posed_joints(places), atol=1e-9)


@fast
@given(seeds)
def test_the_ends_are_the_two_poses(seed: int) -> None:
    first, last = solved(RIG, seed), solved(RIG, seed + 1)
    before = stance(RIG, first)
    assert blend(RIG, before, last, 1.0) is last
    none = pose_matrices(RIG, blend(RIG, before, last, 0.0))
    np.testing.assert_allclose(none, pose_matrices(RIG, first), atol=1e-7)


@fast
@given(seeds, st.floats(0.2, 5), st.floats(-3, 3))
def test_a_stance_goes_where_the_character_goes(seed: int, scale: float, turn: float) -> None:
    """The same pose of the same rig, moved, turned and scaled, is the same stance."""
    here = stance(RIG, solved(RIG, seed))
    places = pose_matrices(RIG, solved(RIG, seed))
    away = places.copy()
    away[:, :3, :3] = from_vector([0, 0, turn]) @ away[:, :3, :3]
    away[:, :3, 3] = scale * away[:, :3, 3] @ from_vector([0, 0, turn]).T
    rest = RIG.rest.copy()
    rest[:, :3, :3] = from_vector([0, 0, turn]) @ rest[:, :3, :3]
    rest[:, :3, 3] = scale * rest[:, :3, 3] @ from_vector([0, 0, turn]).T
    moved = Rig(RIG.names, RIG.parents, rest, RIG.lengths * scale, RIG.mapping)
    there = Stance.of(moved, away)
    np.testing.assert_allclose(there.basis, here.basis, atol=1e-7)
    np.testing.assert_allclose(there.hips, here.hips, atol=1e-7)


@fast
@given(seeds)
def test_json_is_a_way_there_and_back(seed: int) -> None:
    kept = stance(RIG, solved(RIG, seed))
    again = Stance.from_json(kept.to_json(RIG.names), RIG.names)
    assert again is not None
    np.testing.assert_allclose(again.basis, kept.basis, atol=1e-5)
    np.testing.assert_allclose(again.hips, kept.hips, atol=1e-5)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[1]", '{"format": "croquis-stance-1"}', "null", "[" * 100_000],
)
def test_other_texts_are_no_stance(text: str) -> None:
    assert Stance.from_json(text, RIG.names) is None


def test_a_stance_of_other_bones_or_without_turns_is_none() -> None:
    kept = stance(RIG, solved(RIG, 1))
    text = kept.to_json(RIG.names)
    assert Stance.from_json(text, [*RIG.names, "Tail"]) is None
    nothing = text.replace(text[text.index(":[") : text.index("]")], ":[0,0,0,0", 1)
    assert Stance.from_json(nothing, RIG.names) is None
