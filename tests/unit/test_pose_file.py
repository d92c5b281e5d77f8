"""A pose as a JSON file: it comes back whole, and damage is told in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from addon.core import pose_file, skeleton
from addon.core.camera import look_at
from addon.core.errors import UserError
from addon.core.estimator import Sides
from addon.core.image import Box
from addon.core.pose_file import BonePose, PoseFile
from addon.core.readings import Reading
from addon.core.remembered import Remembered
from addon.core.rotations import from_vector, to_quaternions

in_one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def example(seed: int = 3, missing: int = 0) -> PoseFile:
    rng = np.random.default_rng(seed)
    keypoints = rng.uniform(-20, 900, (skeleton.COUNT, 2)).astype(np.float32)
    scores = rng.uniform(0, 1, skeleton.COUNT).astype(np.float32)
    keypoints[:missing], scores[:missing] = np.nan, 0
    reading = Reading.of(["LeftArm"], ["Legs"])
    box = Box(10.5, 20.0, 300.0, 640.25)
    drawing = Remembered(keypoints, scores, Sides(0.9, 0.4), box, (640, 960), "Läufer.png", reading)
    joints = rng.normal(0, 1, (skeleton.COUNT, 3))
    rotations = to_quaternions(from_vector(rng.normal(0, 1, (5, 3))))
    bones = {f"bone “{i}”": BonePose(tuple(q)) for i, q in enumerate(rotations)}
    bones["hips"] = BonePose((1.0, 0.0, 0.0, 0.0), (0.1, -0.2, 0.3))
    camera = look_at((1, -5, 1.5), (0, 0, 1), size=(640, 960), focal=812.5, orthographic=True)
    return PoseFile(drawing, joints, "Anna", bones, camera)


@in_one_folder
@given(st.integers(0, 1000), st.integers(0, skeleton.COUNT))
def test_all_comes_back(tmp_path: Path, seed: int, missing: int) -> None:
    one = example(seed, missing)
    one.save(tmp_path / "pose.json")
    other = pose_file.load(tmp_path / "pose.json")
    np.testing.assert_allclose(other.drawing.keypoints, one.drawing.keypoints, atol=1e-3)
    np.testing.assert_allclose(other.drawing.scores, one.drawing.scores, atol=1e-4)
    for name in ("sides", "box"):
        assert getattr(other.drawing, name) == pytest.approx(getattr(one.drawing, name), abs=1e-5)
    for name in ("size", "image", "reading"):
        assert getattr(other.drawing, name) == getattr(one.drawing, name)
    np.testing.assert_allclose(other.joints, one.joints, atol=1e-5)
    assert (other.armature, set(other.bones)) == (one.armature, set(one.bones))
    for name, bone in one.bones.items():
        assert other.bones[name].rotation == pytest.approx(bone.rotation, abs=1e-8)
        assert other.bones[name].location == pytest.approx(bone.location, abs=1e-8)
    points = one.joints
    np.testing.assert_allclose(other.camera.project(points), one.camera.project(points), atol=1e-2)


def test_others_can_read_it(tmp_path: Path) -> None:
    one = example(missing=1)
    one.save(tmp_path / "pose.json")
    document = json.loads((tmp_path / "pose.json").read_text("utf-8"))
    assert (document["format"], document["version"]) == ("croquis-pose", 1)
    assert document["image"] == {"name": "Läufer.png", "width": 640, "height": 960}
    assert list(document["keypoints"]) == list(skeleton.KEYPOINTS)
    assert document["keypoints"]["Hips"] == [None, None, 0.0]
    spine = document["keypoints"]["Spine"]
    assert spine[:2] == pytest.approx(one.drawing.keypoints[1], abs=1e-3)
    camera, seen = document["camera"], []
    for joint in document["joints"].values():
        place = np.array(camera["rotation"]) @ joint + camera["translation"]
        seen.append(place[:2] * camera["scale"] + camera["centre"])
    np.testing.assert_allclose(seen, one.camera.project(one.joints), atol=0.05)


def damaged(tmp_path: Path, *keys: str | int, value: Any = None, remove: bool = False) -> str:
    """What loading a file says in which one value is another one, or is missing."""
    path = tmp_path / "pose.json"
    example().save(path)
    document = json.loads(path.read_text("utf-8"))
    place = document
    for key in keys[:-1]:
        place = place[key]
    if remove:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    path.write_text(json.dumps(document))
    return complaint(path)


def complaint(path: Path) -> str:
    with pytest.raises(UserError) as error:
        pose_file.load(path)
    text = str(error.value)
    assert text.startswith("pose.json is not a pose of Croquis: ")
    assert text.endswith("choose another file.") and len(text.splitlines()) == 1
    return text


@pytest.mark.parametrize(
    "keys",
    [
        *[(key,) for key in ("format", "version", "image", "box", "sides", "reading", "keypoints")],
        *[(key,) for key in ("joints", "camera", "armature", "bones")],
        *[("image", key) for key in ("name", "width", "height")],
        *[("keypoints", name) for name in skeleton.KEYPOINTS],
        *[("joints", name) for name in skeleton.KEYPOINTS],
        *[("camera", key) for key in ("kind", "rotation", "translation", "scale", "centre")],
        *[("bones", "hips", key) for key in ("rotation", "location")],
    ],
)
def test_every_part_is_needed(tmp_path: Path, keys: tuple[str, ...]) -> None:
    assert keys[-1] in damaged(tmp_path, *keys, remove=True) or keys == ("format",)


@pytest.mark.parametrize(
    ("keys", "value", "words"),
    [
        (("format",), "gltf", "not marked"),
        (("version",), 2, "version 2"),
        (("image", "width"), 0, "width"),
        (("image",), "runner.png", "not where it should be"),
        (("box",), [1, 2, 3], "box"),
        (("box",), [1, 2, 3, None], "box"),
        (("sides",), {"arms": 1, "legs": float("nan")}, "sides"),
        (("reading", "flipped"), ["Tail"], "unknown limbs"),
        (("keypoints", "Head"), [1, 2], "keypoints"),
        (("keypoints", "Head"), [1, 2, "three"], "keypoints"),
        (("keypoints", "Head"), [1, 2, float("inf")], "keypoints"),
        (("keypoints",), [[1, 2, 3]] * skeleton.COUNT, "not where it should be"),
        (("joints", "Head"), 5, "not where it should be"),
        (("bones", "hips"), None, "not where it should be"),
        (("bones", "hips", "rotation"), [1, 0, 0], "rotations"),
        (("camera", "rotation"), [[1, 0, 0], [0, 1, 0]], "axes"),
        (("camera", "kind"), "fisheye", "fisheye"),
    ],
)
def test_damage_is_told(tmp_path: Path, keys: tuple[str, ...], value: object, words: str) -> None:
    assert words in damaged(tmp_path, *keys, value=value)


@pytest.mark.parametrize(
    "data", [b"", b"text", b"\xff\xfe\x00", b"[]", b"{}", b"3", b"[" * 100_000]
)
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "pose.json").write_bytes(data)
    complaint(tmp_path / "pose.json")


@in_one_folder
@given(st.integers(0, 6000))
def test_a_cut_file_is_refused(tmp_path: Path, length: int) -> None:
    path = tmp_path / "pose.json"
    example().save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: min(length, len(whole) - 10)])
    assert "cut short" in complaint(path)
