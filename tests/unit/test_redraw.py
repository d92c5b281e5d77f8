"""Drawing a dataset's stroke records again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from addon.core import dataset, rle
from addon.core.errors import UserError
from addon.core.folder import Folder
from scripts import dataset_stats, redraw_dataset
from tests.unit.dataset_on_disk import CLIPS, SIZE, make_dataset


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("sets") / "set")


def redraw(source: Path, out: Path, *options: str) -> Path:
    redraw_dataset.main([str(source), str(out), *options])
    return out


def files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_pycocotools_reads_what_was_redrawn(source: Path, tmp_path: Path) -> None:
    tools = pytest.importorskip("pycocotools.coco")
    out = redraw(source, tmp_path / "out", "--ink", "pencil", "--size", "320")
    old, new = (tools.COCO(str(folder / "annotations.json")) for folder in (source, out))
    assert new.getImgIds() == old.getImgIds() and new.getAnnIds() == old.getAnnIds()
    scale = 320 / SIZE
    for number in old.getAnnIds():
        a, b = old.loadAnns(number)[0], new.loadAnns(number)[0]
        keypoints = np.array(a["keypoints"], float).reshape(-1, 3) * (scale, scale, 1)
        np.testing.assert_allclose(np.reshape(b["keypoints"], (-1, 3)), keypoints, atol=0.011)
        np.testing.assert_allclose(b["bbox"], np.multiply(a["bbox"], scale), atol=0.011)
        assert b["area"] == pytest.approx(a["area"] * scale**2, abs=0.01)
        masks = [loaded.annToMask(ann) for loaded, ann in ((old, a), (new, b))]
        assert masks[1].shape == (320, 320)
        assert masks[1].sum() == pytest.approx(masks[0].sum() * scale**2, rel=0.03)
    image = new.loadImgs(1)[0]
    assert (image["width"], image["ink"]["preset"]) == (320, "pencil")
    assert cv2.imread(str(out / image["file_name"])).shape[:2] == (320, 320)


def test_the_result_is_a_sane_dataset(source: Path, tmp_path: Path) -> None:
    out = redraw(source, tmp_path / "out", "--size", "96")
    dataset_stats.main([str(out)])
    folder = Folder(out)
    assert folder.labels == ("keypoints", "mask") and folder.about["ink"] == "random"
    assert (out / "annotations_val.json").exists()


def test_plain_ink_of_the_same_size_is_the_picture_again(source: Path, tmp_path: Path) -> None:
    out = redraw(source, tmp_path / "out", "--ink", "plain")
    for clip in CLIPS:
        for path in (source / "images" / clip).iterdir():
            a, b = (cv2.imread(str(f / "images" / clip / path.name)) for f in (source, out))
            assert np.abs(a.astype(int) - b).mean() < 0.1
    for views, again in zip(dataset.read_clips(source), dataset.read_clips(out), strict=True):
        masks = [[f["segmentation"] for _, fs in v[1] for f in fs] for v in (views, again)]
        assert masks[0] == masks[1]


def test_lines_move_with_the_size(source: Path, tmp_path: Path) -> None:
    """The ink's bounds, in shares of the picture, stay within a pixel or two."""
    large = redraw(source, tmp_path / "large", "--ink", "plain", "--size", "512")
    path = next((large / "images").rglob("*.png"))
    bounds = []
    for folder in (source, large):
        page = cv2.imread(str(folder / path.relative_to(large)), cv2.IMREAD_GRAYSCALE)
        ys, xs = np.nonzero(page < 200)
        bounds.append(np.array([xs.min(), ys.min(), xs.max(), ys.max()]) / len(page))
    np.testing.assert_allclose(*bounds, atol=2 / SIZE)


def test_the_seed_decides(source: Path, tmp_path: Path) -> None:
    first = redraw(source, tmp_path / "a", "--ink", "brush", "--seed", "1")
    again = redraw(source, tmp_path / "b", "--ink", "brush", "--seed", "1")
    other = redraw(source, tmp_path / "c", "--ink", "brush", "--seed", "2")
    assert files(first) == files(again)
    name = next(name for name in files(first) if name.endswith(".png"))
    assert files(first)[name] != files(other)[name]


def test_a_stopped_run_goes_on(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = redraw(source, tmp_path / "whole")
    drawn = []

    def stop_after_twelve(*arguments: Any) -> Any:
        drawn.append(arguments)
        if len(drawn) > 12:
            raise KeyboardInterrupt
        return original(*arguments)

    original = redraw_dataset.draw_strokes
    monkeypatch.setattr(redraw_dataset, "draw_strokes", stop_after_twelve)
    with pytest.raises(KeyboardInterrupt):
        redraw(source, tmp_path / "out")
    assert [path.stem for path in (tmp_path / "out" / "clips").iterdir()] == [next(iter(CLIPS))]
    monkeypatch.setattr(redraw_dataset, "draw_strokes", original)
    assert files(redraw(source, tmp_path / "out")) == files(whole)


def test_a_clip_that_has_grown_is_drawn_again(source: Path, tmp_path: Path) -> None:
    whole = redraw(source, tmp_path / "whole")
    short = Path(shutil.copytree(source, tmp_path / "short" / source.name))
    name, other = CLIPS
    note = short / "clips" / f"{name}.json"
    document = json.loads(note.read_text())
    dataset.write_clip(short, name, document["poses"] - 1, document["views"][:-4])
    out = redraw(short, tmp_path / "out")
    untouched = out / "clips" / f"{other}.json"
    written = untouched.stat().st_mtime_ns
    shutil.copy(source / "clips" / f"{name}.json", note)  # a run with a larger limit
    redraw(short, out)
    assert files(out) == files(whole)
    assert untouched.stat().st_mtime_ns == written


def test_one_folder_holds_one_dataset(source: Path, tmp_path: Path) -> None:
    out = redraw(source, tmp_path / "out", "--ink", "pen")
    before = files(out)
    with pytest.raises(UserError, match="another dataset"):
        redraw(source, out, "--ink", "brush")
    with pytest.raises(UserError, match="folder of its own"):
        redraw(source, source)
    assert files(out) == before


def test_mistakes_are_told(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="between 32 and 2048"):
        redraw(source, tmp_path / "out", "--size", "9")
    with pytest.raises(UserError, match="negative"):
        redraw(source, tmp_path / "out", "--seed", "-1")
    without = make_dataset(tmp_path / "without", labels=["mask"])
    with pytest.raises(UserError, match="label strokes"):
        redraw(without, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("missing", [True, False])
def test_a_lost_record_is_told(tmp_path: Path, missing: bool) -> None:
    source = make_dataset(tmp_path / "set")
    record = source / "strokes" / f"{next(iter(CLIPS))}.npz"
    record.unlink() if missing else record.write_bytes(record.read_bytes()[:300])
    with pytest.raises(UserError, match="render again"):
        redraw(source, tmp_path / "out")
    assert not list((tmp_path / "out" / "clips").iterdir())


def test_a_figure_that_is_hidden_stays_hidden(source: Path, tmp_path: Path) -> None:
    hidden = make_dataset(tmp_path / "set")
    path = hidden / "clips" / f"{next(iter(CLIPS))}.json"
    document = json.loads(path.read_text())
    document["views"][0][1][0]["segmentation"] = rle.encode(np.zeros((SIZE, SIZE), bool))
    path.write_text(json.dumps(document))
    out = redraw(hidden, tmp_path / "out", "--size", "64")
    _, views = next(dataset.read_clips(out))
    assert not rle.decode(views[0][1][0]["segmentation"]).any()
