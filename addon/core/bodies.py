"""Bodies for figures that are drawn from the skeleton alone: proportions, view, girth.

A pose is taken out of its character and gets another body and another camera. What all ways of
drawing it share is here: frames of head, chest and pelvis, outlines of limbs and trunk.

Camera space as everywhere: x right, y down, z forward (away from the viewer).
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from . import skeleton
from .rotations import about_axis
from .styles import Drawing

FloatArray = NDArray[np.float64]

ROW = skeleton.INDEX
"""Row of each keypoint name."""
SIDES = ("Left", "Right")
ARM = {s: [ROW[s + n] for n in ("Shoulder", "Arm", "ForeArm", "Hand")] for s in SIDES}
LEG = {s: [ROW[s + n] for n in ("UpLeg", "Leg", "Foot", "ToeBase")] for s in SIDES}
HIPS, SPINE, SPINE1, SPINE2 = (ROW[n] for n in ("Hips", "Spine", "Spine1", "Spine2"))
NECK, HEAD, TOP = (ROW[n] for n in ("Neck", "Head", "HeadTop_End"))

_T = np.linspace(0, 2 * np.pi, 16, endpoint=False)
CIRCLE = np.stack([np.cos(_T), np.sin(_T)], axis=1)


HEIGHT = 180.0
"""Height in pixels to which a standing figure of common proportions is drawn."""


# --------------------------------------------------------------------------------------------------
# The pose: proportions and view


def unit(vector: FloatArray) -> FloatArray:
    """The vector at length 1 (zero stays zero)."""
    return vector / (math.sqrt(vector @ vector) + 1e-12)


def frame(left: FloatArray, up: FloatArray) -> FloatArray:
    """Rows: left, up, forward of a body part, orthonormal; ``up`` is kept."""
    up = unit(up)
    forward = np.cross(left, up)
    if np.linalg.norm(forward) < 1e-6:
        forward = np.cross(np.array([1.0, 0.1, 0.2]), up)
    forward = unit(forward)
    return np.stack([np.cross(up, forward), up, forward])


def chest_frame(joints: FloatArray) -> FloatArray:
    """``[3, 3]`` rows: the chest's own left, up and forward direction; frame of ``joints``."""
    return frame(joints[ROW["LeftArm"]] - joints[ROW["RightArm"]], joints[NECK] - joints[HIPS])


def pelvis_frame(joints: FloatArray) -> FloatArray:
    """``[3, 3]`` rows: the pelvis' own left, up and forward direction; frame of ``joints``."""
    return frame(
        joints[ROW["LeftUpLeg"]] - joints[ROW["RightUpLeg"]], joints[SPINE1] - joints[HIPS]
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
    scale[TOP] = np.clip(1.15 * factor(0.25), 0.8, 2.2)
    scale[HEAD] = factor(0.25)
    torso, arm, leg = factor(0.12), factor(0.14), factor(0.16)
    scale[[SPINE, SPINE1, SPINE2, NECK]] = torso
    shoulder, hip = factor(0.16), factor(0.2)
    for side in SIDES:
        scale[ARM[side]] = shoulder, shoulder, arm * factor(0.07), arm * factor(0.07)
        scale[LEG[side]] = hip, leg * factor(0.06), leg * factor(0.08), factor(0.2)
    result = np.zeros((skeleton.COUNT, 3))
    for (parent, child), length in zip(skeleton.BONES, _LENGTHS, strict=True):
        direction = unit(joints[child] - joints[parent])
        result[child] = result[parent] + scale[child] * length * direction
    return result


def _adult_lengths() -> list[float]:
    trunk = {"Spine": 0.1, "Spine1": 0.12, "Spine2": 0.12, "Neck": 0.17, "Head": 0.09}
    limbs = {"HeadTop_End": 0.2, "Shoulder": 0.14, "Arm": 0.13, "ForeArm": 0.28, "Hand": 0.25}
    legs = {"UpLeg": 0.1, "Leg": 0.43, "Foot": 0.42, "ToeBase": 0.16}
    table = trunk | limbs | legs
    return [table[skeleton.without_side(skeleton.KEYPOINTS[child])] for _, child in skeleton.BONES]


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
    rotation = about_axis(1, now - wanted)
    elevation = np.radians(rng.uniform(-20, 50) if rng.random() < 0.28 else rng.normal(4, 6))
    rotation = about_axis(2, rng.normal(0, 0.05)) @ about_axis(0, elevation) @ rotation
    size = sum(np.linalg.norm(joints[a] - joints[b]) for a, b in _HEIGHT_BONES) + 1e-9
    turned = (joints - joints[HIPS]) @ rotation.T * (HEIGHT / size)
    if rng.random() < 0.5:
        return turned, turned[:, :2].copy()
    distance = HEIGHT * rng.uniform(1.8, 8.0)
    return turned, turned[:, :2] * (distance / np.maximum(distance + turned[:, 2:], 0.3 * distance))


_HEIGHT_BONES = [
    (HIPS, SPINE),
    (SPINE, SPINE1),
    (SPINE1, SPINE2),
    (SPINE2, NECK),
    (NECK, HEAD),
    (HEAD, TOP),
    *zip(LEG["Left"][:-1], LEG["Left"][1:], strict=True),
]


def untrained(
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
        chains = [ARM[s][1:] for s in SIDES] + [LEG[s] for s in SIDES]
        for chain in chains:
            for i, (a, b) in enumerate(zip(chain[:-1], chain[1:], strict=True)):
                flat = points[b] - points[a]
                full = np.linalg.norm(joints[b] - joints[a])
                wanted = unit(flat) * (amount * full + (1 - amount) * np.linalg.norm(flat))
                move(chain[i + 1 :], wanted - flat)
    if rng.random() < 0.4:  # arms grow out of the trunk, anywhere down to the waist
        down = rng.uniform(0.1, 0.45) * (points[HIPS] - points[NECK])
        inwards = rng.uniform(0.0, 0.5)
        for side in SIDES:
            shift = down + inwards * (points[NECK] - points[ARM[side][1]])
            move(ARM[side][1:], shift)
            move(ARM[side][:1], 0.5 * shift)
    if rng.random() < 0.3:  # no neck
        move([HEAD, TOP], rng.uniform(0.5, 1.0) * (points[NECK] - points[HEAD]))
    elif rng.random() < 0.15:  # a long one
        move([HEAD, TOP], rng.uniform(0.3, 1.5) * (points[HEAD] - points[NECK]))
    if rng.random() < 0.25:  # short legs
        shorter = rng.uniform(0.5, 0.9)
        for side in SIDES:
            chain = LEG[side]
            for i, (a, b) in enumerate(zip(chain[:3], chain[1:], strict=True)):
                move(chain[i + 1 :], (shorter - 1) * (points[b] - points[a]))
    if rng.random() < 0.15:  # arms straight out, like a scarecrow
        for side in SIDES:
            _, arm, elbow, hand = ARM[side]
            outwards = unit(points[hand] - points[arm] + 1e-3)
            for a, b in ((arm, elbow), (elbow, hand)):
                length = np.linalg.norm(points[b] - points[a])
                target = points[a] + outwards * length
                rows = [elbow, hand] if b == elbow else [hand]
                move(rows, target - points[b])
    if rng.random() < 0.3:  # trunk drawn flat: both shoulders and hips in line
        squeeze = rng.uniform(0.0, 0.7)
        for chains, centre in ((ARM, SPINE2), (LEG, HIPS)):
            for side in SIDES:
                root = chains[side][1 if chains is ARM else 0]
                across = points[root] - points[centre]
                spine = unit(points[NECK] - points[HIPS])
                move(chains[side], -squeeze * (across - spine * (across @ spine)))
    return joints, points


# --------------------------------------------------------------------------------------------------
# The body: what the ways of drawing share


class Body:
    """A posed body in the picture: points, depths, frames and girths."""

    def __init__(
        self,
        joints: FloatArray,
        points: FloatArray,
        rng: np.random.Generator,
        girth: float,
        turn: float | None = None,
    ) -> None:
        """A body over its joints.

        Args:
            joints: ``[23, 3]`` pixels, camera space.
            points: ``[23, 2]`` pixels, their picture.
            rng: source of chance.
            girth: thickness as a multiple of an adult's.
            turn: of the head away from the chest, radians; by chance if not given.
        """
        self.q, self.p, self.rng = joints, points, rng
        self.chest, self.pelvis = chest_frame(joints), pelvis_frame(joints)
        if turn is None:
            turn = rng.normal(0, 0.35) if rng.random() < 0.8 else rng.uniform(-1.3, 1.3)
        head = frame(self.chest[0], joints[TOP] - joints[HEAD])
        self.head = np.stack(
            [
                np.cos(turn) * head[0] - np.sin(turn) * head[2],
                head[1],
                np.sin(turn) * head[0] + np.cos(turn) * head[2],
            ]
        )
        limb = girth * rng.uniform(0.85, 1.2)
        self.r = {
            name: radius * HEIGHT * limb
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
        length = float(np.linalg.norm(joints[TOP] - joints[HEAD]))
        roundness = rng.uniform(0.36, 0.56)
        self.head_axes = np.array([roundness, 0.54, rng.uniform(0.42, 0.56)]) * length
        self.egg = rng.uniform(0.0, 0.5) if rng.random() < 0.6 else 0.0
        self.head_centre = points[HEAD] + 0.47 * (points[TOP] - points[HEAD])

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
        outline = CIRCLE @ root.T
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
        p, h, g = self.p, HEIGHT, self.girth
        arms = np.stack([self.q[ARM[s][1]] for s in SIDES])
        legs = np.stack([self.q[LEG[s][0]] for s in SIDES])
        shoulder = max(0.5 * float(np.linalg.norm(arms[0] - arms[1])), 0.05 * h)
        hip = 0.5 * float(np.linalg.norm(legs[0] - legs[1])) + 0.6 * self.r["thigh"]
        middle = (p[ARM["Left"][1]] + p[ARM["Right"][1]]) / 2
        down = unit(p[HIPS] - p[SPINE1] + 1e-6)
        seat = min(float(np.linalg.norm(p[HIPS] - p[SPINE1])), 0.05 * h)
        centres = np.stack(
            [
                p[HIPS] + 0.5 * seat * down,
                p[HIPS],
                p[SPINE1],
                p[SPINE2],
                0.75 * middle + 0.25 * p[SPINE2],
                p[NECK],
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


def extent(points: FloatArray) -> float:
    """The longer side of the bounds of points ``[n, 2]``; above zero."""
    return max(float(np.ptp(points, axis=0).max()), 1e-3)


def hull(points: FloatArray) -> FloatArray:
    """``[m, 2]`` corners of the convex hull of points ``[n, 2]``."""
    return cv2.convexHull(points.astype(np.float32))[:, 0].astype(np.float64)


def limb_outline(
    a: FloatArray, b: FloatArray, ra: float, rb: float, bulge: float = 0.0
) -> FloatArray:
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


def union(polygons: list[FloatArray]) -> list[FloatArray]:
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


def bow(a: FloatArray, b: FloatArray, bend: float, count: int = 6) -> FloatArray:
    """``[count, 2]`` a bow from a to b; ``bend`` is its height as a share of the chord."""
    t = np.linspace(0, 1, count)[:, None]
    chord = b - a
    normal = np.array([-chord[1], chord[0]])
    return a + t * chord + bend * 4 * t * (1 - t) * normal


class Trunk:
    """The trunk's surface: places on it, and which of them the viewer sees."""

    def __init__(self, body: Body) -> None:
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
            CIRCLE[None, :, :1] * self.left[:, None] + CIRCLE[None, :, 1:] * self.ahead[:, None]
        )
        return [hull(pair) for pair in np.concatenate([rings[:-1], rings[1:]], axis=1)]
