"""Runs inside Blender with a window: sets the scene for a click and tells how it stands.

blender -P window_scene.py -- FOLDER DRAWING

FOLDER/state.json is written anew ten times a second, for the driver outside to read. What the
driver writes into FOLDER/settings.json is put into the dataset panel.
"""

import json
import os
import sys
from pathlib import Path

import bpy

INTERVAL = 0.1  # seconds

folder, drawing = map(Path, sys.argv[sys.argv.index("--") + 1 :])

copied: list[str] = []
"""All that was ever copied to the clipboard."""

drawn: list[dict] = []
"""The pose that the viewport shows, once it has been drawn."""


panel_drawings = 0
"""How often the dataset panel's last part was drawn: more than never when it is open."""


def view() -> tuple[bpy.types.Window, bpy.types.Area, bpy.types.Region, bpy.types.Region]:
    """The window, its 3D viewport, and that viewport's main region and sidebar."""
    window = bpy.context.window_manager.windows[0]
    area = next(a for a in window.screen.areas if a.type == "VIEW_3D")
    regions = {region.type: region for region in area.regions}
    return window, area, regions["WINDOW"], regions["UI"]


def rectangle(region: bpy.types.Region) -> list[int]:
    """Left, top, width and height, pixels of the window, y down (Blender counts it from below)."""
    window = view()[0]
    return [region.x, window.height - region.y - region.height, region.width, region.height]


def set_scene() -> None:
    """A mannequin and a drawing, chosen in the panel; the rest of the start-up scene goes."""
    window, area, main, _ = view()
    bpy.data.batch_remove(list(bpy.data.objects))
    area.spaces.active.show_region_ui = True
    with bpy.context.temp_override(window=window, area=area, region=main):
        bpy.ops.croquis.add_mannequin()
        bpy.context.scene.croquis.drawing = bpy.data.images.load(str(drawing))
        bpy.ops.view3d.view_axis(type="FRONT")
        bpy.ops.view3d.view_all()
        # What a script does is no undo step of its own: without this one, undoing the click would
        # undo the whole scene.
        bpy.ops.ed.undo_push(message="Set the scene")


def open_tab() -> bool:
    """Turn the sidebar to Croquis; True when it is there.

    Setting the category again would rebuild the button under the mouse, so it is set only until it
    holds: before the sidebar's first drawing it does not.
    """
    sidebar = view()[3]
    if sidebar.active_panel_category != "Croquis":
        try:
            sidebar.active_panel_category = "Croquis"
        except TypeError:  # no such category yet
            return False
    return True


def pose() -> dict[str, list[float]]:
    """The rotation and place of every pose bone, rounded."""
    armature = bpy.data.scenes[0].croquis.armature
    return {
        bone.name: [round(x, 5) for row in bone.matrix_basis for x in row]
        for bone in armature.pose.bones
    }


def note_panel(_panel: bpy.types.Panel, _context: bpy.types.Context) -> None:
    """Blender calls this whenever it has drawn the dataset panel."""
    global panel_drawings
    panel_drawings += 1


def run() -> dict | None:
    """How far the dataset is that is being rendered, if one is."""
    running = bpy.types.CROQUIS_OT_render_dataset.running
    return running and {"done": running.progress.done, "total": running.progress.total}


def windows() -> list[list[list[str]]]:
    """For each window its areas: their types, and the picture of an Image Editor."""
    return [
        [
            [area.type, image.name if (image := getattr(area.spaces.active, "image", None)) else ""]
            for area in window.screen.areas
        ]
        for window in bpy.context.window_manager.windows
    ]


def note_drawing() -> None:
    """Blender calls this whenever it has drawn the viewport."""
    drawn[:] = [pose()]


def state() -> dict:
    """What the driver wants to know."""
    window, _, main, sidebar = view()
    return {
        "window": [window.width, window.height],
        "viewport": rectangle(main),
        "sidebar": rectangle(sidebar),
        "copied": copied,
        "objects": sorted(bpy.data.objects.keys()),
        "pose": pose(),
        "perspective": view()[1].spaces.active.region_3d.view_perspective,
        "is_drawn": drawn == [pose()],
        "panel_is_open": panel_drawings > 0,
        "run": run(),
        "windows": windows(),
    }


def read_clipboard() -> None:
    """Move what is on the clipboard to ``copied``, so that the next copy is told from it."""
    manager = bpy.context.window_manager
    if manager.clipboard:
        copied.append(manager.clipboard)
        manager.clipboard = ""


def take_settings() -> None:
    """Put what the driver wishes into the dataset panel."""
    path = folder / "settings.json"
    if path.exists():
        for name, value in json.loads(path.read_text()).items():
            setattr(bpy.data.scenes[0].croquis.dataset, name, value)
        path.unlink()


def start() -> None:
    set_scene()
    bpy.types.CROQUIS_PT_dataset_run.append(note_panel)
    bpy.types.SpaceView3D.draw_handler_add(note_drawing, (), "WINDOW", "POST_PIXEL")
    bpy.app.timers.register(tick, first_interval=INTERVAL)


def tick() -> float:
    if open_tab():
        read_clipboard()
        take_settings()
        part = folder / "state.part"
        part.write_text(json.dumps(state()))
        os.replace(part, folder / "state.json")
    return INTERVAL


bpy.context.preferences.view.show_splash = False
bpy.app.timers.register(start, first_interval=1.0)
