"""A character's skin, named: each triangle's bone, body part and chart, and its place on the chart.

Parts and charts are numbered as DensePose's (Gueler, Neverova and Kokkinos, "DensePose: Dense Human
Pose Estimation In The Wild", 2018). Its charts were cut on one body model; ours follow from the
skeleton at rest, so that every character has them. Within a part, u runs along the bone and v
around it, both in shares of the part's own size: the same (chart, u, v) is the same place on a fat
and on a thin body, in a T-pose and in an A-pose, and on the other arm or leg in the mirror.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import rotations as rot
from . import skeleton
from .strokes import NO_BONE

FloatArray = NDArray[np.float64]
ByteArray = NDArray[np.uint8]

PARTS: tuple[str, ...] = (
    "Torso",
    "Right Hand",
    "Left Hand",
    "Left Foot",
    "Right Foot",
    "Right Upper Leg",
    "Left Upper Leg",
    "Right Lower Leg",
    "Left Lower Leg",
    "Left Upper Arm",
    "Right Upper Arm",
    "Left Lower Arm",
    "Right Lower Arm",
    "Head",
)
"""DensePose's 14 parts in its order; a part's number is its row + 1, and 0 is the background."""

TRUNK: tuple[str, ...] = (
    "Hips",
    "Spine",
    "Spine1",
    "Spine2",
    "LeftShoulder",
    "RightShoulder",
    "Neck",
)
"""The joints inside the torso."""

# Where a chart lies around its part: the angle at which v is 0, and that from there to v = 1.
_FRONT_HALF = (-np.pi / 2, np.pi)
_BACK_HALF = (-np.pi / 2, -np.pi)
_RIGHT_HALF = (0.0, -np.pi)
_LEFT_HALF = (0.0, np.pi)
_ALL_ROUND = (-np.pi, 2 * np.pi)

_LEFT, _FRONT, _UP = np.array([[1.0, 0, 0], [0, -1.0, 0], [0, 0, 1.0]])

# u still grows on the skin that goes on beyond a segment's joints, by this share of the segment.
_BEYOND = 0.15
# A part's skin is measured in so many slices, without the outermost of its points (percent).
_SLICES = 8
_TRIM = 4.0


@dataclass(frozen=True)
class _Region:
    """How one body part is laid out.

    Attributes:
        bones: names of the keypoints whose bones move it.
        start, end: keypoints; the part's axis at rest points from the middle of the first ones to
            the last one.
        axis: ``[3]`` direction of the axis in a T-pose facing -Y.
        zero, quarter: ``[3]`` the directions across it, in that T-pose, at which the angle around
            the axis is 0 and 90 degrees.
        charts: number -> (start angle, angle from v = 0 to v = 1), radians.
        carrier: the part that carries this one along where it rests in another pose than that.
        level: the axis lies level, as a sole does, whatever the height of the ankle above it.
        from_skin, to_skin: u begins, or ends, where the skin does, since no joint says where a
            heel begins or a finger ends; otherwise at the joints.
    """

    bones: tuple[str, ...]
    start: tuple[str, ...]
    end: str
    axis: FloatArray
    zero: FloatArray
    quarter: FloatArray
    charts: dict[int, tuple[float, float]]
    carrier: str | None = None
    level: bool = False
    from_skin: bool = False
    to_skin: bool = False


def _regions() -> dict[str, _Region]:
    regions = {
        # On the trunk v goes from the figure's right (0) to its left, on both halves.
        "Torso": _Region(
            TRUNK[:-1],
            ("LeftUpLeg", "RightUpLeg"),
            "Neck",
            _UP,
            _FRONT,
            _LEFT,
            {1: _BACK_HALF, 2: _FRONT_HALF},
        ),
        # On the head, from the face (0) to the back.
        "Head": _Region(
            ("Neck", "Head", "HeadTop_End"),
            ("Neck",),
            "HeadTop_End",
            _UP,
            _FRONT,
            _LEFT,
            {23: _RIGHT_HALF, 24: _LEFT_HALF},
            to_skin=True,
        ),
    }
    for side, outwards, odd in (("Left", _LEFT, 0), ("Right", -_LEFT, 1)):
        # On limbs v goes from the outer side (0) to the inner one. An arm's outer side is that
        # which is up in a T-pose, and so outside when it hangs.
        for part, carrier, start, end, charts in (
            ("Upper Arm", None, "Arm", "ForeArm", {15: _FRONT_HALF, 17: _BACK_HALF}),
            (
                "Lower Arm",
                f"{side} Upper Arm",
                "ForeArm",
                "Hand",
                {19: _FRONT_HALF, 21: _BACK_HALF},
            ),
        ):
            regions[f"{side} {part}"] = _Region(
                (side + start,),
                (side + start,),
                side + end,
                outwards,
                _FRONT,
                -_UP,
                {chart + odd: half for chart, half in charts.items()},
                carrier=carrier,
            )
        for part, carrier, start, end, charts in (
            ("Upper Leg", None, "UpLeg", "Leg", {9: _FRONT_HALF, 7: _BACK_HALF}),
            ("Lower Leg", f"{side} Upper Leg", "Leg", "Foot", {13: _FRONT_HALF, 11: _BACK_HALF}),
        ):
            regions[f"{side} {part}"] = _Region(
                (side + start,),
                (side + start,),
                side + end,
                -_UP,
                _FRONT,
                -outwards,
                {chart + 1 - odd: half for chart, half in charts.items()},
                carrier=carrier,
            )
        # Hands and feet have one chart each, cut open where it is seen least: along the little
        # finger's edge and along the sole.
        regions[f"{side} Hand"] = _Region(
            (side + "Hand",),
            (side + "ForeArm",),
            side + "Hand",
            outwards,
            _FRONT,
            -_UP,
            {4 - odd: _ALL_ROUND},
            carrier=f"{side} Lower Arm",
            from_skin=True,
            to_skin=True,
        )
        regions[f"{side} Foot"] = _Region(
            (side + "Foot", side + "ToeBase"),
            (side + "Foot",),
            side + "ToeBase",
            _FRONT,
            _UP,
            -outwards,
            {5 + odd: _ALL_ROUND},
            level=True,
            from_skin=True,
            to_skin=True,
        )
    return regions


_REGIONS = _regions()

CHARTS: dict[int, str] = {
    chart: part
    for chart, part in sorted(
        (chart, part) for part, region in _REGIONS.items() for chart in region.charts
    )
}
"""DensePose's 24 charts -> the part that each lies on; 0 is the background.

Front halves are 2 (torso), 9, 10, 13, 14 (legs), 15, 16, 19, 20 (arms); the back halves are 1, 7,
8, 11, 12, 17, 18, 21, 22; of the head, 23 is the right half and 24 the left one.
"""


@dataclass(frozen=True)
class Surface:
    """A character's skin, ready to label what a camera sees of it.

    Attributes:
        triangles: ``[T, 3]`` int32 rows of the vertices.
        bones: ``[T]`` uint8 keypoint row of the bone that moves each triangle.
        parts: ``[T]`` uint8, 1 to 14, see :data:`PARTS`.
        charts: ``[T]`` uint8, 1 to 24, see :data:`CHARTS`.
        uv: ``[T, 3, 2]`` float32 in 0..1, the chart's coordinates of each triangle's corners.
        flesh: ``[23]`` metres: how thick the flesh is around each joint, across its bone.
    """

    triangles: NDArray[np.int32]
    bones: ByteArray
    parts: ByteArray
    charts: ByteArray
    uv: NDArray[np.float32]
    flesh: FloatArray

    @classmethod
    def prepare(
        cls, vertices: ArrayLike, triangles: ArrayLike, bones: ArrayLike, joints: ArrayLike
    ) -> Surface:
        """Lay the charts over a character as it rests, facing -Y with its left towards +X.

        Args:
            vertices: ``[V, 3]`` rest pose, metres, Z up.
            triangles: ``[T, 3]`` int rows of ``vertices``.
            bones: ``[V]`` keypoint row of the bone that moves each vertex most;
                :data:`~.strokes.NO_BONE` goes with the hips, the root of all bones.
            joints: ``[23, 3]`` rest pose, metres, in the same frame as the vertices.
        """
        vertices = np.asarray(vertices, dtype=np.float64)
        joints = np.asarray(joints, dtype=np.float64)
        faces = np.asarray(triangles, dtype=np.int32).reshape(-1, 3)
        movers = np.asarray(bones, dtype=np.uint8)
        movers = np.where(movers == NO_BONE, skeleton.INDEX["Hips"], movers).astype(np.uint8)
        a, b, c = movers[faces].T
        moved_by = np.where(b == c, b, a)

        part_of_bone = np.zeros(skeleton.COUNT, np.uint8)
        parts = np.zeros(len(faces), np.uint8)
        charts = np.zeros(len(faces), np.uint8)
        uv = np.zeros((len(faces), 3, 2), np.float32)
        for number, name in enumerate(PARTS, start=1):
            region = _REGIONS[name]
            part_of_bone[[skeleton.INDEX[bone] for bone in region.bones]] = number
            rows = np.flatnonzero(part_of_bone[moved_by] == number)
            if len(rows):
                parts[rows] = number
                charts[rows], uv[rows] = _lay_out(region, vertices[faces[rows]], joints)
        return cls(faces, moved_by, parts, charts, uv, _flesh(vertices, movers, joints))


def _lay_out(
    region: _Region, corners: FloatArray, joints: FloatArray
) -> tuple[ByteArray, NDArray[np.float32]]:
    """Charts ``[T]`` and uv ``[T, 3, 2]`` of a part's triangles.

    Args:
        region: the part.
        corners: ``[T, 3, 3]`` metres, rest pose.
        joints: ``[23, 3]`` metres, rest pose.
    """
    start, axis = _axis(region, joints)
    turn = _turn(region, joints)
    frame = np.stack([turn @ region.axis, turn @ region.zero, turn @ region.quarter])
    along, towards_zero, towards_quarter = np.moveaxis((corners - start) @ frame.T, -1, 0)

    length = max(float(np.linalg.norm(axis)), 1e-9)
    low = along.min() if region.from_skin else -_BEYOND * length
    high = along.max() if region.to_skin else (1 + _BEYOND) * length
    u = np.clip((along - low) / max(high - low, 1e-9), 0, 1)

    zero = _in_own_width(towards_zero, u)
    quarter = _in_own_width(towards_quarter, u)
    angle = np.arctan2(quarter, zero)
    middle = np.arctan2(quarter.mean(axis=1), zero.mean(axis=1))
    # Corners count from their triangle's middle, so that none is torn apart at half a turn.
    offset = np.mod(angle - middle[:, None] + np.pi, 2 * np.pi) - np.pi
    charts = np.zeros(len(corners), np.uint8)
    v = np.zeros(u.shape)
    for chart, (first, span) in region.charts.items():
        done = np.sign(span) * np.mod(np.sign(span) * (middle - first), 2 * np.pi)
        rows = (charts == 0) & (np.abs(done) <= np.abs(span))
        charts[rows] = chart
        v[rows] = (done[rows, None] + offset[rows]) / span
    return charts, np.stack([u, np.clip(v, 0, 1)], axis=-1).astype(np.float32)


def _axis(region: _Region, joints: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Where a part's axis starts, ``[3]``, and how it runs from there, ``[3]`` metres."""
    start = joints[[skeleton.INDEX[name] for name in region.start]].mean(axis=0)
    axis = joints[skeleton.INDEX[region.end]] - start
    if region.level:
        axis = axis * (1, 1, 0)
    return start, axis


def _turn(region: _Region, joints: FloatArray) -> FloatArray:
    """``[3, 3]``: from the T-pose into the part's rest pose, joint by joint without twisting."""
    carried = _turn(_REGIONS[region.carrier], joints) if region.carrier else np.eye(3)
    return rot.between(carried @ region.axis, _axis(region, joints)[1]) @ carried


def _in_own_width(offsets: FloatArray, u: FloatArray) -> FloatArray:
    """Offsets across a part, from its own middle and in its own half widths, slice by slice.

    Bones do not run through the middle of the flesh (the spine does not, nor a fat man's), and a
    chest is wider than deep; measured so, an angle means the same on every body.

    Args:
        offsets, u: ``[T, 3]``.
    """
    centres = (np.arange(_SLICES) + 0.5) / _SLICES
    # Rings of vertices at the border of two slices go together, whatever their rounding.
    which = np.minimum((u * _SLICES + 1e-6).astype(int), _SLICES - 1)
    filled = np.unique(which)
    edges = [np.percentile(offsets[which == i], (_TRIM, 100 - _TRIM)) for i in filled]
    low, high = np.array(edges).T
    middle = np.interp(u, centres[filled], (low + high) / 2)
    half = np.interp(u, centres[filled], (high - low) / 2)
    return (offsets - middle) / np.maximum(half, 1e-9)


def _flesh(vertices: FloatArray, bones: ByteArray, joints: FloatArray) -> FloatArray:
    """``[23]`` metres: from each joint across its bone to (nearly) the farthest skin.

    Args:
        vertices: ``[V, 3]`` metres, rest pose.
        bones: ``[V]`` keypoint row of each vertex's bone.
        joints: ``[23, 3]`` metres, rest pose.
    """
    flesh = np.full(skeleton.COUNT, np.nan)
    for joint, parent in enumerate(skeleton.PARENTS):
        ends = [child for child, row in enumerate(skeleton.PARENTS) if row == joint]
        segment = joints[ends[0]] - joints[joint] if ends else joints[joint] - joints[parent]
        # A keypoint without skin of its own (the top of the head) lies in its parent's.
        skin = vertices[bones == joint]
        if not len(skin) and parent >= 0:
            skin = vertices[bones == parent]
        if not len(skin):
            continue
        offset = skin - joints[joint]
        along = offset @ rot.unit(segment)
        across = np.sqrt(np.maximum((offset**2).sum(axis=1) - along**2, 0))
        near = np.abs(along) <= 0.3 * np.linalg.norm(segment)
        flesh[joint] = np.percentile(across[near] if near.any() else across, 90)
    # The trunk is one block of flesh, in which collar bones and neck begin deep inside.
    trunk = [skeleton.INDEX[name] for name in TRUNK]
    known = np.isfinite(flesh)
    if known[trunk].any():
        flesh[trunk] = np.nanmax(flesh[trunk])
    typical = float(np.median(flesh[known])) if known.any() else 0.0
    return np.where(np.isfinite(flesh), flesh, typical)
