"""Enabling, disabling and updating the add-on leaves Blender as it was; everything explains itself.

In the interface as it is registered: nothing here knows the single operators and panels.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import bpy
import pytest

import addon
from addon.blender.mannequin import add_mannequin
from addon.preferences import CroquisPreferences
from addon.ui import menus, panels
from scripts import build_extension
from tests.blender import inventory as inventories
from tests.blender.inventory import croquis_names, inventory

FRAGMENT = re.compile(r"[A-Z0-9].*[^.!?\s]", re.DOTALL)
"""Blender's way of writing a tooltip: capitalised, without a full stop at its end."""

HANDED = {"filepath", "directory", "files", "check_existing", "filename_ext"}
"""Properties that Blender's own file selector fills in."""


def operators() -> dict[str, Any]:
    """Croquis' registered operators by their names."""
    return {name: getattr(bpy.ops.croquis, name) for name in dir(bpy.ops.croquis)}


def groups() -> Iterator[bpy.types.bpy_struct]:
    """The settings in the scene, all the way down, and the preferences."""

    def below(group: bpy.types.PropertyGroup) -> Iterator[bpy.types.bpy_struct]:
        yield group
        for prop in group.bl_rna.properties:
            if prop.identifier == "rna_type":
                continue
            value = getattr(group, prop.identifier)
            if prop.type == "COLLECTION":
                yield from below(value.add())
            elif isinstance(value, bpy.types.PropertyGroup):
                yield from below(value)

    yield from below(bpy.context.scene.croquis)


def own_properties(rna: bpy.types.Struct) -> Iterator[bpy.types.Property]:
    """What the add-on has declared, as far as a user gets to see it."""
    for prop in rna.properties:
        if prop.identifier in {"rna_type", "name"} or prop.identifier in HANDED:
            continue
        if not prop.is_hidden or prop.description:
            yield prop


def test_nothing_stays_behind() -> None:
    addon.register()
    addon.unregister()  # imports are done and classes made: from here on nothing may be added
    before = inventory()
    for _ in range(3):
        addon.register()
        assert croquis_names()
        assert inventory() != before
        addon.unregister()
        assert not croquis_names()
        assert not hasattr(bpy.types.Scene, "croquis")
    assert inventory() == before


def packed(folder: Path, version: str, *more: str) -> Path:
    """A zip of the add-on that is tested here, with another version and more modules."""
    stage = folder / version
    source = Path(addon.__file__).parent
    shutil.copytree(source, stage, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    wheel = next((path.name for path in stage.glob("wheels/*.whl")), None)
    manifest = re.sub(
        r'^version = ".*"', f'version = "{version}"', _manifest(wheel), flags=re.MULTILINE
    )
    (stage / "blender_manifest.toml").write_text(manifest)
    for name in more:
        (stage / name).write_text("")
    build_extension.pack(stage, folder / f"{version}.zip")
    return folder / f"{version}.zip"


def _manifest(wheel: str | None) -> str:
    """The manifest of a zip for this machine; without a wheel OpenCV is there already."""
    text = build_extension.manifest_for("linux-x64", wheel or "")
    text = re.sub(r"^platforms = .*$", 'platforms = ["linux-x64"]', text, flags=re.MULTILINE)
    return text if wheel else re.sub(r"^wheels = .*\n", "", text, flags=re.MULTILINE)


@pytest.mark.skipif(sys.platform != "linux", reason="the zip is one for Linux")
def test_an_update_leaves_nothing_of_the_older_version(tmp_path: Path) -> None:
    older = packed(tmp_path, "0.0.1", "forgotten.py", "models/old.onnx")
    newer = packed(tmp_path, "0.0.2")
    result = tmp_path / "result.json"
    script = Path(inventories.__file__)
    program = [bpy.app.binary_path, "-b", "-P", str(script), "--"]
    command = program if bpy.app.binary_path else [sys.executable, str(script)]
    told = subprocess.run(
        [*command, str(result), str(older), str(newer)],
        env=os.environ | {"BLENDER_USER_RESOURCES": str(tmp_path / "resources")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.exists(), told.stdout + told.stderr
    story = json.loads(result.read_text())
    assert story["older"]["names"] == story["newer"]["names"]
    assert len(story["newer"]["names"]) > 20 and story["newer"]["scene"]
    gone = set(story["older"]["files"]) - set(story["newer"]["files"])
    assert gone == {"forgotten.py", "models/old.onnx"}
    with zipfile.ZipFile(newer) as archive:
        assert story["newer"]["files"] == sorted(archive.namelist())
    # The first time something is enabled, Blender's own modules may register on import.
    assert story["disabled"] == story["disabled again"]
    more = {k: v - story["before"].get(k, 0) for k, v in story["disabled"].items()}
    assert not {kind: count for kind, count in more.items() if count}


def test_the_version_stands_in_one_place() -> None:
    version = build_extension.manifest()["version"]
    folder = Path(addon.__file__).parent
    for path in folder.rglob("*.py"):
        assert version not in path.read_text(encoding="utf-8"), f"{path} repeats {version}"
    installed = folder / "blender_manifest.toml"
    if installed.exists():
        assert tomllib.loads(installed.read_text())["version"] == version


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
def test_every_tooltip_is_a_fragment() -> None:
    wrong = []
    for name, operator in operators().items():
        rna = operator.get_rna_type()
        if not FRAGMENT.fullmatch(rna.description):
            wrong.append((name, rna.description))
        for prop in own_properties(rna):
            if not FRAGMENT.fullmatch(prop.description):
                wrong.append((f"{name}.{prop.identifier}", prop.description))
    settings = [(group.bl_rna.identifier, group.bl_rna) for group in groups()]
    settings.append(("preferences", CroquisPreferences.bl_rna))
    for owner, rna in settings:
        for prop in own_properties(rna):
            if owner == "preferences" and prop.identifier == "bl_idname":
                continue
            if prop.type == "POINTER" and prop.fixed_type.base == bpy.types.PropertyGroup.bl_rna:
                continue  # a group of settings, which is nowhere shown as one
            if not FRAGMENT.fullmatch(prop.description):
                wrong.append((f"{owner}.{prop.identifier}", prop.description))
            for item in prop.enum_items if prop.type == "ENUM" else ():
                if not FRAGMENT.fullmatch(item.description):
                    wrong.append((f"{owner}.{prop.identifier}.{item.identifier}", item.description))
    assert not wrong


def bare_scene() -> None:
    """Nothing at all."""


def edited_mannequin() -> None:
    """A mode in which nothing can be posed."""
    armature = add_mannequin(bpy.context)
    bpy.context.scene.croquis.armature = armature
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")


def character_elsewhere() -> None:
    """A character that the view layer does not hold, and a drawing."""
    armature = add_mannequin(bpy.context)
    settings = bpy.context.scene.croquis
    settings.armature, settings.drawing = armature, bpy.data.images.new("page", 8, 8)
    for collection in armature.users_collection:
        collection.objects.unlink(armature)


def nothing_selected() -> None:
    """Only selected bones are to be posed, and none is."""
    settings = bpy.context.scene.croquis
    settings.armature, settings.drawing = add_mannequin(bpy.context), bpy.data.images.new("p", 8, 8)
    settings.part = "SELECTED"
    for bone in settings.armature.pose.bones:
        (bone if "select" in bone.bl_rna.properties else bone.bone).select = False


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    "state", [bare_scene, edited_mannequin, character_elsewhere, nothing_selected]
)
def test_what_is_greyed_out_says_why(state: Any) -> None:
    state()
    off = [name for name, operator in operators().items() if not operator.poll()]
    assert off
    for name in off:
        with pytest.raises(RuntimeError) as error:
            operators()[name]()
        said = str(error.value).partition("poll() ")[2].strip()
        assert re.fullmatch(r"[A-Z“].*\.", said), f"{name} says: {error.value}"
    if state is nothing_selected:
        assert "pose_from_sketch" in off


@pytest.mark.usefixtures("registered")
def test_search_finds_every_operator() -> None:
    listed: set[str] = set()
    layout = MagicMock()
    layout.operator.side_effect = lambda name, **_: listed.add(name)
    layout.operator_menu_enum.side_effect = lambda name, _: listed.add(name)
    menus.CROQUIS_MT_croquis.draw(SimpleNamespace(layout=layout), bpy.context)
    assert listed == {f"croquis.{name}" for name in operators()}
    for name in operators():
        kind = getattr(bpy.types, f"CROQUIS_OT_{name}")
        assert "INTERNAL" not in getattr(kind, "bl_options", ()) and kind.bl_label, name
    for menu in (bpy.types.VIEW3D_MT_object, bpy.types.VIEW3D_MT_pose):
        assert menus.draw_all in menu.draw._draw_funcs


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    ("rename", "line"),
    [(None, "Mixamo, 23 of 23 bones"), ("Bone", "Found by Shape, "), ("", "Croquis finds no")],
)
def test_the_panel_says_whose_bones_they_are(rename: str | None, line: str) -> None:
    armature = add_mannequin(bpy.context)
    if rename:
        for number, bone in enumerate(armature.data.bones):
            bone.name = f"{rename}{number:03}"
    elif rename == "":
        bpy.context.view_layer.objects.active = armature
        bpy.ops.object.mode_set(mode="EDIT")
        for bone in list(armature.data.edit_bones):
            if "Arm" in bone.name or "Hand" in bone.name:
                armature.data.edit_bones.remove(bone)
        bpy.ops.object.mode_set(mode="OBJECT")
    bpy.context.scene.croquis.armature = armature
    texts = drawn(panels.CROQUIS_PT_character)
    assert any(text.startswith(line) for text in texts), texts
    assert "Fix Mapping" in texts


def drawn(panel: type[bpy.types.Panel]) -> list[str]:
    """The texts of a panel."""
    layout = MagicMock()
    for name in ("row", "column", "split"):
        getattr(layout, name).return_value = layout
    context = SimpleNamespace(
        scene=bpy.context.scene,
        region=SimpleNamespace(width=3000),
        preferences=SimpleNamespace(system=SimpleNamespace(ui_scale=1.0)),
    )
    panel.draw(SimpleNamespace(layout=layout), context)
    return [call.kwargs["text"] for call in layout.mock_calls if "text" in call.kwargs]


def loaded_by(code: str) -> set[str]:
    """The modules of the add-on, and others, that a fresh Python has loaded after some code."""
    if bpy.app.binary_path:
        pytest.skip("Blender's own Python has bpy in it")
    code = f"import os, sys, addon; {code}; print(*sys.modules, flush=True); os._exit(0)"
    root = next(iter(addon.__path__)) + "/.."
    told = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    return set(told.stdout.split())


def test_core_needs_no_bpy() -> None:
    assert "bpy" not in loaded_by("import addon.core.skeleton")


def test_enabling_does_not_wait_for_what_is_seldom_used() -> None:
    loaded = loaded_by("import bpy; addon.register()")
    assert "addon.ui.panels" in loaded
    seldom = {"core.styles", "core.figures", "core.folder", "blender.workers", "blender.child"}
    assert not loaded & {f"addon.{name}" for name in seldom}
