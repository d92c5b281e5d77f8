"""Images of every kind are read as Blender shows them, on paper."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np
import pytest

from addon.blender.pixels import colour_pixels, film_range, grey_pixels
from addon.core.errors import UserError
from addon.core.image import load_grey

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def write(path: Path, picture: np.ndarray) -> Path:
    path.write_bytes(cv2.imencode(path.suffix, picture)[1].tobytes())
    return path


def test_grey_of_a_file_packed_or_not(drawing: Path) -> None:
    image = bpy.data.images.load(str(drawing))
    expected = load_grey(drawing)
    np.testing.assert_array_equal(grey_pixels(image), expected)
    image.pack()
    drawing.unlink()
    np.testing.assert_array_equal(grey_pixels(image), expected)


def test_grey_of_painted_pixels() -> None:
    image = bpy.data.images.new("painted", 4, 3, alpha=True)
    pixels = np.zeros((3, 4, 4), np.float32)  # transparent
    pixels[0, 1] = (0, 0, 0, 1)  # black, in the bottom row
    pixels[2, 3] = (1, 0, 0, 1)  # red, in the top row
    image.pixels.foreach_set(pixels.ravel())
    grey = grey_pixels(image)
    expected = np.full((3, 4), 255)
    expected[2, 1], expected[0, 3] = 0, 76
    np.testing.assert_array_equal(grey, expected)


def test_grey_of_a_deleted_file_is_a_users_mistake(drawing: Path) -> None:
    image = bpy.data.images.load(str(drawing))
    drawing.unlink()
    with pytest.raises(UserError, match="no picture"):
        grey_pixels(image)


def test_what_was_painted_over_a_file_counts(drawing: Path) -> None:
    image = bpy.data.images.load(str(drawing))
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    pixels.reshape(image.size[1], image.size[0], -1)[:10, :, :3] = 0
    image.pixels.foreach_set(pixels)
    assert image.is_dirty
    grey = grey_pixels(image)
    assert not grey[-10:].any()
    np.testing.assert_array_equal(grey[:-10], load_grey(drawing)[:-10])


def test_pixels_outlive_their_file(drawing: Path) -> None:
    image = bpy.data.images.load(str(drawing))
    expected = grey_pixels(image)
    assert list(image.pixels)[0] == 1  # now Blender has them, too
    drawing.unlink()
    np.testing.assert_array_equal(grey_pixels(image), expected)


def test_a_damaged_file_is_a_users_mistake(drawing: Path) -> None:
    drawing.write_bytes(drawing.read_bytes()[:-40])
    with pytest.raises(UserError, match="damaged"):
        grey_pixels(bpy.data.images.load(str(drawing)))


@pytest.mark.parametrize("name", ["lines.txt", "picture.png"])
def test_what_is_no_picture_is_a_users_mistake(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text("no picture")
    with pytest.raises(UserError, match="not a picture"):
        grey_pixels(bpy.data.images.load(str(path)))


def test_sixteen_bits_and_transparency(tmp_path: Path) -> None:
    page = np.zeros((6, 8, 4), np.uint16)
    page[:3] = (40_000, 40_000, 40_000, 65_535)
    page[3:] = (10_000, 10_000, 10_000, 32_768)
    image = bpy.data.images.load(str(write(tmp_path / "page.png", page)))
    expected = np.repeat([40_000 / 257, (10_000 / 257 + 255) / 2], 3)[:, None]
    np.testing.assert_allclose(grey_pixels(image), np.tile(expected, 8), atol=1.01)
    # Blender's own pixels of it are linear and multiplied by alpha.
    np.testing.assert_allclose(colour_pixels(image)[..., 1], np.tile(expected, 8), atol=1.5)


def test_light_lines_on_nothing_show_in_grey_and_in_colour(tmp_path: Path) -> None:
    lines = np.full((240, 240, 4), 240, np.uint8)
    lines[..., 3] = 0
    cv2.line(lines, (40, 200), (180, 40), (240, 240, 240, 255), 2)
    image = bpy.data.images.load(str(write(tmp_path / "chalk.png", lines)))
    np.testing.assert_allclose(colour_pixels(image)[..., 1], lines[..., 3] * (240 / 255), atol=2)
    np.testing.assert_allclose(grey_pixels(image), lines[..., 3] * (240 / 255), atol=2)


@pytest.mark.parametrize(("file_format", "suffix"), [("OPEN_EXR", "exr"), ("HDR", "hdr")])
def test_light_looks_as_on_the_screen(file_format: str, suffix: str, tmp_path: Path) -> None:
    made = bpy.data.images.new("light", 4, 3, float_buffer=True)
    made.colorspace_settings.name = "Non-Color"
    made.pixels.foreach_set(np.tile(np.float32([0.2140, 0.2140, 0.2140, 1]), 12))
    made.filepath_raw, made.file_format = str(tmp_path / f"light.{suffix}"), file_format
    made.save()
    image = bpy.data.images.load(made.filepath_raw)
    image.colorspace_settings.name = "Linear Rec.709"
    # 0.2140 is the light of a middle grey, 127.5 of 255 (IEC 61966-2-1).
    np.testing.assert_allclose(grey_pixels(image), 127.5, atol=2)


def test_alpha_that_blender_ignores_is_ignored(tmp_path: Path) -> None:
    page = np.full((6, 8, 4), (50, 50, 50, 0), np.uint8)
    image = bpy.data.images.load(str(write(tmp_path / "page.png", page)))
    assert (grey_pixels(image) == 255).all()
    image.alpha_mode = "CHANNEL_PACKED"
    assert (grey_pixels(image) == 50).all()


def test_layers_are_rendered(render_drawing: Any, tmp_path: Path) -> None:
    """A file of render layers, as a compositor's artist has them."""
    scene = bpy.context.scene
    render_drawing(scene, EXAMPLES / "gesture_run.png")
    settings = scene.render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "MULTI_LAYER_IMAGE"
    settings.file_format = "OPEN_EXR_MULTILAYER"
    path = str(tmp_path / "layers.exr")
    bpy.data.images["Render Result"].save_render(path, scene=scene)
    grey = grey_pixels(bpy.data.images.load(path))
    expected = cv2.resize(load_grey(EXAMPLES / "gesture_run.png"), (96, 96))
    assert np.corrcoef(grey.ravel(), expected.ravel())[0, 1] > 0.9
    assert settings.file_format == "OPEN_EXR_MULTILAYER"


def test_image_sequence_follows_the_scene(tmp_path: Path) -> None:
    for number in (8, 9, 10, 12):
        write(tmp_path / f"walk.{number:03}.png", np.full((6, 8), 10 * number, np.uint8))
    image = bpy.data.images.load(str(tmp_path / "walk.009.png"))
    image.source = "SEQUENCE"
    assert film_range(image) == (8, 3)
    greys = [int(grey_pixels(image, frame)[0, 0]) for frame in (-5, 1, 2, 3, 4, 99)]
    assert greys == [80, 80, 90, 100, 100, 100]
    assert (colour_pixels(image, 2) == 90).all()


def test_movie_follows_the_scene(tmp_path: Path) -> None:
    path = tmp_path / "walk.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 24, (64, 48))
    for number in range(10):
        writer.write(np.full((48, 64, 3), 20 * number + 20, np.uint8))
    writer.release()
    image = bpy.data.images.load(str(path))
    assert image.source == "MOVIE"
    assert film_range(image) == (1, 10)
    for frame in (1, 10, 4, 99):
        expected = 20 * min(frame, 10)
        np.testing.assert_allclose(grey_pixels(image, frame), expected, atol=3)


def test_a_film_that_is_gone_is_a_users_mistake(tmp_path: Path) -> None:
    path = write(tmp_path / "walk1.png", np.zeros((6, 8), np.uint8))
    image = bpy.data.images.load(str(path))
    image.source = "SEQUENCE"
    path.unlink()
    with pytest.raises(UserError, match="no picture"):
        grey_pixels(image)


def test_a_huge_page_is_read_directly(tmp_path: Path) -> None:
    page = np.full((8192, 8192), 255, np.uint8)
    cv2.line(page, (1000, 1000), (7000, 7000), 0, 40)
    image = bpy.data.images.load(str(write(tmp_path / "page.png", page)))
    start = time.process_time()
    np.testing.assert_array_equal(grey_pixels(image), page)
    assert time.process_time() - start < 10  # it takes one second
    assert not image.has_data  # Blender's floats of it would be a gigabyte
