"""The drawing in the scene lies where the solved camera sees it, pixel by pixel."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import bpy
import cv2
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from addon.blender import reference
from addon.blender.pixels import grey_pixels
from addon.core.camera import Camera, look_at


def some_view(seed: int, orthographic: bool) -> Camera:
    """A camera somewhere, with its principal point off the middle."""
    rng = np.random.default_rng(seed)
    size = (int(rng.integers(50, 900)), int(rng.integers(50, 900)))
    focal = size[0] * rng.uniform(0.2, 0.6) if orthographic else size[0] * rng.uniform(0.8, 3)
    view = look_at(
        rng.normal(0, 1, 3) + (0, -6, 1),
        rng.normal(0, 0.3, 3) + (0, 0, 1),
        size=size,
        focal=focal,
        roll=rng.normal(0, 0.2),
        orthographic=orthographic,
    )
    return replace(view, centre=view.centre + rng.normal(0, 20, 2))


@pytest.mark.parametrize("orthographic", [True, False])
@pytest.mark.parametrize("resolution", [(1920, 1080, 1, 1), (300, 700, 1, 1), (720, 576, 16, 15)])
def test_camera_sees_what_the_solver_sees(
    orthographic: bool, resolution: tuple[int, int, int, int]
) -> None:
    scene = bpy.context.scene
    render = scene.render
    render.resolution_x, render.resolution_y, render.pixel_aspect_x, render.pixel_aspect_y = (
        resolution
    )
    for seed in range(5):
        view = some_view(seed, orthographic)
        camera = reference.place_camera(scene, view)
        bpy.context.view_layer.update()
        points = np.random.default_rng(seed).normal(0, 0.5, (10, 3)) + (0, 0, 1)
        seen = [world_to_camera_view(scene, camera, Vector(p))[:2] for p in points]
        # Shares of the frame from its bottom left -> pixels of the drawing in the frame's middle.
        aspect = (render.resolution_y * resolution[3]) / (render.resolution_x * resolution[2])
        width, height = view.size
        frame_width = max(width, height / aspect)
        pixels = (np.array(seen) - 0.5) * (frame_width, -frame_width * aspect)
        pixels += np.array(view.size) / 2
        np.testing.assert_allclose(pixels, view.project(points), atol=0.05)
        assert scene.camera == camera


@pytest.mark.parametrize("orthographic", [True, False])
def test_drawing_fills_the_picture(orthographic: bool) -> None:
    for seed in range(5):
        view = some_view(seed, orthographic)
        image = bpy.data.images.new("drawing", *view.size)
        empty = reference.place_drawing(bpy.context.scene, image, view, depth=8.0)
        bpy.context.view_layer.update()
        assert empty.empty_display_type == "IMAGE"
        assert empty.data == image
        # Blender draws an image empty with its longer side as large as the display size.
        width, height = np.array(view.size) / max(view.size) * empty.empty_display_size
        x, y = empty.empty_image_offset
        corners = np.array([(x, y + 1), (x + 1, y + 1), (x, y), (x + 1, y)]) * (width, height)
        world = [empty.matrix_world @ Vector((*corner, 0)) for corner in corners]
        expected = np.array([(0, 0), (1, 0), (0, 1), (1, 1)]) * view.size
        np.testing.assert_allclose(view.project(world), expected, atol=0.05)
        np.testing.assert_allclose(view.to_camera(world)[:, 2], 8.0, atol=1e-4)


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_a_phones_photograph_stands_upright(
    drawing: Path, tmp_path: Path, orientation: int, turns: int
) -> None:
    photograph = tmp_path / "photograph.jpg"
    photograph.write_bytes(jpeg_with_orientation(cv2.imread(str(drawing)), orientation))
    image = bpy.data.images.load(str(photograph))
    grey = grey_pixels(image)
    width, height = image.size
    pixels = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(pixels)
    lying = pixels.reshape(height, width, image.channels)[::-1, :, 0] * 255
    assert np.abs(np.rot90(lying, turns) - grey).mean() < 5
    size = (grey.shape[1], grey.shape[0])
    view = look_at((0, -5, 1), (0, 0, 1), size=size, focal=100, orthographic=True)
    empty = reference.place_drawing(bpy.context.scene, image, view, depth=8.0)
    bpy.context.view_layer.update()
    # Where the first pixel of the file is seen: the corners of the picture in their order.
    width, height = np.array(image.size) / max(image.size) * empty.empty_display_size
    first = empty.matrix_world @ Vector((-width / 2, height / 2, 0))
    corner = {0: (0, 0), 1: (0, 1), 2: (1, 1), 3: (1, 0)}[turns]
    np.testing.assert_allclose(view.project(first), np.array(corner) * size, atol=0.05)


def jpeg_with_orientation(picture: np.ndarray, orientation: int) -> bytes:
    """A JPEG as a phone writes it: with the sensor's rotation noted in its EXIF block."""
    data = cv2.imencode(".jpg", picture)[1].tobytes()
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 0)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


def test_posing_again_replaces_camera_and_drawing() -> None:
    scene = bpy.context.scene
    image = bpy.data.images.new("drawing", 8, 8)
    for seed in range(3):
        view = some_view(seed, orthographic=seed % 2 == 0)
        reference.place_camera(scene, view).name = "My camera"
        reference.place_drawing(scene, image, view, depth=8.0).name = "My drawing"
    assert len(scene.objects) == 2
    assert len(bpy.data.cameras) == 1
    assert bpy.data.objects["My drawing"].data == image


def test_every_scene_has_its_own() -> None:
    view = some_view(1, orthographic=True)
    cameras = [
        reference.place_camera(scene, view)
        for scene in (bpy.context.scene, bpy.data.scenes.new("Second"))
    ]
    assert cameras[0] != cameras[1]


def test_drawings_show_in_turn() -> None:
    scene = bpy.context.scene
    views = []
    for number in (1, 2, 3):
        view = some_view(number, orthographic=True)
        image = bpy.data.images.new("drawing", *view.size)
        views.append(
            (
                reference.place_camera(scene, view, number),
                reference.place_drawing(scene, image, view, 8.0, number),
            )
        )
    reference.show_in_turn(scene, views)
    for frame in (3, 1, 2):
        scene.frame_set(frame)
        for number, pair in enumerate(views, 1):
            assert [not thing.hide_viewport for thing in pair] == 2 * [number == frame]
        bound = {marker.frame: marker.camera for marker in scene.timeline_markers}
        assert bound[frame] == views[frame - 1][0]
    view = some_view(4, orthographic=True)
    again = (
        reference.place_camera(scene, view),
        reference.place_drawing(scene, bpy.data.images.new("new", 9, 9), view, 8),
    )
    scene.frame_set(3)
    assert again == views[0]
    assert not any(thing.hide_viewport for thing in again)
