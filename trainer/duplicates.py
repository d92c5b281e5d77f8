"""Near copies among pictures, to keep what is validated on out of what is adapted to.

A perceptual hash: a small picture's lowest frequencies, each above or below their median (C.
Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010). Another size,
tone or compression changes few of its 64 bits; artists who draw a figure again over an older one
change few of them, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from addon.core import image

NEAR = 10
"""Bits of 64 in which near copies differ at most. Random pictures differ in 32; of the shared
unlabelled drawings 1 % lie within 10 of a validation drawing, nearly all of them the same body."""

_SIDE = 32  # pixels of the shrunk picture
_LOW = 8  # frequencies along each axis


def perceptual_hash(grey: image.GreyArray) -> NDArray[np.bool_]:
    """``[64]`` of what is drawn, wherever it lies on its page.

    Args:
        grey: ``[H, W]`` uint8.
    """
    low, high = int(grey.min()), int(grey.max())
    rows, columns = np.nonzero(grey < (low + high) / 2)
    if rows.size:
        grey = grey[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    spectrum = cv2.dct(small.astype(np.float32))[:_LOW, :_LOW].ravel()
    return spectrum > np.median(spectrum[1:])  # the first is the mean, far above all others


def near_copies(pictures: Sequence[Path], others: Sequence[Path]) -> NDArray[np.bool_]:
    """Which pictures show what one of the others shows, as it is or mirrored.

    Args:
        pictures: files to judge.
        others: files to compare with.

    Returns:
        ``[len(pictures)]``.

    Raises:
        UserError: a file is not a picture.
    """
    if not pictures or not others:
        return np.zeros(len(pictures), dtype=bool)
    greys = [image.load_grey(path) for path in others]
    known = np.array([perceptual_hash(g) for grey in greys for g in (grey, grey[:, ::-1])])
    found = np.array([perceptual_hash(image.load_grey(path)) for path in pictures])
    return np.array([(one != known).sum(axis=1).min() <= NEAR for one in found])
