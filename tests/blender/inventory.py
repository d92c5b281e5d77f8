"""What Blender holds of everything that an add-on may leave behind, counted.

As a program it installs one version of the extension over another and tells what it found:

python inventory.py RESULT OLDER.zip NEWER.zip
blender -b -P inventory.py -- RESULT OLDER.zip NEWER.zip
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import bpy

MODULE = "bl_ext.user_default.croquis"


def inventory() -> Counter[str]:
    """Counts by kind: classes, properties, handlers, menu lines, keys, data, files."""
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
    arguments = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    _tell(Path(arguments[0]), *arguments[1:])
