"""How much longer or shorter a drawing's limbs are than a rig's.

A limb is drawn short where it is short and where it points at the eye. The two are told apart by
the lifter's depths, by the other side, which is as long, and by the rest of the body, which tells
how large the figure is drawn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import skeleton
from .lift import Lifted, concentration
from .rest import Rig
from .rotations import unit

FloatArray = NDArray[np.float64]

BOUNDS = (0.65, 1.5)
"""The least and the most that a limb is stretched to, shares of its length."""

_LIMBS = {"Arm": "ForeArm", "ForeArm": "Hand", "UpLeg": "Leg", "Leg": "Foot"}  # to their ends
# Standard deviations between bodies, of the logarithm of a length: of limbs, and of bones that keep
# their length, by the joint at their end.
_LIMB = 0.25
_BONE = {
    **dict.fromkeys(("Spine", "Spine1", "Spine2", "Neck"), 0.15),
    **{"UpLeg": 0.4, "Shoulder": 0.4, "Arm": 0.25},
    **{"Head": 0.3, "HeadTop_End": 0.4, "ToeBase": 0.3},
}
_KEYPOINT_NOISE = (0.005, 0.05)  # of the figure's size, at score one and at score zero
_STEEP = 0.1  # a bone of which less than this share is seen tells no length
_ALONG = np.cos(np.radians(10))  # of the angle between a limb and its bones


def find_stretch(rig: Rig, keypoints: FloatArray, scores: FloatArray, lifted: Lifted) -> FloatArray:
    """How far the bones of a rig are to be stretched to have a drawing's proportions.

    The logarithm of a drawn length is that of the rig's, plus the drawing's scale, the limb's
    stretch (alike on both sides) and its foreshortening: linear least squares with a prior.

    Args:
        rig: the rig.
        keypoints: ``[23, 2]`` pixels.
        scores: ``[23]`` 0..1; 0 where missing.
        lifted: how the bones point in depth.

    Returns:
        ``[N]`` factors of the bones' lengths, 1 for all but those of upper and lower arms and legs.
        Limbs whose bones do not lie along them keep their length, too.
    """
    stretched = {limb: rows for limb in _LIMBS if (rows := _rows(rig, limb))}
    limbs = list(stretched)
    parents, children = np.array(skeleton.BONES).T
    drawn = np.linalg.norm(keypoints[children] - keypoints[parents], axis=1)
    lengths = np.linalg.norm(rig.joints[children] - rig.joints[parents], axis=1)
    shown = np.linalg.norm(lifted.directions[:, :2], axis=1)
    score = np.minimum(scores[parents], scores[children])
    result = np.ones(len(rig.names))
    known = (score > 0) & (drawn > 0) & (lengths > 0) & (shown > _STEEP)
    if not known.any():
        return result

    equations = np.zeros((len(parents), 1 + len(limbs)))
    equations[:, 0] = 1.0  # the drawing's scale
    spread = np.zeros(len(parents))
    for i, (parent, child) in enumerate(skeleton.BONES):
        limb = skeleton.without_side(skeleton.KEYPOINTS[parent])
        if limb in limbs:
            equations[i, 1 + limbs.index(limb)] = 1.0
        else:
            spread[i] = _BONE.get(skeleton.without_side(skeleton.KEYPOINTS[child]), _LIMB)
    equations, spread = equations[known], spread[known]
    drawn, lengths, shown, score = drawn[known], lengths[known], shown[known], score[known]
    low, high = _KEYPOINT_NOISE
    noise = (low + (high - low) * (1 - score)) * np.ptp(keypoints[scores > 0], axis=0).max()
    # Errors of the depths count less, the less a bone leaves the picture plane.
    kappa = np.maximum(concentration(lifted.certainty[known]), 1.0)
    depth = (1 - shown**2) / (shown**2 * kappa) + 1 / kappa**2
    weight = 1 / np.sqrt(spread**2 + (noise / drawn) ** 2 + depth)

    usual = np.eye(1 + len(limbs))[1:] / _LIMB
    logarithms, *_ = np.linalg.lstsq(
        np.concatenate([weight[:, None] * equations, usual]),
        np.concatenate([weight * np.log(drawn / (lengths * shown)), np.zeros(len(limbs))]),
        rcond=None,
    )
    for rows, factor in zip(stretched.values(), np.exp(logarithms[1:]), strict=True):
        result[rows] = np.clip(factor, *BOUNDS)
    return result


def _rows(rig: Rig, limb: str) -> list[int]:
    """The bones of a limb, on both sides; none unless all lie along it."""
    found = []
    for side in ("Left", "Right"):
        start, end = side + limb, side + _LIMBS[limb]
        if start not in rig.mapping:
            return []
        first = last = rig.mapping[start]
        if end in rig.mapping:
            last = int(rig.parents[rig.mapping[end]])
        along = unit(rig.joints[skeleton.INDEX[end]] - rig.joints[skeleton.INDEX[start]])
        rows = [last]
        while rows[-1] not in (first, -1):
            rows.append(int(rig.parents[rows[-1]]))
        if -1 in rows or (rig.rest[rows, :3, 1] @ along < _ALONG).any():
            return []
        found += rows
    return found
