"""A stroke pack of stick figures, for tests of the trainer."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from addon.core import skeleton
from addon.core.strokes import StrokePack, View

# Camera space, metres, x right, y down: a figure that stands facing the camera.
_STANDING = {
    "Hips": (0, 0, 0),
    "Spine": (0, -0.1, 0),
    "Spine1": (0, -0.2, 0),
    "Spine2": (0, -0.3, 0),
    "Neck": (0, -0.5, 0),
    "Head": (0, -0.58, 0),
    "HeadTop_End": (0, -0.78, 0),
    "Shoulder": (0.06, -0.45, 0),
    "Arm": (0.2, -0.45, 0),
    "ForeArm": (0.4, -0.3, 0),
    "Hand": (0.5, -0.1, 0),
    "UpLeg": (0.1, 0.03, 0),
    "Leg": (0.15, 0.45, 0),
    "Foot": (0.17, 0.85, 0),
    "ToeBase": (0.22, 0.92, -0.1),
}


def _joints(rng: np.random.Generator) -> np.ndarray:
    rows = []
    for name in skeleton.KEYPOINTS:
        bare = name.removeprefix("Left").removeprefix("Right")
        x, y, z = _STANDING[bare]
        rows.append((-x if name.startswith("Right") else x, y, z))
    return np.array(rows) + rng.normal(0, 0.02, (skeleton.COUNT, 3)) + (0, 0, 4)


@pytest.fixture(scope="session")
def pack() -> StrokePack:
    """24 views of two characters, 128 px: one stroke a bone."""
    rng = np.random.default_rng(1)
    packs = []
    for character in ("Anna", "Bert"):
        views = []
        for frame in range(12):
            joints = _joints(rng)
            keypoints = joints[:, :2] * 60 + 64
            views.append(
                View(
                    strokes=[keypoints[list(bone)].astype(np.float32) for bone in skeleton.BONES],
                    keypoints=keypoints.astype(np.float32),
                    visibility=np.full(skeleton.COUNT, 2, np.uint8),
                    joints=joints.astype(np.float32),
                    frame=frame,
                )
            )
        packs.append(StrokePack.from_views(views, 128, [(character, "stand")]))
    return StrokePack.merge(packs)


@pytest.fixture
def annotated(pack, tmp_path) -> Path:
    """Two views as finished drawings with annotations."""
    folder = tmp_path / "annotated"
    (folder / "images").mkdir(parents=True)
    images, annotations = [], []
    for i in range(2):
        page = np.full((pack.size, pack.size), 255, np.uint8)
        for stroke in pack[i].strokes:
            cv2.polylines(page, [np.round(stroke).astype(np.int32)], False, 0, 2)
        cv2.imwrite(str(folder / "images" / f"{i}.png"), page)
        images.append({"id": i, "file_name": f"{i}.png", "source": "views"})
        points = pack.keypoints[i]
        rows = np.column_stack([points, np.full(len(points), 2)]).ravel().tolist()
        box = [*points.min(axis=0).tolist(), *np.ptp(points, axis=0).tolist()]
        annotations.append({"id": i, "image_id": i, "bbox": box, "keypoints": rows})
    category = {"id": 1, "name": "person", "keypoints": list(skeleton.KEYPOINTS)}
    coco = {"images": images, "annotations": annotations, "categories": [category]}
    (folder / "keypoints.json").write_text(json.dumps(coco))
    return folder


@pytest.fixture(autouse=True, scope="session")
def _few_threads() -> None:
    torch.set_num_threads(1)
