"""What stands around figures: furniture, things in their hands, the ground, and other figures.

Nothing here is labelled. It is there because real drawings have it, and because the rails of a
chair or the bar of a barbell look like limbs to a network that never saw them. Sizes follow the
figure's height, so that they fit a child as well as a giant.

World space as in Blender: metres, Z up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .camera import Camera
from .furniture import HELD, SEATS, STANDING, UP, Maker, Setting, bone_points, couch
from .rotations import about_axis
from .solids import Solid
from .strokes import runs

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Prop:
    """A thing in the scene, as a closed mesh.

    Attributes:
        name: what it is.
        vertices: ``[V, 3]`` world space, metres.
        faces: vertex rows of each polygon, counter-clockwise seen from outside.
    """

    name: str
    vertices: FloatArray
    faces: list[tuple[int, ...]]


def triangles(prop: Prop) -> NDArray[np.int32]:
    """``[T, 3]`` vertex rows: the faces of a prop (convex all) as fans of triangles."""
    fans = [(f[0], b, c) for f in prop.faces for b, c in zip(f[1:-1], f[2:], strict=True)]
    return np.array(fans, np.int32)


def props_for(
    joints: ArrayLike,
    height: float,
    ground: float,
    rng: np.random.Generator,
    others: Sequence[ArrayLike] = (),
) -> list[Prop]:
    """Things that suit a pose: a seat under who sits, a bar in two hands, furniture around.

    They touch the ground or a hand, never float, and keep out of the bodies.

    Args:
        joints: ``[23, 3]`` the posed figure, world space, metres.
        height: of the figure standing, metres.
        ground: z of the ground, metres.
        rng: the only source of chance.
        others: further figures' joints, ``[23, 3]`` each. What is held or stands about keeps out
            of them too; a seat keeps out of its own sitter only.

    Returns:
        None to five props.
    """
    crowd = [np.asarray(other, np.float64) for other in others]
    pose = Setting(np.asarray(joints, dtype=np.float64), height, ground, crowd)
    props: list[Prop] = []

    def put(name: str, solid: Solid | None) -> bool:
        if solid is None:
            return False
        props.append(Prop(name, solid.vertices, solid.faces))
        pose.occupy(_surface(props[-1]))
        return True

    if pose.sits() and rng.random() < 0.9:
        name = _order(SEATS, rng)[0]
        put(name, SEATS[name][0](pose, rng))
    elif pose.lies() and rng.random() < 0.85:
        put("bench", couch(pose, rng))
    if rng.random() < 0.45:
        # What the pose does not allow (a bar through the chest) gives way to the next.
        any(put(name, HELD[name][0](pose, rng)) for name in _order(HELD, rng))
    count = int(rng.choice(3, p=[0.35, 0.45, 0.2]))
    for name in _order(STANDING, rng)[:count]:
        put(name, STANDING[name][0](pose, rng))
    return props


def _surface(prop: Prop) -> FloatArray:
    """``[n, 3]`` points spread over a prop's surface."""
    steps = 6
    weights = [(i, j, steps - i - j) for i in range(steps + 1) for j in range(steps + 1 - i)]
    corners = prop.vertices[triangles(prop)]
    return (np.array(weights) / steps @ corners).reshape(-1, 3)


def _order(table: dict[str, tuple[Maker, float]], rng: np.random.Generator) -> list[str]:
    """The table's names in a random order, those of greater weight mostly first."""
    shares = np.array([share for _, share in table.values()])
    return [str(name) for name in rng.choice(list(table), len(table), replace=False, p=shares)]


# --------------------------------------------------------------------------------------------------
# The ground


def ground_lines(joints: ArrayLike, ground: float, rng: np.random.Generator) -> list[FloatArray]:
    """Lines that people draw on the ground: an edge, a shadow, blades of grass, boards.

    Args:
        joints: ``[23, 3]`` the posed figure, world space, metres.
        ground: z of the ground, metres.
        rng: the only source of chance.

    Returns:
        Polylines ``[n, 3]`` on the ground, world space, metres, with points close enough together
        that each can be hidden on its own (:func:`seen_lines`). At times there are none.
    """
    q = np.asarray(joints, dtype=np.float64)
    height = float(np.ptp(q, axis=0).max())
    low = q[q[:, 2] < q[:, 2].min() + 0.25 * height]  # what the figure stands, sits or lies on
    middle = low.mean(axis=0) * (1, 1, 0) + ground * UP
    angle = rng.uniform(0, 2 * np.pi)
    along = np.array([np.cos(angle), np.sin(angle), 0.0])
    across = np.cross(UP, along)
    kind = str(rng.choice(["none", "edge", "shadow", "strokes", "boards"], p=[0.2] * 5))
    lines: list[FloatArray] = []
    if kind == "edge":
        t = np.linspace(-1, 1, 60)[:, None]
        wave = np.sin(t * rng.uniform(2, 9) + rng.uniform(0, 6)) * rng.choice([0.0, 0.015])
        reach = height * rng.uniform(0.4, 0.8)
        offset = height * rng.uniform(-0.12, 0.3)
        lines.append(middle + reach * t * along + (offset + height * wave) * across)
    elif kind == "shadow":
        centre = middle + height * rng.uniform(0.0, 0.25) * along
        radii = height * np.array([rng.uniform(0.25, 0.4), rng.uniform(0.1, 0.18)])
        t = np.linspace(0, 2 * np.pi, 80)[:, None]
        ellipse = centre + radii[0] * np.cos(t) * along + radii[1] * np.sin(t) * across
        if rng.random() < 0.5:
            lines.append(ellipse)
        else:
            for x in np.linspace(-0.9, 0.9, int(rng.integers(5, 12))):
                wide = np.sqrt(1 - x**2) * np.linspace(-1, 1, 24)[:, None]
                lines.append(centre + radii[0] * x * along + radii[1] * wide * across)
    elif kind == "strokes":
        for _ in range(int(rng.integers(3, 10))):
            start = middle + height * (rng.normal(0, 0.25) * along + rng.normal(0, 0.25) * across)
            t = np.linspace(0, height * rng.uniform(0.04, 0.2), 16)[:, None]
            lines.append(start + t * along)
    elif kind == "boards":
        reach = height * rng.uniform(0.4, 0.8)
        for x in np.linspace(-1, 1, int(rng.integers(3, 6))):
            t = np.linspace(-1, 1, 60)[:, None]
            lines.append(middle + reach * t * along + 0.7 * reach * x * across)
    return lines


def seen_lines(
    lines: Sequence[FloatArray], camera: Camera, depth: NDArray[np.floating]
) -> list[NDArray[np.float32]]:
    """The parts of lines that nothing stands before, as strokes of the picture.

    Args:
        lines: polylines ``[n, 3]``, world space, metres, of many points.
        camera: the view.
        depth: ``[H, W]`` metres along the camera's z to the nearest surface, inf for none.

    Returns:
        Polylines ``[n, 2]`` pixels, inside the picture.
    """
    rows, columns = depth.shape
    strokes = []
    for line in lines:
        place = camera.to_camera(line)
        pixels = camera.project_camera(place)
        cells = np.where(np.isfinite(pixels), pixels, -1.0)
        cells = np.floor(np.clip(cells, -1, 1e6)).astype(np.int64)
        inside = ((cells >= 0) & (cells < (columns, rows))).all(axis=1)
        x, y = np.clip(cells, 0, (columns - 1, rows - 1)).T
        seen = inside & (place[:, 2] <= depth[y, x] + 1e-3 * np.abs(place[:, 2]))
        strokes += [pixels[a:b].astype(np.float32) for a, b in runs(seen) if b - a > 1]
    return strokes


# --------------------------------------------------------------------------------------------------
# Several figures


def arrange(
    heights: Sequence[float], rng: np.random.Generator, poses: Sequence[ArrayLike] | None = None
) -> list[tuple[FloatArray, float]]:
    """Places for figures that belong together: beside, before and behind one another.

    Args:
        heights: of each figure standing, metres; one or more.
        rng: the only source of chance.
        poses: ``[23, 3]`` joints of each, world space, metres, not yet moved. With them, figures
            gather around their hips and their bones keep their distance; without, they keep that
            of people who stand.

    Returns:
        For each figure its offset ``[2]`` in metres and its heading in radians (counter-clockwise
        seen from above): it is turned about the world's z axis first, then moved. The first one
        stays where it is.
    """
    placed: list[tuple[FloatArray, float]] = []
    bodies: list[FloatArray] = []
    first = rng.uniform(0, 2 * np.pi)
    room = max(heights) * (_STANDING_ROOM if poses is None else _BONE_ROOM)
    for i, height in enumerate(heights):
        turn = _company(rng) if i else 0.0
        body = np.zeros((1, 3)) if poses is None else bone_points(np.asarray(poses[i], np.float64))
        body = body @ about_axis(2, turn).T
        # The third stands on the other side of the first, so that they make a group, not a row.
        angle = first + i * np.pi * rng.uniform(0.7, 1.2)
        out = np.array([np.cos(angle), np.sin(angle)])
        distance = height * rng.uniform(0.2, 0.5)
        offset = np.zeros(2)
        while i:
            offset = bodies[0][0, :2] - body[0, :2] + distance * out
            moved = body + np.append(offset, 0)
            if min(_distance(moved, other) for other in bodies) > room:
                break
            distance += 0.04 * height
        bodies.append(body + np.append(offset, 0))
        placed.append((offset, turn))
    return placed


_STANDING_ROOM = 0.36
"""From hips to hips of two people who stand, arms at their sides, share of the taller one's
height."""

_BONE_ROOM = 0.13
"""From bone to bone of two bodies that do not touch, share of the taller one's height."""


def _company(rng: np.random.Generator) -> float:
    """A heading relative to the first figure's: most people look the same way, or at each other."""
    kinds = (rng.normal(0, 0.4), np.pi + rng.normal(0, 0.5), rng.uniform(0, 2 * np.pi))
    return float(kinds[rng.choice(3)])


def _distance(a: FloatArray, b: FloatArray) -> float:
    return float(np.linalg.norm(a[:, None] - b[None], axis=2).min())
