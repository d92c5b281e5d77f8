"""What the solver wishes of a pose: to look as drawn, to read as lifted, and to be natural.

Turns are in camera space (x right, y down, z forward).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from . import skeleton
from .anatomy import Body
from .lift import AXES, Lifted, concentration
from .rest import UP
from .rotations import unit
from .turning import Wishes

FloatArray = NDArray[np.float64]

# Standard deviations of the wishes: radians, or shares of a unit vector.
_DRAWN_ANGLE = 0.02
_KEYPOINT_NOISE = (0.003, 0.05)  # of the figure's height, at score one and at score zero
_HINGE = 0.05
_SPINE_SHARE = 0.15
_LOOSE = {  # how far a bone strays from its parent's turn where nothing else speaks
    "Spine": 0.5,
    "Spine1": 0.5,
    "Spine2": 0.5,
    "Neck": 0.6,
    "Head": 0.6,
    "Shoulder": 0.25,
    "Foot": 0.8,
}
_TWIST = {"Arm": 2.0, "UpLeg": 0.8}
# The roots of the limbs sit differently in every body: there the drawn direction says less.
_VAGUE = {"UpLeg": 2.0, "Shoulder": 2.0}


def lifted_bones(body: Body, lifted: Lifted) -> Iterator[tuple[int, FloatArray, FloatArray, float]]:
    """Of each bone: its node, its direction at rest, the lifted one, and how much that weighs."""
    return zip(
        body.bone_node,
        unit(body.segments),
        lifted.directions,
        concentration(lifted.certainty),
        strict=True,
    )


def lifted_axes(
    body: Body, lifted: Lifted
) -> Iterator[tuple[str, int, FloatArray, FloatArray, float]]:
    """Of each axis of ``lift.AXES`` that a node carries: what :func:`lifted_bones` has of bones.

    Its name comes first. The axis of an elbow or a knee is carried by the limb above it.
    """
    kappas = concentration(lifted.axes_certainty)
    for name, axis, kappa in zip(AXES, lifted.axes, kappas, strict=True):
        if name in body.hinges:
            upper = body.index[skeleton.KEYPOINTS[skeleton.PARENTS[skeleton.INDEX[name]]]]
            yield name, upper, body.hinges[name], axis, float(kappa)
        elif name in body.index:
            yield name, body.index[name], body.rig.left, axis, float(kappa)


def _drawn_scale(body: Body, drawn: FloatArray, known: NDArray[np.bool_], lifted: Lifted) -> float:
    """Pixels per metre: the drawn lengths against the rig's, foreshortened as the lifter says."""
    expected = body.lengths * np.linalg.norm(lifted.directions[:, :2], axis=1)
    use = known & (expected > 1e-9)
    if not use.any():
        return 1.0
    ratio = np.linalg.norm(drawn[use], axis=1) / expected[use]
    order = np.argsort(ratio)
    share = np.cumsum(expected[use][order])
    return float(max(ratio[order][np.searchsorted(share, share[-1] / 2)], 1e-9))


def want_drawn(
    wishes: Wishes,
    body: Body,
    keypoints: FloatArray,
    scores: FloatArray,
    lifted: Lifted,
) -> None:
    """Bones point in the picture as they are drawn, and are foreshortened as they are drawn."""
    parents, children = np.array(skeleton.BONES).T
    drawn = keypoints[children] - keypoints[parents]
    known = (scores[parents] > 0) & (scores[children] > 0)
    scale = _drawn_scale(body, drawn, known, lifted)
    ratio = np.linalg.norm(drawn, axis=1) / np.maximum(body.lengths * scale, 1e-9)
    # The drawing's proportions are trusted as far as its lengths are those that the lifter expects.
    surprise = np.abs(ratio - np.linalg.norm(lifted.directions[:, :2], axis=1))[known]
    proportion = max(0.04, 1.5 * float(np.median(surprise))) if known.any() else 1.0

    low, high = _KEYPOINT_NOISE
    noise = (low + (high - low) * (1 - scores)) * body.rig.height * scale  # pixels
    for start, child in _drawn_spans(scores):
        step = keypoints[child] - keypoints[start]
        if not np.linalg.norm(step) > 1e-9:
            continue
        span, longest = _span(body, start, child)
        name = skeleton.without_side(skeleton.KEYPOINTS[child])
        pixels = max(longest * scale, 1e-9)
        spread = np.hypot(noise[start], noise[child]) / pixels
        across = _VAGUE.get(name, 1.0) * np.hypot(spread, _DRAWN_ANGLE)
        along = _VAGUE.get(name, 1.0) * np.hypot(spread, proportion)
        x, y = unit(step)
        weight = np.array([[-y / across, x / across, 0], [x / along, y / along, 0], [0, 0, 0]])
        target = np.array([x, y, 0.0]) * min(float(np.linalg.norm(step)) / pixels, 1.0)
        wishes.add(enumerate(span / max(longest, 1e-9)), weight, target)

    for left, right in (("LeftUpLeg", "RightUpLeg"), ("LeftShoulder", "RightShoulder")):
        a, b = skeleton.INDEX[left], skeleton.INDEX[right]
        across = keypoints[a] - keypoints[b]
        if not (scores[a] > 0 and scores[b] > 0 and across.any()):
            continue
        node = int(body.bone_node[[c for _, c in skeleton.BONES].index(a)])
        width = float(np.linalg.norm(body.rig.joints[a] - body.rig.joints[b])) * scale
        spread = np.hypot(np.hypot(noise[a], noise[b]) / max(width, 1e-9), 2 * _DRAWN_ANGLE)
        x, y = unit(across)
        weight = np.array([[-y / spread, x / spread, 0], [0, 0, 0], [0, 0, 0]])
        wishes.add([(node, body.rig.left)], weight)


def _drawn_spans(scores: FloatArray) -> Iterator[tuple[int, int]]:
    """Each seen keypoint and the nearest one above it that is seen, too: (above, below)."""
    for child in range(1, skeleton.COUNT):
        start = skeleton.PARENTS[child]
        while start >= 0 and not scores[start] > 0:
            start = skeleton.PARENTS[start]
        if start >= 0 and scores[child] > 0:
            yield start, child


def _span(body: Body, start: int, child: int) -> tuple[FloatArray, float]:
    """Between two keypoints: the vectors ``[K, 3]`` that turn and add up, and how long at most."""
    longest, row = 0.0, child
    while row != start:
        longest += float(body.lengths[row - 1])  # the bones are in the order of their ends
        row = skeleton.PARENTS[row]
    return body.reach[child] - body.reach[start], longest


def want_lifted(wishes: Wishes, body: Body, lifted: Lifted) -> None:
    """Bones and bending axes point where the lifter says, as far as it is certain."""
    for node, segment, direction, kappa in lifted_bones(body, lifted):
        wishes.add([(node, segment)], np.eye(3) * np.sqrt(kappa), direction)
    for _, node, at_rest, axis, kappa in lifted_axes(body, lifted):
        wishes.add([(node, at_rest)], np.eye(3) * np.sqrt(kappa), axis)


def want_hinges(wishes: Wishes, body: Body) -> None:
    """Elbows and knees turn about one axis."""
    for name, axis in body.hinges.items():
        node = body.index[name]
        wishes.add([(node, axis), (body.parents[node], -axis)], np.eye(3) / _HINGE)


def want_natural(wishes: Wishes, body: Body) -> None:
    """The prior: a shared bend of the spine, and small turns against the parent."""
    frame = np.array([body.rig.left, body.rig.front, UP])
    for name, node in body.index.items():
        parent = body.parents[node]
        bare = skeleton.without_side(name)
        if bare in _LOOSE:
            for axis in frame:
                wishes.add([(node, axis), (parent, -axis)], np.eye(3) / _LOOSE[bare])
        if bare in _TWIST:
            joint = next(j for j in body.hinges if body.parents[body.index[j]] == node)
            axis = body.hinges[joint]
            wishes.add([(node, axis), (parent, -axis)], np.eye(3) / _TWIST[bare])

    trunk = [
        body.index[n]
        for n in ("Hips", "Spine", "Spine1", "Spine2", "Neck", "Head")
        if n in body.index
    ]
    for below, node, above in zip(trunk, trunk[1:], trunk[2:], strict=False):
        for axis in frame:
            terms = [(node, axis), (below, -axis / 2), (above, -axis / 2)]
            wishes.add(terms, np.eye(3) / _SPINE_SHARE)
