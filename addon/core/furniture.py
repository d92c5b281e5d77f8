"""Furniture and things to hold, made to measure for a posed figure.

Each maker is a function of the figure's :class:`Setting` and a source of chance that returns a
closed mesh, or None where the pose leaves no room for it. Sizes are shares of the figure's height.

World space as in Blender: metres, Z up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from . import skeleton
from .rotations import unit
from .solids import Solid

FloatArray = NDArray[np.float64]

UP = np.array([0.0, 0.0, 1.0])

_ROW = skeleton.INDEX
_SIDES = ("Left", "Right")
_FLESH = 0.055
"""Half the thickness of trunk and thighs around their bones, share of the height."""

_REACH = 0.95
"""No prop goes further from the hips than this share, so that none stands before the lens."""

_FORE_ARMS = frozenset(_ROW[side + "Hand"] for side in _SIDES)


def bone_points(
    joints: FloatArray, bones: Sequence[tuple[int, int]] = skeleton.BONES, count: int = 5
) -> FloatArray:
    """Points along bones, from joint to joint.

    Args:
        joints: ``[23, 3]`` any frame and unit.
        bones: (parent row, child row) of each.
        count: points on each bone.

    Returns:
        ``[len(bones) * count, 3]``.
    """
    parents, children = np.array(bones).T
    t = np.linspace(0, 1, count)[None, :, None]
    points = (1 - t) * joints[parents][:, None] + t * joints[children][:, None]
    return points.reshape(-1, 3)


class Setting:
    """A posed figure and its surroundings, as far as props need to know them."""

    def __init__(
        self, joints: FloatArray, height: float, ground: float, others: list[FloatArray]
    ) -> None:
        """A figure among others.

        Args:
            joints: ``[23, 3]`` world space, metres.
            height: of the figure standing, metres.
            ground: z of the ground, metres.
            others: joints of further figures, whom nothing may cut.
        """
        self.q, self.h, self.ground = joints, height, ground
        top = float(joints[:, 2].max()) - ground
        # Furniture beside people who sit on the ground is low, else it would hide them.
        self.room = height * float(np.clip(top / height, 0.4, 1.0))
        self.hips = joints[_ROW["Hips"]]
        self.trunk = joints[_ROW["Neck"]] - self.hips
        across = joints[_ROW["LeftUpLeg"]] - joints[_ROW["RightUpLeg"]]
        flat = across * (1, 1, 0)
        # A figure that lies on its side has its hips one above the other: any heading will do.
        flat = flat if np.linalg.norm(flat) > 1e-6 * height else np.array([1.0, 0.0, 0.0])
        self.left = unit(flat)
        self.ahead = np.cross(self.left, UP)
        self.body = bone_points(joints)
        self.core = bone_points(joints, [b for b in skeleton.BONES if b[1] not in _FORE_ARMS])
        crowd = [bone_points(other) for other in others]
        self.crowd = np.concatenate([self.body, *crowd])
        self.strangers = np.concatenate(crowd) if crowd else np.zeros((0, 3))

    def joint(self, name: str) -> FloatArray:
        """``[3]`` metres, a keypoint by its name."""
        return self.q[_ROW[name]]

    def grip(self, side: str) -> FloatArray:
        """Where the fist of a side would hold something: a little beyond the wrist."""
        return self.joint(side + "Hand") + 0.045 * self.h * self.fore(side)

    def fore(self, side: str) -> FloatArray:
        """Direction of a side's forearm, elbow to wrist."""
        return unit(self.joint(side + "Hand") - self.joint(side + "ForeArm"))

    def sits(self) -> bool:
        """On something that is not there: thighs level, feet ahead of the hips and below them."""
        if self.trunk[2] < 0.5 * np.linalg.norm(self.trunk):
            return False
        if not 0.14 < (self.hips[2] - self.ground) / self.h < 0.5:
            return False
        slopes, drops = [], []
        for side in _SIDES:
            thigh = self.joint(side + "Leg") - self.joint(side + "UpLeg")
            foot = self.joint(side + "Foot") - self.hips
            if foot @ self.ahead < 0.1 * self.h:
                return False
            slopes.append(abs(float(thigh[2])) / float(np.linalg.norm(thigh)))
            drops.append(-float(foot[2]) / self.h)
        # One foot stands; the other leg may lie across its knee.
        return max(drops) > 0.1 and min(drops) > -0.05 and min(slopes) < 0.45 and max(slopes) < 0.75

    def lies(self) -> bool:
        """On its back above the ground."""
        if abs(self.trunk[2]) > 0.35 * np.linalg.norm(self.trunk):
            return False
        across = self.joint("LeftArm") - self.joint("RightArm")
        face_up = unit(np.cross(across, self.trunk))[2] > 0.5
        return face_up and 0.13 < (self.hips[2] - self.ground) / self.h < 0.5

    def clear_of(self, points: FloatArray, body: FloatArray, room: float) -> bool:
        """Whether points ``[n, 3]`` keep a share of the height away from body points."""
        if not len(body):
            return True
        gaps = np.linalg.norm(points[:, None] - body[None], axis=2)
        return float(gaps.min()) > room * self.h

    def spot(
        self,
        rng: np.random.Generator,
        halves: tuple[float, float, float],
        *,
        near: float,
        far: float,
        facing: bool,
    ) -> tuple[FloatArray, FloatArray] | None:
        """A free place on the ground for a thing of a box's size.

        Args:
            rng: source of chance.
            halves: half its width, depth and height, shares of ``room``.
            near, far: of its middle from the hips, shares.
            facing: its width lies across the line to the figure; any turn otherwise.

        Returns:
            The middle of its foot ``[3]`` and its axes ``[3, 3]`` (width, depth away from the
            figure, up); none if no place was found.
        """
        size = np.array(halves) * self.room
        for _ in range(12):
            angle = rng.uniform(0, 2 * np.pi)
            out = np.array([np.cos(angle), np.sin(angle), 0.0])
            foot = self.hips + rng.uniform(near, far) * self.h * out
            foot[2] = self.ground
            if not facing:
                turn = rng.uniform(0, 2 * np.pi)
                out = np.array([np.cos(turn), np.sin(turn), 0.0])
            axes = np.stack([np.cross(out, UP), out, UP])
            corners = foot + np.array([[x, y] for x in (-1, 1) for y in (-1, 1)]) @ (
                axes[:2] * size[:2, None]
            )
            if np.linalg.norm((corners - self.hips)[:, :2], axis=1).max() > _REACH * self.h:
                continue
            local = np.abs((self.crowd - foot - size[2] * UP) @ axes.T)
            if not (local < size + _FLESH * self.h).all(axis=1).any():
                return foot, axes
        return None

    def occupy(self, points: FloatArray) -> None:
        """Keep later things on the ground away from a surface, ``[n, 3]`` points of it."""
        self.crowd = np.concatenate([self.crowd, points])


Maker = Callable[[Setting, np.random.Generator], Solid | None]


# --------------------------------------------------------------------------------------------------
# Under the figure


def _seat_top(pose: Setting) -> float:
    lowest = min(float(pose.joint(side + "UpLeg")[2]) for side in _SIDES)
    return max(min(lowest, float(pose.hips[2])) - _FLESH * pose.h, pose.ground + 0.05 * pose.h)


def _seat_place(pose: Setting, depth: float) -> FloatArray:
    """The middle of the seat's upper side: its back edge behind the hips."""
    place = pose.hips + (depth / 2 - 0.1 * pose.h) * pose.ahead
    place[2] = _seat_top(pose)
    return place


def _legs(
    solid: Solid,
    top: FloatArray,
    ground: float,
    axes: FloatArray,
    halves: tuple[float, float],
    width: float,
    splay: float,
) -> None:
    """Four legs under the corners of a board whose lower side is at ``top``."""
    for x in (-1, 1):
        for y in (-1, 1):
            root = top + x * halves[0] * axes[0] + y * halves[1] * axes[1]
            foot = root + splay * (x * axes[0] + y * axes[1])
            foot[2] = ground
            solid.leg(root + 0.3 * width * UP, foot, axes, width)


def _chair_on(
    solid: Solid,
    place: FloatArray,
    ground: float,
    axes: FloatArray,
    halves: tuple[float, float],
    back: float,
    rng: np.random.Generator,
    h: float,
) -> None:
    """A chair whose seat's upper side is at ``place``; ``axes`` are its left, its front and up."""
    thick, wood = h * rng.uniform(0.012, 0.03), h * rng.uniform(0.015, 0.03)
    solid.box(place - thick / 2 * UP, axes, (*halves, thick / 2))
    inner = (halves[0] - wood / 2, halves[1] - wood / 2)
    _legs(solid, place - thick * UP, ground, axes, inner, wood, h * rng.uniform(0, 0.02))
    lean = rng.uniform(0.0, 0.2)
    slope = unit(UP - lean * axes[1])
    tops = []
    for x in (-1, 1):
        root = place + x * inner[0] * axes[0] - inner[1] * axes[1] - thick / 2 * UP
        tops.append(root + back * slope)
        solid.beam(root, tops[-1], wood, axes[1])
    rungs = [np.array([0.8])] if rng.random() < 0.4 else [np.linspace(0.35, 0.9, 3)]
    board = back * (0.18 if len(rungs[0]) == 1 else 0.05)
    for t in rungs[0]:
        middle = (tops[0] + tops[1]) / 2 - (1 - t) * back * slope
        frame = np.stack([axes[0], np.cross(slope, axes[0]), slope])
        solid.box(middle, frame, (inner[0], 0.3 * wood, board))


def _chair(pose: Setting, rng: np.random.Generator) -> Solid:
    h, solid = pose.h, Solid()
    # The back stands behind whatever of the trunk reaches furthest back.
    trunk = [pose.joint(name) for name in ("Hips", "Spine", "Spine1", "Spine2")]
    behind = max(float((pose.hips - joint) @ pose.ahead) for joint in trunk)
    behind = min(behind, 0.12 * h) + 0.1 * h
    depth = behind + h * rng.uniform(0.12, 0.19)
    place = pose.hips + (depth / 2 - behind) * pose.ahead
    place[2] = _seat_top(pose)
    axes = np.stack([-pose.left, pose.ahead, UP])
    halves = (h * rng.uniform(0.12, 0.16), depth / 2)
    _chair_on(solid, place, pose.ground, axes, halves, h * rng.uniform(0.2, 0.36), rng, h)
    return solid


def _stool(pose: Setting, rng: np.random.Generator) -> Solid:
    h, solid = pose.h, Solid()
    radius, thick = h * rng.uniform(0.09, 0.13), h * rng.uniform(0.015, 0.04)
    place = _seat_place(pose, 2 * radius)
    solid.rod(place - thick * UP, place, radius)
    count = int(rng.choice([1, 3, 4]))
    wood = h * rng.uniform(0.009, 0.016)
    foot = place * (1, 1, 0) + pose.ground * UP
    if count == 1:
        solid.rod(foot + 0.01 * h * UP, place - 0.5 * thick * UP, wood)
        solid.rod(foot, foot + 0.015 * h * UP, 0.8 * radius)
        return solid
    for angle in rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(count) / count:
        out = np.array([np.cos(angle), np.sin(angle), 0.0])
        end = foot + 0.95 * radius * out + 0.5 * wood * UP  # a leaning rod's end is not level
        solid.rod(end, place - 0.5 * thick * UP + 0.6 * radius * out, wood)
    return solid


def _block(pose: Setting, rng: np.random.Generator) -> Solid:
    h, solid = pose.h, Solid()
    depth = h * rng.uniform(0.2, 0.3)
    place = _seat_place(pose, depth)
    tall = place[2] - pose.ground
    axes = np.stack([-pose.left, pose.ahead, UP])
    solid.box(place - tall / 2 * UP, axes, (h * rng.uniform(0.11, 0.3), depth / 2, tall / 2))
    return solid


def _bench(pose: Setting, rng: np.random.Generator) -> Solid:
    h, solid = pose.h, Solid()
    depth, thick = h * rng.uniform(0.17, 0.24), h * rng.uniform(0.015, 0.03)
    place = _seat_place(pose, depth)
    axes = np.stack([-pose.left, pose.ahead, UP])
    half = h * rng.uniform(0.35, 0.7)
    place = place + rng.uniform(-0.6, 0.6) * (half - 0.15 * h) * axes[0]
    solid.box(place - thick / 2 * UP, axes, (half, depth / 2, thick / 2))
    _legs(
        solid,
        place - thick * UP,
        pose.ground,
        axes,
        (0.85 * half, 0.4 * depth),
        h * rng.uniform(0.015, 0.03),
        0.0,
    )
    return solid


def couch(pose: Setting, rng: np.random.Generator) -> Solid:
    """A bench along the trunk of a figure that lies on its back."""
    h, solid = pose.h, Solid()
    along = unit(pose.trunk * (1, 1, 0))
    rows = ("Hips", "Spine", "Spine1", "Spine2", "Neck")
    top = min(float(pose.joint(name)[2]) for name in rows) - 1.2 * _FLESH * h
    thick = h * rng.uniform(0.02, 0.05)
    top = max(top, pose.ground + 1.5 * thick)
    start, end = pose.hips - 0.12 * h * along, pose.joint("Head") + 0.12 * h * along
    middle = (start + end) / 2 * (1, 1, 0) + (top - thick / 2) * UP
    half = 0.5 * float(np.linalg.norm((end - start)[:2]))
    axes = np.stack([np.cross(along, UP), along, UP])
    width = h * rng.uniform(0.08, 0.13)
    solid.box(middle, axes, (width, half, thick / 2))
    lower = middle - thick / 2 * UP
    _legs(solid, lower, pose.ground, axes, (0.8 * width, 0.8 * half), 0.02 * h, 0.0)
    return solid


SEATS: dict[str, tuple[Maker, float]] = {
    "chair": (_chair, 0.45),
    "stool": (_stool, 0.2),
    "box": (_block, 0.2),
    "bench": (_bench, 0.15),
}
"""What to sit on, and how often it is chosen."""


# --------------------------------------------------------------------------------------------------
# In the hands


def _samples(start: FloatArray, end: FloatArray) -> FloatArray:
    return start + np.linspace(0, 1, 24)[:, None] * (end - start)


def _barbell(pose: Setting, rng: np.random.Generator) -> Solid | None:
    """A bar through both fists with plates at its ends, if nothing of the body is in its way."""
    h = pose.h
    a, b = pose.grip("Left"), pose.grip("Right")
    apart = float(np.linalg.norm(b - a))
    if not 0.1 * h < apart < 0.75 * h:
        return None
    along = (b - a) / apart
    half = apart / 2 + h * rng.uniform(0.1, 0.2)
    middle = (a + b) / 2
    ends = middle + np.array([[-half], [half]]) * along
    body = np.concatenate([pose.core, pose.strangers])
    if not pose.clear_of(_samples(ends[0], ends[1]), body, 0.9 * _FLESH):
        return None
    room = min(
        float(np.linalg.norm(ends[:, None] - body[None], axis=2).min()) - _FLESH * h,
        float(ends[:, 2].min()) - pose.ground,
    )
    radius = min(h * rng.uniform(0.06, 0.13), room)
    if radius < 0.03 * h:
        return None
    solid = Solid()
    solid.rod(ends[0], ends[1], h * rng.uniform(0.006, 0.01))
    thick = h * rng.uniform(0.01, 0.022)
    for i in range(int(rng.integers(1, 4))):
        size = radius * (1 - 0.22 * i)
        for sign, end in zip((1, -1), ends, strict=True):
            # The largest plate is the inmost one, as lifters load them.
            inner = end + sign * (0.055 * h - 1.1 * i * thick) * along
            solid.rod(inner, inner - sign * thick * along, size)
    return solid


def _dumbbells(pose: Setting, rng: np.random.Generator) -> Solid | None:
    h, solid = pose.h, Solid()
    half, radius = h * rng.uniform(0.055, 0.085), h * rng.uniform(0.022, 0.042)
    thick = half * rng.uniform(0.3, 0.5)
    sides = list(_SIDES) if rng.random() < 0.75 else [str(rng.choice(_SIDES))]
    hammer = rng.random() < 0.5
    for side in sides:
        grip, fore = pose.grip(side), pose.fore(side)
        wanted = pose.ahead if hammer else pose.left
        along = wanted - (wanted @ fore) * fore
        if np.linalg.norm(along) < 0.2:  # the forearm itself points there
            along = np.cross(fore, pose.left + pose.ahead)
        along = unit(along)
        if grip[2] - pose.ground < radius + half * abs(along[2]):
            return None
        solid.rod(grip - half * along, grip + half * along, 0.3 * radius)
        for sign in (-1, 1):
            solid.rod(grip + sign * half * along, grip + sign * (half - thick) * along, radius)
    return solid


_ROD = 0.013
"""Radius of the thickest stick, share of the height."""


def _staff(pose: Setting, rng: np.random.Generator) -> Solid | None:
    """Stick, spear, sword, paddle or hammer in one fist, or across both."""
    h = pose.h
    side = str(rng.choice(_SIDES))
    grip, fore = pose.grip(side), pose.fore(side)
    other = pose.grip("Right" if side == "Left" else "Left") - grip
    two_handed = 0.06 * h < float(np.linalg.norm(other)) < 0.5 * h and rng.random() < 0.7
    body = np.concatenate([pose.core, pose.strangers])
    length, share = h * rng.uniform(0.35, 1.0), rng.uniform(0.05, 0.5)
    for attempt in range(10):
        along = unit(rng.normal(size=3))
        if two_handed and attempt == 0:
            along = unit(-other)
        elif abs(along @ fore) > 0.6:  # a fist holds things across the forearm
            continue
        start, end = grip - share * length * along, grip + (1 - share) * length * along
        low, high = sorted((start, end), key=lambda p: float(p[2]))
        floor = pose.ground + _ROD * h
        if low[2] < floor:  # it stands on the ground instead
            t = (floor - low[2]) / max(float(high[2] - low[2]), 1e-9)
            start, end = low + t * (high - low), high
        reach = np.linalg.norm((np.stack([start, end]) - pose.hips)[:, :2], axis=1).max()
        held = float((grip - start) @ unit(end - start))
        if held < 0.02 * h or reach > _REACH * h:
            continue
        if pose.clear_of(_samples(start, end), body, 0.8 * _FLESH):
            return _armed(start, end, pose, rng)
    return None


def _armed(start: FloatArray, end: FloatArray, pose: Setting, rng: np.random.Generator) -> Solid:
    """A rod with something at its end."""
    h, solid = pose.h, Solid()
    along, length = unit(end - start), float(np.linalg.norm(end - start))
    across = unit(np.cross(along, pose.left + 0.3 * UP))
    frame = np.stack([along, across, np.cross(along, across)])
    kind = str(rng.choice(["stick", "spear", "sword", "paddle", "hammer"], p=[0.4] + [0.15] * 4))
    # Nothing wide goes where the end stands on the ground.
    if end[2] - pose.ground < 0.12 * h:
        kind = "stick"
    if kind == "sword":
        guard = start + 0.16 * length * along
        solid.rod(start, guard, 0.008 * h)
        solid.box(guard, frame, (0.006 * h, 0.045 * h, 0.008 * h))
        solid.box((guard + end) / 2, frame, (0.42 * length, 0.016 * h, 0.003 * h))
        return solid
    solid.rod(start, end, h * rng.uniform(0.5, 1.0) * _ROD)
    if kind == "spear":
        solid.rod(end, end + 0.09 * h * along, 0.025 * h, 0.0)
    elif kind == "paddle":
        solid.rod(end - 0.006 * h * frame[2], end + 0.006 * h * frame[2], 0.07 * h)
    elif kind == "hammer":
        solid.box(end, frame, (0.025 * h, 0.06 * h, 0.025 * h))
    return solid


def _held_ball(pose: Setting, rng: np.random.Generator) -> Solid | None:
    h = pose.h
    side, radius = str(rng.choice(_SIDES)), h * rng.uniform(0.03, 0.085)
    centre = pose.grip(side) + 0.9 * radius * pose.fore(side)
    body = np.concatenate([pose.core, pose.strangers])
    if centre[2] - radius < pose.ground:
        return None
    if not pose.clear_of(centre[None], body, radius / h + 0.5 * _FLESH):
        return None
    solid = Solid()
    solid.ball(centre, radius)
    return solid


HELD: dict[str, tuple[Maker, float]] = {
    "barbell": (_barbell, 0.35),
    "staff": (_staff, 0.35),
    "dumbbells": (_dumbbells, 0.18),
    "ball": (_held_ball, 0.12),
}
"""What hands hold, and how often it is tried first."""


# --------------------------------------------------------------------------------------------------
# Around the figure


def _crate(pose: Setting, rng: np.random.Generator) -> Solid | None:
    h, solid = pose.room, Solid()
    x, y, z = rng.uniform(0.07, 0.18, 3)
    place = pose.spot(rng, (x, y, z), near=0.2, far=0.6, facing=False)
    if place is None:
        return None
    foot, axes = place
    solid.box(foot + z * h * UP, axes, (x * h, y * h, z * h))
    if rng.random() < 0.35:  # a smaller one on top
        top, small = foot + 2 * z * h * UP, rng.uniform(0.4, 0.7)
        solid.box(
            top + small * z * h * UP, axes, (small * x * h, small * y * h, (small * z + 0.002) * h)
        )
    return solid


def _table(pose: Setting, rng: np.random.Generator) -> Solid | None:
    h, solid = pose.room, Solid()
    x, y, tall = rng.uniform(0.2, 0.38), rng.uniform(0.13, 0.2), rng.uniform(0.34, 0.46)
    place = pose.spot(rng, (x, y, tall / 2), near=0.2, far=0.55, facing=True)
    if place is None:
        return None
    foot, axes = place
    thick, wood = h * rng.uniform(0.012, 0.03), h * rng.uniform(0.018, 0.035)
    top = foot + tall * h * UP
    solid.box(top - thick / 2 * UP, axes, (x * h, y * h, thick / 2))
    inner = (x * h - wood, y * h - wood)
    _legs(solid, top - thick * UP, pose.ground, axes, inner, wood, 0.0)
    return solid


def _empty_chair(pose: Setting, rng: np.random.Generator) -> Solid | None:
    h, solid = pose.room, Solid()
    x, y, tall = rng.uniform(0.11, 0.15), rng.uniform(0.11, 0.14), rng.uniform(0.24, 0.28)
    place = pose.spot(rng, (x + 0.02, y + 0.04, 0.3), near=0.25, far=0.6, facing=False)
    if place is None:
        return None
    foot, axes = place
    seat = foot + tall * h * UP
    back = h * rng.uniform(0.22, 0.34)
    _chair_on(solid, seat, pose.ground, axes, (x * h, y * h), back, rng, h)
    return solid


def _ball(pose: Setting, rng: np.random.Generator) -> Solid | None:
    solid = Solid()
    radius = rng.uniform(0.05, 0.19)
    place = pose.spot(rng, (radius, radius, radius), near=0.15, far=0.6, facing=False)
    if place is None:
        return None
    solid.ball(place[0] + radius * pose.room * UP, radius * pose.room)
    return solid


def _post(pose: Setting, rng: np.random.Generator) -> Solid | None:
    """A column, a post, a lamp: slim and taller than the figure."""
    h, solid = pose.room, Solid()
    half, tall = rng.uniform(0.012, 0.06), rng.uniform(1.0, 1.35)
    place = pose.spot(rng, (half, half, tall / 2), near=0.22, far=0.55, facing=False)
    if place is None:
        return None
    foot, axes = place
    if rng.random() < 0.5:
        solid.rod(foot, foot + tall * h * UP, half * h)
    else:
        solid.box(foot + tall / 2 * h * UP, axes, (half * h, half * h, tall / 2 * h))
    return solid


def _wall(pose: Setting, rng: np.random.Generator) -> Solid | None:
    """The edge of a wall that runs away from the figure: seen from most sides it hides little."""
    h, solid = pose.room, Solid()
    half, long, tall = rng.uniform(0.012, 0.035), rng.uniform(0.14, 0.2), rng.uniform(0.8, 1.15)
    place = pose.spot(rng, (half, long, tall / 2), near=0.55, far=0.75, facing=True)
    if place is None:
        return None
    foot, axes = place
    solid.box(foot + tall / 2 * h * UP, axes, (half * h, long * h, tall / 2 * h))
    return solid


def _rail(pose: Setting, rng: np.random.Generator) -> Solid | None:
    """Two posts and the rails between: a fence, a hurdle, a barre."""
    h, solid = pose.room, Solid()
    half, tall = rng.uniform(0.35, 0.7), rng.uniform(0.3, 0.6)
    place = pose.spot(rng, (half, 0.02, tall / 2), near=0.18, far=0.45, facing=True)
    if place is None:
        return None
    foot, axes = place
    wood = h * rng.uniform(0.008, 0.018)
    for x in (-0.9, 0.9):
        root = foot + x * half * h * axes[0]
        solid.rod(root, root + tall * h * UP, wood)
    for level in np.linspace(0.95, 0.95 if rng.random() < 0.4 else 0.5, 2)[: rng.integers(1, 3)]:
        middle = foot + level * tall * h * UP
        solid.rod(middle - half * h * axes[0], middle + half * h * axes[0], 0.8 * wood)
    return solid


def _step(pose: Setting, rng: np.random.Generator) -> Solid | None:
    """A step, a kerb, a low wall."""
    h, solid = pose.room, Solid()
    x, y, tall = rng.uniform(0.3, 0.65), rng.uniform(0.03, 0.15), rng.uniform(0.06, 0.28)
    place = pose.spot(rng, (x, y, tall / 2), near=0.18, far=0.5, facing=True)
    if place is None:
        return None
    foot, axes = place
    solid.box(foot + tall / 2 * h * UP, axes, (x * h, y * h, tall / 2 * h))
    return solid


STANDING: dict[str, tuple[Maker, float]] = {
    "box": (_crate, 0.24),
    "table": (_table, 0.12),
    "chair": (_empty_chair, 0.14),
    "ball": (_ball, 0.12),
    "post": (_post, 0.12),
    "wall": (_wall, 0.06),
    "rail": (_rail, 0.12),
    "step": (_step, 0.08),
}
"""What stands near a figure, and how often it is chosen."""
