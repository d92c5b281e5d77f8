"""A real Blender with the extension installed from its zip, in a configuration of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scripts import build_extension
from scripts.build_extension import ROOT
from tests.gui.real_blender import RealBlender

ISOLATED = ROOT.parent / "shared/real-blender/real-blender"
"""A Blender in a system of its own; it brings a screen and xdotool along."""


@pytest.fixture(scope="session")
def blender(tmp_path_factory: pytest.TempPathFactory) -> RealBlender:
    """The real Blender, with the extension freshly built, installed and enabled."""
    program = os.environ.get("REAL_BLENDER") or (str(ISOLATED) if ISOLATED.exists() else None)
    if not program:
        pytest.skip("no real Blender: set REAL_BLENDER to one")
    checker = build_extension.find_checker(program)
    folder = tmp_path_factory.mktemp("blender")
    archive = build_extension.build("linux-x64", folder, checker)
    result = RealBlender(program, folder / "resources")
    (folder / "resources").mkdir()
    result.run(
        "--command", "extension", "install-file", "--repo", "user_default", "--enable", archive
    )
    return result


@pytest.fixture(scope="session")
def drawing() -> Path:
    """One of the examples."""
    return min((ROOT / "examples").glob("*.png"))
