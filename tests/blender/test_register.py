"""Enabling and disabling the add-on leaves Blender as it was."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import bpy
import pytest

import addon


def inventory() -> Counter[str]:
    """What Blender holds of everything that an add-on may leave behind."""
    counts: Counter[str] = Counter()
    for base in (bpy.types.Operator, bpy.types.Panel, bpy.types.PropertyGroup):
        counts[base.__name__] = len(base.__subclasses__())
    counts["preferences"] = len(bpy.types.AddonPreferences.__subclasses__())
    for owner in (bpy.types.Scene, bpy.types.Object, bpy.types.WindowManager):
        counts[owner.__name__] = len(owner.bl_rna.properties)
    for name in dir(bpy.app.handlers):
        handlers = getattr(bpy.app.handlers, name)
        counts[name] = len(handlers) if isinstance(handlers, list) else 0
    for name in ("objects", "images", "armatures", "meshes", "cameras", "materials", "actions"):
        counts[name] = len(getattr(bpy.data, name))
    for configuration in bpy.context.window_manager.keyconfigs:
        counts["keys"] += sum(len(keymap.keymap_items) for keymap in configuration.keymaps)
    return counts


def registered_names() -> set[str]:
    return {name for name in dir(bpy.types) if name.upper().startswith("CROQUIS")}


def test_nothing_stays_behind() -> None:
    addon.register()
    addon.unregister()  # imports are done and classes made: from here on nothing may be added
    before = inventory()
    for _ in range(3):
        addon.register()
        assert registered_names()
        addon.unregister()
        assert not registered_names()
        assert not hasattr(bpy.types.Scene, "croquis")
    assert inventory() == before


@pytest.mark.usefixtures("registered")
def test_no_key_is_taken() -> None:
    configurations = bpy.context.window_manager.keyconfigs
    items = [
        item
        for configuration in configurations
        for keymap in configuration.keymaps
        for item in keymap.keymap_items
    ]
    assert not [item for item in items if item.idname.startswith("croquis.")]


@pytest.mark.usefixtures("registered")
def test_everything_explains_itself() -> None:
    settings = bpy.context.scene.croquis
    item = settings.several.drawings.add()
    for group in (settings, settings.several, item, settings.dataset):
        for prop in group.bl_rna.properties:
            if prop.identifier not in ("rna_type", "name", "several", "dataset"):
                assert prop.description, prop.identifier
    for name in dir(bpy.ops.croquis):
        operator = getattr(bpy.ops.croquis, name).get_rna_type()
        assert operator.description, name


def test_core_needs_no_bpy() -> None:
    code = "import sys, addon, addon.core.skeleton; sys.exit('bpy' in sys.modules)"
    root = next(iter(addon.__path__)) + "/.."
    if bpy.app.binary_path:
        pytest.skip("Blender's own Python has bpy in it")
    assert subprocess.run([sys.executable, "-c", code], cwd=root).returncode == 0
