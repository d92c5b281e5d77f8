"""Figures drawn from the skeleton alone: stick figures, sausage people, mannequins, signs.

A pose is taken out of its character: new proportions, a new camera, then a drawing as untrained or
trained people make it. What tells left from right (face, feet, chest, spine line) always agrees with
the skeleton.

Camera space as everywhere: x right, y down, z forward (away from the viewer).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from . import skeleton
from .styles import NO_FILL, Drawing

FloatArray = NDArray[np.float64]

KINDS = ("stick", "sausage", "mannequin", "muscled", "pictogram")
"""The ways of drawing that :func:`draw_figure` knows."""

_I = skeleton.INDEX
_SIDES = ("Left", "Right")
_ARM = {s: [_I[s + n] for n in ("Shoulder", "Arm", "ForeArm", "Hand")] for s in _SIDES}
_LEG = {s: [_I[s + n] for n in ("UpLeg", "Leg", "Foot", "ToeBase")] for s in _SIDES}
_HIPS, _SPINE, _SPINE1, _SPINE2 = (_I[n] for n in ("Hips", "Spine", "Spine1", "Spine2"))
_NECK, _HEAD, _TOP = (_I[n] for n in ("Neck", "Head", "HeadTop_End"))

_T = np.linspace(0, 2 * np.pi, 16, endpoint=False)
_CIRCLE = np.stack([np.cos(_T), np.sin(_T)], axis=1)


def _sphere(count: int) -> FloatArray:
    """``[count, 3]`` points spread evenly over the unit sphere (a Fibonacci spiral)."""
    k = np.arange(count) + 0.5
    y = 1 - 2 * k / count
    turn = np.pi * (1 + 5**0.5) * k
    r = np.sqrt(1 - y * y)
    return np.stack([r * np.cos(turn), y, r * np.sin(turn)], axis=1)


_SPHERE = _sphere(160)


@dataclass(frozen=True)
class Figure:
    """A drawn figure.

    Attributes:
        drawing: its paths, pixels; the figure is about ``HEIGHT`` pixels tall when upright.
        keypoints: ``[23, 2]`` pixels, where a person would mark the joints in this drawing.
    """

    drawing: Drawing
    keypoints: FloatArray


HEIGHT = 180.0
"""Height in pixels to which a standing figure of common proportions is drawn."""


# --------------------------------------------------------------------------------------------------
# The pose: proportions and view


def _unit(vector: FloatArray) -> FloatArray:
    return vector / (math.sqrt(vector @ vector) + 1e-12)


def _turn(axis: int, angle: float) -> FloatArray:
    """Rotation about a coordinate axis."""
    c, s = np.cos(angle), np.sin(angle)
    i, j = ((1, 2), (2, 0), (0, 1))[axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = c
    matrix[i, j], matrix[j, i] = -s, s
    return matrix


def _frame(left: FloatArray, up: FloatArray) -> FloatArray:
    """Rows: left, up, forward of a body part, orthonormal; ``up`` is kept."""
    up = _unit(up)
    forward = np.cross(left, up)
    if np.linalg.norm(forward) < 1e-6:
        forward = np.cross(np.array([1.0, 0.1, 0.2]), up)
    forward = _unit(forward)
    return np.stack([np.cross(up, forward), up, forward])


def chest_frame(joints: FloatArray) -> FloatArray:
    """``[3, 3]`` rows: the chest's own left, up and forward direction; frame of ``joints``."""
    return _frame(joints[_I["LeftArm"]] - joints[_I["RightArm"]], joints[_NECK] - joints[_HIPS])


def pelvis_frame(joints: FloatArray) -> FloatArray:
    """``[3, 3]`` rows: the pelvis' own left, up and forward direction; frame of ``joints``."""
    return _frame(
        joints[_I["LeftUpLeg"]] - joints[_I["RightUpLeg"]], joints[_SPINE1] - joints[_HIPS]
    )


def reproportioned(
    joints: FloatArray, rng: np.random.Generator, strength: float = 1.0
) -> FloatArray:
    """The same pose on another body: bones keep their directions and get other lengths.

    Args:
        joints: ``[23, 3]`` any frame and unit.
        rng: source of chance.
        strength: spread of the proportions around those of an adult; 1 ranges from toddlers and
            big-headed children to lay figures.

    Returns:
        ``[23, 3]`` metres, the hips at the origin.
    """

    def factor(spread: float) -> float:
        return float(np.exp(strength * np.clip(rng.normal(0, spread), -2.2 * spread, 2.2 * spread)))

    scale = np.ones(skeleton.COUNT)
    scale[_TOP] = np.clip(1.15 * factor(0.25), 0.8, 2.2)
    scale[_HEAD] = factor(0.25)
    torso, arm, leg = factor(0.12), factor(0.14), factor(0.16)
    scale[[_SPINE, _SPINE1, _SPINE2, _NECK]] = torso
    shoulder, hip = factor(0.16), factor(0.2)
    for side in _SIDES:
        scale[_ARM[side]] = shoulder, shoulder, arm * factor(0.07), arm * factor(0.07)
        scale[_LEG[side]] = hip, leg * factor(0.06), leg * factor(0.08), factor(0.2)
    result = np.zeros((skeleton.COUNT, 3))
    for (parent, child), length in zip(skeleton.BONES, _LENGTHS, strict=True):
        direction = _unit(joints[child] - joints[parent])
        result[child] = result[parent] + scale[child] * length * direction
    return result


def _adult_lengths() -> list[float]:
    trunk = {"Spine": 0.1, "Spine1": 0.12, "Spine2": 0.12, "Neck": 0.17, "Head": 0.09}
    limbs = {"HeadTop_End": 0.2, "Shoulder": 0.14, "Arm": 0.13, "ForeArm": 0.28, "Hand": 0.25}
    legs = {"UpLeg": 0.1, "Leg": 0.43, "Foot": 0.42, "ToeBase": 0.16}
    table = trunk | limbs | legs
    return [
        table[skeleton.KEYPOINTS[child].removeprefix("Left").removeprefix("Right")]
        for _, child in skeleton.BONES
    ]


_LENGTHS = _adult_lengths()
"""Bone lengths of an adult, metres, in the order of ``skeleton.BONES``."""


def viewed(
    joints: FloatArray, rng: np.random.Generator, backs: bool = True
) -> tuple[FloatArray, FloatArray]:
    """The pose through a random camera: front, profile and three-quarter views mostly.

    Args:
        joints: ``[23, 3]`` camera space (y down), any unit.
        rng: source of chance.
        backs: also from behind; without, a figure that shows no front is always seen from there.

    Returns:
        Turned joints ``[23, 3]`` in pixels around the hips, and their picture ``[23, 2]`` pixels
        (the same without depth, or with perspective).
    """
    forward = chest_frame(joints)[2] + pelvis_frame(joints)[2]
    now = np.arctan2(forward[0], -forward[2])  # 0: towards the viewer, 90 degrees: to the right
    chance = rng.random()
    if chance < 0.3:
        wanted = rng.choice([-1, 1]) * np.pi / 2 + rng.normal(0, 0.15)
    elif chance < 0.55:
        wanted = rng.normal(0, 0.3)
    elif chance < 0.63:
        wanted = np.pi + rng.normal(0, 0.4)
    elif chance < 0.85:
        wanted = rng.choice([-1, 1]) * rng.uniform(0.5, 1.2)
    else:
        wanted = rng.uniform(0, 2 * np.pi)
    if not backs and np.cos(wanted) < -0.15:
        wanted = np.pi - wanted
    # Turning about y by a takes the heading from h to h - a: positive turns bring z towards x.
    rotation = _turn(1, now - wanted)
    elevation = np.radians(rng.uniform(-20, 50) if rng.random() < 0.28 else rng.normal(4, 6))
    rotation = _turn(2, rng.normal(0, 0.05)) @ _turn(0, elevation) @ rotation
    size = sum(np.linalg.norm(joints[a] - joints[b]) for a, b in _HEIGHT_BONES) + 1e-9
    turned = (joints - joints[_HIPS]) @ rotation.T * (HEIGHT / size)
    if rng.random() < 0.5:
        return turned, turned[:, :2].copy()
    distance = HEIGHT * rng.uniform(1.8, 8.0)
    return turned, turned[:, :2] * (distance / np.maximum(distance + turned[:, 2:], 0.3 * distance))


_HEIGHT_BONES = [
    (_HIPS, _SPINE),
    (_SPINE, _SPINE1),
    (_SPINE1, _SPINE2),
    (_SPINE2, _NECK),
    (_NECK, _HEAD),
    (_HEAD, _TOP),
    *zip(_LEG["Left"][:-1], _LEG["Left"][1:], strict=True),
]


def _untrained(
    joints: FloatArray, points: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """The errors of people who never learnt to draw, in place of a correct projection.

    ``joints`` change along, so that depth order and frames follow. Both in pixels.
    """
    joints, points = joints.copy(), points.copy()

    def move(rows: list[int], shift: FloatArray) -> None:
        points[rows] += shift
        joints[rows, :2] += shift

    if rng.random() < 0.5:  # limbs keep their length: nobody foreshortens
        amount = rng.uniform(0.3, 1.0)
        chains = [_ARM[s][1:] for s in _SIDES] + [_LEG[s] for s in _SIDES]
        for chain in chains:
            for i, (a, b) in enumerate(zip(chain[:-1], chain[1:], strict=True)):
                flat = points[b] - points[a]
                full = np.linalg.norm(joints[b] - joints[a])
                wanted = _unit(flat) * (amount * full + (1 - amount) * np.linalg.norm(flat))
                move(chain[i + 1 :], wanted - flat)
    if rng.random() < 0.4:  # arms grow out of the trunk, anywhere down to the waist
        down = rng.uniform(0.1, 0.45) * (points[_HIPS] - points[_NECK])
        inwards = rng.uniform(0.0, 0.5)
        for side in _SIDES:
            shift = down + inwards * (points[_NECK] - points[_ARM[side][1]])
            move(_ARM[side][1:], shift)
            move(_ARM[side][:1], 0.5 * shift)
    if rng.random() < 0.3:  # no neck
        move([_HEAD, _TOP], rng.uniform(0.5, 1.0) * (points[_NECK] - points[_HEAD]))
    elif rng.random() < 0.15:  # a long one
        move([_HEAD, _TOP], rng.uniform(0.3, 1.5) * (points[_HEAD] - points[_NECK]))
    if rng.random() < 0.25:  # short legs
        shorter = rng.uniform(0.5, 0.9)
        for side in _SIDES:
            chain = _LEG[side]
            for i, (a, b) in enumerate(zip(chain[:3], chain[1:], strict=True)):
                move(chain[i + 1 :], (shorter - 1) * (points[b] - points[a]))
    if rng.random() < 0.15:  # arms straight out, like a scarecrow
        for side in _SIDES:
            _, arm, elbow, hand = _ARM[side]
            outwards = _unit(points[hand] - points[arm] + 1e-3)
            for a, b in ((arm, elbow), (elbow, hand)):
                length = np.linalg.norm(points[b] - points[a])
                target = points[a] + outwards * length
                rows = [elbow, hand] if b == elbow else [hand]
                move(rows, target - points[b])
    if rng.random() < 0.3:  # trunk drawn flat: both shoulders and hips in line
        squeeze = rng.uniform(0.0, 0.7)
        for chains, centre in ((_ARM, _SPINE2), (_LEG, _HIPS)):
            for side in _SIDES:
                root = chains[side][1 if chains is _ARM else 0]
                across = points[root] - points[centre]
                spine = _unit(points[_NECK] - points[_HIPS])
                move(chains[side], -squeeze * (across - spine * (across @ spine)))
    return joints, points


# --------------------------------------------------------------------------------------------------
# The body: what the ways of drawing share


class _Body:
    """A posed body in the picture: points, depths, frames and girths."""

    def __init__(
        self, joints: FloatArray, points: FloatArray, rng: np.random.Generator, girth: float
    ) -> None:
        self.q, self.p, self.rng = joints, points, rng
        self.chest, self.pelvis = chest_frame(joints), pelvis_frame(joints)
        self.h = HEIGHT
        turn = rng.normal(0, 0.35) if rng.random() < 0.8 else rng.uniform(-1.3, 1.3)
        head = _frame(self.chest[0], joints[_TOP] - joints[_HEAD])
        self.head = np.stack(
            [
                np.cos(turn) * head[0] - np.sin(turn) * head[2],
                head[1],
                np.sin(turn) * head[0] + np.cos(turn) * head[2],
            ]
        )
        limb = girth * rng.uniform(0.85, 1.2)
        self.r = {
            name: radius * self.h * limb
            for name, radius in (
                ("shoulder", 0.032),
                ("elbow", 0.024),
                ("wrist", 0.018),
                ("thigh", 0.05),
                ("knee", 0.034),
                ("ankle", 0.022),
                ("neck", 0.028),
            )
        }
        self.girth = girth
        length = float(np.linalg.norm(joints[_TOP] - joints[_HEAD]))
        roundness = rng.uniform(0.36, 0.56)
        self.head_axes = np.array([roundness, 0.54, rng.uniform(0.42, 0.56)]) * length
        self.egg = rng.uniform(0.0, 0.5) if rng.random() < 0.6 else 0.0
        self.head_centre = points[_HEAD] + 0.47 * (points[_TOP] - points[_HEAD])

    def on_head(self, places: FloatArray) -> FloatArray:
        """Places ``[n, 3]`` on the unit head (left, up, forward) -> pixels ``[n, 2]``."""
        return self.head_centre + (places * self.head_axes) @ self.head[:, :2]

    def head_seen(self, places: FloatArray) -> NDArray[np.bool_]:
        """``[n]`` whether places of the unit head face the viewer."""
        return (places / self.head_axes) @ self.head[:, 2] < 0

    def head_outline(self) -> FloatArray:
        """``[n, 2]`` pixels."""
        axes = (self.head_axes[:, None] * self.head)[:, :2]
        root = np.linalg.cholesky(axes.T @ axes + 1e-6 * np.eye(2))
        outline = _CIRCLE @ root.T
        # An egg: the lower a place, the nearer to the head's axis.
        up = self.head[1, :2]
        low = np.clip(-(outline @ up) / self.head_axes[1], 0, 1) * self.egg
        across = outline - np.outer(outline @ up, up) / max(float(up @ up), 0.2)
        return self.head_centre + outline - low[:, None] * across

    def torso_levels(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Cross-sections from the crotch to the neck.

        Returns:
            Centres ``[6, 2]``, and the half axes across ``[6, 2]`` and forward ``[6, 2]``, pixels.
        """
        p, h, g = self.p, self.h, self.girth
        arms = np.stack([self.q[_ARM[s][1]] for s in _SIDES])
        legs = np.stack([self.q[_LEG[s][0]] for s in _SIDES])
        shoulder = max(0.5 * float(np.linalg.norm(arms[0] - arms[1])), 0.05 * h)
        hip = 0.5 * float(np.linalg.norm(legs[0] - legs[1])) + 0.6 * self.r["thigh"]
        middle = (p[_ARM["Left"][1]] + p[_ARM["Right"][1]]) / 2
        down = _unit(p[_HIPS] - p[_SPINE1] + 1e-6)
        seat = min(float(np.linalg.norm(p[_HIPS] - p[_SPINE1])), 0.05 * h)
        centres = np.stack(
            [
                p[_HIPS] + 0.5 * seat * down,
                p[_HIPS],
                p[_SPINE1],
                p[_SPINE2],
                0.75 * middle + 0.25 * p[_SPINE2],
                p[_NECK],
            ]
        )
        waist = 0.7 * min(shoulder, hip * 1.2) * (0.6 + 0.4 * g)
        across = np.array([0.8 * hip, hip, waist, 0.86 * shoulder, shoulder, self.r["neck"] * 1.1])
        forward = h * np.array([0.045, 0.055, 0.05, 0.062, 0.045, 0.026]) * (0.4 + 0.6 * g)
        blend = np.array([0.0, 0.0, 0.5, 1.0, 1.0, 1.0])[:, None]
        left = (1 - blend) * self.pelvis[0, :2] + blend * self.chest[0, :2]
        ahead = (1 - blend) * self.pelvis[2, :2] + blend * self.chest[2, :2]
        return centres, across[:, None] * left, forward[:, None] * ahead

    def depth(self, rows: list[int]) -> float:
        """Mean depth of joints, pixels."""
        return float(self.q[rows, 2].mean())


def _limb(a: FloatArray, b: FloatArray, ra: float, rb: float, bulge: float = 0.0) -> FloatArray:
    """``[n, 2]`` outline of a tapered limb: from the root's one side round the tip to its other."""
    along = b - a
    length = float(np.linalg.norm(along))
    u = along / (length + 1e-9)
    n = np.array([-u[1], u[0]])
    t = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    radius = ra + (rb - ra) * t + bulge * np.sin(np.pi * t**0.7)
    other = ra + (rb - ra) * t + 0.6 * bulge * np.sin(np.pi * t)
    spine = a + t[:, None] * along
    cap = np.array([np.pi / 4, np.pi / 2, 3 * np.pi / 4])
    tip = b + rb * (np.cos(cap)[:, None] * n + np.sin(cap)[:, None] * u)
    return np.concatenate([spine + radius[:, None] * n, tip, (spine - other[:, None] * n)[::-1]])


def _union(polygons: list[FloatArray]) -> list[FloatArray]:
    """Outer and inner borders ``[n, 2]`` of the union of polygons, outer ones first."""
    points = np.concatenate(polygons)
    low, high = points.min(axis=0) - 2, points.max(axis=0) + 2
    scale = min(2.0, 380 / max(float((high - low).max()), 1.0))
    width, height = np.ceil((high - low) * scale).astype(int) + 1
    mask = np.zeros((height, width), np.uint8)
    for polygon in polygons:
        fixed = np.round((polygon - low) * scale * 16).astype(np.int32)
        cv2.fillPoly(mask, [fixed], 255, cv2.LINE_8, 4)
    borders, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_TC89_L1)
    if not borders:
        return [points]
    order = np.argsort(tree[0, :, 3] >= 0, kind="stable")
    return [
        borders[i][:, 0] / scale + low
        for i in order
        if len(borders[i]) > 3 and cv2.contourArea(borders[i]) > 12
    ] or [points]


def _melt(drawing: Drawing, polygons: list[FloatArray], *, fill: float, width: float = 1.0) -> None:
    """Draw several polygons as one shape, with its holes."""
    for i, border in enumerate(_union(polygons)):
        drawing.shape(border, fill=fill if i == 0 else NO_FILL, width=width)


def _arc(a: FloatArray, b: FloatArray, bend: float, count: int = 6) -> FloatArray:
    """``[count, 2]`` a bow from a to b; ``bend`` is its height as a share of the chord."""
    t = np.linspace(0, 1, count)[:, None]
    chord = b - a
    normal = np.array([-chord[1], chord[0]])
    return a + t * chord + bend * 4 * t * (1 - t) * normal


# --------------------------------------------------------------------------------------------------
# Heads


@dataclass(frozen=True)
class _Features:
    """What a head shows."""

    face: str  # "none", "dots", "eyes", "full", "cross"
    hair: str  # "none", "fill", "scribble", "long", "bun", "spikes"
    hat: str  # "none", "cap", "brim", "top", "ears" (an animal's)
    fill: float = 0.0

    @classmethod
    def random(cls, rng: np.random.Generator) -> _Features:
        return cls(
            face=str(rng.choice(["none", "dots", "eyes", "full"], p=[0.22, 0.26, 0.22, 0.3])),
            hair=str(
                rng.choice(
                    ["none", "fill", "scribble", "long", "bun", "spikes"],
                    p=[0.42, 0.1, 0.2, 0.12, 0.06, 0.1],
                )
            ),
            hat=str(
                rng.choice(["none", "cap", "brim", "top", "ears"], p=[0.8, 0.05, 0.06, 0.04, 0.05])
            ),
        )


def _head(drawing: Drawing, body: _Body, look: _Features) -> None:
    """Head, face, hair and hat, in a layer of their own."""
    rng = body.rng
    facing = -body.head[2, 2]  # 1: towards the viewer, 0: profile, -1: away
    if look.hair == "long" and facing > -0.2:
        _long_hair(drawing, body)
        drawing.new_layer()
    outline = body.head_outline()
    if (
        look.face in ("eyes", "full")
        and abs(facing) < 0.75
        and look.hat != "none"
        or (look.face != "none" and abs(facing) < 0.6)
    ):
        big = rng.uniform(1.15, 1.4)
        nose = np.array([[0, 0.25, 0.9], [0, -0.05, big], [0, -0.25, 0.93]])
        drawing.shape(_union([outline, body.on_head(nose)])[0], fill=look.fill)
    else:
        drawing.shape(outline, fill=look.fill)
    if look.face == "cross":
        _face_cross(drawing, body)
    elif look.face != "none" and facing > -0.35:
        _face(drawing, body, look.face)
    if look.face in ("eyes", "full") and rng.random() < 0.4:
        for side in (-1.0, 1.0):
            ear = np.array([[side * 1.02, 0.05, -0.1]])
            if abs(facing) > 0.6 or body.head_seen(ear)[0]:
                centre = body.on_head(ear)[0]
                radius = 0.16 * body.head_axes[1]
                drawing.line(centre + radius * _CIRCLE[:13], width=0.8)
    if look.hair != "none":
        _hair(drawing, body, look.hair)
    if look.hair == "long" and facing <= -0.2:
        drawing.new_layer()
        _long_hair(drawing, body)
    if look.hat == "ears":
        _animal_ears(drawing, body)
    elif look.hat != "none":
        drawing.new_layer()
        _hat(drawing, body, look.hat)


def _face(drawing: Drawing, body: _Body, kind: str) -> None:
    rng = body.rng
    size = 0.09 * body.head_axes[1] * rng.uniform(0.6, 1.4)
    height = rng.uniform(0.05, 0.3)
    spread = rng.uniform(0.3, 0.45)
    for side in (-1, 1):
        place = np.array([[side * spread, height, np.sqrt(1 - spread**2 - height**2)]])
        if not body.head_seen(place)[0]:
            continue
        eye = body.on_head(place)[0]
        if kind == "dots":
            drawing.shape(eye + 0.5 * size * _CIRCLE[::2], fill=1.0, width=0.5)
        else:
            drawing.shape(eye + size * _CIRCLE[::2] * (1.3, 0.8), fill=0.0, width=0.6)
            drawing.shape(eye + 0.35 * size * _CIRCLE[::4], fill=1.0, width=0.4)
        if kind == "full" and rng.random() < 0.6:
            brow = np.array([[side * (spread - 0.15), height + 0.25, 0.9]])
            brow_end = np.array([[side * (spread + 0.18), height + 0.25, 0.8]])
            drawing.line(
                _arc(body.on_head(brow)[0], body.on_head(brow_end)[0], rng.uniform(-0.2, 0.2)),
                width=0.8,
            )
    if kind != "dots" or rng.random() < 0.3:
        nose = np.array([[0, 0.1, 1.0], [0, -0.12, 1.18], [0, -0.2, 0.97]])
        if -body.head[2, 2] > 0.5:
            nose = nose[1:] if rng.random() < 0.5 else nose
            nose[1:, 0] += rng.uniform(-0.1, 0.1)
        if -body.head[2, 2] > 0.3:
            drawing.line(body.on_head(nose), width=0.8)
    wide = rng.uniform(0.15, 0.5)
    t = np.linspace(-1, 1, 7)
    low = -0.45 + rng.uniform(-0.06, 0.06) + rng.uniform(-0.05, 0.18) * t**2
    mouth = np.stack(
        [wide * t, low, np.sqrt(np.clip(1 - (wide * t) ** 2 - low**2, 0.1, 1))], axis=1
    )
    seen = body.head_seen(mouth)
    if seen.sum() >= 2:
        drawing.line(body.on_head(mouth[seen]), width=0.8)


def _face_cross(drawing: Drawing, body: _Body) -> None:
    """The construction lines of drawing books: the face's middle and the line of the eyes."""
    t = np.linspace(-1.4, 1.4, 11)
    zero = np.zeros_like(t)
    for ring in (
        np.stack([zero, np.sin(t), np.cos(t)], axis=1),
        np.stack([np.sin(t), zero + 0.05, np.cos(t)], axis=1),
    ):
        seen = body.head_seen(ring)
        if seen.sum() >= 3:
            drawing.line(body.on_head(ring[seen]), width=0.7, ink=0.8)


def _hair_cap(body: _Body, low: float) -> FloatArray:
    """``[n, 3]`` places of the unit head under the hair that the viewer can see."""
    crown = _unit(np.array([0.0, 0.75, -0.65]))
    covered = _SPHERE[_SPHERE @ crown > low]
    return covered[(covered / body.head_axes) @ body.head[:, 2] < 0.15 / body.head_axes[1]]


def _hair(drawing: Drawing, body: _Body, kind: str) -> None:
    rng = body.rng
    places = _hair_cap(body, rng.uniform(0.05, 0.45))
    if len(places) < 4:
        return
    points = body.on_head(places * 1.05)
    if kind in ("fill", "bun", "long"):
        hull = cv2.convexHull(points.astype(np.float32))[:, 0].astype(np.float64)
        drawing.shape(hull, fill=float(rng.choice([0.0, 0.4, 1.0], p=[0.4, 0.2, 0.4])))
        if kind == "bun":
            centre = body.on_head(np.array([[0, 0.9, -0.75]]))[0]
            drawing.shape(centre + 0.4 * body.head_axes[0] * _CIRCLE, fill=0.0)
    elif kind == "scribble":
        count = int(rng.integers(6, 26))
        path = points[rng.integers(0, len(points), count)]
        if rng.random() < 0.5:
            drawing.line(path, width=0.8)
        else:
            for a, b in zip(path[::2], path[1::2], strict=False):
                drawing.line(_arc(a, b, rng.uniform(-0.4, 0.4)), width=0.8)
    else:
        outwards = points - body.head_centre
        for i in rng.choice(len(points), min(len(points), int(rng.integers(6, 18))), replace=False):
            drawing.line(
                np.stack(
                    [
                        points[i] - 0.1 * outwards[i],
                        points[i] + rng.uniform(0.1, 0.45) * outwards[i],
                    ]
                )
            )


def _long_hair(drawing: Drawing, body: _Body) -> None:
    rng = body.rng
    length = rng.uniform(1.2, 2.4)
    places = [body.on_head(_SPHERE[_SPHERE[:, 1] > -0.2] * (1.12, 1.06, 1.1))]
    hem = body.on_head(np.array([[-0.95, -length, -0.5], [0.95, -length, -0.5]]))
    hull = cv2.convexHull(np.concatenate([*places, hem]).astype(np.float32))[:, 0]
    fill = float(rng.choice([0.0, 0.35, 1.0], p=[0.6, 0.15, 0.25]))
    drawing.shape(hull.astype(np.float64), fill=fill)
    if fill == 0:
        root = body.on_head(np.array([[0, 0.95, -0.2]]))[0]
        for share in rng.uniform(0, 1, int(rng.integers(0, 7))):
            drawing.line(
                _arc(root, hem[0] + share * (hem[1] - hem[0]), rng.uniform(-0.2, 0.2)), width=0.8
            )


def _animal_ears(drawing: Drawing, body: _Body) -> None:
    rng = body.rng
    long, wide, apart = rng.uniform(0.3, 1.4), rng.uniform(0.2, 0.5), rng.uniform(0.3, 0.8)
    pointed = rng.random() < 0.5
    for side in (-1, 1):
        root = np.array([side * apart, math.sqrt(1 - apart**2), 0.0])
        out = _unit(root + (0.0, 0.4, 0.0))
        if pointed:
            across = wide * np.array([root[1], -root[0], 0.0])
            places = np.stack([root - across, root + long * out, root + across])
        else:
            places = root + 0.5 * long * out * (1 + _CIRCLE[:, :1])
            places = places + wide * _CIRCLE[:, 1:] * np.array([root[1], -root[0], 0.0])
        drawing.shape(body.on_head(places))


def _hat(drawing: Drawing, body: _Body, kind: str) -> None:
    rng = body.rng
    fill = float(rng.choice([0.0, 0.4, 1.0], p=[0.6, 0.15, 0.25]))
    ring = np.stack([_CIRCLE[:, 0], np.zeros(16), _CIRCLE[:, 1]], axis=1)
    base, tall, brim = {
        "cap": (0.35, 0.75, 1.02),
        "brim": (0.4, 0.7, 1.9),
        "top": (0.45, 1.4, 1.5),
    }[kind]
    crown = np.concatenate(
        [ring * (1.02, 0, 1.02) + (0, base, 0), ring * (0.85, 0, 0.85) + (0, base + tall, 0)]
    )
    hull = cv2.convexHull(body.on_head(crown).astype(np.float32))[:, 0].astype(np.float64)
    drawing.shape(hull, fill=fill)
    if kind == "cap":
        peak = np.array(
            [[-0.6, base, 0.8], [0.6, base, 0.8], [0.5, base - 0.05, 1.7], [-0.5, base - 0.05, 1.7]]
        )
        edge = cv2.convexHull(body.on_head(peak).astype(np.float32))[:, 0].astype(np.float64)
        drawing.shape(edge, fill=fill)
    else:
        flat = body.on_head(ring * (brim, 0, brim) + (0, base, 0))
        drawing.shape(flat, fill=fill)


# --------------------------------------------------------------------------------------------------
# Hands, feet and clothes


def _hand(
    drawing: Drawing,
    wrist: FloatArray,
    direction: FloatArray,
    radius: float,
    kind: str,
    body: _Body,
    fill: float,
) -> list[FloatArray]:
    """Draw a hand's lines; returns the polygons that belong to the arm's silhouette."""
    rng = body.rng
    side = np.array([-direction[1], direction[0]])
    length = radius * rng.uniform(2.2, 3.6)
    if kind == "none":
        return []
    if kind == "fist":
        return [wrist + 0.9 * radius * direction + 1.35 * radius * _CIRCLE]
    if kind == "lines":
        for angle in np.linspace(-0.6, 0.6, int(rng.integers(3, 6))):
            finger = np.cos(angle) * direction + np.sin(angle) * side
            drawing.line(np.stack([wrist, wrist + length * finger]), width=0.9)
        return []
    if kind == "fingers":
        palm = wrist + 0.35 * length * direction + 1.2 * radius * _CIRCLE
        parts = [palm]
        for angle in np.linspace(-0.55, 0.55, int(rng.integers(3, 5))):
            finger = np.cos(angle) * direction + np.sin(angle) * side
            root = wrist + 0.35 * length * direction + 0.8 * radius * finger
            parts.append(_limb(root, root + 0.7 * length * finger, 0.36 * radius, 0.28 * radius))
        return parts
    palm = (
        wrist
        + 0.5 * length * direction
        + (0.62 * length * _CIRCLE[:, :1] * direction + 1.15 * radius * _CIRCLE[:, 1:] * side)
    )
    if kind == "mitten" and rng.random() < 0.7:
        thumb = _unit(direction + rng.choice([-1, 1]) * side)
        root = wrist + 0.3 * length * direction
        return [palm, _limb(root, root + 0.6 * length * thumb, 0.5 * radius, 0.35 * radius)]
    return [palm]


def _foot(
    ankle: FloatArray, toe: FloatArray, shin: FloatArray, radius: float, big: float
) -> FloatArray:
    """``[n, 2]`` outline of a shoe from heel to toes."""
    along = toe - ankle
    length = np.linalg.norm(along)
    forward = along / (length + 1e-9)
    # The sole lies below the ankle: away from the shin, as far as the foot does not point there.
    down = shin - (shin @ forward) * forward * min(1.0, length / (2 * radius + 1e-9))
    heel = ankle - 0.55 * radius * forward + 0.45 * radius * down
    tip = toe + 0.35 * big * along
    circles = [
        ankle + radius * _CIRCLE,
        heel + 0.85 * radius * _CIRCLE,
        tip + 0.7 * radius * big * _CIRCLE,
    ]
    return cv2.convexHull(np.concatenate(circles).astype(np.float32))[:, 0].astype(np.float64)


@dataclass(frozen=True)
class _Clothes:
    """Darkness of garments, 0 = paper; how far sleeves and legs of the garment reach, 0 to 1."""

    shirt: float = 0.0
    trousers: float = 0.0
    skin: float = 0.0
    shoes: float = 0.0
    sleeve: float = 0.0  # 0 none, below 0.5 on the upper arm, up to 1 at the wrist
    leg: float = 0.0
    skirt: float = 0.0  # length as a share of the legs
    belt: bool = False

    @classmethod
    def random(cls, rng: np.random.Generator, coloured: bool) -> _Clothes:
        tones = [0.0, 0.15, 0.3, 0.6, 0.85, 1.0]
        share = [0.2, 0.15, 0.2, 0.2, 0.1, 0.15]
        shirt, trousers = rng.choice(tones, 2, p=share) if coloured else (0.0, 0.0)
        return cls(
            shirt=float(shirt),
            trousers=float(trousers),
            skin=float(rng.choice([0.0, 0.1, 0.5], p=[0.6, 0.3, 0.1])) if coloured else 0.0,
            shoes=float(rng.choice([0.0, 0.7, 1.0])) if coloured or rng.random() < 0.2 else 0.0,
            sleeve=float(rng.choice([0.0, rng.uniform(0.15, 0.45), 0.97])),
            leg=float(rng.choice([0.0, rng.uniform(0.25, 0.48), 0.97])),
            skirt=rng.uniform(0.3, 0.95) if rng.random() < 0.12 else 0.0,
            belt=rng.random() < 0.4,
        )


class _Trunk:
    """The trunk's surface: places on it, and which of them the viewer sees."""

    def __init__(self, body: _Body) -> None:
        self.centres, self.left, self.ahead = body.torso_levels()
        self.chest, self.facing = body.chest, -body.chest[2, 2]

    @property
    def front(self) -> float:
        """1 if the viewer sees the chest, -1 if he sees the back."""
        return 1.0 if self.facing > 0 else -1.0

    def places(self, levels: FloatArray, across: FloatArray, front: float) -> FloatArray:
        """``[n, 2]`` pixels; level 0 crotch to 5 neck, across -1 (its right) to 1 (its left)."""
        index = np.clip(np.floor(levels).astype(int), 0, 4)
        t = (levels - index)[:, None]

        def mix(table: FloatArray) -> FloatArray:
            return (1 - t) * table[index] + t * table[index + 1]

        bulge = front * np.sqrt(np.clip(1 - across**2, 0, 1))
        return (
            mix(self.centres) + across[:, None] * mix(self.left) + bulge[:, None] * mix(self.ahead)
        )

    def seen(self, across: FloatArray, front: float) -> NDArray[np.bool_]:
        """``[n]`` whether places face the viewer."""
        normal = (
            across * self.chest[0, 2]
            + front * np.sqrt(np.clip(1 - across**2, 0, 1)) * self.chest[2, 2]
        )
        return normal < -0.05

    def line(
        self, drawing: Drawing, levels: FloatArray, across: FloatArray, *, width: float = 0.8
    ) -> None:
        """Draw a line on the side that the viewer sees, as far as he sees it."""
        seen = self.seen(across, self.front)
        if seen.sum() >= 2:
            drawing.line(self.places(levels[seen], across[seen], self.front), width=width)

    def outline(self) -> list[FloatArray]:
        """Polygons whose union is the trunk."""
        rings = self.centres[:, None] + (
            _CIRCLE[None, :, :1] * self.left[:, None] + _CIRCLE[None, :, 1:] * self.ahead[:, None]
        )
        pairs = np.concatenate([rings[:-1], rings[1:]], axis=1).astype(np.float32)
        return [cv2.convexHull(pair)[:, 0].astype(np.float64) for pair in pairs]


def _simple_trunk(trunk: _Trunk, kind: str, rng: np.random.Generator) -> FloatArray:
    """``[n, 2]`` a box or an oval in place of the trunk."""
    top, bottom = trunk.centres[4] * 0.6 + trunk.centres[5] * 0.4, trunk.centres[0]
    axis = top - bottom
    n = _unit(np.array([-axis[1], axis[0]]))

    def half(level: int) -> float:
        return math.hypot(float(trunk.left[level] @ n), float(trunk.ahead[level] @ n))

    high, low = half(4) * rng.uniform(0.8, 1.1), half(1) * rng.uniform(0.8, 1.2)
    if kind == "box":
        return np.stack([top + high * n, top - high * n, bottom - low * n, bottom + low * n])
    wide = np.where(_CIRCLE[:, :1] > 0, high, low) * _CIRCLE[:, 1:]
    return (top + bottom) / 2 + 0.55 * _CIRCLE[:, :1] * axis + wide * n


def _across(a: FloatArray, b: FloatArray, t: float, radius: float, bend: float) -> FloatArray:
    """A seam across a limb at share t of its length."""
    u = _unit(b - a)
    n = radius * np.array([-u[1], u[0]])
    middle = a + t * (b - a)
    return _arc(middle - n, middle + n, bend)


# --------------------------------------------------------------------------------------------------
# Ways of drawing


def _solid(drawing: Drawing, body: _Body, look: _Look) -> None:
    """Sausage people, exercise art and signs: limbs with an outline, nearer ones over farther ones."""
    rng, p, r = body.rng, body.p, body.r
    clothes = look.clothes
    trunk = _Trunk(body)
    depth_of_trunk = body.depth([_HIPS, _SPINE1, _SPINE2, _NECK])
    parts: list[tuple[float, str, str]] = [(depth_of_trunk, "trunk", "")]
    slack = 0.03 * body.h
    for side in _SIDES:
        arm = body.depth(_ARM[side][1:]) * 0.6 + 0.4 * float(body.q[_ARM[side][2], 2])
        leg = body.depth(_LEG[side][:3])
        # Near the trunk's own depth nothing tells front from behind: limbs belong before the trunk.
        parts.append((arm - slack, "arm", side))
        parts.append((leg + (0.3 * slack if look.shirt_over else -slack), "leg", side))
    head_nearer = -0.4 * body.head_axes[2] if body.chest[1, 2] < 0.3 else 0.5 * body.head_axes[2]
    parts.append((body.depth([_HEAD, _TOP]) + head_nearer, "head", ""))
    if clothes.skirt:
        nearest = min(z for z, kind, _ in parts if kind == "leg")
        parts.append((min(nearest, depth_of_trunk) - 1.0, "skirt", ""))
    parts.sort(key=lambda part: -part[0])
    for _, kind, side in parts:
        if not look.melted:
            drawing.new_layer()
        if kind == "trunk":
            if look.neck:
                drawing.shape(
                    _limb(
                        p[_NECK], p[_HEAD] + 0.2 * (p[_TOP] - p[_HEAD]), r["neck"], r["neck"] * 0.9
                    ),
                    fill=clothes.skin,
                )
                if not look.melted:
                    drawing.new_layer()
            if look.trunk == "body":
                _melt(drawing, trunk.outline(), fill=clothes.shirt)
            else:
                drawing.shape(_simple_trunk(trunk, look.trunk, rng), fill=clothes.shirt)
            _trunk_marks(drawing, body, trunk, look)
        elif kind == "arm":
            _arm(drawing, body, side, look)
        elif kind == "leg":
            _leg(drawing, body, side, look)
        elif kind == "skirt":
            _skirt(drawing, body, trunk, clothes)
        else:
            _head(drawing, body, look.features)
    if look.loose_lines:
        a, b = p[_NECK], p[_HIPS]
        drawing.line(_arc(a, b, rng.uniform(-0.1, 0.1)), ink=0.4, width=0.6)


@dataclass(frozen=True)
class _Look:
    """Decisions that hold for a whole solid figure."""

    features: _Features
    clothes: _Clothes
    hand: str
    bulge: float  # muscles in the outline, share of the limb's radius
    marks: int  # interior strokes on each limb
    neck: bool
    joined: bool  # limbs open into the trunk
    shirt_over: bool  # the trunk hides the legs' roots
    big_feet: float
    trunk: str = "body"  # or "box", "oval": simpler shapes
    noodle: bool = False  # limbs bend in a curve
    melted: bool = False  # one outline around everything, like a gingerbread man
    loose_lines: bool = False


def _capsule_chain(
    drawing: Drawing,
    points: list[FloatArray],
    radii: list[float],
    *,
    fills: list[float],
    bulge: float,
    open_root: bool,
    noodle: bool,
    more: list[FloatArray],
) -> None:
    """A limb of two bones as one outlined shape, its root open or closed.

    ``more`` are further polygons of its silhouette (hand or foot), filled like the second bone.
    """
    for polygon in more:
        drawing.shape(polygon, fill=fills[2])
    bend = _unit(points[1] - points[0]) @ _unit(points[2] - points[1])
    if noodle and bend > 0.1:
        tube = _tube(points, radii)
        (drawing.open_shape if open_root else drawing.shape)(tube, fill=fills[0])
        return
    first = _limb(points[0], points[1], radii[0], radii[1], bulge * radii[0])
    second = _limb(points[1], points[2], radii[1], radii[2], bulge * radii[1])
    second = np.concatenate([second, _limb(points[1], points[0], radii[1], radii[1])[6:9]])
    if open_root:
        drawing.open_shape(first, fill=fills[0])
    else:
        root = _limb(points[1], points[0], radii[0], radii[0])[6:9]
        drawing.shape(np.concatenate([first, root]), fill=fills[0])
    drawing.shape(second, fill=fills[1])


def _tube(points: list[FloatArray], radii: list[float]) -> FloatArray:
    """``[n, 2]`` outline around a smooth curve through three joints, open at its root."""
    t = np.linspace(0, 1, 9)
    # Lagrange's parabola through the joints at 0, 1/2 and 1.
    weights = np.stack([(2 * t - 1) * (t - 1), 4 * t * (1 - t), t * (2 * t - 1)], axis=1)
    curve = weights @ np.stack(points)
    along = np.gradient(curve, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    n = np.stack([-along[:, 1], along[:, 0]], axis=1) * np.interp(t, [0, 0.5, 1], radii)[:, None]
    tip = curve[-1] + radii[2] * along[-1]
    return np.concatenate([curve + n, tip[None], (curve - n)[::-1]])


def _limb_marks(
    drawing: Drawing, a: FloatArray, b: FloatArray, ra: float, rb: float, count: int, body: _Body
) -> None:
    """Short strokes along a limb, as muscles and folds are drawn."""
    rng = body.rng
    u = _unit(b - a)
    n = np.array([-u[1], u[0]])
    for start, length, off, bend in zip(
        rng.uniform(0.02, 0.7, count),
        rng.uniform(0.12, 0.45, count),
        rng.uniform(-0.75, 0.75, count),
        rng.uniform(-0.18, 0.18, count),
        strict=True,
    ):
        end = min(start + length, 1.02)
        r0, r1 = ra + (rb - ra) * start, ra + (rb - ra) * end
        root = a + start * (b - a) + off * r0 * n
        tip = a + end * (b - a) + off * rng.uniform(0.2, 1.2) * r1 * n
        drawing.line(_arc(root, tip, bend), width=rng.uniform(0.4, 0.9))


def _arm(drawing: Drawing, body: _Body, side: str, look: _Look) -> None:
    rng, p, r, c = body.rng, body.p, body.r, look.clothes
    _, shoulder, elbow, wrist = _ARM[side]
    along = p[wrist] - p[elbow]
    if np.linalg.norm(along) < 1e-6:
        along = np.array([0.0, 1.0])
    turn = rng.normal(0, 0.35)
    direction = _unit(_turn(2, turn)[:2, :2] @ along)
    sleeved = c.sleeve > 0
    more = _hand(drawing, p[wrist], direction, r["wrist"], look.hand, body, c.skin)
    fills = [c.shirt if sleeved else c.skin, c.shirt if c.sleeve > 0.5 else c.skin, c.skin]
    _capsule_chain(
        drawing,
        [p[shoulder], p[elbow], p[wrist]],
        [r["shoulder"], r["elbow"], r["wrist"]],
        fills=fills,
        bulge=look.bulge,
        open_root=look.joined,
        noodle=look.noodle,
        more=more,
    )
    if look.marks:
        _limb_marks(drawing, p[shoulder], p[elbow], r["shoulder"], r["elbow"], look.marks, body)
        _limb_marks(drawing, p[elbow], p[wrist], r["elbow"], r["wrist"], look.marks - 1, body)
    if 0 < c.sleeve < 0.5:
        drawing.line(_across(p[shoulder], p[elbow], 2 * c.sleeve, r["shoulder"] * 1.05, 0.12))
    elif c.sleeve >= 0.5:
        drawing.line(_across(p[elbow], p[wrist], 0.93, r["wrist"] * 1.2, 0.12))


def _leg(drawing: Drawing, body: _Body, side: str, look: _Look) -> None:
    p, r, c = body.p, body.r, look.clothes
    hip, knee, ankle, toe = _LEG[side]
    shin = _unit(p[ankle] - p[knee] + 1e-9)
    drawing.shape(_foot(p[ankle], p[toe], shin, r["ankle"], look.big_feet), fill=c.shoes)
    if not look.melted:
        drawing.new_layer()
    trousered = c.leg > 0
    _capsule_chain(
        drawing,
        [p[hip], p[knee], p[ankle]],
        [r["thigh"], r["knee"], r["ankle"]],
        fills=[c.trousers if trousered else c.skin, c.trousers if c.leg > 0.5 else c.skin, 0.0],
        bulge=look.bulge,
        open_root=look.joined,
        noodle=look.noodle,
        more=[],
    )
    if look.marks:
        _limb_marks(drawing, p[hip], p[knee], r["thigh"], r["knee"], look.marks, body)
        _limb_marks(drawing, p[knee], p[ankle], r["knee"], r["ankle"], look.marks, body)
        u = _unit(p[ankle] - p[hip] + 1e-9)
        drawing.line(
            _arc(p[knee] - 0.5 * r["knee"] * u, p[knee] + 0.6 * r["knee"] * u, 0.35), width=0.8
        )
    if 0 < c.leg < 0.5:
        drawing.line(_across(p[hip], p[knee], 2 * c.leg, r["thigh"] * (1.1 - 0.5 * c.leg), 0.1))
    elif c.leg >= 0.5:
        drawing.line(_across(p[knee], p[ankle], 0.94, r["ankle"] * 1.25, 0.1))


def _skirt(drawing: Drawing, body: _Body, trunk: _Trunk, clothes: _Clothes) -> None:
    rng, p = body.rng, body.p
    waist = trunk.places(np.full(3, 1.6), np.array([-1.0, 0.0, 1.0]), 1.0)
    hem = []
    for side in _SIDES:
        hip, knee, ankle, _ = _LEG[side]
        share = clothes.skirt * 2
        at = p[hip] + min(share, 1) * (p[knee] - p[hip]) + max(share - 1, 0) * (p[ankle] - p[knee])
        hem.append(at + body.r["thigh"] * rng.uniform(1.2, 2.4) * _CIRCLE)
    hull = cv2.convexHull(np.concatenate([waist, *hem]).astype(np.float32))[:, 0].astype(np.float64)
    drawing.shape(hull, fill=max(clothes.shirt, clothes.trousers))
    top = (waist[0] + waist[2]) / 2
    for _ in range(int(rng.integers(0, 6))):
        foot = hem[int(rng.integers(2))][int(rng.integers(16))]
        drawing.line(_arc(top + 0.3 * (foot - top), foot, rng.uniform(-0.08, 0.08)), width=0.8)


def _trunk_marks(drawing: Drawing, body: _Body, trunk: _Trunk, look: _Look) -> None:
    """What is drawn on chest or back; it tells which of the two the viewer sees."""
    rng = body.rng
    t = np.linspace(0, 1, 7)
    if look.clothes.belt:
        level = rng.uniform(1.3, 1.8)
        trunk.line(drawing, np.full(7, level) - 0.15 * np.sin(np.pi * t), 1.9 * t - 0.95, width=1.0)
    if look.marks:
        if trunk.front > 0:
            trunk.line(drawing, 1.4 + 2.6 * t, 0.04 * np.sin(6 * t))
            for side in (-1, 1):
                trunk.line(drawing, 3.1 + 0.35 * t**2, side * (0.05 + 0.8 * t), width=1.0)
                trunk.line(drawing, 4.6 - 0.15 * t, side * (0.1 + 0.75 * t))
                trunk.line(drawing, 2.9 - 1.6 * t, side * (0.8 - 0.5 * t))
                for level in rng.uniform(1.6, 2.9, 3):
                    trunk.line(
                        drawing,
                        level + 0.05 * np.sin(np.pi * t),
                        side * (0.08 + 0.35 * t),
                        width=0.7,
                    )
                for level in rng.uniform(2.2, 3.0, 2):
                    trunk.line(drawing, level + 0.25 * t, side * (0.55 + 0.35 * t), width=0.7)
        else:
            trunk.line(drawing, 1.2 + 3.5 * t, 0.05 * np.sin(4 * t))
            for side in (-1, 1):
                trunk.line(
                    drawing, 4.2 - 1.0 * t, side * (0.25 + 0.3 * np.sin(np.pi * t)), width=1.0
                )
                trunk.line(drawing, 3.4 - 1.8 * t, side * (0.85 - 0.7 * t))
                trunk.line(drawing, 4.7 - 0.4 * t, side * (0.1 + 0.7 * t))
                trunk.line(drawing, 1.2 - 0.4 * np.sin(np.pi * t), side * 0.8 * t)
        return
    chance = rng.random()
    if trunk.front > 0 and chance < 0.45:
        if chance < 0.15:  # a collar
            for side in (-1, 1):
                trunk.line(drawing, 4.9 - 0.7 * t, side * 0.5 * (1 - t))
        elif chance < 0.3:  # an open front, or buttons
            trunk.line(drawing, 1.2 + 3.5 * t, np.zeros(7))
        else:
            for level in np.linspace(1.6, 4.2, 4):
                if trunk.seen(np.zeros(1), 1.0)[0]:
                    centre = trunk.places(np.array([level]), np.zeros(1), 1.0)[0]
                    drawing.shape(centre + 1.5 * _CIRCLE[::2], width=0.6, fill=1.0)
    elif trunk.front < 0 and chance < 0.3:
        trunk.line(drawing, 1.2 + 3.3 * t, np.zeros(7))


def _mannequin(drawing: Drawing, body: _Body) -> None:
    """Ellipses, boxes and construction lines, as figure-drawing books teach."""
    rng, p, r = body.rng, body.p, body.r
    see_through = rng.random() < 0.5
    fill = NO_FILL if see_through else 0.0
    balls = rng.random() < 0.5
    limbs = str(rng.choice(["ellipse", "capsule", "box"]))
    trunk = _Trunk(body)
    parts = [(body.depth([_HIPS, _NECK]), "trunk", "")]
    for side in _SIDES:
        parts += [
            (body.depth(_ARM[side][1:]) - 3, "arm", side),
            (body.depth(_LEG[side]) - 3, "leg", side),
        ]
    parts.append((body.depth([_HEAD, _TOP]) - 5, "head", ""))
    parts.sort(key=lambda part: -part[0])

    def segment(a: int, b: int, ra: float, rb: float) -> None:
        along = p[b] - p[a]
        n = np.array([-along[1], along[0]]) / (np.linalg.norm(along) + 1e-9)
        if limbs == "ellipse":
            wide = 1.1 * (ra + rb) / 2
            drawing.shape(
                (p[a] + p[b]) / 2 + _CIRCLE[:, :1] * along * 0.52 + wide * _CIRCLE[:, 1:] * n,
                fill=fill,
            )
        elif limbs == "capsule":
            drawing.shape(_limb(p[a], p[b], ra, rb), fill=fill)
        else:
            a0, b0 = p[a] + 0.08 * along, p[b] - 0.08 * along
            drawing.shape(np.stack([a0 - ra * n, b0 - rb * n, b0 + rb * n, a0 + ra * n]), fill=fill)

    for _, kind, side in parts:
        drawing.new_layer()
        if kind == "trunk":
            polygons = trunk.outline()
            drawing.shape(np.concatenate([polygons[0]]), fill=fill)
            if rng.random() < 0.5:
                hull = cv2.convexHull(np.concatenate(polygons[2:4]).astype(np.float32))[:, 0]
                drawing.shape(hull.astype(np.float64), fill=fill)
                drawing.line(p[[_NECK, _SPINE2, _SPINE1, _SPINE, _HIPS]], width=0.7)
            else:
                _melt(drawing, polygons, fill=max(fill, 0.0))
            t = np.linspace(0, 1, 7)
            trunk.line(drawing, 0.8 + 3.9 * t, np.zeros(7))
            trunk.line(drawing, np.full(7, 3.1), 1.8 * t - 0.9)
            drawing.line(p[[_NECK, _HEAD]], width=1.0)
        elif kind == "arm":
            _, shoulder, elbow, wrist = _ARM[side]
            segment(shoulder, elbow, r["shoulder"], r["elbow"])
            segment(elbow, wrist, r["elbow"], r["wrist"])
            direction = _unit(p[wrist] - p[elbow] + 1e-9)
            for polygon in _hand(drawing, p[wrist], direction, r["wrist"], "mitten", body, 0.0):
                drawing.shape(polygon, fill=fill)
        elif kind == "leg":
            hip, knee, ankle, toe = _LEG[side]
            segment(hip, knee, r["thigh"], r["knee"])
            segment(knee, ankle, r["knee"], r["ankle"])
            shin = _unit(p[ankle] - p[knee] + 1e-9)
            drawing.shape(_foot(p[ankle], p[toe], shin, r["ankle"], 1.0), fill=fill)
        else:
            face = "cross" if rng.random() < 0.8 else "none"
            _head(drawing, body, _Features(face, "none", "none"))
        if balls and side:
            for row in (_ARM if kind == "arm" else _LEG)[side][:-1]:
                if row not in (_ARM[side][0],):
                    drawing.shape(p[row] + 0.6 * r["elbow"] * _CIRCLE, fill=fill, width=0.8)


def _stick(drawing: Drawing, body: _Body) -> FloatArray:
    """Lines for limbs. Returns the keypoints: arms and legs may start on the spine."""
    rng = body.rng
    p = body.p.copy()
    trunk = str(
        rng.choice(
            ["line", "oval", "box", "triangle", "dress", "lines"],
            p=[0.42, 0.14, 0.12, 0.1, 0.1, 0.12],
        )
    )
    spine = p[_HIPS] - p[_NECK]
    if trunk == "line":
        # One line is neck, chest and belly: arms leave it at one point, legs at its end.
        root = p[_NECK] + rng.uniform(0.0, 0.35) * spine
        for side in _SIDES:
            chain = _ARM[side]
            p[chain[2:]] += rng.uniform(0.5, 1.0) * (root - p[chain[1]])
            p[chain[:2]] = root
            chain = _LEG[side]
            p[chain[1:]] += rng.uniform(0.5, 1.0) * (p[_HIPS] - p[chain[0]])
            p[chain[0]] = p[_HIPS]
        if rng.random() < 0.5:
            for share, row in zip((0.75, 0.5, 0.25), (_SPINE, _SPINE1, _SPINE2), strict=True):
                p[row] = p[_NECK] + share * spine
    curved = rng.random() < 0.25
    bends = rng.uniform(-0.12, 0.12, 4) if curved else np.zeros(4)
    n = np.array([-spine[1], spine[0]]) / (np.linalg.norm(spine) + 1e-9)
    shoulders = np.stack([p[_ARM[s][1]] for s in _SIDES])
    hips = np.stack([p[_LEG[s][0]] for s in _SIDES])
    drawing.line(p[[_NECK, _HEAD]])
    if trunk == "line":
        drawing.line(p[[_NECK, _SPINE2, _SPINE1, _SPINE, _HIPS]])
    elif trunk == "oval":
        wide = max(
            0.5 * float(np.linalg.norm(shoulders[0] - shoulders[1])),
            0.2 * float(np.linalg.norm(spine)),
        )
        middle = (p[_NECK] + p[_HIPS]) / 2
        drawing.shape(
            middle
            + 0.53 * _CIRCLE[:, :1] * spine
            + wide * rng.uniform(0.8, 1.2) * _CIRCLE[:, 1:] * n
        )
    elif trunk in ("box", "dress", "triangle"):
        flare = {"box": 1.0, "dress": rng.uniform(1.5, 3.0), "triangle": 0.15}[trunk]
        top = shoulders
        if np.linalg.norm(top[0] - top[1]) < 0.08 * body.h:  # a profile has a depth, too
            side_sign = 1.0 if (top[0] - top[1]) @ n >= 0 else -1.0
            top = p[_NECK] + 0.06 * body.h * side_sign * np.stack([n, -n])
        bottom = (
            p[_HIPS]
            + (rng.uniform(0.2, 0.7) * spine if trunk == "dress" else 0)
            + flare * (top - top.mean(axis=0))
        )
        drawing.shape(np.stack([top[0], top[1], bottom[1], bottom[0]]))
        if trunk != "dress":
            drawing.line(np.stack([hips[0], hips[1]]))
    else:
        drawing.line(np.stack([shoulders[0], shoulders[1]]))
        drawing.line(p[[_NECK, _SPINE2, _SPINE1, _SPINE, _HIPS]])
        drawing.line(np.stack([hips[0], hips[1]]))
    hand = str(rng.choice(["none", "ball", "lines", "mitten"], p=[0.45, 0.2, 0.2, 0.15]))
    foot = str(rng.choice(["line", "oval", "none"], p=[0.55, 0.25, 0.2]))
    size = 0.02 * body.h * rng.uniform(0.7, 1.6)
    for i, side in enumerate(_SIDES):
        chain = _ARM[side][1:]
        drawing.line(_through(p[chain], bends[i]))
        direction = _unit(p[chain[2]] - p[chain[1]] + 1e-9)
        if hand == "ball":
            drawing.shape(p[chain[2]] + size * _CIRCLE, fill=float(rng.random() < 0.3))
        elif hand != "none":
            for polygon in _hand(drawing, p[chain[2]], direction, size * 0.8, hand, body, 0.0):
                drawing.shape(polygon)
        chain = _LEG[side]
        drawing.line(_through(p[chain[:3]], bends[2 + i]))
        toe = p[chain[3]]
        if foot == "line":
            drawing.line(np.stack([p[chain[2]], toe + 0.2 * (toe - p[chain[2]])]))
        elif foot == "oval":
            along = toe - p[chain[2]]
            across = 0.35 * np.array([-along[1], along[0]])
            drawing.shape(
                p[chain[2]] + 0.5 * along + 0.75 * _CIRCLE[:, :1] * along + _CIRCLE[:, 1:] * across
            )
    drawing.new_layer()
    features = _Features.random(rng)
    _head(drawing, body, features)
    return p


def _through(points: FloatArray, bend: float) -> FloatArray:
    """A line through the points with each stretch bowed."""
    if bend == 0:
        return points
    pieces = [_arc(a, b, bend, 5) for a, b in zip(points[:-1], points[1:], strict=True)]
    return np.concatenate(pieces)


def _random_look(kind: str, rng: np.random.Generator) -> _Look:
    if kind == "muscled":
        shorts = rng.uniform(0.3, 0.46) if rng.random() < 0.8 else 0.97
        return _Look(
            features=_Features("none" if rng.random() < 0.8 else "cross", "none", "none"),
            clothes=_Clothes(leg=shorts, belt=True),
            hand=str(rng.choice(["fist", "mitten", "fingers"])),
            bulge=rng.uniform(0.1, 0.4),
            marks=int(rng.integers(2, 6)),
            neck=True,
            joined=True,
            shirt_over=rng.random() < 0.3,
            big_feet=rng.uniform(0.8, 1.3),
        )
    if kind == "pictogram":
        clothes = _Clothes.random(rng, coloured=rng.random() < 0.65)
        return _Look(
            features=_Features("none", "none", "none", fill=clothes.skin),
            clothes=clothes,
            hand=str(rng.choice(["none", "fist", "mitten"])),
            bulge=0.0,
            marks=0,
            neck=rng.random() < 0.25,
            joined=True,
            shirt_over=rng.random() < 0.5,
            big_feet=rng.uniform(0.8, 1.4),
        )
    return _Look(
        features=_Features.random(rng),
        clothes=_Clothes.random(rng, coloured=rng.random() < 0.3),
        hand=str(
            rng.choice(
                ["none", "fist", "mitten", "fingers", "lines"], p=[0.2, 0.15, 0.35, 0.2, 0.1]
            )
        ),
        bulge=rng.uniform(0, 0.2) if rng.random() < 0.4 else 0.0,
        marks=0 if rng.random() < 0.85 else 1,
        neck=rng.random() < 0.75,
        joined=rng.random() < 0.8,
        shirt_over=rng.random() < 0.5,
        big_feet=rng.uniform(0.7, 1.8),
        trunk=str(rng.choice(["body", "box", "oval"], p=[0.64, 0.2, 0.16])),
        noodle=rng.random() < 0.25,
        melted=rng.random() < 0.15,
        loose_lines=rng.random() < 0.1,
    )


def draw_figure(joints: FloatArray, kind: str, rng: np.random.Generator) -> Figure:
    """Draw a pose as a whole figure, with new proportions and through a new camera.

    Args:
        joints: ``[23, 3]`` camera space (x right, y down, z forward), metres.
        kind: one of :data:`KINDS`.
        rng: the only source of chance.

    Raises:
        ValueError: the kind is not known.
    """
    if kind not in KINDS:
        raise ValueError(f"no such kind of figure: {kind}")
    naive = kind in ("stick", "sausage")
    strength = {"stick": 1.2, "sausage": 1.2, "pictogram": 0.7}.get(kind, 0.5)
    joints = reproportioned(np.asarray(joints, dtype=np.float64), rng, strength)
    # Where neither face nor chest is drawn, people take the figure to look at them.
    backs = kind not in ("stick", "pictogram") or rng.random() < 0.1
    turned, points = viewed(joints, rng, backs)
    if naive and rng.random() < 0.7:
        turned, points = _untrained(turned, points, rng)
    girth = {
        "stick": 0.8,
        "sausage": float(np.exp(rng.normal(0, 0.3))),
        "mannequin": rng.uniform(0.8, 1.2),
        "muscled": rng.uniform(1.0, 1.5),
        "pictogram": rng.uniform(0.9, 1.6),
    }[kind]
    body = _Body(turned, points, rng, girth)
    drawing = Drawing()
    if kind == "stick":
        points = _stick(drawing, body)
    elif kind == "mannequin":
        _mannequin(drawing, body)
    else:
        _solid(drawing, body, _random_look(kind, rng))
    return Figure(drawing, points)
