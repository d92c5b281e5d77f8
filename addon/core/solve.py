"""From 2D keypoints to the pose of a given rig.

The unknowns are rotations: for every bone that carries keypoints, how far it has turned from its
rest pose, in camera space. They are found by damped Gauss-Newton steps (:mod:`.turning`) from the
lifter's reading, so that

- each bone points where it points in the drawing (directions, not positions: a drawing of a child
  still poses a giant), its foreshortening judged by the rig's own bone lengths as far as the
  drawing's proportions agree with them (:mod:`.wishes`);
- it points in depth where the lifter says, as far as the lifter is certain;
- the spine shares its bend, elbows and knees are hinges that close one way, joints stay in their
  ranges (:mod:`.anatomy`), and what nothing determines stays near rest;
- hands touch what they are drawn on, feet stand level on the ground (:mod:`.contacts`).

Bone lengths never enter the unknowns: they are the rig's, or those of a rig that has been stretched
to the drawing's proportions before (:mod:`.proportions`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import skeleton
from .anatomy import Body, want_limits, within_limits
from .camera import Camera
from .contacts import above_sole, find_ground, touches, want_standing, want_touches
from .lift import AXES, Lifted, concentration, lift, telling
from .proportions import find_stretch
from .rest import UP, Rig
from .rotations import about_axis, fit
from .turning import Wishes
from .wishes import (
    lifted_axes,
    lifted_bones,
    want_drawn,
    want_hinges,
    want_lifted,
    want_natural,
)

FloatArray = NDArray[np.float64]

# Radians, standard deviations of up: in the picture, and of one that is given.
_ASKEW = np.radians(5)
_LEVELNESS = np.radians(15)  # how far eyes are from the height that the lifter leaves them at
_KNOWN = np.radians(0.01)


@dataclass(frozen=True)
class Solution:
    """A pose of a rig, and the view in which it looks like the drawing.

    Attributes:
        basis: ``[N, 3, 3]`` each pose bone's own rotation (the rotation of Blender's matrix_basis).
        hips_translation: ``[3]`` metres, world space: how far the hips' head moves from rest.
        joints: ``[23, 3]`` the posed keypoints, world space, metres.
        camera: the drawing's view, in the drawing's pixels.
        projected: ``[23, 2]`` the posed keypoints seen by that camera, pixels.
        stretch: ``[N]`` factors of the bones' lengths; None where they are the rig's.
    """

    basis: FloatArray
    hips_translation: FloatArray
    joints: FloatArray
    camera: Camera
    projected: FloatArray
    stretch: FloatArray | None = None


def pose_matrices(rig: Rig, solution: Solution) -> FloatArray:
    """World matrices ``[N, 4, 4]`` of the posed bones, as Blender would compute them.

    Their axes have no scale, stretched or not.
    """
    rig = rig.stretched(solution.stretch)
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
    ground: bool = True,
    prior: bool = True,
    stretch: bool = False,
    like: Solution | None = None,
) -> Solution:
    """Pose a rig as a drawing shows it.

    Args:
        rig: the rig.
        keypoints: ``[23, 2]`` pixels of the drawing; missing ones may be NaN.
        scores: ``[23]`` 0..1; 0 or NaN where missing.
        lifted: the reading in depth; by default the shipped lifter's.
        size: the drawing's width and height, pixels; by default just large enough for the
            keypoints.
        ground: feet that are drawn on the ground stand on it, level, and the character rests on it
            by its lowest point; otherwise the hips stay where they rest, and the pose does not
            depend on how the drawing is turned.
        prior: what the drawing leaves open bends evenly and stays near rest; otherwise it stays as
            the lifter has it.
        stretch: arms and legs become as long as they are drawn, the same on both sides; otherwise
            the bones keep the rig's lengths.
        like: another pose of the drawing, whose up and lengths are kept.

    Returns:
        The pose. The hips keep their place over the ground and carry the body's turn against the
        view. The camera stands in front of the rest pose, raised only as far as the drawing is seen
        from above or below, and upright but for a few degrees by which feet that stand are drawn
        askew.
    """
    keypoints = np.asarray(keypoints, dtype=np.float64).reshape(skeleton.COUNT, 2)
    scores = np.nan_to_num(np.asarray(scores, dtype=np.float64), nan=0.0).clip(0, 1)
    scores = np.where(np.isfinite(keypoints).all(axis=1), scores, 0.0)
    keypoints = np.where(scores[:, None] > 0, keypoints, 0.0)
    if lifted is None:
        lifted = lift(keypoints, scores)
    scores = telling(keypoints, scores)

    if like is not None:
        up, spread, factors = like.camera.rotation @ UP, (_KNOWN, _KNOWN), like.stretch
    else:
        up, spread = _up(lifted)
        factors = find_stretch(rig, keypoints, scores, lifted) if stretch else None
    body = Body(rig.stretched(factors))
    wishes = Wishes(len(body.nodes))
    want_drawn(wishes, body, keypoints, scores, lifted)
    want_lifted(wishes, body, lifted)
    want_hinges(wishes, body)
    if prior:
        want_natural(wishes, body)
    want_limits(wishes, body)
    turns = wishes.settle(_start(body, lifted))
    # What touches and what stands shows in a pose that already looks like the drawing.
    want_touches(wishes, body, touches(body, turns, scores, lifted))
    feet: tuple[str, ...] = ()
    if ground:
        under = find_ground(body, turns, scores, lifted, up, spread)
        want_standing(wishes, body, under)
        up, feet = under.up, under.feet
    turns = within_limits(body, wishes.settle(turns))

    view = _front_view(rig, up)
    world_turns = view.T @ turns
    joints = rig.joints[0] + body.place(world_turns)
    rise = np.zeros(3)
    if ground:
        lowest = [skeleton.INDEX[name] for name in feet] or slice(None)
        rise[2] = rig.joints[:, 2].min() - (joints[:, 2] - above_sole(body))[lowest].min()
    joints = joints + rise
    camera = _fit_camera(view, joints, keypoints, scores, size, rig.height)
    basis = _basis(rig, body, world_turns)
    return Solution(basis, rise, joints, camera, camera.project(joints), factors)


def _start(body: Body, lifted: Lifted) -> FloatArray:
    """Turns ``[K, 3, 3]`` in camera space, fitted bone by bone to the lifter's directions."""
    sources: list[list[FloatArray]] = [[] for _ in body.nodes]
    targets: list[list[FloatArray]] = [[] for _ in body.nodes]
    weights: list[list[float]] = [[] for _ in body.nodes]

    def want(node: int, source: FloatArray, target: FloatArray, weight: float) -> None:
        sources[node].append(source)
        targets[node].append(target)
        weights[node].append(weight)

    for node, segment, direction, kappa in lifted_bones(body, lifted):
        want(node, segment, direction, float(kappa))
    for name, node, at_rest, axis, kappa in lifted_axes(body, lifted):
        want(node, at_rest, axis, kappa)
        if name in body.hinges:  # the limb below turns about the same axis
            want(body.index[name], at_rest, axis, kappa)

    turns = np.empty((len(body.nodes), 3, 3))
    for node, parent in enumerate(body.parents):
        if parent >= 0:  # a weak wish to turn with the parent settles what is left open
            for axis in np.eye(3):
                want(node, axis, turns[parent] @ axis, 0.5)
        turns[node] = fit(np.array(sources[node]), np.array(targets[node]), weights[node])
    return turns


def _up(lifted: Lifted) -> tuple[FloatArray, tuple[float, float]]:
    """The world's up ``[3]`` in camera space, and its deviations, radians.

    How far it leans towards the eye tells how high the eye is; an uncertain reading leaves the
    camera level, and the hips carry the rest. In the picture it is up, as paper is held upright.

    Returns:
        Up, and its standard deviations towards the eye and in the picture.
    """
    row = AXES.index("Up")
    certainty = float(lifted.axes_certainty[row])
    lean = float(np.arcsin(np.clip(-lifted.axes[row, 2], -1, 1)))
    elevation = np.clip(lean * certainty, np.radians(-30), np.radians(60))
    up = np.array([0.0, -np.cos(elevation), -np.sin(elevation)])
    kappa = float(concentration(certainty))
    return up, (1 / np.sqrt(kappa + 1 / _LEVELNESS**2), _ASKEW)


def _front_view(rig: Rig, up: FloatArray) -> FloatArray:
    """World to camera ``[3, 3]``: before the rest pose, such that the world's up is ``up [3]``."""
    elevation = -float(np.arcsin(np.clip(up[2], -1, 1)))
    forward = -rig.front * np.cos(elevation) - UP * np.sin(elevation)
    upright = np.array([rig.left, np.cross(forward, rig.left), forward])
    return about_axis(2, float(np.arctan2(up[0], -up[1]))) @ upright


def _basis(rig: Rig, body: Body, turns: FloatArray) -> FloatArray:
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
