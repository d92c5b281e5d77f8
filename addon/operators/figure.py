"""Choosing the figure of a drawing in the viewport: one that was found, or a box of one's own."""

from __future__ import annotations

import bpy
import numpy as np
from numpy.typing import NDArray

from ..blender import pose
from ..blender.drawing_plane import plane_of
from ..blender.overlay import BoxOverlay
from ..blender.pixels import grey_pixels
from ..blender.viewport import VIEW_EVENTS
from ..core.errors import UserError
from ..core.image import Box, find_figures
from ..translations import say
from .pose import PosingOperator

_LEAST = 4  # pixels of the drawing; a smaller box was not meant


class CROQUIS_OT_choose_figure(PosingOperator, bpy.types.Operator):
    """Pose the character as another figure of its drawing."""

    bl_idname = "croquis.choose_figure"
    bl_label = "Choose Figure"
    bl_description = (
        "Click the figure in the drawing whose pose is wanted, or drag a box around one that was "
        "not found as a whole"
    )
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def drawing(cls, context: bpy.types.Context) -> bpy.types.Image | None:
        """The drawing from which the panel's character was posed, if it is still in the file."""
        armature = context.scene.croquis.armature
        kept = pose.remembered(armature) if armature else None
        return bpy.data.images.get(kept.image) if kept else None

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """The character must have been posed from a drawing that is still there."""
        if cls.drawing(context) is None:
            return "Pose a character from a drawing first."
        return super().why_not(context)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Show the figures that are found, and wait for a click or a box."""
        image, scene = self.drawing(context), context.scene
        kept = pose.remembered(scene.croquis.armature)
        plane = plane_of(scene, kept) if kept else None
        if context.area is None or context.area.type != "VIEW_3D":
            why = "Choose figures in a 3D viewport in which the drawing is seen."
            self.report({"ERROR"}, say(why))
            return {"CANCELLED"}
        if image is None or kept is None or plane is None:
            why = "The drawing is not in the scene; pose the character again."
            self.report({"ERROR"}, say(why))
            return {"CANCELLED"}
        try:
            boxes = find_figures(grey_pixels(image, scene.frame_current))
        except UserError:  # a box can still be drawn
            boxes = []
        self._plane, self._size = plane, kept.size
        self._corner: NDArray[np.float64] | None = None
        self._overlay = BoxOverlay(plane, boxes)
        context.window_manager.modal_handler_add(self)
        context.workspace.status_text_set(
            say(
                "Click a figure, or drag a box around one; Esc leaves the pose as it is",
                "interface",
            )
        )
        context.area.tag_redraw()
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Follow the mouse until a figure is chosen."""
        if event.type in VIEW_EVENTS:
            return {"PASS_THROUGH"}
        if event.type in {"ESC", "RIGHTMOUSE"} and event.value == "PRESS":
            self.cancel(context)
            return {"CANCELLED"}
        under = self._plane.pixel_under(context, (event.mouse_x, event.mouse_y))
        if under is None:
            if event.type == "LEFTMOUSE" and event.value == "RELEASE":
                self._corner = None
            return {"RUNNING_MODAL"}
        context.area.tag_redraw()
        self._overlay.chosen = chosen = self._box_at(under)
        if event.type == "LEFTMOUSE" and event.value == "PRESS":
            self._corner = under
        elif event.type == "LEFTMOUSE" and event.value == "RELEASE" and self._corner is not None:
            self._corner = None
            if chosen:
                self.box = chosen
                self.cancel(context)
                return self.execute(context)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Pose as the figure in the box, or as the one of that number."""
        drawing = self.drawing(context)
        result = super().execute(context)
        if result == {"FINISHED"}:
            context.scene.croquis.drawing = drawing
        return result

    def cancel(self, context: bpy.types.Context) -> None:
        """Show no boxes any more."""
        self._overlay.remove()
        context.workspace.status_text_set(None)
        if context.area:
            context.area.tag_redraw()

    def _box_at(self, under: NDArray[np.float64]) -> Box | None:
        """The box that is being drawn, or the smallest one that was found under the mouse."""
        if self._corner is not None:
            ends = np.clip([self._corner, under], 0, self._size)
            (x, y), (width, height) = ends.min(axis=0), np.ptp(ends, axis=0)
            if min(width, height) >= _LEAST:
                return Box(float(x), float(y), float(width), float(height))
        around = [
            box
            for box in self._overlay.boxes
            if 0 <= under[0] - box.x <= box.width and 0 <= under[1] - box.y <= box.height
        ]
        return min(around, key=lambda box: box.area, default=None)
