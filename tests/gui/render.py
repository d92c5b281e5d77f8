"""Runs beside a Blender with a window, on the same screen: renders datasets as a user does.

python3 render.py BLENDER FOLDER DRAWING

FOLDER holds characters/ and animations/, two clips together. One dataset is rendered to its end,
another is stopped with Esc when its first clip is finished. Screenshots and result.json (the states
before, during and after both) go to FOLDER.
"""

import sys
import time
from pathlib import Path

from window import PATIENCE, STEP, State, Window, tell

BUTTON = "croquis.render_dataset"
DATASET = "croquis.dataset"
"""Where its settings are, seen from the scene."""


def render_and_stop(window: Window) -> dict[str, State]:
    """The story: fill in the panel, render, see the contact sheet, render a larger one, stop it."""
    window.take_focus()
    window.open_panel("CROQUIS_PT_dataset_run")
    window.scroll_down()  # all panels together are higher than the window
    characters = window.fill(f"{DATASET}.characters", str(window.folder / "characters"))
    animations = window.fill(f"{DATASET}.animations", str(window.folder / "animations"), characters)
    output = window.fill(f"{DATASET}.output", str(window.folder / "dataset"), animations)
    workers = window.fill(f"{DATASET}.workers", 1, output)
    before = window.state(lambda _: True)
    window.move_to_viewport()
    window.screenshot("dataset-panel")
    window.find_button(BUTTON, workers)
    window.click()
    running = window.state(lambda state: state["run"] and state["run"]["done"])
    window.screenshot("dataset-running")
    after = window.state(lambda state: not state["run"] and state["shown"])
    time.sleep(3)  # what is drawn still has to come to the screen
    window.screenshot("contact-sheet")
    window.close_window()
    closed = window.next_state()

    window.fill(f"{DATASET}.output", str(window.folder / "larger"), output - 2 * STEP)
    window.open_panel("CROQUIS_PT_dataset_cameras", output)
    cameras = window.fill(f"{DATASET}.cameras", 100, output)
    window.find_button(BUTTON, cameras)
    window.click()
    window.state(lambda state: state["run"])
    wait_for(window.folder / "larger" / "clips", "*.json")
    window.scroll_down()
    window.screenshot("dataset-long")
    window.move_to_viewport()
    window.key("Escape")
    window.state(lambda state: not state["run"])
    stopped = window.next_state()
    time.sleep(1)
    window.screenshot("dataset-stopped")
    return {
        "before": before,
        "running": running,
        "after": after,
        "closed": closed,
        "stopped": stopped,
    }


def wait_for(folder: Path, pattern: str) -> None:
    """Wait until a folder holds a file."""
    deadline = time.monotonic() + PATIENCE
    while not any(folder.glob(pattern)):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{folder} holds no {pattern} after {PATIENCE:.0f} s")
        time.sleep(0.1)


if __name__ == "__main__":
    tell(sys.argv[1], Path(sys.argv[2]), sys.argv[3], render_and_stop)
