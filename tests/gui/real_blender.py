"""A real Blender to run things in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.build_extension import ROOT

HERE = Path(__file__).parent
ISOLATED = ROOT.parent / "shared/real-blender/real-blender"
"""A Blender in a system of its own; it brings a screen and xdotool along."""

_TWO_CLIPS = """
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


def find_program() -> str | None:
    """The real Blender that the environment names, or the isolated one."""
    return os.environ.get("REAL_BLENDER") or (str(ISOLATED) if ISOLATED.exists() else None)


@dataclass(frozen=True)
class RealBlender:
    """A Blender program and the folder that holds its user's configuration.

    Attributes:
        program: Blender, or a script `real-blender` that runs it in a system of its own.
        resources: what Blender calls the user's resources.
    """

    program: str
    resources: Path

    def command(self, *arguments: object) -> list[str]:
        """The command line of a Blender without a window."""
        isolated = [self.program, "shell"] if self._is_isolated else []
        blender = "blender" if self._is_isolated else self.program
        return [*isolated, *self._environment, blender, *map(str, arguments)]

    def window_command(self, driver: Path, *arguments: object) -> list[str]:
        """The command line of a driver program that opens Blender's window beside itself."""
        if self._is_isolated:
            program = [self.program, "gui", *self._environment, "python3", str(driver), "blender"]
        else:
            program = [*self._environment, sys.executable, str(driver), self.program]
        return [*program, *map(str, arguments)]

    def run(self, *arguments: object, timeout: float = 600) -> str:
        """Run Blender without a window; what it printed. A failure fails the test."""
        return run(self.command(*arguments), timeout)

    def run_code(self, code: str, folder: Path) -> str:
        """Run Python inside, from a file in a folder; what it printed."""
        script = folder / "script.py"
        script.write_text(code)
        return self.run("-b", "--python-exit-code", 1, "-P", script)

    def install(self, archive: Path) -> None:
        """Install and enable the extension."""
        self.resources.mkdir(exist_ok=True)
        command = "--command", "extension", "install-file", "--repo", "user_default", "--enable"
        self.run(*command, archive)

    def write_two_clips(self, folder: Path) -> None:
        """Leave a character and two animations in characters/ and animations/ of a folder."""
        self.run_code(_TWO_CLIPS.format(folder=str(folder)), folder)

    def play(self, driver: str, folder: Path, *arguments: object, timeout: float = 300) -> Any:
        """Play the story of a driver beside this file in a window; what it tells."""
        run(self.window_command(HERE / driver, folder, *arguments), timeout)
        return json.loads((folder / "result.json").read_text())

    @property
    def has_screen(self) -> bool:
        """Whether windows can be opened and clicked here."""
        tools = all(map(shutil.which, ("xdotool", "import")))
        return self._is_isolated or bool(tools and os.environ.get("DISPLAY"))

    @property
    def _is_isolated(self) -> bool:
        return Path(self.program).name == "real-blender"

    @property
    def _environment(self) -> list[str]:
        return ["env", f"BLENDER_USER_RESOURCES={self.resources}"]


def run(command: list[str], timeout: float) -> str:
    """Run a command line in the repository; what it printed. A failure fails the test."""
    result = subprocess.run(
        command,
        cwd=ROOT,
        timeout=timeout,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    assert result.returncode == 0, f"{command} ended with {result.returncode}:\n{result.stdout}"
    return result.stdout
