"""Drawing styles: what is asked for is on the paper, where it was asked for."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.core.styles import NO_FILL, NO_TAG, PRESETS, Drawing, StrokeStyle, draw, simplified

PLAIN = StrokeStyle(width=2.0)
SQUARE = np.array([[60.0, 60.0], [190.0, 60.0], [190.0, 190.0], [60.0, 190.0]])


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def picture(drawing: Drawing, style: StrokeStyle = PLAIN, size: int = 256) -> np.ndarray:
    return draw(drawing, style, rng(), size)


def body_square() -> Drawing:
    """A figure of four lines: the sides of the square."""
    drawing = Drawing()
    drawing.body([SQUARE[[i, (i + 1) % 4]] for i in range(4)])
    return drawing


def test_an_empty_drawing_is_white_paper() -> None:
    assert (picture(Drawing()) == 255).all()


def test_a_line_lies_where_it_is_drawn() -> None:
    drawing = Drawing()
    drawing.line([[20.0, 100.0], [200.0, 100.0]])
    dark = np.argwhere(picture(drawing) < 128)
    assert abs((dark[:, 0] + 0.5).mean() - 100) < 0.4
    assert abs(dark[:, 1].min() - 20) <= 2 and abs(dark[:, 1].max() - 200) <= 2


def test_the_width_is_in_pixels_of_256_and_grows_with_the_picture() -> None:
    for size in (128, 256, 512):
        drawing = Drawing()
        drawing.line(np.array([[0.1, 0.5], [0.9, 0.5]]) * size)
        image = picture(drawing, StrokeStyle(width=4.0), size)
        ink = (255.0 - image[:, size // 2]).sum() / 255
        assert ink == pytest.approx(4.0 * size / 256, abs=0.7)


def test_short_lines_are_ignored() -> None:
    drawing = Drawing()
    drawing.line([[10.0, 10.0]])
    assert len(drawing) == 0


def test_a_shape_hides_what_is_behind_it() -> None:
    behind = Drawing()
    behind.line([[10.0, 125.0], [245.0, 125.0]])
    for fill, hidden in ((0.0, True), (NO_FILL, False)):
        drawing = Drawing()
        drawing.append(behind)
        drawing.new_layer()
        drawing.shape(SQUARE, fill=fill)
        image = picture(drawing)
        assert (image[125, 100] > 200) == hidden
        assert image[125, 30] < 100
        assert image[59, 100] < 100  # the outline


def test_shapes_of_one_layer_melt() -> None:
    drawing = Drawing()
    drawing.shape(SQUARE)
    drawing.shape(SQUARE + 50.0)
    image = picture(drawing)
    assert image[110, 130] > 200  # the second one's upper edge, inside the first
    assert image[58, 100] < 100 and image[241, 180] < 100


def test_an_open_shape_has_no_closing_line() -> None:
    drawing = Drawing()
    drawing.open_shape(SQUARE)  # open on its left side
    image = picture(drawing)
    assert image[125, 60] == 255
    assert image[58, 125] < 100


def test_tones_are_as_dark_as_asked() -> None:
    drawing = Drawing()
    drawing.shape(SQUARE, fill=0.4)
    assert picture(drawing)[120, 120] == pytest.approx(255 * 0.6, abs=1)


def test_hatching_is_neither_paper_nor_flat() -> None:
    drawing = Drawing()
    drawing.shape(SQUARE, fill=0.4)
    inside = picture(drawing, StrokeStyle(width=1.0, hatching=5.0))[70:180, 70:180]
    assert inside.min() < 100 and inside.max() == 255
    assert 0.05 < (inside < 128).mean() < 0.6


def test_a_body_hides_what_is_behind_it_and_keeps_tones_inside() -> None:
    drawing = Drawing()
    drawing.line([[10.0, 125.0], [245.0, 125.0]])
    drawing.append(body_square())
    assert picture(drawing)[125, 120] == 255
    drawing.tone(SQUARE + 60.0, 0.5)
    image = picture(drawing)
    assert image[150, 150] == pytest.approx(127, abs=2)
    assert image[220, 220] == 255  # within the tone, outside the body


def test_interior_lines_can_be_left_out_and_contours_stay() -> None:
    drawing = body_square()
    drawing.line([[100.0, 125.0], [150.0, 125.0]], droppable=True)
    style = StrokeStyle(width=2.0, drop_interior=1.0)
    image = picture(drawing, style)
    assert picture(drawing)[125, 125] < 100
    assert image[125, 125] == 255
    assert image[60, 125] < 100


def test_short_strokes_can_be_left_out() -> None:
    drawing = Drawing()
    drawing.line([[100.0, 100.0], [106.0, 100.0]], droppable=True)
    drawing.line([[100.0, 150.0], [180.0, 150.0]], droppable=True)
    image = picture(drawing, StrokeStyle(width=2.0, drop_short=10.0))
    assert image[90:110].min() == 255 and image[150].min() < 100


def test_gaps_leave_out_about_their_share() -> None:
    drawing = Drawing()
    for y in range(20, 240, 10):
        drawing.line([[10.0, y], [245.0, y]])
    full = (255.0 - picture(drawing)).sum()
    broken = (255.0 - picture(drawing, StrokeStyle(width=2.0, gaps=0.3))).sum()
    assert broken / full == pytest.approx(0.7, abs=0.1)


def test_a_keyline_parts_dark_shapes() -> None:
    drawing = Drawing()
    for shift in (0.0, 20.0):
        drawing.new_layer()
        drawing.shape(SQUARE + shift, fill=1.0)
    together = picture(drawing)[100, 60:150]
    apart = picture(drawing, StrokeStyle(width=2.0, keyline=True))[100, 60:150]
    assert together.max() < 10 and apart.max() > 200


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(*[st.floats(0, 255)] * 2), min_size=2, max_size=12),
    st.floats(0.5, 30),
)
def test_resampling_keeps_the_ends_and_bounds_the_gaps(points, step: float) -> None:
    drawing = Drawing()
    drawing.line(points)
    again = drawing.resampled(step).points()
    np.testing.assert_allclose(again[[0, -1]], np.array(points)[[0, -1]], atol=1e-6)
    assert np.linalg.norm(np.diff(again, axis=0), axis=1).max() <= step + 1e-6


def test_mapping_moves_all_points_and_nothing_else() -> None:
    drawing = body_square()
    drawing.tone(SQUARE, 0.5)
    moved = drawing.mapped(lambda points: points + (5.0, -3.0))
    np.testing.assert_allclose(moved.points(), drawing.points() + (5.0, -3.0))
    image = picture(moved)
    assert (image[57:187, 65:195] == picture(drawing)[60:190, 60:190]).mean() > 0.99


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_draws_ink_near_the_lines(name: str) -> None:
    for seed in range(8):
        style = StrokeStyle.random(rng(seed), name)
        image = draw(body_square(), style, rng(seed)).astype(float)
        paper = np.median(image)
        ring = np.zeros((256, 256), bool)
        ring[50:201, 50:201] = True
        ring[72:179, 72:179] = False
        assert image[ring].min() < 0.85 * paper
    assert (draw(body_square(), PRESETS[name], rng()) < 170).mean() > 0.005


def test_an_unknown_preset_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        StrokeStyle.random(rng(), "chisel")


def test_equal_chance_gives_equal_pictures() -> None:
    for seed in range(20):
        style = StrokeStyle.random(rng(seed))
        assert style == StrokeStyle.random(rng(seed))
        one, two = (draw(body_square(), style, rng(seed)) for _ in range(2))
        np.testing.assert_array_equal(one, two)
        assert one.shape == (256, 256) and one.dtype == np.uint8


def test_a_simplified_line_keeps_its_corners_and_its_closing_side() -> None:
    corners = np.concatenate([SQUARE, SQUARE[:1]]).astype(np.float32)
    dense = np.concatenate(
        [np.linspace(a, b, 9)[:-1] for a, b in zip(corners[:-1], corners[1:], strict=True)]
    )
    loop = np.concatenate([dense, dense[:1]]).astype(np.float32)
    np.testing.assert_allclose(simplified(loop, 0.2), corners)
    np.testing.assert_allclose(simplified(loop[:-1], 0.2)[[0, -1]], loop[[0, -2]])
    there_and_back = np.array([[0, 0], [9, 0], [0, 0]], np.float32)
    assert simplified(there_and_back, 0.2)[1].tolist() == [9, 0]


def length(line: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def test_a_line_behind_a_shape_is_cut_where_the_shape_covers_it() -> None:
    drawing = Drawing()
    drawing.line([[20.0, 100.0], [230.0, 100.0]])
    drawing.new_layer()
    drawing.shape(SQUARE)
    lines = drawing.visible_lines(256)
    assert len(lines) == 3
    np.testing.assert_allclose(sorted(lines[0][:, 0]), (20, 60), atol=0.6)
    np.testing.assert_allclose(sorted(lines[1][:, 0]), (190, 230), atol=0.6)
    np.testing.assert_allclose(lines[2][0], lines[2][-1])  # the outline is whole and closed
    assert length(lines[2]) == pytest.approx(4 * 130, abs=0.5)


def test_lines_of_the_same_layer_and_of_later_ones_lie_on_the_shape() -> None:
    drawing = Drawing()
    drawing.line([[20.0, 100.0], [230.0, 100.0]])
    drawing.shape(SQUARE)
    drawing.new_layer()
    drawing.line([[20.0, 150.0], [230.0, 150.0]])
    drawing.new_layer()
    drawing.shape(SQUARE + 5, fill=NO_FILL)  # an empty shape covers nothing
    assert [round(length(line)) for line in drawing.visible_lines(256)] == [210, 520, 210, 520]


def test_shapes_of_one_layer_melt_into_one_outline() -> None:
    drawing = Drawing()
    drawing.shape(SQUARE)
    drawing.shape(SQUARE + (50, 0))
    lines = drawing.visible_lines(300)
    # Each one keeps the three sides that are not inside the other.
    assert len(lines) == 2
    assert [length(line) for line in lines] == pytest.approx([230, 230], abs=2)


def test_what_lies_outside_the_picture_is_not_visible() -> None:
    drawing = Drawing()
    drawing.line([[-50.0, 40.0], [50.0, 40.0]])
    drawing.line([[-50.0, -40.0], [50.0, -40.0]])
    (line,) = drawing.visible_lines(100)
    np.testing.assert_allclose(sorted(line[:, 0]), (0, 50), atol=0.6)


def test_a_stroke_figure_hides_what_is_behind_it() -> None:
    drawing = Drawing()
    drawing.line([[20.0, 100.0], [230.0, 100.0]])
    drawing.append(body_square())
    lines = drawing.visible_lines(256)
    assert len(lines) == 6
    assert sum(length(line) for line in lines[:2]) == pytest.approx(80, abs=4)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_visible_lines_alone_give_the_picture_of_the_whole_drawing(seed: int) -> None:
    chance = rng(seed)
    drawing = Drawing()
    for _ in range(12):
        if chance.random() < 0.5:
            drawing.new_layer()
        if chance.random() < 0.5:
            drawing.line(chance.uniform(20, 236, (int(chance.integers(2, 5)), 2)))
        else:
            angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
            circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
            drawing.shape(chance.uniform(60, 196, 2) + chance.uniform(15, 60, 2) * circle)
    flat = Drawing()
    for line in drawing.visible_lines(256):
        flat.line(line)
    whole, lines = picture(drawing) < 128, picture(flat) < 128
    # A fill eats the inner half of its outline, so the two differ by a pixel at most.
    near = cv2.dilate(lines.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert (whole & ~near).sum() <= 4
    near = cv2.dilate(whole.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert (lines & ~near).sum() <= 4


def test_pieces_know_their_path_and_its_tag() -> None:
    drawing = Drawing()
    drawing.tag = 7
    drawing.line([[20.0, 100.0], [230.0, 100.0]])
    drawing.new_layer()
    drawing.tag = 9
    drawing.shape(SQUARE)
    for same in (drawing, drawing.mapped(lambda p: p), drawing.resampled(4.0)):
        pieces, paths = same.visible_pieces(256)
        assert len(pieces) == 3 and [same.tags[path] for path in paths] == [7, 7, 9]
    both = Drawing()
    both.line([[0.0, 5.0], [9.0, 5.0]])
    both.append(drawing)
    assert both.tags == [NO_TAG, 7, 9]


def test_the_silhouette_is_what_lines_enclose_and_the_lines() -> None:
    drawing = Drawing()
    drawing.shape(SQUARE, fill=NO_FILL)
    drawing.line([[20.0, 30.0], [230.0, 30.0]])
    inside = drawing.silhouette(256)
    assert inside[60:190, 60:190].all()
    assert inside[28:32, 30:220].any(axis=0).all()
    assert inside.sum() == pytest.approx(131.6**2 + 210 * 1.6, rel=0.03)
    assert Drawing().silhouette(64).shape == (64, 64) and not Drawing().silhouette(64).any()


def test_the_silhouette_of_a_stroke_figure_is_its_inside() -> None:
    drawing = body_square()
    drawing.tone([[0.0, 0.0], [256.0, 0.0], [256.0, 256.0], [0.0, 256.0]], 0.5)  # cut to the body
    assert drawing.silhouette(256).sum() == pytest.approx(131.6**2, rel=0.04)
