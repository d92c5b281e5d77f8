"""Which poses and views a dataset holds, told from its figures' 3D joints."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import skeleton
from .rotations import unit

FloatArray = NDArray[np.float64]

NEAR_DEGREES = 6.0
"""Two figures are near-equal if none of :data:`SEGMENTS` differs by more, as the camera sees it."""

SAMPLE = 4096
"""Figures kept to estimate how many near-equal ones other clips hold."""

SEGMENTS = (
    ("Hips", "Neck"),
    ("Neck", "HeadTop_End"),
    ("RightArm", "LeftArm"),
    ("RightUpLeg", "LeftUpLeg"),
    *(
        (side + start, side + end)
        for side in ("Left", "Right")
        for start, end in (
            ("Arm", "ForeArm"),
            ("ForeArm", "Hand"),
            ("UpLeg", "Leg"),
            ("Leg", "Foot"),
        )
    ),
)
"""The directions that make a pose, seen from somewhere."""

AZIMUTHS = np.arange(-180, 181, 30)
ELEVATIONS = np.arange(-90, 91, 30)
ANGLES = np.arange(-180, 181, 20)


class Coverage:
    """From where figures are seen, how their joints are bent, and how many are near-equal."""

    def __init__(self) -> None:
        self.figures = 0
        self.views = np.zeros((len(ELEVATIONS) - 1, len(AZIMUTHS) - 1), np.int64)
        self.cameras = np.zeros(len(ELEVATIONS) - 1, np.int64)
        self.angles = {
            name: np.zeros(len(ANGLES) - 1, np.int64)
            for name in ("elbow", "knee", "hip", "shoulder")
        }
        self.repeated = 0
        self._clips = 0
        self._characters: dict[str, int] = {}
        self._rng = np.random.default_rng(0)
        self._sample = np.zeros((SAMPLE, len(SEGMENTS), 3), np.float32)
        self._source = np.zeros((SAMPLE, 2), np.int64)  # clip and character of each

    def add(self, joints: FloatArray, parallel: NDArray[np.bool_], characters: list[str]) -> None:
        """Count the figures of a clip.

        Args:
            joints: ``[N, 23, 3]`` metres, camera space.
            parallel: ``[N]`` whether the camera is orthographic.
            characters: of each figure.
        """
        azimuth, elevation = view_angles(joints, parallel)
        self.views += np.histogram2d(elevation, azimuth, (ELEVATIONS, AZIMUTHS))[0].astype(np.int64)
        for name, values in joint_angles(joints).items():
            self.angles[name] += np.histogram(values[np.isfinite(values)], ANGLES)[0]
        directions = pose_directions(joints)
        self.repeated += int(repeats(directions).sum())
        numbers = [self._characters.setdefault(c, len(self._characters)) for c in characters]
        self._keep(directions, np.array(numbers, np.int64))
        self.figures += len(joints)
        self._clips += 1

    def heights(self, extrinsics: FloatArray) -> None:
        """Count cameras ``[N, 3, 4]`` by how far they look down on the scene."""
        down = -extrinsics[:, 2, 2]  # the camera's axis is the third row, world Z its third column
        degrees = np.degrees(np.arcsin(np.clip(down, -1, 1)))
        self.cameras += np.histogram(degrees, ELEVATIONS)[0]

    def _keep(self, directions: NDArray[np.float32], characters: NDArray[np.int64]) -> None:
        """A uniform sample of all figures so far (algorithm R, Vitter 1985)."""
        seen = self.figures + np.arange(len(directions))
        place = np.where(seen < SAMPLE, seen, self._rng.integers(0, seen + 1))
        kept = place < SAMPLE
        self._sample[place[kept]] = directions[kept]
        self._source[place[kept], 0] = self._clips
        self._source[place[kept], 1] = characters[kept]

    def report(self) -> dict[str, Any]:
        """The histograms."""
        return {
            "posed_figures": self.figures,
            "view_coverage": {
                "azimuth_from": AZIMUTHS[:-1].tolist(),
                "elevation_from": ELEVATIONS[:-1].tolist(),
                "counts": self.views.tolist(),
            },
            "camera_elevation": histogram(ELEVATIONS, self.cameras),
            "joint_angles": {n: histogram(ANGLES, values) for n, values in self.angles.items()},
        }

    def duplicates(self) -> dict[str, Any]:
        """Near-equal figures: counted within clips, estimated between them."""
        count = min(self.figures, SAMPLE)
        other = same = 0
        for start in range(0, count, 256):
            rows = slice(start, min(start + 256, count))
            near = near_equal(self._sample[rows], self._sample[:count])
            near &= self._source[rows, None, 0] != self._source[None, :count, 0]
            other += int(near.sum())
            near &= self._source[rows, None, 1] == self._source[None, :count, 1]
            same += int(near.sum())
        # Each sampled figure meets count - 1 of the figures - 1 that it would meet in all.
        scale = (self.figures - 1) / (count - 1) / count if count > 1 else 0.0
        return {
            "near_equal_in_clip": self.repeated,
            "near_equal_in_clip_share": self.repeated / max(self.figures, 1),
            "near_equal_elsewhere": other * scale,
            "near_equal_elsewhere_same_character": same * scale,
        }


def _place(joints: FloatArray, name: str) -> FloatArray:
    return joints[:, skeleton.INDEX[name]]


def _frame(
    joints: FloatArray, limb: str, low: str, high: str
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Left, front and up of a part of the body, each ``[N, 3]``, in the joints' frame.

    Args:
        joints: ``[N, 23, 3]`` in any right-handed frame.
        limb: ``Arm`` or ``UpLeg``: its two joints give the direction across.
        low, high: joints that give the direction upwards.
    """
    left = unit(_place(joints, "Left" + limb) - _place(joints, "Right" + limb))
    up = _place(joints, high) - _place(joints, low)
    up = unit(up - (up * left).sum(axis=1, keepdims=True) * left)
    return left, np.cross(left, up), up


def view_angles(joints: FloatArray, parallel: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """Where the camera stands, as the figure's trunk would say it.

    Args:
        joints: ``[N, 23, 3]`` metres, camera space.
        parallel: ``[N]`` whether the camera is orthographic.

    Returns:
        Azimuth ``[N]`` degrees, 0 in front of the trunk, 90 at its left, 180 behind it; elevation
        ``[N]`` degrees, 90 above its neck. For a standing figure these are the usual angles.
    """
    left, front, up = _frame(joints, "UpLeg", "Hips", "Neck")
    middle = (_place(joints, "Hips") + _place(joints, "Neck")) / 2
    eye = np.where(parallel[:, None], [0.0, 0.0, -1.0], unit(-middle))
    x, y, z = ((eye * axis).sum(axis=1) for axis in (front, left, up))
    return np.degrees(np.arctan2(y, x)), np.degrees(np.arcsin(np.clip(z, -1, 1)))


def joint_angles(joints: FloatArray) -> dict[str, FloatArray]:
    """Flexion of both sides' joints, degrees.

    Args:
        joints: ``[N, 23, 3]`` in any right-handed frame.

    Returns:
        ``elbow`` and ``knee`` ``[2 N]``, 0 stretched; ``hip`` and ``shoulder`` ``[2 N]``, 0 with
        the limb along the trunk, 90 forwards, negative backwards, 180 overhead; NaN where the limb
        points within 20 degrees of straight sideways, where flexion means nothing.
    """
    result: dict[str, list[FloatArray]] = {}
    for side in ("Left", "Right"):
        for name, chain in (
            ("elbow", ("Arm", "ForeArm", "Hand")),
            ("knee", ("UpLeg", "Leg", "Foot")),
        ):
            a, b, c = (_place(joints, side + joint) for joint in chain)
            cosine = (unit(b - a) * unit(c - b)).sum(axis=1)
            result.setdefault(name, []).append(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
        for name, start, end, low, high in (
            ("hip", "UpLeg", "Leg", "Hips", "Spine1"),
            ("shoulder", "Arm", "ForeArm", "Spine1", "Neck"),
        ):
            left, front, up = _frame(joints, start, low, high)
            limb = unit(_place(joints, side + end) - _place(joints, side + start))
            forwards, upwards = (limb * front).sum(axis=1), (limb * up).sum(axis=1)
            flexion = np.degrees(np.arctan2(forwards, -upwards))
            sideways = np.abs((limb * left).sum(axis=1)) > np.cos(np.radians(20))
            result.setdefault(name, []).append(np.where(sideways, np.nan, flexion))
    return {name: np.concatenate(sides) for name, sides in result.items()}


def pose_directions(joints: FloatArray) -> NDArray[np.float32]:
    """``[N, 12, 3]`` unit directions of :data:`SEGMENTS`, in camera space.

    They hold the pose and the view of it at once.
    """
    starts, ends = ([skeleton.INDEX[pair[i]] for pair in SEGMENTS] for i in (0, 1))
    return unit(joints[:, ends] - joints[:, starts]).astype(np.float32)


def near_equal(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.bool_]:
    """``[N, M]`` whether no direction of ``a[i]`` ``[N, 12, 3]`` is far from that of ``b[j]``."""
    result = np.ones((len(a), len(b)), bool)
    least = np.cos(np.radians(NEAR_DEGREES))
    for segment in range(len(SEGMENTS)):
        result &= a[:, segment] @ b[:, segment].T >= least
    return result


def repeats(directions: NDArray[np.float32]) -> NDArray[np.bool_]:
    """``[N]`` whether a figure is near-equal to an earlier one."""
    result = np.zeros(len(directions), bool)
    for start in range(0, len(directions), 256):
        rows = np.arange(start, min(start + 256, len(directions)))
        near = near_equal(directions[rows], directions[: rows[-1] + 1])
        result[rows] = (near & (np.arange(rows[-1] + 1) < rows[:, None])).any(axis=1)
    return result


def histogram(edges: NDArray[Any], counts: NDArray[np.int64]) -> dict[str, int]:
    """Counts by bin, as ``{"from..to": count}``."""
    names = (f"{a:g}..{b:g}" for a, b in zip(edges[:-1], edges[1:], strict=True))
    return dict(zip(names, counts.tolist(), strict=True))
