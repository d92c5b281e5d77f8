"""The body behind a rig: which bones are posed, and how far human joints go.

A pose is one turn per posed bone since rest, in a common frame (camera or world space). Limits
are those of supple people, not of the average: dancers and fighters are what is drawn. Fewer than
one in a thousand poses of the CMU motion capture lie beyond the ranges of the spine, the
shoulders and the hips.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import skeleton
from .rest import UP, Rig
from .rotations import between, from_vector, to_vector, unit
from .turning import Wishes

FloatArray = NDArray[np.float64]

END = {
    side + joint: side + end
    for side in ("Left", "Right")
    for joint, end in (("ForeArm", "Hand"), ("Leg", "Foot"))
}
"""The joints that are hinges, and the end of the limb below each."""

BEND = (-4.0, 155.0)
"""Degrees that elbows and knees bend; a little beyond straight is human."""

# Degrees that a bone turns against its parent, about any axis.
_TURN = {
    "Spine": 60.0,
    "Spine1": 45.0,
    "Spine2": 45.0,
    "Neck": 60.0,
    "Head": 70.0,
    "Shoulder": 45.0,
    "Foot": 70.0,
}
# Where the roots of the limbs point: the bone against which it counts, the middle of the range
# (outwards, forwards, upwards) and the degrees to all sides of it.
_REACH = {
    "Arm": ("Spine2", (0.60, 0.75, -0.20), 118.0),
    "UpLeg": ("Hips", (0.20, 0.77, -0.64), 105.0),
}
_KNEE_AXIS = 95.0  # degrees between the axis of a knee and the line through the hips
_OUT_OF_PLANE = 4.0  # degrees that a lower limb may leave the plane of its hinge
_SOFTNESS = 0.03  # deviation of a limit, share of a unit vector


class Body:
    """What the solver needs of a rig, as arrays.

    Nodes are the bones that are posed: those from which another keypoint hangs.

    Attributes:
        rig: the rig.
        nodes: ``K`` keypoint names of the nodes, parents first.
        index: row of each node.
        parents: ``K`` row of each node's parent, -1 for the hips.
        bone_node: ``[22]`` the node that turns each segment of ``skeleton.BONES``.
        segments: ``[22, 3]`` the segments at rest, metres.
        lengths: ``[22]`` their lengths, metres.
        reach: ``[23, K, 3]`` metres: each keypoint lies ``sum of turn[k] @ reach[:, k]`` from the
            hips.
        hinges: joint -> ``[3]`` the axis at rest about which an elbow or a knee closes.
    """

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        carriers = rig.carriers
        rows = sorted({carriers[parent] for parent, _ in skeleton.BONES})
        self.nodes = [skeleton.KEYPOINTS[row] for row in rows]
        self.index = {name: i for i, name in enumerate(self.nodes)}
        self.bone_node = np.array([rows.index(carriers[parent]) for parent, _ in skeleton.BONES])
        ends = rig.joints[np.array(skeleton.BONES)]
        self.segments = ends[:, 1] - ends[:, 0]
        self.lengths = np.linalg.norm(self.segments, axis=1)
        self.parents = [self._parent(row, rows) for row in rows]
        self.reach = np.zeros((skeleton.COUNT, len(rows), 3))
        for (parent, child), node, segment in zip(
            skeleton.BONES, self.bone_node, self.segments, strict=True
        ):
            self.reach[child] = self.reach[parent]
            self.reach[child, node] += segment
        self.hinges = {joint: self._hinge(joint) for joint in END}

    def _parent(self, row: int, rows: list[int]) -> int:
        up = skeleton.PARENTS[row]
        return -1 if up < 0 else rows.index(self.rig.carriers[up])

    def carrier(self, keypoint: str) -> int:
        """The node that carries a keypoint's bone."""
        return self.index[skeleton.KEYPOINTS[self.rig.carriers[skeleton.INDEX[keypoint]]]]

    def segment(self, child: str) -> FloatArray:
        """The rest direction ``[3]`` of the segment that ends at a keypoint."""
        row = [b for _, b in skeleton.BONES].index(skeleton.INDEX[child])
        return unit(self.segments[row])

    def _hinge(self, joint: str) -> FloatArray:
        rig = self.rig
        upper, lower = self.segment(joint), self.segment(END[joint])
        if joint.endswith("Leg"):
            axis = rig.left
        else:
            axis = np.cross(upper, rig.front)
            if np.linalg.norm(axis) < 0.3:  # arms stretched forwards: as from a T-pose turned there
                axis = -UP if joint.startswith("Left") else UP
        axis = unit(axis - (axis @ upper) * upper)
        # A rest pose whose limb is bent already shows its axis.
        bent = np.cross(upper, lower)
        if bent @ axis > 0.25:
            axis = unit(bent)
        return axis

    def middle_of_reach(self, name: str) -> tuple[int, FloatArray, float] | None:
        """Where the root of a limb may point; None for other bones.

        Returns:
            The node to which the range belongs, its middle ``[3]`` at rest and its half-angle,
            radians.
        """
        bare = skeleton.without_side(name)
        if bare not in _REACH:
            return None
        carrier, middle, degrees = _REACH[bare]
        out = self.rig.left if name.startswith("Left") else -self.rig.left
        direction = np.array(middle) @ np.array([out, self.rig.front, UP])
        return self.carrier(carrier), unit(direction), float(np.radians(degrees))

    def place(self, turns: FloatArray) -> FloatArray:
        """The keypoints ``[23, 3]``, metres from the hips, under turns ``[K, 3, 3]``."""
        return np.tensordot(self.reach, turns, axes=([1, 2], [0, 2]))


def want_limits(wishes: Wishes, body: Body) -> None:
    """Wish that every joint stays within its range."""
    for name, node in body.index.items():
        bare, parent = skeleton.without_side(name), body.parents[node]
        if bare in _TURN:
            # Of a turn by t degrees, the trace is 1 + 2 cos t.
            least = 1 + 2 * np.cos(np.radians(_TURN[bare]))
            wishes.limit(parent, np.eye(3), node, np.eye(3), least, 2 * _SOFTNESS)
        if reach := body.middle_of_reach(name):
            carrier, middle, half = reach
            limb = body.segment(_next_joint(name))
            wishes.limit(carrier, middle, node, limb, np.cos(half), _SOFTNESS)
        if bare == "UpLeg":
            axis = body.hinges[_next_joint(name)]
            least = np.cos(np.radians(_KNEE_AXIS))
            wishes.limit(body.carrier("Hips"), body.rig.left, node, axis, least, _SOFTNESS)
        if name in END:
            upper, lower = body.segment(name), body.segment(END[name])
            # The sine and the cosine of the bend.
            across, (least, most) = np.cross(body.hinges[name], upper), np.radians(BEND)
            wishes.limit(parent, across, node, lower, np.sin(least), _SOFTNESS)
            wishes.limit(parent, upper, node, lower, np.cos(most), _SOFTNESS)


def within_limits(body: Body, turns: FloatArray) -> FloatArray:
    """The turns ``[K, 3, 3]`` with every joint in its range, elbows and knees in their planes.

    Bones keep their directions where they may: an upper limb twists about itself until the lower
    one lies in the plane of the hinge, and only what is beyond a range moves to its border.
    """
    turns = turns.copy()
    for name, node in body.index.items():
        bare, parent = skeleton.without_side(name), body.parents[node]
        if bare in _TURN:
            turn = to_vector(turns[parent].T @ turns[node])
            angle, most = np.linalg.norm(turn), np.radians(_TURN[bare])
            if angle > most:
                turns[node] = turns[parent] @ from_vector(turn * (most / angle))
        if reach := body.middle_of_reach(name):
            carrier, middle, half = reach
            _bring_near(turns, node, body.segment(_next_joint(name)), turns[carrier] @ middle, half)
            _twist_to_hinge(body, turns, node, _next_joint(name))
        if name in END:
            _close(body, turns, node, name)
    return turns


def _next_joint(name: str) -> str:
    """The elbow of an upper arm, the knee of a thigh."""
    return name.replace("UpLeg", "Leg") if name.endswith("UpLeg") else name[:-3] + "ForeArm"


def _bring_near(
    turns: FloatArray, node: int, limb: FloatArray, middle: FloatArray, half: float
) -> None:
    """Swing a limb until it is within ``half`` radians of a direction."""
    direction = turns[node] @ limb
    angle = float(np.arccos(np.clip(direction @ middle, -1, 1)))
    if angle > half:
        turn = to_vector(between(direction, middle))
        turns[node] = from_vector(turn * (1 - half / angle)) @ turns[node]


def _twist_to_hinge(body: Body, turns: FloatArray, node: int, joint: str) -> None:
    """Twist an upper limb about itself towards the plane in which the lower one lies."""
    upper = turns[node] @ body.segment(joint)
    lower = turns[body.index[joint]] @ body.segment(END[joint])
    axis = turns[node] @ body.hinges[joint]
    across = np.cross(axis, upper)
    out_of_plane = np.arctan2(lower @ axis, lower @ across)
    if abs(out_of_plane) < np.pi / 2:
        # A nearly straight limb has no plane to speak of: there the twist stays as it is.
        share = _has_plane(float(np.arccos(np.clip(lower @ upper, -1, 1))))
        turns[node] = from_vector(upper * out_of_plane * share) @ turns[node]
    if joint.endswith("Leg"):
        # axis . left is a cosine of the twist: back to where it is large enough.
        left = turns[body.carrier("Hips")] @ body.rig.left
        axis = turns[node] @ body.hinges[joint]
        along, beside = axis @ left, np.cross(upper, axis) @ left
        best = np.arctan2(beside, along)
        share = np.cos(np.radians(_KNEE_AXIS)) / max(np.hypot(along, beside), 1e-9)
        free = np.arccos(max(share, -1.0))
        if abs(best) > free:
            back = best - np.sign(best) * free
            turns[node] = from_vector(upper * back) @ turns[node]


def _close(body: Body, turns: FloatArray, node: int, joint: str) -> None:
    """Bring a lower limb into the plane and the range of its hinge."""
    above = turns[body.parents[node]]
    upper, axis = above @ body.segment(joint), above @ body.hinges[joint]
    lower = turns[node] @ body.segment(END[joint])
    across = np.cross(axis, upper)
    bend = np.arctan2(lower @ across, lower @ upper)
    beside = np.arcsin(np.clip(lower @ axis, -1, 1))
    # What is closed beyond half a turn is nearer to closed than to stretched.
    middle = np.radians(np.mean(BEND))
    bend = middle + (bend - middle + np.pi) % (2 * np.pi) - np.pi
    bend = np.clip(bend, *np.radians(BEND))
    loose = np.radians(_OUT_OF_PLANE) * (1 - _has_plane(abs(float(bend))))
    beside = np.clip(beside, -loose, loose)
    wanted = np.cos(beside) * (np.cos(bend) * upper + np.sin(bend) * across)
    turns[node] = between(lower, wanted + np.sin(beside) * axis) @ turns[node]


def _has_plane(bend: float) -> float:
    """How far a limb that is bent by so many radians shows the plane of its hinge, 0..1."""
    return float(np.clip((np.degrees(bend) - 5) / 15, 0, 1))
