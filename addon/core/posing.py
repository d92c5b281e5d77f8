"""A reading of a drawing as the pose of a rig: a flipped limb moves, and nothing else does."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from . import skeleton
from .readings import Reading, Readings
from .solve import Rig, Solution, pose_matrices, solve

_ARM = ("Arm", "ForeArm")
_LEG = ("UpLeg", "Leg", "Foot")


def pose_reading(
    rig: Rig,
    readings: Readings,
    reading: Reading,
    *,
    size: tuple[int, int],
    stretch: bool = False,
) -> Solution:
    """Pose a rig as one reading of a drawing has it.

    Flipped arms and legs are taken from a pose of their own, so that trunk, head and the other
    limbs stay as they are without the flip, to the last digit.

    Args:
        rig: the rig.
        readings: of the drawing's figure.
        reading: the one that is wanted.
        size: the drawing's width and height, pixels.
        stretch: give arms and legs the drawing's lengths.
    """

    def pose(flipped: frozenset[str], like: Solution | None = None) -> Solution:
        read = replace(reading, flipped=flipped)
        points, scores = (
            skeleton.swap_sides(a, read.swapped) for a in (readings.keypoints, readings.scores)
        )
        lifted = readings.lifted(read)
        return solve(rig, points, scores, lifted, size=size, stretch=stretch, like=like)

    limbs = reading.flipped - {"Trunk"}
    solution = pose(reading.flipped - limbs)
    if limbs:
        donor = pose(reading.flipped, like=solution)
        solution = graft(rig, solution, donor, turned_joints(limbs))
    return solution


def limbs_apart(one: Reading, other: Reading) -> frozenset[str] | None:
    """The arms and legs in which the poses of two readings differ; None where all may differ."""
    changed = one.flipped ^ other.flipped
    if one.swapped != other.swapped or "Trunk" in changed:
        return None
    return changed


def turned_joints(limbs: Collection[str]) -> list[str]:
    """The keypoints whose bones turn when arms or legs are flipped, parents first.

    With one half of a limb goes the other, since the upper one turns about itself as the joint
    closes to another side.

    Args:
        limbs: names of ``readings.LIMBS`` without the trunk.
    """
    names: set[str] = set()
    for limb in limbs:
        side = "Left" if limb.startswith("Left") else "Right"
        names |= {side + name for name in (_ARM if limb.endswith("Arm") else _LEG)}
    return sorted(names, key=skeleton.KEYPOINTS.index)


def graft(rig: Rig, solution: Solution, donor: Solution, joints: Sequence[str]) -> Solution:
    """A solution in which some bones point as in another one, each seen by its own camera.

    The lowest joint stays at its height, and the figure at its place in the picture.

    Args:
        rig: the rig of both.
        solution: the pose that stays but for these bones.
        donor: the pose from which they come.
        joints: the keypoints that start them, parents first.
    """
    turns = pose_matrices(rig, donor)[:, :3, :3]
    wanted = solution.camera.rotation.T @ donor.camera.rotation @ turns
    before = solution.joints[:, 2].min()
    for row in (rig.mapping[name] for name in joints if name in rig.mapping):
        now = pose_matrices(rig, solution)[row, :3, :3]
        basis = solution.basis.copy()
        basis[row] = basis[row] @ now.T @ wanted[row]
        solution = replace(solution, basis=basis)
    longer = rig.stretched(solution.stretch)
    places = longer.posed_joints(pose_matrices(rig, solution))
    rise = np.array([0.0, 0.0, before - places[:, 2].min()])
    camera = solution.camera
    camera = replace(camera, translation=camera.translation - camera.rotation @ rise)
    places = places + rise
    return replace(
        solution,
        hips_translation=solution.hips_translation + rise,
        joints=places,
        camera=camera,
        projected=camera.project(places),
    )
