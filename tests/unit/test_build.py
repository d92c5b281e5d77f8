"""The extension's manifest and how its zips are made."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.tags import cpython_tags
from packaging.utils import parse_wheel_filename

from addon.core.errors import UserError
from scripts import build_extension
from scripts.build_extension import ROOT

WHEEL = "opencv_python_headless-4.11.0.86-cp37-abi3-win_amd64.whl"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / WHEEL
    path.write_bytes(b"as published")
    return path


@pytest.fixture
def archive(tmp_path: Path, wheel: Path) -> Path:
    """A zip for Windows, with something else in place of OpenCV."""
    build_extension.stage("windows-x64", wheel, tmp_path / "stage")
    build_extension.pack(tmp_path / "stage", tmp_path / "croquis.zip")
    return tmp_path / "croquis.zip"


def test_manifest_asks_for_files_only() -> None:
    manifest = build_extension.manifest()
    assert set(manifest["permissions"]) == {"files"}
    reason = manifest["permissions"]["files"]
    assert len(reason) <= 64  # both are the extension platform's rules
    assert reason[-1].isalnum()


def test_manifest_and_script_know_the_same_platforms() -> None:
    assert set(build_extension.manifest()["platforms"]) == set(build_extension.PIP_PLATFORMS)


def test_newest_change_of_the_changelog_is_the_manifests_version() -> None:
    newest = re.search(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest
    assert newest[1] == build_extension.manifest()["version"]


def test_manifest_of_a_zip_names_its_platform_and_wheel() -> None:
    manifest = tomllib.loads(build_extension.manifest_for("windows-x64", WHEEL))
    assert manifest == build_extension.manifest() | {
        "platforms": ["windows-x64"],
        "wheels": [f"./wheels/{WHEEL}"],
    }


def test_zip_holds_the_addon_and_nothing_else(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        names = set(opened.namelist())
        assert opened.read(f"wheels/{WHEEL}") == b"as published"
    source = {
        path.relative_to(ROOT / "addon").as_posix() for path in (ROOT / "addon").rglob("*.py")
    }
    assert {name for name in names if name.endswith(".py")} == source
    assert {"__init__.py", "LICENSE", "blender_manifest.toml", "core/skeleton.py"} <= names
    assert not [name for name in names if "__pycache__" in name or "test" in name]


def test_same_content_makes_the_same_zip(archive: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "stage").rglob("*"):
        os.utime(path, (1e9, 1e9))
    build_extension.pack(tmp_path / "stage", tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()


def test_a_blender_that_is_not_there_is_the_users_mistake() -> None:
    with pytest.raises(UserError, match="no Blender at /nowhere"):
        build_extension.find_checker("/nowhere/blender")


def test_zip_that_the_checker_refuses_never_appears(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_extension, "fetch_wheel", lambda *_: wheel)
    refuse = "import sys; print('no tagline'); sys.exit(1)"
    checker = build_extension.Checker("The checker", (sys.executable, "-c", refuse))
    with pytest.raises(UserError, match="no tagline"):
        build_extension.build("windows-x64", tmp_path / "dist", checker)
    assert not (tmp_path / "dist").exists()


def test_a_disk_that_fills_up_leaves_the_older_zip(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_extension, "fetch_wheel", lambda *_: wheel)
    older = build_extension.build("windows-x64", tmp_path / "dist", None)
    older.write_bytes(b"older")

    honest = shutil.copyfile

    def fill(source: Path, target: str | Path, **how: bool) -> Path:
        if Path(target).parent.name != "dist":
            return Path(honest(source, target, **how))
        Path(target).write_bytes(b"half")
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(shutil, "copyfile", fill)
    with pytest.raises(OSError, match="No space left"):
        build_extension.build("windows-x64", tmp_path / "dist", None)
    assert [path.read_bytes() for path in (tmp_path / "dist").iterdir()] == [b"older"]


def test_half_a_download_is_no_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(command: list[str]) -> subprocess.CompletedProcess[bytes]:
        place = next(part.removeprefix("--dest=") for part in command if part.startswith("--dest="))
        Path(place, WHEEL).write_bytes(b"half")
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(UserError, match="pip cannot download"):
        build_extension.fetch_wheel("windows-x64", tmp_path)
    assert not list(tmp_path.rglob("*.whl"))


@pytest.mark.parametrize("platform", build_extension.PIP_PLATFORMS)
def test_wheel_fits_the_pythons_of_blender_and_brings_no_numpy(platform: str) -> None:
    fetched = sorted((ROOT / "build/wheels" / platform).rglob("*.whl"))
    if not fetched:
        pytest.skip("its zip has not been built here (make zip)")
    (wheel,) = fetched
    *_, tags = parse_wheel_filename(wheel.name)
    for python in ((3, 11), (3, 13)):
        for_blender = cpython_tags(python, ["abi3"], [build_extension.PIP_PLATFORMS[platform]])
        assert tags & set(for_blender), python
    with zipfile.ZipFile(wheel) as opened:
        packages = {name.split("/")[0].split("-")[0] for name in opened.namelist()}
        compiled = {Path(name).suffix for name in opened.namelist() if name.startswith("cv2/cv2.")}
    assert packages <= {"cv2", "opencv_python_headless", "opencv_python_headless.libs"}
    assert compiled == {".pyd" if platform.startswith("windows") else ".so"}


def test_zip_of_this_checkout_is_valid(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REAL_BLENDER", raising=False)
    checker = build_extension.find_checker(None)
    assert checker, "the bpy wheel brings a checker along"
    monkeypatch.setattr(build_extension, "fetch_wheel", lambda *_: wheel)
    built = build_extension.build("windows-x64", tmp_path / "dist", checker)
    assert built.name.endswith("-windows_x64.zip")


def test_script_explains_itself_and_refuses_other_platforms() -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "scripts/build_extension.py", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert "--platform" in run("--help").stdout
    assert run("--platform", "amiga").returncode == 2
