"""Other readings of a drawing, by the panel's buttons: on the mannequin and on a Mixamo rig."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import bpy
import numpy as np
import pytest

from addon.blender.armature import posed_matrices, rig_from_armature
from addon.blender.mannequin import add_mannequin
from addon.blender.pose import Posed, choose_reading, readings_of, remembered
from addon.core import skeleton
from addon.core.estimator import Estimate, Sides
from addon.operators.readings import LIMB_NAMES
from addon.ui import panels

Move = Callable[[], set[str]]


class ForeshortenedFigure:
    """The tests' figure with its right arm drawn short: it comes towards us or goes away."""

    def __init__(self, figure: Any) -> None:
        self._figure = figure

    def estimate(self, *arguments: Any, **options: Any) -> Estimate:
        estimate = self._figure.estimate(*arguments, **options)
        points = estimate.keypoints.copy()
        shoulder = points[skeleton.INDEX["RightArm"]]
        for name in ("RightForeArm", "RightHand"):
            row = skeleton.INDEX[name]
            points[row] = shoulder + (points[row] - shoulder) * 0.3
        return Estimate(points, estimate.scores, estimate.box, Sides(0.9, 0.5))


@pytest.fixture
def estimator(estimator: Any) -> ForeshortenedFigure:
    return ForeshortenedFigure(estimator)


def heads(posed: Posed) -> dict[str, np.ndarray]:
    """Where the joints are: pixels, then metres behind the picture plane."""
    bpy.context.view_layer.update()
    rig = rig_from_armature(posed.armature)
    matrices = posed_matrices(posed.armature, rig)
    seen = posed.solution.camera
    result = {}
    for name, row in rig.mapping.items():
        place = matrices[row, :3, 3]
        result[name] = np.array([*seen.project(place), seen.to_camera(place)[2]])
    return result


def basis(armature: bpy.types.Object) -> dict[str, np.ndarray]:
    bpy.context.view_layer.update()
    return {bone.name: np.array(bone.matrix_basis) for bone in armature.pose.bones}


def moved(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> set[str]:
    return {name for name in before if np.abs(before[name] - after[name]).max() > 1e-4}


def test_a_flipped_arm_reaches_to_the_other_side(posed: Posed) -> None:
    before = heads(posed)
    assert bpy.ops.croquis.flip_limb(limb="RightArm") == {"FINISHED"}
    after = heads(posed)
    for joints in (before, after):
        assert abs(joints["RightHand"][2] - joints["RightArm"][2]) > 0.05
    was, now = (j["RightHand"][2] - j["RightArm"][2] for j in (before, after))
    assert was * now < 0
    height = rig_from_armature(posed.armature).height * posed.solution.camera.focal  # pixels
    assert np.linalg.norm(after["RightHand"][:2] - before["RightHand"][:2]) < 0.04 * height


def test_a_flip_leaves_the_rest_as_it_was(posed: Posed) -> None:
    mapping = rig_from_armature(posed.armature)
    names = {mapping.names[mapping.mapping[n]] for n in ("RightArm", "RightForeArm")}
    foot = posed.armature.pose.bones[mapping.names[mapping.mapping["LeftFoot"]]]
    foot.rotation_mode = "QUATERNION"
    foot.rotation_quaternion = (0.8, 0.6, 0.0, 0.0)  # the animator's own
    before = basis(posed.armature)
    bpy.ops.croquis.flip_limb(limb="RightArm")
    assert moved(before, basis(posed.armature)) == names
    bpy.ops.croquis.flip_limb(limb="RightForeArm")
    assert moved(before, basis(posed.armature)) == names


@pytest.mark.parametrize("limb", ["LeftArm", "RightForeArm", "LeftUpLeg", "RightLeg", "Trunk"])
def test_two_flips_are_none(posed: Posed, limb: str) -> None:
    before = basis(posed.armature)
    bpy.ops.croquis.flip_limb(limb=limb)
    bpy.ops.croquis.flip_limb(limb=limb)
    assert not moved(before, basis(posed.armature))


def test_a_limb_that_is_held_is_named(posed: Posed) -> None:
    kept = remembered(posed.armature)
    assert kept is not None
    readings = readings_of(kept)
    reach = {side: readings.flip(kept.reading, side + "Arm") for side in ("Left", "Right")}
    shoulder = posed.armature.pose.bones["mixamorig:LeftArm"]
    shoulder.lock_rotation = (True, True, True)
    anew, held = choose_reading(bpy.context, posed.armature, reach["Left"])
    assert not anew and "locked channels" in held and shoulder.name in held
    # The other arm follows, and nothing is said of what it leaves alone.
    choose_reading(bpy.context, posed.armature, kept.reading)
    assert choose_reading(bpy.context, posed.armature, reach["Right"]) == (False, "")


def test_a_flipped_leg_keeps_the_figure_on_the_ground(posed: Posed) -> None:
    lowest = min(float(place[2]) for place in ground(posed))
    bpy.ops.croquis.flip_limb(limb="LeftUpLeg")
    assert min(float(place[2]) for place in ground(posed)) == pytest.approx(lowest, abs=0.01)


def ground(posed: Posed) -> np.ndarray:
    rig = rig_from_armature(posed.armature)
    bpy.context.view_layer.update()
    return posed_matrices(posed.armature, rig)[list(rig.mapping.values()), :3, 3]


def test_mirroring_exchanges_the_limbs(posed: Posed) -> None:
    before = heads(posed)
    assert bpy.ops.croquis.mirror() == {"FINISHED"}
    kept = remembered(posed.armature)
    assert kept and kept.reading.swapped == {"Arms", "Legs"}
    # The drawn left arm is up; now it is the right one.
    after = heads(posed)
    assert before["LeftHand"][1] < before["Head"][1] < before["RightHand"][1]
    assert after["RightHand"][1] < after["Head"][1] < after["LeftHand"][1]
    bpy.ops.croquis.mirror(limbs="Legs")
    kept = remembered(posed.armature)
    assert kept and kept.reading.swapped == {"Arms"}


def test_leafing_goes_through_the_list_and_back(posed: Posed) -> None:
    first = basis(posed.armature)
    kept = remembered(posed.armature)
    assert kept
    readings = readings_of(kept)
    for ranked in readings.listed[1:]:
        bpy.ops.croquis.next_reading()
        kept = remembered(posed.armature)
        assert kept and kept.reading == ranked.reading
    bpy.ops.croquis.previous_reading()
    bpy.ops.croquis.first_reading()
    assert not moved(first, basis(posed.armature))
    bpy.ops.croquis.next_reading()
    bpy.ops.croquis.previous_reading()
    assert not moved(first, basis(posed.armature))


@pytest.mark.parametrize(
    "click",
    [
        lambda: bpy.ops.croquis.flip_limb(limb="LeftArm"),
        lambda: bpy.ops.croquis.flip_limb(limb="RightUpLeg"),
        lambda: bpy.ops.croquis.mirror(),
        lambda: bpy.ops.croquis.next_reading(),
    ],
)
def test_undo_takes_a_click_back(posed: Posed, click: Move) -> None:
    # In the background Blender pushes no undo steps by itself.
    name, kept = posed.armature.name, remembered(posed.armature)
    bpy.ops.ed.undo_push(message="before")
    before = basis(posed.armature)
    start = time.perf_counter()
    click()
    assert time.perf_counter() - start < 3  # 0.5 s on an idle machine
    bpy.ops.ed.undo_push(message="click")
    bpy.ops.ed.undo()
    armature = bpy.data.objects[name]
    assert not moved(before, basis(armature))
    now = remembered(armature)
    assert kept and now and now.reading == kept.reading


def test_a_click_keys_what_it_poses(posed: Posed) -> None:
    bpy.context.scene.croquis.insert_keyframes = True
    bpy.context.scene.frame_set(5)
    bpy.ops.croquis.flip_limb(limb="RightArm")
    action = posed.armature.animation_data.action
    assert tuple(action.frame_range) == (5, 5)
    rig = rig_from_armature(posed.armature)
    arm = posed.armature.pose.bones[rig.names[rig.mapping["RightArm"]]]
    before = np.array(arm.matrix_basis)
    bpy.context.scene.frame_set(6)
    bpy.context.scene.frame_set(5)
    np.testing.assert_allclose(np.array(arm.matrix_basis), before, atol=1e-5)


def test_the_panel_is_short_and_cheap(posed: Posed, monkeypatch: pytest.MonkeyPatch) -> None:
    def draw() -> list[str]:
        layout = MagicMock()
        panel = SimpleNamespace(layout=layout)
        panels.CROQUIS_PT_readings.draw(panel, bpy.context)
        return [call.kwargs["text"] for call in layout.mock_calls if "text" in call.kwargs]

    monkeypatch.setattr(panels, "_UNSURE", 0.0)
    assert "Left and right unsure" not in draw()
    monkeypatch.setattr(panels, "_UNSURE", 1.0)
    texts = draw()
    monkeypatch.setattr("addon.core.readings.lift", None)  # what is found once is not found again
    bpy.ops.croquis.flip_limb(limb="RightArm")
    changed = draw()
    assert "Left and right unsure" in texts
    assert max(map(len, texts)) <= 21
    flipped = [*LIMB_NAMES].index("RightArm")
    before, after = ([t for t in found if "%" in t][-9:] for found in (texts, changed))
    assert before[0] == after[0]
    assert before[flipped].split()[0] != after[flipped].split()[0]


def test_camera_and_drawing_need_not_be_there(posed: Posed) -> None:
    for thing in (posed.camera, posed.drawing):
        bpy.data.objects.remove(thing)
    objects = {thing.name for thing in bpy.data.objects}
    assert bpy.ops.croquis.mirror() == {"FINISHED"}
    assert {thing.name for thing in bpy.data.objects} == objects


def test_without_a_drawing_there_is_nothing_to_read(registered: None) -> None:
    settings = bpy.context.scene.croquis
    for armature in (None, add_mannequin(bpy.context)):
        settings.armature = armature
        for operator in ("flip_limb", "mirror", "next_reading", "previous_reading"):
            with pytest.raises(RuntimeError, match="Pose a character from a drawing first"):
                getattr(bpy.ops.croquis, operator)()


def test_a_rig_that_has_lost_its_arms_is_left_alone(posed: Posed) -> None:
    bpy.context.view_layer.objects.active = posed.armature
    bpy.ops.object.mode_set(mode="EDIT")
    bones = posed.armature.data.edit_bones
    for bone in list(bones):
        if any(part in bone.name for part in ("Arm", "Hand", "Shoulder")):
            bones.remove(bone)
    bpy.ops.object.mode_set(mode="OBJECT")
    before = basis(posed.armature)
    with pytest.raises(RuntimeError, match=r"arm") as error:
        bpy.ops.croquis.next_reading()
    assert "Traceback" not in str(error.value)
    assert not moved(before, basis(posed.armature))
