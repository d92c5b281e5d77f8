"""From 2D keypoints to 3D bone directions: the lifter's forward pass, in plain numpy.

The network is a multilayer perceptron in the line of Martinez et al., "A simple yet effective
baseline for 3d human pose estimation" (ICCV 2017). It sees only where the keypoints lie relative to
each other: position, size and rotation of the drawing in its plane are taken out before and put
back after, so the lifted pose turns with the drawing. Beside the keypoints it is given each bone as
drawn, for a direction in the picture is a fact and only its depth a guess: what it says of a bone
is the sum of a vector in the figure's frame and one along and across the bone as drawn. Each output
is a mean vector of a von Mises-Fisher distribution on the sphere: it points in the expected
direction, and its length is the concentration kappa. ``trainer/lifter.py`` trains it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import skeleton
from .rotations import unit

FloatArray = NDArray[np.float64]

WEIGHTS = Path(__file__).parents[1] / "models" / "lifter.npz"

AXES: tuple[str, ...] = (
    "Up",
    "Hips",
    "Spine2",
    "Head",
    "LeftForeArm",
    "RightForeArm",
    "LeftLeg",
    "RightLeg",
)
"""Directions beside the bones: the world's up, the character's left as the hips, chest and head
carry it, and the axes about which elbows and knees bend (right-handed, positive when the joint
closes)."""

AXIS_FLIP: tuple[int, ...] = tuple(AXES.index(skeleton.mirror_name(name)) for name in AXES)
"""Row of each axis in the mirrored figure."""

BONE_FLIP: tuple[int, ...] = tuple(
    skeleton.BONES.index((skeleton.FLIP[a], skeleton.FLIP[b])) for a, b in skeleton.BONES
)
"""Row of each bone of ``skeleton.BONES`` in the mirrored figure."""

_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(64)
_SHORT = 0.01  # of a bone that is drawn as a point, in root-mean-square radii of the figure
_BOTTOM = [skeleton.INDEX[n] for n in ("Hips", "LeftUpLeg", "RightUpLeg")]
_TOP = [skeleton.INDEX[n] for n in ("Neck", "LeftArm", "RightArm", "Spine2")]
_WIDTHS = {"UpLeg": 0.025, "Arm": 0.04}  # shares of the figure's size below which there is none
_ROOTS = [skeleton.INDEX[s + n] for s in ("Left", "Right") for n in ("UpLeg", "Shoulder", "Arm")]
_PARENTS, _CHILDREN = np.array(skeleton.BONES).T
_ALONG = slice(-2 * len(skeleton.BONES), None)  # columns of the bones' directions as drawn

FEATURES = 3 * skeleton.COUNT + 6 * len(skeleton.BONES)
"""Numbers that the network reads of a figure."""

OUTPUTS = 3 * (len(skeleton.BONES) + len(AXES)) + 2 * len(skeleton.BONES)
"""Numbers that it says: see :func:`vectors_of`."""


@dataclass(frozen=True)
class Lifted:
    """The lifter's reading of one figure, camera space (x right, y down, z forward).

    Attributes:
        directions: ``[22, 3]`` unit vectors, one for each of ``skeleton.BONES``.
        certainty: ``[22]`` 0..1, the mean resultant length: 1 when only one direction is possible.
        axes: ``[8, 3]`` unit vectors, one for each of :data:`AXES`.
        axes_certainty: ``[8]`` 0..1.
    """

    directions: FloatArray
    certainty: FloatArray
    axes: FloatArray
    axes_certainty: FloatArray


@dataclass(frozen=True)
class Normalised:
    """Keypoints of N figures as the network sees them.

    Attributes:
        features: ``[N, 201]`` float32: x and y of each keypoint, then its score, 0 where missing.
            Then each bone of ``skeleton.BONES`` as drawn: x and y, length, logarithm of the length
            (how much it is foreshortened against another is their difference), and its unit
            direction; zeros where an end is missing.
        rotations: ``[N, 2, 2]``: picture vectors = rotation @ normalised vectors.
    """

    features: NDArray[np.float32]
    rotations: FloatArray


def normalise(keypoints: ArrayLike, scores: ArrayLike) -> Normalised:
    """Take position, size and in-plane rotation out of keypoints: trainer and add-on share this.

    The figure is centred on the mean of its keypoints, scaled to a root-mean-square radius of one,
    and turned until the trunk (hips to shoulders) points straight up.

    Args:
        keypoints: ``[N, 23, 2]`` pixels or any unit, y down; NaN where missing.
        scores: ``[N, 23]`` 0..1; 0 or NaN where missing.
    """
    points = np.asarray(keypoints, dtype=np.float64)
    scores = np.nan_to_num(np.asarray(scores, dtype=np.float64), nan=0.0).clip(0, 1)
    scores = np.where(np.isfinite(points).all(axis=-1), scores, 0.0)
    valid = (scores > 0)[..., None]
    points = np.where(valid, points, 0.0)

    def mean(rows: list[int] | slice) -> FloatArray:
        return points[:, rows].sum(axis=1) / np.maximum(valid[:, rows].sum(axis=1), 1)

    whole = slice(None)
    trunk = unit(mean(_TOP) - mean(_BOTTOM))
    known = valid[:, _TOP].any(axis=1) & valid[:, _BOTTOM].any(axis=1) & trunk.any(axis=1)[:, None]
    trunk = np.where(known, trunk, np.array([0.0, -1.0]))
    # Columns: where the normalised x and y axes lie in the picture; the trunk is normalised -y.
    rotations = np.stack([np.stack([-trunk[:, 1], trunk[:, 0]], -1), -trunk], axis=-1)

    points = np.where(valid, points - mean(whole)[:, None], 0.0)
    count = np.maximum(valid.sum(axis=1), 1)
    radius = np.sqrt((points**2).sum(axis=(1, 2))[:, None] / count)
    points = points / np.maximum(radius, 1e-9)[..., None] @ rotations
    drawn = points[:, _CHILDREN] - points[:, _PARENTS]
    drawn *= valid[:, _CHILDREN] & valid[:, _PARENTS]
    length = np.linalg.norm(drawn, axis=-1)
    along = drawn / np.maximum(length, 1e-6)[..., None]
    parts = (points, scores, drawn, length, np.log(length + _SHORT) - np.log(_SHORT), along)
    features = np.concatenate([part.reshape(len(points), -1) for part in parts], axis=1)
    return Normalised(features.astype(np.float32), rotations)


def telling(keypoints: ArrayLike, scores: ArrayLike) -> FloatArray:
    """Scores ``[23]`` without those of hips and shoulders that have no width at all.

    Somebody seen exactly from the side has none, but far more often it is a stick figure, whose
    limbs begin at the spine however it is turned: there its limbs tell more without them.

    Args:
        keypoints: ``[23, 2]`` pixels or any unit; missing ones may be NaN.
        scores: ``[23]`` 0..1; 0 or NaN where missing.
    """
    points = np.asarray(keypoints, dtype=np.float64)
    scores = np.array(scores, dtype=np.float64)
    known = (scores > 0) & np.isfinite(points).all(axis=1)
    if known[_ROOTS].all():
        size = float(np.ptp(points[known], axis=0).max())
        index = skeleton.INDEX
        if all(
            np.linalg.norm(points[index["Left" + name]] - points[index["Right" + name]])
            < share * size
            for name, share in _WIDTHS.items()
        ):
            scores[_ROOTS] = 0.0
    return scores


def vectors_of(outputs: Any, features: Any) -> Any:
    """What the network's last layer says, for trainer and add-on: arrays and tensors alike.

    Args:
        outputs: ``[N, 134]``: 30 vectors in the figure's frame, then for each bone the lengths of
            what is added along it as drawn, and across it.
        features: ``[N, 201]`` of :class:`Normalised`.

    Returns:
        ``[N, 30, 3]`` von Mises-Fisher vectors, normalised frame.
    """
    bones = len(skeleton.BONES)
    vectors = outputs[:, : -2 * bones].reshape(len(outputs), -1, 3)
    along, across = outputs[:, -2 * bones : -bones], outputs[:, -bones:]
    x, y = features[:, _ALONG][:, ::2], features[:, _ALONG][:, 1::2]
    vectors[:, :bones, 0] += along * x - across * y
    vectors[:, :bones, 1] += along * y + across * x
    return vectors


def mean_resultant_length(kappa: FloatArray) -> FloatArray:
    """How long the mean of vectors drawn from a von Mises-Fisher distribution is: coth k - 1/k."""
    k = np.maximum(kappa, 1e-3)
    return 1 / np.tanh(k) - 1 / k


def concentration(length: ArrayLike) -> FloatArray:
    """The way back of :func:`mean_resultant_length`, to 5 %.

    The approximation of Banerjee et al., JMLR 6 (2005), for three dimensions.
    """
    r = np.clip(np.asarray(length, dtype=np.float64), 0.0, 0.999)
    return r * (3 - r**2) / (1 - r**2)


def halfspace(kappa: FloatArray, cosine: FloatArray) -> FloatArray:
    """How much of each of N von Mises-Fisher distributions lies on one side of a plane.

    Args:
        kappa: ``[N]`` concentrations.
        cosine: ``[N]`` of the angle between the mean and the plane's normal.

    Returns:
        ``[N]`` 0..1: the probability of the side to which the normal points.
    """
    # Integrated over the height above the plane; around the normal it gives a Bessel function.
    height = (_NODES + 1) / 2
    k = np.clip(kappa, 0.0, 300.0)[:, None]
    c = np.clip(cosine, -1.0, 1.0)[:, None]
    ring = k * np.sqrt((1 - c**2) * (1 - height**2))

    def mass(sign: int) -> FloatArray:
        return (np.exp(sign * k * c * height - k) * np.i0(ring) * _NODE_WEIGHTS).sum(axis=1)

    above, below = mass(1), mass(-1)
    return above / (above + below)


def mirror(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    """Vectors ``[..., 30, 3]`` (bones, then axes) of the figure in a mirror, in their new places.

    The axes are pseudo-vectors or name the character's left: mirrored, they also change their sign,
    except the world's up.
    """
    bones, axes = np.split(vectors, [len(skeleton.BONES)], axis=-2)
    across = np.array([-1.0, 1.0, 1.0])
    axes = axes[..., list(AXIS_FLIP), :] * across
    axes[..., 1:, :] *= -1
    return np.concatenate([bones[..., list(BONE_FLIP), :] * across, axes], axis=-2)


@cache
def layers(path: Path) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """The network's linear maps in their order: weights ``[inputs, outputs]``, biases."""
    with np.load(path, allow_pickle=False) as data:
        count = sum(name.startswith("w") for name in data.files)
        return [
            (data[f"w{i}"].astype(np.float32), data[f"b{i}"].astype(np.float32))
            for i in range(count)
        ]


def forward(features: NDArray[np.float32], path: Path = WEIGHTS) -> FloatArray:
    """The network: ``[N, 201]`` -> ``[N, 30, 3]`` von Mises-Fisher vectors, normalised frame.

    The first and the last layer are linear maps; the ones between come in residual pairs.
    """
    (first, offset), *pairs, (last, constant) = layers(path)
    x = np.maximum(features @ first + offset, 0)
    for (w1, b1), (w2, b2) in zip(pairs[::2], pairs[1::2], strict=True):
        x = x + np.maximum(np.maximum(x @ w1 + b1, 0) @ w2 + b2, 0)
    outputs = (x @ last + constant).astype(np.float64)
    return np.asarray(vectors_of(outputs, features))


def lift(keypoints: ArrayLike, scores: ArrayLike, path: Path = WEIGHTS) -> Lifted:
    """Read one figure's 2D keypoints as 3D directions.

    Args:
        keypoints: ``[23, 2]`` pixels, y down; missing ones may be NaN.
        scores: ``[23]`` 0..1; 0 or NaN where missing.
        path: the network's weights.
    """
    keypoints = np.asarray(keypoints, dtype=np.float64)
    scores = telling(keypoints, scores)
    flip = list(skeleton.FLIP)
    # The figure and its mirror image are two looks at the same pose: their mean is the better one.
    pair = normalise(
        np.stack([keypoints, keypoints[flip] * np.array([-1.0, 1.0])]),
        np.stack([scores, scores[flip]]),
    )
    seen, mirrored = forward(pair.features, path)
    vectors = (seen + mirror(mirrored)) / 2
    vectors[:, :2] = vectors[:, :2] @ pair.rotations[0].T
    kappa = np.linalg.norm(vectors, axis=1)
    certainty = mean_resultant_length(kappa)
    bones = len(skeleton.BONES)
    directions = unit(vectors)
    return Lifted(directions[:bones], certainty[:bones], directions[bones:], certainty[bones:])


def in_plane(keypoints: ArrayLike) -> FloatArray:
    """The reading without any depth, to compare with: every bone as drawn, in the picture plane.

    Args:
        keypoints: ``[23, 2]`` any unit, y down.

    Returns:
        ``[22, 3]`` unit directions, camera space.
    """
    points = np.asarray(keypoints, dtype=np.float64)
    parents, children = np.array(skeleton.BONES).T
    flat = unit(points[children] - points[parents])
    return np.concatenate([flat, np.zeros((len(flat), 1))], axis=1)


def place_bones(directions: ArrayLike, lengths: ArrayLike) -> FloatArray:
    """Joints ``[23, 3]``, hips at the origin, of bones with directions ``[22, 3]`` and lengths."""
    steps = np.asarray(directions) * np.asarray(lengths)[:, None]
    joints = np.zeros((skeleton.COUNT, 3))
    for (parent, child), step in zip(skeleton.BONES, steps, strict=True):
        joints[child] = joints[parent] + step
    return joints
