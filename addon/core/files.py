"""Files and folders: what a folder holds, and files that are whole or absent."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .errors import UserError


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


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A place beside ``path`` to write to, renamed to ``path`` when the block ends well.

    Whatever goes wrong (a full disk, Esc, an exception), no half-written file keeps the final name,
    and an older file of that name stays as it was.

    Yields:
        The path to write.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """
    temporary = path.with_name(path.name + ".part")
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
