"""Drawings by Grease Pencil's Line Art modifier, read back as polylines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import bpy
import numpy as np
from numpy.typing import NDArray

from ..core.camera import Camera
from ..core.strokes import FARTHEST, within
from ..core.styles import SHORTEST, TOLERANCE, simplified
from .cameras import aim_camera
from .grease_pencil import read_curves

PROBES = 7
"""Points of each stroke whose depth is kept: enough to tell what the stroke lies on."""


@dataclass(frozen=True)
class Lines:
    """A line drawing of the scene.

    Attributes:
        strokes: polylines, each ``[n, 2]`` float32 pixels.
        probes: :data:`PROBES` points along each of them, ``[7, 3]`` float32: x and y in pixels, and
            the depth along the camera's z, metres.
    """

    strokes: list[NDArray[np.float32]]
    probes: list[NDArray[np.float32]]


class LineArt:
    """A Grease Pencil object in the current scene that draws all meshes seen by a camera.

    Make one per scene and keep it: setting it up costs more than a view. The modifier is switched
    off between views, since it would otherwise run at every change of the frame.
    """

    def __init__(self) -> None:
        scene = bpy.context.scene
        self._data = _drawings().new("Croquis Lines")
        self._data.layers.new("Lines").frames.new(0)
        self._material = bpy.data.materials.new("Croquis Ink")
        bpy.data.materials.create_gpencil_data(self._material)
        self._data.materials.append(self._material)
        self._object = bpy.data.objects.new("Croquis Lines", self._data)
        self._object.hide_render = True  # a Freestyle render of the same scene must not show it
        scene.collection.objects.link(self._object)
        self._modifier = modifier = self._object.modifiers.new("Line Art", "LINEART")
        modifier.source_type = "SCENE"
        modifier.target_layer = "Lines"
        modifier.target_material = self._material
        modifier.use_contour = True
        modifier.use_crease = True
        modifier.use_intersection = False
        modifier.use_material = False
        modifier.use_edge_mark = False
        modifier.use_loose = False
        modifier.show_viewport = False
        self._camera = bpy.data.objects.new("Croquis Eye", bpy.data.cameras.new("Croquis Eye"))
        scene.collection.objects.link(self._camera)

    def draw(self, camera: Camera, points: NDArray[np.floating]) -> Lines:
        """The strokes of the scene as it stands, seen by a camera.

        Line Art looks from the camera's eye with a field wide enough for ``points``; its strokes
        come back in world space and are projected by ``camera`` itself, so that picture and labels
        share one projection and the camera's zoom and shift cost nothing.

        Args:
            camera: the view.
            points: ``[N, 3]`` world space: what has to be inside Line Art's own frame.

        Returns:
            The strokes, sorted by their coordinates: Line Art's own order changes from process to
            process.
        """
        scene = bpy.context.scene
        aim_camera(self._camera, camera, points)
        scene.camera = self._camera
        scene.render.resolution_x, scene.render.resolution_y = camera.size
        self._modifier.show_viewport = True
        try:
            graph = bpy.context.evaluated_depsgraph_get()
            graph.update()
            world, offsets = self._read(graph)
        finally:
            self._modifier.show_viewport = False
        seen = camera.to_camera(world)
        pixels = camera.project_camera(seen).astype(np.float32)
        traces = np.column_stack([pixels, seen[:, 2]]).astype(np.float32)
        # What a wide lens flings far out of the picture is cut off outside of it, where a stroke
        # record can still store it.
        side = max(camera.size)
        beyond = min(side, FARTHEST - side)
        drawn = []
        for first, last, far in zip(*_kept(pixels, offsets, -beyond, side + beyond), strict=True):
            line = traces[first:last]
            pieces = within(line, -beyond, side + beyond) if far else [line]
            drawn += [piece for piece in pieces if not far or _length(piece) >= SHORTEST]
        strokes = [simplified(line[:, :2], TOLERANCE) for line in drawn]
        # Whole numbers only: a rounded share might pick another point on another machine.
        probes = [line[(len(line) - 1) * np.arange(PROBES) // (PROBES - 1)] for line in drawn]
        order = sorted(range(len(strokes)), key=lambda i: _canonical(strokes[i], probes[i]))
        return Lines([strokes[i] for i in order], [probes[i] for i in order])

    def _read(self, graph: bpy.types.Depsgraph) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """World points of the evaluated drawing, and where each curve starts among them."""
        evaluated = self._object.evaluated_get(graph)
        frame = evaluated.data.layers[0].current_frame()
        if frame is None:
            return np.zeros((0, 3)), np.zeros(1, np.int32)
        local, offsets = read_curves(frame.drawing)
        matrix = np.array(evaluated.matrix_world)
        return local @ matrix[:3, :3].T + matrix[:3, 3], offsets

    def remove(self) -> None:
        """Take its objects and data out of the file."""
        # Blender 4.3 miscounts the material's users if the modifier still holds it.
        self._modifier.target_material = None
        bpy.data.objects.remove(self._object)
        eye = cast(bpy.types.Camera, self._camera.data)
        bpy.data.objects.remove(self._camera)
        bpy.data.cameras.remove(eye)
        _drawings().remove(self._data)
        bpy.data.materials.remove(self._material)


def _drawings() -> Any:
    """The file's Grease Pencil data; Blender 5.0 gave the new kind its old name back."""
    name = "grease_pencils_v3" if hasattr(bpy.data, "grease_pencils_v3") else "grease_pencils"
    return getattr(bpy.data, name)


def _kept(
    pixels: NDArray[np.float32], offsets: NDArray[np.int32], low: float, high: float
) -> tuple[list[int], list[int], list[bool]]:
    """The curves that are no specks and wholly before the eye.

    Returns:
        First row of each, the row after its last, and whether it leaves the square from ``low`` to
        ``high``.
    """
    firsts, lasts = offsets[:-1], offsets[1:]
    seen = np.isfinite(pixels).all(axis=1)
    broken = np.cumsum(np.append(0, ~seen))
    # NaN is not within anything.
    outside = np.cumsum(np.append(0, ~((pixels >= low) & (pixels <= high)).all(axis=1)))
    steps = np.linalg.norm(np.diff(np.nan_to_num(pixels.astype(np.float64)), axis=0), axis=1)
    along = np.append(0, np.cumsum(steps))
    lengths = along[np.maximum(lasts - 1, 0)] - along[np.minimum(firsts, max(len(pixels) - 1, 0))]
    kept = (broken[lasts] == broken[firsts]) & (lengths >= SHORTEST)
    far = outside[lasts] > outside[firsts]
    return firsts[kept].tolist(), lasts[kept].tolist(), far[kept].tolist()


def _length(line: NDArray[np.float32]) -> float:
    """Pixels along a polyline whose first two columns are x and y."""
    return float(np.linalg.norm(np.diff(line[:, :2], axis=0), axis=1).sum())


def _canonical(
    stroke: NDArray[np.float32], probes: NDArray[np.float32]
) -> tuple[list[float], bytes, bytes]:
    """What strokes are sorted by: where they begin, then everything that tells them apart."""
    return stroke[0].tolist(), stroke.tobytes(), probes.tobytes()
