"""Runs beside a Blender with a window, on the same screen: renders datasets as a user does.

python3 render.py BLENDER FOLDER DRAWING

FOLDER holds characters/ and animations/, two clips together. One dataset is rendered to its end,
another is stopped with Esc when its first clip is finished. Screenshots and result.json (the states
before, during and after both) go to FOLDER.
"""

import json
import os
import sys
import time
from pathlib import Path

from window import PATIENCE, State, Window, tell

BUTTON = "croquis.render_dataset"


def render_and_stop(window: Window) -> dict[str, State]:
    """The story: open the panel, render, see the contact sheet, render another, stop it."""
    window.take_focus()
    window.open_panel("CROQUIS_PT_dataset_run")
    window.scroll_down()  # all panels together are higher than the window
    _, top, _, height = window.state(lambda _: True)["sidebar"]
    half = top + height // 2
    choose(window, output="whole", cameras=8, size=128)
    window.screenshot("dataset-panel")
    before = window.state(lambda _: True)
    window.find_button(BUTTON, half)
    window.click()
    running = window.state(lambda state: state["run"] and state["run"]["done"])
    window.screenshot("dataset-running")
    after = window.state(lambda state: not state["run"] and len(state["windows"]) > 1)
    time.sleep(3)  # the new window still has to come to the screen
    window.screenshot("contact-sheet")
    window.key("alt+F4")
    window.state(lambda state: len(state["windows"]) == 1)

    choose(window, output="stopped", cameras=200)
    window.find_button(BUTTON, half)
    window.click()
    window.state(lambda state: state["run"])
    wait_for(window.folder / "stopped" / "clips", "*.json")
    window.screenshot("dataset-long")
    window.move_to_viewport()
    window.key("Escape")
    stopped = window.state(lambda state: not state["run"])
    time.sleep(1)
    window.screenshot("dataset-stopped")
    return {"before": before, "running": running, "after": after, "stopped": stopped}


def choose(window: Window, output: str, **settings: int) -> None:
    """Have the dataset's settings set inside."""
    folders = {"characters": "characters", "animations": "animations", "output": output}
    paths = {name: str(window.folder / folder) for name, folder in folders.items()}
    part, path = window.folder / "settings.part", window.folder / "settings.json"
    part.write_text(json.dumps({**paths, **settings, "workers": 1}))
    os.replace(part, path)
    while path.exists():
        time.sleep(0.1)


def wait_for(folder: Path, pattern: str) -> None:
    """Wait until a folder holds a file."""
    deadline = time.monotonic() + PATIENCE
    while not any(folder.glob(pattern)):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{folder} holds no {pattern} after {PATIENCE:.0f} s")
        time.sleep(0.1)


if __name__ == "__main__":
    tell(sys.argv[1], Path(sys.argv[2]), sys.argv[3], render_and_stop)
