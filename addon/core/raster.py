"""A z-buffer: which triangle of a mesh a camera sees at each pixel, how far away, and where on it.

Pictures are sampled at pixel centres (x + 0.5, y + 0.5). Most triangles of a character are smaller
than a pixel, so the work goes by the rows of pixels that each triangle crosses, all triangles at
once: a row's span between the triangle's edges is exact, and no pixel outside it is touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .camera import Camera

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_NEAR = 1e-6
# Pixels by which a span reaches over its edges, so that rounding opens no crack between neighbours.
_OVERLAP = 1e-9
# Square pixels, twice the area of triangles so thin that they hold a pixel's centre only by chance;
# their planes are not known well enough to tell a depth.
_SLIVER = 1e-6


@dataclass(frozen=True)
class Buffer:
    """What a camera sees of one mesh.

    Attributes:
        triangle: ``[H, W]`` int32 row of the nearest triangle; -1 where there is none.
        depth: ``[H, W]`` float32 metres along the camera's z; infinite where there is nothing.
        weights: ``[H, W, 3]`` float32 barycentric weights of that triangle's corners at the pixel's
            centre, perspective-correct; zero where there is nothing.
    """

    triangle: NDArray[np.int32]
    depth: NDArray[np.float32]
    weights: NDArray[np.float32]


def empty(size: tuple[int, int]) -> Buffer:
    """A picture of nothing, ``size`` = (width, height) in pixels."""
    width, height = size
    return Buffer(
        triangle=np.full((height, width), -1, np.int32),
        depth=np.full((height, width), np.inf, np.float32),
        weights=np.zeros((height, width, 3), np.float32),
    )


def rasterise(camera: Camera, vertices: ArrayLike, triangles: ArrayLike) -> Buffer:
    """Draw a mesh's triangles, seen from either side, into a z-buffer.

    Args:
        camera: the view.
        vertices: ``[V, 3]`` world space, metres.
        triangles: ``[T, 3]`` int rows of ``vertices``. A triangle with a corner behind the eye is
            left out, and so is one that is seen edge-on.
    """
    buffer = empty(camera.size)
    width = camera.size[0]
    points = camera.to_camera(vertices)
    # One contiguous row per corner: the arithmetic below runs along triangles.
    faces = np.ascontiguousarray(np.asarray(triangles).T, dtype=np.int64)
    pixels = camera.project_camera(points).T
    # A point behind the eye spoils its triangles: NaN passes no comparison.
    x, y = np.where(points[:, 2] > _NEAR, pixels, np.nan)[:, faces]
    rows = _candidates(x, y, camera.size)
    x, y, z = x[:, rows], y[:, rows], points[:, 2][faces[:, rows]]
    # What is linear in the picture: depth in a parallel projection, its inverse in perspective.
    linear = z if camera.orthographic else 1 / z

    triangle, column, line = _covered(x, y, camera.size)
    across, down = _slopes(x, y, linear)
    value = linear[0] + across * (0.5 - x[0]) + down * (0.5 - y[0])
    value = value[triangle] + across[triangle] * column + down[triangle] * line
    depth = (value if camera.orthographic else 1 / value).astype(np.float32)

    pixel = line * width + column
    nearest = buffer.depth.reshape(-1)
    np.minimum.at(nearest, pixel, depth)
    front = np.flatnonzero(depth == nearest[pixel])
    winner = np.full(nearest.shape, -1, np.int64)
    winner[pixel[front]] = triangle[front]
    seen = np.flatnonzero(winner >= 0)
    triangle = winner[seen]
    buffer.triangle.reshape(-1)[seen] = rows[triangle]
    weights = _barycentric(x[:, triangle], y[:, triangle], seen % width + 0.5, seen // width + 0.5)
    if not camera.orthographic:
        weights *= linear[:, triangle]
    buffer.weights.reshape(-1, 3)[seen] = (weights / weights.sum(axis=0)).T
    return buffer


def nearest(buffers: Sequence[Buffer]) -> NDArray[np.int8]:
    """``[H, W]``: which of several pictures of the same camera is in front; -1 where none is.

    Of two at the same depth the earlier one is taken.

    Raises:
        ValueError: there is no buffer.
    """
    if not buffers:
        raise ValueError("no buffer to choose from")
    depth = buffers[0].depth
    front = np.where(np.isfinite(depth), 0, -1).astype(np.int8)
    for i, buffer in enumerate(buffers[1:], start=1):
        front[buffer.depth < depth] = i
        depth = np.minimum(depth, buffer.depth)
    return front


def _candidates(x: FloatArray, y: FloatArray, size: tuple[int, int]) -> IntArray:
    """Rows of the triangles (corners ``[3, T]`` pixels) whose bounding box holds a pixel centre."""
    keep = np.abs(_twice_area(x, y)) > _SLIVER
    for corners, length in ((x, size[0]), (y, size[1])):
        first = np.ceil(corners.min(axis=0) - (0.5 + _OVERLAP))
        last = np.floor(corners.max(axis=0) - (0.5 - _OVERLAP))
        keep &= (first <= last) & (last >= 0) & (first < length)
    return np.flatnonzero(keep)


def _covered(
    x: FloatArray, y: FloatArray, size: tuple[int, int]
) -> tuple[IntArray, IntArray, IntArray]:
    """Every pixel inside every triangle: (triangle, column, line), each ``[N]``.

    A line of pixels meets the longest edge (downwards) and one of the two others, that above or
    that below the middle corner; the triangle lies between.

    Args:
        x, y: ``[3, T]`` corners in pixels.
        size: of the picture.
    """
    width, height = size
    (top_x, middle_x, bottom_x), (top_y, middle_y, bottom_y) = _downwards(x, y)
    triangle, line = _runs(
        np.maximum(np.ceil(top_y - (0.5 + _OVERLAP)), 0).astype(np.int64),
        np.minimum(np.floor(bottom_y - (0.5 - _OVERLAP)), height - 1).astype(np.int64),
    )
    long = _per_line(bottom_x - top_x, bottom_y - top_y)
    upper = _per_line(middle_x - top_x, middle_y - top_y)
    lower = _per_line(bottom_x - middle_x, bottom_y - middle_y)
    both = np.concatenate([upper, lower])

    below_top = line + 0.5 - top_y[triangle]
    below_middle = line + 0.5 - middle_y[triangle]
    short = both[triangle + len(upper) * (below_middle >= 0)]
    one = top_x[triangle] + below_top * long[triangle]
    other = middle_x[triangle] + below_middle * short
    first = np.ceil(np.minimum(one, other) - (0.5 + _OVERLAP))
    last = np.floor(np.maximum(one, other) - (0.5 - _OVERLAP))
    span, column = _runs(
        np.maximum(first, 0).astype(np.int64), np.minimum(last, width - 1).astype(np.int64)
    )
    return triangle[span], column, line[span]


def _downwards(x: FloatArray, y: FloatArray) -> tuple[list[FloatArray], list[FloatArray]]:
    """The corners ``[3, T]`` of each triangle in the order of their y (three compare-and-swaps)."""
    xs, ys = list(x), list(y)
    for i, j in ((0, 1), (1, 2), (0, 1)):
        swap = ys[i] > ys[j]
        xs[i], xs[j] = np.where(swap, xs[j], xs[i]), np.where(swap, xs[i], xs[j])
        ys[i], ys[j] = np.where(swap, ys[j], ys[i]), np.where(swap, ys[i], ys[j])
    return xs, ys


def _per_line(across: FloatArray, down: FloatArray) -> FloatArray:
    """How far edges run sideways for each line downwards; zero for level ones."""
    return np.divide(across, down, out=np.zeros_like(across), where=down > 0)


def _runs(first: IntArray, last: IntArray) -> tuple[IntArray, IntArray]:
    """All whole numbers of the ranges ``first[i] .. last[i]``: (i, number), each ``[N]``."""
    counts = np.maximum(last - first + 1, 0)
    ends = np.cumsum(counts)
    which = np.repeat(np.arange(len(counts)), counts)
    return which, np.arange(len(which)) + np.repeat(first - ends + counts, counts)


def _slopes(x: FloatArray, y: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How values at triangles' corners change per pixel to the right and downwards.

    Args:
        x, y, values: ``[3, T]``, of triangles with an area.
    """
    (bx, by, b), (cx, cy, c) = ([a[i] - a[0] for a in (x, y, values)] for i in (1, 2))
    area = bx * cy - by * cx
    return (b * cy - c * by) / area, (c * bx - b * cx) / area


def _barycentric(x: FloatArray, y: FloatArray, px: FloatArray, py: FloatArray) -> FloatArray:
    """``[3, N]`` weights, none below zero, of corners ``[3, N]`` at points ``[N]`` inside."""
    dx, dy = x - px, y - py
    areas = np.stack([dx[i - 2] * dy[i - 1] - dy[i - 2] * dx[i - 1] for i in range(3)])
    return np.maximum(areas / areas.sum(axis=0), 0)


def _twice_area(x: FloatArray, y: FloatArray) -> FloatArray:
    """``[T]``, signed, of triangles with corners ``[3, T]``."""
    return (x[1] - x[0]) * (y[2] - y[0]) - (y[1] - y[0]) * (x[2] - x[0])
