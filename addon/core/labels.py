"""What a camera sees of posed characters, as labels: keypoint visibility, owners of strokes, maps.

A scene is a list of z-buffers of one camera: first those of the figures, each with its
:class:`~.surface.Surface` at the same place in its own list, then those of props, which hide things
but bear no label.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import skeleton
from .camera import Camera
from .raster import Buffer, nearest
from .strokes import NO_BONE, NOBODY
from .surface import TRUNK, Surface

FloatArray = NDArray[np.float64]
ByteArray = NDArray[np.uint8]

_DEPTHS = np.iinfo(np.uint16).max  # one value is the background's

# Cameras rarely look straight across a bone, and so through more flesh than it has around it. In
# resting, walking and boxing poses of six characters, the skin before the near shoulder and hip of
# a profile lies within 1.7 times their flesh, that before the far ones from 2.4 times on.
_OBLIQUE = 1.7


def _meeting() -> NDArray[np.bool_]:
    """``[23, 23]``: does the skin of bone (column) belong to the flesh around a joint (row)?

    A bone is named after the keypoint at its head; its parent ends there. In the trunk the skin
    over a joint may belong to any of the trunk's bones, as may that over a shoulder or hip.
    """
    trunk = [skeleton.INDEX[name] for name in TRUNK]
    meets = np.eye(skeleton.COUNT, dtype=bool)
    for joint, parent in enumerate(skeleton.PARENTS):
        if parent >= 0:
            meets[joint, parent] = True
        if joint in trunk or parent in trunk:
            meets[joint, trunk] = True
    hips = skeleton.INDEX["Hips"]
    for side in ("Left", "Right"):
        meets[hips, skeleton.INDEX[side + "UpLeg"]] = True
    return meets


_MEETS = _meeting()


def visibility(
    joints: ArrayLike,
    camera: Camera,
    buffers: Sequence[Buffer],
    figure: int,
    surface: Surface,
    flesh_scale: float = 1.0,
) -> ByteArray:
    """COCO's visibility of a figure's keypoints, from the geometry.

    A joint lies inside the body; it is seen where the skin over it is. It is hidden if what the
    camera sees before it is a prop, another figure, another limb (a bone that does not meet the
    joint), or its own skin, but much farther before it than the joint's flesh is thick (as before
    the far shoulder of a profile).

    Args:
        joints: ``[23, 3]`` world space, metres.
        camera: the view.
        buffers: of the figures, then of props, all of this camera.
        figure: which of the buffers shows the figure.
        surface: the figure's.
        flesh_scale: how much fatter (> 1) or thinner the figure is than at rest.

    Returns:
        ``[23]`` uint8: 0 outside the picture or behind the eye, 1 hidden, 2 seen.
    """
    points = camera.to_camera(joints)
    pixels = camera.project_camera(points)
    inside = ((pixels >= 0) & (pixels < camera.size)).all(axis=1)  # NaN is not
    rows = np.flatnonzero(inside)
    x, y = pixels[rows].astype(int).T
    depth = points[rows, 2]
    skin = np.stack([buffer.depth[y, x] for buffer in buffers])
    front = skin.argmin(axis=0)
    before = depth - skin.min(axis=0)
    triangle = buffers[figure].triangle[y, x]
    own = (front == figure) & (triangle >= 0)
    bones = np.where(own, surface.bones[np.where(own, triangle, 0)], 0)
    flesh = own & _MEETS[rows, bones] & (before <= _OBLIQUE * flesh_scale * surface.flesh[rows])
    result = np.zeros(skeleton.COUNT, np.uint8)
    result[rows] = np.where((before <= 0) | flesh, 2, 1)
    return result


def stroke_owners(
    strokes: Sequence[NDArray[np.floating]],
    depths: Sequence[NDArray[np.floating]],
    buffers: Sequence[Buffer],
    surfaces: Sequence[Surface],
) -> tuple[ByteArray, ByteArray]:
    """Which figure and which bone each stroke of a drawing lies on.

    Outlines run between pixels that see the body and pixels that see what is behind it, so each
    point looks among its pixel and the eight around for the surface at its own depth; most points
    of a stroke then decide. A point that fits no surface, not even by the thickness of the figure's
    flesh, counts for nobody.

    Args:
        strokes: S polylines, each ``[n, 2]`` pixels.
        depths: of their points, each ``[n]`` metres along the camera's z.
        buffers: of the figures, then of props, all of the camera that drew the strokes.
        surfaces: of the figures.

    Returns:
        ``[S]`` uint8 the figure, or :data:`NOBODY`; ``[S]`` uint8 keypoint row of the bone, or
        :data:`NO_BONE`.
    """
    count = len(strokes)
    if not count:
        return np.zeros(0, np.uint8), np.zeros(0, np.uint8)
    owner_map, bone_map, depth = _composite(buffers, surfaces)
    height, width = owner_map.shape
    points = np.concatenate(strokes)
    stroke = np.repeat(np.arange(count), [len(line) for line in strokes])
    column, line = np.floor(points).astype(np.int64).T[:, None]
    around = np.arange(9)[:, None]
    pixel = np.clip(line + around // 3 - 1, 0, height - 1) * width
    pixel += np.clip(column + around % 3 - 1, 0, width - 1)
    misfit = np.abs(depth.reshape(-1)[pixel] - np.concatenate(depths))
    best = (misfit.argmin(axis=0), np.arange(len(points)))
    pixel, misfit = pixel[best], misfit[best]

    owner = owner_map.reshape(-1)[pixel]
    reach = np.full(NOBODY + 1, np.inf)
    reach[: len(surfaces)] = [surface.flesh.max() for surface in surfaces]
    owner[misfit > reach[owner]] = NOBODY
    owners = _majority(stroke, owner, count)
    # Only the points on the figure that won speak for the bone.
    won = (owner != NOBODY) & (owner == owners[stroke])
    bones = _majority(stroke[won], bone_map.reshape(-1)[pixel[won]], count)
    return owners, bones


def part_map(buffers: Sequence[Buffer], surfaces: Sequence[Surface]) -> ByteArray:
    """``[H, W]`` uint8: the body part seen at each pixel, 1 to 14; 0 where no figure is seen."""
    result = np.zeros(buffers[0].triangle.shape, np.uint8)
    for buffer, surface, seen in _figures(buffers, surfaces):
        result[seen] = surface.parts[buffer.triangle[seen]]
    return result


def chart_map(buffers: Sequence[Buffer], surfaces: Sequence[Surface]) -> ByteArray:
    """``[H, W, 3]`` uint8: chart 1 to 24, u * 255, v * 255; zero where no figure is seen."""
    result = np.zeros((*buffers[0].triangle.shape, 3), np.uint8)
    for buffer, surface, seen in _figures(buffers, surfaces):
        triangle = buffer.triangle[seen]
        uv = np.einsum("nc,ncd->nd", buffer.weights[seen], surface.uv[triangle])
        result[seen] = np.column_stack([surface.charts[triangle], np.rint(uv.clip(0, 1) * 255)])
    return result


def depth_map(
    figures: Sequence[Buffer], props: Sequence[Buffer] = ()
) -> tuple[NDArray[np.uint16], float, float]:
    """How far away the figures are, in 65,535 steps between their nearest and farthest point.

    Args:
        figures: their buffers.
        props: buffers of what may stand before them and is not part of the map.

    Returns:
        ``[H, W]`` uint16, 0 where no figure is seen; offset and scale in metres: the distance along
        the camera's z is ``offset + value * scale``.
    """
    depth = np.minimum.reduce([buffer.depth for buffer in figures]).astype(np.float64)
    front = nearest([*figures, *props])
    seen = (front >= 0) & (front < len(figures))
    result = np.zeros(depth.shape, np.uint16)
    if not seen.any():
        return result, 0.0, 1.0
    low, high = float(depth[seen].min()), float(depth[seen].max())
    scale = max(high - low, 1e-6) / (_DEPTHS - 1)
    offset = low - scale
    result[seen] = np.rint((depth[seen] - offset) / scale).astype(np.uint16)
    return result, offset, scale


def _figures(
    buffers: Sequence[Buffer], surfaces: Sequence[Surface]
) -> Iterator[tuple[Buffer, Surface, NDArray[np.bool_]]]:
    """Each figure's buffer and surface, and ``[H, W]`` where nothing stands before it."""
    front = nearest(buffers)
    for i, (buffer, surface) in enumerate(zip(buffers, surfaces, strict=False)):
        yield buffer, surface, front == i


def _composite(
    buffers: Sequence[Buffer], surfaces: Sequence[Surface]
) -> tuple[ByteArray, ByteArray, NDArray[np.float32]]:
    """``[H, W]`` each: the figure seen (or :data:`NOBODY`), its bone, and the depth in metres."""
    owner = np.full(buffers[0].triangle.shape, NOBODY, np.uint8)
    bone = np.full(owner.shape, NO_BONE, np.uint8)
    for i, (buffer, surface, seen) in enumerate(_figures(buffers, surfaces)):
        owner[seen] = i
        bone[seen] = surface.bones[buffer.triangle[seen]]
    return owner, bone, np.minimum.reduce([buffer.depth for buffer in buffers])


def _majority(groups: NDArray[np.int64], votes: ByteArray, count: int) -> ByteArray:
    """The commonest vote (of equals the smallest) in each of ``count`` groups; 255 without any."""
    tally = np.bincount(groups * 256 + votes, minlength=count * 256).reshape(count, 256)
    return np.where(tally.any(axis=1), tally.argmax(axis=1), 255).astype(np.uint8)
