"""``scripts/pose_from_sketch.py``: its files, and one plain sentence for each mistake of a user."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np
import pytest

from addon.blender.mannequin import add_mannequin
from addon.core import bvh, pose_file, skeleton
from addon.core.estimator import SHIPPED
from scripts import _common, pose_from_sketch

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "pose_from_sketch.py"
SHARED = ROOT.parent / "shared" / "data"
needs_network = pytest.mark.skipif(not SHIPPED.exists(), reason="no network has been trained yet")

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], estimator: Any) -> Run:
    """The script in this process, with known keypoints: its exit status and what stderr got."""
    monkeypatch.setattr(_common, "package", lambda: "addon")
    monkeypatch.setattr("addon.core.estimator.Estimator", lambda: estimator)

    def call(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(_common, "_arguments", lambda: list(map(str, arguments)))
        with pytest.raises(SystemExit) as stop:
            _common.run(pose_from_sketch.main)
        assert isinstance(stop.value.code, int)
        return stop.value.code, capsys.readouterr().err

    return call


def assert_one_sentence(text: str, *words: str) -> None:
    assert len(text.strip().splitlines()) == 1, text
    assert text.strip().endswith("."), text
    assert "Traceback" not in text
    for word in words:
        assert word in text, text


def write_png(path: Path, pixels: np.ndarray) -> Path:
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    return path


def save_rig(path: Path, *without: str) -> Path:
    """A .blend with the mannequin, or with what is left of it."""
    armature = add_mannequin(bpy.context)
    bpy.ops.object.mode_set(mode="EDIT")
    for bone in list(armature.data.edit_bones):
        if any(part in bone.name for part in without):
            armature.data.edit_bones.remove(bone)
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    return path


def test_it_writes_scene_preview_and_keypoints(run: Run, drawing: Path, tmp_path: Path) -> None:
    out = tmp_path / "new folder" / "posed.blend"
    preview, keypoints = out.with_suffix(".png"), out.with_suffix(".json")
    status, _ = run(drawing, "--out", out, "--preview", preview, "--keypoints", keypoints)
    assert status == 0
    assert sorted(file.name for file in out.parent.iterdir()) == sorted(
        file.name for file in (out, preview, keypoints)
    )

    bpy.ops.wm.open_mainfile(filepath=str(out))
    armature = bpy.data.objects["Mannequin"]
    assert tuple(armature.animation_data.action.frame_range) == (1, 1)
    (image,) = (i for i in bpy.data.images if i.name == drawing.name)
    assert image.packed_file
    assert bpy.context.scene.camera.name.startswith("Croquis")

    (entry,) = json.loads(keypoints.read_text())
    assert entry["file_name"] == drawing.name
    assert set(entry["keypoints"]) == set(skeleton.KEYPOINTS)

    page = cv2.imread(str(preview))
    assert page.shape[1] > 2 * page.shape[0]
    blue = (page[..., 0].astype(int) - page[..., 2] > 120).any()
    red = (page[..., 2].astype(int) - page[..., 0] > 120).any()
    assert blue and red
    right_half = page[:, page.shape[1] // 2 :]
    assert (right_half.min(axis=2) < 150).mean() > 0.02  # the posed figure is there


def test_it_writes_poses_and_their_motion(
    run: Run, drawing: Path, figure_page: Any, tmp_path: Path
) -> None:
    mirrored = write_png(tmp_path / "mirrored.png", figure_page(400, 300)[:, ::-1])
    out, poses = tmp_path / "posed.blend", tmp_path / "new" / "pose.json"
    arguments = ("--out", out, "--json", poses, "--bvh", poses.with_suffix(".bvh"))
    assert run(drawing, *arguments)[0] == 0
    written = pose_file.load(poses).drawing
    assert written.image == drawing.name and not written.stretch
    assert len(bvh.read(poses.with_suffix(".bvh")).rotations) == 1

    assert run(drawing, mirrored, *arguments)[0] == 0
    first, second = (pose_file.load(poses.with_stem(f"pose-{k}")) for k in (1, 2))
    assert (first.drawing.image, second.drawing.image) == (drawing.name, mirrored.name)
    motion = bvh.read(poses.with_suffix(".bvh"))
    order = [motion.names.index(f"mixamorig:{name}") for name in skeleton.KEYPOINTS]
    for pose, joints in zip((first, second), motion.joints()[:, order], strict=True):
        np.testing.assert_allclose(joints[:, [0, 2, 1]] * (1, -1, 1), pose.joints, atol=1e-3)
    assert len(list(poses.parent.iterdir())) == 4
    assert run(drawing, *arguments, "--stretch")[0] == 0
    assert pose_file.load(poses).drawing.stretch


def test_a_scene_that_cannot_be_written_is_one_sentence(run: Run, drawing: Path) -> None:
    status, complaint = run(drawing, "--out", "/dev/null/posed.blend")
    assert status == 2
    assert_one_sentence(complaint, "/dev/null")


def test_it_poses_the_figure_or_the_box_that_it_is_told(
    run: Run, figure_page: Any, tmp_path: Path
) -> None:
    page = np.full((400, 700), 255, np.uint8)
    page[:, :300] = figure_page(300, 400)
    page[90:390, 400:625] = cv2.resize(figure_page(300, 400), (225, 300))
    two = write_png(tmp_path / "two.png", page)
    arguments = (two, "--out", tmp_path / "posed.blend", "--keypoints", tmp_path / "points.json")

    def hips(*options: object) -> float:
        assert run(*arguments, *options)[0] == 0
        (entry,) = json.loads((tmp_path / "points.json").read_text())
        return entry["keypoints"]["Hips"][0]

    assert hips() < 300 < hips("--figure", 2)
    assert hips("--box", 500, 0, 100, 400) == pytest.approx(545)
    assert_one_sentence(run(two, *arguments, "--box", 0, 0, 9, 9)[1], "one drawing with --box")


def test_several_drawings_become_keyframes_in_order(
    run: Run, figure_page: Any, tmp_path: Path
) -> None:
    upright = write_png(tmp_path / "b.png", figure_page(300, 400))
    mirrored = write_png(tmp_path / "a.png", np.ascontiguousarray(figure_page(300, 400)[::-1]))
    out = tmp_path / "posed.blend"
    assert run(upright, mirrored, upright, "--out", out)[0] == 0
    bpy.ops.wm.open_mainfile(filepath=str(out))
    scene, armature = bpy.context.scene, bpy.data.objects["Mannequin"]
    assert scene.frame_end == 3
    assert tuple(armature.animation_data.action.frame_range) == (1, 3)
    shown = []
    for frame in (1, 2, 3):
        scene.frame_set(frame)
        (drawing,) = (o for o in scene.objects if o.type == "EMPTY" and not o.hide_viewport)
        shown.append(drawing.data.name)
    assert shown == ["b.png", "a.png", "b.png"]


@pytest.mark.parametrize("suffix", [".blend", ".fbx", ".glb"])
def test_a_rig_from_a_file(run: Run, drawing: Path, tmp_path: Path, suffix: str) -> None:
    rig = tmp_path / f"rig{suffix}"
    if suffix == ".blend":
        save_rig(rig)
    else:
        add_mannequin(bpy.context)
        if suffix == ".fbx":
            bpy.ops.export_scene.fbx(filepath=str(rig), add_leaf_bones=False)
        else:
            bpy.ops.export_scene.gltf(filepath=str(rig), export_format="GLB")
    out = tmp_path / "posed.blend"
    assert run(drawing, "--rig", rig, "--out", out)[0] == 0
    bpy.ops.wm.open_mainfile(filepath=str(out))
    (armature,) = (o for o in bpy.data.objects if o.type == "ARMATURE")
    up = {
        side: armature.matrix_world @ armature.pose.bones[f"mixamorig:{side}Hand"].head
        for side in ("Left", "Right")
    }
    assert up["Left"].z > up["Right"].z + 0.5
    assert up["Left"].x > 0 > up["Right"].x


def test_the_opened_files_only_armature_is_posed(run: Run, drawing: Path, tmp_path: Path) -> None:
    opened = save_rig(tmp_path / "scene.blend")
    bpy.ops.wm.open_mainfile(filepath=str(opened))
    out = tmp_path / "posed.blend"
    assert run(drawing, "--out", out)[0] == 0
    bpy.ops.wm.open_mainfile(filepath=str(out))
    assert len([o for o in bpy.data.objects if o.type == "ARMATURE"]) == 1


def test_an_armature_by_name_and_its_old_action(run: Run, drawing: Path, tmp_path: Path) -> None:
    add_mannequin(bpy.context)
    armature = add_mannequin(bpy.context)
    armature.name = "Anna"
    armature.keyframe_insert("location", frame=1)
    armature.animation_data.action.name = "Walk"
    opened = tmp_path / "scene.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(opened))
    out = tmp_path / "posed.blend"
    status, text = run(drawing, "--out", out)
    assert status == 2
    assert_one_sentence(text, "Anna", "Mannequin", "--armature")
    status, text = run(drawing, "--armature", "Nobody", "--out", out)
    assert status == 2
    assert_one_sentence(text, "Nobody", "Anna")
    assert not out.exists()
    assert run(drawing, "--armature", "Anna", "--out", out)[0] == 0
    bpy.ops.wm.open_mainfile(filepath=str(out))
    assert bpy.data.actions["Walk"].use_fake_user
    assert bpy.data.objects["Anna"].animation_data.action != bpy.data.actions["Walk"]
    assert bpy.data.objects["Mannequin"].animation_data is None


# ---- pictures that are odd but right ---------------------------------------------------------


def with_alpha(page: np.ndarray) -> np.ndarray:
    """Black ink on nothing."""
    return np.dstack([np.zeros((*page.shape, 3), np.uint8), 255 - page])


@pytest.mark.parametrize(
    "convert",
    [
        pytest.param(lambda page: page.astype(np.uint16) * 257, id="16 bit"),
        pytest.param(with_alpha, id="transparent"),
        pytest.param(lambda page: cv2.resize(page, (6000, 4000)), id="photograph-sized"),
    ],
)
def test_odd_pictures_work(
    run: Run, figure_page: Any, tmp_path: Path, convert: Callable[[np.ndarray], np.ndarray]
) -> None:
    plain, keypoints = tmp_path / "plain.png", tmp_path / "keypoints.json"
    write_png(plain, figure_page(600, 400))
    odd = write_png(tmp_path / "odd.png", convert(figure_page(600, 400)))
    arguments = ("--out", tmp_path / "posed.blend", "--keypoints", keypoints)
    assert run(plain, odd, *arguments)[0] == 0
    expected, found = (
        np.array(list(entry["keypoints"].values())) for entry in json.loads(keypoints.read_text())
    )
    scale = cv2.imread(str(odd), cv2.IMREAD_UNCHANGED).shape[1] / 600
    np.testing.assert_allclose(found[:, :2] / scale, expected[:, :2], atol=4)


@pytest.mark.parametrize("suffix", [".tif", ".jpg"])
def test_a_cmyk_picture_works(run: Run, figure_page: Any, tmp_path: Path, suffix: str) -> None:
    pillow = pytest.importorskip("PIL.Image")
    picture = pillow.fromarray(figure_page(600, 400)).convert("CMYK")
    path, keypoints = tmp_path / f"cmyk{suffix}", tmp_path / "keypoints.json"
    picture.save(path)
    plain = write_png(tmp_path / "plain.png", figure_page(600, 400))
    arguments = ("--out", tmp_path / "posed.blend", "--keypoints", keypoints)
    assert run(plain, path, *arguments)[0] == 0
    expected, found = (
        np.array(list(entry["keypoints"].values())) for entry in json.loads(keypoints.read_text())
    )
    np.testing.assert_allclose(found[:, :2], expected[:, :2], atol=4)


# ---- mistakes --------------------------------------------------------------------------------


def blank(path: Path) -> None:
    write_png(path, np.full((300, 300), 255, np.uint8))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(blank, ["drawn"], id="empty page"),
        pytest.param(lambda path: path.write_text("no picture"), ["picture"], id="text"),
        pytest.param(lambda path: None, ["no picture at"], id="missing"),
        pytest.param(lambda path: path.write_bytes(b""), ["empty file"], id="empty file"),
        pytest.param(lambda path: path.mkdir(), [], id="folder"),
    ],
)
def test_a_bad_drawing_writes_nothing(
    run: Run, drawing: Path, tmp_path: Path, make: Callable[[Path], object], words: list[str]
) -> None:
    bad, out = tmp_path / "bad.png", tmp_path / "out"
    make(bad)
    status, text = run(
        drawing,
        bad,
        *("--out", out / "posed.blend", "--preview", out / "p.png", "--keypoints", out / "k.json"),
    )
    assert status == 2
    assert_one_sentence(text, *words)
    assert not out.exists()


def truncate(path: Path) -> None:
    """A good FBX that was cut off."""
    add_mannequin(bpy.context)
    bpy.ops.export_scene.fbx(filepath=str(path))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def without_armature(path: Path) -> None:
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        pytest.param("rig.fbx", truncate, ["rig.fbx"], id="truncated FBX"),
        pytest.param(
            "rig.blend", lambda p: save_rig(p, "Shoulder", "Arm", "Hand"), ["no arms"], id="no arms"
        ),
        pytest.param("rig.blend", without_armature, ["no armature"], id="no armature"),
        pytest.param("rig.fbx", lambda p: p.write_text("text"), ["rig.fbx"], id="text as FBX"),
        pytest.param("rig.glb", lambda p: p.write_text("text"), ["rig.glb"], id="text as GLB"),
        pytest.param("rig.blend", lambda p: p.write_text("text"), ["rig.blend"], id="text"),
        pytest.param("rig.obj", lambda p: p.write_text("text"), ["rig.obj"], id="other kind"),
        pytest.param("rig.fbx", lambda p: None, ["rig.fbx"], id="missing"),
    ],
)
def test_a_bad_rig_writes_nothing(
    run: Run,
    drawing: Path,
    tmp_path: Path,
    name: str,
    make: Callable[[Path], object],
    words: list[str],
) -> None:
    rig, out = tmp_path / name, tmp_path / "out"
    make(rig)
    status, text = run(drawing, "--rig", rig, "--out", out / "posed.blend")
    assert status == 2, text
    assert_one_sentence(text, *words)
    assert not out.exists()


def test_an_opened_file_without_an_armature(run: Run, drawing: Path, tmp_path: Path) -> None:
    opened, out = tmp_path / "scene.blend", tmp_path / "posed.blend"
    without_armature(opened)
    bpy.ops.wm.open_mainfile(filepath=str(opened))
    status, text = run(drawing, "--out", out)
    assert status == 2
    assert_one_sentence(text, "scene.blend", "--rig")
    assert not out.exists()


def test_an_older_result_outlives_a_mistake(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "posed.blend"
    out.write_text("the last result")
    assert run(tmp_path / "missing.png", "--out", out)[0] == 2
    assert out.read_text() == "the last result"


def test_wrong_arguments_end_with_status_2(run: Run) -> None:
    status, text = run("drawing.png")
    assert status == 2
    assert "--out" in text


# ---- as its users call it --------------------------------------------------------------------


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The script in a process of its own."""
    program = [sys.executable, SCRIPT]
    if bpy.app.binary_path:
        startup = [flag for flag in sys.argv if flag == "--factory-startup"]
        program = [bpy.app.binary_path, *startup, "-b", "-P", SCRIPT, "--"]
    return subprocess.run(
        [*map(str, program), *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


def test_status_and_sentence_reach_the_shell(tmp_path: Path) -> None:
    result = command(tmp_path / "missing.png", "--out", tmp_path / "posed.blend")
    assert result.returncode == 2, result.stderr
    assert "no picture at" in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())


@needs_network
def test_the_whole_job_with_the_shipped_network(drawing: Path, tmp_path: Path) -> None:
    out, preview = tmp_path / "posed.blend", tmp_path / "posed.png"
    result = command(drawing, "--out", out, "--preview", preview)
    assert result.returncode == 0, result.stderr
    assert out.read_bytes()[:4] in (b"BLEN", b"\x28\xb5\x2f\xfd")
    assert cv2.imread(str(preview)) is not None
