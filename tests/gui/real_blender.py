"""A real Blender to run things in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from scripts.build_extension import ROOT


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
