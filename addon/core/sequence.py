"""Drawings of one character over time: storyboard panels, the keys of an animation.

Each drawing alone leaves open which limbs lie before the picture plane and which behind it, and
read one by one, they flicker. Here a sequence is read as a whole: of every drawing's ranked
readings those are chosen that change least from key to key (dynamic programming after Viterbi,
1967), then depth is smoothed as a random walk whose variance grows with the frames between two
keys. What is drawn stays as it is drawn: only depth is smoothed.

The artist corrects some drawings; the others follow. Which ones are worth it, how a joint that is
clicked in the picture finds its depth, and how a correction carries to its neighbours go back to
Oberweger et al., "Efficiently Creating 3D Training Data for Fine Hand Pose Estimation" (CVPR 2016).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import skeleton
from .estimator import Sides
from .lift import Lifted, concentration, mean_resultant_length
from .readings import Reading, Readings
from .rotations import from_vector, skew, unit

FloatArray = NDArray[np.float64]

_PARENTS, _CHILDREN = np.array(skeleton.BONES).T
_CANDIDATES = 24  # readings of a drawing among which the sequence chooses
_PACE = 0.15  # radians that a bone turns in a frame, at random; over n frames sqrt(n) of it
_BONES_MOVE_TOGETHER = 0.5  # what each bone's change counts, as neighbours change with it
_JUMP = 4.0  # log-probability that a bone's change costs at most
_CORRECTED = 1e4  # concentration of a direction that the artist has settled
_CARRIED = 30.0  # concentration that a correction lends to a drawing right beside it
_STEPS = 30
_NEAR = 1e-3  # weight of the pose so far where no click decides
_BEHIND = 0.05  # sine of the angle to the picture plane that a depth order asks for, at least


@dataclass(frozen=True)
class Key:
    """A drawing of a sequence.

    Attributes:
        frame: when it is to be seen.
        keypoints: ``[23, 2]`` pixels, y down; missing ones may be NaN.
        scores: ``[23]`` 0..1; 0 or NaN where missing.
        sides: how sure left and right are.
        correction: ``[22, 3]`` the bones' directions as the artist has settled them, camera space;
            NaN for those that were left alone, None if all were.
    """

    frame: float
    keypoints: FloatArray
    scores: FloatArray
    sides: Sides
    correction: FloatArray | None = None


@dataclass(frozen=True)
class Settled:
    """What a drawing shows, read with its neighbours.

    Attributes:
        reading: the one that was chosen.
        keypoints, scores: the drawing's, left and right as in the reading.
        lifted: directions for the solver, camera space.
    """

    reading: Reading
    keypoints: FloatArray
    scores: FloatArray
    lifted: Lifted


def settle(keys: Sequence[Key], smoothness: float = 1.0) -> list[Settled]:
    """Read the drawings of a sequence as a whole.

    Args:
        keys: the drawings, in any order of time; no two at the same frame.
        smoothness: how calm the motion is: 0 reads each drawing alone, 1 is everyday motion.

    Returns:
        One reading for each key, in their order.

    Raises:
        ValueError: two keys have the same frame.
    """
    frames = np.array([key.frame for key in keys], np.float64)
    if len(np.unique(frames)) < len(keys):
        raise ValueError("two keys have the same frame")
    order = np.argsort(frames)
    ordered = [keys[i] for i in order]
    ties = smoothness / (_PACE**2 * np.diff(frames[order]))
    settled = _carry(ordered, _choose(ordered, ties))
    settled = _smooth(ordered, settled, ties)
    return [settled[i] for i in np.argsort(order)]


def _choose(keys: Sequence[Key], ties: FloatArray) -> list[Settled]:
    """Of each drawing's readings those that make the likeliest sequence."""
    options: list[list[Settled]] = []
    costs: list[FloatArray] = []
    for key in keys:
        readings = Readings(key.keypoints, key.scores, key.sides)
        ranked = readings.likeliest(_CANDIDATES)
        options.append([_settled(key, readings, entry.reading) for entry in ranked])
        cost = -np.log([max(entry.probability, 1e-12) for entry in ranked])
        if key.correction is not None:
            there = np.isfinite(key.correction).all(axis=1)
            cosines = [
                (option.lifted.directions[there] * key.correction[there]).sum(axis=1)
                for option in options[-1]
            ]
            cost = cost + _CORRECTED * (1 - np.array(cosines)).sum(axis=1)
        costs.append(cost)

    best, came_from = costs[:1], []
    for i, tie in enumerate(ties):
        before = np.array([option.lifted.directions for option in options[i]])
        after = np.array([option.lifted.directions for option in options[i + 1]])
        turned = 1 - np.einsum("abk,cbk->acb", before, after)
        change = _BONES_MOVE_TOGETHER * np.minimum(tie * turned, _JUMP).sum(axis=2)
        through = best[-1][:, None] + change
        came_from.append(through.argmin(axis=0))
        best.append(through.min(axis=0) + costs[i + 1])
    path = [int(best[-1].argmin())]
    for previous in reversed(came_from):
        path.insert(0, int(previous[path[0]]))
    return [choices[i] for choices, i in zip(options, path, strict=True)]


def _settled(key: Key, readings: Readings, reading: Reading) -> Settled:
    points, scores = (
        skeleton.swap_sides(values, reading.swapped) for values in (key.keypoints, key.scores)
    )
    return Settled(reading, points, scores, readings.lifted(reading))


def _carry(keys: Sequence[Key], settled: Sequence[Settled]) -> list[Settled]:
    """Corrections, with their neighbours following: less, the farther they are.

    Half way between two corrections each has half the say; beyond the outermost ones their weight
    falls off over a few keys. Only depth follows, as the picture shows the rest, and where it does
    it is also more certain: an artist has looked at it.
    """
    frames = np.array([key.frame for key in keys])
    reach = 1.5 * float(np.median(np.diff(frames))) if len(keys) > 1 else 1.0
    depths = np.array([_depth(one.lifted.directions) for one in settled])
    changes, lent = np.zeros_like(depths), np.zeros_like(depths)
    for bone in range(depths.shape[1]):
        known = [
            i
            for i, key in enumerate(keys)
            if key.correction is not None and np.isfinite(key.correction[bone]).all()
        ]
        if not known:
            continue
        wanted = np.array([keys[i].correction[bone] for i in known])  # type: ignore[index]
        moved = _depth(wanted) - depths[known, bone]
        at = frames[known]
        beyond = np.maximum(np.maximum(at[0] - frames, frames - at[-1]), 0)
        changes[:, bone] = np.interp(frames, at, moved) * _fall(beyond / reach)
        nearest = np.abs(frames[:, None] - at).min(axis=1)
        lent[:, bone] = _CARRIED * _fall(nearest / reach)
    result = []
    for key, one, now, change, more in zip(keys, settled, depths, changes, lent, strict=True):
        directions = _at_depth(one.lifted.directions, now + change)
        certainty = mean_resultant_length(concentration(one.lifted.certainty) + more)
        if key.correction is not None:
            there = np.isfinite(key.correction).all(axis=1)
            directions[there] = unit(key.correction[there])
            certainty[there] = mean_resultant_length(np.array(_CORRECTED))
        lifted = replace(one.lifted, directions=directions, certainty=certainty)
        result.append(replace(one, lifted=lifted))
    return result


def _fall(distance: FloatArray) -> FloatArray:
    """A correction's weight, 1..0, at distances in its reach."""
    return np.exp(-0.5 * distance**2)


def _smooth(keys: Sequence[Key], settled: Sequence[Settled], ties: FloatArray) -> list[Settled]:
    """Bones' depths and the axes, smoothed over time as far as each of them is uncertain."""
    directions = np.array([one.lifted.directions for one in settled])
    trust = concentration(np.array([one.lifted.certainty for one in settled]))
    for i, key in enumerate(keys):
        if key.correction is not None:
            trust[i, np.isfinite(key.correction).all(axis=1)] = _CORRECTED
    depths = _depth(directions)
    # What is not drawn has no direction to keep: there all of it is smoothed.
    points = np.array([one.keypoints for one in settled])
    seen = np.isfinite(points).all(axis=2) & (np.array([one.scores for one in settled]) > 0)
    drawn = seen[:, _PARENTS] & seen[:, _CHILDREN]
    certainty = np.empty_like(depths)
    for bone in range(depths.shape[1]):
        whole, sureness = _diffuse(directions[:, bone], trust[:, bone], ties)
        depth, _ = _diffuse(depths[:, bone, None], trust[:, bone], ties)
        kept = _at_depth(directions[:, bone], depth[:, 0])
        directions[:, bone] = np.where(drawn[:, bone, None], kept, unit(whole))
        certainty[:, bone] = mean_resultant_length(sureness)
    axes = np.array([one.lifted.axes for one in settled])
    axes_trust = concentration(np.array([one.lifted.axes_certainty for one in settled]))
    axes_certainty = np.empty_like(axes_trust)
    for axis in range(axes.shape[1]):
        whole, sureness = _diffuse(axes[:, axis], axes_trust[:, axis], ties)
        axes[:, axis] = unit(whole)
        axes_certainty[:, axis] = mean_resultant_length(sureness)
    return [
        replace(one, lifted=Lifted(*parts))
        for one, *parts in zip(settled, directions, certainty, axes, axes_certainty, strict=True)
    ]


def _diffuse(
    values: FloatArray, trust: FloatArray, ties: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The likeliest course of a random walk that was observed with errors.

    Args:
        values: ``[F, D]`` what was observed.
        trust: ``[F]`` inverse variance of each observation.
        ties: ``[F - 1]`` inverse variance of each step of the walk.

    Returns:
        The course ``[F, D]``, and the inverse variance ``[F]`` with which it is known.
    """
    matrix = np.diag(trust + 1e-9)
    for i, tie in enumerate(ties):
        matrix[i : i + 2, i : i + 2] += tie * np.array([[1.0, -1.0], [-1.0, 1.0]])
    inverse = np.linalg.inv(matrix)
    return inverse @ (trust[:, None] * values), 1 / np.diag(inverse)


def _depth(directions: FloatArray) -> FloatArray:
    """Angles ``[...]`` of directions ``[..., 3]`` behind the picture plane, radians."""
    return np.arcsin(np.clip(directions[..., 2], -1, 1))


def _at_depth(directions: FloatArray, depths: FloatArray) -> FloatArray:
    """Directions ``[..., 3]``, the same in the picture, at other angles behind its plane."""
    depths = np.clip(depths, -np.pi / 2, np.pi / 2)
    flat = unit(directions[..., :2]) * np.cos(depths)[..., None]
    return unit(np.concatenate([flat, np.sin(depths)[..., None]], axis=-1))


def distances(keypoints: ArrayLike, scores: ArrayLike) -> FloatArray:
    """How different drawn poses are: place and size of the figures do not matter.

    Args:
        keypoints: ``[F, 23, 2]`` pixels; missing ones may be NaN.
        scores: ``[F, 23]`` 0..1; 0 or NaN where missing.

    Returns:
        ``[F, F]`` mean distance of the joints that both show, in root-mean-square radii of a
        figure; infinite where fewer than three are shown by both.
    """
    points = np.asarray(keypoints, dtype=np.float64)
    seen = (np.nan_to_num(np.asarray(scores)) > 0) & np.isfinite(points).all(axis=2)
    count = len(points)
    result = np.zeros((count, count))
    for i in range(count):
        for j in range(i):
            both = seen[i] & seen[j]
            if both.sum() < 3:
                result[i, j] = result[j, i] = np.inf
                continue
            pair = points[[i, j]][:, both]
            pair = pair - pair.mean(axis=1, keepdims=True)
            radius = np.sqrt((pair**2).sum(axis=2).mean(axis=1))
            pair = pair / np.maximum(radius, 1e-9)[:, None, None]
            result[i, j] = result[j, i] = np.linalg.norm(pair[0] - pair[1], axis=1).mean()
    return result


def representatives(
    apart: ArrayLike, count: int, *, radius: float = 0.25, worth: ArrayLike | None = None
) -> list[int]:
    """Which drawings speak for most of the others, the best first.

    Greedy choice: each time the drawing that covers the most of what is not covered yet. That is
    within 63 % of the best choice, as coverage is submodular (Nemhauser et al., 1978).

    Args:
        apart: ``[F, F]`` distances between the drawings.
        count: how many to choose; fewer come where they cover all.
        radius: how near a drawing must be for another to speak for it.
        worth: ``[F]`` how much there is to gain from each; the same for all by default.
    """
    near = np.asarray(apart, dtype=np.float64) <= radius
    left = np.ones(len(near)) if worth is None else np.array(worth, dtype=np.float64)
    chosen: list[int] = []
    while len(chosen) < count and (left > 0).any():
        chosen.append(int((near @ left).argmax()))
        left = np.where(near[chosen[-1]], 0.0, left)
    return chosen


def place_clicks(
    joints: ArrayLike,
    clicks: ArrayLike,
    weights: ArrayLike,
    *,
    scale: float = 1.0,
    nearer: ArrayLike | None = None,
) -> FloatArray:
    """Move a pose so that some joints lie under clicks in the picture.

    Minimises ``sum v_k |proj(L_k) - l_k|^2`` over poses whose bones keep their lengths, turning
    each bone (Gauss-Newton with exact slopes), and stays near the pose so far where no click says
    otherwise.

    Args:
        joints: ``[23, 3]`` the pose so far, camera space, metres.
        clicks: ``[23, 2]`` pixels, the origin of camera space at (0, 0); NaN for joints that were
            not clicked.
        weights: ``[23]`` how much each click counts.
        scale: pixels per metre.
        nearer: ``[22]`` depth order: -1 for bones whose end lies before their start, 1 behind it,
            0 where either will do; by default as in the pose so far.

    Returns:
        ``[23, 3]`` the pose, camera space, metres.
    """
    joints = np.array(joints, dtype=np.float64)
    targets = np.asarray(clicks, dtype=np.float64) / scale
    clicked = np.isfinite(targets).all(axis=1)
    share = np.where(clicked, np.sqrt(np.asarray(weights, dtype=np.float64)), 0.0)
    targets = np.where(clicked[:, None], targets, 0.0)
    bones = joints[_CHILDREN] - joints[_PARENTS]
    order = np.sign(bones[:, 2]) if nearer is None else np.asarray(nearer, dtype=np.float64)
    lengths = np.linalg.norm(bones, axis=1)
    start, root = unit(bones), joints[0].copy()
    directions = start.copy()
    above = _above()

    def residuals(directions: FloatArray, root: FloatArray) -> FloatArray:
        placed = root + above @ (directions * lengths[:, None])
        clicks = (share[:, None] * (placed[:, :2] - targets)).ravel()
        order_miss = np.maximum(_BEHIND - order * directions[:, 2], 0) * (order != 0)
        return np.concatenate([clicks, _NEAR * (directions - start).ravel(), order_miss])

    damping, now = 1e-3, residuals(directions, root)
    for _ in range(_STEPS):
        cross = -skew(directions)  # d(exp(w) u) = w x u = -u x w
        moved = np.einsum("kb,b,bij->kibj", above, lengths, cross)[:, :2]
        click_slopes = (share[:, None, None, None] * moved).reshape(2 * skeleton.COUNT, -1)
        count = len(lengths)
        near_slopes = np.zeros((count, 3, count, 3))
        near_slopes[np.arange(count), :, np.arange(count)] = _NEAR * cross
        order_slopes = np.zeros((count, count, 3))
        broken = (order * directions[:, 2] < _BEHIND) & (order != 0)
        rows = np.flatnonzero(broken)
        order_slopes[rows, rows] = -order[rows, None] * cross[rows, 2]
        slopes = np.concatenate(
            [click_slopes, near_slopes.reshape(3 * count, -1), order_slopes.reshape(count, -1)]
        )
        # The figure as a whole may move in the picture plane, where its hips were not clicked.
        shift = np.zeros((len(slopes), 2))
        shift[: 2 * skeleton.COUNT] = np.kron(share[:, None], np.eye(2))
        slopes = np.concatenate([slopes, shift], axis=1)
        normal = slopes.T @ slopes
        normal += np.diag(damping * np.diag(normal) + 1e-12)
        step = np.linalg.solve(normal, -slopes.T @ now)
        turned = np.einsum("bij,bj->bi", from_vector(step[:-2].reshape(-1, 3)), directions)
        moved_root = root + np.array([*step[-2:], 0.0])
        value = residuals(turned, moved_root)
        if value @ value < now @ now:
            directions, root, now, damping = turned, moved_root, value, damping * 0.3
            if np.abs(step).max() < 1e-7:
                break
        else:
            damping *= 10
    return root + above @ (directions * lengths[:, None])


def _above() -> FloatArray:
    """``[23, 22]`` 1 for each bone between the hips and a keypoint."""
    above = np.zeros((skeleton.COUNT, len(_CHILDREN)))
    for bone, (parent, child) in enumerate(skeleton.BONES):
        above[child] = above[parent]
        above[child, bone] = 1
    return above
