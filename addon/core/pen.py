"""Lines and areas drawn in space, put on paper as a view shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .errors import UserError

FloatArray = NDArray[np.float64]
Colour = tuple[float, float, float, float]
"""Red, green, blue (sRGB) and opacity, 0..1."""

PAGE = 1024
"""Longer side of the paper, pixels."""

_MARGIN = 0.08  # of the drawing's longer side, around it
_THINNEST = 1.5  # pixels; a hair would be lost on the way to the network
_FINE = 2  # times as large is what is drawn before it is shrunk, so that edges become smooth
_BLUR = 1.44  # fine pixels by which OpenCV's smoothed shapes are wider than they should be
_SHIFT = 4  # fractional bits of OpenCV's fixed-point coordinates


@dataclass(frozen=True)
class PenStroke:
    """A line, an area, or an area with its outline.

    Attributes:
        points: ``[n, 3]`` world space, metres.
        radii: ``[n]`` half the line's width at each point, metres.
        line: its colour; None for an area without outline.
        fill: the area's colour; None for a line.
        closed: whether the line ends where it began.
    """

    points: FloatArray
    radii: FloatArray
    line: Colour | None
    fill: Colour | None = None
    closed: bool = False


def framed(strokes: Sequence[PenStroke], view: Camera) -> Camera:
    """The view, zoomed so that the strokes fill a page of :data:`PAGE` pixels.

    Raises:
        UserError: none of them is to be seen.
    """
    seen = [s.points for s in strokes if np.isfinite(view.project(s.points)).all()]
    points = np.concatenate([np.zeros((0, 3)), *seen])
    pixels = view.project(points)
    extent = np.ptp(pixels, axis=0) if len(pixels) else np.zeros(2)
    if not extent.max() > 0:
        raise UserError("Nothing is drawn in this view; draw a figure, or look at it.")
    border = 2 * _MARGIN * extent.max()
    width, height = np.round(PAGE * (extent + border) / (extent.max() + border)).astype(int)
    page = Camera(
        view.rotation,
        view.translation,
        view.focal,
        view.centre,
        (int(width), int(height)),
        view.orthographic,
    )
    return page.zoomed(points, _MARGIN / (1 + 2 * _MARGIN))


def draw_pen(strokes: Sequence[PenStroke], view: Camera) -> NDArray[np.uint8]:
    """Strokes on white paper, the later ones over the earlier ones.

    Args:
        strokes: those that reach behind the eye are left out.
        view: its ``size`` is the picture's.

    Returns:
        ``[H, W, 3]`` uint8: red, green, blue.
    """
    width, height = view.size
    page = np.full((height * _FINE, width * _FINE, 3), 255, np.uint8)
    for stroke in strokes:
        local = view.to_camera(stroke.points)
        pixels = view.project_camera(local) * _FINE
        if not np.isfinite(pixels).all():
            continue
        scale = view.focal if view.orthographic else view.focal / local[:, 2]
        widths = np.asarray(np.maximum(2 * stroke.radii * scale, _THINNEST) * _FINE, np.float64)
        for colour, wide in ((stroke.fill, None), (stroke.line, widths)):
            if colour is not None:
                _lay(page, pixels, wide, colour, stroke.closed)
    return cv2.resize(page, view.size, interpolation=cv2.INTER_AREA)


def _lay(
    page: NDArray[np.uint8],
    pixels: FloatArray,
    widths: FloatArray | None,
    colour: Colour,
    closed: bool,
) -> None:
    """Put a line, or without widths an area, on the page."""
    reach = 2 + (0 if widths is None else float(widths.max()) / 2)
    limit = np.array(page.shape[1::-1])
    low, high = pixels.min(axis=0) - reach, pixels.max(axis=0) + reach
    left, top = np.clip(np.floor(low), 0, limit).astype(int)
    right, bottom = np.clip(np.ceil(high), 0, limit).astype(int)
    if right <= left or bottom <= top:
        return
    cover = np.zeros((bottom - top, right - left), np.uint8)
    spots = pixels - (left, top) - 0.5  # OpenCV counts from pixel centres: its 0 is our 0.5
    if widths is None:
        cv2.fillPoly(cover, [_fixed(spots)], 255, cv2.LINE_AA, _SHIFT)
    else:
        _draw_line(cover, spots, np.maximum(widths - _BLUR, 0) / 2, closed)
    part = page[top:bottom, left:right]
    share = cover[..., None].astype(np.float32) * (colour[3] / 255)
    ink = np.array(colour[:3], np.float32) * 255
    part[:] = np.round(part * (1 - share) + ink * share)


def _draw_line(
    cover: NDArray[np.uint8], spots: FloatArray, radii: FloatArray, closed: bool
) -> None:
    """A round nib's line through spots ``[n, 2]``, as wide at each of them as its radius says."""
    for spot, radius in zip(_fixed(spots), _fixed(radii), strict=True):
        cv2.circle(cover, spot.tolist(), int(radius), 255, -1, cv2.LINE_AA, _SHIFT)
    if closed:
        spots, radii = np.append(spots, spots[:1], axis=0), np.append(radii, radii[0])
    along = np.diff(spots, axis=0)
    length = np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    across = along[:, ::-1] * (-1, 1) / length
    begin, end = across * radii[:-1, None], across * radii[1:, None]
    first, last = spots[:-1], spots[1:]
    quads = np.stack([first + begin, last + end, last - end, first - begin], axis=1)
    for quad in _fixed(quads):
        cv2.fillConvexPoly(cover, quad, 255, cv2.LINE_AA, _SHIFT)


def _fixed(values: FloatArray) -> NDArray[np.int32]:
    return np.round(values * 2**_SHIFT).astype(np.int32)
