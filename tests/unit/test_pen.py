"""Strokes in space, drawn as a view shows them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.core.camera import Camera, look_at
from addon.core.errors import UserError
from addon.core.pen import PAGE, PenStroke, draw_pen, framed

BLACK = (0.0, 0.0, 0.0, 1.0)
RED = (1.0, 0.0, 0.0, 1.0)


def front(size: tuple[int, int] = (100, 100), scale: float = 50) -> Camera:
    """From the front, without perspective; the world's origin is in the middle."""
    return look_at((0, -5, 0), (0, 0, 0), size=size, focal=scale, orthographic=True)


def line(*points: tuple[float, float], radius: float = 0.02, **others: object) -> PenStroke:
    """A black line in the plane that a front view shows."""
    spots = np.array([(x, 0, z) for x, z in points], np.float64)
    stroke = PenStroke(spots, np.full(len(spots), radius), BLACK)
    return replace(stroke, **others)


def test_a_line_lies_where_the_camera_sees_it() -> None:
    page = draw_pen([line((-0.5, 0.2), (0.5, 0.2), radius=0.1)], front())
    assert page.shape == (100, 100, 3)
    ink = 1 - page[..., 0] / 255
    # 0.2 m above the middle are 10 pixels; the line is 10 pixels wide and has round ends.
    x, y = np.arange(100) + 0.5, np.arange(100) + 0.5
    assert ink.sum(axis=0) @ x / ink.sum() == pytest.approx(50, abs=0.05)
    assert ink.sum(axis=1) @ y / ink.sum() == pytest.approx(40, abs=0.05)
    assert ink[:, 50].sum() == pytest.approx(10, abs=0.2)
    assert ink[40].sum() == pytest.approx(60, abs=0.4)


def test_areas_and_their_order() -> None:
    square = ((-0.4, -0.4), (0.4, -0.4), (0.4, 0.4), (-0.4, 0.4))
    area = line(*square, line=None, fill=RED)
    across = line((-0.8, 0), (0.8, 0), radius=0.05)
    under, over = draw_pen([across, area], front()), draw_pen([area, across], front())
    assert under[50, 50].tolist() == [255, 0, 0]
    assert over[50, 50].tolist() == [0, 0, 0]
    assert under[50, 15].tolist() == over[50, 15].tolist() == [0, 0, 0]
    assert over[20, 50].tolist() == [255, 255, 255]
    ghost = replace(area, fill=(1.0, 0.0, 0.0, 0.5))
    np.testing.assert_allclose(draw_pen([ghost], front())[50, 50], [255, 127, 127], atol=1)


def test_a_closed_line_ends_where_it_began() -> None:
    corner = ((-0.4, -0.4), (0.4, -0.4), (0.4, 0.4))
    still_open, closed = (
        draw_pen([line(*corner, radius=0.05, closed=closed)], front()) for closed in (False, True)
    )
    assert (still_open[50, 50] == 255).all()
    assert (closed[50, 50] == 0).all()


def test_a_line_narrows_with_the_hand_and_with_distance() -> None:
    wedge = replace(line((-0.5, 0), (0, 0), (0.5, 0)), radii=np.array([0.2, 0.05, 0.05]))
    inked = (1 - draw_pen([wedge], front())[..., 0] / 255).sum(axis=0)
    assert inked[[25, 37, 65]] == pytest.approx([20, 12.5, 5], abs=0.8)
    eye = look_at((0, -5, 0), (0, 0, 0), size=(100, 100), focal=250)
    near = line((-0.5, 0), (0.5, 0), radius=0.1)
    far = replace(near, points=near.points + (0, 5, 0))
    heights = [(1 - draw_pen([one], eye)[:, 50, 0] / 255).sum() for one in (near, far)]
    assert heights == pytest.approx([10, 5], abs=0.2)


def test_what_is_left_out_does_not_frame_the_page() -> None:
    eye = look_at((0, -5, 1), (0, 0, 1), size=(100, 100), focal=100)
    figure = line((-0.5, 0.5), (0.5, 1.5))
    floor = replace(figure, points=np.array([[3, 5, 0], [3, -4.9, 0], [3, -6, 0]], np.float64))
    floor = replace(floor, radii=np.full(3, 0.02))
    alone, both = framed([figure], eye), framed([figure, floor], eye)
    assert (both.focal, both.size, *both.centre) == (alone.focal, alone.size, *alone.centre)
    with pytest.raises(UserError, match="Nothing is drawn"):
        framed([floor], eye)


def test_what_lies_behind_the_eye_is_left_out() -> None:
    eye = look_at((0, -5, 0), (0, 0, 0), size=(100, 100), focal=100)
    behind = line((-0.5, 0), (0.5, 0))
    behind = replace(behind, points=behind.points - (0, 9, 0))
    assert (draw_pen([behind], eye) == 255).all()
    with pytest.raises(UserError, match="Nothing is drawn"):
        framed([behind], eye)


@pytest.mark.parametrize("strokes", [[], [line((0.3, 0.3))]])
def test_an_empty_page_is_a_users_mistake(strokes: list[PenStroke]) -> None:
    with pytest.raises(UserError, match="Nothing is drawn"):
        framed(strokes, front())


@settings(max_examples=40, deadline=None)
@given(
    width=st.floats(0.01, 30),
    height=st.floats(0.01, 30),
    shift=st.floats(-50, 50),
    scale=st.floats(1, 500),
)
def test_a_page_is_filled(width: float, height: float, shift: float, scale: float) -> None:
    figure = line((shift, 0), (shift + width, height))
    page = framed([figure], front(scale=scale))
    assert max(page.size) == PAGE
    assert min(page.size) >= 1
    pixels = page.project(figure.points)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    assert (low > 0).all()
    assert (high < page.size).all()
    # The border is the same all around, and the shape is what it was.
    assert max(high - low) / PAGE == pytest.approx(1 / 1.16, abs=0.01)
    np.testing.assert_allclose(low, np.array(page.size) - high, atol=1)
    np.testing.assert_allclose((high - low) / max(high - low) * max(width, height), (width, height))
