"""Blender's window seen from outside: its state, its mouse and keyboard, its looks.

Needs xdotool and ImageMagick.
"""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEP = 10  # pixels between two places where a button is looked for
PATIENCE = 60.0  # seconds

State = dict[str, Any]


class Window:
    """Blender's window, its mouse and keyboard."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state(lambda _: True)
        self.id = xdotool("search", "--sync", "--onlyvisible", "--class", "blender").split()[0]

    def state(self, wanted: Callable[[State], bool]) -> State:
        """The scene's state, as soon as it is as wanted."""
        deadline = time.monotonic() + PATIENCE
        path = self.folder / "state.json"
        while time.monotonic() < deadline:
            if path.exists() and wanted(state := json.loads(path.read_text())):
                return state
            time.sleep(0.1)
        self.screenshot("timeout")
        raise TimeoutError(f"Blender did not get there in {PATIENCE:.0f} s; see timeout.png")

    def drawn_state(self, wanted: Callable[[State], bool]) -> State:
        """The same, when the viewport shows it."""
        result = self.state(lambda state: state["is_drawn"] and wanted(state))
        time.sleep(1)  # what is drawn still has to come to the screen
        return result

    def move(self, x: int, y: int) -> None:
        """Move the mouse, in pixels of the window's content, y down."""
        xdotool("mousemove", "--window", self.id, x, y)
        time.sleep(0.3)

    def click(self) -> None:
        """Press and release where the mouse is; Blender overlooks a shorter press."""
        xdotool("mousedown", 1)
        time.sleep(0.2)
        xdotool("mouseup", 1)
        time.sleep(0.3)

    def scroll_down(self) -> None:
        """Turn the wheel where the mouse is, to the end of what is there."""
        xdotool("click", "--repeat", 40, "--delay", 30, 5)
        time.sleep(0.5)

    def key(self, name: str) -> None:
        """Press a key."""
        xdotool("key", name)

    def screenshot(self, name: str) -> None:
        """Keep what the screen shows as NAME.png."""
        subprocess.run(["import", "-window", "root", str(self.folder / f"{name}.png")], check=True)

    def take_focus(self) -> None:
        """Click into the status bar: the first click only gives the window the focus."""
        width, height = self.state(lambda _: True)["window"]
        self.move(width // 2, height - 8)
        self.click()

    def find_button(self, operator: str, below: int = 0) -> tuple[int, int]:
        """A place on a button of the sidebar: where Ctrl+C copies the operator's Python call.

        Args:
            operator: its idname.
            below: where to begin, pixels from the window's top.
        """
        left, top, width, height = self.state(lambda _: True)["sidebar"]
        x = left + width // 2
        for y in range(max(top, below) + STEP, top + height, STEP):
            self.move(x, y)
            # The second time makes sure that a busy Blender was not answering for the place before.
            if operator in self.copy() and operator in self.copy():
                return x, y
        self.screenshot("no-button")
        raise LookupError(f"no button {operator} in the sidebar; see no-button.png")

    def copy(self) -> str:
        """What Ctrl+C copies where the mouse is, "" if nothing."""
        already = len(self.state(lambda _: True)["copied"])
        self.key("ctrl+c")
        time.sleep(0.4)
        return "".join(self.state(lambda _: True)["copied"][already:])


def xdotool(*arguments: object) -> str:
    """Run xdotool; what it prints."""
    command = ["xdotool", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def tell(blender: str, folder: Path, drawing: str, story: Callable[[Window], Any]) -> None:
    """Open a window, play a story in it, and keep what it returns in result.json."""
    scene = Path(__file__).with_name("window_scene.py")
    with (folder / "blender.log").open("w") as log:
        process = subprocess.Popen(
            [blender, "-P", str(scene), "--", str(folder), drawing], stdout=log, stderr=log
        )
        try:
            result = story(Window(folder))
        finally:
            process.terminate()
            process.wait(10)
    (folder / "result.json").write_text(json.dumps(result))
