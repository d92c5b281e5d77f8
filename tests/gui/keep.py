"""Runs beside a Blender with a window, on the same screen: keeps a pose in files, as a user does.

python3 keep.py BLENDER FOLDER DRAWING

The exported files, screenshots of their dialogs and result.json (the state after each step) go
to FOLDER.
"""

import sys
from pathlib import Path

from window import State, Window, tell


def keep_and_load(window: Window) -> dict[str, State]:
    """The story: pose, export twice, undo the pose, load it."""
    window.take_focus()
    window.find_button("croquis.pose_from_sketch")
    before = window.state(lambda _: True)
    window.click()
    posed = window.state(lambda state: state["pose"] != before["pose"])
    window.scroll_sidebar()
    left, top, width, height = window.next_state()["sidebar"]
    for column, name in enumerate(("json", "bvh")):
        half = [left + column * width // 2, top, width // 2, height]
        window.find_in(half, f"croquis.export_{name}")
        window.click()
        window.choose_folder(window.folder, f"export-{name}-dialog")
    window.move_to_viewport()
    window.key("ctrl+z")
    undone = window.state(lambda state: state["pose"] == before["pose"])
    window.find_button("croquis.load_pose")
    window.click()
    window.choose_file(next(window.folder.glob("*_*.json")), "load-pose-dialog")
    loaded = window.drawn_state(lambda state: state["pose"] != before["pose"])
    window.screenshot("pose-loaded")
    return {"before": before, "posed": posed, "undone": undone, "loaded": loaded}


if __name__ == "__main__":
    tell(sys.argv[1], Path(sys.argv[2]), sys.argv[3], keep_and_load)
