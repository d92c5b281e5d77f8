"""The built zip in a real Blender: installed, tested inside, at work, and clicked."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import cv2
import pytest

from scripts.build_extension import ROOT
from tests.gui.real_blender import RealBlender, run

HERE = Path(__file__).parent
SCREENSHOTS = ROOT / "out" / "gui"


def inside(blender: RealBlender, tmp_path: Path, code: str) -> str:
    """Run Python in the real Blender; what it printed."""
    script = tmp_path / "script.py"
    script.write_text(code)
    return blender.run("-b", "--python-exit-code", 1, "-P", script)


def test_zip_is_installed_with_its_wheel(blender: RealBlender, tmp_path: Path) -> None:
    printed = inside(
        blender,
        tmp_path,
        "import bpy, cv2\n"
        "assert 'bl_ext.user_default.croquis' in bpy.context.preferences.addons\n"
        "assert hasattr(bpy.types, 'CROQUIS_OT_pose_from_sketch')\n"
        "print('OpenCV', cv2.__version__, 'at', cv2.__file__)\n",
    )
    found = re.search(r"OpenCV (\S+) at (.+)", printed)
    assert found
    assert found[1] == "4.11.0"
    assert Path(found[2]).is_relative_to(blender.resources)


def test_it_disables_without_traces(blender: RealBlender, tmp_path: Path) -> None:
    inside(
        blender,
        tmp_path,
        "import bpy\n"
        "for _ in range(2):\n"
        "    bpy.ops.preferences.addon_disable(module='bl_ext.user_default.croquis')\n"
        "    assert not [name for name in dir(bpy.types) if name.startswith('CROQUIS_')]\n"
        "    assert not hasattr(bpy.types.Scene, 'croquis')\n"
        "    bpy.ops.preferences.addon_enable(module='bl_ext.user_default.croquis')\n"
        "    assert hasattr(bpy.types.Scene, 'croquis')\n",
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
    printed = inside(
        blender,
        tmp_path,
        f"import bpy\nbpy.ops.wm.open_mainfile(filepath={str(posed)!r})\n"
        "armature, = [o for o in bpy.data.objects if o.type == 'ARMATURE']\n"
        "turns = [bone.matrix_basis.to_quaternion().angle for bone in armature.pose.bones]\n"
        "print('turned', sum(turn > 0.05 for turn in turns))\n",
    )
    turned = re.search(r"turned (\d+)", printed)
    assert turned
    assert int(turned[1]) >= 8


def play(blender: RealBlender, driver: str, folder: Path, drawing: Path) -> dict[str, Any]:
    """Play a driver's story in a window; what it tells."""
    if not blender.has_screen:
        pytest.skip("no screen: needs DISPLAY, xdotool and ImageMagick")
    try:
        run(blender.window_command(HERE / driver, folder, drawing), timeout=300)
    finally:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        for picture in folder.glob("*.png"):
            shutil.copy(picture, SCREENSHOTS)
    return json.loads((folder / "result.json").read_text())


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


TWO_CLIPS = """
import bpy
from pathlib import Path
folder = Path({folder!r})
for name in ("characters", "animations"):
    (folder / name).mkdir()
bpy.data.batch_remove(bpy.data.objects)
bpy.ops.croquis.add_mannequin()
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "characters/mannequin.blend"), copy=True)
mannequin = bpy.context.scene.croquis.armature
bpy.context.scene.frame_end = 20
for name, bone in (("nod", "mixamorig:Head"), ("wave", "mixamorig:LeftArm")):
    turned = mannequin.pose.bones[bone]
    turned.rotation_mode = "XYZ"
    for frame, angle in ((1, 0.0), (20, 0.6)):
        turned.rotation_euler = (angle, 0, 0)
        turned.keyframe_insert("rotation_euler", frame=frame)
    bpy.ops.export_scene.fbx(
        filepath=str(folder / f"animations/{{name}}.fbx"),
        object_types={{"ARMATURE"}},
        bake_anim_use_all_actions=False,
        bake_anim_use_nla_strips=False,
    )
    mannequin.animation_data_clear()
"""


def test_panel_renders_beside_the_user_and_stops_at_esc(
    blender: RealBlender, tmp_path: Path, drawing: Path
) -> None:
    inside(blender, tmp_path, TWO_CLIPS.format(folder=str(tmp_path)))
    story = play(blender, "render.py", tmp_path, drawing)
    before, running, after, stopped = map(story.get, ("before", "running", "after", "stopped"))
    assert 0 < running["run"]["done"] <= running["run"]["total"] == 32
    whole = json.loads((tmp_path / "whole/annotations.json").read_text())
    assert len(whole["images"]) == 32
    # The contact sheet has come in a window of its own; the user's areas and scene are untouched.
    assert after["windows"][0] == before["windows"][0]
    assert after["windows"][1:] == [[["IMAGE_EDITOR", "contact_sheet.png"]]]
    assert stopped["windows"] == before["windows"]
    for state in (running, after, stopped):
        assert (state["objects"], state["pose"]) == (before["objects"], before["pose"])
    clips = list((tmp_path / "stopped/clips").glob("*.json"))
    assert len(clips) == 1
    assert not list((tmp_path / "stopped").glob("annotations*.json"))
