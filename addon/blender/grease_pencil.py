"""Grease Pencil: what its objects hold, as strokes in world space."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ..core.image import displayed
from ..core.pen import Colour, PenStroke


def read_curves(drawing: Any) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """``[P, 3]`` points of a Grease Pencil drawing, its own space, and where each curve starts.

    Of curves with handles these are the points that they go through.
    """
    offsets = np.zeros(max(len(drawing.curve_offsets), 1), np.int32)
    if len(drawing.curve_offsets) > 1:  # a drawing of nothing has an offset that cannot be read
        drawing.curve_offsets.foreach_get("value", offsets)
    return _values(drawing, "position", "vector", (int(offsets[-1]), 3), 0), offsets


def visible_strokes(thing: bpy.types.Object, graph: bpy.types.Depsgraph) -> list[PenStroke]:
    """What a Grease Pencil object shows at the current frame, modifiers applied, in painting order.

    Args:
        thing: an object of type ``GREASEPENCIL``.
        graph: evaluated.
    """
    evaluated = thing.evaluated_get(graph)
    strokes: list[PenStroke] = []
    for layer in evaluated.data.layers:
        frame = layer.current_frame()
        if frame is not None and not _is_hidden(layer):
            strokes += _layer_strokes(evaluated, layer, frame.drawing)
    return strokes


def _is_hidden(layer: Any) -> bool:
    """Whether a layer, or a group that it is in, is switched off."""
    while layer is not None:
        if layer.hide:
            return True
        layer = layer.parent_group
    return False


def _layer_strokes(thing: bpy.types.Object, layer: Any, drawing: Any) -> Iterator[PenStroke]:
    points, offsets = read_curves(drawing)
    matrix = np.array(_to_world(thing, layer))
    points = points @ matrix[:3, :3].T + matrix[:3, 3]
    size = abs(np.linalg.det(matrix[:3, :3])) ** (1 / 3)
    count, curves = len(points), len(offsets) - 1
    radii = (_values(drawing, "radius", "value", (count,), 0.01) + layer.radius_offset) * size
    opacity = _values(drawing, "opacity", "value", (count,), 1) * layer.opacity
    tints = _values(drawing, "vertex_color", "color", (count, 4), 0)
    fills = _values(drawing, "fill_color", "color", (curves, 4), 0)
    materials = _values(drawing, "material_index", "value", (curves,), 0).astype(int)
    closed = _values(drawing, "cyclic", "value", (curves,), 0).astype(bool)
    styles = [slot.material and slot.material.grease_pencil for slot in thing.material_slots]
    for row, (first, last) in enumerate(zip(offsets[:-1], offsets[1:], strict=True)):
        if first == last:
            continue
        style = styles[materials[row]] if 0 <= materials[row] < len(styles) else None
        if style and style.hide:
            continue
        part = slice(first, last)
        line = fill = None
        if style is None or style.show_stroke:
            base = style.color if style else (0.0, 0.0, 0.0, 1.0)
            line = _colour(base, tints[part].mean(axis=0), float(opacity[part].mean()))
        if style and style.show_fill:
            fill = _colour(style.fill_color, fills[row], layer.opacity)
        if line or fill:
            yield PenStroke(points[part], np.maximum(radii[part], 0), line, fill, bool(closed[row]))


def _to_world(thing: bpy.types.Object, layer: Any) -> Matrix:
    """A layer's space in the world; a layer may have a parent of its own."""
    parent = layer.parent
    if parent is None:
        return thing.matrix_world @ layer.matrix_local
    matrix = parent.matrix_world
    if parent.type == "ARMATURE" and layer.parent_bone in parent.pose.bones:
        matrix = matrix @ parent.pose.bones[layer.parent_bone].matrix
    return matrix @ layer.matrix_parent_inverse @ layer.matrix_local


def _values(
    drawing: Any, name: str, field: str, shape: tuple[int, ...], default: float
) -> NDArray[np.float64]:
    """An attribute of all points or curves; the default where the drawing does not have it."""
    attribute = drawing.attributes.get(name)
    if attribute is None or not np.prod(shape):
        return np.full(shape, default, np.float64)
    kind = {"INT": np.int32, "BOOLEAN": np.bool_}.get(attribute.data_type, np.float32)
    values = np.zeros(int(np.prod(shape)), kind)
    attribute.data.foreach_get(field, values)
    return values.reshape(shape).astype(np.float64)


def _colour(base: Any, tint: NDArray[np.float64], strength: float) -> Colour | None:
    """A material's colour, painted over as far as the paint's alpha says; None if transparent."""
    if base[3] * strength <= 0:
        return None
    light = np.array(base[:3]) * (1 - tint[3]) + tint[:3] * tint[3]
    red, green, blue = displayed(light).tolist()
    return red, green, blue, float(base[3]) * strength
