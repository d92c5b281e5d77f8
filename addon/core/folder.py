"""A rendered dataset's folder, read clip by clip: its annotations, pictures and label files.

docs/dataset.md describes the layout. Nothing here needs Blender, and nothing holds more than one
clip at a time, so a dataset may be as large as its disk.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from . import rle, skeleton
from .camera import Camera
from .dataset import SCHEMA, describe
from .errors import UserError
from .files import DAMAGE, write_arrays
from .strokes import StrokePack

Entry = dict[str, Any]
"""A COCO image or annotation entry."""

_JOINT_ARRAYS: dict[str, tuple[tuple[int, ...], type]] = {
    "rows": ((3,), np.int32),
    "world": ((skeleton.COUNT, 3), np.float32),
    "camera_space": ((skeleton.COUNT, 3), np.float32),
    "rotations": ((skeleton.COUNT - 1, 4), np.float32),
    "intrinsics": ((3, 3), np.float64),
    "extrinsics": ((3, 4), np.float64),
    "orthographic": ((), np.bool_),
}
"""What the label ``3d`` keeps of a figure: shape and type."""


class Folder:
    """A dataset.

    Attributes:
        path: its folder.
        about: what ``dataset.json`` holds.
        labels: names of the labels that it was rendered with.
    """

    def __init__(self, path: Path) -> None:
        """Open a dataset.

        Raises:
            UserError: the folder is no dataset, or one of another schema.
        """
        self.path = path
        self.about = describe(path)
        schema = self.about.get("schema") if isinstance(self.about, dict) else None
        if schema != SCHEMA:
            raise UserError(
                f"{path} is a dataset of schema {schema}, and this version reads {SCHEMA}; "
                "render it again."
            )
        labels = self.about.get("labels")
        if not isinstance(labels, list):
            raise UserError(f"{path / 'dataset.json'} names no labels; render the dataset again.")
        self.labels = tuple(map(str, labels))

    def clips(self) -> list[str]:
        """Names of the finished clips, sorted.

        Raises:
            UserError: there is none.
        """
        names = sorted(path.stem for path in (self.path / "clips").glob("*.json"))
        if not names:
            raise UserError(f"{self.path} holds no finished clip; let render_dataset.py go on.")
        return names

    def clip(self, name: str) -> Clip:
        """One finished clip.

        Raises:
            UserError: its file cannot be read.
        """
        path = self.path / "clips" / f"{name}.json"
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            poses = int(document["poses"])
            views = [(image, figures) for image, figures in document["views"]]
            for image, figures in views:
                _check(image, _IMAGE)
                for figure in figures:
                    _check(figure, _FIGURE)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{path} is damaged ({error}); delete it and render the clip again."
            ) from error
        return Clip(self, name, poses, views)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _is_numbers(value: object, count: int) -> bool:
    return isinstance(value, list) and len(value) == count and all(map(_is_number, value))


def _is_name(value: object) -> bool:
    return isinstance(value, str)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and value >= 0


def _is_side(value: object) -> bool:
    return isinstance(value, int) and 0 < value <= 2**15


def _is_picture(value: object) -> bool:
    """A path in ``images/``, not out of the dataset."""
    parts = PurePosixPath(value).parts if isinstance(value, str) else ()
    return len(parts) > 1 and parts[0] == "images" and ".." not in parts


def _is_mask(value: object) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("counts"), str)
        and value["counts"].isascii()
        and isinstance(value.get("size"), list)
        and len(value["size"]) == 2
        and all(map(_is_side, value["size"]))
    )


# Each field -> whether an entry needs it, and what it must be.
_Checks = dict[str, tuple[bool, Callable[[object], bool]]]
_IMAGE: _Checks = {
    "file_name": (True, _is_picture),
    "width": (True, _is_side),
    "height": (True, _is_side),
    "frame": (True, lambda value: isinstance(value, int)),
    "camera": (True, _is_whole),
    "split": (True, _is_name),
    "style": (True, _is_name),
    "ink": (False, lambda value: isinstance(value, dict) and _is_name(value.get("preset"))),
    "depth": (False, lambda value: _is_numbers(value, 2)),
}
_FIGURE: _Checks = {
    "bbox": (True, lambda value: _is_numbers(value, 4)),
    "area": (True, _is_number),
    "character": (True, _is_name),
    "animation": (True, _is_name),
    "figure": (True, _is_whole),
    "segmentation": (False, _is_mask),
    "keypoints": (False, lambda value: _is_numbers(value, 3 * skeleton.COUNT)),
}


def _check(entry: Any, checks: _Checks) -> None:
    """Hold an entry of a clip's file against what it must be.

    Raises:
        ValueError: a field is missing or of another kind.
    """
    if not isinstance(entry, dict):
        raise ValueError("an entry is no object")
    for name, (needed, is_sound) in checks.items():
        if name in entry and not is_sound(entry[name]):
            raise ValueError(f"{name} is {str(entry[name])[:40]}")
        if needed and name not in entry:
            raise ValueError(f"{name} is missing")


@dataclass(frozen=True)
class Joints:
    """The label ``3d`` of a clip: N figures, each in one of its drawings.

    Attributes:
        rows: ``[N, 3]`` int32 frame, camera and figure of each row.
        world: ``[N, 23, 3]`` float32 metres, world space.
        camera_space: ``[N, 23, 3]`` float32 metres, camera space (x right, y down, z forward).
        rotations: ``[N, 22, 4]`` float32 w, x, y, z: how far each joint of ``retarget.JOINTS`` has
            turned since rest, world space.
        intrinsics: ``[N, 3, 3]`` float64 pixels (an orthographic focal length: pixels a metre).
        extrinsics: ``[N, 3, 4]`` float64 ``[R | t]``, world to camera, metres.
        orthographic: ``[N]`` bool.
    """

    rows: NDArray[np.int32]
    world: NDArray[np.float32]
    camera_space: NDArray[np.float32]
    rotations: NDArray[np.float32]
    intrinsics: NDArray[np.float64]
    extrinsics: NDArray[np.float64]
    orthographic: NDArray[np.bool_]

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> Joints:
        """Stack the values of single figures, each a mapping by the names above."""
        return cls(
            **{
                name: np.array([row[name] for row in rows], kind).reshape(len(rows), *shape)
                for name, (shape, kind) in _JOINT_ARRAYS.items()
            }
        )

    def save(self, path: Path) -> None:
        """Write the file; equal labels are equal files.

        Raises:
            OSError: the folder cannot be written or the disk is full.
        """
        write_arrays(path, {name: getattr(self, name) for name in _JOINT_ARRAYS})

    @classmethod
    def load(cls, path: Path) -> Joints:
        """Read a file.

        Raises:
            UserError: it is not a whole file of that kind.
        """
        try:
            with np.load(path, allow_pickle=False) as data:
                arrays = {name: data[name] for name in _JOINT_ARRAYS}
        except DAMAGE as error:
            raise UserError(f"{path} is not a file of 3D joints: {error}.") from error
        count = len(arrays["rows"])
        for name, (shape, _) in _JOINT_ARRAYS.items():
            if arrays[name].shape != (count, *shape):
                raise UserError(f"{path} is damaged: {name} has the shape {arrays[name].shape}.")
        return cls(**arrays)

    def camera(self, row: int, size: tuple[int, int]) -> Camera:
        """The camera of a row.

        Args:
            row: the row.
            size: width and height of the picture, pixels.
        """
        k, rt = self.intrinsics[row], self.extrinsics[row]
        return Camera(
            rotation=rt[:, :3],
            translation=rt[:, 3],
            focal=float(k[0, 0]),
            centre=k[:2, 2],
            size=size,
            orthographic=bool(self.orthographic[row]),
        )


@dataclass(frozen=True)
class Clip:
    """A finished clip.

    Attributes:
        folder: the dataset that it belongs to.
        name: of the clip.
        poses: how many poses it shows.
        views: each drawing's image entry and the annotations of its figures, without ids.
    """

    folder: Folder
    name: str
    poses: int
    views: list[tuple[Entry, list[Entry]]]

    def picture_path(self, image: Entry, label: str = "images") -> Path:
        """The PNG of a drawing (``images``) or of one of ``dataset.MAPS``."""
        return self.folder.path / label / Path(image["file_name"]).relative_to("images")

    def picture(self, image: Entry, label: str = "images") -> NDArray[np.generic] | None:
        """A drawing or its label, as stored; None where there is no such file.

        Returns:
            ``[H, W]`` uint8 (``images``, ``parts``), ``[H, W]`` uint16 (``depth``), or
            ``[H, W, 3]`` uint8 chart, u, v (``uv``).

        Raises:
            UserError: the file is damaged.
        """
        path = self.picture_path(image, label)
        try:
            data = np.frombuffer(path.read_bytes(), np.uint8)
        except FileNotFoundError:
            return None
        mode = cv2.IMREAD_GRAYSCALE if label == "images" else cv2.IMREAD_UNCHANGED
        try:
            pixels = cv2.imdecode(data, mode)
        except cv2.error:  # an empty file, or one that says it is enormous
            pixels = None
        if pixels is None or pixels.ndim != (3 if label == "uv" else 2):
            raise UserError(f"{path} is damaged; delete clips/{self.name}.json and render again.")
        return pixels[..., ::-1] if pixels.ndim == 3 else pixels

    def mask(self, figure: Entry) -> NDArray[np.bool_]:
        """Where a figure is seen (label ``mask``), ``[H, W]`` bool.

        Raises:
            UserError: the figure has no mask, or one that does not decode.
        """
        try:
            return rle.decode(figure["segmentation"])
        except (KeyError, ValueError) as error:
            raise UserError(
                f"A mask in clips/{self.name}.json does not decode; delete it and render again."
            ) from error

    @cached_property
    def strokes(self) -> StrokePack | None:
        """The clip's stroke record (label ``strokes``); None where it has none.

        Raises:
            UserError: the file is damaged.
        """
        path = self.folder.path / "strokes" / f"{self.name}.npz"
        if not path.exists():
            return None
        try:
            return StrokePack.load(path)
        except DAMAGE as error:
            raise UserError(
                f"{path} is damaged ({error}); delete clips/{self.name}.json and render again."
            ) from error

    @cached_property
    def joints(self) -> Joints | None:
        """The clip's 3D joints and cameras (label ``3d``); None where it has none.

        Raises:
            UserError: the file is damaged.
        """
        path = self.folder.path / "joints" / f"{self.name}.npz"
        return Joints.load(path) if path.exists() else None

    @cached_property
    def stroke_rows(self) -> dict[tuple[int, int, int], int]:
        """Row of the stroke record for each (frame, camera, figure); empty without a record."""
        if self.strokes is None:
            return {}
        columns = np.column_stack([self.strokes.frame, self.strokes.camera, self.strokes.figure])
        return dict(_rows(columns))

    @cached_property
    def joint_rows(self) -> dict[tuple[int, int, int], int]:
        """Row of the 3D joints for each (frame, camera, figure); empty without the label."""
        return {} if self.joints is None else dict(_rows(self.joints.rows))


def _rows(columns: NDArray[np.integer]) -> Iterator[tuple[tuple[int, int, int], int]]:
    for row, (frame, camera, figure) in enumerate(columns.tolist()):
        yield (frame, camera, figure), row
