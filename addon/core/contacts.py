"""Where a posed body touches itself and the ground, read from a first pose.

A drawing shows that a hand lies *over* a knee; whether it rests on it or hovers before it is a
matter of depth. People seldom hold a hand a palm's breadth before their knee, so what meets in the
picture, and may well meet in depth by what the lifter is certain of, is taken to touch.

Which feet stand depends on where up is, which a drawing tells only roughly: seen from a little
higher, the farther foot hangs in the air. So both are read together, as the likeliest ground under
some of the heels and toes.

Turns are in camera space (x right, y down, z forward).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import skeleton
from .anatomy import Body
from .lift import Lifted, concentration
from .rest import UP
from .rotations import from_vector
from .turning import Wishes

FloatArray = NDArray[np.float64]

FEET = ("LeftFoot", "RightFoot", "LeftToeBase", "RightToeBase")
"""The keypoints on which a figure stands."""

# Shares of the rig's height.
_PALM = 0.045  # from the wrist to the middle of the palm
_WAIST = 0.08  # from the hip joint up to where a hand is put on the hip
_NEAR = 0.02  # how much farther than touching still looks like touching
_TOUCH = 0.03  # standard deviation of a touch
_HOVER = 0.05  # how far from touching in depth still counts, however uncertain the depth is
_SUNK = 0.045  # how far below the ground the rest of a standing figure may seem to be
_RAISED = 0.2  # up to which a raised heel or toe may be, anywhere alike
_GROUND = 0.003  # standard deviation of a standing foot's height
_UNEVEN = 0.006  # the same in the first pose, seen from the side
_FORESHORTENED = 0.3  # what of the lifter's doubt is left in the first pose's depths
_SURE = 0.3  # score of a joint that is seen
_LEVEL = 0.15  # radians, of a sole to the ground
# Bend of an elbow, degrees, below which an arm hangs beside the body and touches nothing.
_HANGING = 25.0

# From the line between the joints to the palm on the skin.
_FLESH = {"hip": 0.06, "thigh": 0.055, "head": 0.09, "arm": 0.04, "forearm": 0.035}


@dataclass(frozen=True)
class Touch:
    """A palm on a part of the body.

    Attributes:
        hand: the wrist's keypoint.
        part: what it touches: hip, thigh, head, arm or forearm.
        vectors: ``[K, 3]`` metres: from the place touched to the palm, as a sum of turned vectors.
        gap: ``[3]`` metres: the same in the first pose, camera space.
        depth: metres: how far behind (or, negative, before) that place the palm should be.
    """

    hand: str
    part: str
    vectors: FloatArray
    gap: FloatArray
    depth: float


def _parts(side: str) -> Iterator[tuple[str, str, str, float]]:
    """What the hand of a side may touch.

    Yields:
        The part, the two keypoints between which it lies, and how far above the second one it ends,
        share of the height.
    """
    other = "Right" if side == "Left" else "Left"
    yield "hip", side + "UpLeg", side + "UpLeg", _WAIST
    for leg in (side, other):
        yield "thigh", leg + "UpLeg", leg + "Leg", 0.0
    yield "head", "Head", "HeadTop_End", 0.0
    yield "arm", other + "Arm", other + "ForeArm", 0.0
    yield "forearm", other + "ForeArm", other + "Hand", 0.0


def touches(body: Body, turns: FloatArray, scores: FloatArray, lifted: Lifted) -> list[Touch]:
    """What the hands touch, at most one part each.

    Args:
        body: the rig's.
        turns: ``[K, 3, 3]`` a pose that looks like the drawing, camera space.
        scores: ``[23]`` of the drawn keypoints; what is not seen touches nothing.
        lifted: how certain the depth is.
    """
    height, index = body.rig.height, skeleton.INDEX
    doubt = _doubt(body, lifted)
    found = []
    for side in ("Left", "Right"):
        hand, elbow = index[side + "Hand"], body.index[side + "ForeArm"]
        upper = turns[body.parents[elbow]] @ body.segment(side + "ForeArm")
        lower = turns[elbow] @ body.segment(side + "Hand")
        bend = np.degrees(np.arccos(np.clip(upper @ lower, -1, 1)))
        palm = body.reach[hand].copy()
        palm[elbow] += _PALM * height * body.segment(side + "Hand")
        best: tuple[float, Touch] | None = None
        for part, start, end, raised in _parts(side):
            a, b = index[start], index[end]
            if min(scores[hand], scores[a], scores[b]) < _SURE:
                continue
            if bend < _HANGING and part in ("hip", "thigh"):
                continue
            line = body.reach[b] - body.reach[a]
            if raised:
                line[body.carrier("Hips")] += raised * height * UP
            place = (
                body.reach[a]
                + _nearest(_turned(palm - body.reach[a], turns), _turned(line, turns)) * line
            )
            gap = _turned(palm - place, turns)
            flesh = _FLESH[part] * height
            beside = float(np.hypot(gap[0], gap[1]))
            reachable = min(float(np.hypot(doubt[hand], doubt[a])), _HOVER * height)
            if beside > flesh + _NEAR * height or abs(gap[2]) > flesh + reachable:
                continue
            # A hand is drawn where it is seen: before the body, unless it is clearly behind.
            side_of_it = 1.0 if gap[2] > flesh / 2 else -1.0
            depth = side_of_it * float(np.sqrt(max(flesh**2 - beside**2, 0.0)))
            distance = abs(float(np.linalg.norm(gap)) - flesh)
            if best is None or distance < best[0]:
                best = distance, Touch(side + "Hand", part, palm - place, gap, depth)
        if best:
            found.append(best[1])
    return found


def want_touches(wishes: Wishes, body: Body, found: list[Touch]) -> None:
    """Wish that what touches meets in depth; in the picture it is where it is drawn."""
    weight = np.diag([0.0, 0.0, 1 / (_TOUCH * body.rig.height)])
    for touch in found:
        wishes.add(enumerate(touch.vectors), weight, (0.0, 0.0, touch.depth))


@dataclass(frozen=True)
class Ground:
    """What a figure stands on.

    Attributes:
        feet: the keypoints of :data:`FEET` that are on it; none where the figure lies, kneels or
            sits, or where no foot is seen.
        up: ``[3]`` away from it, camera space.
    """

    feet: tuple[str, ...]
    up: FloatArray


def find_ground(
    body: Body,
    turns: FloatArray,
    scores: FloatArray,
    lifted: Lifted,
    up: FloatArray,
    spread: ArrayLike,
) -> Ground:
    """The likeliest ground under some of the heels and toes.

    Those that stand are equally high, but for errors of the first pose; a raised one may be
    anywhere above them. Up may turn a little to make it so. Each way to stand is a linear Gaussian
    model: its likelihood is compared with the others', and its best turn of up is the mean of the
    posterior.

    Args:
        body: the rig's.
        turns: ``[K, 3, 3]`` a pose that looks like the drawing, camera space.
        scores: ``[23]`` of the drawn keypoints; what is not seen does not stand.
        lifted: how certain the depth is.
        up: ``[3]`` the world's up in camera space, as far as it is known.
        spread: ``[2]`` radians: its standard deviation towards the eye, and in the picture.
    """
    height, axes = body.rig.height, np.eye(3)[[0, 2]]
    places = body.place(turns)
    heights = (places @ up - above_sole(body)) / height
    # How heights change as up turns about the picture's x axis, and about the line of sight.
    slopes = places @ np.cross(axes, up).T / height
    depth = _FORESHORTENED * up[2] * _doubt(body, lifted) / height
    noise, tilt = _UNEVEN**2 + depth**2, np.diag(np.square(spread))

    feet = [row for row in (skeleton.INDEX[name] for name in FEET) if scores[row] >= _SURE]
    best, ground = -np.inf, Ground((), up)
    for count in range(1, len(feet) + 1):
        for rows in map(list, combinations(feet, count)):
            covariance = np.diag(noise[rows]) + slopes[rows] @ tilt @ slopes[rows].T
            inverse = np.linalg.inv(covariance)
            weights = inverse.sum(axis=0)
            missed = heights[rows] - weights @ heights[rows] / weights.sum()
            turn = -tilt @ slopes[rows].T @ inverse @ missed
            upright = from_vector(turn @ axes) @ up
            turned = (places @ upright - above_sole(body)) / height
            turned -= turned[rows].mean()
            if turned.min() < -_SUNK:
                continue
            others = [row for row in feet if row not in rows]
            likelihood = _log_normal(missed, covariance) + np.log(2 * np.pi / weights.sum()) / 2
            likelihood -= len(others) * np.log(_RAISED)
            likelihood -= (np.minimum(turned[others], 0) ** 2 / noise[others]).sum() / 2
            if likelihood > best:
                best = likelihood
                names = tuple(skeleton.KEYPOINTS[row] for row in rows)
                ground = Ground(names, upright)
    return ground


def _log_normal(x: FloatArray, covariance: FloatArray) -> float:
    """Logarithm of a normal distribution's density at ``x [N]`` from its mean."""
    volume = np.linalg.slogdet(2 * np.pi * covariance)[1]
    return -float(x @ np.linalg.solve(covariance, x) + volume) / 2


def want_standing(wishes: Wishes, body: Body, ground: Ground) -> None:
    """Wish that what stands is equally high, and soles level that stand with heel and toes."""
    height, rest = body.rig.height, above_sole(body)
    rows = [skeleton.INDEX[name] for name in ground.feet]
    # Each with each, so that a mirrored figure stands as its mirror image; together they weigh as
    # much on every one of them as a pair does.
    share = np.sqrt(2 / max(len(rows), 1))
    weight = np.array([share * ground.up / (_GROUND * height), np.zeros(3), np.zeros(3)])
    for one, other in combinations(rows, 2):
        # Only the component along up counts, so the target may be any vector with that height.
        target = ground.up * (rest[other] - rest[one])
        wishes.add(enumerate(body.reach[other] - body.reach[one]), weight, target)
    for side in ("Left", "Right"):
        ends = {side + "Foot", side + "ToeBase"}
        if side + "Foot" in body.index and ends <= {*ground.feet}:
            wishes.add([(body.index[side + "Foot"], UP)], np.eye(3) / _LEVEL, ground.up)


def above_sole(body: Body) -> FloatArray:
    """``[23]`` metres from the skin's lowest point below each keypoint to the keypoint.

    Feet stand as high as at rest; other joints have some flesh around them.
    """
    rig = body.rig
    flesh = np.full(skeleton.COUNT, 0.04 * rig.height)
    rows = [skeleton.INDEX[name] for name in FEET]
    flesh[rows] = rig.joints[rows, 2] - rig.joints[:, 2].min()
    return flesh


def _turned(vectors: FloatArray, turns: FloatArray) -> FloatArray:
    """The sum ``[3]`` of vectors ``[K, 3]``, each turned with its node."""
    return np.einsum("kij,kj->i", turns, vectors)


def _nearest(point: FloatArray, line: FloatArray) -> float:
    """The share of a line ``[3]`` from the origin at which a point ``[3]`` lies in the picture."""
    length = float(line[:2] @ line[:2])
    return float(np.clip(point[:2] @ line[:2] / length, 0, 1)) if length > 1e-12 else 0.0


def _doubt(body: Body, lifted: Lifted) -> FloatArray:
    """``[23]`` metres: standard deviation of each keypoint's depth against the hips'."""
    variance = np.zeros(skeleton.COUNT)
    kappa = np.maximum(concentration(lifted.certainty), 1.0)
    for (parent, child), length, k in zip(skeleton.BONES, body.lengths, kappa, strict=True):
        variance[child] = variance[parent] + length**2 / k
    return np.sqrt(variance)
