"""Where the pixels of a drawing are in the scene: on its reference image."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import bpy
import numpy as np
from bpy_extras.view3d_utils import region_2d_to_origin_3d, region_2d_to_vector_3d
from mathutils import Matrix
from numpy.typing import ArrayLike, NDArray

from ..core.remembered import Remembered
from ..core.rotations import unit
from .reference import TURNS, find_drawing

FloatArray = NDArray[np.float64]

_GRAZING = 0.2  # sine of the angle between a plane and a line of sight that hardly meets it


@dataclass(frozen=True)
class DrawingPlane:
    """The plane of a drawing.

    Attributes:
        corner: ``[3]`` the drawing's top-left corner, world space, metres.
        axes: ``[2, 3]`` the steps from pixel to pixel to the right and downwards, world space.
    """

    corner: FloatArray
    axes: FloatArray

    @classmethod
    def of(cls, thing: bpy.types.Object, size: tuple[int, int]) -> DrawingPlane:
        """The plane of a reference image, wherever its user has put it.

        Args:
            thing: what ``reference.place_drawing`` has made.
            size: the drawing's width and height as its viewer sees it, pixels.
        """
        upright = thing.matrix_world @ Matrix.Rotation(-thing.get(TURNS, 0) * pi / 2, 4, "Z")
        matrix = np.array(upright, np.float64)
        metres = thing.empty_display_size / max(size)
        axes = np.array([matrix[:3, 0], -matrix[:3, 1]]) * metres
        return cls(matrix[:3, 3] - np.array(size) / 2 @ axes, axes)

    @property
    def directions(self) -> FloatArray:
        """``[2, 3]`` unit vectors to the right and downwards, world space."""
        return unit(self.axes)

    def to_world(self, pixels: ArrayLike) -> FloatArray:
        """Pixels ``[..., 2]`` of the drawing as points ``[..., 3]`` of world space, metres."""
        return self.corner + np.asarray(pixels, dtype=np.float64) @ self.axes

    def to_pixels(self, points: ArrayLike) -> FloatArray:
        """Points ``[..., 3]`` of world space as pixels ``[..., 2]``, seen squarely to the plane."""
        return (np.asarray(points, dtype=np.float64) - self.corner) @ np.linalg.pinv(self.axes)

    def hit(self, eye: ArrayLike, sight: ArrayLike) -> FloatArray | None:
        """The pixel ``[2]`` that a line of sight meets; None where it hardly meets the plane.

        Args:
            eye: ``[3]`` a point on the line, world space.
            sight: ``[3]`` its direction.
        """
        eye, sight = np.asarray(eye, dtype=np.float64), np.asarray(sight, dtype=np.float64)
        normal = np.cross(*self.axes)
        slope = float(normal @ sight)
        if not abs(slope) > _GRAZING * np.linalg.norm(normal) * np.linalg.norm(sight):
            return None
        return self.to_pixels(eye + sight * float(normal @ (self.corner - eye)) / slope)

    def pixel_under(
        self, context: bpy.types.Context, mouse: tuple[float, float]
    ) -> FloatArray | None:
        """The pixel ``[2]`` under the mouse in a 3D viewport; None where the plane is hardly seen.

        Args:
            context: of any region of the viewport; elsewhere the answer is None.
            mouse: an event's ``mouse_x`` and ``mouse_y``, pixels of the window, y up.
        """
        area = context.area
        if area is None or area.type != "VIEW_3D":
            return None
        region = next(region for region in area.regions if region.type == "WINDOW")
        view = area.spaces.active.region_3d
        place = (mouse[0] - region.x, mouse[1] - region.y)
        eye = region_2d_to_origin_3d(region, view, place)
        sight = region_2d_to_vector_3d(region, view, place)
        return self.hit(eye.to_tuple(), sight.to_tuple())


def plane_of(scene: bpy.types.Scene | None, drawing: Remembered) -> DrawingPlane | None:
    """Where a remembered drawing stands; None where it does not stand or is hidden."""
    thing = find_drawing(scene, drawing.number) if scene else None
    if thing is None or not thing.visible_get():
        return None
    return DrawingPlane.of(thing, drawing.size)
