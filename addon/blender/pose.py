"""The main job: the figure of a drawing becomes the pose of an armature."""

from __future__ import annotations

from dataclasses import dataclass

import bpy

from ..core.estimator import Estimate, Estimator
from ..core.image import Box
from ..core.lift import lift
from ..core.remembered import Remembered
from ..core.solve import Solution, solve
from . import reference
from .armature import apply_solution, rig_from_armature
from .mannequin import add_mannequin

_SURE = 0.3
"""Score above which a keypoint counts as seen, in reports."""

_PROPERTY = "croquis_estimate"
"""Custom property of an armature object that keeps the estimate of its last drawing."""

_BEHIND = 0.4
"""How far behind the farthest joint the drawing stands, in heights of the character."""


def remember(armature: bpy.types.Object, what: Remembered) -> None:
    """Keep an estimate with an armature; it is saved and undone with it."""
    armature[_PROPERTY] = what.to_json()
    if armature.override_library:  # otherwise the file forgets what an override has in addition
        armature.property_overridable_library_set(f'["{_PROPERTY}"]', True)


def remembered(armature: bpy.types.Object) -> Remembered | None:
    """The estimate of the drawing that posed an armature last; None without a readable one."""
    text = armature.get(_PROPERTY)
    return Remembered.from_json(text) if isinstance(text, str) else None


@dataclass(frozen=True)
class Posed:
    """What came of a drawing.

    Attributes:
        armature: the posed character.
        estimate: its 2D keypoints.
        solution: its pose.
        camera: the camera object with the drawing's view.
        drawing: the reference image object.
    """

    armature: bpy.types.Object
    estimate: Estimate
    solution: Solution
    camera: bpy.types.Object
    drawing: bpy.types.Object

    def summary(self) -> str:
        """One sentence for the user."""
        sure = int((self.estimate.scores > _SURE).sum())
        return f"Posed “{self.armature.name}”: {sure} of {len(self.estimate.scores)} joints clear."


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
) -> Posed:
    """Pose a character as the figure in a drawing, and stand the drawing up behind it.

    Nothing changes unless the whole of it succeeds. Blender's undo is left to the caller.

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

    Raises:
        UserError: there is no figure, or the armature is not one that can be posed.
    """
    scene = context.scene
    assert scene is not None  # Blender's types allow for a context without a file
    grey = reference.grey_pixels(image)
    estimate = estimator.estimate(grey, box, figure)
    if armature is None:
        armature = add_mannequin(context)
    rig = rig_from_armature(armature)
    lifted = lift(estimate.keypoints, estimate.scores)
    size = (grey.shape[1], grey.shape[0])
    solution = solve(rig, estimate.keypoints, estimate.scores, lifted, size=size)
    apply_solution(armature, rig, solution, keyframe)
    remember(armature, Remembered.of(estimate, size, image.name, number))
    context.view_layer.update()
    camera = reference.place_camera(scene, solution.camera, number)
    depth = solution.camera.to_camera(solution.joints)[:, 2].max() + _BEHIND * rig.height
    drawing = reference.place_drawing(scene, image, solution.camera, depth, number)
    return Posed(armature, estimate, solution, camera, drawing)
