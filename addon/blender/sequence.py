"""Several drawings of one character: keyframes from a sequence, one pose from a model sheet.

Both are generators that look at one drawing at a step, so that an operator can show how far they
are and stop; before each step they say what it is. The scene changes in the last step only, when
everything is known.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

import bpy
import numpy as np
from numpy.typing import NDArray

from ..core import multiview, sequence, skeleton
from ..core.camera import Camera
from ..core.errors import UserError
from ..core.estimator import Estimate, Estimator
from ..core.lift import lift
from ..core.remembered import Remembered
from ..core.rotations import unit
from ..core.solve import Rig, Solution, solve
from . import reference
from .armature import apply_solution, posed_matrices, rig_from_armature
from .extent import remember_before, stance_of
from .keyframes import insert_keyframes
from .mannequin import add_mannequin
from .pixels import grey_pixels
from .pose import can_stretch, drawing_depth, remember, tell_lengths

FloatArray = NDArray[np.float64]

_Result = TypeVar("_Result")

_SUGGESTIONS = 3
_PARENTS, _CHILDREN = np.array(skeleton.BONES).T


@dataclass(frozen=True)
class Drawing:
    """A drawing that is one of several.

    Attributes:
        image: the picture.
        frame: when it is to be seen, in a sequence.
        azimuth: radians from which it is seen, on a model sheet (0 from the front, pi/2 from the
            character's left); None to find it out.
        correction: ``[22, 3]`` the bones' directions as the user has settled them, in the space of
            the drawing's camera; None where the user has not.
    """

    image: bpy.types.Image
    frame: int = 1
    azimuth: float | None = None
    correction: FloatArray | None = None


@dataclass(frozen=True)
class PosedSequence:
    """What came of a sequence.

    Attributes:
        armature: the posed character.
        estimates: the 2D keypoints of each drawing.
        solutions: the pose of each.
        suggested: rows of the drawings that are worth correcting first.
        camera: the first drawing's camera object.
        held: one sentence about bones that could not follow at the first frame where some could
            not, "" for none.
    """

    armature: bpy.types.Object
    estimates: list[Estimate]
    solutions: list[Solution]
    suggested: list[int]
    camera: bpy.types.Object
    held: str = ""


@dataclass(frozen=True)
class Step:
    """What a sequence or a model sheet does next.

    Attributes:
        done, total: steps that are behind, of all.
        message: what comes now, for the user.
    """

    done: int
    total: int
    message: str


Steps: TypeAlias = Generator[Step, None, _Result]
"""Work in steps; its result is what it returns at the end."""


def pose_sequence(
    context: bpy.types.Context,
    drawings: Sequence[Drawing],
    armature: bpy.types.Object | None,
    *,
    estimator: Estimator,
    smoothness: float = 1.0,
) -> Steps[PosedSequence]:
    """Key a character's pose at the frame of each drawing of a sequence.

    Drawings that the user has corrected keep their keyframes; the others follow them.

    Args:
        context: whose scene receives cameras and drawings, and whose view layer must hold the
            armature.
        drawings: the sequence, in any order.
        armature: the character; None adds the mannequin.
        estimator: the keypoint network.
        smoothness: how calm the motion is; 0 poses every drawing by itself.

    Yields:
        What comes next.

    Raises:
        UserError: two drawings have one frame, a drawing has no figure, or the armature cannot be
            posed. Nothing has changed then.
    """
    drawings = sorted(drawings, key=lambda drawing: drawing.frame)
    for one, other in zip(drawings, drawings[1:], strict=False):
        if one.frame == other.frame:
            names = f"“{one.image.name}” and “{other.image.name}”"
            raise UserError(f"{names} are both at frame {one.frame}; move one of them.")
    rig = rig_from_armature(armature) if armature else None
    total = len(drawings) * (2 if rig else 1) + 2
    estimates, sizes = yield from _look(drawings, armature, estimator, total)
    keys = [
        sequence.Key(
            drawing.frame,
            np.asarray(estimate.keypoints, np.float64),
            np.asarray(estimate.scores, np.float64),
            estimate.sides,
            drawing.correction,
        )
        for drawing, estimate in zip(drawings, estimates, strict=True)
    ]
    yield Step(len(drawings), total, "Reading depth from all drawings")
    settled = sequence.settle(keys, smoothness)
    suggested = _suggested(drawings, keys)
    parts = list(zip(settled, sizes, strict=True))
    solutions = []
    if rig is not None:
        for row, drawing in enumerate(drawings):
            yield Step(len(drawings) + 1 + row, total, f"Posing frame {drawing.frame}")
            solutions.append(_solve(rig, *parts[row]))
    yield Step(total - 1, total, "Inserting keyframes")
    _check_still_there(drawings, armature)
    if armature is None or rig is None:
        armature = add_mannequin(context)
        rig = rig_from_armature(armature)
        solutions = [_solve(rig, *part) for part in parts]

    scene = context.scene
    assert scene is not None  # Blender's types allow for a context without a file
    before = stance_of(context, armature, rig)
    views, held = [], ""
    rows = zip(drawings, estimates, sizes, settled, solutions, strict=True)
    for number, (drawing, estimate, size, one, solution) in enumerate(rows, 1):
        scene.frame_set(drawing.frame)
        if drawing.correction is None:
            sentence = apply_solution(armature, rig, solution)
            held = held or sentence
            insert_keyframes(armature)
        view = solution.camera
        depth = drawing_depth(rig, solution)
        camera = reference.place_camera(scene, view, number)
        views.append((camera, reference.place_drawing(scene, drawing.image, view, depth, number)))
        if number == 1:
            kept = Remembered.of(estimate, size, drawing.image.name, one.reading, number)
            remember(armature, kept)
            remember_before(armature, rig, before)
    reference.show_in_turn(scene, views, [drawing.frame for drawing in drawings])
    scene.frame_set(drawings[0].frame)
    scene.camera = first = views[0][0]
    return PosedSequence(armature, estimates, solutions, suggested, first, held)


def _solve(rig: Rig, one: sequence.Settled, size: tuple[int, int]) -> Solution:
    return solve(rig, one.keypoints, one.scores, one.lifted, size=size)


def _suggested(drawings: Sequence[Drawing], keys: Sequence[sequence.Key]) -> list[int]:
    """Which drawings to correct first: those that speak for the most that is still in doubt."""
    apart = sequence.distances([k.keypoints for k in keys], [k.scores for k in keys])
    doubts = [1 - float(lift(k.keypoints, k.scores).certainty.mean()) for k in keys]
    corrected = np.array([drawing.correction is not None for drawing in drawings])
    worth = np.where(corrected, 0.0, doubts)
    chosen = sequence.representatives(apart, _SUGGESTIONS, worth=worth)
    return [row for row in chosen if not corrected[row]]


def _look(
    drawings: Sequence[Drawing],
    armature: bpy.types.Object | None,
    estimator: Estimator,
    total: int,
) -> Steps[tuple[list[Estimate], list[tuple[int, int]]]]:
    """The keypoints of each drawing and its size in pixels; the first of ``total`` steps."""
    estimates, sizes = [], []
    for done, drawing in enumerate(drawings):
        yield Step(done, total, f"Reading “{drawing.image.name}”")
        _check_still_there(drawings, armature)
        try:
            grey = grey_pixels(drawing.image, drawing.frame)
            estimates.append(estimator.estimate(grey))
        except UserError as error:
            text = str(error)
            raise UserError(f"“{drawing.image.name}”: {text[0].lower()}{text[1:]}") from error
        sizes.append((grey.shape[1], grey.shape[0]))
    return estimates, sizes


def _check_still_there(drawings: Sequence[Drawing], armature: bpy.types.Object | None) -> None:
    """Between two steps a script or another add-on may have deleted something."""
    try:
        for block in (armature, *(drawing.image for drawing in drawings)):
            _ = block and block.name
    except ReferenceError as error:
        raise UserError("A drawing or the character was deleted meanwhile; start again.") from error


def correction_from_pose(
    context: bpy.types.Context, armature: bpy.types.Object, drawing: Drawing
) -> FloatArray:
    """The bones' directions as the user has posed them by hand at a drawing's frame.

    Args:
        context: whose scene shows that frame and holds the drawing's camera.
        armature: the character.
        drawing: the drawing.

    Returns:
        ``[22, 3]`` unit vectors, the space of the drawing's camera.

    Raises:
        UserError: another frame is shown, or the sequence has not been posed yet.
    """
    scene = context.scene
    assert scene is not None
    if scene.frame_current != drawing.frame:
        raise UserError(f"Go to frame {drawing.frame}, where this drawing is, first.")
    bound = (m.camera for m in scene.timeline_markers if m.frame == drawing.frame and m.camera)
    camera = next(bound, scene.camera)
    if camera is None:
        raise UserError("Pose the sequence first.")
    rig = rig_from_armature(armature)
    context.view_layer.update()
    joints = rig.posed_joints(posed_matrices(armature, rig))
    axes = np.array(camera.matrix_world.to_3x3().normalized(), np.float64)
    # Blender's camera looks along its -Z with +Y upwards, ours along +z with y down.
    return unit(joints[_CHILDREN] - joints[_PARENTS]) @ (axes * np.array([1.0, -1.0, -1.0]))


@dataclass(frozen=True)
class PosedSheet:
    """What came of a model sheet.

    Attributes:
        armature: the posed character.
        sheet: the joints, the view angles, and who disagrees.
        solution: the pose, with the camera of the first drawing.
        names: the drawings' names.
        camera: the first drawing's camera object.
        held: one sentence about bones that could not follow, "" for none.
    """

    armature: bpy.types.Object
    sheet: multiview.Sheet
    solution: Solution
    names: list[str]
    camera: bpy.types.Object
    held: str = ""

    def summary(self) -> str:
        """A few sentences for the user."""
        text = f"Posed “{self.armature.name}” from {len(self.names)} drawings. {self.held}".strip()
        wrong = [f"{name} in “{self.names[view]}”" for view, name in self.sheet.doubtful()]
        if not wrong:
            return text
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        return f"{text} The other drawings contradict {', '.join(wrong[:3])}{more}."


def pose_from_sheet(
    context: bpy.types.Context,
    drawings: Sequence[Drawing],
    armature: bpy.types.Object | None,
    *,
    estimator: Estimator,
    stretch: bool = False,
) -> Steps[PosedSheet]:
    """Pose a character as the drawings of a model sheet show it together.

    Each drawing stands behind the character, seen through a camera of its own.

    Args:
        context, armature, estimator: as for :func:`pose_sequence`.
        drawings: two or more drawings of one pose.
        stretch: make arms and legs as long as they are drawn.

    Yields:
        What comes next.

    Raises:
        UserError: there are too few drawings, one has no figure, or the armature cannot be posed.
            Nothing has changed then.
    """
    if len(drawings) < 2:
        raise UserError("A model sheet needs two drawings of the pose or more.")
    rig = rig_from_armature(armature) if armature else None
    total = len(drawings) + 1
    estimates, sizes = yield from _look(drawings, armature, estimator, total)
    yield Step(total - 1, total, "Posing the character")
    _check_still_there(drawings, armature)
    sheet = multiview.triangulate(
        [estimate.keypoints for estimate in estimates],
        [estimate.scores for estimate in estimates],
        [drawing.azimuth for drawing in drawings],
    )
    if armature is None or rig is None:
        armature = add_mannequin(context)
        rig = rig_from_armature(armature)
    seen = (sheet.weights * [estimate.scores for estimate in estimates]).max(axis=0)
    reading = sheet.seen_from(0)
    longer = stretch and can_stretch(armature)
    solution = solve(rig, sheet.projected(0), seen, reading, size=sizes[0], stretch=longer)

    scene = context.scene
    assert scene is not None
    before = stance_of(context, armature, rig)
    held = tell_lengths(armature, stretch, apply_solution(armature, rig, solution))
    context.view_layer.update()
    cameras = []
    for row, drawing in enumerate(drawings):
        view = _camera(sheet, row, solution, sizes[row], rig)
        depth = drawing_depth(rig, replace(solution, camera=view))
        cameras.append(reference.place_camera(scene, view, row + 1))
        reference.place_drawing(scene, drawing.image, view, depth, row + 1)
    scene.camera = cameras[0]
    kept = Remembered.of(estimates[0], sizes[0], drawings[0].image.name)
    remember(armature, replace(kept, stretch=stretch))
    remember_before(armature, rig, before)
    names = [drawing.image.name for drawing in drawings]
    return PosedSheet(armature, sheet, solution, names, cameras[0], held)


def _camera(
    sheet: multiview.Sheet, row: int, solution: Solution, size: tuple[int, int], rig: Rig
) -> Camera:
    """The camera of a drawing of the sheet: the first one's, walked round the character."""
    first = solution.camera
    turn = sheet.rotation(row) @ sheet.rotation(0).T
    rotation = turn @ first.rotation
    focal = first.focal * float(sheet.scales[row] / sheet.scales[0])
    centre = np.array(size, np.float64) / 2
    seen = solution.joints @ rotation.T
    shift = (sheet.offsets[row] - centre) / focal - seen[0, :2]
    away = 4 * rig.height - float(seen[:, 2].mean())
    return Camera(rotation, np.array([*shift, away]), focal, centre, size, orthographic=True)


def correction_to_json(directions: FloatArray) -> str:
    """Directions ``[22, 3]`` as text for the file."""
    return json.dumps(np.round(directions, 5).tolist(), separators=(",", ":"))


def correction_from_json(text: str) -> FloatArray | None:
    """The way back of :func:`correction_to_json`; None for any other text."""
    try:
        return np.array(json.loads(text), np.float64).reshape(len(_CHILDREN), 3)
    except ValueError:
        return None


def finish(steps: Steps[_Result]) -> _Result:
    """Take all steps of :func:`pose_sequence` or :func:`pose_from_sheet` at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
