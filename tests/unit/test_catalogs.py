"""The catalog "Croquis" of an asset library: found, added, or left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from addon.core.catalogs import FILE, croquis_catalog

NONE = "00000000-0000-0000-0000-000000000000"
HEAD = "# This is an Asset Catalog Definition file for Blender.\n\nVERSION 1\n\n"
FEET = "00112233-4455-6677-8899-aabbccddeeff:Poses/Feet:Poses-Feet\n"


@pytest.mark.parametrize("text", [HEAD, HEAD + FEET, HEAD + FEET.strip()])
def test_it_is_added_once(tmp_path: Path, text: str) -> None:
    path = tmp_path / FILE
    path.write_text(text)
    identifier = croquis_catalog(tmp_path)
    assert identifier != NONE
    assert path.read_text().splitlines() == [
        *text.splitlines(),
        f"{identifier}:Croquis:Croquis",
    ]
    after = path.read_bytes()
    assert croquis_catalog(tmp_path) == identifier
    assert path.read_bytes() == after


@pytest.mark.parametrize("line", [":Croquis:Mine", ":Croquis", ": Croquis :Croquis"])
def test_one_that_is_there_is_used(tmp_path: Path, line: str) -> None:
    mine = "fedcba98-7654-3210-0123-456789abcdef"
    text = f"{HEAD}# {NONE}:Croquis:Old\n{NONE[:-1]}1:Croquis/Feet:Feet\n{mine}{line}\n"
    (tmp_path / FILE).write_text(text)
    assert croquis_catalog(tmp_path) == mine
    assert (tmp_path / FILE).read_text() == text


def test_a_library_without_catalogs_gets_none(tmp_path: Path) -> None:
    assert croquis_catalog(tmp_path) == NONE
    assert croquis_catalog(tmp_path / "missing") == NONE
    assert croquis_catalog(None) == NONE
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_used_stays(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"\xff\xfe not text")
    assert croquis_catalog(tmp_path) == NONE
    assert (tmp_path / FILE).read_bytes() == b"\xff\xfe not text"
