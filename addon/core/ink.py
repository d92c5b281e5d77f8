"""Stroke records as pictures: which tool draws them, and the note of it in the dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .kinds import PLAIN, RANDOM
from .styles import Drawing, StrokeStyle, draw

_SHIFT = 4  # fractional bits of OpenCV's fixed-point coordinates


def draw_strokes(
    strokes: Sequence[NDArray[np.floating]], ink: str, size: int, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """Draw strokes with an ink.

    Args:
        strokes: polylines, each ``[n, 2]`` pixels of the picture to be.
        ink: one of ``dataset.INKS``; all but ``plain`` give each picture a tool of its own.
        size: side of the square picture, pixels.
        rng: chooses the tool and guides the hand; the same state gives the same picture.

    Returns:
        ``[size, size]`` uint8 grey, and the ink's record for the image entry: ``preset``, and for
        all but ``plain`` the tool's fields (:class:`styles.StrokeStyle`).

    Raises:
        KeyError: no such ink.
    """
    if ink == PLAIN:
        return draw_plain(strokes, size), {"preset": PLAIN}
    style = StrokeStyle.random(rng, None if ink == RANDOM else ink)
    drawing = Drawing()
    drawing.body(strokes)
    return draw(drawing, style, rng, size), {"preset": ink, **asdict(style)}


def draw_plain(strokes: Sequence[NDArray[np.floating]], size: int) -> NDArray[np.uint8]:
    """``[size, size]`` uint8: the strokes as thin black lines on white, antialiased."""
    page = np.full((size, size), 255, np.uint8)
    lines = [np.round((stroke - 0.5) * 2**_SHIFT).astype(np.int32) for stroke in strokes]
    cv2.polylines(page, lines, False, 0, 1, cv2.LINE_AA, _SHIFT)
    return page
