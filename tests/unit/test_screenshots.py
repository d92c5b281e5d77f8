"""scripts/draw_screenshots.py, with a stand-in for the window: docs/ changes as a whole or not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from addon.core.errors import UserError
from scripts import draw_screenshots


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A folder with pictures of an earlier run, and a page beside them."""
    result = tmp_path / "docs"
    (result / "screenshots").mkdir(parents=True)
    for name in ("screenshots/tab.png", "croquis.gif", "page.md"):
        (result / name).write_bytes(b"earlier")
    return result


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def window(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    """Let the stories leave their screenshots, but for those that are missing."""

    def shoot(folder: Path, _program: str) -> None:
        names = {screenshot for screenshot, _ in draw_screenshots.PICTURES.values()}
        for name in sorted((names | {"tour/drag-1", "tour/drag-2"}) - set(missing)):
            (folder / name).parent.mkdir(exist_ok=True)
            Image.new("RGB", (1326, 1000), (len(name), 90, 90)).save(folder / f"{name}.png")

    monkeypatch.setattr(draw_screenshots, "shoot", shoot)
    monkeypatch.setattr(draw_screenshots, "find_program", lambda: "blender")


def test_all_pictures_are_replaced(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    window(monkeypatch)
    draw_screenshots.main(["--out", str(docs)])
    pictures = {f"screenshots/{name}.png" for name in draw_screenshots.PICTURES}
    now = contents(docs)
    assert set(now) == pictures | {"croquis.gif", "page.md"}
    assert [name for name, data in now.items() if data == b"earlier"] == ["page.md"]
    with Image.open(docs / "croquis.gif") as animation:
        assert animation.width == 480


@pytest.mark.parametrize("missing", ["render/dataset-long", "tour/flipped"])
def test_a_run_that_fails_changes_none(
    docs: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    before = contents(docs)
    window(monkeypatch, missing)
    with pytest.raises(FileNotFoundError):
        draw_screenshots.main(["--out", str(docs)])
    assert contents(docs) == before


def test_a_disk_that_fills_up_at_the_last_picture_changes_none(
    docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, honest = contents(docs), shutil.copyfile

    def fill(source: Path, target: Path) -> None:
        if source.name == "tab.png":
            raise OSError(28, "No space left on device", str(target))
        honest(source, target)

    window(monkeypatch)
    monkeypatch.setattr(shutil, "copyfile", fill)
    with pytest.raises(OSError, match="No space left"):
        draw_screenshots.main(["--out", str(docs)])
    assert contents(docs) == before


def test_without_a_blender_it_says_so(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw_screenshots, "find_program", lambda: None)
    with pytest.raises(UserError, match="Set REAL_BLENDER"):
        draw_screenshots.main(["--out", str(docs)])
