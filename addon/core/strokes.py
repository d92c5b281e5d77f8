"""A drawing as polylines: the stroke records of a clip, and their quantised storage.

A stroke record keeps what the line renderer knows about a view (its polylines, its keypoints)
instead of a finished picture, so that a trainer can draw it in another style every time. Points are
stored as int16 in 1/32 pixel, as differences along each stroke, which zlib packs to 1-4 KB a view.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import skeleton
from .files import written_whole

UNITS_PER_PIXEL = 32
"""Stored coordinates are multiples of 1/32 pixel: finer than a pen, and +-1024 px fit in int16."""

FORMAT = 1
_LIMIT = np.iinfo(np.int16).max
# What NumPy and zipfile raise on files that are cut short, damaged or something else altogether.
_DAMAGE = (zipfile.BadZipFile, zlib.error, KeyError, TypeError, ValueError, EOFError)


@dataclass(frozen=True)
class View:
    """One drawing.

    Attributes:
        strokes: polylines, each ``[n, 2]`` float32 pixels (x right, y down).
        keypoints: ``[23, 2]`` float32 pixels, rows as in ``skeleton.KEYPOINTS``.
        visibility: ``[23]`` uint8, COCO: 0 outside the picture, 1 hidden, 2 seen.
        joints: ``[23, 3]`` float32 metres, camera space (x right, y down, z forward).
        frame: the animation's frame.
        camera: number of the camera.
    """

    strokes: list[NDArray[np.float32]]
    keypoints: NDArray[np.float32]
    visibility: NDArray[np.uint8]
    joints: NDArray[np.float32]
    frame: int = 0
    camera: int = 0


@dataclass
class StrokePack:
    """The views of one or more clips, in flat arrays.

    Attributes:
        size: side of the square picture, pixels.
        points: ``[P, 2]`` int16, 1/32 pixel.
        stroke_starts: ``[S + 1]`` int64 rows of ``points``; stroke s is
            ``points[starts[s]:starts[s+1]]``.
        view_starts: ``[V + 1]`` int64 strokes of each view.
        keypoints: ``[V, 23, 2]`` float32 pixels.
        visibility: ``[V, 23]`` uint8.
        joints: ``[V, 23, 3]`` float32 metres, camera space.
        frame, camera, clip: ``[V]`` int32; ``clip`` indexes ``clips``.
        clips: a ``(character, animation)`` pair of names for each clip.
    """

    size: int
    points: NDArray[np.int16]
    stroke_starts: NDArray[np.int64]
    view_starts: NDArray[np.int64]
    keypoints: NDArray[np.float32]
    visibility: NDArray[np.uint8]
    joints: NDArray[np.float32]
    frame: NDArray[np.int32]
    camera: NDArray[np.int32]
    clip: NDArray[np.int32]
    clips: list[tuple[str, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.keypoints)

    def __getitem__(self, index: int) -> View:
        first, last = self.view_starts[index], self.view_starts[index + 1]
        bounds = self.stroke_starts[first : last + 1]
        pixels = self.points[bounds[0] : bounds[-1]].astype(np.float32) / UNITS_PER_PIXEL
        return View(
            strokes=np.split(pixels, bounds[1:-1] - bounds[0]) if last > first else [],
            keypoints=self.keypoints[index],
            visibility=self.visibility[index],
            joints=self.joints[index],
            frame=int(self.frame[index]),
            camera=int(self.camera[index]),
        )

    def character(self, index: int) -> str:
        """Name of the character in view ``index``."""
        return self.clips[self.clip[index]][0]

    @classmethod
    def from_views(cls, views: Sequence[View], size: int, clip: tuple[str, str]) -> StrokePack:
        """Pack the views of one clip.

        Args:
            views: the drawings.
            size: side of the square picture, pixels.
            clip: names of the character and of the animation.

        Raises:
            ValueError: a point lies too far outside the picture to be stored (over 1,000 px).
        """
        strokes = [stroke for view in views for stroke in view.strokes]
        points = np.concatenate([np.zeros((0, 2), np.float32), *strokes]) * UNITS_PER_PIXEL
        if points.size and not np.abs(points).max() < _LIMIT:
            raise ValueError("a stroke leaves the picture by more than 1,000 pixels")

        def stack(name: str, shape: tuple[int, ...], dtype: type) -> NDArray:
            values = [getattr(view, name) for view in views]
            return np.array(values, dtype=dtype).reshape(len(views), *shape)

        return cls(
            size=size,
            points=np.round(points).astype(np.int16),
            stroke_starts=_starts([len(stroke) for stroke in strokes]),
            view_starts=_starts([len(view.strokes) for view in views]),
            keypoints=stack("keypoints", (skeleton.COUNT, 2), np.float32),
            visibility=stack("visibility", (skeleton.COUNT,), np.uint8),
            joints=stack("joints", (skeleton.COUNT, 3), np.float32),
            frame=stack("frame", (), np.int32),
            camera=stack("camera", (), np.int32),
            clip=np.zeros(len(views), np.int32),
            clips=[clip],
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

        offsets = np.cumsum([0, *(len(pack.clips) for pack in packs[:-1])])
        return cls(
            size=packs[0].size,
            points=join("points"),
            stroke_starts=join_starts("stroke_starts"),
            view_starts=join_starts("view_starts"),
            keypoints=join("keypoints"),
            visibility=join("visibility"),
            joints=join("joints"),
            frame=join("frame"),
            camera=join("camera"),
            clip=np.concatenate([p.clip + o for p, o in zip(packs, offsets, strict=True)]).astype(
                np.int32
            ),
            clips=[clip for pack in packs for clip in pack.clips],
        )

    def subset(self, indices: Sequence[int] | NDArray[np.integer]) -> StrokePack:
        """The chosen views, in the order given; clip names stay as they are."""
        indices = np.asarray(indices, dtype=np.int64)
        counts = np.diff(self.view_starts)[indices]
        lengths = np.diff(self.stroke_starts)
        strokes = _ranges(self.view_starts[indices], counts)
        rows = _ranges(self.stroke_starts[strokes], lengths[strokes])
        return StrokePack(
            size=self.size,
            points=self.points[rows],
            stroke_starts=_starts(lengths[strokes]),
            view_starts=_starts(counts),
            keypoints=self.keypoints[indices],
            visibility=self.visibility[indices],
            joints=self.joints[indices],
            frame=self.frame[indices],
            camera=self.camera[indices],
            clip=self.clip[indices],
            clips=list(self.clips),
        )

    def save(self, path: Path) -> None:
        """Write the pack beside ``path``, then rename it: a file with its final name is whole.

        The zip's time stamps are fixed, so that equal packs are equal files.

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
            "view_strokes": np.diff(self.view_starts).astype(np.uint16),
            "keypoints": self.keypoints.astype(np.float32),
            "visibility": self.visibility,
            "joints": self.joints.astype(np.float32),
            "frame": self.frame,
            "camera": self.camera,
            "clip": self.clip,
            "clips": np.array(self.clips, dtype=np.str_).reshape(-1, 2),
        }
        with (
            written_whole(path) as temporary,
            zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive,
        ):
            for name, array in arrays.items():
                buffer = io.BytesIO()
                np.lib.format.write_array(buffer, array, allow_pickle=False)
                info = zipfile.ZipInfo(name + ".npy")
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> StrokePack:
        """Read a pack.

        Raises:
            ValueError: the file is not a whole stroke pack of a format that this version knows.
        """
        try:
            with np.load(path, allow_pickle=False) as data:
                if int(data["format"]) != FORMAT:
                    raise ValueError(f"its format is {int(data['format'])}, not {FORMAT}")
                deltas = np.stack([data["deltas_x"], data["deltas_y"]], axis=1)
                return cls(
                    size=int(data["size"]),
                    points=np.cumsum(deltas, axis=0, dtype=np.int16),
                    stroke_starts=_starts(data["stroke_lengths"]),
                    view_starts=_starts(data["view_strokes"]),
                    keypoints=data["keypoints"],
                    visibility=data["visibility"],
                    joints=data["joints"],
                    frame=data["frame"],
                    camera=data["camera"],
                    clip=data["clip"],
                    clips=[(str(a), str(b)) for a, b in data["clips"]],
                )
        except (*_DAMAGE, OSError) as error:
            raise ValueError(f"{path} is not a stroke pack: {error}") from error


def _starts(lengths: ArrayLike) -> NDArray[np.int64]:
    """Where each of several runs of the given lengths starts, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)


def _ranges(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """``concatenate([arange(s, s + n) for s, n in zip(starts, counts)])`` without the loop."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(starts - (ends - counts), counts)
