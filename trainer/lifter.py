"""Train the lifter: 2D keypoints -> 3D bone directions (``addon.core.lift`` runs it).

Poses come from motion capture; everything else about an example is drawn anew each time: body
proportions, camera, and errors like an estimator's (noise, missing joints, swapped sides).

``python -m trainer.lifter train --poses FOLDER`` trains and writes ``addon/models/lifter.npz`` with
its card; ``python -m trainer.lifter evaluate --poses FOLDER`` scores the shipped weights on clips
that no training has seen.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from addon.core import lift, retarget, skeleton
from addon.core.errors import UserError
from addon.core.files import DAMAGE, write_whole
from addon.core.rotations import from_vector, pa_mpjpe, unit

FloatArray = NDArray[np.float64]

HELD_OUT = ("05/", "13/", "martial/")
"""Clips whose names begin so are for evaluation: CMU's subjects 05 (dance), 13 and the martial
arts."""

CORPORA = ("cmu_poses.npz", "cc0_poses.npz")

_Z_TO_Y_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])

# The T-pose that the poses' rotations are put on: each keypoint's place relative to its parent, in
# shares of the body's height; x to the character's left, y up, z to the front. Means over Mixamo,
# MakeHuman and VRM rigs. Limbs are not in it: their directions are the corpus' own.
_TRUNK_OFFSETS: dict[str, tuple[float, float, float]] = {
    "Spine": (0.0, 0.065, -0.002),
    "Spine1": (0.0, 0.066, -0.003),
    "Spine2": (0.0, 0.074, -0.008),
    "Neck": (0.0, 0.09, -0.002),
    "Head": (0.0, 0.055, 0.010),
    "HeadTop_End": (0.0, 0.14, 0.012),
    "LeftShoulder": (0.042, 0.066, 0.006),
    "LeftArm": (0.068, -0.024, -0.002),
    "LeftUpLeg": (0.058, -0.034, -0.003),
    "LeftToeBase": (0.003, -0.045, 0.085),
}
# Spread of those offsets between rigs, as a share of each offset's length.
_TRUNK_SPREAD: dict[str, float] = {
    **dict.fromkeys(("Spine", "Spine1", "Spine2", "Neck", "Head"), 0.12),
    "HeadTop_End": 0.12,
    "LeftShoulder": 0.22,
    "LeftArm": 0.25,
    "LeftUpLeg": 0.22,
    "LeftToeBase": 0.18,
}
_LIMB_LENGTHS: dict[str, float] = {
    "LeftForeArm": 0.160,
    "LeftHand": 0.150,
    "LeftLeg": 0.245,
    "LeftFoot": 0.250,
}
_RATE = 2e-3  # of learning, at its highest
_LATER_RATE = 7e-4  # the same where a trained network goes on
_PLACES = 20.0  # weight of a joint's distance from its place, in body heights, in the loss
_PARENTS, _CHILDREN = np.array(skeleton.BONES).T
_LEFT_BONES = [b for _, b in skeleton.BONES if not skeleton.KEYPOINTS[b].startswith("Right")]
_GROUPS = {  # what a body is long or short of as a whole: (share of spread, members)
    "trunk": ("Spine", "Spine1", "Spine2", "Neck"),
    "head": ("Head", "HeadTop_End"),
    "shoulders": ("LeftShoulder", "LeftArm"),
    "arms": ("LeftForeArm", "LeftHand"),
    "hips": ("LeftUpLeg",),
    "legs": ("LeftLeg", "LeftFoot"),
    "feet": ("LeftToeBase",),
}


@dataclass(frozen=True)
class Corpus:
    """Poses as global rotations, Y up, x to the character's left and z to its front at rest.

    Attributes:
        rotations: ``[P, 23, 3, 3]`` float32, of the bone that starts at each keypoint.
        limbs: ``[23, 3]`` unit directions at rest towards the limbs' keypoints (others zero).
        clip: ``[P]`` row of ``clip_names``.
        clip_names: names of the clips.
    """

    rotations: NDArray[np.float32]
    limbs: FloatArray
    clip: NDArray[np.int64]
    clip_names: list[str]

    def split(self, held_out: bool) -> NDArray[np.int64]:
        """Rows of the poses in the held-out clips, or in all others."""
        mask = np.array([name.startswith(HELD_OUT) for name in self.clip_names])
        return np.flatnonzero(mask[self.clip] == held_out)


def load_corpus(folder: Path, animations: Path | None = None) -> Corpus:
    """Read the pose corpora of ``folder``, and the motions that were read from animation files.

    Args:
        folder: with the files :data:`CORPORA`.
        animations: with motions as ``scripts/read_motions.py`` writes them.

    Raises:
        UserError: a file is missing or is not what it should be.
    """
    try:
        motions = [
            motion for name in CORPORA for motion in retarget.load_corpus(str(folder / name))
        ]
    except ValueError as error:
        raise UserError(
            f"Give --poses the folder with {' and '.join(CORPORA)}: {error}."
        ) from error
    if animations is not None:
        try:
            found = [retarget.Motion.load(path) for path in sorted(animations.glob("*.npz"))]
        except ValueError as error:
            raise UserError(f"Read the animations anew: {error}.") from error
        if not found:
            raise UserError(f"There are no motions in {animations}.")
        motions += found
    body = motions[0].limbs  # everybody's poses are put on the limbs of the first
    limbs = np.zeros((skeleton.COUNT, 3))
    for parent, child in skeleton.BONES:
        if skeleton.KEYPOINTS[parent] in body:
            limbs[child] = _Z_TO_Y_UP @ body[skeleton.KEYPOINTS[parent]]
    return Corpus(
        np.concatenate([_upright(motion, body) for motion in motions]),
        limbs,
        np.repeat(np.arange(len(motions)), [len(motion) for motion in motions]),
        [motion.name.partition("/")[2] or motion.name for motion in motions],
    )


def _upright(motion: retarget.Motion, body: dict[str, FloatArray]) -> NDArray[np.float32]:
    """A motion's rotations ``[F, 23, 3, 3]`` as :class:`Corpus` has them, on limbs that rest so."""
    aligned = retarget.alignments(body, motion.limbs)
    result = np.empty((len(motion), skeleton.COUNT, 3, 3), np.float32)
    for row, name in enumerate(skeleton.KEYPOINTS):
        joint = "Head" if name == "HeadTop_End" else name
        turn = motion.rotations[:, retarget.JOINTS.index(joint)] @ aligned.get(joint, np.eye(3))
        result[:, row] = _Z_TO_Y_UP @ turn @ _Z_TO_Y_UP.T
    return result


def random_rest(limbs: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
    """Offsets ``[count, 23, 3]`` of random bodies in T-pose, from children to chibis and giants.

    Args:
        limbs: ``[23, 3]`` directions of the limbs at rest.
        count: how many.
        rng: the source of chance.
    """
    offsets = np.zeros((count, skeleton.COUNT, 3))
    # One body in five is drawn in proportions that no living person has.
    spread = np.where(rng.random((count, 1)) < 0.2, 0.32, 0.14)
    groups = {name: np.exp(spread * rng.normal(size=(count, 1))) for name in _GROUPS}
    big_headed = rng.random((count, 1)) < 0.12
    groups["head"] = np.where(
        big_headed, groups["head"] * rng.uniform(1.5, 3.5, (count, 1)), groups["head"]
    )
    factor = {member: groups[g] for g, members in _GROUPS.items() for member in members}
    for child in _LEFT_BONES:
        name = skeleton.KEYPOINTS[child]
        own = np.exp(0.06 * rng.normal(size=(count, 1))) * factor[name]
        if name in _TRUNK_OFFSETS:
            mean = np.array(_TRUNK_OFFSETS[name])
            # Slumped or arched rests, wide clavicles, steep feet: rigs differ in direction, too.
            shift = rng.normal(size=(count, 3)) * (_TRUNK_SPREAD[name] * np.linalg.norm(mean))
            left = (mean + shift * (np.array([0.1, 1, 1]) if mean[0] == 0 else 1)) * own
            right = left * np.array([-1, 1, 1])
        else:
            jitter = from_vector(rng.normal(size=(count, 3)) * np.radians(2.0))
            left = _LIMB_LENGTHS[name] * own * (jitter @ limbs[child])
            mirrored = limbs[skeleton.FLIP[child]] * np.array([-1, 1, 1])
            right = _LIMB_LENGTHS[name] * own * (jitter @ mirrored) * np.array([-1, 1, 1])
        offsets[:, child] = left
        if skeleton.FLIP[child] != child:
            # A drawn body is never quite symmetric.
            uneven = np.exp(0.04 * rng.normal(size=(count, 1)))
            offsets[:, skeleton.FLIP[child]] = right * uneven
    return offsets


def body_heights(offsets: FloatArray) -> FloatArray:
    """``[N]`` from the toes to the top of the head in T-pose, of offsets ``[N, 23, 3]``."""
    places = np.zeros_like(offsets)
    for parent, child in skeleton.BONES:
        places[:, child] = places[:, parent] + offsets[:, child]
    return places[..., 1].max(axis=1) - places[..., 1].min(axis=1)


@dataclass(frozen=True)
class Scene:
    """N figures before their cameras.

    Attributes:
        joints: ``[N, 23, 3]`` camera space (x right, y down, z forward), body heights.
        targets: ``[N, 30, 3]`` unit vectors, camera space: the bones, then ``lift.AXES``.
        points: ``[N, 23, 2]`` true keypoints, any unit, y down.
    """

    joints: FloatArray
    targets: FloatArray
    points: FloatArray


def _cameras(count: int, rng: np.random.Generator) -> FloatArray:
    """World (Y up) to camera, ``[N, 3, 3]``: any yaw, elevation -32..65, little roll mostly."""
    yaw = rng.uniform(-np.pi, np.pi, count)
    level = rng.random(count) < 0.4
    high = rng.triangular(-32, 5, 65, count)
    elevation = np.where(level, rng.normal(5, 9, count), high).clip(-32, 65)
    rolled = rng.random(count) < 0.1
    roll = np.where(rolled, rng.uniform(-180, 180, count), rng.normal(0, 8, count))

    def turn(axis: int, angle: FloatArray) -> FloatArray:
        return from_vector(np.eye(3)[axis] * angle[:, None])

    # Seen from the front (+z), the character's left (+x) is on the right: x stays, y and z flip.
    front = np.diag([1.0, -1.0, -1.0])
    return turn(2, np.radians(roll)) @ turn(0, np.radians(-elevation)) @ front @ turn(1, yaw)


def place(rotations: NDArray[np.floating], offsets: FloatArray, rng: np.random.Generator) -> Scene:
    """Put poses ``[N, 23, 3, 3]`` on bodies ``[N, 23, 3]`` and look at each from somewhere."""
    count = len(rotations)
    index = skeleton.INDEX
    cameras = _cameras(count, rng)
    turned = cameras[:, None] @ rotations.astype(np.float64)
    offsets = offsets / body_heights(offsets)[:, None, None]
    bones = np.zeros_like(offsets)
    joints = np.zeros_like(offsets)
    for parent, child in skeleton.BONES:
        bones[:, child] = np.einsum("nij,nj->ni", turned[:, parent], offsets[:, child])
        joints[:, child] = joints[:, parent] + bones[:, child]
    directions = unit(bones[:, [child for _, child in skeleton.BONES]])

    def hinge(side: str, joint: str, end: str, rest_axis: Sequence[float]) -> FloatArray:
        parent = skeleton.KEYPOINTS[skeleton.PARENTS[index[side + joint]]]
        upper, lower = bones[:, index[side + joint]], bones[:, index[side + end]]
        # The plane of a bent limb is exact; where the limb is straight, its twist has to tell.
        across = np.cross(unit(upper), unit(lower))
        return unit(across + 0.2 * turned[:, index[parent]] @ np.array(rest_axis))

    axes = [
        cameras[:, :, 1],
        *(turned[:, index[name], :, 0] for name in ("Hips", "Spine2", "Head")),
        hinge("Left", "ForeArm", "Hand", (0, -0.88, 0.48)),
        hinge("Right", "ForeArm", "Hand", (0, 0.88, -0.48)),
        hinge("Left", "Leg", "Foot", (1, 0, 0)),
        hinge("Right", "Leg", "Foot", (1, 0, 0)),
    ]
    # From a wide lens close by to parallel projection; the figure stands near the picture's middle.
    distance = np.exp(rng.uniform(np.log(1.3), np.log(8), count))
    inverse = np.where(rng.random(count) < 0.3, 0.0, 1 / distance)[:, None]
    centred = joints - (joints.max(axis=1) + joints.min(axis=1))[:, None] / 2
    sideways = rng.normal(0, 0.05, (count, 1, 2)) * distance[:, None, None]
    depth = np.maximum(1 + centred[..., 2] * inverse, 0.2)
    points = (centred[..., :2] + sideways) / depth[..., None]
    return Scene(joints, np.concatenate([directions, np.stack(axes, axis=1)], axis=1), points)


_LIMB_ROWS = [
    [skeleton.INDEX[side + name] for name in names]
    for side in ("Left", "Right")
    for names in (
        ("Arm", "ForeArm", "Hand"),
        ("ForeArm", "Hand"),
        ("UpLeg", "Leg", "Foot", "ToeBase"),
    )
] + [[skeleton.INDEX[n] for n in ("LeftFoot", "LeftToeBase", "RightFoot", "RightToeBase")]]


def spoil(points: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Errors like an estimator's on keypoints ``[N, 23, 2]``.

    Returns:
        points ``[N, 23, 2]`` and scores ``[N, 23]``, 0 where a joint is missing.
    """
    count, joints = points.shape[:2]
    size = (points.max(axis=1) - points.min(axis=1)).max(axis=1)[:, None]
    # Two figures in five come from a careful hand, the others from a network. An estimator's
    # scores follow its errors, but each has its own idea of how.
    careful = rng.random((count, 1)) < 0.4
    level = np.where(careful, 0.001, 0.02 * np.exp(0.5 * rng.normal(size=(count, 1))))
    sigma = level * np.exp(0.5 * rng.normal(size=(count, joints)))
    slipped = ~careful & (rng.random((count, joints)) < 0.04)
    sigma = np.where(slipped, rng.uniform(0.05, 0.2, (count, joints)), sigma)
    noisy = points + rng.normal(size=points.shape) * (sigma * size)[..., None]
    scores = np.exp(-sigma / 0.06) * rng.uniform(0.8, 1.0, sigma.shape)
    scores = np.maximum(scores ** rng.uniform(0.3, 2.0, (count, 1)), 0.02)
    scores = np.where(careful, 1.0, scores)

    swap = ~careful & (rng.random((count, 2)) < 0.04)
    for column, names in enumerate((skeleton.ARMS, skeleton.LEGS)):
        rows = [skeleton.INDEX[n] for n in names]
        other = [skeleton.FLIP[r] for r in rows]
        which = np.flatnonzero(swap[:, column])[:, None]
        noisy[which, rows] = noisy[which, other]

    missing = (rng.random((count, joints)) < 0.15) & (rng.random((count, 1)) < 0.3)
    for rows in _LIMB_ROWS:
        missing[:, rows] |= (rng.random(count) < 0.02)[:, None]
    # Labellings without a full spine or without toes and head top are common.
    coarse = rng.random(count) < 0.08
    common = np.isin(np.arange(joints), [*skeleton.COMMON_INDEX, skeleton.INDEX["Neck"]])
    missing[coarse] |= ~common
    return noisy, np.where(missing, 0.0, scores)


def _rows_below(root: str) -> list[int]:
    """The rows of a keypoint and of everything that hangs from it."""
    rows = [skeleton.INDEX[root]]
    for child, parent in enumerate(skeleton.PARENTS):
        if parent in rows:
            rows.append(child)
    return rows


# Parts of the body that another pose may lend: (the bone that carries it, its rows, how often).
_GRAFTS = (
    ("Hips", _rows_below("Spine"), 0.25),
    ("Spine2", _rows_below("LeftShoulder"), 0.15),
    ("Spine2", _rows_below("RightShoulder"), 0.15),
    ("Spine2", _rows_below("Neck"), 0.15),
    ("Hips", _rows_below("LeftUpLeg"), 0.08),
)


def vary(rotations: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Poses ``[N, 23, 3, 3]`` that nobody has captured: parts lent by others, joints a little off.

    A few hundred clips show far fewer combinations of arms, legs and trunk than drawings do.
    """
    count, joints = rotations.shape[:2]
    result = rotations.copy()
    for root, rows, share in _GRAFTS:
        lent = np.flatnonzero(rng.random(count) < share)
        donors = rotations[rng.permutation(count)[: len(lent)]]
        carrier = skeleton.INDEX[root]
        carried = result[lent, carrier] @ donors[:, carrier].transpose(0, 2, 1)
        result[lent[:, None], rows] = carried[:, None] @ donors[:, rows]
    off = from_vector(rng.normal(size=(count, joints, 3)) * np.radians(3.0)).astype(np.float32)
    return off @ result


class Batch(NamedTuple):
    """N training examples.

    Attributes:
        features: ``[N, 201]``, as the network reads them.
        targets: ``[N, 30, 3]`` unit vectors, normalised frame: the bones, then ``lift.AXES``.
        lengths: ``[N, 22]`` of the bones, body heights.
    """

    features: NDArray[np.float32]
    targets: NDArray[np.float32]
    lengths: NDArray[np.float32]


class Sampler:
    """Draws training batches: clips first, poses second, so that long clips do not rule.

    A clip's chance grows with the square root of its poses: near-duplicates are not among them, so
    a clip with more poses has more to show.
    """

    def __init__(self, corpus: Corpus, rows: NDArray[np.int64], rng: np.random.Generator) -> None:
        self._corpus, self._rows, self._rng = corpus, rows, rng
        sizes = np.bincount(corpus.clip[rows], minlength=len(corpus.clip_names))
        chances = 1 / np.sqrt(sizes[corpus.clip[rows]])
        self._chances = chances / chances.sum()

    def batch(self, size: int) -> Batch:
        """Draw ``size`` figures, each with its own body, camera and errors."""
        rng = self._rng
        rows = rng.choice(self._rows, size, p=self._chances)
        poses = vary(self._corpus.rotations[rows], rng)
        scene = place(poses, random_rest(self._corpus.limbs, size, rng), rng)
        points, targets = scene.points, scene.targets
        lengths = np.linalg.norm(scene.joints[:, _CHILDREN] - scene.joints[:, _PARENTS], axis=-1)
        mirrored = rng.random(size) < 0.5
        points[mirrored] = points[mirrored][:, list(skeleton.FLIP)] * np.array([-1.0, 1.0])
        targets[mirrored] = lift.mirror(targets[mirrored])
        lengths[mirrored] = lengths[mirrored][:, list(lift.BONE_FLIP)]
        seen = lift.normalise(*spoil(points, rng))
        targets[..., :2] = targets[..., :2] @ seen.rotations
        return Batch(seen.features, targets.astype(np.float32), lengths.astype(np.float32))


class Lifter(nn.Module):
    """The network of ``addon.core.lift.forward``, with the batch norms that its beginning needs.

    Args:
        width: of every layer.
        blocks: residual pairs of layers.
        normed: with batch norms, without which a fresh network hardly learns.
    """

    def __init__(self, width: int = 512, blocks: int = 2, *, normed: bool = True) -> None:
        super().__init__()
        self.first = nn.Linear(lift.FEATURES, width)
        self.hidden = nn.ModuleList(nn.Linear(width, width) for _ in range(2 * blocks))
        self.norms = nn.ModuleList(
            nn.BatchNorm1d(width) if normed else nn.Identity() for _ in range(2 * blocks + 1)
        )
        self.last = nn.Linear(width, lift.OUTPUTS)

    @classmethod
    def grown(cls, path: Path, blocks: int) -> Lifter:
        """An exported network as it is, its batch norms folded, and further blocks behind its own.

        The further blocks begin with next to nothing to say, so that the network begins where it
        ended (Chen et al., "Net2Net", ICLR 2016).

        Raises:
            UserError: the file is none of ours, or has more blocks.
        """
        try:
            (weight, bias), *hidden, (last, constant) = lift.layers(path)
        except DAMAGE as error:
            raise UserError(f"{path} has no weights of a lifter: {error}.") from error
        if len(hidden) > 2 * blocks:
            raise UserError(f"{path} has {len(hidden) // 2} blocks: give --blocks so many or more.")
        if len(weight) != lift.FEATURES or len(constant) != lift.OUTPUTS:
            raise UserError(f"{path} is of another version: train from the start.")
        model = cls(len(bias), blocks, normed=False)
        given = [(weight, bias), *hidden, (last, constant)]
        with torch.no_grad():
            for i, layer in enumerate(model.hidden):
                if i % 2 and i >= len(hidden):
                    assert isinstance(layer, nn.Linear)
                    layer.weight.mul_(0.1)
                    layer.bias.zero_()
            kept = [model.first, *list(model.hidden)[: len(hidden)], model.last]
            for layer, (weight, bias) in zip(kept, given, strict=True):
                assert isinstance(layer, nn.Linear)
                layer.weight.copy_(torch.from_numpy(weight.T))
                layer.bias.copy_(torch.from_numpy(bias))
        return model

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """``[N, 201]`` -> von Mises-Fisher vectors ``[N, 30, 3]``."""
        x = torch.relu(self.norms[0](self.first(features)))
        for i in range(0, len(self.hidden), 2):
            y = torch.relu(self.norms[i + 1](self.hidden[i](x)))
            x = x + torch.relu(self.norms[i + 2](self.hidden[i + 1](y)))
        with torch.autocast("cpu", enabled=False):  # a concentration of hundreds needs the digits
            return lift.vectors_of(self.last(x.float()), features)

    def folded(self) -> dict[str, NDArray[np.float16]]:
        """Weights for plain numpy: the batch norms folded into the layers before them."""
        layers: list[tuple[torch.Tensor, torch.Tensor]] = []
        for linear, norm in zip([self.first, *self.hidden], self.norms, strict=True):
            assert isinstance(linear, nn.Linear)
            if isinstance(norm, nn.Identity):
                layers.append((linear.weight, linear.bias))
                continue
            assert isinstance(norm, nn.BatchNorm1d)
            assert norm.running_mean is not None and norm.running_var is not None
            gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            bias = (linear.bias - norm.running_mean) * gain + norm.bias
            layers.append((linear.weight * gain[:, None], bias))
        layers.append((self.last.weight, self.last.bias))
        arrays: dict[str, NDArray[np.float16]] = {}
        for i, (weight, bias) in enumerate(layers):
            arrays[f"w{i}"] = weight.T.detach().numpy().astype(np.float16)
            arrays[f"b{i}"] = bias.detach().numpy().astype(np.float16)
        return arrays


def loss(vectors: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Mean negative log-likelihood of unit targets under von Mises-Fisher distributions.

    On the sphere the density is ``k / (4 pi sinh k) exp(v . t)`` with ``k = |v|`` (Mardia & Jupp,
    "Directional Statistics", 2000); constants are left out.
    """
    kappa = vectors.norm(dim=-1).clamp_min(1e-3)
    log_sinh = kappa + torch.log1p(-torch.exp(-2 * kappa))
    return (log_sinh - torch.log(kappa) - (vectors * targets).sum(dim=-1)).mean()


def misplacement(
    directions: torch.Tensor, targets: torch.Tensor, lengths: torch.Tensor
) -> torch.Tensor:
    """How far joints are from their places, in body heights: where they are and after Procrustes.

    The likelihood weighs each bone for itself, and relative to how sure it is; a pose is looked at
    as a whole, where a thigh carries a leg. Rotation and scale of the Procrustes alignment are held
    fixed for the gradient.

    Args:
        directions: ``[N, 22, 3]`` unit vectors, as lifted.
        targets: ``[N, 22, 3]`` unit vectors, as they are.
        lengths: ``[N, 22]`` body heights.
    """
    placing = torch.from_numpy(_PLACING)
    placed = placing @ (directions * lengths[..., None])
    truth = placing @ (targets * lengths[..., None])
    with torch.no_grad():
        u, singular, vh = torch.linalg.svd(placed.transpose(1, 2) @ truth)
        signs = torch.ones_like(singular)
        signs[:, 2] = torch.det(u @ vh).sign()
        turn = (u * signs[:, None]) @ vh
        scale = (singular * signs).sum(dim=1) / placed.square().sum(dim=(1, 2)).clamp_min(1e-6)
    aligned = scale[:, None, None] * (placed @ turn)
    return (placed - truth).norm(dim=-1).mean() + (aligned - truth).norm(dim=-1).mean()


def _placing() -> NDArray[np.float32]:
    """``[23, 22]``: joints around their mean from the bones' vectors."""
    result = np.zeros((skeleton.COUNT, len(skeleton.BONES)), np.float32)
    for bone, (parent, child) in enumerate(skeleton.BONES):
        result[child] = result[parent]
        result[child, bone] = 1
    return result - result.mean(axis=0)


_PLACING = _placing()


def _running_mean(
    mean: torch.Tensor, value: torch.Tensor, count: torch.Tensor | int
) -> torch.Tensor:
    """A mean over about the last thousand steps, over fewer at the start."""
    return mean + (value - mean) * max(1e-3, 10 / (int(count) + 10))


def train(
    corpus: Corpus,
    *,
    steps: int,
    minutes: float = 0,
    batch: int = 512,
    width: int = 512,
    blocks: int = 2,
    init: Path | None = None,
    seed: int = 0,
    bfloat16: bool = False,
    log: bool = True,
    keep: Callable[[Lifter, int], None] = lambda *_: None,
) -> tuple[Lifter, int]:
    """Train for ``steps`` batches or, if it is not 0, for ``minutes``.

    Args:
        corpus: the poses.
        steps: number of batches.
        minutes: time instead of steps.
        batch: figures in each.
        width: of a fresh network's layers.
        blocks: residual pairs of layers.
        init: exported weights with which to go on, for :meth:`Lifter.grown`.
        seed: of all chance.
        bfloat16: whether to compute in it.
        log: whether to print how it goes.
        keep: called with the network as it is and the number of steps, every ten minutes.

    Returns:
        The running mean of the last weights, and the number of steps.

    Raises:
        UserError: ``init`` is no lifter, or has more blocks.
    """
    torch.manual_seed(seed)
    sampler = Sampler(corpus, corpus.split(held_out=False), np.random.default_rng(seed))
    model = Lifter.grown(init, blocks) if init else Lifter(width, blocks)
    highest = _LATER_RATE if init else _RATE
    started = kept = time.monotonic()
    mean = torch.optim.swa_utils.AveragedModel(model, avg_fn=_running_mean, use_buffers=True)
    optimiser = torch.optim.AdamW(model.parameters(), lr=highest, weight_decay=1e-3)
    step, done = 0, 0.0
    while done < 1:
        step += 1
        # A short rise, then half a cosine down to nothing.
        optimiser.param_groups[0]["lr"] = highest * min(
            20 * done + 1e-3, 0.5 + 0.5 * np.cos(np.pi * done)
        )
        features, targets, lengths = map(torch.from_numpy, sampler.batch(batch))
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            vectors = model(features)
        bones = slice(len(skeleton.BONES))
        directions = nn.functional.normalize(vectors[:, bones], dim=-1)
        distance = misplacement(directions, targets[:, bones], lengths)
        value = loss(vectors, targets) + _PLACES * distance
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        mean.update_parameters(model)
        now = time.monotonic()
        seconds = now - started
        done = seconds / (60 * minutes) if minutes else step / steps
        if log and step % 500 == 0:
            print(
                f"{done:.1%}  step {step}  loss {value.item():.3f}  "
                f"off by {distance.item():.4f}  {seconds:.0f} s",
                flush=True,
            )
        if now - kept > 600:
            keep(_averaged(mean), step)
            kept = now
    return _averaged(mean), step


def _averaged(mean: torch.optim.swa_utils.AveragedModel) -> Lifter:
    result = mean.module
    assert isinstance(result, Lifter)
    return copy.deepcopy(result).eval()


def export(model: Lifter, card: dict[str, object], path: Path = lift.WEIGHTS) -> None:
    """Write the weights and, beside them, the card; each file whole or not at all."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **model.folded())
    write_whole(path, buffer.getvalue())
    lift.layers.cache_clear()  # it may have read this file before
    write_whole(path.with_suffix(".json"), (json.dumps(card, indent=2) + "\n").encode())


def evaluate(
    corpus: Corpus, weights: Path, *, count: int = 1000, seed: int = 0
) -> dict[str, float]:
    """Scores on the held-out clips, random bodies and cameras.

    Returns:
        PA-MPJPE in % of body height (bones put on their true lengths) and the median angle between
        bones in degrees, for true 2D, for 2D with an estimator's errors, and for the baseline that
        leaves every bone in the picture plane.
    """
    rng = np.random.default_rng(seed)
    rows = corpus.split(held_out=True)
    clips = np.unique(corpus.clip[rows])
    chosen = np.array([rng.choice(rows[corpus.clip[rows] == c]) for c in rng.choice(clips, count)])
    scene = place(corpus.rotations[chosen], random_rest(corpus.limbs, count, rng), rng)
    noisy, scores = spoil(scene.points, rng)
    bones = len(skeleton.BONES)
    readings = {
        "true": [lift.lift(p, np.ones(skeleton.COUNT), weights).directions for p in scene.points],
        "estimated": [
            lift.lift(p, s, weights).directions for p, s in zip(noisy, scores, strict=True)
        ],
        "flat": [lift.in_plane(p) for p in scene.points],
    }
    parents, children = np.array(skeleton.BONES).T
    lengths = np.linalg.norm(scene.joints[:, children] - scene.joints[:, parents], axis=-1)
    result: dict[str, float] = {}
    for name, directions in readings.items():
        cosines = (np.array(directions) * scene.targets[:, :bones]).sum(axis=-1)
        angles = np.degrees(np.arccos(cosines.clip(-1, 1)))
        errors = [
            pa_mpjpe(lift.place_bones(d, size), j)
            for d, size, j in zip(directions, lengths, scene.joints, strict=True)
        ]
        result[f"pa_mpjpe_percent_{name}"] = 100 * float(np.mean(errors))
        result[f"median_angle_degrees_{name}"] = float(np.median(angles))
    return result


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="python -m trainer.lifter", description="Train or score the lifter."
    )
    commands = result.add_subparsers(dest="command", required=True)
    for name, text in (("train", "train and export"), ("evaluate", "score on held-out clips")):
        sub = commands.add_parser(name, help=text)
        sub.add_argument("--poses", type=Path, required=True, help="folder with the pose corpora")
        sub.add_argument(
            "--weights", type=Path, default=lift.WEIGHTS, help="the .npz to write or to score"
        )
        sub.add_argument("--seed", type=int, default=0)
        sub.add_argument("--count", type=int, default=1000, help="random views to score on")
        if name == "train":
            sub.add_argument(
                "--animations", type=Path, help="folder that scripts/read_motions.py has written"
            )
            sub.add_argument("--steps", type=int, default=20000)
            sub.add_argument("--minutes", type=float, default=0, help="train so long instead")
            sub.add_argument("--batch", type=int, default=512)
            sub.add_argument("--width", type=int, default=512)
            sub.add_argument("--blocks", type=int, default=2, help="residual pairs of layers (2)")
            sub.add_argument(
                "--init",
                type=Path,
                metavar="NPZ",
                help="go on with these weights; more --blocks than they have are added to them",
            )
            sub.add_argument(
                "--bfloat16", action="store_true", help="faster on processors that know bfloat16"
            )
        else:
            sub.add_argument("--json", type=Path, help="also write the scores here")
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        if options.command == "train":
            corpus = load_corpus(options.poses, options.animations)
            before = _training_of(options.init) if options.init else None
            part = options.weights.with_suffix(".part.npz")
            started = time.monotonic()

            def keep(model: Lifter, steps: int, scores: dict[str, float], path: Path) -> None:
                minutes = (time.monotonic() - started) / 60
                export(model, _card(options, model, steps, minutes, scores, before), path)

            model, steps = train(
                corpus,
                steps=options.steps,
                minutes=options.minutes,
                batch=options.batch,
                width=options.width,
                blocks=options.blocks,
                init=options.init,
                seed=options.seed,
                bfloat16=options.bfloat16,
                keep=lambda model, steps: keep(model, steps, {}, part),
            )
            keep(model, steps, {}, part)
            scores = evaluate(corpus, part, count=options.count)
            keep(model, steps, scores, options.weights)
            for path in (part, part.with_suffix(".json")):
                path.unlink()
        else:
            if not options.weights.exists():
                raise UserError(f"{options.weights} does not exist: train first.")
            corpus = load_corpus(options.poses)
            scores = evaluate(corpus, options.weights, count=options.count, seed=options.seed)
            if options.json:
                write_whole(options.json, (json.dumps(scores, indent=2) + "\n").encode())
        for name, value in scores.items():
            print(f"{name:32s} {value:.2f}")
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _training_of(weights: Path) -> object:
    """What a card beside weights says of their training; nothing where there is none."""
    try:
        return json.loads(weights.with_suffix(".json").read_text())["training"]
    except FileNotFoundError:
        return None
    except DAMAGE as error:
        raise UserError(f"The card of {weights} is damaged: {error}.") from error


def _card(
    options: argparse.Namespace,
    model: Lifter,
    steps: int,
    minutes: float,
    scores: dict[str, float],
    before: object,
) -> dict[str, object]:
    width, blocks = model.first.out_features, len(model.hidden) // 2
    return {
        "name": "Croquis lifter",
        "task": "2D keypoints of one figure -> 3D directions of its bones, camera space",
        "architecture": f"MLP, width {width}, {blocks} residual blocks, vMF outputs",
        "keypoints": list(skeleton.KEYPOINTS),
        "axes": list(lift.AXES),
        "training": {
            "data": "CMU motion capture (mocap.cs.cmu.edu, NSF EIA-0196217); CC0 animations of "
            "Mesh2Motion and KayKit; random cameras, proportions and 2D errors",
            "further_animations": len(list(options.animations.glob("*.npz")))
            if options.animations
            else 0,
            "held_out": "CMU subjects 05 and 13, martial arts",
            "steps": steps,
            "batch": options.batch,
            "seed": options.seed,
            "bfloat16": options.bfloat16,
            "minutes": round(minutes, 1),
            "before": before,
        },
        "scores": {name: round(value, 2) for name, value in scores.items()},
        "weaknesses": "The depth of a single drawing is a guess: of a limb that may point to "
        "either side, it takes the more usual one. Acrobatic and lying poses are rare in training.",
        "licence": "GPL-3.0-or-later",
    }


if __name__ == "__main__":
    sys.exit(main())
