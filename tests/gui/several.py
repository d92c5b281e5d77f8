"""Runs beside a Blender with a window, on the same screen: poses a sequence as a user does.

python3 several.py BLENDER FOLDER DRAWING

FOLDER/drawings holds the sequence. It is posed and stopped with Esc, posed to its end, and taken
back. Screenshots and result.json (the state after each) go to FOLDER.
"""

import sys
import time
from pathlib import Path

from window import State, Window, tell

BUTTON = "croquis.pose_sequence"
OPERATOR = "CROQUIS_OT_pose_sequence"


def pose_sequence(window: Window) -> dict[str, State]:
    """The story: add the drawings, pose, stop, pose again while looking around, undo."""
    window.take_focus()
    window.open_panel("CROQUIS_PT_several")
    window.scroll_sidebar()
    left, top, width, height = window.state(lambda _: True)["sidebar"]
    # The list's small buttons stand at its right.
    _, y = window.find_in([left + width - 56, top, 30, height], "croquis.add_drawings")
    window.click()
    window.choose_all(window.folder / "drawings", "drawings-dialog")
    before = window.state(lambda state: state["drawings"] > 1)
    window.find_button(BUTTON, y)
    window.screenshot("sequence-panel")

    window.click()
    window.state(lambda state: OPERATOR in state["running"])
    time.sleep(0.5)
    window.screenshot("sequence-running")
    window.key("Escape")
    window.state(lambda state: OPERATOR not in state["running"])
    time.sleep(1)
    window.screenshot("sequence-stopped")
    stopped = window.next_state()

    window.click()
    window.state(lambda state: OPERATOR in state["running"])
    window.move_to_viewport()
    window.turn_wheel(4, 3)
    looking = window.next_state()
    posed = window.state(lambda state: OPERATOR not in state["running"] and state["keyed"])
    window.next_state()
    time.sleep(1)
    window.screenshot("sequence-posed")
    window.key("ctrl+z")
    undone = window.state(lambda state: not state["keyed"])
    return {
        "before": before,
        "stopped": stopped,
        "looking": looking,
        "posed": posed,
        "undone": undone,
    }


if __name__ == "__main__":
    tell(sys.argv[1], Path(sys.argv[2]), sys.argv[3], pose_sequence)
