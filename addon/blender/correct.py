"""Correcting the joints that were found in a drawing: the character follows.

Only what a joint bears on is posed, so that what the animator has done elsewhere stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import ArrayLike, NDArray

from ..core import correct
from ..core.camera import Camera
from ..core.errors import UserError
from ..core.posing import graft
from ..core.remembered import Remembered
from ..core.solve import Rig, Solution
from . import reference
from .armature import bones_of, has_leg, posed_matrices, rig_from_armature
from .drawing_plane import DrawingPlane
from .extent import (
    WHOLE,
    Extent,
    KeptPose,
    apply_within,
    bones_that_change,
    bones_within,
    remembered_before,
    stance_of,
)
from .keyframes import insert_keyframes
from .pose import drawing_depth, readings_of, remember, remembered, solve_again

FloatArray = NDArray[np.float64]

_LENS = ("type", "ortho_scale", "lens", "shift_x", "shift_y", "sensor_fit", "sensor_width")

_FACING = np.cos(np.radians(30))
"""Cosine of how far a drawing may be turned from a rig's view and still be where it was put."""


def move_joint(
    context: bpy.types.Context,
    armature: bpy.types.Object,
    joint: str,
    place: ArrayLike,
    *,
    keyframe: bool = False,
    extent: Extent = WHOLE,
) -> None:
    """Put a joint of a drawing where the artist sees it; the character follows.

    Args:
        context, armature: as for :class:`Correction`.
        joint: a name of ``skeleton.KEYPOINTS``, the character's own left and right.
        place: ``[2]`` pixels of the drawing.
        keyframe: insert keyframes at the current frame.
        extent: which of the character's bones follow, and how far.

    Raises:
        UserError: as for :class:`Correction`.
    """
    correction = Correction(context, armature, extent)
    correction.move(joint, place)
    correction.finish(keyframe)


def hide_joint(
    context: bpy.types.Context,
    armature: bpy.types.Object,
    joint: str,
    *,
    hidden: bool = True,
    keyframe: bool = False,
    extent: Extent = WHOLE,
) -> None:
    """Leave a joint of a drawing out of account, or no longer; otherwise as :func:`move_joint`."""
    correction = Correction(context, armature, extent)
    edit = correct.hide if hidden else correct.show
    correction.show(edit(correction.before, joint), [joint])
    correction.finish(keyframe)


def reset_joints(
    context: bpy.types.Context,
    armature: bpy.types.Object,
    joints: Iterable[str] | None = None,
    *,
    keyframe: bool = False,
    extent: Extent = WHOLE,
) -> None:
    """Take corrections of some joints back, or of all; otherwise as :func:`move_joint`."""
    correction = Correction(context, armature, extent)
    corrected = correct.corrected_joints(correction.before)
    back = corrected if joints is None else [joint for joint in joints if joint in corrected]
    correction.show(correct.reset(correction.before, back), back)
    correction.finish(keyframe)


def joint_places(
    drawing: Remembered, armature: bpy.types.Object, plane: DrawingPlane
) -> FloatArray:
    """Where the joints of a drawing are, ``[23, 2]`` pixels, by the sides of its reading.

    What was not found is where the character has it.
    """
    places, _ = correct.as_read(drawing)
    missing = ~np.isfinite(places).all(axis=1)
    if missing.any():
        rig = rig_from_armature(armature)
        posed = rig.posed_joints(posed_matrices(armature, rig))
        places[missing] = plane.to_pixels(posed[missing])
    return places


class Correction:
    """A correction that can be seen while it is made.

    What is shown follows from how things were in the beginning and from the last step alone, so
    that a joint can be dragged about. Blender's undo is left to the caller.

    Attributes:
        before: what was remembered of the drawing in the beginning.
    """

    def __init__(
        self,
        context: bpy.types.Context,
        armature: bpy.types.Object,
        extent: Extent = WHOLE,
    ) -> None:
        """Note how things are.

        Args:
            context: whose scene holds the camera and the drawing.
            armature: a character that was posed from a drawing.
            extent: which of its bones follow, and how far.

        Raises:
            UserError: no drawing is remembered, the armature cannot be posed any more, or none of
                its selected bones can.
        """
        scene, kept = context.scene, remembered(armature)
        assert scene is not None  # Blender's types allow for a context without a file
        if kept is None:
            raise UserError(f"Pose “{armature.name}” from a drawing first.")
        context.view_layer.update()
        self.before = kept
        self._context, self._armature = context, armature
        self._rig = rig_from_armature(armature)
        self._extent = extent
        bones_within(armature, self._rig, extent)  # or say now that it holds nothing
        self._changed: set[str] = set()
        self._stance = remembered_before(armature, self._rig) or stance_of(
            context, armature, self._rig
        )
        self._matrices = posed_matrices(armature, self._rig)
        self._pose = KeptPose(armature, self._rig)
        self._views = _Views(scene, kept)

    @property
    def is_lost(self) -> bool:
        """Whether the character has been deleted meanwhile."""
        try:
            return not self._armature.name
        except ReferenceError:
            return True

    def move(self, joint: str, place: ArrayLike) -> None:
        """Show a joint at pixels ``[2]`` of the drawing."""
        self.show(correct.move(self.before, joint, place), [joint])

    def show(self, drawing: Remembered, joints: Sequence[str]) -> None:
        """Remember a drawing of which some joints are corrected, and pose the character after it.

        Limbs keep their sides in depth. The camera and the drawing move along if they are still
        there.

        Args:
            drawing: what is known of the drawing now.
            joints: which are corrected, names of ``skeleton.KEYPOINTS``.
        """
        rig, armature = self._rig, self._armature
        readings = readings_of(drawing)
        reading = correct.same_sides(drawing.reading, readings_of(self.before), readings)
        turned = correct.joints_that_turn(joints)
        enough = correct.reading_for(reading, turned)
        solution = solve_again(armature, rig, replace(drawing, reading=enough))
        self._pose.restore()
        self._views.restore()
        if turned is None:
            bones = None
            apply_within(armature, rig, solution, self._stance, self._extent)
            self._views.aim(solution.camera, drawing_depth(rig, solution))
        else:
            now = _as_it_is(rig, self._matrices, self._views.seen_as(solution.camera))
            now = replace(now, stretch=solution.stretch)
            solution = graft(rig, now, solution, turned)
            bones = bones_of(armature, rig, turned)
            if has_leg(turned):
                self._views.shift(solution.hips_translation - now.hips_translation)
            apply_within(armature, rig, solution, self._stance, self._extent, only=bones)
        self._changed = bones_that_change(armature, rig, self._extent, bones)
        remember(armature, replace(drawing, reading=reading))
        self._context.view_layer.update()

    def finish(self, keyframe: bool) -> None:
        """Key what has changed at the current frame, if wished."""
        if keyframe and self._changed:
            insert_keyframes(self._armature, self._changed)

    def take_back(self) -> None:
        """Everything as it was in the beginning."""
        self._pose.restore()
        self._views.restore()
        remember(self._armature, self.before)
        self._context.view_layer.update()


class _Views:
    """The camera and the reference image of a drawing, as far as their user still has them."""

    def __init__(self, scene: bpy.types.Scene, drawing: Remembered) -> None:
        self._scene, self._number = scene, drawing.number
        self._camera = reference.find_camera(scene, drawing.number)
        self._drawing = reference.find_drawing(scene, drawing.number)
        self._size = drawing.size
        self._places: list[tuple[bpy.types.Object, Matrix]] = []
        self._values: list[tuple[Any, str, Any]] = [(scene, "camera", scene.camera)]
        for thing in filter(None, (self._camera, self._drawing)):
            self._places.append((thing, thing.matrix_world.copy()))
        if self._camera:
            data = self._camera.data
            self._values += ((data, name, getattr(data, name)) for name in _LENS)
        if self._drawing:
            size = self._drawing.empty_display_size
            self._values.append((self._drawing, "empty_display_size", size))

    def restore(self) -> None:
        """Put them back, as far as they have not been deleted meanwhile."""
        for thing, matrix in self._places:
            with suppress(ReferenceError):
                thing.matrix_world = matrix
        for owner, name, value in self._values:
            with suppress(ReferenceError):
                if getattr(owner, name) != value:  # a scene's camera is costly to set
                    setattr(owner, name, value)

    def aim(self, view: Camera, depth: float) -> None:
        """Let them show a pose's view, the drawing so many metres from the eye."""
        if self._camera:
            reference.place_camera(self._scene, view, self._number)
        if self._drawing:
            reference.aim_drawing(self._drawing, view, depth)

    def shift(self, step: ArrayLike) -> None:
        """Move them by ``[3]`` metres."""
        for thing, matrix in self._places:
            thing.matrix_world = Matrix.Translation(np.asarray(step).tolist()) @ matrix

    def seen_as(self, view: Camera) -> Camera:
        """A view of the rig, turned as the drawing stands if it is still in its place."""
        if self._drawing is None:
            return view
        right, down = DrawingPlane.of(self._drawing, self._size).directions
        forward = np.cross(right, down)
        if forward @ view.rotation[2] < _FACING:
            return view
        return replace(view, rotation=np.array([right, down, forward]))


def _as_it_is(rig: Rig, matrices: FloatArray, view: Camera) -> Solution:
    """The pose ``[N, 4, 4]`` that bones have now, as if the solver had found it."""
    basis = np.empty((len(rig.parents), 3, 3))
    rise = np.zeros(3)
    for i, parent in enumerate(rig.parents):
        inherited = rig.rest[i]
        if parent >= 0:
            inherited = matrices[parent] @ np.linalg.inv(rig.rest[parent]) @ rig.rest[i]
        basis[i] = inherited[:3, :3].T @ matrices[i, :3, :3]
        if i == rig.mapping["Hips"]:
            rise = matrices[i, :3, 3] - inherited[:3, 3]
    joints = rig.posed_joints(matrices)
    return Solution(basis, rise, joints, view, view.project(joints))
