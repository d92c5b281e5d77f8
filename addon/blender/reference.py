"""The drawing in the scene: a reference image to look at, and the camera that sees it right.

The reference stands behind the character, seen through a camera that matches the drawing's view:
what is drawn at a pixel covers the part of the character that it shows. It is an empty in the scene
or the camera's own background, as the user likes. All of it is made once and then moved, so that
posing again replaces it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import pi
from typing import NamedTuple, cast

import bpy
import numpy as np
from mathutils import Matrix

from ..core.camera import Camera
from .cameras import SENSOR, camera_matrix
from .pixels import FILMS, film_range, quarter_turns

_CAMERA = "Croquis Camera"
_DRAWING = "Croquis Drawing"
_ROLE = "croquis_role"

SOURCE = "croquis_source"
"""Custom property of an image: the object in the scene that it is a picture of."""

TURNS = "croquis_quarter_turns"
"""Custom property of a placed drawing: how often its image stands turned counter-clockwise."""


class Look(NamedTuple):
    """How the drawings of a scene are shown.

    Attributes:
        kind: "EMPTY" for an image in the scene, "BACKGROUND" for one in the camera only.
        depth: "BACK" or "FRONT", behind the character or before it.
        opacity: 0..1.
    """

    kind: str = "EMPTY"
    depth: str = "BACK"
    opacity: float = 0.5

    @classmethod
    def of(cls, scene: bpy.types.Scene) -> Look:
        """As the scene's settings say; the defaults where the add-on is not enabled."""
        settings = getattr(scene, "croquis", None)
        if settings is None:
            return cls()
        return cls(settings.reference.kind, settings.reference.depth, settings.reference.opacity)


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
    _show_always(thing)
    thing.matrix_world = camera_matrix(view)
    width, height = view.size
    frame_width = max(width, height / _frame_aspect(scene))  # in pixels of the drawing
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
    if scene.camera != thing:  # Blender would sort all that depends on anything anew
        scene.camera = thing
    return thing


def place_drawing(
    scene: bpy.types.Scene, image: bpy.types.Image, view: Camera, depth: float, number: int = 1
) -> bpy.types.Object:
    """Stand the drawing up as a reference image that fills a solved camera's picture.

    A film shows the picture of the scene's frame. Where :func:`place_camera` has set up the
    drawing's camera, it gets the drawing for its background, too; the scene's settings choose which
    of the two is seen.

    Args:
        scene: where it stands.
        image: the drawing.
        view: the drawing's view.
        depth: how far in front of the eye it stands, metres.
        number: as for :func:`place_camera`.

    Returns:
        The empty.
    """
    thing = _find(scene, _DRAWING, number)
    camera = find_camera(scene, number)
    if thing is None:
        thing = _new(scene, _DRAWING, number, None)
        thing.empty_display_type = "IMAGE"
        thing.empty_image_side = "FRONT"
        thing.use_empty_image_alpha = True
        # A click in the view is meant for the character in front of it.
        thing.hide_select = True
    _show_always(thing)
    if thing.data != image:
        _hide_source(image)
    thing.data = image
    _play(thing.image_user, image)
    thing[TURNS] = turns = quarter_turns(image)
    aim_drawing(thing, view, depth)
    if camera:
        _fill_background(scene, cast(bpy.types.Camera, camera.data), image, view, turns)
    show(scene)
    return thing


def aim_drawing(thing: bpy.types.Object, view: Camera, depth: float) -> None:
    """Move a placed drawing so that it fills a camera's picture; arguments of its placing."""
    metres = 1 / view.focal if view.orthographic else depth / view.focal  # per pixel
    # An image empty's size is that of its longer side, its place that of its centre.
    thing.empty_display_size = max(view.size) * metres
    thing.empty_image_offset = (-0.5, -0.5)
    x, y = (np.array(view.size) / 2 - view.centre) * metres
    matrix = camera_matrix(view)
    matrix.translation = view.to_world((x, y, depth))
    thing.matrix_world = matrix @ Matrix.Rotation(thing[TURNS] * pi / 2, 4, "Z")


def show(scene: bpy.types.Scene) -> None:
    """Let all drawings of the scene be seen as its settings say."""
    look = Look.of(scene)
    as_empty = look.kind == "EMPTY"
    for thing in _all(scene, _DRAWING):
        # Whether it is hidden is a matter of time where drawings show in turn; this is not.
        thing.show_empty_image_orthographic = thing.show_empty_image_perspective = as_empty
        thing.empty_image_depth = look.depth
        thing.color[3] = look.opacity
    for camera in _all(scene, _CAMERA):
        camera.data.show_background_images = not as_empty
        for background in camera.data.background_images:
            background.display_depth = look.depth
            background.alpha = look.opacity


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

    The cameras of the others are hidden, too: their frames would cross the whole view.

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
        for thing in (camera, drawing):
            for when, hide in hidden.items():
                thing.hide_viewport = hide
                thing.keyframe_insert("hide_viewport", frame=when)
    scene.frame_set(frames[0])


def _show_always(thing: bpy.types.Object) -> None:
    """Let a camera or a drawing be seen that may have been one of several that show in turn."""
    if thing.animation_data:
        thing.animation_data_clear()
    if thing.hide_viewport:
        thing.hide_viewport = False


def _hide_source(image: bpy.types.Image) -> None:
    """Hide what an image was made of, as it would stand before the image that replaces it."""
    source, layer = image.get(SOURCE), bpy.context.view_layer
    if source is not None and layer is not None and source.name in layer.objects:
        source.hide_set(True)


def _play(user: bpy.types.ImageUser, image: bpy.types.Image) -> None:
    """Let a film begin at the scene's frame 1, and stay at its last picture."""
    if image.source in FILMS:
        first, user.frame_duration = film_range(image)
        user.frame_start, user.frame_offset = 1, first - 1
        user.use_auto_refresh, user.use_cyclic = True, False


def _fill_background(
    scene: bpy.types.Scene,
    camera: bpy.types.Camera,
    image: bpy.types.Image,
    view: Camera,
    turns: int,
) -> None:
    """Give a placed camera a background image, ``turns`` quarters counter-clockwise."""
    backgrounds = camera.background_images
    background = backgrounds[0] if backgrounds else backgrounds.new()
    background.image = image
    background.frame_method = "FIT"
    background.rotation = turns * pi / 2
    background.scale = 1.0
    if turns % 2:  # Blender fits the image as it lies on the sensor
        width, height = view.size
        across = 1 / _frame_aspect(scene)
        fitting = min(across / height, 1 / width)
        background.scale = min(across / width, 1 / height) / fitting
    _play(background.image_user, image)


def _frame_aspect(scene: bpy.types.Scene) -> float:
    """Height of a camera's frame as a share of its width."""
    render = scene.render
    height = render.resolution_y * render.pixel_aspect_y
    return height / (render.resolution_x * render.pixel_aspect_x)


def _all(scene: bpy.types.Scene, role: str) -> Iterator[bpy.types.Object]:
    return (thing for thing in scene.objects if str(thing.get(_ROLE, "")).startswith(f"{role} "))


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
