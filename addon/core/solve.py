"""From 2D keypoints to the pose of a given rig.

The unknowns are rotations: for every bone that carries keypoints, how far it has turned from its
rest pose, in camera space. They are found by damped Gauss-Newton steps from the lifter's reading,
so that

- each bone points where it points in the drawing (directions, not positions: a drawing of a child
  still
  poses a giant), its foreshortening judged by the rig's own bone lengths as far as the drawing's
  proportions agree with them;
- it points in depth where the lifter says, as far as the lifter is certain;
- the spine shares its bend, elbows and knees are hinges that close one way, and what nothing
  determines stays near rest.

Every such wish is linear in the rotations, so its Jacobian is exact and cheap. Bone lengths never
enter
the unknowns: they are the rig's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import rigs, skeleton
from .camera import Camera
from .lift import AXES, Lifted, lift
from .rotations import between, fit, from_vector, unit

FloatArray = NDArray[np.float64]

_UP = np.array([0.0, 0.0, 1.0])
# The joint that closes, and the end of the limb below it.
_END = {
    side + joint: side + end
    for side in ("Left", "Right")
    for joint, end in (("ForeArm", "Hand"), ("Leg", "Foot"))
}
_FEET = ("LeftFoot", "RightFoot", "LeftToeBase", "RightToeBase")

# Standard deviations of the wishes: radians, or shares of a unit vector.
_DRAWN_ANGLE = 0.02
_KEYPOINT_NOISE = (0.003, 0.03)  # of the figure's height, at score one and at score zero
_HINGE = 0.05
_LIMIT = 0.03
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
# Bend of elbows and knees, degrees; a little beyond straight is human.
_BEND_RANGE = (-4.0, 155.0)
_STEPS = 8


@dataclass(frozen=True)
class Rig:
    """An armature's rest pose, in Blender's world space (metres, Z up).

    Attributes:
        names: ``[N]`` the bones' names.
        parents: ``[N]`` row of each bone's parent, -1 for roots; parents come first.
        rest: ``[N, 4, 4]`` rest matrices: the head's place and orthonormal axes, Y along the bone.
            The armature object's transform is applied.
        lengths: ``[N]`` metres from head to tail.
        mapping: keypoint name -> row of the bone that starts there (see :mod:`.rigs`).
    """

    names: Sequence[str]
    parents: NDArray[np.int64]
    rest: FloatArray
    lengths: FloatArray
    mapping: dict[str, int]

    @classmethod
    def from_bones(
        cls,
        names: Sequence[str],
        parents: ArrayLike,
        rest: ArrayLike,
        lengths: ArrayLike,
    ) -> Rig:
        """A rig whose keypoints are found by the bones' names.

        Raises:
            UserError: needed limbs are missing (see :func:`.rigs.match`).
        """
        parents = np.asarray(parents, dtype=np.int64)
        rows = {name: i for i, name in enumerate(names)}
        mapping = {k: rows[bone] for k, bone in rigs.match(names, parents.tolist()).items()}
        rest = np.asarray(rest, dtype=np.float64)
        return cls(names, parents, rest, np.asarray(lengths, dtype=np.float64), mapping)

    @property
    def heads(self) -> FloatArray:
        """``[N, 3]`` the bones' heads at rest, metres."""
        return self.rest[:, :3, 3]

    @cached_property
    def carriers(self) -> list[int]:
        """For each of the 23 keypoints, the row of the keypoint whose bone carries it.

        A keypoint that starts a bone of the rig carries itself; the others ride on the nearest
        ancestor that has a bone.
        """
        result: list[int] = []
        for i, name in enumerate(skeleton.KEYPOINTS):
            result.append(i if name in self.mapping else result[skeleton.PARENTS[i]])
        return result

    @cached_property
    def joints(self) -> FloatArray:
        """``[23, 3]`` the keypoints at rest, metres; those without a bone stand where they should.

        A missing end (top of the head, toes) is its parent bone's tail; a missing joint inside a
        chain lies half way to the next one.
        """
        joints = np.full((skeleton.COUNT, 3), np.nan)
        for name, bone in self.mapping.items():
            joints[skeleton.INDEX[name]] = self.heads[bone]
        for i in range(skeleton.COUNT):
            if np.isfinite(joints[i]).all():
                continue
            parent = skeleton.PARENTS[i]  # parents come first, so it has its place already
            child = self._next_mapped(i)
            if child is not None:
                joints[i] = (joints[parent] + joints[child]) / 2
            else:
                bone = self.mapping[skeleton.KEYPOINTS[self.carriers[i]]]
                joints[i] = self.heads[bone] + self.rest[bone, :3, 1] * self.lengths[bone]
        return joints

    def _next_mapped(self, keypoint: int) -> int | None:
        """The first keypoint below that has a bone, depth first."""
        for child, parent in enumerate(skeleton.PARENTS):
            if parent == keypoint:
                if skeleton.KEYPOINTS[child] in self.mapping:
                    return child
                below = self._next_mapped(child)
                if below is not None:
                    return below
        return None

    @cached_property
    def left(self) -> FloatArray:
        """``[3]`` horizontal unit vector to the character's own left at rest."""
        across = np.zeros(3)
        for name in ("Arm", "UpLeg"):
            across += self.joints[skeleton.INDEX["Left" + name]]
            across -= self.joints[skeleton.INDEX["Right" + name]]
        across[2] = 0.0
        return unit(across) if across.any() else np.array([1.0, 0.0, 0.0])

    @property
    def front(self) -> FloatArray:
        """``[3]`` horizontal unit vector in which the character looks at rest."""
        return np.cross(self.left, _UP)

    @property
    def height(self) -> float:
        """Metres between the lowest and the highest keypoint at rest."""
        return float(max(np.ptp(self.joints[:, 2]), 1e-6))


@dataclass(frozen=True)
class Solution:
    """A pose of a rig, and the view in which it looks like the drawing.

    Attributes:
        basis: ``[N, 3, 3]`` each pose bone's own rotation (the rotation of Blender's matrix_basis).
        hips_translation: ``[3]`` metres, world space: how far the hips' head moves from rest.
        joints: ``[23, 3]`` the posed keypoints, world space, metres.
        camera: the drawing's view, in the drawing's pixels.
        projected: ``[23, 2]`` the posed keypoints seen by that camera, pixels.
    """

    basis: FloatArray
    hips_translation: FloatArray
    joints: FloatArray
    camera: Camera
    projected: FloatArray


def pose_matrices(rig: Rig, solution: Solution) -> FloatArray:
    """World matrices ``[N, 4, 4]`` of the posed bones, as Blender would compute them."""
    pose = np.empty_like(rig.rest)
    hips = rig.mapping["Hips"]
    for i, parent in enumerate(rig.parents):
        local = rig.rest[i]
        if parent >= 0:
            local = pose[parent] @ np.linalg.inv(rig.rest[parent]) @ rig.rest[i]
        pose[i] = local
        pose[i, :3, :3] = local[:3, :3] @ solution.basis[i]
        if i == hips:
            pose[i, :3, 3] += solution.hips_translation
    return pose


def solve(
    rig: Rig,
    keypoints: ArrayLike,
    scores: ArrayLike,
    lifted: Lifted | None = None,
    *,
    size: tuple[int, int] | None = None,
) -> Solution:
    """Pose a rig as a drawing shows it.

    Args:
        rig: the rig.
        keypoints: ``[23, 2]`` pixels of the drawing; missing ones may be NaN.
        scores: ``[23]`` 0..1; 0 or NaN where missing.
        lifted: the reading in depth; by default the shipped lifter's.
        size: the drawing's width and height, pixels; by default just large enough for the
            keypoints.

    Returns:
        The pose. The hips keep their place over the ground and carry the body's turn against the
        view; the character rests on the ground by its lowest point. The camera stands in front of
        the rest pose, upright, raised only as far as the drawing is seen from above or below.
    """
    keypoints = np.asarray(keypoints, dtype=np.float64).reshape(skeleton.COUNT, 2)
    scores = np.nan_to_num(np.asarray(scores, dtype=np.float64), nan=0.0).clip(0, 1)
    scores = np.where(np.isfinite(keypoints).all(axis=1), scores, 0.0)
    keypoints = np.where(scores[:, None] > 0, keypoints, 0.0)
    if lifted is None:
        lifted = lift(keypoints, scores)

    body = _Body(rig)
    turns = _refine(body, _start(body, lifted), keypoints, scores, lifted)
    turns = _close_hinges(body, turns)

    view = _view(rig, lifted)
    world_turns = view.T @ turns
    basis = _basis(rig, body, world_turns)
    joints = body.place(world_turns)
    lift_by = np.array([0.0, 0.0, _ground(rig, joints)])
    joints = joints + lift_by
    camera = _fit_camera(view, joints, keypoints, scores, size, rig.height)
    return Solution(basis, lift_by, joints, camera, camera.project(joints))


class _Body:
    """What the solver needs of a rig, as arrays.

    Nodes are the bones that are posed: those from which another keypoint hangs.
    """

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        carriers = rig.carriers
        rows = sorted({carriers[parent] for parent, _ in skeleton.BONES})
        self.nodes = [skeleton.KEYPOINTS[row] for row in rows]
        self.index = {name: i for i, name in enumerate(self.nodes)}
        # The node that turns each segment of skeleton.BONES, and the segment at rest.
        self.bone_node = np.array([rows.index(carriers[parent]) for parent, _ in skeleton.BONES])
        ends = rig.joints[np.array(skeleton.BONES)]
        self.segments = ends[:, 1] - ends[:, 0]
        self.lengths = np.linalg.norm(self.segments, axis=1)
        self.parents = [self._parent(row, rows) for row in rows]
        self.hinges = {joint: self._hinge(joint) for joint in _END}

    def _parent(self, row: int, rows: list[int]) -> int:
        up = skeleton.PARENTS[row]
        return -1 if up < 0 else rows.index(self.rig.carriers[up])

    def segment(self, child: str) -> FloatArray:
        """The rest direction ``[3]`` of the segment that ends at a keypoint."""
        row = [b for _, b in skeleton.BONES].index(skeleton.INDEX[child])
        return unit(self.segments[row])

    def _hinge(self, joint: str) -> FloatArray:
        """The axis ``[3]`` at rest about which an elbow or a knee closes."""
        rig = self.rig
        upper, lower = self.segment(joint), self.segment(_END[joint])
        if joint.endswith("Leg"):
            axis = rig.left
        else:
            axis = np.cross(upper, rig.front)
            if np.linalg.norm(axis) < 0.3:  # arms stretched forwards: as from a T-pose turned there
                axis = -_UP if joint.startswith("Left") else _UP
        axis = unit(axis - (axis @ upper) * upper)
        # A rest pose whose limb is bent already shows its axis.
        bent = np.cross(upper, lower)
        if bent @ axis > 0.25:
            axis = unit(bent)
        return axis

    def place(self, turns: FloatArray) -> FloatArray:
        """The keypoints ``[23, 3]`` under world-space turns ``[K, 3, 3]``; the hips stay."""
        joints = np.empty((skeleton.COUNT, 3))
        joints[0] = self.rig.joints[0]
        moved = np.einsum("bij,bj->bi", turns[self.bone_node], self.segments)
        for (parent, child), step in zip(skeleton.BONES, moved, strict=True):
            joints[child] = joints[parent] + step
        return joints


def _lifted_bones(
    body: _Body, lifted: Lifted
) -> Iterator[tuple[int, FloatArray, FloatArray, float]]:
    """Of each bone: its node, its direction at rest, the lifted one, and how much that weighs."""
    return zip(
        body.bone_node,
        unit(body.segments),
        lifted.directions,
        _kappa(lifted.certainty),
        strict=True,
    )


def _kappa(certainty: FloatArray) -> FloatArray:
    """Concentration of a von Mises-Fisher distribution from its mean resultant length.

    The approximation of Banerjee et al., JMLR 6 (2005), for three dimensions.
    """
    r = np.clip(certainty, 0.0, 0.999)
    return r * (3 - r**2) / (1 - r**2)


def _start(body: _Body, lifted: Lifted) -> FloatArray:
    """Turns ``[K, 3, 3]`` in camera space, fitted bone by bone to the lifter's directions."""
    sources: list[list[FloatArray]] = [[] for _ in body.nodes]
    targets: list[list[FloatArray]] = [[] for _ in body.nodes]
    weights: list[list[float]] = [[] for _ in body.nodes]

    def want(node: int, source: FloatArray, target: FloatArray, weight: float) -> None:
        sources[node].append(source)
        targets[node].append(target)
        weights[node].append(weight)

    for node, segment, direction, kappa in _lifted_bones(body, lifted):
        want(node, segment, direction, float(kappa))
    for name, axis, kappa in zip(AXES, lifted.axes, _kappa(lifted.axes_certainty), strict=True):
        if name in body.hinges:
            upper = body.index[skeleton.KEYPOINTS[skeleton.PARENTS[skeleton.INDEX[name]]]]
            for node in (upper, body.index[name]):
                want(node, body.hinges[name], axis, float(kappa))
        elif name in body.index:
            want(body.index[name], body.rig.left, axis, float(kappa))

    turns = np.empty((len(body.nodes), 3, 3))
    for node, parent in enumerate(body.parents):
        if parent >= 0:  # a weak wish to turn with the parent settles what is left open
            for axis in np.eye(3):
                want(node, axis, turns[parent] @ axis, 0.5)
        turns[node] = fit(np.array(sources[node]), np.array(targets[node]), weights[node])
    return turns


@dataclass
class _Wishes:
    """Residuals ``weight @ (sum of turn[node] @ vector) - target``, stacked.

    Attributes:
        nodes: ``[T, 3]``; unused slots are node 0 with a zero vector.
        vectors: ``[T, 3, 3]`` rest-space vector of each slot.
        weights: ``[T, 3, 3]``.
        targets: ``[T, 3]``, weighted already.
    """

    nodes: list[tuple[int, int, int]]
    vectors: list[FloatArray]
    weights: list[FloatArray]
    targets: list[FloatArray]

    @classmethod
    def empty(cls) -> _Wishes:
        return cls([], [], [], [])

    def add(
        self,
        terms: Sequence[tuple[int, FloatArray]],
        weight: FloatArray,
        target: FloatArray | None = None,
    ) -> None:
        padded = [*terms, *[(0, np.zeros(3))] * (3 - len(terms))]
        self.nodes.append((padded[0][0], padded[1][0], padded[2][0]))
        self.vectors.append(np.array([vector for _, vector in padded]))
        self.weights.append(weight)
        self.targets.append(np.zeros(3) if target is None else weight @ target)


def _refine(
    body: _Body, turns: FloatArray, keypoints: FloatArray, scores: FloatArray, lifted: Lifted
) -> FloatArray:
    """Levenberg-Marquardt steps on the turns; each is ``exp(w) @ turn`` with w in camera space."""
    wishes = _Wishes.empty()
    _want_drawn(wishes, body, keypoints, scores, lifted)
    _want_lifted(wishes, body, lifted)
    _want_anatomy(wishes, body)
    nodes, vectors = np.array(wishes.nodes), np.array(wishes.vectors)
    weights, targets = np.array(wishes.weights), np.array(wishes.targets)
    count = len(body.nodes)

    def residuals(turns: FloatArray) -> FloatArray:
        total = np.einsum("tsij,tsj->ti", turns[nodes], vectors)
        plain = np.einsum("tij,tj->ti", weights, total) - targets
        return np.concatenate([plain.ravel(), _bend_limits(body, turns)[0]])

    def jacobian(turns: FloatArray) -> FloatArray:
        moved = np.einsum("tsij,tsj->tsi", turns[nodes], vectors)
        result = np.zeros((len(nodes), 3, count, 3))
        every = np.arange(len(nodes))
        for slot in range(3):
            # d(exp(w) v) = w x v, row by row of the weight: weight_r . (w x v) = w . (v x weight_r)
            result[every, :, nodes[:, slot]] += np.cross(moved[:, slot, None], weights)
        return np.concatenate(
            [result.reshape(-1, 3 * count), _bend_limits(body, turns)[1].reshape(-1, 3 * count)]
        )

    damping, current = 1e-2, residuals(turns)
    for _ in range(_STEPS):
        slope = jacobian(turns)
        normal, gradient = slope.T @ slope, slope.T @ current
        # One damping for the three axes of a node: the steps then turn with the drawing.
        scale = np.repeat(np.diag(normal).reshape(-1, 3).mean(axis=1) + 1e-6, 3)
        step = np.linalg.solve(normal + damping * np.diag(scale), -gradient)
        trial = from_vector(step.reshape(count, 3)) @ turns
        value = residuals(trial)
        if value @ value < current @ current:
            turns, current, damping = trial, value, damping * 0.2
            if np.abs(step).max() < 1e-4:
                break
        else:
            damping *= 8
    return turns


def _drawn_scale(body: _Body, drawn: FloatArray, known: NDArray[np.bool_], lifted: Lifted) -> float:
    """Pixels per metre: the drawn lengths against the rig's, foreshortened as the lifter says."""
    expected = body.lengths * np.linalg.norm(lifted.directions[:, :2], axis=1)
    use = known & (expected > 1e-9)
    if not use.any():
        return 1.0
    ratio = np.linalg.norm(drawn[use], axis=1) / expected[use]
    order = np.argsort(ratio)
    share = np.cumsum(expected[use][order])
    return float(max(ratio[order][np.searchsorted(share, share[-1] / 2)], 1e-9))


def _want_drawn(
    wishes: _Wishes,
    body: _Body,
    keypoints: FloatArray,
    scores: FloatArray,
    lifted: Lifted,
) -> None:
    """Bones point in the picture as they are drawn, and are foreshortened as they are drawn."""
    parents, children = np.array(skeleton.BONES).T
    drawn = keypoints[children] - keypoints[parents]
    known = (scores[parents] > 0) & (scores[children] > 0)
    scale = _drawn_scale(body, drawn, known, lifted)
    full = np.maximum(body.lengths * scale, 1e-9)  # each bone's length in the picture plane, pixels
    ratio = np.linalg.norm(drawn, axis=1) / full
    # The drawing's proportions are trusted as far as its lengths are those that the lifter expects.
    surprise = np.abs(ratio - np.linalg.norm(lifted.directions[:, :2], axis=1))[known]
    proportion = max(0.04, 1.5 * float(np.median(surprise))) if known.any() else 1.0

    low, high = _KEYPOINT_NOISE
    noise = (low + (high - low) * (1 - scores)) * body.rig.height * scale  # pixels
    for b in np.flatnonzero(known & (np.linalg.norm(drawn, axis=1) > 1e-9)):
        name = skeleton.without_side(skeleton.KEYPOINTS[children[b]])
        spread = np.hypot(noise[parents[b]], noise[children[b]]) / full[b]
        across = _VAGUE.get(name, 1.0) * np.hypot(spread, _DRAWN_ANGLE)
        along = _VAGUE.get(name, 1.0) * np.hypot(spread, proportion)
        x, y = unit(drawn[b])
        weight = np.array([[-y / across, x / across, 0], [x / along, y / along, 0], [0, 0, 0]])
        target = np.array([x, y, 0.0]) * min(ratio[b], 1.0)
        wishes.add([(int(body.bone_node[b]), unit(body.segments[b]))], weight, target)

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


def _want_lifted(wishes: _Wishes, body: _Body, lifted: Lifted) -> None:
    """Bones and bending axes point where the lifter says, as far as it is certain."""
    for node, segment, direction, kappa in _lifted_bones(body, lifted):
        wishes.add([(node, segment)], np.eye(3) * np.sqrt(kappa), direction)
    for name, axis, kappa in zip(AXES, lifted.axes, _kappa(lifted.axes_certainty), strict=True):
        if name in body.hinges:
            upper = body.index[skeleton.KEYPOINTS[skeleton.PARENTS[skeleton.INDEX[name]]]]
            wishes.add([(upper, body.hinges[name])], np.eye(3) * np.sqrt(kappa), axis)
        elif name in body.index:
            wishes.add([(body.index[name], body.rig.left)], np.eye(3) * np.sqrt(kappa), axis)


def _want_anatomy(wishes: _Wishes, body: _Body) -> None:
    """The prior: a shared bend of the spine, hinges, and small turns against the parent."""
    frame = np.array([body.rig.left, body.rig.front, _UP])
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
        if name in body.hinges:
            axis = body.hinges[name]
            wishes.add([(node, axis), (parent, -axis)], np.eye(3) / _HINGE)

    trunk = [
        body.index[n]
        for n in ("Hips", "Spine", "Spine1", "Spine2", "Neck", "Head")
        if n in body.index
    ]
    for below, node, above in zip(trunk, trunk[1:], trunk[2:], strict=False):
        for axis in frame:
            terms = [(node, axis), (below, -axis / 2), (above, -axis / 2)]
            wishes.add(terms, np.eye(3) / _SPINE_SHARE)


def _bend_limits(body: _Body, turns: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Elbows and knees that bend the wrong way: residuals ``[4]`` and Jacobian ``[4, K, 3]``."""
    values = np.zeros(len(body.hinges))
    slopes = np.zeros((len(body.hinges), len(turns), 3))
    least = np.sin(np.radians(_BEND_RANGE[0]))
    for i, (name, hinge) in enumerate(body.hinges.items()):
        node, parent = body.index[name], body.parents[body.index[name]]
        upper = turns[parent] @ body.segment(name)
        lower = turns[node] @ body.segment(_END[name])
        # The sine of the bend is det(hinge, upper, lower); upper and hinge turn together.
        across = np.cross(turns[parent] @ hinge, upper)
        excess = across @ lower - least
        if excess < 0:
            values[i] = excess / _LIMIT
            slopes[i, node] = np.cross(lower, across) / _LIMIT
            slopes[i, parent] = -slopes[i, node]
    return values, slopes


def _close_hinges(body: _Body, turns: FloatArray) -> FloatArray:
    """Make elbows and knees exact hinges within their limits.

    The upper limb twists about itself until the lower one lies in the hinge's plane; a bend beyond
    the limits is brought back to them.
    """
    turns = turns.copy()
    for name, hinge in body.hinges.items():
        node, parent = body.index[name], body.parents[body.index[name]]
        upper = turns[parent] @ body.segment(name)
        lower = turns[node] @ body.segment(_END[name])
        axis = turns[parent] @ hinge
        across = np.cross(axis, upper)
        out_of_plane = np.arctan2(lower @ axis, lower @ across)
        if abs(out_of_plane) < np.pi / 2:
            # A nearly straight limb has no plane to speak of: there the twist stays as it is.
            bend = np.degrees(np.arccos(np.clip(lower @ upper, -1, 1)))
            share = np.clip((bend - 5) / 15, 0, 1)
            turns[parent] = from_vector(upper * out_of_plane * share) @ turns[parent]
        across = np.cross(turns[parent] @ hinge, upper)
        bend = np.degrees(np.arctan2(lower @ across, lower @ upper))
        if not _BEND_RANGE[0] <= bend <= _BEND_RANGE[1]:
            allowed = np.radians(np.clip(bend, *_BEND_RANGE))
            wanted = np.cos(allowed) * upper + np.sin(allowed) * across
            turns[node] = between(lower, wanted) @ turns[node]
    return turns


def _front_view(rig: Rig, elevation: float) -> FloatArray:
    """World to camera ``[3, 3]``: upright, before the rest pose, ``elevation`` radians up."""
    forward = -rig.front * np.cos(elevation) - _UP * np.sin(elevation)
    right = rig.left
    return np.array([right, np.cross(forward, right), forward])


def _view(rig: Rig, lifted: Lifted) -> FloatArray:
    """The drawing's view as a rotation world to camera ``[3, 3]``.

    How far the world's up leans towards the eye tells the elevation; an uncertain reading leaves
    the camera level, and the hips carry the rest.
    """
    row = AXES.index("Up")
    lean = float(np.arcsin(np.clip(-lifted.axes[row, 2], -1, 1)))
    elevation = np.clip(lean * float(lifted.axes_certainty[row]), np.radians(-30), np.radians(60))
    return _front_view(rig, float(elevation))


def _basis(rig: Rig, body: _Body, turns: FloatArray) -> FloatArray:
    """Each bone's own rotation ``[N, 3, 3]`` from the nodes' turns since rest, world space."""
    posed = {rig.mapping[name]: turns[i] for name, i in body.index.items()}
    total = np.empty((len(rig.parents), 3, 3))
    basis = np.empty_like(total)
    for i, parent in enumerate(rig.parents):
        inherited = total[parent] if parent >= 0 else np.eye(3)
        total[i] = posed.get(i, inherited)
        axes = rig.rest[i, :3, :3]
        basis[i] = axes.T @ inherited.T @ total[i] @ axes
    return basis


def _ground(rig: Rig, joints: FloatArray) -> float:
    """Metres to raise the pose so that it rests on the ground by its lowest keypoint.

    Feet stand as high as at rest; other joints have some flesh around them.
    """
    flesh = np.full(skeleton.COUNT, 0.04 * rig.height)
    floor = float(rig.joints[:, 2].min())
    rows = [skeleton.INDEX[name] for name in _FEET]
    flesh[rows] = rig.joints[rows, 2] - floor
    return float((floor + flesh - joints[:, 2]).max())


def _fit_camera(
    view: FloatArray,
    joints: FloatArray,
    keypoints: FloatArray,
    scores: FloatArray,
    size: tuple[int, int] | None,
    height: float,
) -> Camera:
    """The parallel camera of a given rotation whose picture lies best on the drawing."""
    flat = joints @ view.T
    total = max(float(scores.sum()), 1e-9)
    middle, drawn_middle = scores @ flat[:, :2] / total, scores @ keypoints / total
    a, b = flat[:, :2] - middle, keypoints - drawn_middle
    spread = float(scores @ (a**2).sum(axis=1))
    scale = float(scores @ (a * b).sum(axis=1)) / spread if spread > 1e-12 else 0.0
    if not scale > 1e-9:  # nothing, or a single point, is drawn
        scale = 100.0 / height
    if size is None:
        size = (max(1, int(keypoints[:, 0].max()) + 1), max(1, int(keypoints[:, 1].max()) + 1))
    centre = np.array(size, dtype=np.float64) / 2
    shift = (drawn_middle - centre) / scale - middle
    # A parallel camera may stand anywhere along its axis: far enough to have the figure before it.
    depth = 4 * height - float(flat[:, 2].mean())
    return Camera(view, np.array([*shift, depth]), scale, centre, size, orthographic=True)
