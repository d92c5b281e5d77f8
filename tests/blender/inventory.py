"""What Blender holds of everything that an add-on may leave behind, counted.

Of some of it Blender keeps no list that can be read: within :func:`watch`, what comes and goes is
followed.

As a program it installs one version of the extension over another and tells what it found:

python inventory.py RESULT OLDER.zip NEWER.zip [FOLDER]
blender -b -P inventory.py -- RESULT OLDER.zip NEWER.zip [FOLDER]

In the folder are the modules that the zips do not bring along.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import bpy
import bpy.utils.previews

MODULE = "bl_ext.user_default.croquis"

_standing: set[tuple[str, int]] = set()
"""What was put up and is not taken down yet since :func:`watch`: its kind, and which it is."""


def _note(kind: str, thing: Any, stands: bool = True) -> None:
    which = thing.as_pointer() if hasattr(thing, "as_pointer") else id(thing)
    (_standing.add if stands else _standing.discard)((kind, which))


# Of each function: what there is to note of a call, given its result and its arguments.
_DRAWING = {
    "draw_handler_add": lambda handle, *_: _note("drawing", handle),
    "draw_handler_remove": lambda _, handle, *__: _note("drawing", handle, False),
}
_OF_MODULES = {
    bpy.utils.previews: {
        "new": lambda previews: _note("previews", previews),
        "remove": lambda _, previews: _note("previews", previews, False),
    },
    bpy.app.timers: {
        "register": lambda _, function, **__: _note("functions on timers", function),
        "unregister": lambda _, function: _note("functions on timers", function, False),
    },
    bpy.msgbus: {
        "subscribe_rna": lambda _, owner, **__: _note("subscriptions", owner),
        "clear_by_owner": lambda _, owner: _note("subscriptions", owner, False),
    },
}
# The same of methods, after whose they are.
_OF_INSTANCES = {
    bpy.types.WindowManager: {
        "event_timer_add": lambda _, timer, *__, **___: _note("timers", timer),
        "event_timer_remove": lambda _, __, timer: _note("timers", timer, False),
    },
    bpy.types.Window: {
        "cursor_modal_set": lambda window, *_: _note("pointers", window),
        "cursor_modal_restore": lambda window, *_: _note("pointers", window, False),
    },
    bpy.types.WorkSpace: {
        "status_text_set": lambda space, _, text: _note("status texts", space, text is not None),
    },
}


@contextmanager
def watch() -> Iterator[None]:
    """Have :func:`inventory` count timers, drawing, pointers, texts, previews and subscriptions.

    Those that are there already are not counted.
    """
    _standing.clear()
    kinds = [getattr(bpy.types, name) for name in dir(bpy.types)]
    spaces = [kind for kind in kinds if bpy.types.Space in getattr(kind, "__bases__", ())]
    with ExitStack() as stack:
        for owner, notes in (dict.fromkeys(spaces, _DRAWING) | _OF_MODULES).items():
            for name, note in notes.items():
                followed = _followed(getattr(owner, name), note)
                stack.enter_context(patch.object(owner, name, followed))
        for kind, notes in _OF_INSTANCES.items():
            stack.enter_context(patch.object(kind, "__getattribute__", _looking_up(kind, notes)))
        yield


def _followed(function: Callable[..., Any], note: Callable[..., None]) -> Callable[..., Any]:
    """A function whose calls are noted."""

    def follow(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        note(result, *args, **kwargs)
        return result

    return follow


def _looking_up(kind: type, notes: dict[str, Callable[..., None]]) -> Callable[..., Any]:
    """How members are found: Blender's own functions come before what a class may hold."""
    plain: Any = kind.__getattribute__

    def look_up(self: Any, name: str) -> Any:
        found = plain(self, name)
        return _followed(found, partial(notes[name], self)) if name in notes else found

    return look_up


def inventory() -> Counter[str]:
    """Counts by kind: classes, properties, handlers, menu lines, keys, data, files, what runs."""
    counts: Counter[str] = Counter()
    # Looking at all types makes Blender build the classes of its own that nobody has used yet.
    for name in dir(bpy.types):
        kind = getattr(bpy.types, name)
        if isinstance(kind, type) and issubclass(kind, bpy.types.ID):
            counts[f"properties of {name}"] = len(kind.bl_rna.properties)
        # The first line that is ever added has Blender put its own drawing into the list, for good.
        lines = getattr(getattr(kind, "draw", None), "_draw_funcs", ())
        counts["menu lines"] += max(len(lines) - 1, 0)
    bases = ("Operator", "Panel", "Menu", "UIList", "PropertyGroup", "AddonPreferences")
    for base in (*bases, "Gizmo", "GizmoGroup", "FileHandler", "KeyingSetInfo", "Header"):
        counts[base] = len(list(_below(getattr(bpy.types, base))))
    counts["window manager"] = len(bpy.types.WindowManager.bl_rna.properties)
    for name in dir(bpy.app.handlers):
        handlers = getattr(bpy.app.handlers, name)
        counts[name] = len(handlers) if isinstance(handlers, list) else 0
    for prop in bpy.data.bl_rna.properties:
        if prop.type == "COLLECTION":
            counts[prop.identifier] = len(getattr(bpy.data, prop.identifier))
    for configuration in bpy.context.window_manager.keyconfigs:
        counts["keys"] += sum(len(keymap.keymap_items) for keymap in configuration.keymaps)
    for window in bpy.context.window_manager.windows:
        # What is left of those whose class is gone stays until Blender's next look at its events.
        kinds = Counter(map(type, window.modal_operators))
        counts["modal operators"] += kinds.total() - kinds[type(None)] - kinds[bpy.types.Operator]
    counts.update(kind for kind, _ in _standing)
    counts["files"] = sum(1 for path in Path(bpy.app.tempdir).rglob("*"))
    return counts


def _below(kind: type) -> set[type]:
    """All registered classes below a class; others merely wait for Python's collector."""
    found = {sub for sub in kind.__subclasses__() if "bl_rna" in vars(sub)}
    return found | {deeper for sub in kind.__subclasses__() for deeper in _below(sub)}


def croquis_names() -> list[str]:
    """What of Croquis is registered."""
    return sorted(name for name in dir(bpy.types) if name.upper().startswith("CROQUIS"))


def _tell(result: Path, older: str, newer: str) -> None:
    """Install, update, disable; write down what there is after each."""
    bpy.ops.preferences.addon_enable(module="bl_pkg")
    folder = Path(bpy.utils.user_resource("EXTENSIONS"), "user_default", "croquis")
    story = {"before": inventory()}
    for step, archive in (("older", older), ("newer", newer)):
        bpy.ops.extensions.package_install_files(
            repo="user_default", filepath=archive, enable_on_install=True
        )
        files = (path for path in folder.rglob("*") if path.is_file())
        story[step] = {
            "names": croquis_names(),
            "scene": hasattr(bpy.types.Scene, "croquis"),
            "files": sorted(str(p.relative_to(folder)) for p in files if p.suffix != ".pyc"),
        }
    for step in ("disabled", "disabled again"):
        bpy.ops.preferences.addon_disable(module=MODULE)
        story[step] = inventory()
        bpy.ops.preferences.addon_enable(module=MODULE)
    bpy.ops.preferences.addon_disable(module=MODULE)
    result.write_text(json.dumps(story))


if __name__ == "__main__":
    result, older, newer, *folders = (
        sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    )
    sys.path += folders
    with watch():
        _tell(Path(result), older, newer)
