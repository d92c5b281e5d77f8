"""Images of the blend file as pixels, whatever they are: files, films, packed, painted, rendered.

What Blender shows is what is read, on paper where it is transparent. A picture file is read
directly where OpenCV can: that is many times faster than through Blender's own floats (an 8k page
has a gigabyte of them) and knows how a phone was held (EXIF).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
import cv2
import numpy as np
from numpy.typing import NDArray

from ..core import film
from ..core.errors import UserError
from ..core.image import displayed, ground, load_grey, to_grey

FILMS = {"SEQUENCE", "MOVIE"}
"""Sources of images that change with time."""

_OWN_FORMATS = {"PNG", "JPEG", "BMP", "TIFF", "WEBP"}  # OpenCV's word on them is the last
_LIGHT = {".hdr"}  # OpenCV reads them, too, but as light, not as it looks
_OPAQUE = {"NONE", "CHANNEL_PACKED"}  # alpha modes in which alpha hides nothing
_EXIF_WITHIN = 65_536  # bytes from a file's beginning


def grey_pixels(image: bpy.types.Image, frame: int = 1) -> NDArray[np.uint8]:
    """An image of the blend file as grey pixels, on paper where it is transparent.

    Args:
        image: a file, film, packed, generated or painted image.
        frame: the scene's, which tells a film's; a film begins at frame 1.

    Returns:
        ``[H, W]`` uint8.

    Raises:
        UserError: its file is missing or is not a picture, or it has no pixels.
    """
    if image.source in FILMS:
        return _film_pixels(image, frame)
    path = path_of(image)
    ours = image.source == "FILE" and not image.is_dirty and image.alpha_mode not in _OPAQUE
    if not ours or path.suffix.lower() in _LIGHT:
        return to_grey(_shown(image))
    try:
        return _file_pixels(image)
    except UserError as mistake:
        # Not path.is_file(), which fails where a path is longer than any file's.
        if os.path.isfile(path) and image.file_format in _OWN_FORMATS:
            raise
        try:
            return to_grey(_shown(image))
        except UserError:
            raise mistake from None


def colour_pixels(image: bpy.types.Image, frame: int = 1) -> NDArray[np.uint8]:
    """An image of the blend file on paper, turned as its file says (EXIF); a film in grey.

    Returns:
        ``[H, W, 3]`` uint8: red, green, blue.

    Raises:
        UserError: as for :func:`grey_pixels`.
    """
    if image.source in FILMS:
        return cv2.cvtColor(_film_pixels(image, frame), cv2.COLOR_GRAY2RGB)
    picture = _shown(image)
    if picture.ndim == 2 or picture.shape[2] in (1, 2):
        return cv2.cvtColor(to_grey(picture), cv2.COLOR_GRAY2RGB)
    colour = cv2.cvtColor(picture[..., :3], cv2.COLOR_BGR2RGB)
    if picture.shape[2] == 4:
        paper = ground(cv2.cvtColor(picture, cv2.COLOR_BGRA2GRAY), picture[..., 3])
        alpha = picture[..., 3:].astype(np.uint16)
        colour = ((colour * alpha + paper * (255 - alpha) + 127) // 255).astype(np.uint8)
    return np.ascontiguousarray(np.rot90(colour, quarter_turns(image)))


def path_of(image: bpy.types.Image) -> Path:
    """Where an image's file is, or was."""
    return Path(bpy.path.abspath(image.filepath, library=image.library))


def film_range(image: bpy.types.Image) -> tuple[int, int]:
    """The number of a film's first frame, and how many there are; ``(1, 1)`` for a still."""
    if image.source == "SEQUENCE":
        files = film.numbered_files(path_of(image))
        return files[0][0], len(files)
    return 1, max(image.frame_duration, 1)


def quarter_turns(image: bpy.types.Image) -> int:
    """How often an image must turn counter-clockwise to stand as a camera's rotation (EXIF) says.

    Blender shows such a file as it lies on the sensor, :func:`grey_pixels` as it was meant.
    """
    if image.source != "FILE":
        return 0
    packed = image.packed_file
    path = path_of(image)
    if not (packed or os.path.isfile(path)):  # its pixels are still in memory
        return 0
    data = packed.data if packed else path.read_bytes()
    if b"exif" not in data[:_EXIF_WITHIN].lower():
        return 0
    encoded, small = np.frombuffer(data, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8
    flags = (small, small | cv2.IMREAD_IGNORE_ORIENTATION)
    try:
        pictures = [cv2.imdecode(encoded, flag) for flag in flags]
    except cv2.error:
        return 0
    if any(picture is None for picture in pictures):  # Blender alone reads it, as it lies
        return 0
    meant, lying = (picture.astype(int) for picture in pictures)
    turned = {k: np.rot90(lying, k) for k in range(4)}
    fitting = [k for k in turned if turned[k].shape == meant.shape]
    return min(fitting, key=lambda k: int(np.abs(turned[k] - meant).sum()))


def rendered_png(image: bpy.types.Image, scene: bpy.types.Scene) -> bytes:
    """An image whose pixels Blender gives to nobody, as it would save it: a render, render layers.

    Args:
        image: the render result, or a file with several layers.
        scene: whose view transform makes light into colour.

    Returns:
        A PNG file with alpha.

    Raises:
        UserError: it holds no picture.
    """
    with tempfile.TemporaryDirectory() as folder, _saving_png(scene):
        path = Path(folder, "picture.png")
        try:
            image.save_render(str(path), scene=scene)
        except RuntimeError:
            raise UserError(f"“{image.name}” has no pixels; choose another drawing.") from None
        return path.read_bytes()


def _file_pixels(image: bpy.types.Image) -> NDArray[np.uint8]:
    if not image.packed_file:
        return load_grey(path_of(image))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, bpy.path.basename(image.filepath) or "drawing")
        path.write_bytes(image.packed_file.data)
        return load_grey(path)


def _film_pixels(image: bpy.types.Image, frame: int) -> NDArray[np.uint8]:
    first, count = film_range(image)
    number = min(max(frame, 1), count) - 1
    if image.source == "MOVIE":
        return to_grey(film.movie_frame(path_of(image), number))
    return load_grey(dict(film.numbered_files(path_of(image)))[first + number])


def _layers(image: bpy.types.Image) -> NDArray:
    scene = bpy.context.scene
    assert scene is not None  # Blender's types allow for a context without a file
    png = rendered_png(image, scene)
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)


def _shown(image: bpy.types.Image) -> NDArray[np.uint8]:
    """``[H, W, C]`` as Blender shows it, in OpenCV's order of channels, with straight alpha."""
    width, height = image.size
    if not (width and height):
        return _layers(image)
    channels = image.channels
    values = np.empty((height, width, channels), np.float32)
    image.pixels.foreach_get(values.ravel())
    if image.is_float:
        values = _straight(values, image)
    # Blender's rows go upwards.
    picture = cv2.flip(cv2.convertScaleAbs(values.reshape(height, -1), alpha=255), 0)
    picture = picture.reshape(height, width, channels)
    if image.alpha_mode in _OPAQUE and channels in (2, 4):
        picture = np.ascontiguousarray(picture[..., :-1])
    order = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}.get(picture.shape[2])
    return picture if order is None else cv2.cvtColor(picture, order)


def _straight(values: NDArray[np.float32], image: bpy.types.Image) -> NDArray[np.float32]:
    """Light, with colours multiplied by alpha, as sRGB in 0..1 with straight alpha."""
    colour = np.nan_to_num(values)
    if image.channels in (2, 4):
        alpha = colour[..., -1:].clip(0, 1)
        colour = colour[..., :-1]
        if image.alpha_mode != "CHANNEL_PACKED":
            colour = colour / np.maximum(alpha, 1e-6)
    else:
        alpha = colour[..., :0]
    colour = colour.clip(0, 1) if image.colorspace_settings.is_data else displayed(colour)
    return np.concatenate([colour, alpha], axis=-1).astype(np.float32)


@contextmanager
def _saving_png(scene: bpy.types.Scene) -> Iterator[None]:
    """Inside, the scene's images are saved as PNG with alpha; afterwards, as before."""
    settings = scene.render.image_settings
    # Blender 5.0 asks for the kind of file first, and forgets the format when that changes.
    wanted = {"media_type": "IMAGE", "file_format": "PNG", "color_mode": "RGBA", "color_depth": "8"}
    wanted = {name: value for name, value in wanted.items() if hasattr(settings, name)}
    before = {name: getattr(settings, name) for name in wanted}
    try:
        for name, value in wanted.items():
            setattr(settings, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(settings, name, value)
