"""Files and folders: what a folder holds, and files that are whole or absent."""

from __future__ import annotations

import contextlib
import io
import os
import platform
import re
import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import UserError

_HOST = re.sub(r"[^A-Za-z0-9-]", "-", platform.node())[:40]
_DAY = 24 * 60 * 60  # seconds

DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, OSError, EOFError),
    *(KeyError, TypeError, ValueError, SyntaxError, RuntimeError, MemoryError),
)
"""What NumPy and zipfile raise on files that are cut short, damaged or something else."""


def files_in(folder: Path, suffixes: tuple[str, ...], kind: str) -> list[Path]:
    """The files of a folder that have one of the suffixes (lower case, with dot), sorted by name.

    Args:
        folder: where to look; folders below it are not searched.
        suffixes: the endings.
        kind: what such a file is, for the error's sentence.

    Raises:
        UserError: the folder does not exist or holds no such file.
    """
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}.")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes)
    if not files:
        raise UserError(f"{folder} holds no {kind}; put {', '.join(suffixes)} files there.")
    return files


def part_path(path: Path) -> Path:
    """Where this process writes a file before it is whole: ``NAME.HOST+PID.part`` beside it."""
    return path.with_name(f"{path.name}.{_HOST}+{os.getpid()}.part")


def remove_abandoned(folder: Path) -> None:
    """Delete the parts of files, here and below, whose writers were killed.

    Those are the parts of this machine's processes that live no more. Of another machine's
    processes nothing is known, so their parts go when nobody has touched them for a day.

    Raises:
        OSError: a part cannot be deleted.
    """
    for _ in removing_abandoned(folder):
        pass


def removing_abandoned(folder: Path) -> Iterator[None]:
    """:func:`remove_abandoned` in steps of one folder each, for those who cannot wait."""
    for place, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".part"):
                _remove_if_abandoned(Path(place, name))
        yield


def _remove_if_abandoned(part: Path) -> None:
    host, _, process = part.name.removesuffix(".part").rpartition(".")[2].rpartition("+")
    with contextlib.suppress(FileNotFoundError):  # it has become whole meanwhile
        old = time.time() - part.stat().st_mtime > _DAY
        if old or (host == _HOST and process.isdigit() and not _lives(int(process))):
            part.unlink()


def _lives(process: int) -> bool:
    """Whether there is such a process on this machine; yes where that cannot be told."""
    if os.name == "nt":  # where os.kill ends the process whatever the signal
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A place beside ``path`` to write to, renamed to ``path`` when the block ends well.

    Whatever goes wrong (a full disk, Esc, an exception), no half-written file keeps the final name,
    and an older file of that name stays as it was. Several processes may write the same file at
    the same time: the last to end wins. A killed one leaves its part behind for
    :func:`remove_abandoned`.

    Yields:
        The path to write.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """
    temporary = part_path(path)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file in one piece; see :func:`written_whole`."""
    with written_whole(path) as temporary:
        temporary.write_bytes(data)


def write_arrays(path: Path, arrays: Mapping[str, NDArray]) -> None:
    """Write named arrays as a compressed ``.npz`` in one piece; see :func:`written_whole`.

    ``np.savez`` notes the time of day in the file; here equal arrays are equal bytes.

    Args:
        path: the file.
        arrays: name -> array, written in this order; object arrays are refused.

    Raises:
        OSError: the folder cannot be written or the disk is full (nothing is left behind).
        ValueError: an array holds Python objects.
    """
    with (
        written_whole(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive,
    ):
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.asarray(array), allow_pickle=False)
            info = zipfile.ZipInfo(name + ".npy")  # of 1980, ZipInfo's default
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, buffer.getvalue())


def write_png(path: Path, image: NDArray[np.integer]) -> None:
    """Write a picture in one piece, making its folder; see :func:`written_whole`.

    Args:
        path: the file.
        image: ``[H, W]`` or ``[H, W, 3]`` red, green, blue; uint8 or uint16.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """
    # cv2.imwrite cannot open every path on Windows and hides the reason of a failure.
    _, data = cv2.imencode(".png", image[..., ::-1] if image.ndim == 3 else image)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data.tobytes())
