"""A body of tubes around a skeleton: a skin whose every point is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from addon.core import skeleton
from addon.core.rotations import between

FloatArray = NDArray[np.float64]
INDEX = skeleton.INDEX
RINGS, SPOKES = 9, 16

RADII = {"Head": 0.1, "Arm": 0.05, "ForeArm": 0.04, "Hand": 0.03, "Foot": 0.04} | {
    "UpLeg": 0.08,
    "Leg": 0.06,
}
TRUNK_RADIUS = 0.14


def body(
    joints: FloatArray, girth: float = 1.0
) -> tuple[FloatArray, NDArray[np.int64], NDArray[np.uint8]]:
    """Vertices [V, 3], triangles [T, 3] and bones [V] around joints [23, 3], always in one order.

    The trunk is one tube from between the hips to the neck, whose rings belong to Hips, Spine,
    Spine1 and Spine2 in turn; every limb's bone has a tube of its own.
    """
    at = {name: joints[row] for name, row in INDEX.items()}
    level = np.eye(3)
    trunk_bones = [("Hips", "Spine", "Spine1", "Spine2")[i * 4 // RINGS] for i in range(RINGS)]
    tubes = [
        (at["Hips"] - (0, 0, 0.05), at["Neck"], level, TRUNK_RADIUS, trunk_bones),
        (at["Neck"], at["Head"], level, 0.05, ["Neck"] * RINGS),
        (at["Head"], at["HeadTop_End"], level, RADII["Head"], ["Head"] * RINGS),
    ]
    for side, left in (("Left", 1), ("Right", -1)):
        finger = at[side + "Hand"] + 0.6 * (at[side + "Hand"] - at[side + "ForeArm"])
        ends = {**at, side + "Finger": finger}
        for chain, rest in (
            (("Arm", "ForeArm", "Hand", "Finger"), (left, 0, 0)),
            (("UpLeg", "Leg", "Foot"), (0, 0, -1)),
            (("Foot", "ToeBase"), (0, -1, 0)),
        ):
            # Each bone swings at its joint, and takes the next ones with it.
            turn = between((0, 0, 1), rest)
            for start, end in zip(chain[:-1], chain[1:], strict=True):
                a, b = ends[side + start], ends[side + end]
                turn = between(turn[:, 2], b - a) @ turn
                tubes.append((a, b, turn, RADII[start], [side + start] * RINGS))
    vertices, triangles, bones = [], [], []
    first = 0
    for start, end, turn, radius, names in tubes:
        points, faces = tube(start, end, turn, radius * girth)
        vertices.append(points)
        triangles.append(faces + first)
        bones += [INDEX[name] for name in names for _ in range(SPOKES)]
        first += len(points)
    return np.concatenate(vertices), np.concatenate(triangles), np.array(bones, np.uint8)


def tube(
    start: FloatArray, end: FloatArray, turn: FloatArray, radius: float
) -> tuple[FloatArray, NDArray[np.int64]]:
    """RINGS rings of SPOKES points and the triangles between them, without caps.

    The columns of turn are the axes of the rings' plane and its normal.
    """
    angle = 2 * np.pi * np.arange(SPOKES) / SPOKES
    ring = np.stack([np.cos(angle), np.sin(angle), np.zeros(SPOKES)], axis=1) * radius
    ring = ring @ turn.T
    share = np.linspace(0, 1, RINGS)[:, None, None]
    points = (start + share * (end - start) + ring).reshape(-1, 3)
    i, j = np.meshgrid(np.arange(RINGS - 1), np.arange(SPOKES), indexing="ij")
    a, b = i * SPOKES + j, i * SPOKES + (j + 1) % SPOKES
    c, d = a + SPOKES, b + SPOKES
    faces = np.stack([np.stack([a, b, c], -1), np.stack([b, d, c], -1)], axis=2)
    return points, faces.reshape(-1, 3)
