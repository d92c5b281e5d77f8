"""The dataset on disk: COCO keypoints JSON beside the pictures and the stroke records.

``annotations.json`` follows the COCO keypoint format (cocodataset.org, "Data format"), with our 23
keypoints; each image also says which character, animation, frame and camera it shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import skeleton
from .errors import UserError
from .files import write_whole

CATEGORY: dict[str, Any] = {
    "id": 1,
    "name": "person",
    "supercategory": "person",
    "keypoints": list(skeleton.KEYPOINTS),
    # COCO counts keypoints from 1.
    "skeleton": [[parent + 1, child + 1] for parent, child in skeleton.BONES],
}


def annotation(
    keypoints: NDArray[np.floating],
    visibility: NDArray[np.integer],
    box: Sequence[float],
    area: float,
) -> dict[str, Any]:
    """One figure's COCO annotation, without its ids.

    Args:
        keypoints: ``[23, 2]`` pixels. COCO's own files count pixel centres from 0; Croquis' count
            from 0.5 like the rest of the project, and ``info`` says so.
        visibility: ``[23]``, 0 outside the picture (written as 0, 0, 0), 1 hidden, 2 seen.
        box: x, y, width, height in pixels.
        area: of the silhouette, square pixels.
    """
    seen = np.asarray(visibility) > 0
    rows = np.column_stack([np.where(seen[:, None], keypoints, 0), visibility])
    return {
        "category_id": CATEGORY["id"],
        "iscrowd": 0,
        "bbox": [round(float(value), 2) for value in box],
        "area": round(float(area), 2),
        "num_keypoints": int(seen.sum()),
        "keypoints": [round(float(value), 2) for value in rows.ravel()],
    }


def write(
    path: Path, entries: Iterable[tuple[dict[str, Any], list[dict[str, Any]]]], **info: Any
) -> int:
    """Write a COCO file from (image, its annotations) pairs; ids are given here, from 1, in order.

    The file is written beside ``path`` and renamed, so that no half-written file keeps the name.

    Returns:
        The number of images.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image, figures in entries:
        images.append({"id": len(images) + 1, **image})
        for figure in figures:
            annotations.append({"id": len(annotations) + 1, "image_id": len(images), **figure})
    document = {
        "info": {"description": "Croquis sketch dataset", "pixel_centre": 0.5, **info},
        "images": images,
        "annotations": annotations,
        "categories": [CATEGORY],
    }
    write_whole(path, json.dumps(document, separators=(",", ":")).encode())
    return len(images)


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
        elif len(figure.get("keypoints", ())) != 3 * categories[figure["category_id"]]:
            problems.append(f"{name} has {len(figure.get('keypoints', ())) / 3:g} keypoints")
    return problems
