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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock, patch

import bpy
import bpy.utils.previews
import cv2
import numpy as np
import pytest

import addon
from addon.blender import pose
from addon.blender.drawings import enlist
from addon.blender.mannequin import add_mannequin
from addon.blender.pose import pose_from_sketch
from addon.core.clips import Progress
from addon.operators.dataset import CROQUIS_OT_render_dataset
from addon.preferences import CroquisPreferences
from addon.ui import menus, panels
from scripts import build_extension
from tests.blender import inventory as inventories
from tests.blender.inventory import croquis_names, inventory, watch

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
    with watch():
        before = inventory()
        for _ in range(3):
            addon.register()
            assert croquis_names()
            assert inventory() != before
            addon.unregister()
            assert not croquis_names()
            assert not hasattr(bpy.types.Scene, "croquis")
        assert inventory() == before


def put_up_and_down() -> Iterator[None]:
    """One of each of what is followed, for a while."""
    window, workspace = bpy.context.window, bpy.context.workspace
    timer = bpy.context.window_manager.event_timer_add(1.0, window=window)
    handler = bpy.types.SpaceView3D.draw_handler_add(print, (), "WINDOW", "POST_PIXEL")
    icons = bpy.utils.previews.new()
    bpy.app.timers.register(print, first_interval=100)
    bpy.msgbus.subscribe_rna(
        key=(bpy.types.Object, "name"), owner=workspace, args=(), notify=inventory
    )
    window.cursor_modal_set("WAIT")
    workspace.status_text_set("Busy")
    yield
    workspace.status_text_set(None)
    window.cursor_modal_restore()
    bpy.msgbus.clear_by_owner(workspace)
    bpy.app.timers.unregister(print)
    bpy.utils.previews.remove(icons)
    bpy.types.SpaceView3D.draw_handler_remove(handler, "WINDOW")
    bpy.context.window_manager.event_timer_remove(timer)
    yield


def test_what_blender_does_not_list_is_counted() -> None:
    with watch():
        before = inventory()
        story = put_up_and_down()
        next(story)
        more = inventory() - before
        assert sorted(more.values()) == [1] * 7, more
        next(story)
        assert inventory() == before
    plain = bpy.types.SpaceView3D.draw_handler_add
    assert plain.__name__ == "draw_handler_add"


@dataclass(frozen=True)
class AtWork:
    """A modal operator in the middle of what it does.

    Attributes:
        name: of the operator.
        stands: what it has put up, in the inventory's words.
        properties: those it is called with.
        events: what happens then.
    """

    name: str
    stands: set[str]
    properties: dict[str, Any] = field(default_factory=dict)
    events: tuple[dict[str, Any], ...] = ()


# Esc ends what it is pressed for; the release of a key that ended something else ends nothing.
RELEASED = {"type": "ESC", "value": "RELEASE"}

AT_WORK = (
    AtWork("choose_figure", {"drawing", "status texts"}, events=({"type": "MOUSEMOVE"},)),
    AtWork(
        "move_joint",
        {"status texts"},
        {"joint": "LeftHand"},
        ({"type": "MOUSEMOVE", "mouse_x": 900, "mouse_y": 500},),
    ),
    AtWork("pose_sequence", {"timers", "status texts"}, events=({"type": "TIMER"}, RELEASED)),
    AtWork("pose_from_sheet", {"timers", "status texts"}, events=({"type": "TIMER"}, RELEASED)),
    AtWork("render_dataset", {"timers", "status texts"}, events=({"type": "TIMER"}, RELEASED)),
)


def begin(work: AtWork) -> Any:
    """Call an operator as a click in the 3D viewport does, and let the events happen.

    Without a window Blender invokes no operators, but it keeps those that are modal.
    """
    kind = getattr(bpy.types, f"CROQUIS_OT_{work.name}")
    still = {"type": "NONE", "value": "NOTHING", "mouse_x": 700, "mouse_y": 500}
    area = next(area for area in bpy.context.screen.areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == "WINDOW")

    def invoke(self: Any, context: bpy.types.Context) -> set[str]:
        return self.invoke(context, SimpleNamespace(**still))

    with bpy.context.temp_override(area=area, region=region):
        with patch.object(kind, "execute", invoke):
            assert operators()[work.name](**work.properties) == {"RUNNING_MODAL"}
        running = next(op for op in bpy.context.window.modal_operators if type(op) is kind)
        for event in work.events:
            went_on = running.modal(bpy.context, SimpleNamespace(**still | event))
            assert went_on <= {"RUNNING_MODAL", "PASS_THROUGH"}
    return running


def endless(*_: object) -> Iterator[Progress]:
    """A dataset that is being rendered for ever."""
    while True:
        yield Progress(3, 10, "nod", 2)


@pytest.fixture
def set_scene(
    drawing: Path, tmp_path: Path, estimator: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], None]:
    """Makes a scene in which every modal operator can begin."""
    for module in ("pose", "sequence"):
        path = f"addon.operators.{module}.make_estimator"
        monkeypatch.setattr(path, lambda _context: estimator)
    monkeypatch.setattr("addon.blender.workers.render_in_workers", endless)

    def build() -> None:
        settings = bpy.context.scene.croquis
        image = bpy.data.images.load(str(drawing))
        settings.armature = pose_from_sketch(bpy.context, image, None, estimator=estimator).armature
        enlist(settings.several, [image, image.copy()])
        for name in ("characters", "animations", "output"):
            setattr(settings.dataset, name, str(tmp_path))

    return build


def places(character: bpy.types.Object) -> np.ndarray:
    """``[N, 4, 4]``: where all objects and a character's bones stand."""
    bpy.context.view_layer.update()
    objects = [np.array(thing.matrix_world) for thing in bpy.data.objects]
    return np.array([*objects, *(np.array(bone.matrix) for bone in character.pose.bones)])


@pytest.mark.parametrize("together", [*([work] for work in AT_WORK), AT_WORK[1:4:2], AT_WORK])
def test_disabling_ends_what_is_at_work(
    together: Sequence[AtWork], set_scene: Callable[[], None]
) -> None:
    addon.register()
    try:
        modal = [n for n in operators() if hasattr(getattr(bpy.types, f"CROQUIS_OT_{n}"), "modal")]
        assert sorted(modal) == sorted(work.name for work in AT_WORK)
        set_scene()
        character = bpy.context.scene.croquis.armature
        stood, kept = places(character), str(pose.remembered(character))
        with watch():
            before = inventory()
            for work in together:
                begin(work)
            more = inventory() - before
            assert more["modal operators"] == len(together)
            assert set(more) >= set().union(*(work.stands for work in together))
            addon.unregister()
            addon.register()
            assert inventory() == before
            assert places(character) == pytest.approx(stood, abs=1e-6)
            assert str(pose.remembered(character)) == kept
            assert CROQUIS_OT_render_dataset.running is None
    finally:
        addon.unregister()


@pytest.mark.parametrize("name", ["pose_sequence", "pose_from_sheet", "render_dataset"])
def test_a_step_that_fails_leaves_nothing_on_the_screen(
    name: str, set_scene: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    addon.register()
    try:
        set_scene()
        with watch():
            before = inventory()
            running = begin(next(work for work in AT_WORK if work.name == name))
            monkeypatch.setattr(type(running), "step", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                running.modal(bpy.context, SimpleNamespace(type="TIMER", value="NOTHING"))
            assert set(inventory() - before) == {"modal operators"}  # which Blender drops then
            assert CROQUIS_OT_render_dataset.running is None
    finally:
        addon.unregister()


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
    # A checkout has no wheel to pack: what is enabled then finds OpenCV where it is found here.
    is_whole = any(Path(addon.__file__).parent.glob("wheels/*.whl"))
    opencv = [] if is_whole else [str(Path(cv2.__file__).parents[1])]
    told = subprocess.run(
        [*command, str(result), str(older), str(newer), *opencv],
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
