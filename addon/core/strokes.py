"""A drawing as polylines: the stroke records of a clip, and their quantised storage.

A stroke record keeps what the line renderer knows about a view (its polylines, its keypoints)
instead of a finished picture, so that a trainer can draw it in another style every time. Points are
stored as int16 in 1/32 pixel, as differences along each stroke, which zlib packs to 1-4 KB a view.

A view is one figure in one drawing: where several figures stand in a picture, several views share
its strokes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import skeleton
from .files import DAMAGE, write_arrays

UNITS_PER_PIXEL = 32
"""Stored coordinates are multiples of 1/32 pixel: finer than a pen, and +-1024 px fit in int16."""

FARTHEST = 1020
"""Pixels from the origin up to which points can be stored."""

NOBODY = 255
"""Owner of the strokes that belong to no figure: props, ground lines."""

NO_BONE = 255
"""Bone of the strokes that lie on no figure, or whose bone is not known."""

FORMAT = 2
_READABLE = (1, 2)  # format 1 had one figure a drawing and knew no owners, bones and boxes
_PER_STROKE = ("owners", "bones")
_PER_VIEW = ("keypoints", "visibility", "joints", "box", "frame", "camera", "figure")
_LIMIT = np.iinfo(np.int16).max


@dataclass(frozen=True)
class View:
    """One figure in one drawing.

    Attributes:
        strokes: polylines of the whole drawing, each ``[n, 2]`` float32 pixels (x right, y down).
        keypoints: ``[23, 2]`` float32 pixels, rows as in ``skeleton.KEYPOINTS``.
        visibility: ``[23]`` uint8, COCO: 0 outside the picture, 1 hidden, 2 seen.
        joints: ``[23, 3]`` float32 metres, camera space (x right, y down, z forward).
        frame: the animation's frame.
        camera: number of the camera.
        figure: which figure of the drawing this is. In a list of views, those with a number above
            0 belong to the drawing of the view before them.
        clip: which of the pack's clips the figure acts.
        box: ``[4]`` float32 x, y, width, height of its silhouette, pixels; zeros where not known.
        owners: ``[S]`` uint8, the figure that each stroke belongs to, or :data:`NOBODY`; by
            default all are of figure 0.
        bones: ``[S]`` uint8, the keypoint at whose bone each stroke lies, or :data:`NO_BONE`, the
            default.
    """

    strokes: list[NDArray[np.float32]]
    keypoints: NDArray[np.float32]
    visibility: NDArray[np.uint8]
    joints: NDArray[np.float32]
    frame: int = 0
    camera: int = 0
    figure: int = 0
    clip: int = 0
    box: NDArray[np.float32] = field(default_factory=lambda: np.zeros(4, np.float32))
    owners: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))
    bones: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))

    def __post_init__(self) -> None:
        count = len(self.strokes)
        if not len(self.owners):
            object.__setattr__(self, "owners", np.zeros(count, np.uint8))
        if not len(self.bones):
            object.__setattr__(self, "bones", np.full(count, NO_BONE, np.uint8))

    def strokes_of(self, figure: int) -> list[NDArray[np.float32]]:
        """The strokes that belong to one figure of the drawing."""
        return [s for s, owner in zip(self.strokes, self.owners, strict=True) if owner == figure]


@dataclass
class StrokePack:
    """The views of one or more clips, in flat arrays: V views in D drawings of S strokes.

    Attributes:
        size: side of the square picture, pixels.
        points: ``[P, 2]`` int16, 1/32 pixel.
        stroke_starts: ``[S + 1]`` int64 rows of ``points``; stroke s is
            ``points[starts[s]:starts[s+1]]``.
        owners, bones: ``[S]`` uint8, as in :class:`View`.
        drawing_starts: ``[D + 1]`` int64 strokes of each drawing.
        drawing: ``[V]`` int32 the drawing of each view.
        keypoints: ``[V, 23, 2]`` float32 pixels.
        visibility: ``[V, 23]`` uint8.
        joints: ``[V, 23, 3]`` float32 metres, camera space.
        box: ``[V, 4]`` float32 pixels.
        frame, camera, figure, clip: ``[V]`` int32; ``clip`` indexes ``clips``.
        clips: a ``(character, animation)`` pair of names for each clip.
    """

    size: int
    points: NDArray[np.int16]
    stroke_starts: NDArray[np.int64]
    owners: NDArray[np.uint8]
    bones: NDArray[np.uint8]
    drawing_starts: NDArray[np.int64]
    drawing: NDArray[np.int32]
    keypoints: NDArray[np.float32]
    visibility: NDArray[np.uint8]
    joints: NDArray[np.float32]
    box: NDArray[np.float32]
    frame: NDArray[np.int32]
    camera: NDArray[np.int32]
    figure: NDArray[np.int32]
    clip: NDArray[np.int32]
    clips: list[tuple[str, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.keypoints)

    def __getitem__(self, index: int) -> View:
        drawing = self.drawing[index]
        first, last = self.drawing_starts[drawing], self.drawing_starts[drawing + 1]
        bounds = self.stroke_starts[first : last + 1]
        pixels = self.points[bounds[0] : bounds[-1]].astype(np.float32) / UNITS_PER_PIXEL
        return View(
            strokes=np.split(pixels, bounds[1:-1] - bounds[0]) if last > first else [],
            keypoints=self.keypoints[index],
            visibility=self.visibility[index],
            joints=self.joints[index],
            frame=int(self.frame[index]),
            camera=int(self.camera[index]),
            figure=int(self.figure[index]),
            clip=int(self.clip[index]),
            box=self.box[index],
            owners=self.owners[first:last],
            bones=self.bones[first:last],
        )

    def character(self, index: int) -> str:
        """Name of the character in view ``index``."""
        return self.clips[self.clip[index]][0]

    @classmethod
    def from_views(
        cls, views: Sequence[View], size: int, clips: Sequence[tuple[str, str]]
    ) -> StrokePack:
        """Pack some views.

        Args:
            views: the figures, drawing by drawing.
            size: side of the square picture, pixels.
            clips: names of character and animation of each clip that the views refer to.

        Raises:
            ValueError: a point lies too far outside the picture to be stored (over 1,000 px).
        """
        drawings = [view for view in views if view.figure == 0]
        strokes = [stroke for view in drawings for stroke in view.strokes]
        points = np.concatenate([np.zeros((0, 2), np.float32), *strokes]) * UNITS_PER_PIXEL
        if points.size and not np.abs(points).max() < _LIMIT:
            raise ValueError("a stroke leaves the picture by more than 1,000 pixels")

        def stack(name: str, shape: tuple[int, ...], dtype: type) -> NDArray:
            values = [getattr(view, name) for view in views]
            return np.array(values, dtype=dtype).reshape(len(views), *shape)

        def join(name: str) -> NDArray[np.uint8]:
            values = [getattr(view, name) for view in drawings]
            return np.concatenate([np.zeros(0, np.uint8), *values]).astype(np.uint8)

        figure = stack("figure", (), np.int32)
        return cls(
            size=size,
            points=np.round(points).astype(np.int16),
            stroke_starts=_starts([len(stroke) for stroke in strokes]),
            owners=join("owners"),
            bones=join("bones"),
            drawing_starts=_starts([len(view.strokes) for view in drawings]),
            drawing=(np.cumsum(figure == 0) - 1).astype(np.int32),
            keypoints=stack("keypoints", (skeleton.COUNT, 2), np.float32),
            visibility=stack("visibility", (skeleton.COUNT,), np.uint8),
            joints=stack("joints", (skeleton.COUNT, 3), np.float32),
            box=stack("box", (4,), np.float32),
            frame=stack("frame", (), np.int32),
            camera=stack("camera", (), np.int32),
            figure=figure,
            clip=stack("clip", (), np.int32),
            clips=list(clips),
        )

    @classmethod
    def merge(cls, packs: Iterable[StrokePack]) -> StrokePack:
        """All views of several packs in one, in order.

        Raises:
            ValueError: no pack, or packs of different picture sizes.
        """
        packs = list(packs)
        if len({pack.size for pack in packs}) != 1:
            raise ValueError("stroke packs of one picture size are needed to merge them")

        def join(name: str) -> NDArray:
            return np.concatenate([getattr(pack, name) for pack in packs])

        def join_starts(name: str) -> NDArray[np.int64]:
            return _starts(np.concatenate([np.diff(getattr(pack, name)) for pack in packs]))

        def join_numbers(name: str, counts: list[int]) -> NDArray[np.int32]:
            offsets = np.cumsum([0, *counts[:-1]])
            moved = [getattr(p, name) + o for p, o in zip(packs, offsets, strict=True)]
            return np.concatenate(moved).astype(np.int32)

        return cls(
            size=packs[0].size,
            stroke_starts=join_starts("stroke_starts"),
            drawing_starts=join_starts("drawing_starts"),
            drawing=join_numbers("drawing", [len(pack.drawing_starts) - 1 for pack in packs]),
            clip=join_numbers("clip", [len(pack.clips) for pack in packs]),
            clips=[clip for pack in packs for clip in pack.clips],
            **{name: join(name) for name in ("points", *_PER_STROKE, *_PER_VIEW)},
        )

    def subset(self, indices: Sequence[int] | NDArray[np.integer]) -> StrokePack:
        """The chosen views, in the order given; clip names stay as they are."""
        indices = np.asarray(indices, dtype=np.int64)
        drawings, drawing = np.unique(self.drawing[indices], return_inverse=True)
        counts = np.diff(self.drawing_starts)[drawings]
        lengths = np.diff(self.stroke_starts)
        strokes = _ranges(self.drawing_starts[drawings], counts)
        rows = _ranges(self.stroke_starts[strokes], lengths[strokes])
        return StrokePack(
            size=self.size,
            points=self.points[rows],
            stroke_starts=_starts(lengths[strokes]),
            drawing_starts=_starts(counts),
            drawing=drawing.astype(np.int32),
            clip=self.clip[indices],
            clips=list(self.clips),
            **{name: getattr(self, name)[strokes] for name in _PER_STROKE},
            **{name: getattr(self, name)[indices] for name in _PER_VIEW},
        )

    def save(self, path: Path) -> None:
        """Write the pack; a file with its final name is whole, and equal packs are equal files.

        Raises:
            OSError: the folder cannot be written or the disk is full (nothing is left behind).
        """
        deltas = self.points.copy()
        deltas[1:] -= self.points[:-1]  # wraps around on overflow, and back on reading
        arrays = {
            "format": np.array(FORMAT),
            "size": np.array(self.size),
            "deltas_x": deltas[:, 0],
            "deltas_y": deltas[:, 1],
            "stroke_lengths": np.diff(self.stroke_starts).astype(np.uint16),
            "drawing_strokes": np.diff(self.drawing_starts).astype(np.uint16),
            "drawing": self.drawing,
            "clip": self.clip,
            **{name: getattr(self, name) for name in (*_PER_STROKE, *_PER_VIEW)},
            "clips": np.array(self.clips, dtype=np.str_).reshape(-1, 2),
        }
        write_arrays(path, arrays)

    @classmethod
    def load(cls, path: Path) -> StrokePack:
        """Read a pack.

        Raises:
            ValueError: the file is not a whole stroke pack of a format that this version knows.
        """
        try:
            with np.load(path, allow_pickle=False) as data:
                version = int(data["format"])
                if version not in _READABLE:
                    raise ValueError(f"its format is {version}, not {FORMAT}")
                arrays = dict(data) if version == FORMAT else _upgraded(dict(data))
                deltas = np.stack([arrays["deltas_x"], arrays["deltas_y"]], axis=1)
                return cls(
                    size=int(arrays["size"]),
                    points=np.cumsum(deltas, axis=0, dtype=np.int16),
                    stroke_starts=_starts(arrays["stroke_lengths"]),
                    drawing_starts=_starts(arrays["drawing_strokes"]),
                    drawing=arrays["drawing"],
                    clip=arrays["clip"],
                    clips=[(str(a), str(b)) for a, b in arrays["clips"]],
                    **{name: arrays[name] for name in (*_PER_STROKE, *_PER_VIEW)},
                )
        except DAMAGE as error:
            raise ValueError(f"{path} is not a stroke pack: {error}") from error


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First row and the row after the last of each stretch of true values in ``[n]`` flags."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def within(line: NDArray[np.floating], low: float, high: float) -> list[NDArray[np.floating]]:
    """The pieces of a polyline inside a square, cut where it crosses the border.

    Args:
        line: ``[n, C]``; the first two columns are x and y, the others go along.
        low, high: the square's borders along both axes.

    Returns:
        Polylines ``[m, C]`` of at least two points, in order.
    """
    pieces: list[list[NDArray[np.floating]]] = [[]]
    for a, b in zip(line[:-1], line[1:], strict=True):
        enter, leave = 0.0, 1.0  # shares of the segment (Liang and Barsky 1984)
        for start, step in zip(a[:2], b[:2] - a[:2], strict=True):
            if step == 0:
                enter = enter if low <= start <= high else 2.0
                continue
            near, far = sorted(((low - start) / step, (high - start) / step))
            enter, leave = max(enter, near), min(leave, far)
        if enter > leave:
            continue
        if enter > 0 or not pieces[-1]:
            pieces.append([a + enter * (b - a)])
        pieces[-1].append(a + leave * (b - a))
        if leave < 1:
            pieces.append([])
    return [np.array(piece, line.dtype) for piece in pieces if len(piece) > 1]


def _upgraded(arrays: dict[str, NDArray]) -> dict[str, NDArray]:
    """The arrays of a file of format 1, in which every drawing showed one figure."""
    views, strokes = len(arrays["keypoints"]), len(arrays["stroke_lengths"])
    return arrays | {
        "drawing_strokes": arrays["view_strokes"],
        "drawing": np.arange(views, dtype=np.int32),
        "figure": np.zeros(views, np.int32),
        "box": np.zeros((views, 4), np.float32),
        "owners": np.zeros(strokes, np.uint8),
        "bones": np.full(strokes, NO_BONE, np.uint8),
    }


def _starts(lengths: ArrayLike) -> NDArray[np.int64]:
    """Where each of several runs of the given lengths starts, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)


def _ranges(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """``concatenate([arange(s, s + n) for s, n in zip(starts, counts)])`` without the loop."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(starts - (ends - counts), counts)
