"""COCO's compressed run-length encoding of masks, without pycocotools (Blender has none).

A mask is read column by column; the lengths of its runs, of zeros first, are written as differences
to the run before last, each in groups of five bits, lowest first, as printable characters (the
format of ``maskApi.c`` in the COCO API, Lin et al. 2014).
"""

from __future__ import annotations

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray


class Rle(TypedDict):
    """A mask as COCO's JSON files hold it: ``size`` is [height, width]."""

    size: list[int]
    counts: str


# Seven groups of five bits hold any 32-bit number.
_SHIFTS = 5 * np.arange(7)


def encode(mask: NDArray[np.bool_]) -> Rle:
    """Encode a mask ``[H, W]`` bool."""
    height, width = mask.shape
    flat = np.ascontiguousarray(mask.T, dtype=bool).reshape(-1)
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    # Runs start with zeros: a mask that begins with ones has an empty run before them.
    first = [0, 0] if len(flat) and flat[0] else [0]
    runs = np.diff(np.concatenate([first, edges, [len(flat)]]))
    differences = runs.copy()
    differences[3:] -= runs[1:-2]
    rest = differences[:, None] >> _SHIFTS
    group, rest = rest & 31, rest >> 5
    more = rest != np.where(group & 16, -1, 0)
    written = np.ones(more.shape, bool)
    written[:, 1:] = np.logical_and.accumulate(more[:, :-1], axis=1)
    characters = (group + np.where(more, 32, 0) + 48)[written].astype(np.uint8)
    return {"size": [height, width], "counts": characters.tobytes().decode("ascii")}


def decode(rle: Rle) -> NDArray[np.bool_]:
    """The mask ``[H, W]`` bool of an encoding.

    Raises:
        ValueError: its runs do not add up to its size.
    """
    height, width = rle["size"]
    runs: list[int] = []
    value, shift = 0, 0
    for character in rle["counts"].encode("ascii"):
        group = character - 48
        value |= (group & 31) << shift
        shift += 5
        if group & 32:
            continue
        if group & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value, shift = 0, 0
    if shift or min(runs, default=0) < 0 or sum(runs) != height * width:
        raise ValueError("the run lengths do not fill the mask")
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape(width, height).T
