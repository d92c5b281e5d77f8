"""The reference drawing: Blender's Freestyle over a Cycles render of one sample.

This is how the thesis drew its sketches, in spirit: the mesh itself does not show, its silhouette
and edge lines do. It is ten times slower than Line Art and gives pixels instead of strokes, so
Croquis uses it to compare against.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import cast

import bpy
import cv2
import numpy as np
from numpy.typing import NDArray

from ..core.camera import Camera
from ..core.image import load_grey
from .cameras import aim_camera


class Freestyle:
    """Draws all meshes of the current scene. It changes the scene's render settings for good."""

    def __init__(self) -> None:
        scene = bpy.context.scene
        scene.render.engine = "CYCLES"
        scene.cycles.samples = 1
        scene.cycles.use_denoising = False
        scene.render.use_freestyle = True
        scene.render.film_transparent = True
        scene.render.image_settings.file_format = "PNG"
        scene.render.image_settings.color_mode = "RGBA"
        scene.view_settings.view_transform = "Standard"
        self._layer = bpy.context.view_layer
        self._layer.use_freestyle = True
        settings = self._layer.freestyle_settings
        lineset = settings.linesets[0] if len(settings.linesets) else settings.linesets.new("Lines")
        lineset.select_silhouette = True
        lineset.select_crease = True
        lineset.select_border = True
        # A scene that began empty has no line style, and Freestyle draws nothing without one.
        self._style = bpy.data.linestyles.new("Croquis Lines")
        self._style.thickness = 1.0
        lineset.linestyle = self._style
        # White paint without light: the figure hides what lies behind it and shows nothing itself.
        self._paint = bpy.data.materials.new("Croquis White")
        self._paint.use_nodes = True
        tree = self._paint.node_tree
        tree.nodes.clear()
        output = tree.nodes.new("ShaderNodeOutputMaterial")
        light = tree.nodes.new("ShaderNodeEmission")
        tree.links.new(light.outputs["Emission"], output.inputs["Surface"])
        self._layer.material_override = self._paint
        self._camera = bpy.data.objects.new("Croquis Eye", bpy.data.cameras.new("Croquis Eye"))
        scene.collection.objects.link(self._camera)

    def draw(self, camera: Camera, points: NDArray[np.floating]) -> NDArray[np.uint8]:
        """The scene as it stands, seen by a camera.

        Args:
            camera: the view.
            points: ``[N, 3]`` world space: what has to be inside the render's frame.

        Returns:
            ``[H, W]`` uint8, dark lines on white, in the pixels of ``camera``.
        """
        scene = bpy.context.scene
        width, height = camera.size
        scene.render.resolution_x, scene.render.resolution_y = width, height
        scene.render.resolution_percentage = 100
        rendered = aim_camera(self._camera, camera, points)
        scene.camera = self._camera
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "view.png")
            scene.render.filepath = str(path)
            bpy.ops.render.render(write_still=True)
            page = load_grey(path)
        # Same eye, other zoom: one scale and one shift bring the render onto the view.
        scale = camera.focal / rendered.focal
        shift = camera.centre - scale * rendered.centre
        matrix = np.array([[scale, 0, shift[0] - 0.5 + 0.5 * scale], [0, scale, 0]])
        matrix[1, 2] = shift[1] - 0.5 + 0.5 * scale
        return cv2.warpAffine(page, matrix, camera.size, flags=cv2.INTER_AREA, borderValue=255)

    def remove(self) -> None:
        """Take its camera and material out of the file."""
        self._layer.material_override = None
        bpy.data.materials.remove(self._paint)
        bpy.data.linestyles.remove(self._style)
        eye = cast(bpy.types.Camera, self._camera.data)
        bpy.data.objects.remove(self._camera)
        bpy.data.cameras.remove(eye)
