"""Panels: the example drawings on pages of storyboards, on grey and black fields, photographed."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.core import image, panels, skeleton
from addon.core.estimator import SHIPPED, Estimator
from addon.core.image import Affine, Box

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = ("gesture_run", "gesture_dance", "stick_wave", "sausage_kick", "brush_lunge", "pencil_sit")
PANEL = (520, 440)
"""Width and height, pixels."""


class Page(NamedTuple):
    """A page and how pixels of each drawing lie on it."""

    grey: np.ndarray
    drawings: dict[str, Affine]


@cache
def plain(name: str) -> np.ndarray:
    """A drawing, black on white."""
    return 255 - np.round(255 * image.ink(image.load_grey(EXAMPLES / f"{name}.png"))).astype(
        np.uint8
    )


@cache
def box_alone(name: str) -> Box:
    """The box of a drawing's figure."""
    return image.find_figures(plain(name))[0]


def on_panel(name: str, paper: int, ink: int) -> tuple[np.ndarray, Affine]:
    """A drawing in the middle of a panel."""
    drawing = plain(name)
    scale = 0.9 * min(PANEL[0] / drawing.shape[1], PANEL[1] / drawing.shape[0])
    corner = (np.array(PANEL) - scale * np.array(drawing.shape[::-1])) / 2
    matrix = np.column_stack([np.eye(2) * scale, corner])
    centred = matrix.copy()
    centred[:, 2] += 0.5 * scale - 0.5  # warpAffine counts from pixel centres
    bare = cv2.warpAffine(drawing, centred, PANEL, borderValue=255.0, flags=cv2.INTER_AREA)
    return np.round(ink + (paper - ink) * (bare / 255.0)).astype(np.uint8), Affine(matrix)


def storyboard(
    *, paper: tuple[int, ...] = (255,), ink: int = 0, frame: int = 0, gutter: int = 255
) -> Page:
    """Two columns of panels, whose papers follow each other."""
    width, height = PANEL
    page = np.full((3 * (height + 40) + 40, 2 * (width + 40) + 40), gutter, np.uint8)
    drawings = {}
    for number, name in enumerate(NAMES):
        part, onto = on_panel(name, paper[number % len(paper)], ink)
        if frame:
            cv2.rectangle(part, (0, 0), (width - 1, height - 1), 0, 2 * frame)
        y, x = (40 + (height + 40) * (number // 2), 40 + (width + 40) * (number % 2))
        page[y : y + height, x : x + width] = part
        drawings[name] = Affine(onto.matrix + [[0, 0, x], [0, 0, y]])
    return Page(page, drawings)


def tilted(page: Page, degrees: float) -> Page:
    """A page that was laid askew on a scanner."""
    height, width = page.grey.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    grey = cv2.warpAffine(page.grey, turn, (width, height), borderValue=255.0)
    moved = {
        name: Affine(
            np.column_stack([turn[:, :2] @ to.matrix[:, :2], Affine(turn).apply(to.matrix[:, 2])])
        )
        for name, to in page.drawings.items()
    }
    return Page(grey, moved)


def lit(page: Page, depth: float) -> Page:
    """A page under a lamp at its upper left."""
    y, x = (np.linspace(0, 1, n) for n in page.grey.shape)
    light = 1 - depth * (x + y[:, None]) / 2
    return page._replace(grey=np.round(page.grey * light * 0.9).astype(np.uint8))


PAGES: dict[str, Callable[[], Page]] = {
    "frames": lambda: storyboard(frame=3),
    "grey fields": lambda: storyboard(paper=(205, 150, 175, 225)),
    "grey fields in frames": lambda: storyboard(paper=(205, 150, 175), frame=4),
    "black fields": lambda: storyboard(paper=(20,), ink=245),
    "black gutters": lambda: storyboard(gutter=12),
    "askew": lambda: tilted(storyboard(paper=(255, 190), frame=3), 2),
    "photographed": lambda: lit(storyboard(frame=3), 0.4),
}


def box_on_page(name: str, page: Page) -> Box:
    """The box that a drawing's figure has on the page, from where it is on its own."""
    box = box_alone(name)
    x, y = box.x + np.array([0, box.width]), box.y + np.array([0, box.height])
    corners = page.drawings[name].apply(np.stack(np.meshgrid(x, y), axis=-1).reshape(4, 2))
    low, high = corners.min(axis=0), corners.max(axis=0)
    return Box(*low, *(high - low))


def iou(a: Box, b: Box) -> float:
    w = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    h = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    both = max(w, 0) * max(h, 0)
    return both / (a.area + b.area - both)


@pytest.mark.parametrize("kind", PAGES)
def test_each_figure_of_a_page_is_found_in_its_panel(kind: str):
    page = PAGES[kind]()
    found = image.find_figures(page.grey)
    assert len(found) == len(NAMES)
    for name in NAMES:
        assert max(iou(box_on_page(name, page), box) for box in found) > 0.8, name


@pytest.mark.skipif(not SHIPPED.exists(), reason="this copy has no trained network")
@pytest.mark.parametrize("kind", PAGES)
def test_figure_is_read_on_a_page_as_on_its_own(kind: str):
    page = PAGES[kind]()
    estimator = Estimator()
    near = []
    for name in NAMES:
        alone = estimator.estimate(plain(name), box_alone(name)).keypoints
        alone = page.drawings[name].apply(alone)
        read = estimator.estimate(page.grey, box_on_page(name, page)).keypoints
        distance = np.linalg.norm(alone - read, axis=1)[list(skeleton.COMMON_INDEX)]
        near.append((distance < 0.1 * np.ptp(alone, axis=0).max()).mean())
    assert np.mean(near) > 0.9, dict(zip(NAMES, near, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_drawing_on_its_own_has_no_panels(name: str):
    grey = image.load_grey(EXAMPLES / f"{name}.png")
    assert panels.find_panels(grey) == []
    whole = panels.panel_around(grey, image.find_figures(grey)[0])
    assert (whole.left, whole.top) == (0, 0)
    assert whole.grey is grey


@settings(max_examples=30, deadline=None)
@given(
    x=st.integers(30, 300),
    y=st.integers(30, 300),
    paper=st.integers(60, 225),
    frame=st.integers(0, 6),
    zoom=st.sampled_from([0.6, 1.0, 2.5]),
)
def test_panel_is_cut_along_its_frame(x: int, y: int, paper: int, frame: int, zoom: float):
    page = np.full((800, 900), 255, np.uint8)
    part, _ = on_panel("gesture_dance", paper, 0)
    page[y : y + PANEL[1], x : x + PANEL[0]] = part
    if frame:
        cv2.rectangle(page, (x, y), (x + PANEL[0], y + PANEL[1]), 0, frame)
    page = cv2.resize(page, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    (panel,) = panels.find_panels(page)
    assert np.median(panel.grey) == paper
    rim = np.concatenate([panel.grey[[0, -1]].ravel(), panel.grey[:, [0, -1]].ravel()])
    assert (np.abs(rim.astype(int) - paper) <= 3).all()
    height, width = panel.grey.shape
    bounds = np.array([panel.left, panel.top, panel.left + width, panel.top + height]) / zoom
    assert np.abs(bounds - [x, y, x + PANEL[0], y + PANEL[1]]).max() < 25


def test_panels_within_a_photographed_sheet():
    sheet = storyboard(paper=(200, 255), frame=3)
    table = cv2.copyMakeBorder(sheet.grey, *[150] * 4, cv2.BORDER_CONSTANT, value=70.0)
    (outer,) = panels.find_panels(table)
    assert len(panels.find_panels(outer.grey)) == len(NAMES)
    assert len(image.find_figures(table)) == len(NAMES)
    box = box_on_page("stick_wave", sheet)
    inner = panels.panel_around(table, box._replace(x=box.x + 150, y=box.y + 150))
    assert max(inner.grey.shape) < 1.1 * max(PANEL)


def test_figure_beside_a_panel_is_found_and_a_caption_is_not():
    page = np.full((700, 1300), 255, np.uint8)
    page[60 : 60 + PANEL[1], 40 : 40 + PANEL[0]] = on_panel("stick_wave", 190, 0)[0]
    cv2.putText(page, "12 she waves, smiling", (60, 560), 0, 1, 0, 2, cv2.LINE_AA)
    page[60 : 60 + PANEL[1], 700 : 700 + PANEL[0]] = on_panel("gesture_run", 255, 0)[0]
    left, right = sorted(image.find_figures(page))
    assert left.x + left.width < 40 + PANEL[0]
    assert right.x > 700


def test_child_beside_a_poster_is_found():
    page = np.full((900, 900), 255, np.uint8)
    cv2.rectangle(page, (60, 60), (480, 840), 0, 5)
    for x, top, height in ((270, 110, 670), (700, 530, 330)):
        head, hip, foot = (top + round(share * height) for share in (0.2, 0.6, 1))
        cv2.circle(page, (x, (top + head) // 2), (head - top) // 2, 0, 4)
        cv2.line(page, (x, head), (x, hip), 0, 4)
        for side in (-1, 1):
            cv2.line(page, (x, head + 20), (x + side * height // 5, hip), 0, 4)
            cv2.line(page, (x, hip), (x + side * height // 6, foot), 0, 4)
    cv2.putText(page, "The Sky is Ours", (520, 480), 0, 1.2, 0, 2, cv2.LINE_AA)
    poster, child = image.find_figures(page)
    assert iou(poster, Box(136, 110, 268, 670)) > 0.9
    assert iou(child, Box(634, 530, 132, 330)) > 0.9


def test_captions_close_to_panels_leave_them_whole():
    page = storyboard(paper=(205, 255), frame=3)
    for number in range(len(NAMES)):
        at = (44 + (PANEL[0] + 40) * (number % 2), (PANEL[1] + 40) * (number // 2 + 1) + 26)
        cv2.putText(page.grey, f"{number + 1}  to the left", at, 0, 0.5, 0, 1, cv2.LINE_AA)
    found = image.find_figures(page.grey)
    assert len(found) == len(NAMES)
    for name in NAMES:
        assert max(iou(box_on_page(name, page), box) for box in found) > 0.8, name


def block_robot(gap: int, head: int) -> np.ndarray:
    """A robot of boxes that do not touch, with a face and a star on its chest."""
    page = np.full((900, 700), 255, np.uint8)
    cv2.rectangle(page, (350 - head // 2, 60), (350 + head // 2, 60 + head), 0, 4)
    for side in (-1, 1):
        cv2.circle(page, (350 + side * head // 4, 60 + head // 3), head // 10, 0, -1)
    cv2.ellipse(page, (350, 60 + head * 2 // 3), (head // 3, head // 6), 0, 0, 180, 0, 4)
    top = 60 + head + gap
    cv2.rectangle(page, (250, top), (450, top + 230), 0, 4)
    star = np.array([[350, 50], [390, 180], [290, 100], [410, 100], [310, 180]]) + [0, top]
    cv2.polylines(page, [star], True, 0, 4)
    for side in (-1, 1):
        arm, leg = 350 + side * (100 + gap), 350 + side * 55
        cv2.rectangle(page, (arm, top + 10), (arm + side * 40, top + 200), 0, 4)
        cv2.rectangle(page, (leg - 28, top + 230 + gap), (leg + 28, top + 480), 0, 4)
    return page


@pytest.mark.parametrize("head", [140, 260])
@pytest.mark.parametrize("gap", [0, 8, 14, 18, 24])
def test_figure_of_boxes_is_one_figure(gap: int, head: int):
    page = block_robot(gap, head)
    (box,) = image.find_figures(page)
    assert iou(box, Box(*cv2.boundingRect(255 - page))) > 0.95
    assert panels.panel_around(page, box).grey is page


@pytest.mark.parametrize("gap", [2, 8, 14, 24])
def test_head_is_part_of_a_figure_though_the_neck_stops_short_of_it(gap: int):
    page = np.full((900, 700), 255, np.uint8)
    cv2.rectangle(page, (220, 60), (480, 280), 0, 5)
    for x in (295, 405):
        cv2.circle(page, (x, 140), 26, 0, 5)
    cv2.ellipse(page, (350, 190), (80, 45), 0, 0, 180, 0, 5)
    neck = 282 + gap
    cv2.line(page, (350, neck), (350, neck + 260), 0, 5)
    for side in (-1, 1):
        cv2.line(page, (350, neck + 30), (350 + side * 110, neck + 150), 0, 5)
        cv2.line(page, (350, neck + 260), (350 + side * 70, neck + 520), 0, 5)
    (box,) = image.find_figures(page)
    assert iou(box, Box(*cv2.boundingRect(255 - page))) > 0.95


def test_fields_within_fields_have_an_end():
    page = np.full((1000, 1000), 250, np.uint8)
    corners = [50 * (number + 1) for number in range(8)]
    for number, at in enumerate(corners):
        page[at:-at, at:-at] = 150 if number % 2 == 0 else 250
    cv2.circle(page, (500, 500), 40, 0, 4)
    innermost = panels.panel_around(page, (460, 460, 80, 80))
    assert abs(innermost.left - corners[panels.DEEPEST - 1]) < 15
    assert len(image.find_figures(page)) == 1


def test_large_page_takes_little_memory():
    page = cv2.resize(storyboard(frame=3).grey, (6000, 7500))
    tracemalloc.start()
    found = image.find_figures(page)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == len(NAMES)
    assert peak < page.nbytes


def test_squares_of_ruled_paper_are_no_panel():
    page = np.full((600, 500), 250, np.uint8)
    page[8::22] = 150
    page[:, 8::22] = 150
    assert panels.find_panels(page) == []


def test_square_head_is_no_panel():
    page = np.full((400, 300), 255, np.uint8)
    cv2.rectangle(page, (100, 40), (200, 140), 0, 3)
    for x in (130, 170):
        cv2.circle(page, (x, 80), 6, 0, -1)
    cv2.line(page, (130, 115), (165, 115), 0, 3)
    cv2.line(page, (150, 150), (150, 380), 0, 3)
    assert panels.find_panels(page) == []


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (2, 400), (3, 3)])
def test_page_without_room_for_panels(shape: tuple[int, int]):
    assert panels.find_panels(np.zeros(shape, np.uint8)) == []
