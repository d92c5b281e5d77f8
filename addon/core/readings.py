"""The likely 3D readings of one set of 2D keypoints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LIMBS: tuple[str, ...] = (
    "Trunk",
    *(side + name for name in ("Arm", "ForeArm", "UpLeg", "Leg") for side in ("Left", "Right")),
)
"""What may lie in front of the picture plane or behind it, named as the bone that carries it."""

PAIRS: tuple[str, ...] = ("Arms", "Legs")
"""Limbs whose left and right may be swapped."""


@dataclass(frozen=True)
class Reading:
    """One way to read a figure in depth, told by how it differs from the lifter's own.

    Attributes:
        flipped: names of :data:`LIMBS` that lie on the other side of the picture plane.
        swapped: names of :data:`PAIRS` whose left and right are not as the estimator says.
    """

    flipped: frozenset[str] = frozenset()
    swapped: frozenset[str] = frozenset()

    @classmethod
    def of(cls, flipped: Iterable[str], swapped: Iterable[str]) -> Reading:
        """A reading from lists of names.

        Raises:
            ValueError: a name is not known.
        """
        reading = cls(frozenset(flipped), frozenset(swapped))
        if not (reading.flipped <= {*LIMBS} and reading.swapped <= {*PAIRS}):
            raise ValueError(f"unknown limbs in {reading}")
        return reading
