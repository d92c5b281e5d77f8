"""A model sheet: several drawings of one pose, from several sides, become one pose in 3D.

The drawings are parallel projections by level cameras; each has its own size and place on its page.
Joints, sizes, places and the view angles that are not given are found together by Gauss-Newton
steps (bundle adjustment), so that

- every joint lies where the drawings show it; a drawing that shows it far from where the others do
  loses its say (iteratively reweighted least squares with Geman and McClure's weights, whose scale
  shrinks from a generous one to that of the residuals, after Yang et al., "Graduated Non-Convexity
  for Robust Spatial Perception", RA-L 2020);
- bones point where the lifter reads them in all drawings together and are about as long as an
  adult's. That settles what the drawings leave open, and weighs little where they agree.

Arms and legs whose left and right one drawing has the other way round are found by trying it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import retarget, skeleton
from .errors import UserError
from .lift import AXES, Lifted, concentration, lift, mean_resultant_length, place_bones
from .rotations import about_axis, unit

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

CHAINS: tuple[tuple[int, ...], ...] = tuple(skeleton.SIDED.values())
"""Rows of the arms' and of the legs' keypoints, whose sides a drawing may have wrong."""

_PARENTS, _CHILDREN = np.array(skeleton.BONES).T
_T_POSE = retarget.joint_positions(np.tile(np.eye(3), (len(retarget.JOINTS), 1, 1)), {})
_LENGTHS = np.linalg.norm(_T_POSE[_CHILDREN] - _T_POSE[_PARENTS], axis=1)
# [22, 3, 69]: the bones' vectors are linear in the joints' coordinates.
_DIFFERENCES = np.kron(
    np.eye(skeleton.COUNT)[_CHILDREN] - np.eye(skeleton.COUNT)[_PARENTS], np.eye(3)
).reshape(len(_LENGTHS), 3, -1)
_ALL_BONES = _DIFFERENCES.reshape(-1, 3 * skeleton.COUNT)
_SIDEWAYS = {  # the axes of the trunk, and the joints that lie across it
    "Hips": (skeleton.INDEX["LeftUpLeg"], skeleton.INDEX["RightUpLeg"]),
    "Spine2": (skeleton.INDEX["LeftArm"], skeleton.INDEX["RightArm"]),
}

# Lengths are metres of an adult.
_STEPS = 24
_GENEROUS, _SHRINK = 0.5, 0.75  # the weights' first scale, and what a step leaves of it
_FINEST = 1e-4  # no drawing is more exact
_CUT = 3.0  # scales at which a residual's weight has fallen to a quarter
_DAMPING = 1e-6
_STILL = 1e-5  # steps below which nothing more happens
_LONG = 0.3  # spread of a bone's length about an adult's, as a share of it
_READINGS_ERR_TOGETHER = 0.5  # what each of several readings of one pose counts
_MOST_CERTAIN = 40.0  # concentration of readings that no more readings exceed
_ANGLE_SPREAD = np.radians(20)  # of a view angle as the lifter reads it
_NOISE = 0.03  # of a keypoint, to compare readings of the sides by
_GIVEN_UP = 9.0  # squared residual in noises that a keypoint costs at most
_SWAP_COST = 7.0  # twice the logarithm of how seldom the sides of a pair of limbs are wrong


@dataclass(frozen=True)
class Sheet:
    """The pose that the drawings of a model sheet have in common.

    Its space is the camera space of the front view (x right, y down, z forward), in metres of an
    adult of 1.76 m; the hips are its origin.

    Attributes:
        joints: ``[23, 3]`` the keypoints.
        lifted: the bones' directions and axes, as the solver wants them.
        azimuths: ``[V]`` radians each drawing is seen from: 0 from the front, pi/2 from the
            character's left, as :func:`.camera.ring` counts.
        scales: ``[V]`` pixels per metre.
        offsets: ``[V, 2]`` pixels, where the hips lie.
        weights: ``[V, 23]`` 0..1 how far each drawing agrees about each joint; 0 where it has none.
        swapped: ``[V, 2]`` drawings whose arms or legs have left and right the other way round.
    """

    joints: FloatArray
    lifted: Lifted
    azimuths: FloatArray
    scales: FloatArray
    offsets: FloatArray
    weights: FloatArray
    swapped: BoolArray

    def rotation(self, view: int) -> FloatArray:
        """``[3, 3]`` from the sheet's space to a drawing's camera space."""
        return about_axis(1, float(self.azimuths[view]))

    def projected(self, view: int) -> FloatArray:
        """``[23, 2]`` the joints as a drawing should show them, pixels."""
        seen = self.joints @ self.rotation(view).T
        return self.scales[view] * seen[:, :2] + self.offsets[view]

    def seen_from(self, view: int) -> Lifted:
        """The reading in a drawing's camera space."""
        turn = self.rotation(view).T
        return replace(
            self.lifted, directions=self.lifted.directions @ turn, axes=self.lifted.axes @ turn
        )

    def doubtful(self, least: float = 0.25) -> list[tuple[int, str]]:
        """Drawing and keypoint name of each keypoint that the other drawings contradict."""
        wrong = (self.weights > 0) & (self.weights < least)
        return [(int(v), skeleton.KEYPOINTS[k]) for v, k in zip(*np.nonzero(wrong), strict=True)]


def triangulate(
    keypoints: ArrayLike, scores: ArrayLike, azimuths: Sequence[float | None] | None = None
) -> Sheet:
    """Find the pose that several drawings show.

    Args:
        keypoints: ``[V, 23, 2]`` pixels of each drawing; missing ones may be NaN.
        scores: ``[V, 23]`` 0..1; 0 or NaN where missing.
        azimuths: radians from which each drawing is seen (see :class:`Sheet`), None or NaN for
            those to find; by default all are to be found.

    Raises:
        UserError: there are fewer than two drawings, or one shows fewer than three joints.
    """
    points = np.asarray(keypoints, dtype=np.float64).reshape(-1, skeleton.COUNT, 2)
    scores = np.nan_to_num(np.asarray(scores, dtype=np.float64), nan=0.0).clip(0, 1)
    scores = np.where(np.isfinite(points).all(axis=-1), scores, 0.0)
    if len(points) < 2:
        raise UserError("A model sheet needs two drawings of the pose or more.")
    for number, seen in enumerate((scores > 0).sum(axis=1), 1):
        if seen < 3:
            raise UserError(f"Drawing {number} shows too few joints; leave it out.")
    given = [
        azimuth if azimuth is not None and np.isfinite(azimuth) else None
        for azimuth in azimuths or [None] * len(points)
    ]
    views = [_View.of(p, s, a) for p, s, a in zip(points, scores, given, strict=True)]
    return _settle_sides(views).sheet()


@dataclass(frozen=True)
class _View:
    """One drawing, at about an adult's size.

    Attributes:
        points: ``[23, 2]``; 0 where missing.
        scores: ``[23]``.
        unit: pixels to one of the points' units.
        middle: ``[2]`` pixels of the points' origin.
        azimuth: radians, as given or as the lifter reads it.
        given: whether it is given.
        vectors: ``[30, 3]`` the lifter's von Mises-Fisher vectors, camera space.
        swapped: ``[2]`` of :data:`CHAINS`, whether left and right have been exchanged.
    """

    points: FloatArray
    scores: FloatArray
    unit: float
    middle: FloatArray
    azimuth: float
    given: bool
    vectors: FloatArray
    swapped: BoolArray

    @classmethod
    def of(cls, pixels: FloatArray, scores: FloatArray, azimuth: float | None) -> _View:
        seen = scores > 0
        pixels = np.where(seen[:, None], pixels, 0.0)
        reading = lift(pixels, scores)
        placed = place_bones(reading.directions, _LENGTHS)[:, :2]
        # The drawing's size is that of an adult in the pose that the lifter reads.
        middle = pixels[seen].mean(axis=0)
        size = np.linalg.norm(pixels[seen] - middle)
        adult = np.linalg.norm(placed[seen] - placed[seen].mean(axis=0))
        unit_size = float(max(size / max(adult, 1e-9), 1e-9))
        vectors = _vectors(reading)
        sideways = vectors[[len(_LENGTHS) + AXES.index(name) for name in ("Hips", "Spine2")]].sum(0)
        read = float(np.arctan2(-sideways[2], sideways[0]))
        return cls(
            np.where(seen[:, None], (pixels - middle) / unit_size, 0.0),
            scores,
            unit_size,
            middle,
            read if azimuth is None else azimuth,
            azimuth is not None,
            vectors,
            np.zeros(len(CHAINS), bool),
        )

    def with_sides(self, chains: Sequence[int]) -> _View:
        """The same drawing with left and right exchanged in some of :data:`CHAINS`."""
        limbs = [tuple(skeleton.SIDED)[chain] for chain in chains]
        points, scores = (skeleton.swap_sides(v, limbs) for v in (self.points, self.scores))
        other = _View.of(points, scores, self.azimuth if self.given else None)
        swapped = self.swapped.copy()
        swapped[list(chains)] ^= True
        return replace(
            other,
            unit=self.unit * other.unit,
            middle=self.middle + self.unit * other.middle,
            swapped=swapped,
        )


def _vectors(reading: Lifted) -> FloatArray:
    """Von Mises-Fisher vectors ``[30, 3]`` of a reading: its directions, as long as kappa."""
    kappa = concentration(np.concatenate([reading.certainty, reading.axes_certainty]))
    return np.concatenate([reading.directions, reading.axes]) * kappa[:, None]


@dataclass(frozen=True)
class _Fit:
    """Where the steps have ended.

    Attributes:
        views: the drawings.
        joints: ``[23, 3]`` sheet space.
        azimuths, scales, offsets: of each view, its own unit.
        weights: ``[V, 23]`` 0..1, the last robust weights, 0 where a keypoint is missing.
        spreads: ``[22]`` radians, standard deviation of each bone's direction.
        fused: ``[30, 3]`` the lifter's readings of all drawings together, sheet space.
        losses: ``[V, 23]`` what each keypoint costs, squared noises.
        cost: of everything; to compare readings of the sides by.
    """

    views: Sequence[_View]
    joints: FloatArray
    azimuths: FloatArray
    scales: FloatArray
    offsets: FloatArray
    weights: FloatArray
    spreads: FloatArray
    fused: FloatArray
    losses: FloatArray
    cost: float

    def contested(self, view: int, chains: Sequence[int]) -> bool:
        """Whether some of :data:`CHAINS` may have their sides exchanged in one of the drawings.

        Either the drawings disagree about them, or all sides may be wrong in a drawing from which
        the view angle was then read wrongly, too.
        """
        if len(chains) == len(CHAINS) and not self.views[view].given:
            return True
        return all(self.losses[:, list(CHAINS[chain])].max() >= _GIVEN_UP / 2 for chain in chains)

    def sheet(self) -> Sheet:
        """What is of use to others."""
        units = np.array([view.unit for view in self.views])
        middles = np.array([view.middle for view in self.views])
        hips = self.joints[0]
        turned = np.array([(about_axis(1, float(a)) @ hips)[:2] for a in self.azimuths])
        offsets = middles + units[:, None] * (self.offsets + self.scales[:, None] * turned)
        return Sheet(
            self.joints - hips,
            self._lifted(),
            _turned(self.azimuths),
            self.scales * units,
            offsets,
            self.weights,
            np.array([view.swapped for view in self.views]),
        )

    def _lifted(self) -> Lifted:
        bones = self.joints[_CHILDREN] - self.joints[_PARENTS]
        directions = unit(bones)
        certainty = mean_resultant_length(1 / np.maximum(self.spreads, 0.02) ** 2)
        axes = self.fused[len(bones) :].copy()
        axes[AXES.index("Up")] = 0, -200, 0  # level cameras
        blur = float(np.median(self.spreads * np.linalg.norm(bones, axis=1)))
        for name, (left, right) in _SIDEWAYS.items():
            across = self.joints[left] - self.joints[right]
            width = float(np.linalg.norm(across))
            kappa = min((width / max(blur, 1e-3)) ** 2, _MOST_CERTAIN)
            axes[AXES.index(name)] += kappa * unit(across)
        parents = np.array(skeleton.PARENTS)
        for name in ("LeftForeArm", "RightForeArm", "LeftLeg", "RightLeg"):
            joint = skeleton.INDEX[name]
            upper = directions[joint == _CHILDREN][0]
            lower = directions[np.flatnonzero(parents == joint)[0] == _CHILDREN][0]
            # The plane of a bent limb is the axis; a straight one leaves it to the lifter.
            across = np.cross(upper, lower)
            axes[AXES.index(name)] += _MOST_CERTAIN * (across @ across) * unit(across)
        kappa = np.linalg.norm(axes, axis=1)
        return Lifted(directions, certainty, unit(axes), mean_resultant_length(kappa))


def _settle_sides(views: Sequence[_View]) -> _Fit:
    """Fit, exchanging left and right in the drawings that then agree better with the others."""
    best = _fit(views)
    improved = True
    while improved:
        improved = False
        for row, view in enumerate(best.views):
            for chains in ((0,), (1,), (0, 1)):
                if not best.contested(row, chains):
                    continue
                other = view.with_sides(chains)
                trial = _fit([*best.views[:row], other, *best.views[row + 1 :]])
                if trial.cost < best.cost:
                    best, improved = trial, True
    return best


def _fit(views: Sequence[_View]) -> _Fit:
    """Gauss-Newton steps on joints, view angles, sizes and places, from the lifter's reading."""
    count = len(views)
    points = np.array([view.points for view in views])
    scores = np.array([view.scores for view in views])
    start = np.array([view.azimuth for view in views])
    seen = scores > 0
    columns = _Columns(count)
    free = np.ones(columns.total, bool)
    free[columns.angle] = [not view.given for view in views]
    open_block = np.ix_(free, free)

    azimuths, scales, offsets = start.copy(), np.ones(count), np.zeros((count, 2))
    fused = _fuse(views, azimuths)
    joints = place_bones(unit(fused[: len(_LENGTHS)]), _LENGTHS)
    for v in range(count):
        flat = joints[seen[v]] @ about_axis(1, float(azimuths[v])).T
        offsets[v] = (points[v, seen[v]] - flat[:, :2]).mean(axis=0)

    cut, generous = 0.0, _GENEROUS
    covariance = np.zeros((columns.total, columns.total))
    for _ in range(_STEPS):
        projected, slopes = _project(columns, joints, azimuths, scales, offsets)
        misses = projected - points
        noise = max(_scale(misses, seen, int(free.sum())), _FINEST)
        cut = _CUT * max(noise, generous)
        robust = seen / (1 + (misses**2).sum(axis=-1) / cut**2) ** 2
        weight = np.sqrt(robust * scores)[..., None] / noise
        slopes = (slopes * weight[..., None]).reshape(-1, columns.total)
        normal, gradient = slopes.T @ slopes, (misses * weight).ravel() @ slopes

        fused = _fuse(views, azimuths)
        wish, stiffness = _prior(fused)
        stiff = (stiffness @ _DIFFERENCES).reshape(_ALL_BONES.shape)
        gradient[columns.joints] += stiff.T @ (_ALL_BONES @ joints.ravel() - wish.ravel())
        normal[columns.joints, columns.joints] += stiff.T @ _ALL_BONES
        gradient[columns.angle] += _turned(azimuths - start) / _ANGLE_SPREAD**2
        normal[columns.angle, columns.angle] += np.eye(count) / _ANGLE_SPREAD**2

        # The damping holds what nothing determines: where the sheet's space has its origin.
        normal += np.diag(_DAMPING * np.diag(normal) + 1e-9)
        covariance[open_block] = np.linalg.inv(normal[open_block])
        step = -covariance @ gradient
        joints = joints + step[columns.joints].reshape(-1, 3)
        azimuths = azimuths + step[columns.angle].clip(-0.5, 0.5)
        scales = scales * np.exp(step[columns.size].clip(-0.5, 0.5))
        offsets = offsets + step[columns.place].reshape(-1, 2)
        if generous < noise and np.abs(step).max() < _STILL:
            break
        generous *= _SHRINK

    wish, stiffness = _prior(fused)
    miss = joints[_CHILDREN] - joints[_PARENTS] - wish
    cost = float(np.einsum("bi,bij,bj->", miss, stiffness, miss))
    cost += float((_turned(azimuths - start) ** 2).sum()) / _ANGLE_SPREAD**2
    cost += _SWAP_COST * sum(int(view.swapped.sum()) for view in views)
    misses = _project(columns, joints, azimuths, scales, offsets)[0] - points
    squares = (misses**2).sum(axis=-1)
    losses = scores * np.minimum(squares / _NOISE**2, _GIVEN_UP)
    weights = seen / (1 + squares / max(cut, _CUT * _NOISE) ** 2) ** 2
    spreads = _spreads(joints, covariance[columns.joints, columns.joints])
    return _Fit(
        views,
        joints,
        azimuths,
        scales,
        offsets,
        weights,
        spreads,
        fused,
        losses,
        cost + losses.sum(),
    )


class _Columns:
    """Where the unknowns stand: the joints, then each view's angle, log size, and place."""

    def __init__(self, views: int) -> None:
        ends = np.cumsum([3 * skeleton.COUNT, views, views, 2 * views]).tolist()
        self.joints, self.angle, self.size, self.place = (
            slice(a, b) for a, b in zip([0, *ends], ends, strict=False)
        )
        self.total = ends[-1]


def _project(
    columns: _Columns,
    joints: FloatArray,
    azimuths: FloatArray,
    scales: FloatArray,
    offsets: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """The joints in every drawing ``[V, 23, 2]``, and the slopes ``[V, 23, 2, unknowns]``."""
    count, keypoint = len(azimuths), np.arange(skeleton.COUNT)
    projected = np.empty((count, skeleton.COUNT, 2))
    slopes = np.zeros((*projected.shape, columns.total))
    of_joint = keypoint[:, None] * 3 + np.arange(3)
    for v in range(count):
        turn = about_axis(1, float(azimuths[v]))
        rows = scales[v] * turn[:2]
        flat = joints @ rows.T
        projected[v] = flat + offsets[v]
        slopes[v, keypoint[:, None], :, of_joint] = rows.T
        slopes[v, :, 0, columns.angle.start + v] = scales[v] * (joints @ turn[2])
        slopes[v, :, :, columns.size.start + v] = flat
        slopes[v, :, [0, 1], columns.place.start + 2 * v + np.arange(2)] = 1
    return projected, slopes


def _turned(angles: FloatArray) -> FloatArray:
    """Angles within half a turn of zero, radians."""
    return np.mod(angles + np.pi, 2 * np.pi) - np.pi


def _scale(misses: FloatArray, seen: BoolArray, unknowns: int) -> float:
    """Standard deviation of the residuals ``[V, 23, 2]``, told by their median.

    The unknowns have adapted to the residuals, so there is less of them than of the noise.
    """
    known = 2 * int(seen.sum())
    left = max(known - unknowns, known / 8)
    median = float(np.median(np.linalg.norm(misses[seen], axis=-1)))
    return median / 1.1774 * np.sqrt(known / left)  # the median of a Rayleigh distribution


def _fuse(views: Sequence[_View], azimuths: FloatArray) -> FloatArray:
    """The lifter's readings of all drawings as one, ``[30, 3]`` in the sheet's space.

    The product of von Mises-Fisher distributions is one whose vector is the sum of theirs: where
    the readings disagree it is short.
    """
    total = np.zeros_like(views[0].vectors)
    for view, azimuth in zip(views, azimuths, strict=True):
        total += _READINGS_ERR_TOGETHER * view.vectors @ about_axis(1, float(azimuth))
    kappa = np.linalg.norm(total, axis=1, keepdims=True)
    return total * np.minimum(1, _MOST_CERTAIN / np.maximum(kappa, 1e-9))


def _prior(fused: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What bones should be before anything is drawn: vectors ``[22, 3]`` and their stiffness.

    The stiffness ``[22, 3, 3]`` is the inverse of the covariance: a bone's length varies between
    bodies, and its direction as the fused reading says.
    """
    vectors = fused[: len(_LENGTHS)]
    directions = unit(vectors)
    kappa = np.linalg.norm(vectors, axis=1)
    along = np.einsum("bi,bj->bij", directions, directions)
    across = np.eye(3) - along
    loose = (kappa + 1) / _LENGTHS**2
    tight = 1 / (_LONG * _LENGTHS) ** 2
    stiffness = across * loose[:, None, None] + along * tight[:, None, None]
    return directions * _LENGTHS[:, None], stiffness


def _spreads(joints: FloatArray, covariance: FloatArray) -> FloatArray:
    """Standard deviation ``[22]`` of the bones' directions, radians, from that of the joints."""
    blocks = covariance.reshape(skeleton.COUNT, 3, skeleton.COUNT, 3).transpose(0, 2, 1, 3)
    a, b = _PARENTS, _CHILDREN
    spread = blocks[a, a] + blocks[b, b] - blocks[a, b] - blocks[b, a]
    bones = joints[b] - joints[a]
    along = unit(bones)
    across = np.trace(spread, axis1=1, axis2=2) - np.einsum("bi,bij,bj->b", along, spread, along)
    return np.sqrt(across.clip(0) / 2) / np.maximum(np.linalg.norm(bones, axis=1), 1e-6)
