"""One picture of the dataset: what is drawn in it, and what the scene knows about its figures.

A surface view sees the figures' meshes: strokes come from a line renderer, labels from a z-buffer.
A skeleton view draws stick figures or mannequins over the same joints, as figure-drawing books do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from . import labels, raster
from .camera import Camera
from .figures import draw_exact
from .scenery import seen_lines
from .strokes import NO_BONE, NOBODY, runs
from .surface import Surface

FloatArray = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class FigurePose:
    """One figure as it stands in the scene.

    Attributes:
        joints: ``[23, 3]`` world space, metres.
        vertices: ``[V, 3]`` world space, metres: of its skin, as posed.
        surface: what is known of that skin.
        girth: how much thicker than at rest the flesh is.
    """

    joints: FloatArray
    vertices: FloatArray
    surface: Surface
    girth: float = 1.0


@dataclass(frozen=True)
class FigureView:
    """One figure in a picture.

    Attributes:
        pixels: ``[23, 2]`` float64, its keypoints.
        visibility: ``[23]`` uint8, COCO: 0 outside the picture, 1 hidden, 2 seen.
        joints: ``[23, 3]`` float64 metres, camera space.
        box: x, y, width, height of its whole silhouette, pixels.
        area: of its whole silhouette, square pixels.
        mask: ``[H, W]`` bool, where it is seen.
    """

    pixels: FloatArray
    visibility: NDArray[np.uint8]
    joints: FloatArray
    box: tuple[float, float, float, float]
    area: float
    mask: Mask


@dataclass(frozen=True)
class SceneView:
    """A picture's strokes and labels.

    Attributes:
        strokes: polylines, each ``[n, 2]`` float32 pixels.
        owners, bones: ``[S]`` uint8 of each stroke, as in :class:`strokes.View`.
        figures: one entry a figure; None where not a single pixel of it is seen.
        maps: pictures by label (``parts``, ``uv``, ``depth``).
        depth_range: offset and scale of the depth picture, metres.
    """

    strokes: list[NDArray[np.float32]]
    owners: NDArray[np.uint8]
    bones: NDArray[np.uint8]
    figures: list[FigureView | None]
    maps: dict[str, NDArray[np.integer]] = field(default_factory=dict)
    depth_range: tuple[float, float] = (0.0, 0.0)


def view_surfaces(
    camera: Camera,
    poses: Sequence[FigurePose],
    strokes: list[NDArray[np.float32]],
    probes: list[NDArray[np.float32]],
    *,
    obstacles: Sequence[tuple[FloatArray, NDArray[np.integer]]] = (),
    ground: Sequence[FloatArray] = (),
    maps: Sequence[str] = (),
) -> SceneView:
    """What a camera sees of figures with a skin.

    Args:
        camera: the view.
        poses: the figures.
        strokes: polylines of the whole scene, each ``[n, 2]`` pixels.
        probes: points along each stroke, ``[k, 3]``: x, y in pixels, depth in metres.
        obstacles: vertices ``[V, 3]`` (world space) and triangles ``[T, 3]`` of things that hide
            figures and are not labelled.
        ground: world polylines ``[n, 3]`` to be drawn where nothing stands before them.
        maps: which of ``parts``, ``uv`` and ``depth`` to make.
    """
    surfaces = [pose.surface for pose in poses]
    buffers = [raster.rasterise(camera, pose.vertices, pose.surface.triangles) for pose in poses]
    buffers += [raster.rasterise(camera, vertices, faces) for vertices, faces in obstacles]
    front = raster.nearest(buffers)
    figures: list[FigureView | None] = []
    for number, pose in enumerate(poses):
        mask = front == number
        if not mask.any():
            figures.append(None)
            continue
        silhouette = buffers[number].triangle >= 0
        figures.append(
            FigureView(
                pixels=camera.project(pose.joints),
                visibility=labels.visibility(
                    pose.joints, camera, buffers, number, pose.surface, pose.girth
                ),
                joints=camera.to_camera(pose.joints),
                box=_bounds(silhouette),
                area=float(np.count_nonzero(silhouette)),
                mask=mask,
            )
        )
    owners, bones = labels.stroke_owners(
        [probe[:, :2] for probe in probes], [probe[:, 2] for probe in probes], buffers, surfaces
    )
    lines = seen_lines(ground, camera, np.minimum.reduce([b.depth for b in buffers]))
    made: dict[str, NDArray[np.integer]] = {}
    depth_range = [0.0, 0.0]
    if "parts" in maps:
        made["parts"] = labels.part_map(buffers, surfaces)
    if "uv" in maps:
        made["uv"] = labels.chart_map(buffers, surfaces)
    if "depth" in maps:
        made["depth"], *depth_range = labels.depth_map(buffers[: len(poses)], buffers[len(poses) :])
    return SceneView(
        strokes=[*strokes, *lines],
        owners=np.append(owners, np.full(len(lines), NOBODY, np.uint8)),
        bones=np.append(bones, np.full(len(lines), NO_BONE, np.uint8)),
        figures=figures,
        maps=made,
        depth_range=(depth_range[0], depth_range[1]),
    )


def view_skeletons(
    camera: Camera, joints: Sequence[FloatArray], kind: str, rng: np.random.Generator
) -> SceneView:
    """What a camera sees of figures that are drawn from their skeletons.

    Args:
        camera: the view; its picture must be square.
        joints: ``[23, 3]`` world space, metres, of each figure.
        kind: ``stick`` or ``mannequin``.
        rng: source of chance.
    """
    size = camera.size[0]
    placed = [camera.to_camera(figure) for figure in joints]
    pixels = [camera.project_camera(figure) for figure in placed]
    drawings = [draw_exact(*figure, kind, rng) for figure in zip(placed, pixels, strict=True)]
    silhouettes = [drawing.silhouette(size) for drawing in drawings]
    covered = np.zeros((size, size), bool)
    strokes: list[NDArray[np.float32]] = []
    owners: list[int] = []
    bones: list[int] = []
    figures: list[FigureView | None] = [None] * len(joints)
    for number in np.argsort([figure[:, 2].mean() for figure in placed]):  # near to far
        drawing = drawings[number]
        for line, path in zip(*drawing.visible_pieces(size), strict=True):
            for part in _uncovered(line, covered):
                strokes.append(part.astype(np.float32))
                owners.append(int(number))
                bones.append(drawing.tags[path])
        mask = silhouettes[number] & ~covered
        if mask.any():
            figures[number] = FigureView(
                pixels=pixels[number],
                visibility=_visibility(pixels[number], covered),
                joints=placed[number],
                box=_bounds(silhouettes[number]),
                area=float(np.count_nonzero(silhouettes[number])),
                mask=mask,
            )
        covered |= silhouettes[number]
    return SceneView(strokes, np.array(owners, np.uint8), np.array(bones, np.uint8), figures)


def _bounds(mask: Mask) -> tuple[float, float, float, float]:
    """x, y, width, height of a mask's pixels."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    x, y = float(columns[0]), float(rows[0])
    return x, y, float(columns[-1] + 1 - x), float(rows[-1] + 1 - y)


def _visibility(pixels: FloatArray, covered: Mask) -> NDArray[np.uint8]:
    """Of the joints of a figure without depth: only nearer figures hide it."""
    inside = _inside(pixels, covered.shape[0])
    hidden = np.zeros(len(pixels), bool)
    column, row = pixels[inside].astype(int).T
    hidden[inside] = covered[row, column]
    return np.where(inside, np.where(hidden, 1, 2), 0).astype(np.uint8)


def _inside(pixels: FloatArray, size: int) -> Mask:
    return ((pixels >= 0) & (pixels < size)).all(axis=1)


def _uncovered(line: FloatArray, covered: Mask) -> list[FloatArray]:
    """The parts of a polyline ``[n, 2]`` (pixels) outside a mask."""
    if not covered.any():
        return [line]
    length = np.linalg.norm(np.diff(line, axis=0), axis=1).sum()
    dense = _resampled(line, max(2, int(np.ceil(length))))
    inside = _inside(dense, covered.shape[0])
    kept = ~inside
    column, row = dense[inside].astype(int).T
    kept[inside] = ~covered[row, column]
    if kept.all():
        return [line]
    return [dense[a:b] for a, b in runs(kept) if b - a > 1]


def _resampled(line: FloatArray, count: int) -> FloatArray:
    """The same polyline through ``count`` points at equal distances."""
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    along = np.concatenate([[0], np.cumsum(steps)])
    places = np.linspace(0, along[-1], count)
    return np.stack([np.interp(places, along, axis) for axis in line.T], axis=1)
