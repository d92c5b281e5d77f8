"""Build the extension: one zip per platform, ready for Blender's "Install from Disk".

python scripts/build_extension.py [--platform linux-x64] [--out dist] [--blender PATH]
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from addon.core.errors import UserError
from addon.core.files import written_whole
from scripts._common import ROOT, run

PIP_PLATFORMS = {
    "linux-x64": "manylinux2014_x86_64",
    "windows-x64": "win_amd64",
    "macos-arm64": "macosx_13_0_arm64",
    "macos-x64": "macosx_13_0_x86_64",
}
"""Blender's name of a platform -> the tag of OpenCV's wheel for it."""

MANIFEST = "blender_manifest.toml"

_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first time that a zip can hold
_SKIP = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


@dataclass(frozen=True)
class Checker:
    """Something that validates an extension's zip.

    Attributes:
        name: what to call it in a sentence.
        command: its command line, to which the zip's path is added.
    """

    name: str
    command: tuple[str, ...]

    def check(self, archive: Path) -> None:
        """Validate a zip.

        Raises:
            UserError: it found something wrong; the text says what.
        """
        result = subprocess.run([*self.command, str(archive)], capture_output=True, text=True)
        if result.returncode:
            said = (result.stdout + result.stderr).strip()
            raise UserError(f"{self.name} refuses {archive.name}:\n{said}")


def manifest() -> dict:
    """The extension's manifest, as parsed."""
    return tomllib.loads((ROOT / MANIFEST).read_text())


def manifest_for(platform: str, wheel: str) -> str:
    """The manifest's text for one platform's zip.

    Args:
        platform: such as ``linux-x64``.
        wheel: file name of the wheel in the zip's folder ``wheels``.
    """
    text, count = re.subn(
        r"^platforms = .*$",
        f'platforms = ["{platform}"]\nwheels = ["./wheels/{wheel}"]',
        (ROOT / MANIFEST).read_text(),
        flags=re.MULTILINE,
    )
    if count != 1:
        raise UserError(f"{MANIFEST} must name its platforms on one line; write them so.")
    return text


def opencv_pin() -> str:
    """The requirement ``opencv-python-headless==...`` of ``requirements/run.txt``."""
    pins = (ROOT / "requirements/run.txt").read_text()
    found = re.search(r"^opencv-python-headless==\S+$", pins, re.MULTILINE)
    if not found:
        raise UserError("requirements/run.txt does not pin opencv-python-headless; pin it there.")
    return found[0]


def fetch_wheel(platform: str, folder: Path) -> Path:
    """OpenCV's wheel for a platform exactly as published, downloaded unless it is there already.

    It appears in ``folder`` only when it is whole.

    Raises:
        UserError: pip could not get it.
    """
    pin = opencv_pin()
    folder = folder / platform / pin
    if not (found := list(folder.glob("*.whl"))):
        # Its ABI is Python's stable one: one wheel serves Blender's Python 3.11 and later ones.
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary=:all:", "--implementation=cp", "--python-version=3.11"]
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as place:
            command += ["--abi=abi3", f"--platform={PIP_PLATFORMS[platform]}", f"--dest={place}"]
            if subprocess.run([*command, pin]).returncode:
                raise UserError(f"pip cannot download {pin} for {platform}; its words stand above.")
            found = [wheel.replace(folder / wheel.name) for wheel in Path(place).glob("*.whl")]
    return found[0]


def stage(platform: str, wheel: Path, folder: Path) -> None:
    """Lay out a zip's content in an empty folder: the add-on, its manifest, licence and wheel."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "addon", folder, ignore=_SKIP)
    shutil.copy(ROOT / "LICENSE", folder)
    (folder / "wheels").mkdir()
    shutil.copy(wheel, folder / "wheels")
    (folder / MANIFEST).write_text(manifest_for(platform, wheel.name), newline="\n")


def pack(folder: Path, archive: Path) -> None:
    """Zip a folder so that the same content always gives the same bytes."""
    with zipfile.ZipFile(archive, "w") as output:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EARLIEST)
            entry.external_attr = 0o644 << 16
            # A wheel is a zip already.
            entry.compress_type = (
                zipfile.ZIP_STORED if path.suffix == ".whl" else zipfile.ZIP_DEFLATED
            )
            output.writestr(entry, path.read_bytes())


def find_checker(blender: str | None) -> Checker | None:
    """A Blender that can validate zips: the one asked for, else the first that is found.

    Looked for in this order: ``blender``, the environment's ``REAL_BLENDER``, ``blender`` on the
    PATH, the bpy wheel of this Python.

    Raises:
        UserError: the Blender that was asked for is not there.
    """
    asked = blender or os.environ.get("REAL_BLENDER")
    if asked and not shutil.which(asked):
        raise UserError(f"There is no Blender at {asked}; check the path.")
    if program := shutil.which(asked or "blender"):
        return Checker(f"Blender ({program})", (program, "--command", "extension", "validate"))
    wheel = importlib.util.find_spec("bpy")
    if wheel and wheel.origin:
        tools = Path(wheel.origin).parent.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py")
        for tool in tools:
            name = f"The bpy wheel's checker (Blender {tool.parents[4].name})"
            return Checker(name, (sys.executable, str(tool), "validate"))
    return None


def build(platform: str, out: Path, checker: Checker | None) -> Path:
    """Build one platform's zip; it appears in ``out`` only when it is whole and valid.

    Raises:
        UserError: the wheel cannot be had, or the zip is not valid.
    """
    work = ROOT / "build"
    description = manifest()
    name = f"{description['id']}-{description['version']}-{platform.replace('-', '_')}.zip"
    stage(platform, fetch_wheel(platform, work / "wheels"), work / "stage" / platform)
    archive = work / name
    pack(work / "stage" / platform, archive)
    if checker:
        checker.check(archive)
    out.mkdir(parents=True, exist_ok=True)
    with written_whole(out / name) as whole:  # `out` may lie on another disk
        shutil.copyfile(archive, whole)
    archive.unlink()
    return out / name


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="build_extension.py", description="Build the extension's zips, one per platform."
    )
    add = result.add_argument
    add("--platform", action="append", choices=PIP_PLATFORMS, help="only this one (repeatable)")
    add("--out", type=Path, default=ROOT / "dist", metavar="DIR", help="where zips go (dist)")
    add("--blender", metavar="PATH", help="the Blender that validates them")
    return result


def main(arguments: list[str]) -> None:
    """Build, saying of every zip what was checked and what was not."""
    options = parser().parse_args(arguments)
    checker = find_checker(options.blender)
    for platform in options.platform or PIP_PLATFORMS:
        archive = build(platform, options.out, checker)
        print(f"{archive}: {archive.stat().st_size / 1e6:.0f} MB")
    if checker:
        print(f"{checker.name} found every zip valid.")
    else:
        print("Not validated: no Blender was found (name one with --blender).")
    print("Not checked here: installing a zip and running it (make test-real does, on Linux).")


if __name__ == "__main__":
    run(main)
