"""What a dataset is: its settings, its folder, its splits."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from addon.core import coco, dataset
from addon.core.dataset import DatasetSettings
from addon.core.errors import UserError


@pytest.fixture
def settings(tmp_path: Path) -> DatasetSettings:
    for folder, names in {
        "characters": [f"Actor {i}.fbx" for i in range(20)],
        "animations": ["walk.fbx", "cmu.npz", "notes.txt"],
    }.items():
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).touch()
    return DatasetSettings(tmp_path / "characters", tmp_path / "animations", tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"cameras": 0}, "Cameras must lie between 1 and 360"),
        ({"size": 5000}, "Size must lie between"),
        ({"limit": -1}, "limit cannot be negative"),
        ({"seed": -1}, "seed cannot be negative"),
        ({"figures": (2, 1)}, "one to three figures"),
        ({"figures": (1, 4)}, "one to three figures"),
        ({"pose_noise": 1.5}, "Pose noise must lie between 0 and 1"),
        ({"labels": ("keypoints", "shadow")}, "There is no label shadow; there are keypoints,"),
        ({"styles": ("oil",)}, "There is no style oil"),
        ({"styles": ()}, "at least one style"),
        ({"ink": "blood"}, "There is no ink blood"),
        ({"styles": ("lineart", "stick"), "labels": ("uv",)}, "stick draws no surface"),
        ({"labels": (), "images": False}, "nothing to write"),
        ({"hold_out": ("Actor 99",)}, "No character is called Actor 99"),
    ],
)
def test_nonsense_is_one_sentence(settings: DatasetSettings, changes: dict, sentence: str) -> None:
    settings.check()
    with pytest.raises(UserError, match=sentence):
        replace(settings, **changes).check()


def test_two_characters_of_one_name_are_refused(settings: DatasetSettings) -> None:
    (settings.characters / "Actor 3.glb").touch()
    with pytest.raises(UserError, match="Two character files are called Actor 3"):
        settings.check()


def test_two_animations_of_one_name_are_refused(settings: DatasetSettings) -> None:
    (settings.animations / "walk.bvh").touch()
    with pytest.raises(UserError, match="Two animation files are called walk"):
        settings.check()


def test_labels_are_a_set(settings: DatasetSettings) -> None:
    ours = replace(settings, labels=("strokes", "keypoints"))
    assert ours == replace(settings, labels=("keypoints", "strokes"))


def test_settings_survive_json(settings: DatasetSettings) -> None:
    ours = replace(settings, labels=("3d", "uv"), figures=(1, 3), pose_noise=0.5)
    assert DatasetSettings.from_json(json.loads(json.dumps(ours.to_json()))) == ours


def test_a_dataset_is_claimed_once_and_for_these_settings(settings: DatasetSettings) -> None:
    first = dataset.claim(settings, "4.5.15")
    assert dataset.claim(replace(settings, limit=10), "4.5.15") == first
    before = (settings.out / "dataset.json").read_bytes()
    for changed, name in (
        (replace(settings, every=5), "every"),
        (replace(settings, labels=("keypoints",)), "labels"),
    ):
        with pytest.raises(UserError, match=f"made with another {name}"):
            dataset.claim(changed, "4.5.15")
    with pytest.raises(UserError, match="made with another blender"):
        dataset.claim(settings, "5.0.1")
    assert (settings.out / "dataset.json").read_bytes() == before
    (settings.out / "dataset.json").write_text("{")
    with pytest.raises(UserError, match=r"dataset.json is damaged"):
        dataset.claim(settings, "4.5.15")


def test_splits_hold_out_whole_characters(settings: DatasetSettings) -> None:
    auto = dataset.claim(settings, "4.5.15")
    assert len(auto["splits"]["val"]) == 2 and len(auto["splits"]["train"]) == 18
    assert not set(auto["splits"]["val"]) & set(auto["splits"]["train"])
    named = dataset.claim(
        replace(settings, out=settings.out / "a", hold_out=("Actor 5", "Actor 7")), "4.5.15"
    )
    assert named["splits"]["val"] == ["Actor 5", "Actor 7"]
    nobody = dataset.claim(replace(settings, out=settings.out / "b", hold_out=("none",)), "4.5.15")
    assert nobody["splits"]["val"] == []
    assert dataset.split_of(named, "Actor 5") == "val"
    assert dataset.split_of(named, "somebody who came later") == "train"


def test_names_of_odd_files_stay_apart() -> None:
    names = [("Big Vegas", "Run (1)"), ("Big Vegas", "Run [1]"), ("Big", "Vegas--Run (1)")]
    safe = [dataset.safe_name(*name) for name in names]
    assert len(set(safe)) == 3
    assert all(set(name) <= set("-._") | set(map(chr, range(48, 123))) for name in safe)


def _image(clip: str, frame: int, split: str) -> dict:
    return {"file_name": f"images/{clip}/{frame}.png", "width": 9, "height": 9, "split": split}


def test_finished_clips_become_one_file_and_one_a_split(settings: DatasetSettings) -> None:
    settings = replace(settings, hold_out=("Actor 5",))
    dataset.claim(settings, "4.5.15")
    out = settings.out
    (out / "clips").mkdir()
    figure = coco.annotation((1, 2, 3, 4), 9)
    dataset.write_clip(out, "b", 2, [(_image("b", i, "train"), [figure, figure]) for i in (0, 1)])
    dataset.write_clip(out, "a", 1, [(_image("a", 0, "val"), [figure])])
    assert (dataset.poses_done(out, "b"), dataset.poses_done(out, "c")) == (2, 0)
    assert dataset.gather(out) == 3
    whole = coco.read(out / "annotations.json")
    assert [image["file_name"] for image in whole["images"]] == [
        "images/a/0.png",
        "images/b/0.png",
        "images/b/1.png",
    ]
    assert [entry["image_id"] for entry in whole["annotations"]] == [1, 2, 2, 3, 3]
    assert len(coco.read(out / "annotations_train.json")["images"]) == 2
    assert len(coco.read(out / "annotations_val.json")["annotations"]) == 1


def test_what_an_animation_file_holds_is_noted(settings: DatasetSettings) -> None:
    (settings.out / "motions").mkdir(parents=True)
    for name in ("walk", "cmu_01", "cmu_02", "gone"):
        dataset.motion_path(settings.out, name).touch()
    assert dataset.read_motions(settings.out, "walk.fbx") is None
    dataset.write_motions(settings.out, "walk.fbx", {"walk": 7})
    dataset.write_motions(settings.out, "cmu.npz", {"cmu_01": 3, "cmu_02": 0})
    dataset.write_motions(settings.out, "gone.fbx", {"gone": 5})
    assert dataset.read_motions(settings.out, "walk.fbx") == {"walk": 7}
    assert dataset.motion_index(settings) == {"cmu_01": 3, "cmu_02": 0, "walk": 7}
    dataset.motion_path(settings.out, "cmu_02").unlink()
    assert dataset.read_motions(settings.out, "cmu_npz") is None
    assert dataset.motion_index(settings) == {"walk": 7}


def test_a_damaged_clip_is_named(settings: DatasetSettings) -> None:
    dataset.claim(settings, "4.5.15")
    (settings.out / "clips").mkdir()
    (settings.out / "clips" / "a.json").write_text('{"poses":1,')
    with pytest.raises(UserError, match=r"a.json is damaged; delete it"):
        dataset.gather(settings.out)
    assert not list(settings.out.glob("annotations*"))
