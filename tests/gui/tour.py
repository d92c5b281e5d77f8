"""Runs beside a Blender with a window, on the same screen: what a user does, from the zip on.

python3 tour.py BLENDER FOLDER DRAWING ZIP

Blender starts without the extension. Screenshots of every step and result.json (the state after
each) go to FOLDER. The dataset has a story of its own, render.py.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from window import STEP, State, Window, tell

UNDO_STEPS = 30
"""More than the story takes."""

CHANGING = ("objects", "pose", "keyed", "assets", "drawing")
"""What of a state the steps change."""


class Tour:
    """The story: a few steps, each of which leaves a screenshot and a state.

    Attributes:
        window: where it plays.
        states: by name of the step, in order.
    """

    def __init__(self, window: Window) -> None:
        self.window = window
        self.states: dict[str, Any] = {}
        self._last: State = {}

    def note(self, name: str) -> None:
        """Keep how it looks and stands, when the step has changed that and it is on the screen."""
        last = self._last
        self.window.drawn_state(
            lambda state: any(state[part] != last.get(part) for part in CHANGING)
        )
        self.window.screenshot(name)
        self.states[name] = self._last = self.window.next_state()

    def install(self, archive: str) -> None:
        """Edit > Preferences > Get Extensions > Install from Disk."""
        window = self.window
        window.move_to_viewport()
        window.key("ctrl+comma")
        left, top, width, height = window.place("PREFERENCES", "NAVIGATION_BAR")
        for y in range(top + STEP, top + height, 2 * STEP):
            window.move(left + width // 2, y)
            window.click()
            if window.next_state()["section"] == "EXTENSIONS":
                break
        left, top, width, _ = window.place("PREFERENCES", "WINDOW")
        window.move(left + width - 24, top + 24)  # the menu in the corner
        window.click()
        menu = [left + width - 170, top + 20, 150, 250]
        window.find_in(menu, "extensions.package_install_files")
        window.screenshot("install-menu")
        window.click()
        window.choose_file(Path(archive))
        window.state(lambda state: state["installed"])
        self.note("installed")
        window.close_window()

    def open_tab(self) -> None:
        """N, and a click on the tab at the sidebar's edge."""
        window = self.window
        window.move_to_viewport()
        window.key("a")
        window.key("Delete")  # the cube would stand in the way
        window.key("n")
        window.state(lambda state: state["sidebar"][2] > 1)
        left, top, width, height = window.next_state()["sidebar"]
        for y in range(top + 2 * STEP, top + height, 3 * STEP):
            window.move(left + width - STEP, y)
            window.click()
            if window.next_state()["tab"] == "Croquis":
                break
        self.note("tab")

    def drop(self, drawing: str) -> None:
        """A picture dropped into the viewport, as Blender calls the file handler's operator."""
        path = Path(drawing)
        files = [{"name": path.name}]
        self.call("croquis.open_drawing", directory=str(path.parent), files=files)
        self.window.state(lambda state: state["drawing"])
        self.window.move_to_viewport()
        self.note("drawing")

    def call(self, operator: str, **properties: object) -> None:
        """Have an operator called inside."""
        part, path = (self.window.folder / f"call.{end}" for end in ("part", "json"))
        part.write_text(json.dumps({"operator": operator, "properties": properties}))
        os.replace(part, path)

    def press(self, operator: str) -> None:
        """Find a button below the one before, and press it."""
        self.below = self.window.find_button(operator, self.below)[1] - STEP
        self.window.click()
        self.window.next_state()

    def come_closer(self) -> None:
        """Turn the wheel over the viewport: from afar, the mannequin is small."""
        self.window.move_to_viewport()
        self.window.turn_wheel(4, 6)

    def drag(self, joint: str, right: int, down: int) -> None:
        """Drag the handle of a joint."""
        start = self.window.next_state()["handles"][joint]
        end = [start[0] + right, start[1] + down]
        for number, _ in enumerate(self.window.drag(start, end)):
            self.window.screenshot(f"drag-{number:02}")
        self.states["target"] = end

    def undo_all(self) -> None:
        """Ctrl+Z until the scene is as it was."""
        window, begin = self.window, self.states["installed"]
        window.move_to_viewport()
        for _ in range(UNDO_STEPS):
            window.key("ctrl+z")
            time.sleep(0.3)
            if window.next_state()["objects"] == begin["objects"]:
                break
        self.note("undone")

    def play(self, drawing: str, archive: str) -> dict[str, Any]:
        """All of it."""
        self.window.take_focus()
        self.install(archive)
        self.open_tab()
        self.below = 0
        self.drop(drawing)
        self.press("croquis.add_mannequin")
        self.come_closer()
        self.note("mannequin")
        self.press("croquis.pose_from_sketch")
        self.note("posed")
        self.drag("LeftHand", 30, -70)
        self.note("dragged")
        self.window.scroll_sidebar()
        self.below = 0
        self.press("croquis.flip_limb(limb='LeftForeArm'")
        self.note("flipped")
        self.press("croquis.insert_keyframes")
        self.note("keyed")
        self.press("croquis.save_pose_asset")
        self.note("saved")
        self.undo_all()
        return self.states


if __name__ == "__main__":
    _, blender, folder, drawing, archive = sys.argv
    tell(blender, Path(folder), None, lambda window: Tour(window).play(drawing, archive))
