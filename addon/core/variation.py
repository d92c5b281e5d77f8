"""Variety beyond the files: other proportions, other poses, and the draughtsman's perspective.

Angles are judged on a motion's rotations since rest (see :mod:`.retarget`): a joint's local
rotation is its parent's global rotation undone before its own, in axes that point to the
character's left (x), back (y) and up (z) in the rest pose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import rotations as rot
from . import skeleton
from .retarget import JOINTS, PARENTS, Motion
from .skeleton import without_side

FloatArray = NDArray[np.float64]

_ROW = {name: row for row, name in enumerate(JOINTS)}
_SIDES = ("Left", "Right")


# --------------------------------------------------------------------------------------------------
# Proportions


@dataclass(frozen=True)
class Proportions:
    """How much longer and thicker each bone is than the character's own.

    Attributes:
        length: joint name -> factor along the bone, for every joint of ``retarget.JOINTS``.
        girth: joint name -> factor across it. Head, hands and feet keep their shape: there both
            are one.
    """

    length: Mapping[str, float]
    girth: Mapping[str, float]

    @classmethod
    def random(cls, rng: np.random.Generator) -> Proportions:
        """Proportions as they occur among people, in cartoons and in fashion plates.

        Half of the bodies are realistic, a quarter is freely stylised, the rest is either chibi
        (large head, short limbs) or elongated (small head, long limbs). Left and right are equal.
        """
        kind = rng.choice(len(_KINDS), p=[kind.share for kind in _KINDS])
        return _KINDS[kind].draw(rng)

    @classmethod
    def of_kind(cls, kind: str, rng: np.random.Generator) -> Proportions:
        """Proportions of one kind: ``realistic``, ``stylised``, ``chibi`` or ``elongated``.

        Raises:
            KeyError: there is no such kind.
        """
        return {k.name: k for k in _KINDS}[kind].draw(rng)

    def suited(self, joints: ArrayLike) -> Proportions:
        """The same for a certain body, the head kept from outgrowing it.

        A figure that is all head already would become one on legs: its head takes up no larger
        share of its height than before, or than a chibi's.

        Args:
            joints: ``[23, 3]`` the body's own keypoints at rest.
        """
        points = np.asarray(joints, dtype=np.float64)

        def length(parent: str, child: str) -> float:
            ends = points[[skeleton.INDEX[parent], skeleton.INDEX[child]]]
            return float(np.linalg.norm(ends[1] - ends[0]))

        column = ("LeftFoot", "LeftLeg", "LeftUpLeg", "Hips", "Spine", "Spine1", "Spine2", "Neck")
        below = [
            (length(a, b), self.length[a if without_side(a) == a else b])
            for a, b in zip(column, (*column[1:], "Head"), strict=True)
        ]
        head = length("Head", "HeadTop_End")
        own = sum(part for part, _ in below)
        most = max(_LARGEST_HEAD, head / max(own, 1e-9)) * sum(a * b for a, b in below)
        too_large = head * self.length["Head"] / max(most, 1e-9)
        if too_large <= 1:
            return self
        smaller = {name: 1 / too_large for name in ("Neck", "Head")}
        return Proportions(
            {name: value * smaller.get(name, 1.0) for name, value in self.length.items()},
            {name: value * smaller.get(name, 1.0) for name, value in self.girth.items()},
        )


_LARGEST_HEAD = 0.6
"""From its joint to its top, against the height of that joint above the ankles."""


@dataclass(frozen=True)
class _Kind:
    """Ranges (median, spread of the logarithm) of a kind of body's factors."""

    name: str
    share: float
    head: tuple[float, float]
    trunk: tuple[float, float]
    arm: tuple[float, float]
    leg: tuple[float, float]
    girth: tuple[float, float]

    def draw(self, rng: np.random.Generator) -> Proportions:
        def factor(median: float, spread: float) -> float:
            return float(median * np.exp(spread * np.clip(rng.normal(), -2, 2)))

        head, trunk = factor(*self.head), factor(*self.trunk)
        arm, leg, girth = factor(*self.arm), factor(*self.leg), factor(*self.girth)
        limb_girth = girth * factor(1.0, 0.08)
        hand, foot = factor(np.sqrt(arm), 0.1), factor(np.sqrt(leg), 0.1)
        # A larger head needs room above the shoulders for what hangs below its joint, the chin.
        neck = max(head, 1.0) ** 0.7 * factor(1.0, 0.08) * (1.0 if self.head[0] > 1 else trunk)
        length = {
            **dict.fromkeys(("Hips", "Spine", "Spine1", "Spine2"), trunk),
            "Neck": neck,
            "Head": head,
            "Shoulder": girth * factor(1.0, 0.08),
            "Arm": arm * factor(1.0, 0.04),
            "ForeArm": arm * factor(1.0, 0.04),
            "Hand": hand,
            "UpLeg": leg * factor(1.0, 0.04),
            "Leg": leg * factor(1.0, 0.04),
            "Foot": foot,
            "ToeBase": foot,
        }
        across = {
            **dict.fromkeys(("Hips", "Spine", "Spine1", "Spine2"), girth),
            "Neck": np.sqrt(limb_girth * head),
            "Head": head,
            "Shoulder": limb_girth,
            **dict.fromkeys(("Arm", "ForeArm", "UpLeg", "Leg"), limb_girth),
            "Hand": hand,
            "Foot": foot,
            "ToeBase": foot,
        }
        return Proportions(
            {joint: length[without_side(joint)] for joint in JOINTS},
            {joint: float(across[without_side(joint)]) for joint in JOINTS},
        )


_KINDS = (
    _Kind("realistic", 0.5, (1.0, 0.05), (1.0, 0.05), (1.0, 0.05), (1.0, 0.06), (1.0, 0.1)),
    _Kind("stylised", 0.25, (1.1, 0.16), (1.0, 0.12), (1.0, 0.14), (1.0, 0.16), (1.0, 0.18)),
    _Kind("chibi", 0.13, (1.75, 0.14), (0.8, 0.08), (0.72, 0.1), (0.62, 0.14), (1.0, 0.1)),
    _Kind("elongated", 0.12, (0.85, 0.06), (1.12, 0.06), (1.22, 0.08), (1.3, 0.09), (0.85, 0.1)),
)


# --------------------------------------------------------------------------------------------------
# Poses

# Spread of the noise at strength 1, in degrees. Elbows and knees only bend.
_NOISE: dict[str, float] = {
    "Hips": 5,
    "Spine": 5,
    "Spine1": 5,
    "Spine2": 5,
    "Neck": 8,
    "Head": 10,
    "Shoulder": 5,
    "Arm": 22,
    "ForeArm": 25,
    "Hand": 14,
    "UpLeg": 14,
    "Leg": 18,
    "Foot": 10,
    "ToeBase": 4,
}

# How far these joints turn in all, in degrees (Kapandji, The Physiology of the Joints, rounded up).
_REACH: dict[str, float] = {
    "Spine": 30,
    "Spine1": 30,
    "Spine2": 35,
    "Neck": 45,
    "Head": 55,
    "Shoulder": 35,
    "Hand": 85,
    "Foot": 55,
    "ToeBase": 50,
}

# Upper arms and thighs: how far they point backwards and across the body, as sines.
_BACKWARDS = {"Arm": 0.75, "UpLeg": 0.5}
_ACROSS = {"Arm": 0.6, "UpLeg": 0.4}

_BEND = (-4.0, 150.0)
"""Of elbows and knees, degrees; a little beyond straight is human."""

_END = {"ForeArm": "Hand", "Leg": "Foot"}
_BLEND_CHANCE = 0.3
_TRIES = 5


def varied(motion: Motion, row: int, rng: np.random.Generator, strength: float) -> Motion:
    """A pose that is not in the clip, near one that is.

    Every joint turns a little at random; now and then the pose goes some way towards another one
    of the clip first. Joints stay within a human's limits; where the clip itself is beyond them, it
    goes no farther. The body stays as high above the ground as it was.

    Args:
        motion: the clip.
        row: its pose to start from.
        rng: source of chance.
        strength: of the noise; 0 gives the pose itself, 1 changes it clearly.

    Returns:
        A motion of this one pose, with the frame number of ``row``.
    """
    result = motion.take([row])
    if strength <= 0:
        return result
    local = _local(motion.rotations[row])
    root = motion.root[row].copy()
    if rng.random() < _BLEND_CHANCE * min(strength, 1.0):
        other = int(rng.integers(len(motion)))
        share = rng.uniform(0.2, 0.5)
        local = _blend(local, _local(motion.rotations[other]), share)
        root[2] += share * (motion.root[other, 2] - root[2])
    for j, name in enumerate(JOINTS):
        local[j] = _jittered(name, local[j], motion.limbs, rng, strength)
    return Motion(motion.name, result.frames, _global(local)[None], root[None], motion.limbs)


def excess(name: str, local: ArrayLike, limbs: Mapping[str, FloatArray]) -> float:
    """How far a joint is turned beyond a human's limits, radians (or sines); 0 within them.

    Args:
        name: the joint.
        local: ``[3, 3]`` its rotation against its parent since rest.
        limbs: the motion's rest directions of arms and legs.
    """
    local = np.asarray(local, dtype=np.float64)
    bare = without_side(name)
    if bare in _END:
        bend = np.degrees(_bend(name, local, limbs)[0])
        return float(np.radians(max(_BEND[0] - bend, bend - _BEND[1], 0.0)))
    if bare in _BACKWARDS and name in limbs:
        x, y, _ = local @ limbs[name]
        inwards = -x if name.startswith("Left") else x
        return float(max(y - _BACKWARDS[bare], 0.0) + max(inwards - _ACROSS[bare], 0.0))
    if bare in _REACH:
        angle = float(np.linalg.norm(rot.to_vector(local)))
        return max(angle - float(np.radians(_REACH[bare])), 0.0)
    return 0.0


def _jittered(
    name: str,
    local: FloatArray,
    limbs: Mapping[str, FloatArray],
    rng: np.random.Generator,
    strength: float,
) -> FloatArray:
    """A joint's local rotation with noise, as much of it as the joint's limits allow."""
    spread = np.radians(_NOISE[without_side(name)]) * strength
    if without_side(name) in _END:
        return _rebent(name, local, limbs, rng.normal(0, spread))
    vector = rng.normal(0, spread / np.sqrt(3), 3)
    allowed = excess(name, local, limbs) + 1e-9
    for _ in range(_TRIES):
        turned = rot.from_vector(vector) @ local
        if excess(name, turned, limbs) <= allowed:
            return turned
        vector = vector / 2
    return local


def _segments(
    name: str, local: FloatArray, limbs: Mapping[str, FloatArray]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """An elbow's or a knee's limbs, and the axis about which it closes, in its parent's axes.

    Returns:
        Directions ``[3]`` of the upper and the lower limb, and the axis ``[3]``.
    """
    left = name.startswith("Left")
    is_arm = without_side(name) == "ForeArm"
    upper_name = JOINTS[PARENTS[_ROW[name]]]
    straight = np.array([1.0 if left else -1.0, 0, 0]) if is_arm else np.array([0, 0, -1.0])
    upper = limbs.get(upper_name, straight)
    lower = local @ limbs.get(name, upper)
    # Knees close about the line from hip to hip, elbows bring the hand to the front.
    hinge = np.cross(upper, [0.0, -1.0, 0.0]) if is_arm else np.array([1.0, 0.0, 0.0])
    return upper, lower, rot.unit(hinge - (hinge @ upper) * upper)


def _bend(
    name: str, local: FloatArray, limbs: Mapping[str, FloatArray]
) -> tuple[float, FloatArray]:
    """How far an elbow or a knee is closed, radians, and the axis ``[3]`` about which it closes.

    An elbow that is clearly bent may be so in any plane: in files, the upper arm's twist is often
    that of the forearm. Only near its straight pose has it a backward side, where the bend is
    negative; a knee has one always.
    """
    upper, lower, hinge = _segments(name, local, limbs)
    axis = np.cross(upper, lower)
    total = float(np.arctan2(np.linalg.norm(axis), upper @ lower))
    in_plane = float(np.arctan2(np.cross(hinge, upper) @ lower, upper @ lower))
    if total > np.radians(20) and (without_side(name) == "ForeArm" or in_plane > 0):
        return total, rot.unit(axis)
    return in_plane, hinge


def _rebent(
    name: str, local: FloatArray, limbs: Mapping[str, FloatArray], change: float
) -> FloatArray:
    """An elbow or a knee closed further by ``change`` radians, as far as it can be.

    It turns about the axis that it is bent around already, so that the limb stays in its plane.
    """
    bend, axis = _bend(name, local, limbs)
    least, most = np.radians(_BEND)
    wanted = np.clip(bend + change, min(bend, least), max(bend, most))
    return rot.from_vector(axis * (wanted - bend)) @ local


def _local(rotations: FloatArray) -> FloatArray:
    """Global joint rotations ``[J, 3, 3]`` against their parents'; the hips' stay global."""
    local = rotations.copy()
    for j, parent in enumerate(PARENTS):
        if parent >= 0:
            local[j] = rotations[parent].T @ rotations[j]
    return local


def _global(local: FloatArray) -> FloatArray:
    rotations = local.copy()
    for j, parent in enumerate(PARENTS):
        if parent >= 0:
            rotations[j] = rotations[parent] @ local[j]
    return rotations


def _blend(a: FloatArray, b: FloatArray, share: float) -> FloatArray:
    """Rotations ``[J, 3, 3]`` part of the way from a to b, each on the shortest way (slerp)."""
    steps = np.stack([rot.to_vector(matrix) for matrix in np.swapaxes(a, 1, 2) @ b])
    return a @ rot.from_vector(share * steps)


# --------------------------------------------------------------------------------------------------
# The draughtsman's perspective

# The parts that may grow or shrink, each from its root joint outwards.
_CHAINS = tuple(
    tuple(side + name for name in chain)
    for side in _SIDES
    for chain in (("Arm", "ForeArm", "Hand"), ("UpLeg", "Leg", "Foot"))
)
_MOST = (0.6, 2.0)


def limb_scales(joints: ArrayLike, rng: np.random.Generator) -> dict[str, float]:
    """Sizes of the limbs in nonlinear perspective, as comics and posters draw them.

    What is thrust at the viewer grows more than any lens would make it, what reaches away shrinks:
    exponentially with the depth that a limb covers from its root at the trunk, so that arms and
    legs stay joined there. The head, which nods at most, follows at half the rate.

    Args:
        joints: ``[23, 3]`` the pose in camera space (x right, y down, z forward), metres.
        rng: source of chance; decides how far the drawing goes.

    Returns:
        joint name -> the uniform scale of its bone against its parent's bone; the factors along a
        limb compound.
    """
    points = np.asarray(joints, dtype=np.float64)
    depth = {name: float(points[row, 2]) for name, row in skeleton.INDEX.items()}
    trunk = ("Hips", "Spine", "Spine1", "Spine2", "Neck")
    rows = [skeleton.INDEX[name] for name in (*trunk, "Head")]
    torso = float(np.linalg.norm(np.diff(points[rows], axis=0), axis=1).sum())
    rate = rng.uniform(0.3, 1.0) / max(torso, 1e-9)

    def total(root: str, middle: float, share: float = 1.0) -> float:
        return float(np.clip(np.exp(share * rate * (depth[root] - middle)), *_MOST))

    scales = {}
    for chain in _CHAINS:
        above = 1.0
        for name, end in zip(chain, (*chain[1:], None), strict=True):
            tip = end or name
            wanted = total(chain[0], (depth[name] + depth[tip]) / 2)
            scales[name] = wanted / above
            above = wanted
    scales["Head"] = total("Neck", depth["HeadTop_End"], 0.5)
    return scales
