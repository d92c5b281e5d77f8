"""A small dataset as render_dataset.py leaves it, made of sausage figures without Blender.

Two characters, two clips, every label; the second clip shows two figures in each drawing, the
nearer one before the other, and a ground line that belongs to nobody.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from addon.core import coco, dataset, rle, skeleton, surface
from addon.core.camera import Camera, ring
from addon.core.folder import Joints
from addon.core.retarget import JOINTS
from addon.core.rotations import from_vector, to_quaternions
from addon.core.strokes import NO_BONE, NOBODY, StrokePack, View
from tests.unit.synthetic import T_POSE, places

SIZE = 128
CAMERAS = 4
FRAMES = (0, 10)
CLIPS = {
    # name of the clip -> (character, animation, split, the other figure's character)
    "Anna--walk-000001": ("Anna", "walk", "train", None),
    "Bob--jump-000002": ("Bob", "jump", "val", "Bob"),
}
SPLITS = {"train": ["Anna"], "val": ["Bob"]}

_INDEX = skeleton.INDEX
_PART_OF_BONE = {  # the keypoint at a bone's lower end -> the part that it lies in
    **{name: "Torso" for name in skeleton.KEYPOINTS},
    **{"Neck": "Head", "Head": "Head", "HeadTop_End": "Head"},
    **{
        side + name: f"{side} {part}"
        for side in ("Left", "Right")
        for name, part in {
            "Arm": "Upper Arm",
            "ForeArm": "Lower Arm",
            "Hand": "Hand",
            "UpLeg": "Upper Leg",
            "Leg": "Lower Leg",
            "Foot": "Foot",
        }.items()
    },
}


@dataclass(frozen=True)
class Figure:
    """A figure in the scene: joints ``[23, 3]`` world metres, turns ``[22, 3, 3]`` since rest."""

    character: str
    animation: str
    joints: np.ndarray
    turns: np.ndarray


@dataclass(frozen=True)
class _Seen:
    """A figure in a picture: parts, bones (keypoint rows + 1) and depth of each pixel."""

    parts: np.ndarray
    bones: np.ndarray
    depth: np.ndarray


def posed(character: str, animation: str, seed: int, place: tuple[float, float]) -> Figure:
    """Anna or Bob in a random pose, facing -Y."""
    rng = np.random.default_rng([seed, *character.encode()])
    rest = places(T_POSE) * (1.0 if character == "Anna" else 1.2)
    local = {name: np.eye(3) for name in skeleton.KEYPOINTS}
    for side, sign in (("Left", 1), ("Right", -1)):
        local[side + "Arm"] = from_vector([rng.uniform(-0.8, 0.8), sign * rng.uniform(0.3, 1.3), 0])
        local[side + "ForeArm"] = from_vector([0, 0, -sign * rng.uniform(0.1, 2)])
        local[side + "UpLeg"] = from_vector([-rng.uniform(-0.4, 1.2), 0, 0])
        local[side + "Leg"] = from_vector([rng.uniform(0.0, 1.4), 0, 0])
    joints, turns = rest.copy(), {}
    for row, name in enumerate(skeleton.KEYPOINTS):
        parent = skeleton.PARENTS[row]
        above = turns[skeleton.KEYPOINTS[parent]] if parent >= 0 else np.eye(3)
        turns[name] = above @ local[name]
        if parent >= 0:
            joints[row] = joints[parent] + above @ (rest[row] - rest[parent])
    joints[:, :2] += place
    return Figure(character, animation, joints, np.array([turns[name] for name in JOINTS]))


def look(figure: Figure, camera: Camera) -> _Seen:
    """Draw a figure's bones as sausages, far ones first."""
    pixels, depth = camera.project(figure.joints), camera.to_camera(figure.joints)[:, 2]
    seen = _Seen(
        np.zeros((SIZE, SIZE), np.uint8), np.zeros((SIZE, SIZE), np.uint8), np.zeros((SIZE, SIZE))
    )
    for parent, child in sorted(skeleton.BONES, key=lambda bone: -depth[list(bone)].mean()):
        name = skeleton.KEYPOINTS[parent]
        part = surface.PARTS.index(_PART_OF_BONE[name]) + 1
        ends = [tuple(np.round(pixels[i] * 16 - 8).astype(int).tolist()) for i in (parent, child)]
        width = 15 if part == 14 else 13 if part == 1 else 8
        for values, value in (
            (seen.parts, part),
            (seen.bones, parent + 1),
            (seen.depth, float(depth[[parent, child]].mean())),
        ):
            cv2.line(values, *ends, value, width, cv2.LINE_8, 4)
    return seen


def make_dataset(path: Path, **settings: object) -> Path:
    """Write the dataset.

    Args:
        path: its folder, which is made.
        settings: changes to its ``dataset.json``: ``labels`` leaves some out, ``images=False``
            writes no pictures.
    """
    about = {
        "schema": dataset.SCHEMA,
        "blender": "4.5.15",
        "keypoints": list(skeleton.KEYPOINTS),
        "parts": list(surface.PARTS),
        "cameras": CAMERAS,
        "size": SIZE,
        "images": True,
        "labels": list(dataset.LABELS),
        "styles": ["lineart"],
        "splits": SPLITS,
        **settings,
    }
    path.mkdir(parents=True)
    (path / "clips").mkdir()
    (path / "dataset.json").write_text(json.dumps(about))
    for number, name in enumerate(CLIPS):
        _write_clip(path, name, number, about)
    dataset.gather(path)
    return path


def scene(name: str, frame: int, number: int) -> list[Figure]:
    """The figures of a clip at a frame."""
    character, animation, _, other = CLIPS[name]
    figures = [posed(character, animation, frame + number, (0, 0))]
    if other:
        figures.append(posed(other, "wave", frame + 7, (0.35, 0.5)))
    return figures


def cameras(figures: list[Figure]) -> list[Camera]:
    """A ring around them; the last camera is orthographic."""
    joints = np.concatenate([figure.joints for figure in figures])
    views = ring(joints.mean(axis=0), 5, CAMERAS, size=(SIZE, SIZE), focal=SIZE)
    views[-1] = replace(views[-1], orthographic=True)
    return [view.zoomed(joints, 0.12) for view in views]


def _write_clip(path: Path, name: str, number: int, about: dict) -> None:
    character, animation, split, _ = CLIPS[name]
    views: list[View] = []
    entries: list[list] = []
    joints: list[dict] = []
    for frame in FRAMES:
        figures = scene(name, frame, number)
        for camera_number, camera in enumerate(cameras(figures)):
            image = {
                "file_name": f"images/{name}/{frame:05d}_{camera_number}.png",
                "width": SIZE,
                "height": SIZE,
                "clip": name,
                "frame": frame,
                "camera": camera_number,
                "split": split,
                "style": "lineart",
            }
            layers = [look(figure, camera) for figure in figures]
            depths = [np.where(layer.parts > 0, layer.depth, np.inf) for layer in layers]
            front = np.where(np.isfinite(np.min(depths, axis=0)), np.argmin(depths, axis=0), -1)
            annotations = []
            strokes, owners, bones = _strokes(layers, front)
            for f, figure in enumerate(figures):
                silhouette, mask = layers[f].parts > 0, front == f
                pixels = camera.project(figure.joints)
                cells = np.clip(pixels.astype(int), 0, SIZE - 1)
                covered = ~np.isin(front[cells[:, 1], cells[:, 0]], (f, -1))
                visibility = np.where(covered, 1, 2).astype(np.uint8)
                box = cv2.boundingRect(silhouette.astype(np.uint8))
                extra = {"character": figure.character, "animation": figure.animation, "figure": f}
                points = {"keypoints": pixels, "visibility": visibility}
                if "keypoints" in about["labels"]:
                    extra |= points
                if "mask" in about["labels"]:
                    extra["segmentation"] = rle.encode(mask)
                annotations.append(coco.annotation(box, silhouette.sum(), **extra))
                views.append(
                    View(
                        strokes=strokes,
                        keypoints=pixels.astype(np.float32),
                        visibility=visibility,
                        joints=camera.to_camera(figure.joints).astype(np.float32),
                        frame=frame,
                        camera=camera_number,
                        figure=f,
                        clip=f,
                        box=np.array(box, np.float32),
                        owners=owners,
                        bones=bones,
                    )
                )
                joints.append(
                    {
                        "rows": (frame, camera_number, f),
                        "world": figure.joints,
                        "camera_space": camera.to_camera(figure.joints),
                        "rotations": to_quaternions(figure.turns),
                        "intrinsics": camera.intrinsics,
                        "extrinsics": np.column_stack([camera.rotation, camera.translation]),
                        "orthographic": camera.orthographic,
                    }
                )
            if about["images"]:
                image["ink"] = {"preset": "plain"}
                page = np.full((SIZE, SIZE), 255, np.uint8)
                lines = [np.round(16 * stroke - 8).astype(np.int32) for stroke in strokes]
                cv2.polylines(page, lines, False, 0, 1, cv2.LINE_AA, 4)
                _write_png(path / image["file_name"], page)
            maps, image["depth"] = _maps(layers, front)
            for label, values in maps.items():
                if label in about["labels"]:
                    _write_png(path / label / name / Path(image["file_name"]).name, values)
            entries.append([image, annotations])
    if "strokes" in about["labels"]:
        (path / "strokes").mkdir(exist_ok=True)
        clips = [(character, animation), (character, "wave")]
        StrokePack.from_views(views, SIZE, clips).save(path / "strokes" / f"{name}.npz")
    if "3d" in about["labels"]:
        (path / "joints").mkdir(exist_ok=True)
        Joints.of(joints).save(path / "joints" / f"{name}.npz")
    dataset.write_clip(path, name, len(FRAMES), entries)


def _strokes(layers: list[_Seen], front: np.ndarray) -> tuple[list, np.ndarray, np.ndarray]:
    """The visible borders of each figure's bones, and a ground line."""
    strokes, owners, bones = [], [], []
    for f, layer in enumerate(layers):
        for bone in np.unique(layer.bones[front == f]):
            inside = ((layer.bones == bone) & (front == f)).astype(np.uint8)
            for border in cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
                strokes.append(border[:, 0].astype(np.float32) + 0.5)
                owners.append(f)
                bones.append(bone - 1)
    strokes.append(np.array([[4, SIZE - 8], [SIZE - 4, SIZE - 6]], np.float32))
    return strokes, np.array([*owners, NOBODY], np.uint8), np.array([*bones, NO_BONE], np.uint8)


def _maps(layers: list[_Seen], front: np.ndarray) -> tuple[dict[str, np.ndarray], list[float]]:
    """The labels that are pictures, and the depth's offset and scale."""
    parts = np.zeros((SIZE, SIZE), np.uint8)
    metres = np.zeros((SIZE, SIZE))
    for f, layer in enumerate(layers):
        parts[front == f] = layer.parts[front == f]
        metres[front == f] = layer.depth[front == f]
    first = {part: chart for chart, part in reversed(list(surface.CHARTS.items()))}
    charts = np.array([0, *(first[part] for part in surface.PARTS)], np.uint8)[parts]
    y, x = np.mgrid[:SIZE, :SIZE]
    ramps = [np.where(parts > 0, (axis * 8) % 256, 0) for axis in (x, y)]
    inside = metres > 0
    offset, scale = float(metres[inside].min()) - 1e-3, 1e-3
    depth = np.where(inside, np.round((metres - offset) / scale), 0).astype(np.uint16)
    # OpenCV writes blue, green, red: the file's red is the chart.
    uv = np.stack([ramps[1], ramps[0], charts], axis=-1).astype(np.uint8)
    return {"parts": parts, "uv": uv, "depth": depth}, [offset, scale]


def _write_png(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", values)[1].tobytes())
