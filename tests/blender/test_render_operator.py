"""The button "Render Dataset": what it refuses, and what it leaves on the disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import bpy
import cv2
import pytest

from addon.blender import workers
from addon.blender.mannequin import add_mannequin
from addon.core.clips import Progress
from addon.core.dataset import INKS, LABELS, STYLES, DatasetSettings
from addon.operators.dataset import CROQUIS_OT_render_dataset, Run, dataset_settings

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


def choose(folders: dict[str, Path], **options: Any) -> None:
    settings = bpy.context.scene.croquis.dataset
    for name, folder in folders.items():
        setattr(settings, name, str(folder))
    settings.cameras, settings.size, settings.limit, settings.workers = 2, 64, 4, 1
    for name, value in options.items():
        setattr(settings, name, value)


def refusal() -> str:
    """The one sentence with which the button refuses."""
    with pytest.raises(RuntimeError) as error:
        bpy.ops.croquis.render_dataset()
    lines = str(error.value).strip().splitlines()
    assert len(lines) == 1
    return lines[0]


def read(folder: Path, name: str = "annotations") -> dict[str, Any]:
    return json.loads((folder / f"{name}.json").read_text())


def test_the_panel_offers_all_there_is() -> None:
    properties = bpy.context.scene.croquis.dataset.bl_rna.properties
    for name, known in (("labels", LABELS), ("styles", STYLES), ("ink", INKS)):
        items = properties[name].enum_items
        assert tuple(item.identifier for item in items) == known
        assert all(item.description for item in items)


def test_its_defaults_are_the_scripts(folders: dict[str, Path]) -> None:
    settings = bpy.context.scene.croquis.dataset
    for name, folder in folders.items():
        setattr(settings, name, str(folder))
    assert dataset_settings(bpy.context) == DatasetSettings(
        folders["characters"], folders["animations"], folders["output"]
    )


def test_every_choice_arrives(folders: dict[str, Path]) -> None:
    usual = DatasetSettings(folders["characters"], folders["animations"], folders["output"])
    wanted = replace(
        usual,
        cameras=3,
        every=7,
        size=100,
        limit=9,
        max_per_clip=5,
        seed=11,
        images=False,
        labels=("keypoints", "uv", "3d"),
        figures=(2, 3),
        props=True,
        camera_jitter=True,
        limb_perspective=True,
        proportions=True,
        pose_noise=0.25,
        styles=("lineart", "freestyle"),
        ink="brush",
        hold_out=("Big Vegas", "auto"),
    )
    for field in fields(DatasetSettings):
        if field.name not in ("characters", "animations", "out"):
            assert getattr(wanted, field.name) != getattr(usual, field.name), field.name
    same = ("cameras", "every", "size", "limit", "max_per_clip", "seed", "images", "props", "ink")
    same += ("camera_jitter", "limb_perspective", "proportions", "pose_noise")
    choose(
        folders,
        **{name: getattr(wanted, name) for name in same},
        labels=set(wanted.labels),
        styles=set(wanted.styles),
        figures_min=2,
        figures_max=3,
        hold_out=" Big Vegas,auto ,",
    )
    assert dataset_settings(bpy.context) == wanted


def test_an_empty_hold_out_keeps_nobody_back(folders: dict[str, Path]) -> None:
    choose(folders, hold_out="")
    assert dataset_settings(bpy.context).hold_out == ("none",)


def test_the_fewest_figures_are_never_more_than_the_most() -> None:
    settings = bpy.context.scene.croquis.dataset
    settings.figures_min = 3
    assert settings.figures_max == 3
    settings.figures_max = 2
    assert settings.figures_min == 2


def test_it_waits_for_its_folders(tmp_path: Path) -> None:
    settings = bpy.context.scene.croquis.dataset
    for name in ("characters", "animations", "output"):
        assert f"Choose the folder “{name.capitalize()}” first" in refusal()
        setattr(settings, name, str(tmp_path))
    assert bpy.ops.croquis.render_dataset.poll()


def test_one_run_at_a_time(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    choose(folders)
    run = Run(dataset_settings(bpy.context), 1)
    monkeypatch.setattr(CROQUIS_OT_render_dataset, "running", run)
    assert "press Esc" in refusal()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"styles": set()}, "at least one style"),
        ({"labels": set(), "images": False}, "nothing to write"),
        ({"labels": {"depth"}, "styles": {"lineart", "stick"}}, "stick draws no surface"),
        ({"hold_out": "Nobody"}, "No character is called Nobody; there are mannequin"),
    ],
)
def test_choices_that_do_not_go_together(
    folders: dict[str, Path], options: dict[str, Any], sentence: str
) -> None:
    choose(folders, **options)
    assert sentence in refusal()
    assert not list(folders["output"].iterdir())


def test_an_empty_folder_of_animations(folders: dict[str, Path]) -> None:
    (folders["animations"] / "nod.fbx").unlink()
    choose(folders)
    assert "animations" in refusal()
    assert not list(folders["output"].iterdir())


def test_it_renders_beside_the_users_scene(folders: dict[str, Path]) -> None:
    choose(folders)
    kinds = ("objects", "images", "meshes", "armatures", "actions", "scenes", "worlds")
    before = {kind: getattr(bpy.data, kind).keys() for kind in kinds}
    assert bpy.ops.croquis.render_dataset() == {"FINISHED"}
    assert {kind: getattr(bpy.data, kind).keys() for kind in kinds} == before
    annotations = read(folders["output"])
    assert len(annotations["images"]) == 4
    for image in annotations["images"]:
        assert (folders["output"] / image["file_name"]).is_file()
    assert cv2.imread(str(folders["output"] / "contact_sheet.png")).std() > 10


def test_it_draws_what_the_panel_says(folders: dict[str, Path]) -> None:
    choose(
        folders,
        every=5,
        limit=8,
        labels={"keypoints", "mask", "parts", "depth", "3d"},
        figures_min=2,
        figures_max=2,
        props=True,
        proportions=True,
        pose_noise=0.4,
        camera_jitter=True,
        limb_perspective=True,
        ink="brush",
        hold_out="mannequin",
    )
    assert bpy.ops.croquis.render_dataset() == {"FINISHED"}
    output = folders["output"]
    annotations = read(output, "annotations_val")
    assert len(annotations["images"]) == 8
    assert len(annotations["annotations"]) > 8  # most drawings show both figures
    assert all(image["ink"]["preset"] == "brush" for image in annotations["images"])
    assert all("segmentation" in figure for figure in annotations["annotations"])
    assert {path.name for path in output.iterdir() if path.is_dir()} == {
        *("motions", "clips", "images", "parts", "depth", "joints")
    }
    # Another choice of labels would not fit what is there.
    before = (output / "dataset.json").read_bytes()
    choose(folders, labels={"keypoints"})
    assert "made with another" in refusal()
    assert (output / "dataset.json").read_bytes() == before


def test_figures_drawn_from_the_skeleton_without_pictures(folders: dict[str, Path]) -> None:
    choose(folders, styles={"stick", "mannequin"}, labels={"keypoints", "strokes"}, images=False)
    assert bpy.ops.croquis.render_dataset() == {"FINISHED"}
    output = folders["output"]
    assert {image["style"] for image in read(output)["images"]} <= {"stick", "mannequin"}
    assert not (output / "images").exists()
    assert len(list((output / "strokes").glob("*.npz"))) == 1


def test_the_contact_sheet_is_drawn_anew(folders: dict[str, Path]) -> None:
    with pytest.raises(RuntimeError, match="Choose the folder “Output” first"):
        bpy.ops.croquis.show_contact_sheet()
    choose(folders)
    with pytest.raises(RuntimeError, match="holds no dataset"):
        bpy.ops.croquis.show_contact_sheet()
    assert not list(folders["output"].iterdir())
    bpy.ops.croquis.render_dataset()
    path = folders["output"] / "contact_sheet.png"
    path.unlink()
    assert bpy.ops.croquis.show_contact_sheet() == {"FINISHED"}
    assert path.is_file()


def test_a_run_says_how_far_it_is(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = []

    def work(_settings: DatasetSettings, _workers: int) -> Iterator[Progress]:
        try:
            while True:
                yield Progress(3, 10, "nod", 2)
        finally:
            ended.append(True)

    choose(folders)
    monkeypatch.setattr(workers, "render_in_workers", work)
    run = Run(dataset_settings(bpy.context), 1)
    assert run.step()
    assert (run.share, run.count()) == (0.3, "3 of 10 drawings")
    assert run.failures().startswith("2 ")
    assert not ended
    run.close()
    assert ended
