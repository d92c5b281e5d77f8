"""Pictures that change with time: numbered files and movie files, frame by frame."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import UserError


def numbered_files(path: Path) -> list[tuple[int, Path]]:
    """The files of an image sequence, of which one is known.

    Files belong together whose names differ in the last number only; of those the run without a
    gap counts that the known file is in.

    Args:
        path: one of them.

    Returns:
        Number and file, rising; the known file alone (as number 1) where it has no number or does
        not exist.
    """
    name = re.fullmatch(r"(.*?)(\d+)(\D*)", path.stem)
    if name is None or not path.is_file():
        return [(1, path)]
    before, number, after = name.groups()
    pattern = re.compile(rf"{re.escape(before)}(\d+){re.escape(after + path.suffix)}")
    # Of files with the same number, the one counts that is written with as many digits.
    files = sorted(path.parent.iterdir(), key=lambda file: len(file.name) == len(path.name))
    found = {int(match[1]): file for file in files if (match := pattern.fullmatch(file.name))}
    first = last = int(number)
    while first - 1 in found:
        first -= 1
    while last + 1 in found:
        last += 1
    return [(n, found[n]) for n in range(first, last + 1)]


def movie_frame(path: Path, number: int) -> NDArray[np.uint8]:
    """A frame of a movie file.

    Args:
        path: any movie that OpenCV reads.
        number: from 0 on; the last frame stands for what comes after it.

    Returns:
        ``[H, W, 3]`` uint8: blue, green, red.

    Raises:
        UserError: there is no such file, or it is no movie.
    """
    if not path.is_file():
        raise UserError(f"There is no movie at {path}; choose another file.")
    movie = cv2.VideoCapture(str(path))
    try:
        last = int(movie.get(cv2.CAP_PROP_FRAME_COUNT)) - 1
        movie.set(cv2.CAP_PROP_POS_FRAMES, max(min(number, last), 0))
        whole, picture = movie.read()
    finally:
        movie.release()
    if not whole:
        raise UserError(
            f"{path.name} is damaged or is not a movie that Croquis can read; save it as pictures."
        )
    return np.asarray(picture, np.uint8)
