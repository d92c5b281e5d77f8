"""Turning the 3D viewport towards a posed character."""

from __future__ import annotations

from math import radians

import bpy
from mathutils import Quaternion, Vector

SIDE_ANGLE = radians(70)
"""How far the side view stands to the left of the drawing's camera, around the world's Z axis."""


def look_through(context: bpy.types.Context, camera: bpy.types.Object) -> None:
    """Look through a camera of the scene, in the viewport of the context, if it is in one."""
    context.scene.camera = camera
    if context.region_data is not None:
        context.region_data.view_perspective = "CAMERA"


def look_from_side(
    context: bpy.types.Context, camera: bpy.types.Object, armature: bpy.types.Object | None
) -> None:
    """Look at a character from where the drawing's camera does not, as far away as that one.

    Args:
        context: in a 3D viewport.
        camera: the drawing's camera.
        armature: the character; without one the world's origin is looked at.
    """
    view = context.region_data
    centre, radius = _sphere_around(armature)
    view.view_perspective = "PERSP"
    view.view_rotation = Quaternion((0, 0, 1), SIDE_ANGLE) @ camera.matrix_world.to_quaternion()
    view.view_location = centre
    view.view_distance = 3.0 * radius


def _sphere_around(armature: bpy.types.Object | None) -> tuple[Vector, float]:
    """Centre and radius, metres, of what an armature's posed bones fill."""
    if armature is None:
        return Vector(), 1.0
    corners = [armature.matrix_world @ Vector(corner) for corner in armature.bound_box]
    centre = sum(corners, Vector()) / len(corners)
    return centre, max((corner - centre).length for corner in corners)
