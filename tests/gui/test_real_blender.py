"""The built zip in a real Blender: installed, tested inside, at work, and clicked."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from scripts.build_extension import ROOT
from tests.gui.real_blender import RealBlender

SCREENSHOTS = ROOT / "out" / "gui"


def test_zip_is_installed_with_its_wheel(blender: RealBlender, tmp_path: Path) -> None:
    printed = blender.run_code(
        "import bpy, cv2\n"
        "assert 'bl_ext.user_default.croquis' in bpy.context.preferences.addons\n"
        "assert hasattr(bpy.types, 'CROQUIS_OT_pose_from_sketch')\n"
        "print('OpenCV', cv2.__version__, 'at', cv2.__file__)\n",
        tmp_path,
    )
    found = re.search(r"OpenCV (\S+) at (.+)", printed)
    assert found
    assert found[1] == "4.11.0"
    assert Path(found[2]).is_relative_to(blender.resources)


def test_it_disables_without_traces(blender: RealBlender, tmp_path: Path) -> None:
    blender.run_code(
        "import bpy\n"
        "for _ in range(2):\n"
        "    bpy.ops.preferences.addon_disable(module='bl_ext.user_default.croquis')\n"
        "    assert not [name for name in dir(bpy.types) if name.startswith('CROQUIS_')]\n"
        "    assert not hasattr(bpy.types.Scene, 'croquis')\n"
        "    bpy.ops.preferences.addon_enable(module='bl_ext.user_default.croquis')\n"
        "    assert hasattr(bpy.types.Scene, 'croquis')\n",
        tmp_path,
    )


def test_add_on_suite_passes_inside(blender: RealBlender) -> None:
    printed = blender.run("-b", "-P", ROOT / "tests/blender/run_in_blender.py")
    summary = re.search(r"\d+ passed.*", printed)
    assert summary, printed
    print(f"In the real Blender: {summary[0]}")


def test_poses_without_a_window(blender: RealBlender, tmp_path: Path, drawing: Path) -> None:
    posed, preview = tmp_path / "posed.blend", tmp_path / "posed.png"
    script = ROOT / "scripts/pose_from_sketch.py"
    blender.run("-b", "-P", script, "--", drawing, "--out", posed, "--preview", preview)
    assert cv2.imread(str(preview)) is not None
    printed = blender.run_code(
        f"import bpy\nbpy.ops.wm.open_mainfile(filepath={str(posed)!r})\n"
        "armature, = [o for o in bpy.data.objects if o.type == 'ARMATURE']\n"
        "turns = [bone.matrix_basis.to_quaternion().angle for bone in armature.pose.bones]\n"
        "print('turned', sum(turn > 0.05 for turn in turns))\n",
        tmp_path,
    )
    turned = re.search(r"turned (\d+)", printed)
    assert turned
    assert int(turned[1]) >= 8


def play(blender: RealBlender, driver: str, folder: Path, *arguments: object) -> dict[str, Any]:
    """Play a driver's story in a window, and keep its screenshots; what it tells."""
    if not blender.has_screen:
        pytest.skip("no screen: needs DISPLAY, xdotool and ImageMagick")
    try:
        return blender.play(driver, folder, *arguments)
    finally:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        for picture in folder.glob("*.png"):
            shutil.copy(picture, SCREENSHOTS)


def test_button_poses_and_one_undo_takes_it_back(
    blender: RealBlender, tmp_path: Path, drawing: Path
) -> None:
    story = play(blender, "click.py", tmp_path, drawing)
    before, after, undone = story["before"], story["after"], story["undone"]
    moved = [bone for bone in before["pose"] if before["pose"][bone] != after["pose"][bone]]
    assert len(moved) >= 8
    assert set(after["objects"]) > set(before["objects"])  # camera and drawing
    assert undone["pose"] == before["pose"]
    assert undone["objects"] == before["objects"]
    assert after["perspective"] == "CAMERA" and undone["perspective"] != "CAMERA"


def test_panel_renders_beside_the_user_and_stops_at_esc(
    blender: RealBlender, tmp_path: Path, drawing: Path
) -> None:
    blender.write_two_clips(tmp_path)
    story = play(blender, "render.py", tmp_path, drawing)
    before, running, after = map(story.get, ("before", "running", "after"))
    closed, stopped = map(story.get, ("closed", "stopped"))
    assert 0 < running["run"]["done"] <= running["run"]["total"] == 32
    dataset = json.loads((tmp_path / "dataset/annotations.json").read_text())
    assert len(dataset["images"]) == 32
    # The contact sheet has come in a window of its own; the user's areas and scene are untouched.
    assert after["windows"][0] == before["windows"][0]
    assert after["windows"][1:] == [[["IMAGE_EDITOR", "contact_sheet.png"]]]
    for state in (closed, stopped):
        assert (state["windows"], state["running"]) == (before["windows"], [])
    for state in (running, after, closed, stopped):
        assert (state["objects"], state["pose"]) == (before["objects"], before["pose"])
    clips = list((tmp_path / "larger/clips").glob("*.json"))
    assert len(clips) == 1
    assert not list((tmp_path / "larger").glob("annotations*.json"))


def test_esc_stops_a_sequence_and_one_undo_takes_it_back(
    blender: RealBlender, tmp_path: Path, drawing: Path
) -> None:
    (tmp_path / "drawings").mkdir()
    for number in range(1, 4):
        for example in drawing.parent.glob("*.png"):
            shutil.copy(example, tmp_path / "drawings" / f"{number}_{example.name}")
    story = play(blender, "several.py", tmp_path, drawing)
    before, posed = story["before"], story["posed"]
    assert before["drawings"] == 24
    for state in (story["stopped"], story["undone"]):
        assert (state["objects"], state["pose"]) == (before["objects"], before["pose"])
        assert state["keyed"] == before["keyed"]
    # The view turned while the drawings were read.
    assert story["looking"]["distance"] < before["distance"]
    assert story["looking"]["running"]
    assert len(posed["objects"]) == len(before["objects"]) + 2 * 24
    print(f"The longest step took {posed['longest']:.2f} s.")


def test_a_pose_goes_into_files_and_comes_back(
    blender: RealBlender, tmp_path: Path, drawing: Path
) -> None:
    story = play(blender, "keep.py", tmp_path, drawing)
    name = drawing.stem
    assert json.loads((tmp_path / f"{name}.json").read_text())["format"] == "croquis-pose"
    assert (tmp_path / f"{name}.bvh").read_text().startswith("HIERARCHY")
    assert story["undone"]["pose"] == story["before"]["pose"]
    assert story["loaded"]["perspective"] == "CAMERA"
    for bone, matrix in story["posed"]["pose"].items():
        assert story["loaded"]["pose"][bone] == pytest.approx(matrix, abs=0.01)


def test_what_a_user_does_from_the_zip_on(
    blender: RealBlender, archive: Path, tmp_path: Path, drawing: Path
) -> None:
    fresh = RealBlender(blender.program, tmp_path / "resources")
    fresh.resources.mkdir()
    story = play(fresh, "tour.py", tmp_path, drawing, archive)
    assert story["drawing"]["drawing"] == drawing.name
    assert "Mannequin" in story["mannequin"]["objects"]
    for one, other in (("mannequin", "posed"), ("posed", "dragged"), ("dragged", "flipped")):
        assert story[one]["pose"] != story[other]["pose"], other
    # The wrist went where the mouse took it, and the forearm points there; its length is the rig's.
    dragged, posed = story["dragged"], story["posed"]
    assert np.linalg.norm(np.subtract(dragged["handles"]["LeftHand"], story["target"])) < 3
    drawn = direction(dragged["handles"], "LeftForeArm", "LeftHand")
    bone, before = (
        direction(state["joints"], "mixamorig:LeftForeArm", "mixamorig:LeftHand")
        for state in (dragged, posed)
    )
    assert abs(bone - drawn) < 5
    assert abs(bone - before) > 10
    assert story["keyed"]["keyed"] and not story["flipped"]["keyed"]
    assert story["saved"]["assets"] == [drawing.stem]
    begin, undone = story["installed"], story["undone"]
    for part in ("objects", "pose", "keyed", "assets", "drawing"):
        assert undone[part] == begin[part], part


def direction(places: dict[str, list[int]], start: str, end: str) -> float:
    """Of a limb on the screen, degrees."""
    right, down = np.subtract(places[end], places[start])
    return float(np.degrees(np.arctan2(-down, right)))
