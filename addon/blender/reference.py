"""The drawing in the scene: as grey pixels for the estimator, and as a reference image to look at.

The reference stands behind the character, seen through a camera that matches the drawing's view:
what is drawn at a pixel covers the part of the character that it shows. Both are made once and then
moved, so that posing again replaces them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from math import pi
from pathlib import Path

import bpy
import cv2
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ..core.camera import Camera
from ..core.errors import UserError
from ..core.image import load_grey
from .cameras import SENSOR, camera_matrix

_CAMERA = "Croquis Camera"
_DRAWING = "Croquis Drawing"
_ROLE = "croquis_role"
_OPACITY = 0.5
_EXIF_WITHIN = 65_536  # bytes from a file's beginning


def grey_pixels(image: bpy.types.Image) -> NDArray[np.uint8]:
    """An image of the blend file as grey pixels on white.

    Args:
        image: a file, packed, generated or painted image.

    Returns:
        ``[H, W]`` uint8.

    Raises:
        UserError: its file is missing or is not a picture, or it has no pixels.
    """
    if image.source == "FILE" and not image.is_dirty:
        if not image.packed_file:
            return load_grey(bpy.path.abspath(image.filepath, library=image.library))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, bpy.path.basename(image.filepath) or "drawing")
            path.write_bytes(image.packed_file.data)
            return load_grey(path)
    pixels = _pixels_on_white(image)
    luma = np.array([0.299, 0.587, 0.114] if pixels.shape[2] == 3 else [1.0], np.float32)
    return np.round(pixels @ luma * 255).astype(np.uint8)


def colour_pixels(image: bpy.types.Image) -> NDArray[np.uint8]:
    """An image of the blend file in colour, on white, turned as its file says (EXIF).

    Returns:
        ``[H, W, 3]`` uint8: red, green, blue.

    Raises:
        UserError: it has no pixels, as its file is missing or is nothing that Blender reads.
    """
    pixels = np.round(_pixels_on_white(image) * 255).astype(np.uint8)
    upright = np.rot90(pixels, _quarter_turns(image))
    return np.broadcast_to(upright, (*upright.shape[:2], 3))


def _pixels_on_white(image: bpy.types.Image) -> NDArray[np.float32]:
    """``[H, W, 1 or 3]`` as Blender has it, 0..1."""
    width, height = image.size
    if not (width and height):
        raise UserError(f"“{image.name}” has no pixels; choose another drawing.")
    pixels = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(pixels)
    pixels = pixels.reshape(height, width, image.channels)[::-1]  # Blender's rows go upwards
    colour, alpha = pixels[..., :3].clip(0, 1), np.float32(1)
    if image.channels in (2, 4):
        colour, alpha = pixels[..., :-1].clip(0, 1), pixels[..., -1:].clip(0, 1)
    return colour * alpha + 1 - alpha


def place_camera(scene: bpy.types.Scene, view: Camera, number: int = 1) -> bpy.types.Object:
    """Set up the scene's Croquis camera so that it sees what a solved camera sees.

    The whole drawing fits into the camera's frame whatever the scene's resolution is: the frame is
    wider or higher than the drawing where their aspects differ.

    Args:
        scene: the camera becomes its active one.
        view: the drawing's view; its ``size`` is the drawing's, pixels.
        number: each drawing of a sequence has a camera of its own, from 1 on.
    """
    thing = find_camera(scene, number)
    if thing is None:
        thing = _new(scene, _CAMERA, number, bpy.data.cameras.new(_CAMERA))
    thing.matrix_world = camera_matrix(view)
    render = scene.render
    aspect = (render.resolution_y * render.pixel_aspect_y) / (
        render.resolution_x * render.pixel_aspect_x
    )
    width, height = view.size
    frame_width = max(width, height / aspect)  # of the frame, in pixels of the drawing
    data = thing.data
    data.sensor_fit = "HORIZONTAL"
    data.sensor_width = SENSOR
    if view.orthographic:
        data.type = "ORTHO"
        data.ortho_scale = frame_width / view.focal
    else:
        data.type = "PERSP"
        data.lens = view.focal * SENSOR / frame_width
    data.shift_x = (width / 2 - view.centre[0]) / frame_width
    data.shift_y = (view.centre[1] - height / 2) / frame_width
    scene.camera = thing
    return thing


def place_drawing(
    scene: bpy.types.Scene, image: bpy.types.Image, view: Camera, depth: float, number: int = 1
) -> bpy.types.Object:
    """Stand the drawing up as a reference image that fills a solved camera's picture.

    Args:
        scene: where it stands.
        image: the drawing.
        view: the drawing's view.
        depth: how far in front of the eye it stands, metres.
        number: as for :func:`place_camera`.
    """
    thing = _find(scene, _DRAWING, number)
    if thing is None:
        thing = _new(scene, _DRAWING, number, None)
        thing.empty_display_type = "IMAGE"
        thing.empty_image_depth = "BACK"
        thing.empty_image_side = "FRONT"
        thing.use_empty_image_alpha = True
        thing.color[3] = _OPACITY
        # A click in the view is meant for the character in front of it.
        thing.hide_select = True
    thing.animation_data_clear()  # it may have been one of several that show in turn
    thing.hide_viewport = False
    thing.data = image
    metres = 1 / view.focal if view.orthographic else depth / view.focal  # per pixel
    # An image empty's size is that of its longer side, its place that of its centre.
    thing.empty_display_size = max(view.size) * metres
    thing.empty_image_offset = (-0.5, -0.5)
    x, y = (np.array(view.size) / 2 - view.centre) * metres
    matrix = camera_matrix(view)
    matrix.translation = view.to_world((x, y, depth))
    turn = Matrix.Rotation(_quarter_turns(image) * pi / 2, 4, "Z")
    thing.matrix_world = matrix @ turn
    return thing


def find_camera(scene: bpy.types.Scene, number: int = 1) -> bpy.types.Object | None:
    """The camera of one of the scene's drawings, if there is one."""
    return _find(scene, _CAMERA, number)


def find_drawing(scene: bpy.types.Scene, number: int = 1) -> bpy.types.Object | None:
    """The reference image of one of the scene's drawings, if there is one."""
    return _find(scene, _DRAWING, number)


def show_in_turn(
    scene: bpy.types.Scene,
    views: Sequence[tuple[bpy.types.Object, bpy.types.Object]],
    frames: Sequence[int] | None = None,
) -> None:
    """Switch from drawing to drawing over time, and go to the first of them.

    Args:
        scene: gets a marker at each drawing's frame that binds its camera, in place of those that
            it had.
        views: camera and reference image of each drawing.
        frames: when each is to be seen, rising; by default 1, 2, ...
    """
    if len(views) < 2:
        return
    frames = range(1, len(views) + 1) if frames is None else frames
    cameras = [camera for camera, _ in views]
    for marker in [m for m in scene.timeline_markers if m.camera in cameras]:
        scene.timeline_markers.remove(marker)
    for row, ((camera, drawing), frame) in enumerate(zip(views, frames, strict=True)):
        scene.timeline_markers.new(camera.name, frame=frame).camera = camera
        hidden = {frame: False}
        if row > 0:
            hidden[frame - 1] = True
        if row + 1 < len(frames):
            hidden[frames[row + 1]] = True
        for when, hide in hidden.items():
            drawing.hide_viewport = hide
            drawing.keyframe_insert("hide_viewport", frame=when)
    scene.frame_set(frames[0])


def _quarter_turns(image: bpy.types.Image) -> int:
    """How often an image must turn counter-clockwise to stand as a camera's rotation (EXIF) says.

    Blender shows such a file as it lies on the sensor, :func:`grey_pixels` as it was meant.
    """
    if image.source != "FILE":
        return 0
    packed = image.packed_file
    path = Path(bpy.path.abspath(image.filepath, library=image.library))
    if not (packed or path.is_file()):  # its pixels are still in memory
        return 0
    data = packed.data if packed else path.read_bytes()
    if b"exif" not in data[:_EXIF_WITHIN].lower():
        return 0
    encoded, small = np.frombuffer(data, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8
    meant = cv2.imdecode(encoded, small).astype(int)
    lying = cv2.imdecode(encoded, small | cv2.IMREAD_IGNORE_ORIENTATION).astype(int)
    turned = {k: np.rot90(lying, k) for k in range(4)}
    fitting = [k for k in turned if turned[k].shape == meant.shape]
    return min(fitting, key=lambda k: int(np.abs(turned[k] - meant).sum()))


def _find(scene: bpy.types.Scene, role: str, number: int) -> bpy.types.Object | None:
    """The scene's object that Croquis made for a role, whatever it is called by now."""
    return next((thing for thing in scene.objects if thing.get(_ROLE) == f"{role} {number}"), None)


def _new(
    scene: bpy.types.Scene, role: str, number: int, data: bpy.types.ID | None
) -> bpy.types.Object:
    thing = bpy.data.objects.new(role, data)
    thing[_ROLE] = f"{role} {number}"
    scene.collection.objects.link(thing)
    return thing
