"""The button "Render Dataset": what it refuses, and what it leaves on the disk."""

from __future__ import annotations

import json
from pathlib import Path

import bpy
import pytest

from addon.blender.mannequin import add_mannequin
from addon.operators.dataset import CROQUIS_OT_render_dataset

pytestmark = pytest.mark.usefixtures("registered")


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """The mannequin as the only character, a nod of its head as the only animation."""
    result = {name: tmp_path / name for name in ("characters", "animations", "output")}
    for folder in result.values():
        folder.mkdir()
    mannequin = add_mannequin(bpy.context)
    bpy.ops.wm.save_as_mainfile(
        filepath=str(result["characters"] / "mannequin.blend"), copy=True, check_existing=False
    )
    head = mannequin.pose.bones["mixamorig:Head"]
    head.rotation_mode = "XYZ"
    for frame, angle in ((1, 0.0), (20, 0.6)):
        head.rotation_euler = (angle, 0, 0)
        head.keyframe_insert("rotation_euler", frame=frame)
    bpy.context.scene.frame_end = 20
    bpy.ops.export_scene.fbx(
        filepath=str(result["animations"] / "nod.fbx"),
        object_types={"ARMATURE"},
        add_leaf_bones=False,
    )
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    return result


def choose(folders: dict[str, Path]) -> None:
    settings = bpy.context.scene.croquis.dataset
    for name, folder in folders.items():
        setattr(settings, name, str(folder))
    settings.cameras, settings.size, settings.limit = 2, 64, 4


def test_it_waits_for_its_folders(tmp_path: Path) -> None:
    settings = bpy.context.scene.croquis.dataset
    for name in ("characters", "animations", "output"):
        with pytest.raises(RuntimeError, match=f"Choose the folder “{name.capitalize()}” first"):
            bpy.ops.croquis.render_dataset()
        setattr(settings, name, str(tmp_path))
    assert bpy.ops.croquis.render_dataset.poll()


def test_one_run_at_a_time(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    choose(folders)
    monkeypatch.setattr(CROQUIS_OT_render_dataset, "_running", True)
    with pytest.raises(RuntimeError, match="press Esc"):
        bpy.ops.croquis.render_dataset()


def test_an_empty_folder_of_animations(folders: dict[str, Path]) -> None:
    (folders["animations"] / "nod.fbx").unlink()
    choose(folders)
    with pytest.raises(RuntimeError, match="animations") as error:
        bpy.ops.croquis.render_dataset()
    assert len(str(error.value).strip().splitlines()) == 1
    assert not list(folders["output"].iterdir())


def test_it_renders_beside_the_users_scene(folders: dict[str, Path]) -> None:
    choose(folders)
    before = [block.name for block in bpy.data.objects]
    assert bpy.ops.croquis.render_dataset() == {"FINISHED"}
    assert [block.name for block in bpy.data.objects] == before
    annotations = json.loads((folders["output"] / "annotations.json").read_text())
    assert len(annotations["images"]) == 4
    for image in annotations["images"]:
        assert (folders["output"] / image["file_name"]).is_file()
