"""The user's window: the 3D viewport turned towards a posed character, the pointer that waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import radians

import bpy
from mathutils import Quaternion, Vector

from ..core.camera import Camera
from ..core.errors import UserError
from .cameras import view_from_matrix

VIEW_EVENTS = frozenset(
    (
        *("MIDDLEMOUSE", "WHEELUPMOUSE", "WHEELDOWNMOUSE"),
        *("TRACKPADPAN", "TRACKPADZOOM", "MOUSEROTATE", "NDOF_MOTION"),
    )
)
"""What turns a view and changes nothing else."""

_SIDE_ANGLE = radians(70)  # from the drawing's camera around the world's Z axis
_DISTANCE = 3.5  # of the side view, in radii of the character
_PAGE = (1000, 1000)  # pixels of a view, before it is zoomed to what is looked at
_CAMERA_ZOOM = 20.0  # of the camera's frame in the viewport, in Blender's unit: nearly all of it


@contextmanager
def busy(context: bpy.types.Context) -> Iterator[None]:
    """Show the waiting pointer during work that takes longer than a blink, if there is a window."""
    window = context.window
    if window is None:
        yield
        return
    window.cursor_modal_set("WAIT")
    try:
        yield
    finally:
        window.cursor_modal_restore()


def current_view(context: bpy.types.Context) -> Camera:
    """From where the user looks: the viewport of the context, or else the scene's camera.

    Raises:
        UserError: there is neither.
    """
    view, camera = context.region_data, context.scene.camera
    if view is not None:
        return view_from_matrix(view.view_matrix.inverted(), not view.is_perspective, _PAGE)
    if camera is None or camera.type != "CAMERA":
        raise UserError("The scene has no camera; add one that looks at the drawing.")
    return view_from_matrix(camera.matrix_world, camera.data.type == "ORTHO", _PAGE)


def look_through(context: bpy.types.Context, camera: bpy.types.Object) -> None:
    """Look through a camera of the scene, in the viewport of the context, if it is in one."""
    context.scene.camera = camera
    view = context.region_data
    if view is not None:
        view.view_perspective = "CAMERA"
        view.view_camera_zoom = _CAMERA_ZOOM
        view.view_camera_offset = (0.0, 0.0)


@bpy.app.handlers.persistent
def leave_lost_camera(*_: object) -> None:
    """After an undo: turn viewports that look through a camera which is gone back to the scene.

    Undo takes the drawing's camera away but does not touch how a viewport looks.
    """
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                space = area.spaces.active
                view = space.region_3d
                camera = space.camera if space.use_local_camera else window.scene.camera
                if view is not None and camera is None and view.view_perspective == "CAMERA":
                    view.view_perspective = "PERSP"


def look_from_side(
    context: bpy.types.Context, camera: bpy.types.Object, armature: bpy.types.Object | None
) -> None:
    """Look at a character from where the drawing's camera does not.

    Args:
        context: in a 3D viewport.
        camera: the drawing's camera.
        armature: the character; without one the world's origin is looked at.
    """
    view = context.region_data
    centre, radius = _sphere_around(armature)
    view.view_perspective = "PERSP"
    view.view_rotation = Quaternion((0, 0, 1), _SIDE_ANGLE) @ camera.matrix_world.to_quaternion()
    view.view_location = centre
    view.view_distance = _DISTANCE * radius


def _sphere_around(armature: bpy.types.Object | None) -> tuple[Vector, float]:
    """Centre and radius, metres, of what an armature's posed bones fill."""
    if armature is None or not armature.pose.bones:
        return Vector(), 1.0
    points = [armature.matrix_world @ bone.head for bone in armature.pose.bones]
    low, high = (Vector(tuple(map(pick, zip(*points, strict=True)))) for pick in (min, max))
    return (low + high) / 2, max((high - low).length / 2, 0.01)
