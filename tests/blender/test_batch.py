"""``scripts/pose_from_sketch.py`` on a folder: each drawing by itself, whatever the others are."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np
import pytest

from addon.blender.mannequin import add_mannequin
from addon.core.estimator import SHIPPED
from scripts import _common, pose_from_sketch

SCRIPT = Path(pose_from_sketch.__file__)
needs_network = pytest.mark.skipif(not SHIPPED.exists(), reason="no network has been trained yet")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], estimator: Any) -> Run:
    """The script in this process, with known keypoints: its exit status, stdout and stderr."""
    monkeypatch.setattr(_common, "package", lambda: "addon")
    monkeypatch.setattr("addon.core.estimator.Estimator", lambda: estimator)
    handler = signal.getsignal(signal.SIGINT)  # None where it is Blender's own

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(_common, "_arguments", lambda: list(map(str, arguments)))
        with pytest.raises(SystemExit) as stop:
            _common.run(pose_from_sketch.main)
        signal.signal(signal.SIGINT, handler or signal.default_int_handler)
        assert isinstance(stop.value.code, int)
        said = capsys.readouterr()
        return stop.value.code, said.out, said.err

    return call


@pytest.fixture
def folder(tmp_path: Path, figure_page: Any) -> Path:
    """Two drawings, one of them with a name of its own kind, and notes about them."""
    result = tmp_path / "drawings"
    result.mkdir()
    page = figure_page(400, 300)
    write_png(result / "left.png", page)
    write_png(result / "право ✏️.png", np.ascontiguousarray(page[:, ::-1]))
    (result / "notes.txt").write_text("no drawing")
    return result


def write_png(path: Path, pixels: np.ndarray) -> None:
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_each_drawing_gets_its_own_files(run: Run, folder: Path, tmp_path: Path) -> None:
    wanted = {kind: tmp_path / kind for kind in ("out", "preview", "json", "keypoints", "bvh")}
    options = [item for kind, path in wanted.items() for item in (f"--{kind}", path)]
    status, said, _ = run(folder, *options)
    assert status == 0
    assert said.endswith(f"2 of 2 drawings of {folder} posed.\n")
    endings = {"out": ".blend", "preview": ".png", "bvh": ".bvh"}
    for kind, path in wanted.items():
        ending = endings.get(kind, ".json")
        assert names(path) == [f"left{ending}", f"право ✏️{ending}"]
    up = {}
    for stem in ("left", "право ✏️"):
        bpy.ops.wm.open_mainfile(filepath=str(wanted["out"] / f"{stem}.blend"))
        (image,) = (image for image in bpy.data.images if image.source == "FILE")
        assert image.name == f"{stem}.png"
        assert image.packed_file
        (armature,) = (thing for thing in bpy.data.objects if thing.type == "ARMATURE")
        assert len(bpy.data.actions) == 1
        hands = [armature.pose.bones[f"mixamorig:{side}Hand"].head.z for side in ("Left", "Right")]
        up[stem] = hands[0] - hands[1]
    assert up["left"] > 0.5  # the stand-in knows one figure, wherever it is


def bad_files(folder: Path) -> dict[str, str]:
    """Drawings that cannot be posed, and a word of what is said about each."""
    whole = (folder / "left.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "nothing.png").write_bytes(b"")
    (folder / "text.jpg").write_text("no picture")
    write_png(folder / "page.png", np.full((300, 200), 255, np.uint8))
    write_png(folder / "pixel.png", np.zeros((1, 1), np.uint8))
    (folder / "folder.png").mkdir()
    return {
        "cut.png": "damaged",
        "nothing.png": "empty file",
        "text.jpg": "damaged or is not a picture",
        "page.png": "Nothing is drawn",
        "pixel.png": "Nothing is drawn",
        "folder.png": "could not be read",
    }


def test_bad_drawings_are_named_and_the_others_posed(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    expected, out = bad_files(folder), tmp_path / "out"
    status, said, complaints = run(folder, "--out", out)
    assert status == 2
    assert f"2 of 8 drawings of {folder} posed, 6 could not be" in said
    lines = complaints.splitlines()
    assert len(lines) == len(expected)
    for name, words in expected.items():
        (line,) = (line for line in lines if line.startswith(f"{folder / name}: "))
        assert words in line
        assert line.endswith(".")
    assert names(out) == ["left.blend", "право ✏️.blend"]


def test_the_same_command_goes_on(run: Run, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(folder, "--out", out)[0] == 0
    first = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    (out / "left.blend").unlink()
    status, said, _ = run(folder, "--out", out)
    assert status == 0
    assert f"1 of 2 drawings of {folder} posed, 1 were there already." in said
    again = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    assert again["право ✏️.blend"] == first["право ✏️.blend"]
    later = time.time() + 10
    os.utime(folder / "left.png", (later, later))  # drawn on since
    assert "1 of 2 drawings" in run(folder, "--out", out)[1]


@pytest.mark.parametrize(
    ("more", "called"),
    [
        (["Left.jpg"], ["Left.jpg", "left.png"]),
        (["left.png.jpg"], ["left", "left.png.jpg"]),
        (["left.jpg", "left.png.jpg"], ["left.jpg", "left.png", "left.png.jpg"]),
        (["left.1.jpg", "left.1.bmp.jpg"], ["left", "left.1", "left.1.bmp"]),
    ],
)
def test_no_two_drawings_get_the_same_file(
    run: Run, folder: Path, tmp_path: Path, figure_page: Any, more: list[str], called: list[str]
) -> None:
    (folder / "право ✏️.png").unlink()
    for name in more:
        page = cv2.imencode(".jpg", figure_page(400, 300))[1].tobytes()
        (folder / name).write_bytes(page)
    out = tmp_path / "out"
    assert run(folder, "--out", out)[0] == 0
    assert names(out) == sorted(f"{name}.blend" for name in called)
    (folder / "notes.txt").unlink()
    for path in folder.iterdir():
        scene = next(out / f"{name}.blend" for name in (path.name, path.stem) if name in called)
        bpy.ops.wm.open_mainfile(filepath=str(scene))
        assert [image.name for image in bpy.data.images if image.packed_file] == [path.name]
    assert f"{len(called)} were there already" in run(folder, "--out", out)[1]


def test_the_opened_scene_is_the_beginning_of_each(run: Run, folder: Path, tmp_path: Path) -> None:
    add_mannequin(bpy.context).name = "Anna"
    bpy.data.objects.new("Lamp", None).use_fake_user = True
    bpy.context.scene.frame_end = 77
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    assert run(folder, "--out", tmp_path / "out")[0] == 0
    for path in (tmp_path / "out").iterdir():
        bpy.ops.wm.open_mainfile(filepath=str(path))
        assert [thing.name for thing in bpy.data.objects if thing.type == "ARMATURE"] == ["Anna"]
        assert "Lamp" in bpy.data.objects
        assert bpy.context.scene.frame_end == 77


def test_our_own_fault_stops_one_drawing_only(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, estimator: Any
) -> None:
    honest = estimator.estimate

    def estimate(grey: np.ndarray, box: Any = None, figure: int = 0) -> Any:
        if not (tmp_path / "out").exists():
            (tmp_path / "out").mkdir()
            raise ZeroDivisionError
        return honest(grey, box, figure)

    monkeypatch.setattr(estimator, "estimate", estimate)
    status, said, complaints = run(folder, "--out", tmp_path / "out")
    assert status == 1
    assert "1 of 2 drawings" in said and "1 met a fault of Croquis" in said
    assert "ZeroDivisionError" in complaints
    assert names(tmp_path / "out") == ["право ✏️.blend"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("{folder}", "{folder}", "--out", "{out}"), "one folder"),
        (("{folder}", "--out", "{out}", "--box", 0, 0, 9, 9), "one drawing with --box"),
        (("{folder}", "--out", "{folder}"), "another folder"),
        (("{folder}", "--out", "{folder}/left.png"), "is a file"),
        (("{folder}", "--out", "{out}", "--json", "x", "--keypoints", "x"), "different names"),
        (("{empty}", "--out", "{out}"), "holds no drawing"),
        (("{missing}", "--out", "{out}"), "no picture at"),
    ],
)
def test_mistakes_write_nothing(
    run: Run, folder: Path, tmp_path: Path, arguments: tuple[object, ...], words: str
) -> None:
    (tmp_path / "empty").mkdir()
    places = {name: tmp_path / name for name in ("out", "empty", "missing")} | {"folder": folder}
    status, _, complaint = run(*(str(part).format(**places) for part in arguments))
    assert status == 2
    assert words in complaint
    assert len(complaint.splitlines()) == 1
    assert not (tmp_path / "out").exists()
    assert names(folder) == ["left.png", "notes.txt", "право ✏️.png"]


@needs_network
@pytest.mark.skipif(os.name == "nt", reason="Windows sends no signal to one process")
def test_ctrl_c_leaves_whole_files(tmp_path: Path, figure_page: Any) -> None:
    folder, out = tmp_path / "drawings", tmp_path / "out"
    folder.mkdir()
    for number in range(40):
        write_png(folder / f"{number:02}.png", figure_page(400, 300))
    program = [sys.executable, SCRIPT]
    if bpy.app.binary_path:
        startup = [flag for flag in sys.argv if flag == "--factory-startup"]
        program = [bpy.app.binary_path, *startup, "-b", "-P", SCRIPT, "--"]
    command = list(map(str, [*program, folder, "--out", out]))
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 100
    while len(list(out.glob("*.blend"))) < 3 and child.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    said, complaints = child.communicate(timeout=60)
    assert child.returncode == 130, complaints
    assert "Traceback" not in complaints
    written = names(out)
    assert 3 <= len(written) < 40
    assert all(name.endswith(".blend") for name in written)  # no part is left behind
    assert f"{len(written)} of" in said
    bpy.ops.wm.open_mainfile(filepath=str(out / written[-1]))
    assert "Mannequin" in bpy.data.objects


def test_poses_are_written_as_files_of_their_kind(run: Run, folder: Path, tmp_path: Path) -> None:
    assert run(folder, "--out", tmp_path / "out", "--json", tmp_path / "poses")[0] == 0
    document = json.loads((tmp_path / "poses" / "left.json").read_text(encoding="utf-8"))
    assert document["image"]["name"] == "left.png"
