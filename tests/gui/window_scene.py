"""Runs inside Blender with a window: sets the scene for a click and tells how it stands.

blender -P window_scene.py -- FOLDER [DRAWING]

FOLDER/state.json is written anew many times a second, for the driver outside to read. With a
drawing, the mannequin and the drawing are chosen in Croquis' tab; without one, Blender stays as it
starts. The operator that the driver names in FOLDER/call.json is called as Blender calls it when
files are dropped.
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import bpy
from bpy_extras.view3d_utils import location_3d_to_region_2d
from mathutils import Vector

INTERVAL = 0.05  # seconds

folder, *drawings = map(Path, sys.argv[sys.argv.index("--") + 1 :])

copied: list[str] = []
"""All that was ever copied to the clipboard."""

drawn: list[dict] = []
"""The pose that the viewport shows, once it has been drawn."""


shown = 0
"""How often an Image Editor was drawn."""

WATCHED = ("CROQUIS_PT_several", "CROQUIS_PT_dataset_run", "CROQUIS_PT_dataset_cameras")

opened: set[str] = set()
"""Those of the watched panels that were ever open."""

is_watching = False
"""Whether the panels are watched: when the extension is installed."""

running: list[str] = []
"""The modal operators at work."""

last_tick = 0.0
"""When the state was written last, seconds."""

longest = 0.0
"""Seconds between two ticks, the most while an operator with steps was at work."""

ticks = 0
"""How often the state was written."""


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


def set_scene(drawing: Path) -> None:
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


def settings() -> Any:
    """The panel's settings; None while the extension is not installed."""
    return getattr(bpy.data.scenes[0], "croquis", None)


def armature() -> bpy.types.Object | None:
    """The chosen character."""
    return settings() and settings().armature


def pose() -> dict[str, list[float]]:
    """The rotation and place of every pose bone, rounded."""
    character = armature()
    return {
        bone.name: [round(x, 5) for row in bone.matrix_basis for x in row]
        for bone in (character.pose.bones if character else ())
    }


def addon(module: str) -> Any:
    """A module of the installed extension."""
    return importlib.import_module(f"bl_ext.user_default.croquis.{module}")


def on_screen(places: dict[str, Vector]) -> dict[str, list[int]]:
    """Where the viewport shows places of the world, pixels of the window, y down."""
    window, area, main, _ = view()
    result = {}
    for name, place in places.items():
        point = location_3d_to_region_2d(main, area.spaces.active.region_3d, place)
        if point:
            result[name] = [round(main.x + point.x), round(window.height - main.y - point.y)]
    return result


def joints() -> dict[str, list[int]]:
    """Where the viewport shows the heads of the bones."""
    character = armature()
    bones = character.pose.bones if character else ()
    return on_screen({bone.name: character.matrix_world @ bone.head for bone in bones})


def handles() -> dict[str, list[int]]:
    """Where the viewport shows the drawing's joints, as in :func:`joints`."""
    character = armature()
    kept = character and addon("blender.pose").remembered(character)
    plane = kept and addon("blender.drawing_plane").plane_of(bpy.data.scenes[0], kept)
    if not plane:
        return {}
    places = plane.to_world(addon("blender.correct").joint_places(kept, character, plane))
    names = addon("core.skeleton").KEYPOINTS
    return on_screen(dict(zip(names, map(Vector, places.tolist()), strict=True)))


def watch_panels() -> None:
    """Take notice of panels that are drawn, once there are any."""
    global is_watching
    if settings() and not is_watching:
        for name in WATCHED:
            getattr(bpy.types, name).append(note_panel)
        is_watching = True


def note_panel(panel: bpy.types.Panel, _context: bpy.types.Context) -> None:
    """Blender calls this whenever it has drawn a watched panel."""
    opened.add(type(panel).__name__)


def run() -> dict | None:
    """How far the dataset is that is being rendered, if one is."""
    operator = getattr(bpy.types, "CROQUIS_OT_render_dataset", None)
    running = operator and operator.running
    return running and {"done": running.progress.done, "total": running.progress.total}


def fields() -> dict[str, str | int]:
    """The fields of the dataset panel that are filled in, by their paths from the scene."""
    chosen = settings() and settings().dataset
    names = ("characters", "animations", "output", "cameras", "workers") if chosen else ()
    return {f"croquis.dataset.{name}": getattr(chosen, name) for name in names}


def windows() -> list[list[list[str]]]:
    """For each window its areas: their types, and the picture of an Image Editor."""
    return [
        [
            [area.type, image.name if (image := getattr(area.spaces.active, "image", None)) else ""]
            for area in window.screen.areas
        ]
        for window in bpy.context.window_manager.windows
    ]


def dialog() -> dict:
    """Where an open file dialog is, and how many files are chosen in it."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            space = area.spaces.active
            if area.type == "FILE_BROWSER" and space.params:
                with bpy.context.temp_override(window=window, area=area):
                    selected = len(bpy.context.selected_files or ())
                return {"directory": os.fsdecode(space.params.directory), "selected": selected}
    return {"directory": "", "selected": 0}


def note_drawing() -> None:
    """Blender calls this whenever it has drawn the viewport."""
    drawn[:] = [pose()]


def note_picture() -> None:
    """Blender calls this whenever it has drawn an Image Editor."""
    global shown
    shown += 1


def regions() -> list[list]:
    """Type of area, type of region and rectangle of what all windows show.

    Rectangles as in :func:`rectangle`, but all of them seen from the first window.
    """
    first, *_ = manager = bpy.context.window_manager.windows
    result = []
    for window in manager:
        right = window.x - first.x
        down = first.y + first.height - window.y
        for area in window.screen.areas:
            for region in area.regions:
                top = down - region.y - region.height
                place = [right + region.x, top, region.width, region.height]
                result.append([area.type, region.type, place])
    return result


def state() -> dict:
    """What the driver wants to know."""
    window, _, main, sidebar = view()
    return {
        "tick": ticks,
        "window": [window.width, window.height],
        "viewport": rectangle(main),
        "sidebar": rectangle(sidebar),
        "section": bpy.context.preferences.active_section,
        "tab": sidebar.active_panel_category,
        "regions": regions(),
        "copied": copied,
        "installed": settings() is not None,
        "drawing": settings() and settings().drawing and settings().drawing.name,
        "objects": sorted(bpy.data.objects.keys()),
        "keyed": sorted(bpy.data.actions.keys()),
        "assets": sorted(action.name for action in bpy.data.actions if action.asset_data),
        "pose": pose(),
        "joints": joints(),
        "handles": handles(),
        "perspective": view()[1].spaces.active.region_3d.view_perspective,
        "is_drawn": drawn == [pose()],
        "opened": sorted(opened),
        "drawings": len(settings().several.drawings) if settings() else 0,
        "distance": view()[1].spaces.active.region_3d.view_distance,
        "longest": longest,
        "fields": fields(),
        "run": run(),
        "running": running,
        "windows": windows(),
        "shown": shown,
        "dialog": dialog(),
    }


def read_clipboard() -> None:
    """Move what is on the clipboard to ``copied``, so that the next copy is told from it."""
    manager = bpy.context.window_manager
    if manager.clipboard:
        copied.append(manager.clipboard)
        manager.clipboard = ""


def obey() -> None:
    """Call what the driver names, once."""
    path = folder / "call.json"
    if not path.exists():
        return
    call = json.loads(path.read_text())
    path.unlink()
    window, area, main, _ = view()
    group, name = call["operator"].split(".")
    with bpy.context.temp_override(window=window, area=area, region=main):
        getattr(getattr(bpy.ops, group), name)("INVOKE_DEFAULT", **call["properties"])


def start() -> None:
    for drawing in drawings:
        set_scene(drawing)
    bpy.types.SpaceView3D.draw_handler_add(note_drawing, (), "WINDOW", "POST_PIXEL")
    bpy.types.SpaceImageEditor.draw_handler_add(note_picture, (), "WINDOW", "POST_PIXEL")
    bpy.app.timers.register(tick, first_interval=INTERVAL)


def measure_pause() -> None:
    """How long Blender did nothing but work at a step."""
    global last_tick, longest
    now, before = time.monotonic(), running.copy()
    running[:] = [operator.bl_idname for operator in view()[0].modal_operators]
    if before or running:
        longest = max(longest, now - last_tick)
    last_tick = now


def tick() -> float:
    global ticks
    if not drawings or open_tab():
        ticks += 1
        measure_pause()
        watch_panels()
        read_clipboard()
        obey()
        part = folder / "state.part"
        part.write_text(json.dumps(state()))
        os.replace(part, folder / "state.json")
    return INTERVAL


bpy.context.preferences.view.show_splash = False
bpy.app.timers.register(start, first_interval=1.0)
