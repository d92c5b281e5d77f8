"""The main job: the figure of a drawing becomes the pose of an armature."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import bpy

from ..core.correct import keep_corrections
from ..core.errors import UserError
from ..core.estimator import Estimate, Estimator
from ..core.image import Box
from ..core.posing import limbs_apart, pose_reading, turned_joints
from ..core.readings import LIFTED, Reading, Readings
from ..core.remembered import Remembered
from ..core.rigs import controls_of
from ..core.solve import Rig, Solution
from . import notes, reference
from .armature import bones_of, has_leg, rig_from_armature
from .extent import (
    WHOLE,
    Extent,
    apply_within,
    remember_before,
    remembered_before,
    stance_of,
    why_not_within,
)
from .mannequin import add_mannequin
from .pixels import grey_pixels

_SURE = 0.3
"""Score above which a keypoint counts as seen, in reports."""

_BEHIND = 0.4
"""How far behind the farthest joint the drawing stands, in heights of the character."""


def remember(armature: bpy.types.Object, what: Remembered) -> None:
    """Keep an estimate with an armature; it is saved and undone with it."""
    notes.keep(armature, notes.ESTIMATE, what.to_json())


def remembered(armature: bpy.types.Object) -> Remembered | None:
    """The estimate of the drawing that posed an armature last; None without a readable one."""
    return _parse(notes.kept(armature, notes.ESTIMATE))


def readings_of(kept: Remembered) -> Readings:
    """The readings of a drawing; they are found once, so that panels may ask at every redraw."""
    return _readings(replace(kept, reading=LIFTED).to_json())


@lru_cache(maxsize=16)
def _parse(text: str) -> Remembered | None:
    return Remembered.from_json(text)


@lru_cache(maxsize=16)
def _readings(text: str) -> Readings:
    kept = Remembered.from_json(text)
    assert kept is not None  # it has been read once already
    return Readings(kept.keypoints, kept.scores, kept.sides)


@dataclass(frozen=True)
class Posed:
    """What came of a drawing.

    Attributes:
        armature: the posed character.
        estimate: its 2D keypoints.
        solution: its pose.
        camera: the camera object with the drawing's view.
        drawing: the reference image object.
        held: one sentence about bones that could not follow, "" for none.
    """

    armature: bpy.types.Object
    estimate: Estimate
    solution: Solution
    camera: bpy.types.Object
    drawing: bpy.types.Object
    held: str = ""

    def summary(self) -> str:
        """One sentence for the user, and one about bones that could not follow."""
        sure = int((self.estimate.scores > _SURE).sum())
        text = f"Posed “{self.armature.name}”: {sure} of {len(self.estimate.scores)} joints clear."
        return f"{text} {self.held}".strip()


def solve_again(armature: bpy.types.Object, rig: Rig, drawing: Remembered) -> Solution:
    """The pose that a rig takes after what is remembered of a drawing."""
    return pose_reading(
        rig,
        readings_of(drawing),
        drawing.reading,
        size=drawing.size,
        stretch=drawing.stretch and can_stretch(armature),
    )


def can_stretch(armature: bpy.types.Object) -> bool:
    """Whether an armature's own bones are posed; controls turn limbs and know no other length."""
    return controls_of(armature.pose.bones.keys()) is None


def tell_lengths(armature: bpy.types.Object, stretch: bool, held: str) -> str:
    """What to say of a pose, with a sentence about limbs that could not take the drawn lengths.

    Args:
        armature: the posed character.
        stretch: whether its arms and legs were to be as long as they are drawn.
        held: what there is to say besides, "" for nothing.
    """
    if not stretch or can_stretch(armature):
        return held
    kept = "The limbs of a rig with controls keep their lengths."
    return f"{kept} {held}".strip()


def pose_from_sketch(
    context: bpy.types.Context,
    image: bpy.types.Image,
    armature: bpy.types.Object | None,
    *,
    estimator: Estimator,
    keyframe: bool = False,
    figure: int = 0,
    box: Box | None = None,
    number: int = 1,
    extent: Extent = WHOLE,
    stretch: bool = False,
) -> Posed:
    """Pose a character as the figure in a drawing, and stand the drawing up behind it.

    Joints of the same figure that the artist has corrected stay corrected. Nothing changes unless
    the whole of it succeeds. Blender's undo is left to the caller.

    Args:
        context: whose scene receives the camera and the drawing, and whose view layer must hold the
            armature.
        image: the drawing.
        armature: the character; None adds the mannequin.
        estimator: the keypoint network.
        keyframe: insert keyframes at the current frame.
        figure: which of several figures, 0 being the largest.
        box: the figure, pixels of the drawing; None to look for it.
        number: which of the scene's Croquis cameras and reference images to make or replace.
        extent: which of the character's bones take over the pose, and how far.
        stretch: make arms and legs as long as they are drawn.

    Raises:
        UserError: there is no figure, the armature is not one that can be posed, or none of its
            selected bones is.
    """
    scene = context.scene
    assert scene is not None  # Blender's types allow for a context without a file
    if reason := why_not_within(armature, extent):
        raise UserError(reason)
    grey = grey_pixels(image, scene.frame_current)
    estimate = estimator.estimate(grey, box, figure)
    if armature is None:
        armature = add_mannequin(context)
    rig = rig_from_armature(armature)
    size = (grey.shape[1], grey.shape[0])
    kept = Remembered.of(estimate, size, image.name, number=number)
    kept = keep_corrections(kept, remembered(armature))
    kept = replace(kept, reading=readings_of(kept).first, stretch=stretch)
    solution = solve_again(armature, rig, kept)
    before = stance_of(context, armature, rig)
    held = apply_within(armature, rig, solution, before, extent, keyframe=keyframe)
    remember_before(armature, rig, before)
    remember(armature, kept)
    context.view_layer.update()
    camera = reference.place_camera(scene, solution.camera, number)
    depth = drawing_depth(rig, solution)
    drawing = reference.place_drawing(scene, image, solution.camera, depth, number)
    held = tell_lengths(armature, stretch, held)
    return Posed(armature, estimate, solution, camera, drawing, held)


def choose_reading(
    context: bpy.types.Context,
    armature: bpy.types.Object,
    reading: Reading,
    *,
    keyframe: bool = False,
    extent: Extent = WHOLE,
) -> tuple[bool, str]:
    """Pose a character as another reading of its drawing has it, without looking at it again.

    Where only arms or legs differ from the reading so far, only they are posed: what the animator
    has changed elsewhere stays. The camera and the drawing move along if they are still there.

    Args:
        context: whose scene holds the camera and the drawing.
        armature: a character that was posed from a drawing.
        reading: the wanted one.
        keyframe: insert keyframes for what is posed, at the current frame.
        extent: which of the character's bones take over the pose, and how far from the one that it
            had before the drawing.

    Returns:
        Whether the whole figure was posed anew, and one sentence about bones that could not follow,
        "" for none.

    Raises:
        UserError: no drawing is remembered, the armature cannot be posed any more, or none of its
            selected bones can.
    """
    kept = remembered(armature)
    if kept is None:
        raise UserError(f"Pose “{armature.name}” from a drawing first.")
    rig = rig_from_armature(armature)
    limbs = limbs_apart(kept.reading, reading)
    chosen = replace(kept, reading=reading)
    solution = solve_again(armature, rig, chosen)
    only = None if limbs is None else bones_of(armature, rig, turned_joints(limbs))
    before = remembered_before(armature, rig) or stance_of(context, armature, rig)
    held = apply_within(armature, rig, solution, before, extent, only=only, keyframe=keyframe)
    remember(armature, chosen)
    context.view_layer.update()
    if limbs is None or has_leg(limbs):
        _show_again(context.scene, kept, rig, solution)
    return limbs is None, held


def _show_again(
    scene: bpy.types.Scene | None, kept: Remembered, rig: Rig, solution: Solution
) -> None:
    """Bring a drawing's camera and reference image, where the user still has them, to a pose."""
    if scene is None or reference.find_camera(scene, kept.number) is None:
        return
    reference.place_camera(scene, solution.camera, kept.number)
    image = bpy.data.images.get(kept.image)
    if image and reference.find_drawing(scene, kept.number):
        depth = drawing_depth(rig, solution)
        reference.place_drawing(scene, image, solution.camera, depth, kept.number)


def drawing_depth(rig: Rig, solution: Solution) -> float:
    """How far from the eye the drawing stands, metres: behind the whole character."""
    return float(solution.camera.to_camera(solution.joints)[:, 2].max()) + _BEHIND * rig.height
