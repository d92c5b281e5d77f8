"""Invented poses: what people draw and what motion capture rarely holds.

Sitting on chairs and floors, lying, kneeling, lifting weights, push-ups, hanging, handstands: each
is a root posture, a pose of the legs and one of the arms, all within ranges of joint angles.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from addon.core import skeleton
from addon.core.rotations import about_axis

FloatArray = NDArray[np.float64]
_Range = tuple[float, float]

_I = skeleton.INDEX

# Metres; x to the character's left, y up, z ahead. Limbs of the left side, hanging down.
_TRUNK = {
    "Spine": 0.10,
    "Spine1": 0.11,
    "Spine2": 0.12,
    "Neck": 0.19,
    "Head": 0.09,
    "HeadTop_End": 0.2,
}
_HIP = np.array([0.09, -0.03, 0.0])
_COLLAR = np.array([0.06, 0.13, 0.0])
_SHOULDER = np.array([0.12, 0.0, 0.0])
_ARM = {"ForeArm": 0.28, "Hand": 0.25}
_LEG = {"Leg": 0.42, "Foot": 0.42}
_TOE = np.array([0.0, -0.07, 0.15])

# Degrees: flexion (forwards), abduction (sideways), inward turn, bend of elbow or knee.
_ARMS: dict[str, tuple[_Range, _Range, _Range, _Range]] = {
    "down": ((-10, 15), (4, 22), (0, 40), (0, 25)),
    "forwards": ((15, 45), (0, 15), (0, 40), (20, 80)),
    "backwards": ((-50, -15), (0, 20), (0, 30), (0, 60)),
    "akimbo": ((-25, 0), (35, 60), (60, 95), (85, 115)),
    "curled": ((-5, 25), (0, 18), (-10, 30), (70, 145)),
    "overhead": ((150, 180), (0, 20), (-20, 20), (0, 35)),
    "raised": ((0, 15), (110, 165), (-60, 10), (0, 40)),
    "pressing": ((-10, 20), (60, 100), (-105, -75), (70, 130)),
    "sideways": ((-10, 20), (70, 100), (-30, 30), (0, 30)),
    "reaching": ((65, 105), (-5, 25), (-20, 30), (0, 30)),
    "holding": ((25, 65), (0, 20), (10, 50), (40, 110)),
    "lap": ((10, 40), (0, 18), (30, 70), (60, 105)),
    "crossed": ((35, 60), (0, 15), (65, 90), (90, 120)),
    "nape": ((20, 60), (100, 140), (-95, -70), (120, 150)),
    "benched": ((-10, 10), (55, 95), (-15, 15), (70, 115)),
    "waving": ((0, 30), (80, 120), (-110, -80), (30, 100)),
}
_LEGS: dict[str, tuple[_Range, _Range, _Range, _Range]] = {
    "straight": ((-6, 8), (0, 16), (-30, 0), (0, 12)),
    "ahead": ((15, 40), (0, 8), (-10, 5), (0, 25)),
    "behind": ((-30, -8), (0, 8), (-10, 5), (5, 45)),
    "lifted": ((45, 95), (0, 12), (-15, 5), (50, 115)),
    "kicked": ((50, 110), (0, 25), (-20, 10), (0, 30)),
    "trailing": ((-25, 0), (0, 8), (-10, 5), (55, 110)),
    "seated": ((75, 105), (0, 22), (-15, 5), (60, 110)),
    "squatting": ((70, 125), (5, 35), (-35, 0), (75, 135)),
    "stretched": ((75, 100), (0, 25), (-20, 5), (0, 20)),
    "tailor": ((70, 95), (30, 55), (-70, -45), (115, 145)),
    "kneeling": ((-5, 15), (0, 12), (-10, 5), (80, 135)),
    "planted": ((40, 80), (0, 15), (-10, 5), (75, 120)),
    "arched": ((-20, 5), (0, 15), (-10, 5), (0, 40)),
}

# Weight; pitch of the root (0 upright, 90 face down, -90 face up); bend forwards at hips and spine;
# pairs of leg poses; arm poses.
_POSTURES: tuple[tuple[float, _Range, _Range, str, str], ...] = (
    (
        0.2,
        (-3, 6),
        (-8, 12),
        "straight+straight straight+straight straight+ahead straight+lifted straight+kicked",
        "down akimbo curled overhead raised pressing sideways reaching holding crossed nape waving",
    ),
    (0.17, (-2, 12), (-5, 18), "ahead+behind ahead+trailing lifted+trailing", "swing"),
    (
        0.05,
        (-5, 10),
        (0, 40),
        "lifted+behind lifted+trailing squatting+kicked",
        "down curled overhead reaching akimbo",
    ),
    (
        0.24,
        (-18, 14),
        (-5, 30),
        "seated+seated seated+seated seated+seated seated+kicked",
        "down lap lap holding reaching crossed curled pressing nape overhead",
    ),
    (
        0.06,
        (-20, 10),
        (0, 45),
        "stretched+stretched tailor+tailor stretched+planted planted+planted",
        "down lap holding reaching backwards",
    ),
    (
        0.05,
        (-5, 15),
        (0, 25),
        "squatting+squatting",
        "reaching down overhead pressing holding crossed",
    ),
    (
        0.05,
        (-2, 10),
        (25, 95),
        "straight+straight straight+ahead squatting+squatting",
        "down reaching curled backwards holding",
    ),
    (
        0.03,
        (-5, 10),
        (0, 25),
        "kneeling+kneeling lifted+kneeling",
        "down lap reaching curled overhead",
    ),
    (
        0.08,
        (-105, -60),
        (-5, 40),
        "straight+straight planted+planted planted+planted stretched+stretched seated+seated "
        "straight+kicked",
        "benched reaching overhead down nape crossed curled",
    ),
    (
        0.05,
        (65, 100),
        (-15, 10),
        "straight+straight arched+arched straight+lifted",
        "reaching overhead down benched holding",
    ),
    (0.02, (75, 100), (-10, 15), "seated+seated seated+straight", "reaching"),
    (0.02, (165, 190), (-10, 10), "straight+straight arched+lifted", "overhead"),
    (
        0.04,
        (-8, 10),
        (-8, 8),
        "straight+straight kneeling+kneeling seated+seated arched+arched",
        "overhead raised pressing",
    ),
)


def _rotation(axis: int, degrees: float) -> FloatArray:
    return about_axis(axis, np.radians(degrees))


def random_pose(rng: np.random.Generator) -> FloatArray:
    """A pose drawn at random.

    Args:
        rng: the only source of chance.

    Returns:
        ``[23, 3]`` joints, metres, camera space (x right, y down, z forward); an upright figure
        faces the viewer.
    """
    weights = np.array([posture[0] for posture in _POSTURES])
    _, pitch, bend, legs, arms = _POSTURES[rng.choice(len(_POSTURES), p=weights / weights.sum())]
    bent = rng.uniform(*bend)
    at_hips = 0.6 * bent
    root = (
        _rotation(2, rng.normal(0, 4))
        @ _rotation(0, rng.uniform(*pitch) + at_hips)
        @ _rotation(1, rng.normal(0, 4))
    )
    if abs(pitch[0] + pitch[1]) > 120 and rng.random() < 0.2:  # lying on one side
        root = root @ _rotation(1, rng.choice([-1, 1]) * rng.uniform(50, 100))
    joints = np.zeros((skeleton.COUNT, 3))
    _trunk(joints, root, bent - at_hips, rng)
    chest = _chest(joints)
    pair = str(rng.choice(legs.split())).split("+")
    if rng.random() < 0.5:
        pair.reverse()
    for side, sign, name in (("Left", 1.0, pair[0]), ("Right", -1.0, pair[1])):
        _leg(joints, root, side, sign, name, at_hips, rng)
    names = arms.split()
    if names == ["swing"]:
        both = ["backwards", "forwards"] if rng.random() < 0.5 else ["forwards", "backwards"]
    else:
        both = [str(rng.choice(names))] * 2
        if rng.random() < 0.3:
            both[int(rng.integers(2))] = str(rng.choice(names))
    shared = rng.random(4) if both[0] == both[1] else None
    for side, sign, name in (("Left", 1.0, both[0]), ("Right", -1.0, both[1])):
        _arm(joints, chest, side, sign, name, shared, rng)
    return joints * (1.0, -1.0, -1.0)


def _trunk(joints: FloatArray, root: FloatArray, bend: float, rng: np.random.Generator) -> None:
    turn, lean = rng.normal(0, 8) / 4, rng.normal(0, 6) / 4
    rotation, parent = root, _I["Hips"]
    for name, length in _TRUNK.items():
        step = _rotation(0, bend / 4) @ _rotation(1, turn) @ _rotation(2, lean)
        if name == "HeadTop_End":
            step = _rotation(0, rng.normal(0, 14)) @ _rotation(2, rng.normal(0, 7))
        rotation = rotation @ step
        joints[_I[name]] = joints[parent] + rotation @ (0.0, length, 0.0)
        parent = _I[name]
        if name == "Spine2":
            for side, sign in (("Left", 1.0), ("Right", -1.0)):
                collar = joints[parent] + rotation @ (_COLLAR * (sign, 1, 1))
                joints[_I[side + "Shoulder"]] = collar
                joints[_I[side + "Arm"]] = collar + rotation @ (_SHOULDER * (sign, 1, 1))


def _chest(joints: FloatArray) -> FloatArray:
    """Columns: the chest's left, up and ahead."""
    left = joints[_I["LeftArm"]] - joints[_I["RightArm"]]
    up = joints[_I["Neck"]] - joints[_I["Spine2"]]
    left, ahead = left / np.linalg.norm(left), np.cross(left, up)
    ahead /= np.linalg.norm(ahead)
    return np.stack([left, np.cross(ahead, left), ahead], axis=1)


def _limb(
    start: FloatArray,
    frame: FloatArray,
    sign: float,
    angles: FloatArray,
    lengths: list[float],
    bends: float,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Middle and end joint of a limb, and the frame of its second bone."""
    flexion, abduction, inwards, bend = angles
    first = (
        frame
        @ _rotation(2, sign * abduction)
        @ _rotation(0, -flexion)
        @ _rotation(1, -sign * inwards)
    )
    second = first @ _rotation(0, bends * bend)
    middle = start + first @ (0.0, -lengths[0], 0.0)
    return middle, middle + second @ (0.0, -lengths[1], 0.0), second


def _angles(
    table: tuple[_Range, ...], shared: FloatArray | None, rng: np.random.Generator
) -> FloatArray:
    low, high = np.array(table, dtype=np.float64).T
    if shared is None:
        return rng.uniform(low, high)
    return low + shared * (high - low) + rng.normal(0, 4, 4)


def _leg(
    joints: FloatArray,
    root: FloatArray,
    side: str,
    sign: float,
    name: str,
    lifted: float,
    rng: np.random.Generator,
) -> None:
    hip = joints[_I["Hips"]] + root @ (_HIP * (sign, 1, 1))
    angles = _angles(_LEGS[name], None, rng)
    angles[0] += lifted  # bending forwards at the hips leaves the legs where they are
    knee, ankle, shin = _limb(hip, root, sign, angles, list(_LEG.values()), 1.0)
    foot = shin @ _rotation(1, sign * rng.uniform(-5, 20)) @ _rotation(0, rng.uniform(-12, 35))
    for part, place in (
        ("UpLeg", hip),
        ("Leg", knee),
        ("Foot", ankle),
        ("ToeBase", ankle + foot @ _TOE),
    ):
        joints[_I[side + part]] = place


def _arm(
    joints: FloatArray,
    chest: FloatArray,
    side: str,
    sign: float,
    name: str,
    shared: FloatArray | None,
    rng: np.random.Generator,
) -> None:
    start = joints[_I[side + "Arm"]]
    angles = _angles(_ARMS[name], shared, rng)
    elbow, wrist, _ = _limb(start, chest, sign, angles, list(_ARM.values()), -1.0)
    joints[_I[side + "ForeArm"]], joints[_I[side + "Hand"]] = elbow, wrist
