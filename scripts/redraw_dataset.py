"""Draw a dataset's stroke records again in another style, without Blender.

python scripts/redraw_dataset.py out/dataset out/redrawn --ink pencil --size 512

The new folder holds pictures and COCO annotations (keypoints, boxes, masks) of the new size. A run
that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import cv2
import numpy as np

from addon.core import dataset, rle
from addon.core.errors import UserError
from addon.core.files import remove_abandoned, write_png, write_whole
from addon.core.folder import Clip, Entry, Folder
from addon.core.ink import draw_strokes
from scripts._common import run

_KEPT = ("keypoints", "mask")  # the labels that stand in the annotations
_SIZES = (32, 2048)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="redraw_dataset.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add("folder", type=Path, metavar="FOLDER", help="a dataset with the label strokes")
    add("out", type=Path, metavar="OUT", help="the new dataset's folder")
    add(
        "--ink",
        choices=dataset.INKS,
        default="random",
        help="the tool (random: another every time)",
    )
    add("--size", type=int, metavar="PX", help="side of the new pictures (as they are)")
    add("--seed", type=int, default=0, metavar="N", help="of every random choice (0)")
    return result


def main(arguments: list[str]) -> None:
    """Draw, printing one line a clip."""
    options = parser().parse_args(arguments)
    source = Folder(options.folder)
    if "strokes" not in source.labels:
        raise UserError(
            f"{options.folder} has no stroke records; render it with the label strokes."
        )
    if options.seed < 0:
        raise UserError("--seed cannot be negative.")
    size = options.size or int(source.about.get("size", 0))
    if not _SIZES[0] <= size <= _SIZES[1]:
        raise UserError(f"--size must lie between {_SIZES[0]} and {_SIZES[1]}.")
    if options.out.resolve() == options.folder.resolve():
        raise UserError("The redrawn dataset needs a folder of its own.")
    _claim(source, options.out, options.ink, size, options.seed)
    names = source.clips()
    for number, name in enumerate(names, 1):
        done = dataset.poses_done(options.out, name)
        # A larger --limit may have drawn a clip again, with more poses.
        if not done or done < dataset.poses_done(options.folder, name):
            redraw(source.clip(name), options.out, options.ink, size, options.seed)
            print(f"[{number}/{len(names)}] {name}", flush=True)
    print(f"{dataset.gather(options.out)} drawings in {options.out}")


def _claim(source: Folder, out: Path, ink: str, size: int, seed: int) -> None:
    """Describe the new dataset in its folder, or check that it is the one begun there.

    Raises:
        UserError: the folder holds another dataset.
        OSError: it cannot be written.
    """
    ours = {
        **source.about,
        "images": True,
        "labels": [label for label in source.labels if label in _KEPT],
        "ink": ink,
        "size": size,
        "redrawn": {"from": source.path.resolve().name, "seed": seed},
    }
    path = out / "dataset.json"
    if path.exists():
        if dataset.describe(out) != ours:
            raise UserError(
                f"{out} holds another dataset; choose another folder or the same settings."
            )
        remove_abandoned(out)
        return
    (out / "clips").mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(ours, indent=1).encode())


def redraw(clip: Clip, out: Path, ink: str, size: int, seed: int) -> None:
    """Draw a clip's pictures and write its annotations; ``clips/NAME.json`` is written last.

    Args:
        clip: the clip, with stroke records.
        out: the new dataset's folder.
        ink: one of ``dataset.INKS``.
        size: side of the new pictures, pixels.
        seed: of every random choice, together with the picture's name.

    Raises:
        UserError: the clip's stroke record is missing, damaged, or lacks a drawing.
        OSError: the disk is full or the folder cannot be written.
    """
    pack = clip.strokes
    if pack is None:
        raise UserError(
            f"strokes/{clip.name}.npz is missing; delete clips/{clip.name}.json and render again."
        )
    # The first figure's row of a drawing holds the strokes of all of them.
    rows = {key[:2]: row for key, row in reversed(clip.stroke_rows.items())}
    views: list[tuple[Entry, list[Entry]]] = []
    for image, figures in clip.views:
        row = rows.get((image["frame"], image["camera"]))
        if row is None:
            raise UserError(
                f"strokes/{clip.name}.npz lacks {image['file_name']}; "
                f"delete clips/{clip.name}.json and render again."
            )
        scale = size / pack.size
        strokes = [stroke * scale for stroke in pack[row].strokes]
        rng = np.random.default_rng([seed, *image["file_name"].encode()])
        page, record = draw_strokes(strokes, ink, size, rng)
        write_png(out / image["file_name"], page)
        entry = {name: value for name, value in image.items() if name != "depth"}
        # Freestyle's views have the same stroke records as line art's.
        style = "lineart" if image["style"] == "freestyle" else image["style"]
        entry |= {"width": size, "height": size, "style": style, "ink": record}
        views.append((entry, [_scaled(figure, scale, size) for figure in figures]))
    dataset.write_clip(out, clip.name, clip.poses, views)


def _scaled(figure: Entry, scale: float, size: int) -> Entry:
    """A figure's annotation in a picture of another size."""
    result: dict[str, Any] = {
        **figure,
        "bbox": [round(value * scale, 2) for value in figure["bbox"]],
        "area": round(figure["area"] * scale**2, 2),
    }
    if "keypoints" in figure:
        rows = np.array(figure["keypoints"], np.float64).reshape(-1, 3) * (scale, scale, 1)
        result["keypoints"] = [round(value, 2) for value in rows.ravel().tolist()]
    if "segmentation" in figure and scale != 1:
        mask = rle.decode(figure["segmentation"]).astype(np.float32)
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        result["segmentation"] = rle.encode(
            cv2.resize(mask, (size, size), None, 0, 0, method) >= 0.5
        )
    return result


if __name__ == "__main__":
    run(main)
