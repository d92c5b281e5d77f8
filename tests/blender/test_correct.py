"""Joints put right by hand: the character follows, the rest stays, nothing is forgotten."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import bpy
import cv2
import numpy as np
import pytest
from mathutils import Euler, Matrix

from addon.blender import reference
from addon.blender.armature import posed_matrices, rig_from_armature
from addon.blender.correct import Correction, move_joint
from addon.blender.drawing_plane import DrawingPlane, plane_of
from addon.blender.mannequin import add_mannequin
from addon.blender.pose import Posed, pose_from_sketch, remembered
from addon.core import skeleton
from addon.core.camera import look_at
from addon.core.correct import corrected_joints
from addon.core.image import Box
from addon.core.remembered import Remembered
from addon.operators.correct import JOINT_NAMES, CROQUIS_OT_move_joint
from addon.operators.figure import CROQUIS_OT_choose_figure
from addon.ui.handles import CROQUIS_GGT_joints, CROQUIS_MT_joint

Pose = Callable[[bpy.types.Object], Posed]


def kept(armature: bpy.types.Object) -> Remembered:
    drawing = remembered(armature)
    assert drawing is not None
    return drawing


def seen(armature: bpy.types.Object) -> dict[str, np.ndarray]:
    """Where the joints stand over the drawing, pixels, squarely to its plane."""
    bpy.context.view_layer.update()
    plane = plane_of(bpy.context.scene, kept(armature))
    assert plane is not None
    rig = rig_from_armature(armature)
    places = plane.to_pixels(rig.posed_joints(posed_matrices(armature, rig)))
    return dict(zip(skeleton.KEYPOINTS, places, strict=True))


def basis(armature: bpy.types.Object) -> dict[str, np.ndarray]:
    bpy.context.view_layer.update()
    return {bone.name: np.array(bone.matrix_basis) for bone in armature.pose.bones}


def moved(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> set[str]:
    return {name for name in before if np.abs(before[name] - after[name]).max() > 1e-4}


def keyed_bones(armature: bpy.types.Object) -> set[str]:
    """Names of the bones that have keyframes."""
    animation = armature.animation_data
    if not animation or not animation.action:
        return set()
    action = animation.action
    if hasattr(action, "fcurves"):  # before Blender 5.0
        curves = action.fcurves
    else:
        curves = action.layers[0].strips[0].channelbags[0].fcurves
    return {curve.data_path.split('"')[1] for curve in curves}


def bones(armature: bpy.types.Object, *joints: str) -> set[str]:
    rig = rig_from_armature(armature)
    return {rig.names[rig.mapping[joint]] for joint in joints}


def angle(a: np.ndarray, b: np.ndarray) -> float:
    """Degrees between two directions."""
    cosine = a @ b / (np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def views() -> list[np.ndarray]:
    """Where the camera and the drawing are and what they show."""
    scene = bpy.context.scene
    camera, drawing = reference.find_camera(scene), reference.find_drawing(scene)
    assert camera and drawing
    numbers = [camera.data.ortho_scale, camera.data.shift_x, drawing.empty_display_size]
    return [np.array(camera.matrix_world), np.array(drawing.matrix_world), np.array(numbers)]


# --- pixels and the world


@pytest.mark.parametrize("seed", range(12))
def test_a_pixel_comes_back_from_the_world(seed: int) -> None:
    rng = np.random.default_rng(seed)
    turn, place = rng.uniform(-3, 3, 3).tolist(), rng.uniform(-9, 9, 3).tolist()
    width, quarters = float(rng.uniform(0.1, 20)), int(rng.integers(4))
    size = (int(rng.integers(1, 4000)), int(rng.integers(1, 4000)))
    thing = bpy.data.objects.new("Drawing", None)
    thing.empty_display_size = width
    thing[reference.TURNS] = quarters
    thing.matrix_basis = Matrix.LocRotScale(place, Euler(turn), (1, 1, 1))
    thing.matrix_world = thing.matrix_basis
    plane = DrawingPlane.of(thing, size)
    bpy.data.objects.remove(thing)
    pixel = rng.uniform(-1, 2, 2) * size
    point = plane.to_world(pixel)
    np.testing.assert_allclose(plane.to_pixels(point), pixel, atol=1e-3)
    across, down = plane.directions
    for sight in (np.cross(across, down), np.cross(across, down) + across - 2 * down):
        hit = plane.hit(point - 3 * sight, sight)
        assert hit is not None
        np.testing.assert_allclose(hit, pixel, atol=1e-2 * max(size) / width)
    assert plane.hit(point - across, across) is None


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
@pytest.mark.parametrize("orthographic", [True, False])
def test_pixels_are_where_the_camera_sees_them(
    quarters: int, orthographic: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "quarter_turns", lambda _image: quarters)
    image = bpy.data.images.new("page", 300, 400)
    focal = 120.0 if orthographic else 700.0
    view = look_at((2, -5, 3), (0, 0, 1), size=(300, 400), focal=focal, orthographic=orthographic)
    thing = reference.place_drawing(bpy.context.scene, image, view, 6.0)
    bpy.context.view_layer.update()
    plane = DrawingPlane.of(thing, view.size)
    pixels = np.array([(0, 0), (300, 0), (300, 400), (40, 333)])
    np.testing.assert_allclose(view.project(plane.to_world(pixels)), pixels, atol=0.01)


# --- the character follows


def test_the_forearm_follows_the_wrist_and_nothing_else(posed: Posed) -> None:
    before = basis(posed.armature)
    elbow = kept(posed.armature).keypoints[skeleton.INDEX["LeftForeArm"]]
    wrist = elbow + (30, 5)
    assert bpy.ops.croquis.move_joint(joint="LeftHand", x=wrist[0], y=wrist[1]) == {"FINISHED"}
    places = seen(posed.armature)
    assert angle(places["LeftHand"] - places["LeftForeArm"], wrist - elbow) < 6
    assert moved(before, basis(posed.armature)) == bones(posed.armature, "LeftArm", "LeftForeArm")
    now = kept(posed.armature)
    assert corrected_joints(now) == ["LeftHand"]
    assert now.scores[skeleton.INDEX["LeftHand"]] == 1


def test_what_the_animator_has_turned_stays(posed: Posed) -> None:
    for joint in ("Spine1", "RightLeg"):
        (name,) = bones(posed.armature, joint)
        bone = posed.armature.pose.bones[name]
        bone.rotation_mode = "XYZ"
        bone.rotation_euler.rotate(Euler((0.4, 0.1, 0.2)))
    before = basis(posed.armature)
    elbow = kept(posed.armature).keypoints[skeleton.INDEX["LeftForeArm"]]
    move_joint(bpy.context, posed.armature, "LeftHand", elbow + (30, 5))
    assert moved(before, basis(posed.armature)) == bones(posed.armature, "LeftArm", "LeftForeArm")
    # The arm hangs from another chest now, and points as drawn all the same.
    places = seen(posed.armature)
    assert angle(places["LeftHand"] - places["LeftForeArm"], np.array((30, 5))) < 6


def test_a_leg_takes_camera_and_drawing_along(posed: Posed) -> None:
    before = seen(posed.armature)
    ankle = kept(posed.armature).keypoints[skeleton.INDEX["RightFoot"]]
    move_joint(bpy.context, posed.armature, "RightFoot", ankle + (40, -60))
    after = seen(posed.armature)
    np.testing.assert_allclose(after["Head"], before["Head"], atol=0.1)
    assert np.linalg.norm(after["RightFoot"] - before["RightFoot"]) > 30
    camera, drawing = views()[:2]
    along = np.linalg.inv(camera) @ drawing
    assert abs(along[0, 3]) < 1 and abs(along[1, 3]) < 1
    rig = rig_from_armature(posed.armature)
    low = rig.posed_joints(posed_matrices(posed.armature, rig))[:, 2].min()
    assert low == pytest.approx(posed.solution.joints[:, 2].min(), abs=0.01)


def test_the_trunk_takes_the_whole_figure_along(posed: Posed) -> None:
    neck = kept(posed.armature).keypoints[skeleton.INDEX["Neck"]]
    before = seen(posed.armature)
    move_joint(bpy.context, posed.armature, "Neck", neck + (25, 0))
    after = seen(posed.armature)
    lean = angle(after["Neck"] - after["Hips"], before["Neck"] - before["Hips"])
    assert lean > 3
    assert np.linalg.norm(after["RightFoot"] - before["RightFoot"]) < 15  # it stays on the drawing


def test_a_drag_ends_where_the_mouse_does(posed: Posed) -> None:
    def drag(joint: str, *places: tuple[float, float]) -> dict[str, np.ndarray]:
        correction = Correction(bpy.context, posed.armature)
        for place in places:
            correction.move(joint, place)
        result = basis(posed.armature)
        correction.take_back()
        return result

    before, shown = basis(posed.armature), views()
    for joint in ("LeftHand", "RightFoot", "Spine2"):
        direct = drag(joint, (200, 150))
        assert moved(before, direct)
        assert not moved(direct, drag(joint, (10, 20), (390, 250), (200, 150)))
        assert not moved(before, basis(posed.armature))
        for was, now in zip(shown, views(), strict=True):
            np.testing.assert_allclose(now, was, atol=1e-6)
        assert not corrected_joints(kept(posed.armature))


@pytest.mark.parametrize(("joint", "most"), [("LeftHand", 2), ("RightFoot", 2), ("Neck", 6)])
def test_a_rig_with_controls_is_evaluated_a_few_times(
    rigify: bpy.types.Object, pose_in_panel: Pose, joint: str, most: int
) -> None:
    """Its 706 bones, not our own work, are what takes time in a drag."""
    correction = Correction(bpy.context, pose_in_panel(rigify).armature)
    correction.move(joint, (190, 140))
    count = 0

    def evaluated(_scene: bpy.types.Scene, _graph: bpy.types.Depsgraph) -> None:
        nonlocal count
        count += 1

    before = basis(rigify)
    bpy.app.handlers.depsgraph_update_post.append(evaluated)
    try:
        correction.move(joint, (200, 150))
    finally:
        bpy.app.handlers.depsgraph_update_post.remove(evaluated)
    assert moved(before, basis(rigify))
    assert 0 < count <= most


def test_a_step_of_a_drag_is_quick(posed: Posed) -> None:
    correction = Correction(bpy.context, posed.armature)
    times = []
    for step in range(10):
        start = time.process_time()  # the machine may have other work
        correction.move("LeftHand", (200 + step, 150))
        times.append(time.process_time() - start)
    assert np.median(times) < 0.15  # 0.03 s on an idle machine


# --- by name: search, scripts, menus


def test_a_hidden_joint_is_out_of_account_until_it_is_shown(posed: Posed) -> None:
    before = basis(posed.armature)
    bpy.ops.croquis.hide_joint(joint="LeftHand")
    assert kept(posed.armature).scores[skeleton.INDEX["LeftHand"]] == 0
    assert moved(before, basis(posed.armature)) <= bones(posed.armature, "LeftArm", "LeftForeArm")
    bpy.ops.croquis.hide_joint(joint="LeftHand", hidden=False)
    assert not moved(before, basis(posed.armature))
    assert not corrected_joints(kept(posed.armature))


def test_corrections_are_taken_back(posed: Posed) -> None:
    before, first = basis(posed.armature), kept(posed.armature)
    bpy.ops.croquis.move_joint(joint="LeftHand", x=200, y=150)
    bpy.ops.croquis.move_joint(joint="Head", x=200, y=30)
    bpy.ops.croquis.reset_joint(joint="Head")
    assert corrected_joints(kept(posed.armature)) == ["LeftHand"]
    bpy.ops.croquis.move_joint(joint="Hips", x=200, y=180)
    bpy.ops.croquis.reset_joints()
    assert not moved(before, basis(posed.armature))
    np.testing.assert_array_equal(kept(posed.armature).keypoints, first.keypoints)
    with pytest.raises(RuntimeError, match="No joint is corrected"):
        bpy.ops.croquis.reset_joints()


@pytest.mark.parametrize(
    "edit",
    [
        lambda: bpy.ops.croquis.move_joint(joint="RightFoot", x=200, y=150),
        lambda: bpy.ops.croquis.move_joint(joint="Hips", x=200, y=150),
        lambda: bpy.ops.croquis.hide_joint(joint="RightHand"),
    ],
)
def test_one_undo_takes_a_correction_back(posed: Posed, edit: Callable[[], set[str]]) -> None:
    # In the background Blender pushes no undo steps by itself.
    name = posed.armature.name
    bpy.ops.ed.undo_push(message="before")
    before, shown = basis(posed.armature), views()
    edit()
    bpy.ops.ed.undo_push(message="edit")
    bpy.ops.ed.undo()
    armature = bpy.data.objects[name]
    assert not moved(before, basis(armature))
    for was, now in zip(shown, views(), strict=True):
        np.testing.assert_allclose(now, was, atol=1e-6)
    assert not corrected_joints(kept(armature))


def test_corrections_are_keyed(posed: Posed) -> None:
    bpy.context.scene.croquis.insert_keyframes = True
    bpy.context.scene.frame_set(5)
    bpy.ops.croquis.move_joint(joint="LeftHand", x=200, y=150)
    assert tuple(posed.armature.animation_data.action.frame_range) == (5, 5)
    before = basis(posed.armature)
    bpy.context.scene.frame_set(6)
    bpy.context.scene.frame_set(5)
    assert not moved(before, basis(posed.armature))


LEG = ("RightUpLeg", "RightLeg", "RightFoot")


@pytest.mark.parametrize(
    ("joint", "keyed"),
    [
        ("LeftHand", ("LeftArm", "LeftForeArm")),
        ("LeftForeArm", ("LeftArm", "LeftForeArm")),
        ("Head", ("Neck", "Head")),
        ("RightFoot", ("Hips", *LEG)),  # the figure stays on the ground
    ],
)
def test_only_what_a_correction_moves_is_keyed(
    posed: Posed, joint: str, keyed: tuple[str, ...]
) -> None:
    bpy.context.scene.croquis.insert_keyframes = True
    before = basis(posed.armature)
    bpy.ops.croquis.move_joint(joint=joint, x=200, y=150)
    assert keyed_bones(posed.armature) == bones(posed.armature, *keyed)
    assert moved(before, basis(posed.armature)) <= keyed_bones(posed.armature)


def test_the_whole_figure_is_keyed_where_it_follows(posed: Posed) -> None:
    bpy.context.scene.croquis.insert_keyframes = True
    before = basis(posed.armature)
    bpy.ops.croquis.move_joint(joint="Neck", x=200, y=50)
    changed = moved(before, basis(posed.armature))
    assert changed > bones(posed.armature, "Spine1")
    assert changed <= keyed_bones(posed.armature)


def test_a_flipped_limb_and_its_correction_are_keyed_alone(posed: Posed) -> None:
    bpy.context.scene.croquis.insert_keyframes = True
    bpy.ops.croquis.flip_limb(limb="LeftForeArm")
    assert keyed_bones(posed.armature) == bones(posed.armature, "LeftArm", "LeftForeArm")
    posed.armature.animation_data_clear()
    before = basis(posed.armature)
    bpy.ops.croquis.move_joint(joint="RightFoot", x=200, y=150)
    assert keyed_bones(posed.armature) == bones(posed.armature, "Hips", *LEG)
    assert moved(before, basis(posed.armature)) <= keyed_bones(posed.armature)


def test_with_an_arm_its_switch_is_keyed(rigify: bpy.types.Object, pose_in_panel: Pose) -> None:
    pose_in_panel(rigify)
    bpy.context.scene.croquis.insert_keyframes = True
    bpy.ops.croquis.move_joint(joint="LeftHand", x=200, y=150)
    arm = {"upper_arm_fk.L", "forearm_fk.L"}
    assert keyed_bones(rigify) == {*arm, "upper_arm_parent.L"}


def test_a_drag_that_goes_nowhere_keys_nothing(posed: Posed) -> None:
    Correction(bpy.context, posed.armature).finish(keyframe=True)
    assert not keyed_bones(posed.armature)


# --- what is remembered


def test_corrections_survive_saving(posed: Posed, tmp_path: Path) -> None:
    bpy.ops.croquis.move_joint(joint="LeftHand", x=200, y=150)
    bpy.ops.croquis.hide_joint(joint="RightHand")
    name, before = posed.armature.name, kept(posed.armature)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "posed.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "posed.blend"))
    after = kept(bpy.data.objects[name])
    assert corrected_joints(after) == ["LeftHand", "RightHand"]
    assert after.to_json() == before.to_json()
    bpy.ops.croquis.reset_joints()
    assert not corrected_joints(kept(bpy.data.objects[name]))


def test_a_library_override_remembers_its_drawing(
    registered: None, drawing: Path, estimator: Any, tmp_path: Path
) -> None:
    library, file = str(tmp_path / "library.blend"), str(tmp_path / "file.blend")
    bpy.data.libraries.write(library, {add_mannequin(bpy.context)})
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    linked: Any = bpy.data.libraries.load(library, link=True)  # the stubs say None
    with linked as (_, target):
        target.objects = ["Mannequin"]
    override = target.objects[0].override_create(remap_local_usages=True)
    bpy.context.scene.collection.objects.link(override)
    image = bpy.data.images.load(str(drawing))
    pose_from_sketch(bpy.context, image, override, estimator=estimator)
    move_joint(bpy.context, override, "LeftHand", (200, 150))
    bpy.ops.wm.save_as_mainfile(filepath=file)
    bpy.ops.wm.open_mainfile(filepath=file)
    again = next(o for o in bpy.data.objects if o.type == "ARMATURE" and o.override_library)
    assert corrected_joints(kept(again)) == ["LeftHand"]


def test_readings_and_posing_again_keep_corrections(posed: Posed, estimator: Any) -> None:
    bpy.ops.croquis.move_joint(joint="LeftHand", x=200, y=150)
    places = seen(posed.armature)
    drawn = places["LeftHand"] - places["LeftForeArm"]
    bpy.ops.croquis.flip_limb(limb="LeftForeArm")
    bpy.ops.croquis.next_reading()
    assert corrected_joints(kept(posed.armature)) == ["LeftHand"]
    scene = bpy.context.scene.croquis
    pose_from_sketch(bpy.context, scene.drawing, posed.armature, estimator=estimator)
    assert corrected_joints(kept(posed.armature)) == ["LeftHand"]
    places = seen(posed.armature)
    assert angle(places["LeftHand"] - places["LeftForeArm"], drawn) < 10


def test_sides_are_those_of_the_reading(posed: Posed) -> None:
    bpy.ops.croquis.mirror()
    before = basis(posed.armature)
    bpy.ops.croquis.move_joint(joint="RightHand", x=200, y=150)
    np.testing.assert_array_equal(
        kept(posed.armature).keypoints[skeleton.INDEX["LeftHand"]], (200, 150)
    )
    assert moved(before, basis(posed.armature)) == bones(posed.armature, "RightArm", "RightForeArm")


# --- what is in the way


def test_camera_and_drawing_need_not_be_there(posed: Posed) -> None:
    for thing in (posed.camera, posed.drawing):
        bpy.data.objects.remove(thing)
    before = basis(posed.armature)
    for joint in ("LeftHand", "RightFoot", "Hips"):
        assert bpy.ops.croquis.move_joint(joint=joint, x=200, y=150) == {"FINISHED"}
    assert moved(before, basis(posed.armature))
    assert not CROQUIS_GGT_joints.poll(bpy.context)


def test_without_a_drawing_there_is_nothing_to_correct(registered: None) -> None:
    scene = bpy.context.scene.croquis
    for armature in (None, add_mannequin(bpy.context)):
        scene.armature = armature
        assert not CROQUIS_GGT_joints.poll(bpy.context)
        for operator in ("move_joint", "hide_joint", "reset_joint", "reset_joints"):
            with pytest.raises(RuntimeError, match="Pose a character from a drawing first"):
                getattr(bpy.ops.croquis, operator)()


def test_handles_show_as_long_as_there_is_something_to_drag(posed: Posed) -> None:
    assert CROQUIS_GGT_joints.poll(bpy.context)
    bpy.context.scene.croquis.show_joints = False
    assert not CROQUIS_GGT_joints.poll(bpy.context)
    bpy.context.scene.croquis.show_joints = True
    posed.drawing.hide_viewport = True
    assert not CROQUIS_GGT_joints.poll(bpy.context)


@pytest.mark.parametrize("joint", skeleton.KEYPOINTS)
def test_every_joint_has_a_menu(
    registered: None, drawing: Path, estimator: Any, joint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = bpy.context.scene.croquis
    scene.drawing = bpy.data.images.load(str(drawing))
    result = pose_from_sketch(bpy.context, scene.drawing, None, estimator=estimator)
    scene.armature = result.armature
    monkeypatch.setattr(CROQUIS_OT_move_joint, "clicked", joint)

    def texts() -> list[str]:
        layout = MagicMock()
        CROQUIS_MT_joint.draw(MagicMock(layout=layout), bpy.context)
        return [call.kwargs["text"] for call in layout.mock_calls if "text" in call.kwargs]

    assert texts()[:2] == [JOINT_NAMES[joint], "Hide Joint"]
    bpy.ops.croquis.hide_joint(joint=joint)
    assert texts()[:2] == [JOINT_NAMES[joint], "Show Joint"]


# --- which figure


@pytest.fixture
def two_figures(figure_page: Any, tmp_path: Path) -> bpy.types.Image:
    """A page with a large figure at the left and a small one at the right."""
    page = np.full((300, 700), 255, np.uint8)
    page[:, :400] = figure_page(400, 300)
    page[60:240, 440:680] = figure_page(240, 180)
    path = tmp_path / "two.png"
    path.write_bytes(cv2.imencode(".png", page)[1].tobytes())
    return bpy.data.images.load(str(path))


def test_a_box_of_ones_own_chooses_the_figure(
    registered: None, two_figures: bpy.types.Image, estimator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("addon.operators.pose.make_estimator", lambda _context: estimator)
    scene = bpy.context.scene.croquis
    with pytest.raises(RuntimeError, match="Pose a character from a drawing first"):
        bpy.ops.croquis.choose_figure()
    result = pose_from_sketch(bpy.context, two_figures, None, estimator=estimator)
    scene.armature = result.armature
    assert kept(result.armature).box.x < 350
    assert bpy.ops.croquis.choose_figure(figure=2) == {"FINISHED"}
    assert scene.drawing == two_figures
    assert kept(result.armature).box.x > 400
    bpy.ops.croquis.choose_figure(box=(20, 30, 300, 250))
    assert kept(result.armature).box == (20, 30, 300, 250)


Stroke = tuple[str, str, float, float]


def choose(*events: Stroke) -> Any:
    """What the mouse chooses on a page of 700 x 300 pixels with two figures, one in the other."""
    choosing = CROQUIS_OT_choose_figure
    operator: Any = SimpleNamespace(box=None, cancel=lambda _: None, execute=lambda _: {"FINISHED"})
    operator._overlay = SimpleNamespace(boxes=[Box(0, 0, 400, 300), Box(300, 50, 90, 90)])
    operator._plane = SimpleNamespace(pixel_under=lambda _context, mouse: np.array(mouse))
    operator._corner, operator._size = None, (700, 300)
    operator._box_at = partial(choosing._box_at, operator)
    for kind, value, x, y in events:
        event = SimpleNamespace(type=kind, value=value, mouse_x=x, mouse_y=y)
        choosing.modal(operator, MagicMock(), event)
    return operator.box


@pytest.mark.parametrize(
    ("press", "release", "box"),
    [
        ((20, 20), (21, 20), (0, 0, 400, 300)),
        ((310, 60), (310, 60), (300, 50, 90, 90)),
        ((600, 60), (600, 60), None),
        ((450, 290), (690, 40), (450, 40, 240, 250)),
        ((450, 20), (900, 400), (450, 20, 250, 280)),
    ],
)
def test_a_click_or_a_box_chooses_the_figure(
    press: tuple[float, float], release: tuple[float, float], box: tuple[float, ...] | None
) -> None:
    moved_to = ("MOUSEMOVE", "NOTHING")
    assert choose((*moved_to, *press), (*moved_to, *release)) is None
    chosen = choose(
        ("LEFTMOUSE", "PRESS", *press), (*moved_to, *release), ("LEFTMOUSE", "RELEASE", *release)
    )
    assert chosen == box


def test_a_new_box_is_another_estimate(
    registered: None, two_figures: bpy.types.Image, estimator: Any
) -> None:
    armature = pose_from_sketch(bpy.context, two_figures, None, estimator=estimator).armature
    move_joint(bpy.context, armature, "LeftHand", (200, 150))
    pose_from_sketch(bpy.context, two_figures, armature, estimator=estimator, figure=1)
    assert not corrected_joints(kept(armature))
