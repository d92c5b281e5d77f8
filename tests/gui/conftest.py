"""A real Blender with the extension installed from its zip, in a configuration of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import build_extension
from scripts.build_extension import ROOT
from tests.gui.real_blender import RealBlender, find_program


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension's zip, freshly built."""
    program = find_program()
    if not program:
        pytest.skip("no real Blender: set REAL_BLENDER to one")
    checker = build_extension.find_checker(program)
    return build_extension.build("linux-x64", tmp_path_factory.mktemp("zip"), checker)


@pytest.fixture(scope="session")
def blender(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> RealBlender:
    """The real Blender, with the extension installed and enabled."""
    program = find_program()
    assert program
    result = RealBlender(program, tmp_path_factory.mktemp("blender") / "resources")
    result.install(archive)
    return result


@pytest.fixture(scope="session")
def drawing() -> Path:
    """One of the examples."""
    return min((ROOT / "examples").glob("*.png"))
