"""Poses in the Pose Library: the same pose again, on any character, with the drawing to see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np
import pytest

from addon.blender.armature import pose_bones, rig_from_armature
from addon.blender.mannequin import add_mannequin
from addon.blender.pose import pose_from_sketch
from addon.blender.pose_asset import THUMBNAIL, save_pose_asset, thumbnail
from addon.core.catalogs import FILE
from addon.core.errors import UserError
from addon.core.image import Box

CATALOGS = "# Made by somebody.\nVERSION 1\n\n00112233-4455-6677-8899-aabbccddeeff:Feet:Feet\n"


@pytest.fixture
def posed(drawing: Path, estimator: Any) -> bpy.types.Object:
    image = bpy.data.images.load(str(drawing))
    return pose_from_sketch(bpy.context, image, None, estimator=estimator).armature


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Path]:
    """An asset library "Poses" in the preferences."""
    folder = tmp_path / "library"
    folder.mkdir()
    libraries = bpy.context.preferences.filepaths.asset_libraries
    one = libraries.new(name="Poses", directory=str(folder))
    yield folder
    libraries.remove(one)


def basis(armature: bpy.types.Object) -> np.ndarray:
    bpy.context.view_layer.update()
    return np.array([bone.matrix_basis for bone in armature.pose.bones])


def preview_pixels(action: bpy.types.Action) -> np.ndarray:
    """``[H, W, 4]`` floats, top row first."""
    width, height = action.preview.image_size
    pixels = np.empty(width * height * 4, np.float32)
    action.preview.image_pixels_float.foreach_get(pixels)
    return pixels.reshape(height, width, 4)[::-1]


@pytest.mark.parametrize("mode", ["QUATERNION", "AXIS_ANGLE", "ZYX"])
def test_applying_it_gives_the_same_pose(posed: bpy.types.Object, mode: str) -> None:
    for bone in posed.pose.bones:
        bone.rotation_mode = mode
    wanted = basis(posed)
    assert np.abs(wanted - np.eye(4)).max() > 0.3
    name, path = save_pose_asset(bpy.context, posed)
    assert path is None
    other = add_mannequin(bpy.context)
    for bone in other.pose.bones:
        bone.rotation_mode = mode
    other.pose.apply_pose_from_action(bpy.data.actions[name])
    np.testing.assert_allclose(basis(other), wanted, atol=1e-5)


def test_it_holds_the_posed_bones_only(posed: bpy.types.Object) -> None:
    rig = rig_from_armature(posed)
    expected = {bone.name for bone in pose_bones(posed, rig)}
    bpy.context.view_layer.objects.active = posed
    bpy.ops.object.mode_set(mode="EDIT")
    finger = posed.data.edit_bones.new("Finger")
    finger.head, finger.tail = (0, 0, 1), (0, 0, 1.1)
    finger.parent = posed.data.edit_bones["mixamorig:LeftHand"]
    bpy.ops.object.mode_set(mode="OBJECT")
    posed.pose.bones["Finger"].rotation_quaternion = (0.7, 0.7, 0, 0)
    name, _ = save_pose_asset(bpy.context, posed)
    other = add_mannequin(bpy.context)
    other.pose.apply_pose_from_action(bpy.data.actions[name])
    changed = {
        bone.name for bone in other.pose.bones if not np.allclose(bone.matrix_basis, np.eye(4))
    }
    assert changed <= expected
    assert len(changed) > 10
    assert "Finger" not in str([curve.data_path for curve in curves(bpy.data.actions[name])])


def curves(action: bpy.types.Action) -> list[Any]:
    if not hasattr(action, "slots"):
        return list(action.fcurves)
    return list(action.layers[0].strips[0].channelbags[0].fcurves)


def test_it_is_named_described_and_tagged(posed: bpy.types.Object) -> None:
    name, _ = save_pose_asset(bpy.context, posed)
    action = bpy.data.actions[name]
    assert name == "drawing"
    assert action.use_fake_user
    assert "Mannequin" in action.asset_data.description
    assert "drawing.png" in action.asset_data.description
    assert [tag.name for tag in action.asset_data.tags] == ["Croquis"]
    assert {curve.group.name for curve in curves(action)} <= set(posed.pose.bones.keys())
    assert posed.animation_data is None  # the animator's own animation stays as it was
    assert save_pose_asset(bpy.context, posed)[0] == "drawing.001"


def test_its_thumbnail_shows_the_drawing(posed: bpy.types.Object) -> None:
    name, _ = save_pose_asset(bpy.context, posed)
    pixels = preview_pixels(bpy.data.actions[name])
    assert pixels.shape[0] == pixels.shape[1] <= THUMBNAIL
    ink = pixels[..., 0] < 0.5
    assert 0.01 < ink.mean() < 0.3
    rows, columns = np.nonzero(ink)
    # The figure fills it, upright: the circle of the head is in the upper half.
    assert np.ptp(rows) > 0.7 * len(pixels)
    assert abs(rows.min() + rows.max() - len(pixels)) < 0.1 * len(pixels)
    middle = slice(int(0.3 * len(pixels)), int(0.7 * len(pixels)))
    assert ink[: len(ink) // 3, middle].sum() > ink[-len(ink) // 3 :, middle].sum()


def test_blender_shows_it_the_same_way_up(posed: bpy.types.Object, tmp_path: Path) -> None:
    name, _ = save_pose_asset(bpy.context, posed)
    action = bpy.data.actions[name]
    ours = preview_pixels(action)
    picture = tmp_path / "thumbnail.png"
    picture.write_bytes(cv2.imencode(".png", np.round(ours[..., :3] * 255))[1].tobytes())
    with bpy.context.temp_override(id=action):
        bpy.ops.ed.lib_id_load_custom_preview(filepath=str(picture))
    theirs = preview_pixels(action)
    shrunk = [
        cv2.resize(one[..., 0], (64, 64), interpolation=cv2.INTER_AREA) for one in (ours, theirs)
    ]
    assert np.abs(shrunk[0] - shrunk[1]).mean() < 0.02 < np.abs(shrunk[0] - shrunk[1][::-1]).mean()


def test_without_the_drawing_it_has_no_thumbnail(posed: bpy.types.Object) -> None:
    bpy.data.images.remove(bpy.data.images["drawing.png"])
    name, _ = save_pose_asset(bpy.context, posed)
    assert name == "drawing"
    assert not (bpy.data.actions[name].preview and any(bpy.data.actions[name].preview.image_size))


def test_a_pose_made_by_hand_is_named_after_the_character() -> None:
    armature = add_mannequin(bpy.context)
    assert save_pose_asset(bpy.context, armature)[0] == "Mannequin Pose"


# ---- asset libraries -------------------------------------------------------------------------


def test_a_library_receives_a_file(posed: bpy.types.Object, library: Path) -> None:
    (library / FILE).write_text(CATALOGS)
    wanted = basis(posed)
    name, path = save_pose_asset(bpy.context, posed, "Poses")
    assert path == library / "Croquis" / "drawing.blend"
    assert not bpy.data.actions
    assert [file.name for file in path.parent.iterdir()] == ["drawing.blend"]
    _, second = save_pose_asset(bpy.context, posed, "Poses")
    assert second == library / "Croquis" / "drawing_1.blend"

    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    library_file: Any = bpy.data.libraries.load(str(path), assets_only=True)
    with library_file as (found, wants):
        assert found.actions == [name]
        wants.actions = found.actions
    action = bpy.data.actions[name]
    pixels = preview_pixels(action)
    assert (pixels[..., 0] < 0.5).mean() > 0.01
    line = (library / FILE).read_text().splitlines()[-1]
    assert line == f"{action.asset_data.catalog_id}:Croquis:Croquis"
    other = add_mannequin(bpy.context)
    other.pose.apply_pose_from_action(action)
    np.testing.assert_allclose(basis(other), wanted, atol=1e-5)


def test_the_catalogs_of_the_current_file_are_beside_it(
    posed: bpy.types.Object, tmp_path: Path
) -> None:
    (tmp_path / FILE).write_text(CATALOGS)
    name, _ = save_pose_asset(bpy.context, posed)
    assert set(bpy.data.actions[name].asset_data.catalog_id) == {"0", "-"}  # not saved yet
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    name, _ = save_pose_asset(bpy.context, posed)
    assert bpy.data.actions[name].asset_data.catalog_id in (tmp_path / FILE).read_text()


def test_a_file_in_a_library_uses_its_catalogs(posed: bpy.types.Object, library: Path) -> None:
    (library / FILE).write_text(CATALOGS)
    (library / "below").mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(library / "below" / "scene.blend"))
    name, _ = save_pose_asset(bpy.context, posed)
    assert bpy.data.actions[name].asset_data.catalog_id in (library / FILE).read_text()


def test_mistakes_leave_nothing_behind(posed: bpy.types.Object, library: Path) -> None:
    with pytest.raises(UserError, match="no asset library “Feet”"):
        save_pose_asset(bpy.context, posed, "Feet")
    (library / "Croquis").write_text("in the way")
    with pytest.raises(OSError):
        save_pose_asset(bpy.context, posed, "Poses")
    library.rename(library.with_name("elsewhere"))
    with pytest.raises(UserError, match="does not exist"):
        save_pose_asset(bpy.context, posed, "Poses")
    library.with_name("elsewhere").rename(library)
    assert not bpy.data.actions


# ---- thumbnails ------------------------------------------------------------------------------


@pytest.mark.parametrize("zoom", [1, 4])
def test_a_thumbnail_is_the_square_around_the_figure(zoom: int) -> None:
    picture = np.full((300 * zoom, 500 * zoom, 3), 255, np.uint8)
    picture[100 * zoom : 200 * zoom, 20 * zoom : 40 * zoom] = (200, 0, 0)
    small = thumbnail(picture, Box(20.0 * zoom, 100.0 * zoom, 20.0 * zoom, 100.0 * zoom))
    side = min(THUMBNAIL, round(116 * zoom))
    assert small.shape == (side, side, 3)
    red = (np.abs(small.astype(int) - (200, 0, 0)) < 40).all(axis=2)
    rows, columns = np.nonzero(red)
    scale = side / 116
    assert (rows.min(), rows.max() + 1) == pytest.approx((8 * scale, 108 * scale), abs=1.5)
    assert (columns.min(), columns.max() + 1) == pytest.approx((48 * scale, 68 * scale), abs=1.5)


def test_thin_lines_stay_visible_in_a_thumbnail() -> None:
    picture = np.full((4000, 4000, 3), 255, np.uint8)
    picture[:, 2000:2003] = 0
    small = thumbnail(picture, Box(0.0, 0.0, 4000.0, 4000.0))
    line = small[THUMBNAIL // 4 : -THUMBNAIL // 4].min(axis=(1, 2))
    assert (line < 230).all()
