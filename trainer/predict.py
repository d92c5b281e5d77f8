"""Find the keypoints of drawings with a trained network."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from addon.core import image, skeleton
from addon.core.errors import UserError
from addon.core.estimator import SHIPPED, Estimate, Estimator
from addon.core.files import write_whole

from .inference import open_estimator

_BLUE, _RED, _GREY = (200, 80, 20), (30, 30, 210), (90, 140, 90)  # BGR


def load_boxes(path: Path) -> dict[str, image.Box]:
    """File name -> box of the (first) figure, from COCO annotations.

    Raises:
        UserError: the file is missing or not in COCO's format.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        names = {picture["id"]: picture["file_name"] for picture in data["images"]}
        boxes: dict[str, image.Box] = {}
        for one in data["annotations"]:
            boxes.setdefault(Path(names[one["image_id"]]).name, image.Box(*one["bbox"]))
    except OSError as error:
        raise UserError(f"There is no file with boxes at {path}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is not in COCO's format, which --boxes needs.") from error
    return boxes


def predict(
    estimator: Estimator,
    path: Path,
    boxes: Mapping[str, image.Box] | None = None,
    flip: bool = True,
    figure: int = 0,
) -> Estimate:
    """The keypoints of a picture's figure, in pixels of the file.

    Args:
        estimator: the network.
        path: of the picture.
        boxes: of the figures by file name; None looks for the figure in the ink.
        flip: average with the mirror image.
        figure: where it is looked for, which of several, 0 being the largest.

    Raises:
        UserError: the file is no picture, has no box, or is an empty page.
    """
    grey = image.load_grey(path)
    if boxes is not None and path.name not in boxes:
        raise UserError(f"There is no box for {path.name}; use --boxes ink to look for the figure.")
    box = None if boxes is None else boxes[path.name]
    return estimator.estimate(grey, box, figure, flip_test=flip)


def overlay(grey: image.GreyArray, keypoints: NDArray[np.floating]) -> NDArray[np.uint8]:
    """The skeleton over a pale drawing: the character's left blue, its right red, BGR."""
    scale = max(1.0, 512 / max(grey.shape))
    pale = cv2.resize(255 - (255 - grey) // 2, None, fx=scale, fy=scale)
    canvas = cv2.cvtColor(pale, cv2.COLOR_GRAY2BGR)
    places = [tuple(int(round(v * 16)) for v in point * scale) for point in keypoints]  # 1/16 pixel
    width = max(2, round(max(canvas.shape) / 200))
    for parent, child in skeleton.BONES:
        name = skeleton.KEYPOINTS[child]
        colour = _BLUE if name.startswith("Left") else _RED if name.startswith("Right") else _GREY
        cv2.line(canvas, places[parent], places[child], colour, width, cv2.LINE_AA, shift=4)
    return canvas


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``python -m trainer predict``."""
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="drawings")
    parser.add_argument("--model", type=Path, default=SHIPPED, help=".onnx file or checkpoint")
    parser.add_argument(
        "--boxes", default="ink", help="COCO file with the figures' boxes, or ink to look for them"
    )
    parser.add_argument(
        "--box",
        type=float,
        nargs=4,
        metavar=("X", "Y", "WIDTH", "HEIGHT"),
        help="of the figure in a single drawing, pixels, instead of --boxes",
    )
    parser.add_argument(
        "--figure",
        type=int,
        default=1,
        metavar="K",
        help="of several figures on a page, the K-th largest (default: %(default)s)",
    )
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    parser.add_argument(
        "--no-flip",
        dest="flip",
        action="store_false",
        help="do not average with the mirror image: half the time, less precise",
    )
    parser.add_argument("--device", default="cpu", help="for checkpoints: cpu, cuda")
    parser.add_argument("--overlay", type=Path, metavar="DIR", help="also draw each skeleton there")


def main(arguments: argparse.Namespace) -> None:
    """Write ``[{"file_name", "keypoints": {NAME: [x, y, score]}, "score"}]``."""
    boxes = None if arguments.boxes == "ink" else load_boxes(Path(arguments.boxes))
    if arguments.box:
        if len(arguments.images) > 1:
            raise UserError("Give one drawing with --box, or the boxes of all with --boxes FILE.")
        boxes = {arguments.images[0].name: image.Box(*arguments.box)}
    estimator = open_estimator(arguments.model, arguments.device)
    answers = [
        predict(estimator, path, boxes, arguments.flip, arguments.figure - 1)
        for path in arguments.images
    ]
    results = [
        as_record(path, answer) for path, answer in zip(arguments.images, answers, strict=True)
    ]
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(arguments.out, (json.dumps(results) + "\n").encode())
    if arguments.overlay:
        _write_overlays(arguments.overlay, arguments.images, [one.keypoints for one in answers])
    print(f"{len(results)} drawings -> {arguments.out}")


def as_record(path: Path, estimate: Estimate) -> dict[str, object]:
    """One drawing's entry in the results; its score is the mean over the common joints."""
    columns = [estimate.keypoints.astype(float).round(2), estimate.scores.astype(float).round(4)]
    rows = np.column_stack(columns).tolist()
    return {
        "file_name": path.name,
        "keypoints": dict(zip(skeleton.KEYPOINTS, rows, strict=True)),
        "score": round(float(estimate.scores[list(skeleton.COMMON_INDEX)].mean()), 4),
    }


def _write_overlays(
    folder: Path, paths: Sequence[Path], keypoints: Sequence[NDArray[np.floating]]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path, points in zip(paths, keypoints, strict=True):
        data = cv2.imencode(".png", overlay(image.load_grey(path), points))[1].tobytes()
        write_whole(folder / f"{path.stem}.png", data)
