"""Where drawings come from: files, Grease Pencil, the last render, the viewport."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np
from numpy.typing import NDArray

from ..core.errors import UserError
from ..core.pen import draw_pen, framed
from .grease_pencil import visible_strokes
from .pixels import FILMS, film_range, grey_pixels, rendered_png
from .reference import SOURCE
from .viewport import current_view

SPACING = 10
"""Frames from one drawing of the list to the next that is added."""

_MADE = "croquis_made"
"""Custom property of images that Croquis made: nobody misses one that nothing uses any more."""

_DISTRACTING = (
    *("show_floor", "show_axis_x", "show_axis_y", "show_axis_z", "show_cursor", "show_text"),
    *("show_stats", "show_object_origins", "show_relationship_lines", "show_outline_selected"),
    *("show_bones", "show_motion_paths", "show_ortho_grid"),
)
"""Of the viewport's overlays, what is no part of a drawing."""


def natural_order(paths: Iterable[Path]) -> list[Path]:
    """Files as a person would sort them: ``walk2`` before ``walk10``."""

    def key(path: Path) -> list[tuple[bool, int, str]]:
        parts = re.findall(r"\d+|\D+", path.name.casefold())
        return [(not p.isdecimal(), int(p) if p.isdecimal() else 0, p) for p in parts]

    return sorted(paths, key=key)


def load_drawings(paths: Iterable[Path]) -> list[bpy.types.Image]:
    """Load pictures or films, in natural order.

    Raises:
        UserError: one cannot be read; none has been loaded then.
    """
    before = set(bpy.data.images)
    images: list[bpy.types.Image] = []
    try:
        for path in natural_order(paths):
            if not os.path.isfile(path):  # path.is_file() fails where it is longer than any
                raise UserError(f"There is no picture at {path}; choose another file.")
            images.append(bpy.data.images.load(str(path), check_existing=True))
            grey_pixels(images[-1])
    except UserError:
        for image in set(images) - before:
            bpy.data.images.remove(image)
        raise
    return images


def choose(settings: bpy.types.PropertyGroup, image: bpy.types.Image) -> None:
    """Make an image the drawing; one that Croquis made before goes if nothing uses it.

    Args:
        settings: the scene's, ``scene.croquis``.
        image: the new drawing.
    """
    last, settings.drawing = settings.drawing, image
    if last and last != image and last.get(_MADE) and not last.users:
        bpy.data.images.remove(last)


def enlist(
    several: bpy.types.PropertyGroup,
    images: Sequence[bpy.types.Image],
    frames: Sequence[int] | None = None,
) -> None:
    """Add images to a list of several drawings.

    Args:
        several: the scene's, ``scene.croquis.several``.
        images: a film may come several times, with other frames.
        frames: when each is to be seen; by default one after the other, behind those in the list.
    """
    if frames is None:
        first = max((item.frame + SPACING for item in several.drawings), default=1)
        frames = range(first, first + SPACING * len(images), SPACING)
    for image, frame in zip(images, frames, strict=True):
        item = several.drawings.add()
        item.image, item.frame = image, frame
    several.active = len(several.drawings) - 1


def enlist_film(several: bpy.types.PropertyGroup, image: bpy.types.Image, step: int = 1) -> int:
    """Add a film's frames to a list of several drawings, each where it is seen in the scene.

    Args:
        several: the scene's, ``scene.croquis.several``.
        image: an image sequence or a movie.
        step: 1 adds every frame, 2 every second one, ...

    Returns:
        How many were added: those that are in the list already are not added again.
    """
    known = {item.frame for item in several.drawings if item.image == image}
    frames = [frame for frame in range(1, film_range(image)[1] + 1, step) if frame not in known]
    if frames:
        enlist(several, [image] * len(frames), frames)
    return len(frames)


def is_film(image: bpy.types.Image | None) -> bool:
    """Whether an image changes with time."""
    return image is not None and image.source in FILMS


def find_grease_pencil(context: bpy.types.Context) -> bpy.types.Object | None:
    """The Grease Pencil object that is meant: the active one, or the only one to be seen."""
    shown = [
        thing
        for thing in context.view_layer.objects
        if thing.type == "GREASEPENCIL" and thing.visible_get()
    ]
    active = context.view_layer.objects.active
    if active in shown:
        return active
    return shown[0] if len(shown) == 1 else None


def from_grease_pencil(context: bpy.types.Context, thing: bpy.types.Object) -> bpy.types.Image:
    """Draw what a Grease Pencil object shows at the current frame on white paper.

    It is seen as in the viewport of the context, without one from the scene's camera, and fills the
    page. Once that stands in the scene as a reference image, the strokes themselves are hidden.

    Raises:
        UserError: there is nothing to be seen, or no view to see it in.
    """
    strokes = visible_strokes(thing, context.evaluated_depsgraph_get())
    page = framed(strokes, current_view(context))
    image = _new_image(thing.name, draw_pen(strokes, page))
    image[SOURCE] = thing
    return image


def from_render(context: bpy.types.Context) -> bpy.types.Image:
    """Keep the last render as an image.

    Raises:
        UserError: nothing has been rendered yet.
    """
    scene = context.scene
    assert scene is not None  # Blender's types allow for a context without a file
    result = bpy.data.images.get("Render Result")
    try:
        if result is None:
            raise UserError("")
        png = rendered_png(result, scene)
    except UserError:
        raise UserError("There is no render yet; render the scene first (F12).") from None
    return _packed_image("Render", png)


def from_viewport(context: bpy.types.Context) -> bpy.types.Image:
    """Keep what a 3D viewport shows, without grid, bones and other helpers, as an image.

    Raises:
        UserError: Blender has no window.
    """
    if bpy.app.background or context.region_data is None:
        raise UserError("A picture of the viewport needs a 3D viewport in Blender's window.")
    return _new_image("Viewport", _viewport_pixels(context))


def _viewport_pixels(context: bpy.types.Context) -> NDArray[np.uint8]:
    """``[H, W, 3]`` uint8: red, green, blue."""
    import gpu  # in the background there is nothing that it could draw with

    region, space, view = context.region, context.space_data, context.region_data
    assert isinstance(space, bpy.types.SpaceView3D)
    new_screen: Any = gpu.types.GPUOffScreen
    screen = new_screen(region.width, region.height)
    try:
        with _on_paper(space):
            screen.draw_view3d(
                context.scene,
                context.view_layer,
                space,
                region,
                view.view_matrix,
                view.window_matrix,
                do_color_management=True,
            )
        buffer = screen.texture_color.read()
    finally:
        screen.free()
    buffer.dimensions = region.width * region.height * 4  # with more, NumPy reads it wrongly
    pixels = np.array(buffer, np.uint8).reshape(region.height, region.width, 4)
    return np.ascontiguousarray(pixels[::-1, :, :3])  # Blender's rows go upwards


@contextmanager
def _on_paper(space: bpy.types.SpaceView3D) -> Iterator[None]:
    """Inside, the viewport shows no helpers, and its objects on white where it shows no world."""
    changes: list[tuple[Any, str, Any]] = [
        *((space.overlay, name, False) for name in _DISTRACTING),
        (space.shading, "background_type", "VIEWPORT"),
        (space.shading, "background_color", (1.0, 1.0, 1.0)),
    ]
    before = [(owner, name, copy(getattr(owner, name))) for owner, name, _ in changes]
    try:
        for owner, name, value in changes:
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)


def _new_image(name: str, picture: NDArray[np.uint8]) -> bpy.types.Image:
    """An image from pixels ``[H, W, 3]``: red, green, blue."""
    encoded = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1]
    return _packed_image(name, encoded.tobytes())


def _packed_image(name: str, png: bytes) -> bpy.types.Image:
    """An image that is stored in the blend file."""
    image = bpy.data.images.new(name, 1, 1)
    image.pack(data=png, data_len=len(png))
    image.source = "FILE"
    image[_MADE] = True
    return image
