"""What is kept of a drawing with the armature that it posed, so that the network runs only once.

The artist's corrections are kept with it (:mod:`.correct`), and what they replace.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import skeleton
from .estimator import Estimate, Sides
from .image import Box
from .readings import LIFTED, Reading

FloatArray = NDArray[np.float32]

_FORMAT = "croquis-estimate-1"


class Keypoint(NamedTuple):
    """One keypoint as the network has found it.

    Attributes:
        x, y: pixels of the picture; NaN where missing.
        score: 0..1.
    """

    x: float
    y: float
    score: float


@dataclass(frozen=True)
class Remembered:
    """An estimate and what the artist has chosen of it.

    Attributes:
        keypoints: ``[23, 2]`` pixels of the picture, as estimated or corrected; NaN where missing.
        scores: ``[23]`` 0..1; 1 of a corrected keypoint, 0 of one that the artist has hidden.
        sides: how sure left and right are.
        box: the figure's box, pixels of the picture.
        size: the picture's width and height, pixels.
        image: the picture's name in the file.
        reading: the chosen reading in depth.
        number: which of the scene's Croquis cameras and reference images belong to it.
        found: what the corrected and hidden keypoints were, by name.
        stretch: whether arms and legs are as long as they are drawn.
    """

    keypoints: FloatArray
    scores: FloatArray
    sides: Sides
    box: Box
    size: tuple[int, int]
    image: str
    reading: Reading = LIFTED
    number: int = 1
    found: Mapping[str, Keypoint] = field(default_factory=dict)
    stretch: bool = False

    @classmethod
    def of(
        cls,
        estimate: Estimate,
        size: tuple[int, int],
        image: str,
        reading: Reading = LIFTED,
        number: int = 1,
    ) -> Remembered:
        """An estimate, its picture's size and name, and what was chosen of it."""
        points, scores = estimate.keypoints, estimate.scores
        return cls(points, scores, estimate.sides, estimate.box, size, image, reading, number)

    def to_json(self) -> str:
        """As one line of JSON; missing keypoints are ``null``."""
        return json.dumps(
            {
                "format": _FORMAT,
                "keypoints": [_numbers(point) for point in self.keypoints],
                "scores": _numbers(self.scores),
                "sides": self.sides._asdict(),
                "box": _numbers(np.array(self.box)),
                "size": list(self.size),
                "image": self.image,
                "reading": {
                    "flipped": sorted(self.reading.flipped),
                    "swapped": sorted(self.reading.swapped),
                },
                "number": self.number,
                "found": {name: _numbers(np.array(one)) for name, one in self.found.items()},
                "stretch": self.stretch,
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str) -> Remembered | None:
        """The way back of :meth:`to_json`; None for any other text."""
        try:
            document = json.loads(text)
            if document["format"] != _FORMAT:
                return None
            return cls._from_document(document)
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return None

    @classmethod
    def _from_document(cls, document: dict[str, Any]) -> Remembered:
        keypoints = np.array(document["keypoints"], np.float32).reshape(skeleton.COUNT, 2)
        scores = np.array(document["scores"], np.float32).reshape(skeleton.COUNT)
        width, height = (int(side) for side in document["size"])
        if min(width, height) < 1:
            raise ValueError("a picture without pixels")
        found = {
            name: Keypoint(*np.array(values, np.float32).tolist())
            for name, values in dict(document["found"]).items()
        }
        if not found.keys() <= skeleton.INDEX.keys():
            raise ValueError("unknown keypoints")
        return cls(
            keypoints=keypoints,
            scores=scores,
            sides=Sides(float(document["sides"]["arms"]), float(document["sides"]["legs"])),
            box=Box(*(float(value) for value in document["box"])),
            size=(width, height),
            image=str(document["image"]),
            reading=Reading.of(document["reading"]["flipped"], document["reading"]["swapped"]),
            number=int(document["number"]),
            found=found,
            stretch=bool(document["stretch"]),
        )


def _numbers(values: NDArray[np.floating]) -> list[float | None]:
    """Plain numbers; JSON knows no NaN."""
    return [round(float(value), 4) if np.isfinite(value) else None for value in values]
