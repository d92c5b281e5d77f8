"""Poses as JSON files: what was found in a drawing, and what became of it on an armature.

docs/pose_files.md describes the format for other programs. The drawing's part (:class:`Remembered`)
is all that Croquis needs to pose the same rig or another one again; the rest is for others to read.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import skeleton
from .camera import Camera
from .errors import UserError
from .estimator import Sides
from .files import write_whole
from .image import Box
from .readings import Reading
from .remembered import Remembered

FloatArray = NDArray[np.float64]

FORMAT = "croquis-pose"
VERSION = 1


@dataclass(frozen=True)
class BonePose:
    """What turns and moves one pose bone from its rest pose: Blender's ``matrix_basis``.

    Attributes:
        rotation: quaternion w, x, y, z of length one, in the bone's own axes.
        location: in the bone's own axes and the armature's unit.
        scale: along the bone's own axes.
    """

    rotation: tuple[float, float, float, float]
    location: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class PoseFile:
    """A drawing's figure and the pose that an armature has taken from it.

    Attributes:
        drawing: the 2D estimate and the reading that was chosen.
        joints: ``[23, 3]`` the posed keypoints, Blender's world space, metres.
        armature: the armature object's name.
        bones: the posed bones by name.
        camera: the drawing's view.
    """

    drawing: Remembered
    joints: FloatArray
    armature: str
    bones: Mapping[str, BonePose]
    camera: Camera

    def save(self, path: Path) -> None:
        """Write it in one piece.

        Raises:
            OSError: the folder cannot be written or the disk is full.
        """
        text = json.dumps(self._document(), indent=1, ensure_ascii=False)
        write_whole(path, f"{text}\n".encode())

    def _document(self) -> dict[str, Any]:
        drawing, camera = self.drawing, self.camera
        width, height = drawing.size
        points = np.column_stack([drawing.keypoints, drawing.scores])
        return {
            "format": FORMAT,
            "version": VERSION,
            "image": {"name": drawing.image, "width": width, "height": height},
            "box": _rounded(drawing.box),
            "sides": {
                name: _rounded([value])[0] for name, value in drawing.sides._asdict().items()
            },
            "reading": {
                "flipped": sorted(drawing.reading.flipped),
                "swapped": sorted(drawing.reading.swapped),
            },
            "stretch": drawing.stretch,
            "keypoints": _by_name(points),
            "joints": _by_name(self.joints),
            "camera": {
                "kind": "orthographic" if camera.orthographic else "perspective",
                "rotation": [_rounded(row, 9) for row in camera.rotation],
                "translation": _rounded(camera.translation, 6),
                "scale": camera.focal,
                "centre": _rounded(camera.centre),
            },
            "armature": self.armature,
            "bones": {
                name: {
                    "rotation": _rounded(bone.rotation, 9),
                    "location": _rounded(bone.location, 9),
                    "scale": _rounded(bone.scale, 9),
                }
                for name, bone in self.bones.items()
            },
        }


def load(path: Path) -> PoseFile:
    """Read what :meth:`PoseFile.save` wrote.

    Raises:
        UserError: the file is not a whole pose of a version that this one knows.
        OSError: the file cannot be read.
    """
    try:
        return _from_document(json.loads(path.read_bytes()))
    except KeyError as error:
        fault = f"it has no “{error.args[0]}”"
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        fault = "it is not JSON, or is cut short"
    except ValueError as error:
        fault = str(error)
    except (TypeError, AttributeError, OverflowError):
        fault = "a list, a table or a number is not where it should be"
    raise UserError(f"{path.name} is not a pose of Croquis: {fault}; choose another file.")


def _from_document(document: Any) -> PoseFile:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"it is not marked as “{FORMAT}”")
    if document["version"] != VERSION:
        raise ValueError(
            f"it is of version {document['version']}, and this Croquis reads {VERSION}"
        )
    image, sides, reading = (document[key] for key in ("image", "sides", "reading"))
    size = (_count(image["width"], "width"), _count(image["height"], "height"))
    points = _from_names(document["keypoints"], 3, "keypoints")
    drawing = Remembered(
        keypoints=points[:, :2].astype(np.float32),
        scores=np.nan_to_num(points[:, 2]).clip(0, 1).astype(np.float32),
        sides=Sides(*(_numbers([sides[name]], 1, "sides")[0] for name in Sides._fields)),
        box=Box(*_numbers(document["box"], 4, "box")),
        size=size,
        image=str(image["name"]),
        reading=Reading.of(reading["flipped"], reading["swapped"]),
        stretch=bool(document.get("stretch", False)),
    )
    bones = {
        name: BonePose(
            _numbers(bone["rotation"], 4, "rotations"),
            _numbers(bone["location"], 3, "locations"),
            _numbers(bone.get("scale", (1, 1, 1)), 3, "scales"),
        )
        for name, bone in document["bones"].items()
    }
    joints = _from_names(document["joints"], 3, "joints")
    camera = _camera(document["camera"], size)
    return PoseFile(drawing, joints, str(document["armature"]), bones, camera)


def _camera(document: Mapping[str, Any], size: tuple[int, int]) -> Camera:
    kind = document["kind"]
    if kind not in ("orthographic", "perspective"):
        raise ValueError(f"its camera is neither orthographic nor perspective but “{kind}”")
    rotation = [value for row in document["rotation"] for value in row]
    return Camera(
        rotation=np.array(_numbers(rotation, 9, "camera's axes")).reshape(3, 3),
        translation=np.array(_numbers(document["translation"], 3, "camera")),
        focal=_numbers([document["scale"]], 1, "camera")[0],
        centre=np.array(_numbers(document["centre"], 2, "camera")),
        size=size,
        orthographic=kind == "orthographic",
    )


def _by_name(rows: NDArray[np.floating]) -> dict[str, list[float | None]]:
    return {name: _rounded(row) for name, row in zip(skeleton.KEYPOINTS, rows, strict=True)}


def _from_names(values: Mapping[str, Any], length: int, what: str) -> FloatArray:
    """``[23, length]`` from one list of numbers a keypoint; NaN for ``null``."""
    return np.array([_numbers(values[n], length, what, nulls=True) for n in skeleton.KEYPOINTS])


def _rounded(values: Sequence[float] | NDArray[np.floating], digits: int = 5) -> list[float | None]:
    """Plain numbers; JSON knows no NaN."""
    return [round(float(v), digits) if math.isfinite(v) else None for v in values]


def _numbers(values: Any, length: int, what: str, nulls: bool = False) -> tuple[Any, ...]:
    """So many finite numbers.

    Raises:
        ValueError: they are not.
    """
    numbers = [math.nan if nulls and value is None else value for value in values]
    if len(numbers) != length or any(
        isinstance(value, bool) or not isinstance(value, int | float) or math.isinf(value)
        for value in numbers
    ):
        raise ValueError(f"its {what} are not {length} numbers")
    if not nulls and any(map(math.isnan, numbers)):
        raise ValueError(f"its {what} hold something that is not a number")
    return tuple(map(float, numbers))


def _count(value: Any, what: str) -> int:
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"its image has no {what} in pixels")
    return value
