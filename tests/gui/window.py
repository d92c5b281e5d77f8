"""Blender's window seen from outside: its state, its mouse and keyboard, its looks.

Needs xdotool and ImageMagick.
"""

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

STEP = 15  # pixels between two places where a button is looked for; buttons are 20 high
PATIENCE = 60.0  # seconds

State = dict[str, Any]


class Window:
    """Blender's window, its mouse and keyboard."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state(lambda _: True)
        self.id = self._windows("--sync")[0]

    def _windows(self, *options: str) -> list[str]:
        """What is on the screen of Blender."""
        return xdotool("search", *options, "--onlyvisible", "--class", "blender").split()

    def state(self, wanted: Callable[[State], bool]) -> State:
        """The scene's state, as soon as it is as wanted."""
        deadline = time.monotonic() + PATIENCE
        path = self.folder / "state.json"
        while time.monotonic() < deadline:
            if path.exists() and wanted(state := json.loads(path.read_text())):
                return state
            time.sleep(0.02)
        self.screenshot("timeout")
        raise TimeoutError(f"Blender did not get there in {PATIENCE:.0f} s; see timeout.png")

    def drawn_state(self, wanted: Callable[[State], bool]) -> State:
        """The same, when the viewport shows it."""
        result = self.state(lambda state: state["is_drawn"] and wanted(state))
        self.next_state()
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

    def drag(self, start: Sequence[int], end: Sequence[int], steps: int = 12) -> Iterator[None]:
        """Drag with the left button, in small steps; pauses for the caller at each."""
        self.move(*start)
        xdotool("mousedown", 1)
        time.sleep(0.2)
        for step in range(1, steps + 1):
            place = (round(a + (b - a) * step / steps) for a, b in zip(start, end, strict=True))
            xdotool("mousemove", "--window", self.id, *place)
            time.sleep(0.1)
            yield
        xdotool("mouseup", 1)
        time.sleep(0.3)

    def move_to_viewport(self) -> None:
        """Move the mouse to the middle of the 3D viewport, so that keys mean that."""
        left, top, width, height = self.state(lambda _: True)["viewport"]
        self.move(left + width // 2, top + height // 2)

    def choose_file(self, path: Path, screenshot: str = "") -> None:
        """Choose a file in the dialog that is about to open, and accept it."""
        self._go_to(path)
        self._accept(screenshot)

    def choose_folder(self, folder: Path, screenshot: str = "") -> None:
        """Accept the name that the dialog suggests that is about to open, in a folder."""
        self._go_to(folder)
        self._accept(screenshot)

    def choose_all(self, folder: Path, screenshot: str = "") -> None:
        """Choose all files of a folder in the dialog that is about to open, and accept them."""
        self._go_to(folder)
        self.key("a")
        self.state(lambda state: state["dialog"]["selected"] == len(list(folder.iterdir())))
        self._accept(screenshot)

    def _go_to(self, path: Path) -> None:
        left, top, width, height = self.place("FILE_BROWSER", "WINDOW")
        self.move(left + width // 2, top + height // 2)
        self.key("ctrl+l")
        self.next_state()
        self.key("ctrl+a")
        xdotool("type", "--delay", 15, path)
        self.key("Return")
        folder = path if path.is_dir() else path.parent
        self.state(lambda state: Path(state["dialog"]["directory"]) == folder)
        time.sleep(1)  # the files are read

    def _accept(self, screenshot: str) -> None:
        count = len(self.next_state()["windows"])
        if screenshot:
            self.screenshot(screenshot)
        self.key("Return")
        self.state(lambda state: len(state["windows"]) < count)

    def place(self, area: str, region: str) -> list[int]:
        """Left, top, width and height of a region that is there or about to open, in any window."""

        def places(state: State) -> list[list[int]]:
            return [place for *kinds, place in state["regions"] if kinds == [area, region]]

        self.state(lambda state: bool(places(state)))
        time.sleep(2)  # a new window still has to come to its place
        return places(self.next_state())[-1]

    def close_window(self) -> None:
        """Close the window that has come before Blender's first one, and wait until it is gone."""
        self.key("alt+F4")
        self.state(lambda state: len(state["windows"]) == 1)
        deadline = time.monotonic() + PATIENCE
        while len(self._windows()) > 1:
            if time.monotonic() > deadline:
                self.screenshot("timeout")
                raise TimeoutError("a window does not close; see timeout.png")
            time.sleep(0.1)

    def turn_wheel(self, button: int, count: int) -> None:
        """Turn the wheel where the mouse is: up is button 4, down 5."""
        xdotool("click", "--repeat", count, "--delay", 30, button)
        time.sleep(0.5)

    def scroll_sidebar(self) -> None:
        """Scroll the sidebar to its end."""
        left, top, width, height = self.state(lambda _: True)["sidebar"]
        self.move(left + width // 2, top + height // 2)
        self.scroll_down()

    def scroll_down(self) -> None:
        """Turn the wheel to the end of what is there."""
        self.turn_wheel(5, 40)

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
        begin = max(top, below)
        try:
            return self.find_in([left, begin, width, top + height - begin], operator)
        except LookupError:  # farther down, perhaps
            self.scroll_sidebar()
            return self.find_in([left, top, width, height], operator)

    def open_panel(self, name: str, after: int = 0) -> None:
        """Click the header of one of the panels that are closed at first.

        Headers on the way to it are clicked twice, so that their panels are as they were.

        Args:
            name: the panel's class.
            after: where the last thing stands before the headers, pixels from the window's top;
                by default the last button of the panels that are open at first.
        """

        def is_open() -> bool:
            time.sleep(0.5)  # also keeps two clicks from being a double click
            return name in self.next_state()["opened"]

        if not after:
            self.scroll_sidebar()
            _, top, _, height = self.state(lambda _: True)["sidebar"]
            after = self.find_button("croquis.load_pose", top + height // 2)[1]
        left, top, width, height = self.state(lambda _: True)["sidebar"]
        x, y = left + width // 2, after + STEP  # a button is less than two steps high
        while not is_open():
            y += STEP
            assert y < top + height, f"no panel {name}"
            self.move(x, y)
            self.click()
            if not is_open():
                self.click()

    def fill(self, field: str, value: str | int, below: int = 0) -> int:
        """Type a value into a field of the sidebar; where it stands, pixels from the window's top.

        Args:
            field: its path from the scene, which Ctrl+Shift+C copies.
            value: what it is to hold.
            below: where to begin, pixels from the window's top.
        """
        left, top, width, height = self.state(lambda _: True)["sidebar"]
        begin = max(top, below)
        # Names stand at the left, fields at the right.
        half = [left + width // 2, begin, width // 2, top + height - begin]
        _, y = self.find_in(half, field, "ctrl+shift+c")
        self.click()
        self.key("ctrl+a")
        xdotool("type", "--delay", 15, value)
        self.key("Return")
        self.next_state()
        self.state(lambda state: state["fields"][field] == value)
        return y

    def find_in(
        self, rectangle: Sequence[int], copied: str, keys: str = "ctrl+c"
    ) -> tuple[int, int]:
        """A place in a column of buttons anywhere.

        Args:
            rectangle: left, top, width and height of the column, pixels.
            copied: what is copied there, or a part of it.
            keys: what copies it.
        """
        left, top, width, height = rectangle
        x = left + width // 2
        for y in 2 * list(range(top + STEP, top + height, STEP)):  # a busy Blender misses some
            # The second time makes sure that a busy Blender was not answering for the place before.
            if copied in self.copy(x, y, keys) and copied in self.copy(x, y, keys):
                return x, y
        self.screenshot("no-button")
        raise LookupError(f"no button {copied} there; see no-button.png")

    def copy(self, x: int, y: int, keys: str) -> str:
        """What keys copy at a place, "" if nothing."""
        before = self.state(lambda _: True)
        xdotool("mousemove", "--window", self.id, x, y, "sleep", 0.05, "key", keys)
        after = self.state(lambda state: state["tick"] > before["tick"] + 2)
        return "".join(after["copied"][len(before["copied"]) :])

    def next_state(self) -> State:
        """The state when Blender has answered what it was sent."""
        tick = self.state(lambda _: True)["tick"]
        return self.state(lambda state: state["tick"] > tick + 1)


def xdotool(*arguments: object) -> str:
    """Run xdotool; what it prints."""
    command = ["xdotool", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def tell(blender: str, folder: Path, drawing: str | None, story: Callable[[Window], Any]) -> None:
    """Open a window, play a story in it, and keep what it returns in result.json."""
    scene = Path(__file__).with_name("window_scene.py")
    with (folder / "blender.log").open("w") as log:
        process = subprocess.Popen(
            [blender, "-P", str(scene), "--", str(folder), *filter(None, [drawing])],
            stdout=log,
            stderr=log,
        )
        try:
            result = story(Window(folder))
        finally:
            process.terminate()
            process.wait(10)
    (folder / "result.json").write_text(json.dumps(result))
