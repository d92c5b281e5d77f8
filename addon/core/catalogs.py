"""Asset catalogs: the text file in which Blender keeps the folders of an asset library."""

from __future__ import annotations

from pathlib import Path

from .files import write_whole

FILE = "blender_assets.cats.txt"
"""Its name, in the library's folder."""

NAME = "Croquis"
_ID = "3f0c2a5e-6d0b-4c79-9a41-c7b6d1e0f5a8"  # one for all libraries, so that they agree
_NONE = "00000000-0000-0000-0000-000000000000"


def croquis_catalog(folder: Path | None) -> str:
    """The identifier of the catalog "Croquis" of a library, which is added where it is missing.

    Args:
        folder: of the library; None for a file that has not been saved yet.

    Returns:
        The catalog's UUID; that of "Unassigned" where the library keeps no catalogs, or keeps them
        in a file that cannot be read or written.
    """
    if folder is None:
        return _NONE
    path = folder / FILE
    try:
        text = path.read_text("utf-8")
        known = _find(text)
        if known:
            return known
        # Blender skips the display name that may follow a second colon; here it is the path's own.
        end = "" if text.endswith("\n") else "\n"
        write_whole(path, f"{text}{end}{_ID}:{NAME}:{NAME}\n".encode())
    except (OSError, UnicodeDecodeError):
        return _NONE
    return _ID


def _find(text: str) -> str:
    """The identifier of the catalog whose path is "Croquis", or ""."""
    for line in text.splitlines():
        identifier, _, rest = line.strip().partition(":")
        if rest.partition(":")[0].strip() == NAME and not identifier.startswith("#"):
            return identifier
    return ""
