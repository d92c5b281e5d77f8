"""The dataset on disk: COCO keypoints JSON beside the pictures and the stroke records.

``annotations.json`` follows the COCO keypoint format (cocodataset.org, "Data format"), with our 23
keypoints; each image also says which character, animation, frame and camera it shows.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import skeleton
from .errors import UserError
from .files import part_path

CATEGORY: dict[str, Any] = {
    "id": 1,
    "name": "person",
    "supercategory": "person",
    "keypoints": list(skeleton.KEYPOINTS),
    # COCO counts keypoints from 1.
    "skeleton": [[parent + 1, child + 1] for parent, child in skeleton.BONES],
}


def annotation(
    box: Sequence[float],
    area: float,
    keypoints: NDArray[np.floating] | None = None,
    visibility: NDArray[np.integer] | None = None,
    **extra: Any,
) -> dict[str, Any]:
    """One figure's COCO annotation, without its ids.

    Args:
        box: x, y, width, height in pixels.
        area: of the silhouette, square pixels.
        keypoints: ``[23, 2]`` pixels. COCO's own files count pixel centres from 0; Croquis' count
            from 0.5 like the rest of the project, and ``info`` says so.
        visibility: ``[23]``, 0 outside the picture (written as 0, 0, 0), 1 hidden, 2 seen.
        extra: more of COCO's fields (``segmentation``), or fields of our own.
    """
    entry: dict[str, Any] = {
        "category_id": CATEGORY["id"],
        "iscrowd": 0,
        "bbox": [round(float(value), 2) for value in box],
        "area": round(float(area), 2),
        **extra,
    }
    if keypoints is not None and visibility is not None:
        seen = np.asarray(visibility) > 0
        rows = np.column_stack([np.where(seen[:, None], keypoints, 0), visibility])
        entry["num_keypoints"] = int(seen.sum())
        entry["keypoints"] = [round(float(value), 2) for value in rows.ravel()]
    return entry


class Writer:
    """Writes a COCO file entry by entry; ids are given here, from 1, in order.

    Use it as a context: the file is written beside its place and renamed when the block ends well,
    so that no half-written file keeps the name. Entries go straight to the disk: a million of them
    need no more memory than one.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """

    def __init__(self, path: Path, **info: Any) -> None:
        self.path = path
        self.images = self.figures = 0
        self._info = {"description": "Croquis sketch dataset", "pixel_centre": 0.5, **info}
        self._parts = [part_path(path), part_path(path.with_name(path.name + ".figures"))]
        self._files = [part.open("w+", encoding="utf-8") for part in self._parts]
        self._files[0].write(f'{{"info":{_compact(self._info)},"images":[')

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            for file, part in zip(self._files, self._parts, strict=True):
                with contextlib.suppress(OSError):  # the disk may be full: what counts is over
                    file.close()
                part.unlink(missing_ok=True)

    def add(self, image: dict[str, Any], figures: list[dict[str, Any]]) -> None:
        """Add an image and its annotations."""
        document, annotations = self._files
        document.write("," * (self.images > 0) + _compact({"id": self.images + 1, **image}))
        self.images += 1
        for figure in figures:
            ids = {"id": self.figures + 1, "image_id": self.images}
            annotations.write("," * (self.figures > 0) + _compact(ids | figure))
            self.figures += 1

    def _finish(self) -> None:
        document, annotations = self._files
        document.write('],"annotations":[')
        annotations.seek(0)
        shutil.copyfileobj(annotations, document)
        document.write(f'],"categories":[{_compact(CATEGORY)}]}}')
        document.close()
        self._parts[0].replace(self.path)


def write(
    path: Path, entries: Iterable[tuple[dict[str, Any], list[dict[str, Any]]]], **info: Any
) -> int:
    """Write a COCO file from (image, its annotations) pairs; see :class:`Writer`.

    Returns:
        The number of images.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """
    with Writer(path, **info) as writer:
        for image, figures in entries:
            writer.add(image, figures)
    return writer.images


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def read(path: Path) -> dict[str, Any]:
    """Read a COCO keypoint file and check that its parts refer to each other.

    Raises:
        UserError: it cannot be read, or is not a COCO keypoint file.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as COCO JSON: {error}.") from error
    problems = validate(document)
    if problems:
        raise UserError(f"{path} is not a COCO keypoint file: {problems[0]}.")
    return document


def validate(document: Any) -> list[str]:
    """What is wrong with a COCO keypoint document, each in a few words; empty when it is sound."""
    if not isinstance(document, dict):
        return ["it is not an object"]
    missing = [k for k in ("images", "annotations", "categories") if k not in document]
    if missing:
        return [f"it has no {', no '.join(missing)}"]
    problems = []
    categories = {c["id"]: len(c.get("keypoints", ())) for c in document["categories"]}
    images = {image["id"] for image in document["images"]}
    if len(images) != len(document["images"]):
        problems.append("two images share an id")
    for figure in document["annotations"]:
        name = f"annotation {figure.get('id')}"
        if figure.get("image_id") not in images:
            problems.append(f"{name} belongs to no image")
        if figure.get("category_id") not in categories:
            problems.append(f"{name} has no category")
        elif (
            "keypoints" in figure
            and len(figure["keypoints"]) != 3 * categories[figure["category_id"]]
        ):
            problems.append(f"{name} has {len(figure.get('keypoints', ())) / 3:g} keypoints")
    return problems
