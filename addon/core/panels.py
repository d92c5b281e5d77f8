"""The panels of a page: what stands in a frame, or on a paper of its own.

A panel is a large rectangle that differs from the page around it by a line or by its tone: a
picture of a storyboard, a grey or black field behind a figure, the sheet in the photograph of a
table. Each is a page of its own, with its own paper, and may hold others.

Pixels as in :mod:`image`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .pages import GreyArray, shrunk

DEEPEST = 4
"""No more panels are looked for within each other."""

# Lengths are shares of the page's longer side unless said otherwise.
_SIDE = 384  # pixels; a larger page is shrunk to it
_STEP = 14  # grey; from a pixel to its neighbours, a flat area has no larger steps
_SMALLEST = 0.1  # width and height of a panel
_RECTANGLE = 0.93  # of the smallest rectangle around it, a panel fills at least so much
_CROSSED = 0.3  # of a ring around a panel's middle: where more is no paper, the frame goes on
_BROADEST = 0.06  # of a panel's shorter side: a frame is no broader
_BARE = 0.07  # of a panel: so much is one flat area (the squares of ruled paper are smaller)
_HELD = (0.08, 0.3)  # of a panel's shorter side: the least thickness and length of what it holds
_WITHIN = 0.8  # of a box: as much of it lies in the panel that it belongs to
_COARSE = 48  # pixels of a page when only its light matters


@dataclass(frozen=True)
class Panel:
    """A part of a page.

    Attributes:
        left, top: its corner, pixels of the page.
        grey: ``[h, w]`` uint8, the part without its frame. What of it lies beyond slanting sides
            is bare paper.
    """

    left: int
    top: int
    grey: GreyArray


def find_panels(grey: GreyArray) -> list[Panel]:
    """The panels that make up a page, but not those within them.

    The flat areas that reach the page's border are what is around panels; what they enclose is a
    panel if it is a rectangle and something stands in it.

    Args:
        grey: ``[H, W]`` uint8.

    Returns:
        From the top down; none for a page that is all one.
    """
    if not grey.size:
        return []
    page = shrunk(grey, _SIDE)
    steps = cv2.morphologyEx(page, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    flat = (steps <= _STEP).astype(np.uint8)
    count, areas = cv2.connectedComponents(flat, connectivity=4)
    enclosed = np.ones(count, np.uint8)
    for side in (areas[0], areas[-1], areas[:, 0], areas[:, -1]):
        enclosed[side] = 0
    enclosed[0] = 1  # label 0 is all that is not flat
    contours, _ = cv2.findContours(enclosed[areas], cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    panels = []
    for contour in contours:
        width, height = cv2.minAreaRect(contour)[1]
        small = min(width, height) < _SMALLEST * max(page.shape)
        if small or cv2.contourArea(contour) < _RECTANGLE * width * height:
            continue
        x, y, w, h = cv2.boundingRect(contour)
        part = np.s_[y : y + h, x : x + w]
        mask = np.zeros((h, w), np.uint8)
        cv2.drawContours(mask, [contour], 0, 1, -1, offset=(-x, -y))
        mask = _without_frame(mask, flat[part])
        if _is_page(mask, areas[part]):
            panels.append(_cut(grey, page, mask, x, y))
    return sorted(panels, key=lambda panel: (panel.top, panel.left))


def _without_frame(mask: GreyArray, flat: GreyArray) -> GreyArray:
    """A panel's mask as far in as its paper begins; all 0 if that is far from its border."""
    depth = cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    rings = np.ceil(depth).astype(np.int32).ravel()
    crossed = np.bincount(rings, weights=1 - flat.ravel()) / np.maximum(np.bincount(rings), 1)
    for ring in range(1, 2 + round(_BROADEST * min(mask.shape))):
        # Within a broad line are a few rings without a step, too.
        if not (crossed[ring : ring + 3] > _CROSSED).any():
            return (depth > ring).astype(np.uint8)
    return np.zeros_like(mask)


def _is_page(mask: GreyArray, areas: NDArray[np.int32]) -> bool:
    """Whether something large stands on bare paper within a mask.

    Args:
        mask: ``[h, w]`` 1 within a panel.
        areas: ``[h, w]`` labels of the flat areas; 0 is what is not flat.
    """
    sizes = np.bincount(areas[mask > 0], minlength=2)
    if sizes[1:].max() < _BARE * max(1, sizes.sum()):
        return False
    held = cv2.dilate(mask & (areas == 0), np.ones((3, 3), np.uint8))
    stats = cv2.connectedComponentsWithStats(held)[2][1:]
    extents = np.sort(stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]], axis=1)
    return bool((extents > np.array(_HELD) * min(mask.shape)).all(axis=1).any())


def _cut(grey: GreyArray, page: GreyArray, mask: GreyArray, x: int, y: int) -> Panel:
    """A panel of a page, by the shrunk page and the panel's mask at a place in that."""
    zoom = np.array(grey.shape[::-1]) / page.shape[::-1]
    left, top = (int(v) for v in np.round(zoom * (x, y)))
    right, bottom = (int(v) for v in np.round(zoom * (x + mask.shape[1], y + mask.shape[0])))
    within = cv2.resize(mask, (right - left, bottom - top), interpolation=cv2.INTER_NEAREST)
    inner = cv2.boundingRect(within)
    paper = np.uint8(np.median(page[y : y + mask.shape[0], x : x + mask.shape[1]][mask > 0]))
    part = np.where(within > 0, grey[top:bottom, left:right], paper)
    rows, columns = np.s_[inner[1] : inner[1] + inner[3]], np.s_[inner[0] : inner[0] + inner[2]]
    return Panel(left + inner[0], top + inner[1], part[rows, columns])


def panel_around(
    grey: GreyArray, box: tuple[float, float, float, float], levels: int = DEEPEST
) -> Panel:
    """The innermost panel in which a box lies; the whole page where there is none.

    Args:
        grey: ``[H, W]`` uint8.
        box: x, y, width, height, pixels.
        levels: as many panels within each other are looked for.
    """
    x, y, width, height = box
    for panel in find_panels(grey) if levels else []:
        rows, columns = panel.grey.shape
        across = min(x + width, panel.left + columns) - max(x, panel.left)
        down = min(y + height, panel.top + rows) - max(y, panel.top)
        if min(across, down) > 0 and across * down > _WITHIN * width * height:
            own = (x - panel.left, y - panel.top, width, height)
            inner = panel_around(panel.grey, own, levels - 1)
            return Panel(panel.left + inner.left, panel.top + inner.top, inner.grey)
    return Panel(0, 0, grey)


def without_panels(grey: GreyArray, panels: Sequence[Panel]) -> tuple[GreyArray, GreyArray]:
    """What is left of a page.

    Returns:
        The page with bare paper in place of the panels and their frames, and a mask ``[H, W]``
        that is 0 there and 1 elsewhere.
    """
    rest = np.ones_like(grey)
    for panel in panels:
        rows, columns = panel.grey.shape
        reach = round(_BROADEST * min(rows, columns))
        top, left = max(0, panel.top - reach), max(0, panel.left - reach)
        rest[top : panel.top + rows + reach, left : panel.left + columns + reach] = 0
    # A mean of the page in which what is near weighs most and everything weighs something.
    light, weight = (
        cv2.GaussianBlur(_coarse(one).astype(np.float32), (0, 0), _COARSE / 8)
        for one in (grey * rest, rest * np.uint8(255))
    )
    paper = np.clip(np.round(255 * light / np.maximum(weight, 1e-3)), 0, 255).astype(np.uint8)
    return np.where(rest > 0, grey, cv2.resize(paper, grey.shape[::-1])), rest


def _coarse(grey: GreyArray) -> GreyArray:
    return cv2.resize(grey, (_COARSE, _COARSE), interpolation=cv2.INTER_AREA)
