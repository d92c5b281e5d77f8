"""The contact sheet of a dataset."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from addon.core import sheet, skeleton
from addon.core.errors import UserError
from addon.core.folder import Folder
from tests.unit.dataset_on_disk import CLIPS, make_dataset


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "set")


def edit(folder: Path, clip: str, change: Any) -> None:
    """Change each figure's annotation in a clip's file."""
    path = folder / "clips" / f"{clip}.json"
    document = json.loads(path.read_text())
    for image, figures in document["views"]:
        for figure in figures:
            change(image, figure)
    path.write_text(json.dumps(document))


def pixels_of(picture: np.ndarray, colour: tuple[int, int, int]) -> int:
    return int((picture == colour).all(axis=-1).sum())


def test_each_label_adds_a_panel(folder: Path) -> None:
    plain = sheet.contact_sheet(folder, 6, 4, labels=[])
    assert plain.dtype == np.uint8 and plain.ndim == 3
    heights = [len(sheet.contact_sheet(folder, 6, 4, list(sheet.PANELS)[:n])) for n in (3, 4, 8)]
    # Four columns: the drawing and three panels fit into one row, five and nine do not.
    assert len(plain) < heights[0] < heights[1] < heights[2]
    assert plain.shape[1] == sheet.contact_sheet(folder, 6, 4).shape[1]


def test_the_seed_decides(folder: Path) -> None:
    first = sheet.contact_sheet(folder, 4, 4, seed=1)
    np.testing.assert_array_equal(first, sheet.contact_sheet(folder, 4, 4, seed=1))
    assert not np.array_equal(first, sheet.contact_sheet(folder, 4, 4, seed=2))


def test_characters_take_turns_and_no_drawing_comes_twice(folder: Path) -> None:
    rng = np.random.default_rng(0)
    shots = sheet._choose(Folder(folder), 6, rng)
    assert [shot.clip.name[:3] for shot in shots[:4]] in (
        ["Ann", "Bob", "Ann", "Bob"],
        ["Bob", "Ann", "Bob", "Ann"],
    )
    everything = sheet._choose(Folder(folder), 1000, rng)
    files = {shot.image["file_name"] for shot in everything}
    assert len(everything) == len(files) == 16


def test_characters_are_told_from_the_annotations(folder: Path) -> None:
    """Names of files may hold anything, and are cut where they are long."""
    anna, bob = (folder / "clips" / f"{clip}.json" for clip in CLIPS)
    for number in range(6):
        shutil.copy(anna, folder / "clips" / f"a--b{number}.json")
    anna.unlink()
    bob.rename(folder / "clips" / "a--c.json")
    for seed in range(5):
        shots = sheet._choose(Folder(folder), 4, np.random.default_rng(seed))
        assert len({shot.figures[0]["character"] for shot in shots[:2]}) == 2


def test_of_many_clips_only_some_are_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, clip in enumerate([*CLIPS] * 50):
        note = folder / "clips" / f"{clip}.json"
        (folder / "clips" / f"{clip}-{number}.json").write_bytes(note.read_bytes())
    read = []
    original = Folder.clip
    monkeypatch.setattr(Folder, "clip", lambda *args: read.append(args) or original(*args))
    shots = sheet._choose(Folder(folder), 3, np.random.default_rng(0))
    assert len({shot.figures[0]["character"] for shot in shots[:2]}) == 2
    assert len(read) <= 5 * 3


def test_the_labels_are_shown_on_the_drawing_with_most_figures(folder: Path) -> None:
    shots = sheet._choose(Folder(folder), 10, np.random.default_rng(0))
    examples = sheet._examples(shots)
    assert [len(shot.figures) for shot in examples][:2] == [2, 1]


def test_left_is_blue_and_right_is_red(folder: Path) -> None:
    def only(side: str) -> np.ndarray:
        for clip in CLIPS:
            edit(folder, clip, lambda _, figure: hide_all_but(figure, side))
        return sheet.contact_sheet(folder, 2, 2, ["keypoints"])

    def hide_all_but(figure: dict, side: str) -> None:
        for row, name in enumerate(skeleton.KEYPOINTS):
            figure["keypoints"][3 * row + 2] = 2 if name.startswith(side) else 0

    for side, shown, other in (
        ("Left", sheet._LEFT, sheet._RIGHT),
        ("Right", sheet._RIGHT, sheet._LEFT),
    ):
        picture = only(side)
        assert pixels_of(picture, shown) > 50
        assert pixels_of(picture, other) == 0


def test_hidden_joints_are_hollow(folder: Path) -> None:
    def with_visibility(value: int) -> int:
        def change(_: dict, figure: dict) -> None:
            figure["keypoints"][2::3] = [0] * skeleton.COUNT
            figure["keypoints"][3 * skeleton.INDEX["LeftHand"] + 2] = value

        for clip in CLIPS:
            edit(folder, clip, change)
        picture = sheet.contact_sheet(folder, 2, 2, ["keypoints"]).astype(int)
        # A ring of one smoothed pixel's width is never quite of its colour, but bluish.
        return int((picture[..., 0] - picture[..., 2] > 60).sum())

    assert with_visibility(2) > with_visibility(1) > with_visibility(0) == 0


def test_3d_joints_re_project_onto_the_keypoints(folder: Path) -> None:
    shot = sheet._choose(Folder(folder), 1, np.random.default_rng(0))[0]
    assert "0.00 px" in sheet._joints(shot, 256).note or "0.01 px" in sheet._joints(shot, 256).note


def test_depth_is_told_in_metres(folder: Path) -> None:
    clip = Folder(folder).clip(next(iter(CLIPS)))
    image, figures = clip.views[0]
    offset, scale = image["depth"]
    values = cv2.imread(str(clip.picture_path(image, "depth")), cv2.IMREAD_UNCHANGED)
    near = offset + scale * values[values > 0].min()
    assert sheet._depth(sheet._Shot(clip, image, figures), 128).note.startswith(f"{near:.2f} m")


def test_strokes_stand_in_for_pictures(tmp_path: Path) -> None:
    folder = make_dataset(tmp_path / "set", images=False)
    assert not (folder / "images").exists()
    assert (sheet.contact_sheet(folder, 4, 4, []) < 100).sum() > 5000


def test_names_of_any_script_and_length_fit() -> None:
    assert sheet._fitted("Éloïse", 200) == "Eloise"
    cut = sheet._fitted("a name that goes on and on " * 4, 200)
    assert cut.endswith("...") and sheet._length(cut, 0.42) <= 200


def test_unknown_labels_are_named(tmp_path: Path) -> None:
    folder = make_dataset(tmp_path / "set", labels=["keypoints", "mask"])
    with pytest.raises(UserError, match=r"no label depth; it has keypoints, boxes, mask\."):
        sheet.contact_sheet(folder, labels=["depth"])


@pytest.mark.parametrize("label", ["parts", "uv", "depth", "joints", "strokes"])
def test_missing_files_are_told(folder: Path, label: str) -> None:
    for path in (folder / label).rglob("*.*"):
        path.unlink()
    with pytest.raises(UserError, match=label):
        sheet.contact_sheet(folder)


@pytest.mark.parametrize("label", ["parts", "uv", "depth", "joints", "strokes", "images"])
def test_damaged_files_are_told(folder: Path, label: str) -> None:
    for path in (folder / label).rglob("*.*"):
        path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(UserError, match=label):
        sheet.contact_sheet(folder)


def test_what_is_no_dataset_is_told(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(UserError, match="dataset"):
        sheet.contact_sheet(tmp_path)
    about = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps(about | {"schema": 1}))
    with pytest.raises(UserError, match="schema 1"):
        sheet.contact_sheet(folder)
    (folder / "dataset.json").write_text(json.dumps(about))
    for path in (folder / "clips").iterdir():
        path.unlink()
    with pytest.raises(UserError, match="no finished clip"):
        sheet.contact_sheet(folder)
    with pytest.raises(UserError, match="at least one"):
        sheet.contact_sheet(folder, 0)
