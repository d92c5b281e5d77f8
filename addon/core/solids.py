"""Closed low-poly meshes of simple bodies, made to be drawn by their contours and creases.

Flat sides meet at sharp edges, which a line renderer draws; round sides have so many facets that
the angle between neighbours stays below 40 degrees (Line Art's own threshold), so that only their
contour is drawn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .rotations import unit

FloatArray = NDArray[np.float64]

_CORNERS = np.array([[x, y, z] for z in (-1.0, 1.0) for y in (-1.0, 1.0) for x in (-1.0, 1.0)])
_BALL_RINGS, _BALL_SIDES = 12, 20


class Solid:
    """A mesh in the making: closed bodies, each with its faces turned outwards.

    Bodies may run into each other; where they do, no line is drawn.
    """

    def __init__(self) -> None:
        """A mesh without bodies."""
        self._vertices: list[FloatArray] = []
        self._count = 0
        self.faces: list[tuple[int, ...]] = []
        """Each face's vertex rows, counter-clockwise seen from outside."""

    @property
    def vertices(self) -> FloatArray:
        """``[V, 3]`` metres, world space."""
        return np.concatenate(self._vertices)

    def _add(self, vertices: FloatArray, faces: list[tuple[int, ...]]) -> None:
        self.faces += [tuple(i + self._count for i in face) for face in faces]
        self._vertices.append(vertices)
        self._count += len(vertices)

    def box(self, centre: FloatArray, axes: FloatArray, halves: ArrayLike) -> None:
        """Add a box.

        Args:
            centre: ``[3]`` metres.
            axes: ``[3, 3]`` rows are its edges' directions, right-handed.
            halves: ``[3]`` metres, half its sides along the axes.
        """
        self._hexahedron(centre + (_CORNERS * np.asarray(halves, np.float64)) @ axes)

    def leg(self, top: FloatArray, foot: FloatArray, axes: FloatArray, width: float) -> None:
        """Add a square timber that may lean but whose ends are level.

        Args:
            top, foot: ``[3]`` metres, the middles of its ends.
            axes: ``[3, 3]`` rows: its sides' level directions, and up; right-handed.
            width: of its sides, metres.
        """
        level = (_CORNERS * (width / 2, width / 2, 0)) @ axes
        self._hexahedron(level + np.where(_CORNERS[:, 2:] > 0, top, foot))

    def _hexahedron(self, vertices: FloatArray) -> None:
        faces = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
        self._add(vertices, faces)

    def beam(self, start: FloatArray, end: FloatArray, width: float, up: FloatArray) -> None:
        """Add a square timber from ``start`` to ``end`` (``[3]`` metres), one side facing ``up``.

        Args:
            width: of its sides, metres.
            up: ``[3]`` a direction that is not the timber's own.
        """
        along = unit(end - start)
        across = unit(np.cross(up, along))
        axes = np.stack([along, across, np.cross(along, across)])
        length = float(np.linalg.norm(end - start))
        self.box((start + end) / 2, axes, (length / 2, width / 2, width / 2))

    def rod(self, start: FloatArray, end: FloatArray, radius: float, tip: float = -1.0) -> None:
        """Add a round rod or disc, or a cone.

        Args:
            start, end: ``[3]`` metres, the middles of its two ends; they differ.
            radius: at ``start``, metres.
            tip: radius at ``end``; as at ``start`` unless given.
        """
        tip = radius if tip < 0 else tip
        along = unit(end - start)
        first = unit(np.cross(along, np.eye(3)[int(np.argmin(np.abs(along)))]))
        second = np.cross(along, first)
        sides = 12 if max(radius, tip) < 0.05 else 24
        angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
        circle = np.cos(angle)[:, None] * first + np.sin(angle)[:, None] * second
        # A cone's point is a tiny ring: one kind of mesh for all.
        rings = [start + radius * circle, end + max(tip, 1e-4) * circle]
        after = [(i + 1) % sides for i in range(sides)]
        faces: list[tuple[int, ...]] = [
            (i, after[i], sides + after[i], sides + i) for i in range(sides)
        ]
        faces.append(tuple(reversed(range(sides))))
        faces.append(tuple(range(sides, 2 * sides)))
        self._add(np.concatenate(rings), faces)

    def ball(self, centre: FloatArray, radius: float) -> None:
        """Add a ball around ``centre`` (``[3]`` metres)."""
        sides = _BALL_SIDES
        polar = np.linspace(0, np.pi, _BALL_RINGS + 1)[1:-1]
        angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
        circle = np.stack([np.cos(angle), np.sin(angle), np.zeros(sides)], axis=1)
        rings = [np.sin(p) * circle + (0, 0, np.cos(p)) for p in polar]
        poles = np.array([[0, 0, 1.0], [0, 0, -1.0]])
        vertices = centre + radius * np.concatenate([*rings, poles])
        top, bottom, last = len(vertices) - 2, len(vertices) - 1, (len(polar) - 1) * sides
        faces: list[tuple[int, ...]] = []
        for i in range(sides):
            j = (i + 1) % sides
            faces += [(top, i, j), (bottom, last + j, last + i)]
            faces += [(r + i, r + sides + i, r + sides + j, r + j) for r in range(0, last, sides)]
        self._add(vertices, faces)
