"""Runs beside a Blender with a window, on the same screen: poses a character as a user does.

python3 click.py BLENDER FOLDER DRAWING

Screenshots and result.json (the scene's state before the click, after it, and after one undo) go
to FOLDER.
"""

import sys
from pathlib import Path

from window import State, Window, tell


def press_and_undo(window: Window) -> dict[str, State]:
    """The story: click the button, look, undo once, look."""
    window.take_focus()
    x, y = window.find_button("croquis.pose_from_sketch")
    window.move(x, y)
    before = window.state(lambda _: True)
    window.screenshot("before")
    window.click()
    after = window.drawn_state(lambda state: state["pose"] != before["pose"])
    window.screenshot("posed")
    window.move_to_viewport()
    window.key("ctrl+z")
    undone = window.drawn_state(lambda state: state["pose"] != after["pose"])
    window.screenshot("undone")
    return {"before": before, "after": after, "undone": undone}


if __name__ == "__main__":
    tell(sys.argv[1], Path(sys.argv[2]), sys.argv[3], press_and_undo)
