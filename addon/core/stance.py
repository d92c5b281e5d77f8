"""How a rig stands, and what lies between two ways to stand.

An artist who lets a drawing pose a character only half wants each bone half way along its shortest
turn, and the hips half way along a straight line.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .rest import Rig
from .rotations import from_quaternions, slerp, to_quaternions
from .solve import Solution, pose_matrices

FloatArray = NDArray[np.float64]

_FORMAT = "croquis-stance-1"


@dataclass(frozen=True)
class Stance:
    """A pose of a rig, which holds wherever the character is moved, turned or scaled to.

    Attributes:
        basis: ``[N, 3, 3]`` each bone's own rotation, as in :class:`.solve.Solution`.
        hips: ``[3]`` how far the hips' head is from rest, in heights of the rig, along the axes of
            the hips' bone at rest.
    """

    basis: FloatArray
    hips: FloatArray

    @classmethod
    def of(cls, rig: Rig, matrices: FloatArray) -> Stance:
        """Read a pose.

        Args:
            rig: the rig.
            matrices: ``[N, 4, 4]`` its posed bones, world space.
        """
        basis = np.empty((len(rig.parents), 3, 3))
        for i, parent in enumerate(rig.parents):
            unposed = rig.rest[i, :3, :3]
            if parent >= 0:
                unposed = matrices[parent, :3, :3] @ rig.rest[parent, :3, :3].T @ unposed
            basis[i] = unposed.T @ matrices[i, :3, :3]
        hips = rig.mapping["Hips"]
        moved = matrices[hips, :3, 3] - rig.rest[hips, :3, 3]
        return cls(basis, rig.rest[hips, :3, :3].T @ moved / rig.height)

    def hips_head(self, rig: Rig) -> FloatArray:
        """Where the hips are ``[3]``, world space."""
        rest = rig.rest[rig.mapping["Hips"]]
        return rest[:3, 3] + rest[:3, :3] @ self.hips * rig.height

    def to_json(self, names: Sequence[str]) -> str:
        """As one line of JSON.

        Args:
            names: ``[N]`` the bones.
        """
        turns = np.round(to_quaternions(self.basis), 6).tolist()
        document = {
            "format": _FORMAT,
            "bones": dict(zip(names, turns, strict=True)),
            "hips": np.round(self.hips, 6).tolist(),
        }
        return json.dumps(document, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str, names: Sequence[str]) -> Stance | None:
        """The way back of :meth:`to_json`; None for any other text and for other bones."""
        try:
            document = json.loads(text)
            if document["format"] != _FORMAT:
                return None
            turns = np.array([document["bones"][name] for name in names], np.float64)
            hips = np.array(document["hips"], np.float64).reshape(3)
            turns = turns.reshape(len(names), 4)
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        if not (np.isfinite(hips).all() and np.isfinite(turns).all() and turns.any(axis=1).all()):
            return None
        return cls(from_quaternions(turns), hips)


def blend(rig: Rig, before: Stance, solution: Solution, influence: float) -> Solution:
    """Go only part of the way from one pose to another.

    Each bone's own rotation is interpolated along the shortest turn (slerp, Shoemake 1985), the
    place of the hips along a straight line, and lengths from those of the rig.

    Args:
        rig: the rig.
        before: how it stands.
        solution: the pose to go to.
        influence: how far, 0 to 1.

    Returns:
        The pose in between; its camera is that of ``solution``, in which the drawing is seen.
    """
    if influence >= 1:
        return solution
    hips = rig.mapping["Hips"]
    goal = pose_matrices(rig, solution)[hips, :3, 3]
    stretch = solution.stretch
    if stretch is not None:
        stretch = 1 + influence * (stretch - 1)
    basis = slerp(before.basis, solution.basis, influence)
    result = replace(solution, basis=basis, stretch=stretch)
    place = (1 - influence) * before.hips_head(rig) + influence * goal
    step = place - pose_matrices(rig, result)[hips, :3, 3]
    result = replace(result, hips_translation=result.hips_translation + step)
    joints = rig.stretched(stretch).posed_joints(pose_matrices(rig, result))
    return replace(result, joints=joints, projected=result.camera.project(joints))
