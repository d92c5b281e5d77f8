"""The dataset on disk."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from addon.core import coco, skeleton
from addon.core.errors import UserError


def _figure() -> dict:
    keypoints = np.arange(2 * skeleton.COUNT, dtype=float).reshape(-1, 2)
    visibility = np.full(skeleton.COUNT, 2)
    visibility[3] = 0
    return coco.annotation((1, 2, 30, 40), 500, keypoints, visibility)


def test_points_outside_the_picture_are_zero_and_not_counted() -> None:
    figure = _figure()
    assert figure["num_keypoints"] == skeleton.COUNT - 1
    assert figure["keypoints"][9:12] == [0, 0, 0]
    assert figure["keypoints"][12:15] == [8, 9, 2]


def test_what_is_written_is_read_and_ids_agree(tmp_path: Path) -> None:
    path = tmp_path / "annotations.json"
    entries = [
        ({"file_name": f"{i}.png", "width": 64, "height": 64}, [_figure()]) for i in range(3)
    ]
    assert coco.write(path, entries) == 3
    document = coco.read(path)
    assert [image["id"] for image in document["images"]] == [1, 2, 3]
    assert [figure["image_id"] for figure in document["annotations"]] == [1, 2, 3]
    assert document["categories"][0]["keypoints"] == list(skeleton.KEYPOINTS)
    assert list(tmp_path.iterdir()) == [path]


def test_pycocotools_loads_it(tmp_path: Path) -> None:
    tools = pytest.importorskip("pycocotools.coco")
    path = tmp_path / "annotations.json"
    coco.write(path, [({"file_name": "a.png", "width": 64, "height": 64}, [_figure()])])
    loaded = tools.COCO(str(path))
    assert loaded.loadAnns(loaded.getAnnIds())[0]["num_keypoints"] == skeleton.COUNT - 1


def test_a_failed_write_keeps_the_older_file(tmp_path: Path) -> None:
    path = tmp_path / "annotations.json"
    path.write_text("old")

    def entries():
        yield {"file_name": "a.png"}, [_figure()]
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        coco.write(path, entries())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("images"), "no images"),
        (lambda d: d["annotations"][0].update(image_id=9), "belongs to no image"),
        (lambda d: d["annotations"][0]["keypoints"].pop(), "keypoints"),
        (lambda d: d["annotations"][0].update(category_id=7), "no category"),
        (lambda d: d["images"].append(d["images"][0]), "share an id"),
    ],
)
def test_a_broken_document_is_named(tmp_path: Path, change, message: str) -> None:
    path = tmp_path / "annotations.json"
    coco.write(path, [({"file_name": "a.png"}, [_figure()])])
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(UserError, match=message):
        coco.read(path)


def test_a_file_that_is_no_json_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "annotations.json"
    path.write_bytes(b"\x89PNG")
    with pytest.raises(UserError, match="cannot be read as COCO JSON"):
        coco.read(path)
