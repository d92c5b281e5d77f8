"""A rig built by code, and poses of it whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from addon.core import anatomy, lift, skeleton, solve
from addon.core.rotations import from_vector, unit

INDEX = skeleton.INDEX
SCORES = np.ones(skeleton.COUNT)
BONES = np.array(skeleton.BONES)

T_POSE = {  # metres; a character that faces -Y; its left is +X
    "Hips": (0, 0, 0.95),
    "Spine": (0, 0.01, 1.05),
    "Spine1": (0, 0.02, 1.15),
    "Spine2": (0, 0.03, 1.27),
    "Neck": (0, 0.03, 1.42),
    "Head": (0, 0.0, 1.5),
    "HeadTop_End": (0, -0.02, 1.7),
    "LeftShoulder": (0.05, 0.02, 1.37),
    "LeftArm": (0.18, 0.03, 1.36),
    "LeftForeArm": (0.46, 0.03, 1.36),
    "LeftHand": (0.71, 0.03, 1.36),
    "LeftUpLeg": (0.09, 0.0, 0.89),
    "LeftLeg": (0.1, 0.0, 0.49),
    "LeftFoot": (0.1, 0.02, 0.09),
    "LeftToeBase": (0.11, -0.12, 0.02),
}
A_POSE = {
    **T_POSE,
    "LeftForeArm": (0.38, 0.02, 1.16),
    "LeftHand": (0.51, -0.11, 0.98),
}
FINGER = "LeftHandIndex1"


def places(pose: dict[str, tuple[float, float, float]]) -> np.ndarray:
    result = np.zeros((skeleton.COUNT, 3))
    for name, place in pose.items():
        result[INDEX[name]] = place
        if name.startswith("Left"):
            result[skeleton.FLIP[INDEX[name]]] = np.array(place) * (-1, 1, 1)
    return result


def make_rig(
    pose: dict[str, tuple[float, float, float]] = T_POSE,
    *,
    roll_seed: int = 0,
    scale: float = 1.0,
    turn: float = 0.0,
    without: tuple[str, ...] = (),
) -> solve.Rig:
    """A rig with a root above the hips and a finger, its bones' axes rolled at random."""
    heads = places(pose) @ from_vector([0, 0, turn]).T * scale
    names = ["Root", *(k for k in skeleton.KEYPOINTS if k not in without), FINGER]
    rng = np.random.default_rng(roll_seed)
    rest, parents, lengths = [], [], []
    for name in names:
        if name == "Root":
            parents.append(-1)
            head, tail = np.zeros(3), np.array([0, 0, 0.2 * scale])
        elif name == FINGER:
            parents.append(names.index("LeftHand"))
            head, tail = heads[INDEX["LeftHand"]] * 1.1, heads[INDEX["LeftHand"]] * 1.2
        else:
            up = skeleton.PARENTS[INDEX[name]]
            while up >= 0 and skeleton.KEYPOINTS[up] in without:
                up = skeleton.PARENTS[up]
            parents.append(names.index(skeleton.KEYPOINTS[up]) if up >= 0 else 0)
            children = [c for p, c in skeleton.BONES if p == INDEX[name]]
            head = heads[INDEX[name]]
            tail = heads[children[0]] if children else head + (0, 0, 0.05 * scale)
        matrix = np.eye(4)
        y = unit(tail - head)
        x = unit(np.cross(y, unit(rng.normal(size=3))))
        matrix[:3] = np.column_stack([x, y, np.cross(x, y), head])
        rest.append(matrix)
        lengths.append(np.linalg.norm(tail - head))
    return solve.Rig.from_bones(names, parents, np.array(rest), np.array(lengths))


RIG = make_rig()


@dataclass(frozen=True)
class Truth:
    """A pose by forward kinematics, seen by a parallel camera."""

    joints: np.ndarray  # [23, 3] camera space
    keypoints: np.ndarray  # [23, 2] pixels
    lifted: lift.Lifted  # the truth as a reading in depth
    turns: dict[str, np.ndarray]  # camera space, of each keypoint's bone since rest
    elevation: float  # radians, of the camera over the horizon


def plausible(seed: int, rig: solve.Rig = RIG, bent: float = 1.0) -> Truth:
    """A random pose within the reach of a body."""
    rng = np.random.default_rng(seed)

    def around(axis: np.ndarray, low: float, high: float) -> np.ndarray:
        return from_vector(axis * np.radians(rng.uniform(low, high)) * bent)

    left, front, up = rig.left, rig.front, np.array([0.0, 0.0, 1.0])
    view = np.array([left, -up, -front])
    local: dict[str, np.ndarray] = dict.fromkeys(skeleton.KEYPOINTS, np.eye(3))
    yaw, elevation = rng.uniform(-np.pi, np.pi), np.radians(rng.uniform(-10, 30))
    raised = from_vector([elevation, 0, 0]) @ view
    local["Hips"] = view.T @ raised @ from_vector(up * yaw)
    bend = around(left, -5, 18) @ around(up, -10, 10) @ around(front, -8, 8)
    for name in ("Spine", "Spine1", "Spine2"):
        local[name] = bend
    local["Neck"] = local["Head"] = around(left, -10, 10) @ around(up, -15, 15)
    hinges = anatomy.Body(rig).hinges
    for side, sign in (("Left", 1), ("Right", -1)):
        drop = around(front * sign, 20, 80)
        local[side + "Arm"] = around(left, -60, 60) @ drop
        local[side + "ForeArm"] = around(hinges[side + "ForeArm"], 20, 120)
        # Thighs forward and apart.
        local[side + "UpLeg"] = around(-left, -20, 70) @ around(-front * sign, 0, 25)
        local[side + "Leg"] = around(hinges[side + "Leg"], 15, 110)
        local[side + "Foot"] = around(left, -20, 20)

    turns: dict[str, np.ndarray] = {}
    joints = np.zeros((skeleton.COUNT, 3))
    joints[0] = view @ rig.joints[0]
    for child, parent in enumerate(skeleton.PARENTS):
        name = skeleton.KEYPOINTS[child]
        above = turns[skeleton.KEYPOINTS[parent]] if parent >= 0 else view
        turns[name] = above @ local[name]
        if parent >= 0:
            joints[child] = joints[parent] + above @ (rig.joints[child] - rig.joints[parent])
    axes = [raised @ up]
    axes += [turns[name] @ left for name in ("Hips", "Spine2", "Head")]
    for name in lift.AXES[4:]:
        above = turns[skeleton.KEYPOINTS[skeleton.PARENTS[INDEX[name]]]]
        axes.append(above @ hinges[name])
    directions = unit(joints[BONES[:, 1]] - joints[BONES[:, 0]])
    certainty = np.full(len(directions), 0.995)
    reading = lift.Lifted(directions, certainty, np.array(axes), np.full(len(axes), 0.97))
    return Truth(joints, joints[:, :2] * 150 + (200, 300), reading, turns, float(elevation))
