"""The dataset renderer on real Mixamo files."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import bpy
import cv2
import numpy as np
import pytest
from mathutils import Vector

from addon.blender import child, dataset
from addon.blender.animations import Puppet, load_motions
from addon.blender.cameras import aim_camera
from addon.blender.characters import import_character
from addon.blender.freestyle import Freestyle
from addon.blender.lineart import LineArt
from addon.core import coco, skeleton
from addon.core.camera import ring
from addon.core.errors import UserError
from addon.core.strokes import StrokePack

MIXAMO = Path(__file__).resolve().parents[3] / "shared" / "data" / "mixamo"
needs_mixamo = pytest.mark.skipif(
    not MIXAMO.is_dir(), reason="the shared Mixamo files are not here"
)


@pytest.fixture(autouse=True)
def empty_scene() -> Iterator[None]:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    yield
    bpy.ops.wm.read_factory_settings(use_empty=True)


@pytest.fixture
def settings(tmp_path: Path) -> dataset.DatasetSettings:
    for folder, names in {
        "characters": ["characters/Big Vegas.fbx"],
        "animations": ["animations/Capoeira.fbx", "animations/Waving.fbx"],
    }.items():
        (tmp_path / folder).mkdir()
        for name in names:
            shutil.copy(MIXAMO / name, tmp_path / folder)
    return dataset.DatasetSettings(
        characters=tmp_path / "characters",
        animations=tmp_path / "animations",
        out=tmp_path / "out",
        cameras=3,
        every=25,
        size=128,
        max_per_clip=2,
    )


def _render(settings: dataset.DatasetSettings) -> list[dataset.Progress]:
    return list(dataset.render_dataset(settings))


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@needs_mixamo
def test_every_view_has_a_picture_a_record_and_labels_on_the_figure(
    settings: dataset.DatasetSettings,
) -> None:
    news = _render(settings)
    assert news[-1].done == news[-1].total == 2 * 2 * 3
    document = coco.read(settings.out / "annotations.json")
    packs = [StrokePack.load(path) for path in sorted((settings.out / "strokes").iterdir())]
    assert len(document["images"]) == len(document["annotations"]) == sum(map(len, packs)) == 12
    for image, figure in zip(document["images"], document["annotations"], strict=True):
        page = cv2.imread(str(settings.out / image["file_name"]), cv2.IMREAD_GRAYSCALE)
        assert page.shape == (128, 128)
        assert 0.01 < (page < 128).mean() < 0.5
        x, y, width, height = figure["bbox"]
        assert max(width, height) > 0.7 * 128
        assert 0.2 * width * height < figure["area"] < width * height
        points = np.array(figure["keypoints"]).reshape(-1, 3)[:, :2]
        inside = (points >= [x - 2, y - 2]) & (points <= [x + width + 2, y + height + 2])
        assert inside.all()


@needs_mixamo
def test_projection_agrees_with_blenders_own() -> None:
    from bpy_extras.object_utils import world_to_camera_view

    character = import_character(MIXAMO / "characters" / "Big Vegas.fbx")
    puppet = Puppet.prepare(character.armature)
    puppet.pose(load_motions(MIXAMO / "animations" / "Capoeira.fbx", 40)[0], 1)
    bpy.context.view_layer.update()
    joints = puppet.joints()
    scene = bpy.context.scene
    scene.render.resolution_x = scene.render.resolution_y = 256
    eye = bpy.data.objects.new("eye", bpy.data.cameras.new("eye"))
    scene.collection.objects.link(eye)
    for camera in ring(joints[0], 5, 5, size=(256, 256), focal=300):
        seen = aim_camera(eye, camera, joints)
        bpy.context.view_layer.update()
        for ours, joint in zip(seen.project(joints), joints, strict=True):
            x, y, _ = world_to_camera_view(scene, eye, Vector(joint.tolist()))
            assert ours == pytest.approx([x * 256, (1 - y) * 256], abs=0.01)


@needs_mixamo
def test_a_retargeted_pose_points_where_the_source_does() -> None:
    path = MIXAMO / "animations" / "Capoeira.fbx"
    motion = load_motions(path, 30)[0]
    source = import_character(path)
    bpy.context.scene.frame_set(int(motion.frames[2]))
    bones = source.armature.pose.bones
    world = source.armature.matrix_world.to_3x3().normalized()
    wanted = {
        bone.name.split(":")[-1]: np.array(world @ (bone.tail - bone.head).normalized())
        for bone in bones
    }
    target = import_character(MIXAMO / "characters" / "Y Bot.fbx")
    puppet = Puppet.prepare(target.armature)
    puppet.pose(motion, 2)
    bpy.context.view_layer.update()
    world = target.armature.matrix_world.to_3x3().normalized()
    for name in ("LeftArm", "RightForeArm", "LeftUpLeg", "RightLeg"):
        bone = target.armature.pose.bones["mixamorig:" + name]
        got = np.array(world @ (bone.tail - bone.head).normalized())
        assert np.degrees(np.arccos(np.clip(got @ wanted[name], -1, 1))) < 3


@needs_mixamo
def test_left_is_the_characters_left_in_front_view(settings: dataset.DatasetSettings) -> None:
    _render(replace(settings, cameras=1))
    pack = StrokePack.merge(StrokePack.load(p) for p in (settings.out / "strokes").iterdir())
    hips = pack.keypoints[:, [skeleton.INDEX["LeftUpLeg"], skeleton.INDEX["RightUpLeg"]], 0]
    # The first camera looks at the face: the character's left hip is on the picture's right side.
    waving = [i for i in range(len(pack)) if pack.clips[pack.clip[i]][1] == "Waving"]
    assert (hips[waving, 0] > hips[waving, 1]).all()


@needs_mixamo
def test_a_stopped_run_goes_on_to_the_same_bytes(settings: dataset.DatasetSettings) -> None:
    _render(settings)
    whole = _contents(settings.out)
    halfway = replace(settings, out=settings.out.with_name("again"))
    run = dataset.render_dataset(halfway)
    for news in run:
        if news.done >= 3:
            break
    run.close()
    assert not bpy.data.objects
    assert not list(halfway.out.rglob("*.part"))
    assert not (halfway.out / "annotations.json").exists()
    _render(halfway)
    assert _contents(halfway.out) == whole


@needs_mixamo
def test_a_limit_is_kept_and_can_be_raised(settings: dataset.DatasetSettings) -> None:
    assert _render(replace(settings, limit=4))[-1].done >= 4
    few = len(coco.read(settings.out / "annotations.json")["images"])
    assert few < 12
    _render(settings)
    assert len(coco.read(settings.out / "annotations.json")["images"]) == 12


@needs_mixamo
def test_other_settings_do_not_mix_into_a_dataset(settings: dataset.DatasetSettings) -> None:
    _render(replace(settings, limit=3))
    before = _contents(settings.out)
    with pytest.raises(UserError, match="made with another every"):
        _render(replace(settings, every=5))
    assert _contents(settings.out) == before


@needs_mixamo
def test_damaged_files_are_skipped_with_a_sentence(settings: dataset.DatasetSettings) -> None:
    good = (MIXAMO / "characters" / "Big Vegas.fbx").read_bytes()
    (settings.characters / "Cut.fbx").write_bytes(good[: len(good) // 3])
    (settings.animations / "Cut.fbx").write_bytes(good[:5000])
    news = _render(settings)
    skipped = [n.message for n in news if n.message.startswith("Skipped")]
    assert len(skipped) == 2 and all("Cut" in message for message in skipped)
    assert news[-1].done == 12


@needs_mixamo
@pytest.mark.parametrize("folder", ["animations", "characters"])
def test_an_empty_folder_is_one_sentence(settings: dataset.DatasetSettings, folder: str) -> None:
    for path in getattr(settings, folder).iterdir():
        path.unlink()
    with pytest.raises(UserError, match=f"{folder} holds no {folder[:-1]}"):
        _render(settings)
    assert not settings.out.exists()


@needs_mixamo
def test_a_child_blender_renders_the_same(settings: dataset.DatasetSettings) -> None:
    small = replace(settings, limit=3)
    bpy.ops.mesh.primitive_cube_add()
    *_, last = child.render_in_child(small)
    assert last.done >= 3
    assert [obj.name for obj in bpy.data.objects] == ["Cube"]
    in_child = _contents(small.out)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    shutil.rmtree(small.out)
    _render(small)
    assert _contents(small.out) == in_child


@needs_mixamo
def test_a_childs_mistake_is_the_users_sentence(settings: dataset.DatasetSettings) -> None:
    _render(replace(settings, limit=3))
    with pytest.raises(UserError, match="made with another size"):
        list(child.render_in_child(replace(settings, size=64)))


@needs_mixamo
def test_closing_the_generator_ends_the_child(settings: dataset.DatasetSettings) -> None:
    run = child.render_in_child(settings)
    next(run)
    run.close()
    assert not (settings.out / "annotations.json").exists()


@needs_mixamo
def test_settings_stand_in_the_dataset(settings: dataset.DatasetSettings) -> None:
    _render(replace(settings, limit=3))
    noted = json.loads((settings.out / "dataset.json").read_text())
    assert noted["cameras"] == 3 and noted["keypoints"] == list(skeleton.KEYPOINTS)


@needs_mixamo
def test_freestyle_draws_the_same_view() -> None:
    character = import_character(MIXAMO / "characters" / "Big Vegas.fbx")
    puppet = Puppet.prepare(character.armature)
    joints = puppet.joints()
    camera = ring(joints[0], 5, 8, size=(160, 160), focal=200)[1].zoomed(joints, 0.15)
    lines = LineArt()
    ours = dataset.draw_plain(lines.draw(camera, joints), 160) < 128
    lines.remove()
    reference = Freestyle().draw(camera, joints) < 128
    near = cv2.dilate(reference.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert reference.sum() > 300
    assert near[ours].mean() > 0.9


def _children_rendering(out: Path) -> bool:
    """Some process has the dataset's folder on its command line (as ``/proc`` shows it)."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it may have ended meanwhile
            if str(out).encode() in path.read_bytes():
                return True
    return False


@needs_mixamo
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are listed in /proc")
@pytest.mark.skipif(bool(bpy.app.binary_path), reason="plain Python stands in for the parent")
def test_a_child_does_not_outlive_a_killed_parent(settings: dataset.DatasetSettings) -> None:
    settings = replace(settings, cameras=60, max_per_clip=0, every=1)
    code = (
        "import sys, json, pathlib\n"
        "from addon.blender import child, dataset\n"
        "v = json.loads(sys.argv[1])\n"
        "for k in ('characters', 'animations', 'out'): v[k] = pathlib.Path(v[k])\n"
        "for news in child.render_in_child(dataset.DatasetSettings(**v)): print(news, flush=True)\n"
    )
    task = json.dumps(asdict(settings), default=str)
    root = Path(__file__).resolve().parents[2]
    parent = subprocess.Popen([sys.executable, "-c", code, task], cwd=root, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    for line in parent.stdout:
        if b"Capoeira" in line:
            break
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 60
    while _children_rendering(settings.out) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not _children_rendering(settings.out)
    assert not list(settings.out.rglob("*.part"))
