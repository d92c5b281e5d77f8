"""A rig as the solver sees it: an armature's rest pose and the keypoints that its bones carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import rigs, skeleton
from .rotations import unit

FloatArray = NDArray[np.float64]

UP = np.array([0.0, 0.0, 1.0])
"""Blender's."""


@dataclass(frozen=True)
class Rig:
    """An armature's rest pose, in Blender's world space (metres, Z up).

    Attributes:
        names: ``[N]`` the bones' names.
        parents: ``[N]`` row of each bone's parent, -1 for roots; parents come first.
        rest: ``[N, 4, 4]`` rest matrices: the head's place and orthonormal axes, Y along the bone.
            The armature object's transform is applied.
        lengths: ``[N]`` metres from head to tail.
        mapping: keypoint name -> row of the bone that starts there (see :mod:`.rigs`).
    """

    names: Sequence[str]
    parents: NDArray[np.int64]
    rest: FloatArray
    lengths: FloatArray
    mapping: dict[str, int]

    @classmethod
    def from_bones(
        cls,
        names: Sequence[str],
        parents: ArrayLike,
        rest: ArrayLike,
        lengths: ArrayLike,
    ) -> Rig:
        """A rig whose keypoints are found by the bones' names.

        Raises:
            UserError: needed limbs are missing (see :func:`.rigs.match`).
        """
        parents = np.asarray(parents, dtype=np.int64)
        rows = {name: i for i, name in enumerate(names)}
        mapping = {k: rows[bone] for k, bone in rigs.match(names, parents.tolist()).items()}
        rest = np.asarray(rest, dtype=np.float64)
        return cls(names, parents, rest, np.asarray(lengths, dtype=np.float64), mapping)

    @property
    def heads(self) -> FloatArray:
        """``[N, 3]`` the bones' heads at rest, metres."""
        return self.rest[:, :3, 3]

    @cached_property
    def carriers(self) -> list[int]:
        """For each of the 23 keypoints, the row of the keypoint whose bone carries it.

        A keypoint that starts a bone of the rig carries itself; the others ride on the nearest
        ancestor that has a bone.
        """
        result: list[int] = []
        for i, name in enumerate(skeleton.KEYPOINTS):
            result.append(i if name in self.mapping else result[skeleton.PARENTS[i]])
        return result

    @cached_property
    def joints(self) -> FloatArray:
        """``[23, 3]`` the keypoints at rest, metres; those without a bone stand where they should.

        A missing end (top of the head, toes) is its parent bone's tail; a missing joint inside a
        chain lies half way to the next one.
        """
        joints = np.full((skeleton.COUNT, 3), np.nan)
        for name, bone in self.mapping.items():
            joints[skeleton.INDEX[name]] = self.heads[bone]
        for i in range(skeleton.COUNT):
            if np.isfinite(joints[i]).all():
                continue
            parent = skeleton.PARENTS[i]  # parents come first, so it has its place already
            child = self._next_mapped(i)
            if child is not None:
                joints[i] = (joints[parent] + joints[child]) / 2
            else:
                bone = self.mapping[skeleton.KEYPOINTS[self.carriers[i]]]
                joints[i] = self.heads[bone] + self.rest[bone, :3, 1] * self.lengths[bone]
        return joints

    def stretched(self, factors: FloatArray | None) -> Rig:
        """The rig with longer or shorter bones; what hangs from them moves with their ends.

        Args:
            factors: ``[N]`` of the bones' lengths; None for the rig as it is.
        """
        if factors is None:
            return self
        rest = self.rest.copy()
        for i, parent in enumerate(self.parents):
            if parent >= 0:
                along = self.rest[parent, :3, 1]
                step = self.heads[i] - self.heads[parent]
                step = step + (factors[parent] - 1) * (step @ along) * along
                rest[i, :3, 3] = rest[parent, :3, 3] + step
        return replace(self, rest=rest, lengths=self.lengths * factors)

    def posed_joints(self, pose: FloatArray) -> FloatArray:
        """The keypoints ``[23, 3]`` of posed bones, each carried by its bone, metres.

        Args:
            pose: ``[N, 4, 4]`` world matrices of the bones.
        """
        bones = [self.mapping[skeleton.KEYPOINTS[row]] for row in self.carriers]
        moves = pose[bones] @ np.linalg.inv(self.rest[bones])
        return np.einsum("kij,kj->ki", moves[:, :3, :3], self.joints) + moves[:, :3, 3]

    def _next_mapped(self, keypoint: int) -> int | None:
        """The first keypoint below that has a bone, depth first."""
        for child, parent in enumerate(skeleton.PARENTS):
            if parent == keypoint:
                if skeleton.KEYPOINTS[child] in self.mapping:
                    return child
                below = self._next_mapped(child)
                if below is not None:
                    return below
        return None

    @cached_property
    def left(self) -> FloatArray:
        """``[3]`` horizontal unit vector to the character's own left at rest."""
        across = np.zeros(3)
        for name in ("Arm", "UpLeg"):
            across += self.joints[skeleton.INDEX["Left" + name]]
            across -= self.joints[skeleton.INDEX["Right" + name]]
        across[2] = 0.0
        return unit(across) if across.any() else np.array([1.0, 0.0, 0.0])

    @property
    def front(self) -> FloatArray:
        """``[3]`` horizontal unit vector in which the character looks at rest."""
        return np.cross(self.left, UP)

    @property
    def height(self) -> float:
        """Metres between the lowest and the highest keypoint at rest."""
        return float(max(np.ptp(self.joints[:, 2]), 1e-6))
