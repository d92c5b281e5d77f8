"""What the artist corrects in a drawing's keypoints, and how much of a pose follows.

Joints are named as the chosen reading has them: where left and right are swapped, the character's
left wrist is what the estimator took for the right one. What the artist has placed is certain, and
what she has hidden is as good as missing; both can be taken back to what the network has found.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import skeleton
from .posing import turned_joints
from .readings import Reading, Readings
from .remembered import Keypoint, Remembered

FloatArray = NDArray[np.float64]

_ENDS: dict[str, tuple[str, ...]] = {
    "Head": ("Neck", "Head"),
    "HeadTop_End": ("Head",),
    "LeftToeBase": ("LeftFoot",),
    "RightToeBase": ("RightFoot",),
}
_LIMB = {"ForeArm": "Arm", "Hand": "Arm", "Leg": "UpLeg", "Foot": "UpLeg"}


def as_read(drawing: Remembered) -> tuple[FloatArray, FloatArray]:
    """Keypoints ``[23, 2]`` (pixels) and scores ``[23]`` with the sides that the reading has."""
    points, scores = drawing.keypoints, drawing.scores
    swapped = drawing.reading.swapped
    return skeleton.swap_sides(points, swapped), skeleton.swap_sides(scores, swapped)


def corrected_joints(drawing: Remembered) -> list[str]:
    """The joints that the artist has moved or hidden."""
    return [joint for joint in skeleton.KEYPOINTS if _estimated_as(drawing, joint) in drawing.found]


def move(drawing: Remembered, joint: str, place: ArrayLike) -> Remembered:
    """A joint where the artist sees it, which is certain.

    Args:
        drawing: what was known so far.
        joint: a name of ``skeleton.KEYPOINTS``.
        place: ``[2]`` pixels of the picture, inside it or not.
    """
    x, y = np.asarray(place, dtype=np.float64).tolist()
    return _corrected(drawing, joint, Keypoint(x, y, 1.0))


def hide(drawing: Remembered, joint: str) -> Remembered:
    """A joint that is not to be trusted: the pose finds a place for it."""
    now = _keypoint(drawing, _estimated_as(drawing, joint))
    return _corrected(drawing, joint, now._replace(score=0.0))


def show(drawing: Remembered, joint: str) -> Remembered:
    """A hidden joint again, as sure as it was before it was hidden."""
    name = _estimated_as(drawing, joint)
    now, found = _keypoint(drawing, name), drawing.found.get(name)
    if now.score > 0 or found is None:
        return drawing
    if np.array_equal(now[:2], found[:2], equal_nan=True):
        return reset(drawing, [joint])
    return _corrected(drawing, joint, now._replace(score=1.0))


def reset(drawing: Remembered, joints: Iterable[str]) -> Remembered:
    """Some joints as the network has found them."""
    points, scores, found = drawing.keypoints.copy(), drawing.scores.copy(), {**drawing.found}
    for joint in joints:
        name = _estimated_as(drawing, joint)
        if name in found:
            row, before = skeleton.INDEX[name], found.pop(name)
            points[row], scores[row] = before[:2], before.score
    return replace(drawing, keypoints=points, scores=scores, found=found)


def keep_corrections(drawing: Remembered, before: Remembered | None) -> Remembered:
    """A new estimate with the corrections of an earlier one, if it is of the same figure."""
    if before is None or (before.image, before.size) != (drawing.image, drawing.size):
        return drawing
    if not np.allclose(before.box, drawing.box, atol=0.01):
        return drawing
    points, scores = drawing.keypoints.copy(), drawing.scores.copy()
    found = {name: _keypoint(drawing, name) for name in before.found}
    rows = [skeleton.INDEX[name] for name in before.found]
    points[rows], scores[rows] = before.keypoints[rows], before.scores[rows]
    return replace(drawing, keypoints=points, scores=scores, found=found)


def same_sides(reading: Reading, before: Readings, after: Readings) -> Reading:
    """A reading of corrected keypoints whose flipped limbs lie where they lay before.

    Flips are told by how they differ from the lifter's own reading, which may have changed sides.
    """
    flipped = {
        limb
        for limb in reading.flipped
        if before.behind(reading, limb) == after.behind(reading, limb)
    }
    return replace(reading, flipped=frozenset(flipped))


def joints_that_turn(joints: Collection[str]) -> list[str] | None:
    """The keypoints whose bones turn when joints are corrected, parents first.

    A wrist takes its arm along, an ankle its leg; what bears others, such as a shoulder, may change
    the whole figure, for which the answer is None.
    """
    turned: set[str] = set()
    for joint in joints:
        bare = skeleton.without_side(joint)
        if joint in _ENDS:
            turned |= {*_ENDS[joint]}
        elif bare in _LIMB:
            side = joint.removesuffix(bare)
            turned |= {*turned_joints({side + _LIMB[bare]})}
        else:
            return None
    return sorted(turned, key=skeleton.KEYPOINTS.index)


def reading_for(reading: Reading, turned: Collection[str] | None) -> Reading:
    """A shorter reading that has some bones as a reading has them, and is posed in half the time.

    Flipped limbs are posed apart from the rest, so bones of no flipped limb do not depend on them.

    Args:
        reading: the whole one.
        turned: the keypoints that start the bones; None for the whole figure.
    """
    limbs = reading.flipped - {"Trunk"}
    if turned is None or not limbs or {*turned} & {*turned_joints(limbs)}:
        return reading
    return replace(reading, flipped=reading.flipped - limbs)


def _estimated_as(drawing: Remembered, joint: str) -> str:
    """What the estimator calls a joint of the character."""
    row = skeleton.INDEX[joint]
    swapped = any(row in skeleton.SIDED[limbs] for limbs in drawing.reading.swapped)
    return skeleton.mirror_name(joint) if swapped else joint


def _keypoint(drawing: Remembered, name: str) -> Keypoint:
    row = skeleton.INDEX[name]
    x, y = drawing.keypoints[row].tolist()
    return Keypoint(x, y, float(drawing.scores[row]))


def _corrected(drawing: Remembered, joint: str, now: Keypoint) -> Remembered:
    name = _estimated_as(drawing, joint)
    row = skeleton.INDEX[name]
    points, scores = drawing.keypoints.copy(), drawing.scores.copy()
    points[row], scores[row] = now[:2], now.score
    found = {name: _keypoint(drawing, name), **drawing.found}
    return replace(drawing, keypoints=points, scores=scores, found=found)
