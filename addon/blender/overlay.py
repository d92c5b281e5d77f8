"""Boxes drawn over a drawing in the viewport, while the user chooses a figure."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import gpu
import numpy as np
from bpy_extras.view3d_utils import location_3d_to_region_2d
from gpu_extras.batch import batch_for_shader

from ..core.image import Box
from .drawing_plane import DrawingPlane

_LINE = 2.0  # pixels
_FOUND = (0.1, 0.45, 0.95, 0.9)
_CHOSEN = (1.0, 0.55, 0.05, 1.0)


class BoxOverlay:
    """Boxes of figures over a drawing; shown from its making until :meth:`remove`.

    Attributes:
        boxes: what is shown, pixels of the drawing.
        chosen: the box that a click would take, in another colour, among ``boxes`` or not.
    """

    def __init__(self, plane: DrawingPlane, boxes: list[Box]) -> None:
        self.boxes = boxes
        self.chosen: Box | None = None
        self._plane = plane
        self._handler = bpy.types.SpaceView3D.draw_handler_add(
            self._draw, (), "WINDOW", "POST_PIXEL"
        )

    def remove(self) -> None:
        """Show nothing any more."""
        bpy.types.SpaceView3D.draw_handler_remove(self._handler, "WINDOW")

    def _draw(self) -> None:
        """Blender calls this for every viewport, with its context."""
        for box in self.boxes:
            self._outline(box, _FOUND)
        if self.chosen:
            self._outline(self.chosen, _CHOSEN)

    def _outline(self, box: Box, colour: tuple[float, float, float, float]) -> None:
        region, view = bpy.context.region, bpy.context.region_data
        if region is None or view is None:
            return
        corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]) * box[2:] + box[:2]
        spots = [
            location_3d_to_region_2d(region, view, point)
            for point in self._plane.to_world(corners).tolist()
        ]
        if None in spots:  # a corner lies behind the eye
            return
        shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
        line: Sequence[Sequence[float]] = [(spot.x, spot.y, 0.0) for spot in spots if spot]
        batch = batch_for_shader(shader, "LINE_STRIP", {"pos": line})
        shader.bind()
        shader.uniform_float("viewportSize", gpu.state.viewport_get()[2:])
        shader.uniform_float("lineWidth", _LINE * bpy.context.preferences.system.ui_scale)
        shader.uniform_float("color", colour)
        batch.draw(shader)
