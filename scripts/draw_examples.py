"""Draw the example drawings: python scripts/draw_examples.py [--out DIR].

Each drawing is a pose, set by hand as joints, and the curves that a hand would put around it: sides
of limbs as lines of changing pressure, contours that stop and start again, construction lines,
hatching.
Lengths are in heads (a grown-up figure is seven and a half heads tall), origin anywhere, x right,
y down; a drawing says where they go on its page. The joints are written beside the pictures as the
truth that a test compares the shipped network with.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from addon.core.files import write_whole
from scripts._common import ROOT, run

FloatArray = NDArray[np.float64]
Profile = Sequence[tuple[float, float]]
"""Half-widths along a limb: (share of its length, heads)."""

_FINE = 3  # the page is drawn so many times finer and averaged at the end
_GREYS = 24  # levels in the files: enough for pencil, and they stay small


# --- Curves --------------------------------------------------------------------------------------


def curve(points: ArrayLike, closed: bool = False, per_span: int = 14) -> FloatArray:
    """A Catmull-Rom spline through points ``[n, 2]``, as a dense polyline ``[m, 2]``."""
    knots = np.asarray(points, dtype=np.float64)
    if closed:
        knots = np.concatenate([knots[-1:], knots, knots[:2]])
    else:
        knots = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    t = np.linspace(0, 1, per_span, endpoint=False)[:, None]
    spans = []
    for p, q, r, s in zip(knots, knots[1:], knots[2:], knots[3:], strict=False):
        spans.append(
            q
            + 0.5 * t * (r - p)
            + t**2 * (p - 2.5 * q + 2 * r - 0.5 * s)
            + 0.5 * t**3 * (3 * (q - r) + s - p)
        )
    end = knots[1:2] if closed else knots[-2:-1]
    return np.concatenate([*spans, end])


def ellipse(centre: ArrayLike, along: ArrayLike, across: float) -> FloatArray:
    """Points of an ellipse with the half axis ``along`` and the half width ``across``."""
    along = np.asarray(along, dtype=np.float64)
    side = np.array([-along[1], along[0]]) / np.linalg.norm(along) * across
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)[:, None]
    return np.asarray(centre) + np.cos(angles) * along + np.sin(angles) * side


def between(a: ArrayLike, b: ArrayLike, share: float, off: float = 0.0) -> FloatArray:
    """The point at a share of the way from a to b, moved ``off`` to the right of that way.

    Down the page, the right of the way is the left of the picture, as it is for the walker.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    way = b - a
    return a + share * way + off * np.array([-way[1], way[0]]) / np.linalg.norm(way)


def beside(a: ArrayLike, b: ArrayLike, profile: Profile, side: int) -> FloatArray:
    """One side (+1 or -1, see :func:`between`) of a limb from a to b."""
    return np.array([between(a, b, share, side * off) for share, off in profile])


# --- The page and the pen ------------------------------------------------------------------------


@dataclass(frozen=True)
class Pen:
    """A tool and the hand that holds it.

    Attributes:
        width: of a full-pressure line, pixels of the page.
        ink: darkness of full pressure, 0..1.
        light: share of the width that is left where the pressure is least.
        shake: pixels by which the hand strays, slowly along the line.
        grain: how much the paper's tooth breaks the line, 0..1.
        passes: how often a line is restated.
        stray: pixels between the passes.
    """

    width: float
    ink: float = 1.0
    light: float = 0.35
    shake: float = 0.6
    grain: float = 0.0
    passes: int = 1
    stray: float = 1.5


@dataclass
class Page:
    """A sheet with a scale, a pen in hand and its own chance.

    Attributes:
        width, height: pixels.
        unit: pixels to a head.
        origin: the page's pixel at (0, 0) heads.
        pen: what lines are drawn with.
        rng: the hand's chance.
    """

    width: int
    height: int
    unit: float
    origin: tuple[float, float]
    pen: Pen
    rng: np.random.Generator
    paper: float = 255.0
    _dark: NDArray[np.float32] = field(init=False)
    _tooth: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        shape = (self.height * _FINE, self.width * _FINE)
        self._dark = np.zeros(shape, np.float32)
        tooth = self.rng.normal(size=(self.height, self.width)).astype(np.float32)
        tooth = cv2.GaussianBlur(tooth, (0, 0), 0.7)
        self._tooth = cv2.resize(tooth / tooth.std(), shape[::-1], interpolation=cv2.INTER_LINEAR)

    def pixels(self, points: ArrayLike) -> FloatArray:
        """Heads -> pixels of the page."""
        return np.asarray(points, dtype=np.float64) * self.unit + self.origin

    def stroke(
        self,
        points: ArrayLike,
        *,
        pen: Pen | None = None,
        weight: float = 1.0,
        ends: tuple[float, float] = (0.2, 0.2),
        closed: bool = False,
    ) -> None:
        """Draw a line through ``points``.

        Args:
            points: ``[n, 2]`` heads.
            pen: another pen than the page's.
            weight: multiple of the pen's width.
            ends: pressure at the first and the last point, 0..1; in between it is full.
            closed: come back to the first point, a little beyond.
        """
        pen = pen or self.pen
        path = curve(self.pixels(points) * _FINE, closed)
        if closed:
            path = np.concatenate([path, path[1 : len(path) // 9]])
        for _ in range(pen.passes):
            self._pass(path, pen, weight, ends)

    def _pass(self, path: FloatArray, pen: Pen, weight: float, ends: tuple[float, float]) -> None:
        steps = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
        length = steps[-1]
        count = max(8, int(length / (2 * _FINE)))
        share = np.linspace(0, 1, count)
        line = np.stack([np.interp(share * length, steps, path[:, i]) for i in (0, 1)], axis=1)
        line = line + self._wander(count, length / _FINE) * pen.shake * _FINE
        if pen.passes > 1:
            line = line + self.rng.normal(0, pen.stray * _FINE, (1, 2))
            line = line + np.linspace(-1, 1, count)[:, None] * self.rng.normal(
                0, pen.stray * _FINE, (1, 2)
            )
        # A hand presses most in the middle of a line and a little unevenly.
        rise = np.minimum(1, ends[0] + (1 - ends[0]) * share / 0.35)
        fall = np.minimum(1, ends[1] + (1 - ends[1]) * (1 - share) / 0.35)
        pressure = np.minimum(rise, fall) * (1 + 0.12 * self._wander(count, length / _FINE)[:, 0])
        widths = pen.width * weight * _FINE * (pen.light + (1 - pen.light) * pressure)
        self._ink(line, widths, pen.ink * (0.55 + 0.45 * pressure.clip(0, 1)), pen.grain)

    def _wander(self, count: int, length: float) -> FloatArray:
        """``[count, 2]`` a slow random walk of standard deviation one, wave length about 45 px."""
        knots = max(4, int(length / 45) + 3)
        values = self.rng.normal(size=(knots, 2))
        at = np.linspace(0, knots - 1, count)
        smooth = np.stack([np.interp(at, np.arange(knots), values[:, i]) for i in (0, 1)], axis=1)
        kernel = max(3, count // knots) | 1
        padded = np.pad(smooth, ((kernel // 2, kernel // 2), (0, 0)), mode="edge")
        window = np.ones(kernel) / kernel
        return np.stack([np.convolve(padded[:, i], window, "valid") for i in (0, 1)], axis=1)

    def _ink(self, line: FloatArray, widths: FloatArray, inks: FloatArray, grain: float) -> None:
        reach = int(widths.max()) + 2
        low = np.maximum(np.floor(line.min(axis=0)).astype(int) - reach, 0)
        high = np.minimum(np.ceil(line.max(axis=0)).astype(int) + reach, self._dark.shape[::-1])
        if (high <= low).any():
            return
        area = np.s_[low[1] : high[1], low[0] : high[0]]
        mask = np.zeros((high[1] - low[1], high[0] - low[0]), np.float32)
        points = np.round(line - low).astype(int).tolist()
        for a, b, width, ink in zip(points, points[1:], widths, inks, strict=False):
            cv2.line(mask, a, b, float(ink), max(1, round(width)))
        if grain:
            mask *= np.clip(1 + grain * (self._tooth[area] - 0.5), 0, 1.1)
        dark = self._dark[area]
        dark += (1 - dark) * np.clip(mask, 0, 1)

    def blank(self, points: ArrayLike) -> None:
        """Clear an area, as what stands before hides what is behind."""
        self._fill(points, 0.0)

    def black(self, points: ArrayLike, darkness: float = 1.0) -> None:
        """Fill an area."""
        self._fill(points, darkness)

    def _fill(self, points: ArrayLike, darkness: float) -> None:
        polygon = np.round(self.pixels(points) * _FINE).astype(np.int32)
        cv2.fillPoly(self._dark, [polygon], darkness)

    def hatch(
        self, corners: ArrayLike, count: int, *, pen: Pen | None = None, weight: float = 0.6
    ) -> None:
        """Parallel lines from the side (a, b) of four corners ``[a, b, d, c]`` to (c, d)."""
        a, b, d, c = np.asarray(corners, dtype=np.float64)
        for share in np.linspace(0, 1, count):
            start, end = a + share * (b - a), c + share * (d - c)
            start, end = (p + self.rng.normal(0, 0.03, 2) for p in (start, end))
            bow = (start + end) / 2 + 0.03 * (end - start)[::-1]
            self.stroke([start, bow, end], pen=pen, weight=weight, ends=(0.9, 0.1))

    def picture(self) -> NDArray[np.uint8]:
        """The finished page, ``[height, width]`` uint8."""
        dark = cv2.resize(self._dark, (self.width, self.height), interpolation=cv2.INTER_AREA)
        grey = self.paper * (1 - 0.97 * dark)
        step = 255 / (_GREYS - 1)
        return (np.round(grey / step) * step).clip(0, 255).astype(np.uint8)


# --- The figure ----------------------------------------------------------------------------------

UPPER_ARM: Profile = ((-0.12, 0.12), (0.05, 0.25), (0.4, 0.23), (0.8, 0.17), (0.98, 0.16))
FOREARM: Profile = ((0.02, 0.16), (0.25, 0.21), (0.6, 0.15), (1.0, 0.095))
THIGH: Profile = ((-0.02, 0.36), (0.25, 0.4), (0.6, 0.32), (0.9, 0.23), (1.0, 0.22))
SHIN: Profile = ((0.02, 0.2), (0.15, 0.2), (0.5, 0.17), (0.8, 0.12), (1.0, 0.11))
CALF: Profile = ((0.0, 0.17), (0.28, 0.29), (0.55, 0.21), (0.8, 0.12), (0.98, 0.11))

Joints = Mapping[str, tuple[float, float]]


def limb(page: Page, a: ArrayLike, b: ArrayLike, right: Profile, left: Profile) -> None:
    """Two sides of a limb from a to b; what lies behind it disappears.

    Args:
        page: where.
        a, b: its joints, heads.
        right, left: of the walker from a to b. On a limb that hangs down, ``right`` is the side
            towards the picture's left.
    """
    sides = beside(a, b, right, 1), beside(a, b, left, -1)
    page.blank(np.concatenate([curve(sides[0]), curve(sides[1])[::-1]]))
    for side in sides:
        page.stroke(side, ends=(0.25, 0.3))


def arm(page: Page, joints: Joints, side: str) -> None:
    """An arm, the forearm in front of the upper arm, and its hand."""
    shoulder, elbow, wrist = (joints[side + name] for name in ("Arm", "ForeArm", "Hand"))
    limb(page, shoulder, elbow, UPPER_ARM, UPPER_ARM)
    page.blank(ellipse(elbow, (0.13, 0), 0.13))
    limb(page, elbow, wrist, FOREARM, FOREARM)
    corner(page, shoulder, elbow, wrist, 0.15)
    hand(page, elbow, wrist)


def hand(page: Page, elbow: ArrayLike, wrist: ArrayLike, length: float = 0.6) -> None:
    """A mitten: the back of the hand, the fingers' tips, a thumb."""
    elbow, wrist = np.asarray(elbow), np.asarray(wrist)
    tip = wrist + length * (wrist - elbow) / np.linalg.norm(wrist - elbow)
    right = [between(wrist, tip, t, off) for t, off in ((-0.05, 0.09), (0.4, 0.15), (0.8, 0.1))]
    left = [between(wrist, tip, t, -off) for t, off in ((0.8, 0.08), (0.4, 0.13), (-0.05, 0.09))]
    outline = [*right, tip, *left]
    page.blank(curve(outline))
    page.stroke(outline, ends=(0.4, 0.4))
    thumb = [between(wrist, tip, t, off) for t, off in ((0.1, -0.11), (0.4, -0.23), (0.6, -0.15))]
    page.stroke(thumb, weight=0.8)


def leg(page: Page, joints: Joints, side: str, calf: int) -> None:
    """A leg and its foot.

    Args:
        page: where.
        joints: heads.
        side: "Left" or "Right".
        calf: +1 where the calf is on the right of the walker from knee to ankle, else -1.
    """
    hip, knee, ankle, toe = (joints[side + n] for n in ("UpLeg", "Leg", "Foot", "ToeBase"))
    foot(page, knee, ankle, toe)
    limb(page, knee, ankle, *((CALF, SHIN) if calf > 0 else (SHIN, CALF)))
    page.blank(ellipse(knee, (0.17, 0), 0.17))
    limb(page, hip, knee, THIGH, THIGH)
    corner(page, hip, knee, ankle, 0.21)


def corner(page: Page, a: ArrayLike, b: ArrayLike, c: ArrayLike, size: float) -> None:
    """The outside of a bent elbow or knee b between a and c."""
    a, b, c = (np.asarray(point) for point in (a, b, c))
    outward = (b - a) / np.linalg.norm(b - a) - (c - b) / np.linalg.norm(c - b)
    bend = float(np.linalg.norm(outward))
    if bend < 0.25:
        return
    outward /= bend
    side = 1 if outward @ (between(a, b, 1.0, 1.0) - b) > 0 else -1
    line = [
        between(a, b, 0.86, side * size),
        b + size * 1.12 * outward,
        between(b, c, 0.16, side * size),
    ]
    page.stroke(line, ends=(0.2, 0.2))


def foot(page: Page, knee: ArrayLike, ankle: ArrayLike, toe: ArrayLike) -> None:
    """A wedge with a heel, from the ankle beyond the ball of the foot."""
    knee, ankle, toe = np.asarray(knee), np.asarray(ankle), np.asarray(toe)
    shin = (ankle - knee) / np.linalg.norm(ankle - knee)
    way = (toe - ankle) / np.linalg.norm(toe - ankle)
    heel = ankle + 0.22 * shin - 0.18 * way
    tip = toe + 0.34 * way
    sole = [
        ankle - 0.14 * way - 0.1 * shin,
        heel,
        (heel + toe) / 2 + 0.05 * shin,
        toe + 0.08 * shin,
    ]
    instep = [tip, toe - 0.14 * shin, ankle + 0.16 * way - 0.02 * shin]
    page.blank(curve([*sole, *instep], closed=True))
    page.stroke([*sole, tip], ends=(0.4, 0.5))
    page.stroke(instep, ends=(0.5, 0.3))


def trunk(page: Page, joints: Joints, right: Profile, left: Profile) -> None:
    """The sides of the trunk from the hips up to the arms, as bare as a T-shirt.

    Args:
        page: where.
        joints: heads.
        right, left: half-widths from the hips to the neck; upwards, ``right`` is the picture's.
    """
    hips, neck = joints["Hips"], joints["Neck"]
    sides = beside(hips, neck, right, 1), beside(hips, neck, left, -1)
    page.blank(np.concatenate([curve(sides[0]), curve(sides[1])[::-1]]))
    for side in sides:
        page.stroke(side, ends=(0.3, 0.2))


def head(page: Page, joints: Joints, turn: float, hair: int = 9, width: float = 0.43) -> None:
    """An egg on a neck, a hint of a face, hair.

    Args:
        page: where.
        joints: heads.
        turn: where the face looks, from -1 (the picture's left) to 1.
        hair: number of strokes.
        width: half-width of the skull.
    """
    neck, top = np.asarray(joints["Neck"]), np.asarray(joints["HeadTop_End"])
    up = (top - neck) / np.linalg.norm(top - neck)
    side = np.array([-up[1], up[0]])  # the picture's right for a head that stands up
    chin = top - 1.12 * up + 0.16 * turn * side
    for off in (-0.2, 0.2):
        page.stroke(
            [neck + 1.25 * off * side, neck + off * side + 0.3 * up, chin + off * side + 0.2 * up]
        )
    skull = [
        top,
        top - 0.2 * up + (width * 0.82 + 0.04 * turn) * side,
        top - 0.5 * up + width * side,
        top - 0.85 * up + (0.31 + 0.12 * turn) * side,
        chin + 0.12 * side,
        chin - 0.1 * side,
        top - 0.85 * up - (0.31 - 0.12 * turn) * side,
        top - 0.5 * up - width * side,
        top - 0.2 * up - (width * 0.82 - 0.04 * turn) * side,
    ]
    page.blank(curve(skull, closed=True))
    page.stroke(skull, closed=True, ends=(0.5, 0.5))
    middle = 0.3 * turn * side
    page.stroke(
        [
            top - 0.42 * up + middle,
            top - 0.62 * up + 1.25 * middle + 0.06 * turn * side,
            top - 0.66 * up + middle,
        ],
        weight=0.6,
    )
    brow = top - 0.45 * up + middle
    page.stroke([brow - 0.17 * side, brow + 0.03 * up, brow + 0.17 * side], weight=0.5)
    mouth = top - 0.82 * up + 0.8 * middle
    page.stroke([mouth - 0.08 * side, mouth + 0.07 * side], weight=0.5)
    for share in np.linspace(-1, 1, hair):
        root = top - (0.06 + 0.1 * share**2) * up + share * width * 0.85 * side
        end = root + (0.16 * page.rng.random() - 0.02) * up - (0.12 * turn + 0.05) * side
        page.stroke([root - 0.16 * up - 0.1 * turn * side, root, end], weight=0.7, ends=(0.3, 0.1))


# --- The drawings --------------------------------------------------------------------------------

GRAPHITE = Pen(width=3.0, ink=0.82, light=0.3, shake=0.8, grain=0.22, passes=2, stray=1.4)
LEAD = Pen(width=1.7, ink=0.4, light=0.5, shake=1.0, grain=0.3, passes=2, stray=1.6)
MARKER = Pen(width=4.2, ink=0.97, light=0.8, shake=1.0)
BRUSH = Pen(width=9.0, ink=0.97, light=0.16, shake=0.9)
PANEL = Pen(width=2.4, ink=0.75, light=0.35, shake=0.8, grain=0.25, passes=2, stray=0.9)
PENCIL = Pen(width=2.0, ink=0.7, light=0.35, shake=0.7, grain=0.3, passes=2, stray=1.0)
NIB = Pen(width=3.4, ink=0.95, light=0.25, shake=0.6)
CRAYON = Pen(width=5.0, ink=0.7, light=0.5, shake=1.0, grain=0.6)


def new_page(
    seed: int,
    pen: Pen,
    unit: float,
    origin: tuple[float, float],
    size: tuple[int, int] = (560, 640),
) -> Page:
    """A white sheet; ``size`` is width and height in pixels."""
    return Page(*size, unit, origin, pen, np.random.default_rng(seed))


def gesture_run() -> tuple[Page, Joints]:
    """A sprinter to the right: soft pencil over the lines of the action."""
    page = new_page(1, GRAPHITE, 80, (268, 316))
    joints: Joints = {
        "Hips": (0.05, 0.0),
        "Neck": (0.95, -2.35),
        "HeadTop_End": (1.55, -3.6),
        "RightArm": (1.15, -1.95),
        "RightForeArm": (1.5, -0.6),
        "RightHand": (2.6, -1.2),
        "LeftArm": (0.6, -2.1),
        "LeftForeArm": (-0.75, -1.75),
        "LeftHand": (-1.25, -0.6),
        "LeftUpLeg": (0.3, 0.05),
        "LeftLeg": (2.05, 0.5),
        "LeftFoot": (1.55, 2.25),
        "LeftToeBase": (2.25, 2.6),
        "RightUpLeg": (-0.2, 0.1),
        "RightLeg": (-1.2, 1.75),
        "RightFoot": (-2.75, 2.65),
        "RightToeBase": (-2.65, 3.4),
    }
    arm(page, joints, "Left")
    leg(page, joints, "Left", calf=1)
    leg(page, joints, "Right", calf=1)
    head(page, joints, turn=0.9)
    trunk(
        page,
        joints,
        right=((-0.1, 0.4), (0.2, 0.38), (0.5, 0.55), (0.8, 0.6), (0.98, 0.22)),
        left=((-0.12, 0.52), (0.12, 0.46), (0.3, 0.38), (0.6, 0.52), (0.85, 0.5), (1.0, 0.2)),
    )
    arm(page, joints, "Right")
    spine = [(1.35, -3.2), joints["Neck"], (0.62, -1.2), joints["Hips"]]
    page.stroke([*spine, (-0.65, 0.9), (-1.25, 1.75), (-2.75, 2.65)], pen=LEAD, weight=1.3)
    page.stroke(ellipse((0.68, -1.5), (0.3, -0.72), 0.46)[::5], pen=LEAD, closed=True)
    page.stroke(ellipse((0.05, -0.05), (0.46, -0.1), 0.36)[::5], pen=LEAD, closed=True)
    page.stroke([(-2.6, 3.75), (0, 3.5), (2.6, 3.05)], pen=LEAD, ends=(0.2, 0.1))
    page.stroke([(-1.2, -2.4), (-2.2, -2.25)], pen=LEAD)
    page.stroke([(-1.0, -2.75), (-2.5, -2.5)], pen=LEAD)
    return page, joints


def gesture_dance() -> tuple[Page, Joints]:
    """A dancer on one leg, seen from the front: quick lines, each arm in a few sweeps."""
    page = new_page(2, GRAPHITE, 66, (258, 330))
    joints: Joints = {
        "Hips": (0.0, 0.0),
        "Neck": (0.25, -2.5),
        "HeadTop_End": (0.1, -3.85),
        "RightArm": (-0.6, -2.2),
        "RightForeArm": (-1.75, -2.95),
        "RightHand": (-1.35, -4.15),
        "LeftArm": (1.05, -2.3),
        "LeftForeArm": (2.3, -1.85),
        "LeftHand": (3.3, -2.5),
        "RightUpLeg": (-0.42, 0.1),
        "RightLeg": (-0.3, 2.05),
        "RightFoot": (-0.25, 3.85),
        "RightToeBase": (-0.6, 4.3),
        "LeftUpLeg": (0.45, 0.0),
        "LeftLeg": (2.2, 0.8),
        "LeftFoot": (0.75, 1.85),
        "LeftToeBase": (0.2, 2.3),
    }
    leg(page, joints, "Right", calf=1)
    leg(page, joints, "Left", calf=-1)
    trunk(
        page,
        joints,
        right=((-0.14, 0.66), (0.0, 0.66), (0.4, 0.46), (0.7, 0.6), (0.84, 0.66)),
        left=((-0.16, 0.64), (0.0, 0.66), (0.4, 0.42), (0.7, 0.58), (0.84, 0.7)),
    )
    for side in ("Left", "Right"):
        a, b, c = (np.array(joints[side + name]) for name in ("Arm", "ForeArm", "Hand"))
        for edge in (1, -1):
            sweep = [
                between(a, b, at, edge * off) for at, off in ((0, 0.2), (0.4, 0.21), (0.93, 0.15))
            ]
            sweep += [between(b, c, at, edge * off) for at, off in ((0.3, 0.18), (1, 0.09))]
            page.stroke(sweep, ends=(0.2, 0.1))
        hand(page, b, c)
    head(page, joints, turn=-0.6, hair=5)
    page.stroke([(-0.7, -2.45), (-0.1, -2.55), (0.25, -2.45), (0.7, -2.6), (1.15, -2.52)])
    page.stroke(ellipse((0.2, -1.75), (0.05, -0.7), 0.56)[::5], pen=LEAD, closed=True)
    page.stroke(ellipse((0.0, 0.0), (0.6, -0.05), 0.34)[::5], pen=LEAD, closed=True)
    spine = [(0.15, -3.4), joints["Neck"], (0.3, -1.4), joints["Hips"], (-0.45, 1.2)]
    page.stroke([*spine, joints["RightLeg"], joints["RightFoot"]], pen=LEAD, weight=1.4)
    page.stroke([(3.3, -2.5), (1.9, -2.2), (0.25, -2.6), (-1.6, -2.7), (-1.35, -4.1)], pen=LEAD)
    page.stroke([(-2.0, 4.4), (-0.3, 4.5), (1.8, 4.35)], pen=LEAD, ends=(0.1, 0.1))
    return page, joints


def stick_wave() -> tuple[Page, Joints]:
    """A child's stick figure that waves, felt pen."""
    page = new_page(3, MARKER, 76, (270, 300))
    joints: Joints = {
        "Hips": (0.05, 0.35),
        "Neck": (0.0, -1.75),
        "HeadTop_End": (-0.05, -3.55),
        "RightArm": (0.0, -1.45),
        "RightForeArm": (-1.0, -0.75),
        "RightHand": (-1.7, 0.2),
        "LeftArm": (0.0, -1.45),
        "LeftForeArm": (1.2, -1.5),
        "LeftHand": (1.85, -2.75),
        "RightUpLeg": (0.05, 0.35),
        "RightLeg": (-0.6, 1.85),
        "RightFoot": (-1.05, 3.45),
        "RightToeBase": (-1.5, 3.5),
        "LeftUpLeg": (0.05, 0.35),
        "LeftLeg": (0.75, 1.8),
        "LeftFoot": (1.1, 3.45),
        "LeftToeBase": (1.6, 3.4),
    }
    page.stroke(ellipse((-0.03, -2.66), (0.86, 0.04), 0.88)[::4], closed=True)
    page.stroke([joints["Neck"], (0.05, -0.8), joints["Hips"]], ends=(1, 1))
    for side in ("Left", "Right"):
        limb_ = [joints[side + name] for name in ("Arm", "ForeArm", "Hand")]
        page.stroke(limb_, ends=(1, 1))
        end, way = np.array(limb_[2]), np.array(limb_[2]) - limb_[1]
        way = way / np.linalg.norm(way)
        for angle in (-0.7, 0.0, 0.7):
            c, s = np.cos(angle), np.sin(angle)
            page.stroke(
                [end, end + 0.3 * np.array((c * way[0] - s * way[1], s * way[0] + c * way[1]))]
            )
        page.stroke([joints[side + n] for n in ("UpLeg", "Leg", "Foot", "ToeBase")], ends=(1, 1))
    for x in (-0.32, 0.28):
        page.black(ellipse((x, -2.85), (0.07, 0), 0.09))
    page.stroke([(-0.4, -2.4), (-0.05, -2.15), (0.38, -2.42)], weight=0.9, ends=(1, 1))
    for x in np.linspace(-0.6, 0.6, 5):
        page.stroke([(x, -3.4 + 0.25 * x * x), (x * 1.25 + 0.06, -3.75 + 0.2 * x * x)], weight=0.8)
    return page, joints


def sausage_kick() -> tuple[Page, Joints]:
    """A figure of sausages kicks to the right, nib pen."""
    page = new_page(4, NIB, 72, (235, 320))
    joints: Joints = {
        "Hips": (0.0, 0.1),
        "Neck": (-0.75, -2.1),
        "HeadTop_End": (-1.25, -3.6),
        "RightArm": (-1.25, -1.75),
        "RightForeArm": (-2.3, -0.95),
        "RightHand": (-2.6, 0.3),
        "LeftArm": (-0.15, -1.85),
        "LeftForeArm": (1.05, -2.35),
        "LeftHand": (1.45, -3.5),
        "RightUpLeg": (-0.3, 0.25),
        "RightLeg": (-0.15, 2.15),
        "RightFoot": (-0.7, 3.9),
        "RightToeBase": (-0.05, 4.15),
        "LeftUpLeg": (0.35, 0.05),
        "LeftLeg": (2.05, -0.5),
        "LeftFoot": (3.75, -1.1),
        "LeftToeBase": (3.7, -1.8),
    }
    j = {name: np.array(at) for name, at in joints.items()}

    def sausage(a: FloatArray, b: FloatArray, first: float, last: float) -> None:
        way = (b - a) / np.linalg.norm(b - a)
        outline = [
            a - first * 0.85 * way,
            *beside(a, b, ((0.0, first), (0.5, (first + last) * 0.53), (1.0, last)), 1),
            b + last * 0.85 * way,
            *beside(a, b, ((1.0, last), (0.5, (first + last) * 0.53), (0.0, first)), -1),
        ]
        page.blank(curve(outline, closed=True))
        page.stroke(outline, closed=True, ends=(0.6, 0.6))

    sausage(j["RightFoot"] + (-0.05, 0.12), j["RightToeBase"], 0.17, 0.14)
    sausage(j["RightLeg"], j["RightFoot"], 0.27, 0.16)
    sausage(j["RightUpLeg"], j["RightLeg"], 0.38, 0.27)
    sausage(j["RightForeArm"], j["RightHand"], 0.22, 0.16)
    sausage(j["RightArm"], j["RightForeArm"], 0.25, 0.21)
    sausage(j["RightHand"], j["RightHand"] + (-0.02, 0.28), 0.19, 0.19)
    sausage(j["Neck"] + (0.05, 0.15), j["Neck"] - (0.1, 0.3), 0.2, 0.2)
    trunk_ = [(-1.25, -1.95), (-0.7, -2.1), (-0.05, -1.95), (0.1, -1.2), (0.55, -0.15), (0.5, 0.45)]
    trunk_ += [(0.0, 0.6), (-0.55, 0.5), (-0.6, -0.2), (-0.95, -1.05)]
    page.blank(curve(trunk_, closed=True))
    page.stroke(trunk_, closed=True, ends=(0.6, 0.6))
    page.stroke([(-0.68, -1.9), (-0.35, -0.9), (0.0, 0.5)], weight=0.5)
    sausage(j["LeftFoot"] + (0.08, 0.08), j["LeftToeBase"], 0.18, 0.14)
    sausage(j["LeftLeg"], j["LeftFoot"], 0.27, 0.16)
    sausage(j["LeftUpLeg"], j["LeftLeg"], 0.4, 0.28)
    sausage(j["LeftForeArm"], j["LeftHand"], 0.22, 0.16)
    sausage(j["LeftArm"], j["LeftForeArm"], 0.26, 0.21)
    sausage(j["LeftHand"], j["LeftHand"] + (0.08, -0.27), 0.19, 0.19)
    centre, up = np.array((-1.08, -3.05)), np.array((-0.2, -0.56))
    page.blank(ellipse(centre, up, 0.5))
    page.stroke(ellipse(centre, up, 0.5)[::4], closed=True, ends=(0.6, 0.6))
    page.stroke([(-1.5, -2.95), (-1.0, -2.85), (-0.58, -3.1)], weight=0.5)
    page.stroke([(-1.05, -3.55), (-0.82, -3.1), (-0.8, -2.6)], weight=0.5)
    page.stroke([(-1.5, 4.35), (0.2, 4.4), (2.6, 4.3)], weight=0.8, ends=(0.1, 0.1))
    return page, joints


def storyboard_point() -> tuple[Page, Joints]:
    """A storyboard panel: someone strides to the left and points, with ground and shadow."""
    page = new_page(5, PANEL, 56, (370, 268), (640, 512))
    joints: Joints = {
        "Hips": (0.0, 0.0),
        "Neck": (-0.35, -2.4),
        "HeadTop_End": (-0.7, -3.7),
        "RightArm": (-0.95, -2.1),
        "RightForeArm": (-2.15, -2.4),
        "RightHand": (-3.3, -2.75),
        "LeftArm": (0.35, -2.05),
        "LeftForeArm": (1.4, -1.2),
        "LeftHand": (0.75, -0.15),
        "RightUpLeg": (-0.4, 0.05),
        "RightLeg": (-1.8, 1.1),
        "RightFoot": (-1.8, 2.85),
        "RightToeBase": (-2.45, 3.2),
        "LeftUpLeg": (0.4, 0.05),
        "LeftLeg": (1.35, 1.65),
        "LeftFoot": (2.5, 2.85),
        "LeftToeBase": (2.1, 3.3),
    }
    page.stroke([(-5.9, 0.4), (-4.4, 0.1), (-3.2, 0.45), (-1.5, 0.3)], pen=LEAD, weight=1.2)
    page.stroke([(1.5, 0.35), (2.6, 0.05), (3.6, 0.4)], pen=LEAD, weight=1.2)
    arm(page, joints, "Right")
    leg(page, joints, "Left", calf=-1)
    leg(page, joints, "Right", calf=-1)
    head(page, joints, turn=-0.9, hair=11)
    trunk(
        page,
        joints,
        right=((-0.22, 0.66), (0.0, 0.62), (0.4, 0.5), (0.7, 0.62), (0.86, 0.68)),
        left=((-0.22, 0.62), (0.0, 0.58), (0.4, 0.42), (0.7, 0.52), (0.86, 0.58)),
    )
    arm(page, joints, "Left")
    page.stroke([(-1.0, -2.42), (-0.55, -2.5), (-0.2, -2.35), (0.35, -2.35)], weight=0.8)
    page.stroke([(-0.62, 0.1), (-0.05, 0.2), (0.6, 0.12)], weight=0.8)
    page.stroke([(-0.2, -2.2), (-0.35, -1.2), (-0.1, 0.15)], weight=0.5)
    shade = Pen(width=2.2, ink=0.42, light=0.6, shake=0.7, grain=0.3)
    page.hatch([(0.35, -1.6), (0.3, -0.2), (0.02, -0.1), (0.05, -1.4)], 9, pen=shade)
    page.hatch([(1.0, 0.75), (1.5, 1.5), (1.15, 1.75), (0.6, 0.95)], 8, pen=shade)
    page.hatch([(2.3, 3.45), (3.6, 3.3), (4.1, 3.55), (2.3, 3.7)], 10, pen=shade)
    page.hatch([(-2.6, 3.4), (-0.6, 3.3), (-0.1, 3.5), (-2.5, 3.65)], 12, pen=shade)
    page.stroke([(-6.1, 3.45), (-2, 3.52), (1, 3.42), (4.4, 3.5)], weight=0.8, ends=(0.6, 0.6))
    for corner_, other in (((-6.3, -4.5), (4.5, -4.48)), ((-6.28, 4.1), (4.52, 4.08))):
        page.stroke(
            [corner_, (-1, (corner_[1] + other[1]) / 2), other], weight=1.1, ends=(0.8, 0.8)
        )
    for x in (-6.25, 4.47):
        page.stroke([(x, -4.55), (x + 0.02, 0), (x - 0.02, 4.15)], weight=1.1, ends=(0.8, 0.8))
    return page, joints


def brush_lunge() -> tuple[Page, Joints]:
    """A lunge to the figure's left with level arms, brush and ink, as in an exercise book."""
    page = new_page(6, BRUSH, 72, (320, 318), (640, 576))
    joints: Joints = {
        "Hips": (0.0, 0.0),
        "Neck": (0.0, -2.42),
        "HeadTop_End": (0.12, -3.78),
        "RightArm": (-0.85, -2.1),
        "RightForeArm": (-2.2, -2.12),
        "RightHand": (-3.35, -2.25),
        "LeftArm": (0.85, -2.1),
        "LeftForeArm": (2.2, -2.15),
        "LeftHand": (3.35, -2.3),
        "RightUpLeg": (-0.45, 0.1),
        "RightLeg": (-1.75, 1.55),
        "RightFoot": (-3.0, 2.75),
        "RightToeBase": (-3.3, 3.15),
        "LeftUpLeg": (0.45, 0.1),
        "LeftLeg": (2.15, 0.8),
        "LeftFoot": (2.2, 2.6),
        "LeftToeBase": (2.85, 2.95),
    }
    leg(page, joints, "Right", calf=1)
    leg(page, joints, "Left", calf=1)
    arm(page, joints, "Right")
    arm(page, joints, "Left")
    head(page, joints, turn=0.8, hair=0)
    trunk(
        page,
        joints,
        right=((-0.12, 0.62), (0.05, 0.62), (0.4, 0.47), (0.7, 0.62), (0.84, 0.72)),
        left=((-0.12, 0.62), (0.05, 0.62), (0.4, 0.47), (0.7, 0.62), (0.84, 0.72)),
    )
    for side in (-1, 1):
        page.stroke([(side * 0.2, -2.6), (side * 0.5, -2.42), (side * 0.9, -2.36)], weight=0.8)
        page.stroke([(side * 0.66, -1.62), (side * 0.35, -1.45), (side * 0.06, -1.56)], weight=0.6)
        page.stroke([(side * 0.6, -0.2), (side * 0.3, 0.15), (side * 0.08, 0.42)], weight=0.5)
    page.stroke([(0, -1.4), (0.02, -0.9), (0, -0.35)], weight=0.4)
    page.stroke([(-0.64, -0.25), (0, -0.14), (0.64, -0.25)], weight=0.6)
    hair = [(-0.38, -3.4), (-0.3, -3.7), (0.1, -3.95), (0.5, -3.72), (0.58, -3.4), (0.3, -3.56)]
    page.black(curve([*hair, (0.0, -3.5), (-0.2, -3.45)], closed=True), 0.97)
    return page, joints


def pencil_sit() -> tuple[Page, Joints]:
    """Someone sits on a box and leans back on an arm: hard pencil, a little hatching."""
    page = new_page(7, PENCIL, 78, (310, 330), (600, 580))
    joints: Joints = {
        "Hips": (0.25, 0.0),
        "Neck": (0.75, -2.35),
        "HeadTop_End": (0.35, -3.65),
        "RightArm": (0.4, -2.0),
        "RightForeArm": (-0.45, -0.95),
        "RightHand": (-1.4, -0.6),
        "LeftArm": (0.95, -1.95),
        "LeftForeArm": (1.7, -0.75),
        "LeftHand": (1.65, 0.4),
        "RightUpLeg": (0.1, -0.05),
        "RightLeg": (-1.65, 0.1),
        "RightFoot": (-2.9, 1.75),
        "RightToeBase": (-3.4, 1.3),
        "LeftUpLeg": (0.35, 0.1),
        "LeftLeg": (-1.5, 0.15),
        "LeftFoot": (-1.3, 2.0),
        "LeftToeBase": (-1.95, 2.3),
    }
    box = {"a": (-0.75, 0.5), "b": (-0.3, 0.22), "c": (2.35, 0.25), "d": (2.0, 0.54)}
    box |= {"e": (-0.72, 2.48), "f": (2.0, 2.47), "g": (2.32, 2.08)}
    for start, end in ("ab", "bc", "cd", "ad", "ae", "df", "cg", "ef", "gf"):
        middle = between(box[start], box[end], 0.5, 0.02)
        page.stroke(np.array([box[start], middle, box[end]]), ends=(0.7, 0.5))
    leg(page, joints, "Right", calf=-1)
    arm(page, joints, "Right")
    head(page, joints, turn=-0.9, hair=13)
    trunk(
        page,
        joints,
        right=((-0.14, 0.6), (0.05, 0.6), (0.3, 0.44), (0.6, 0.56), (0.85, 0.52), (1.0, 0.16)),
        left=((-0.05, 0.45), (0.15, 0.44), (0.4, 0.42), (0.7, 0.6), (0.88, 0.5), (1.0, 0.2)),
    )
    leg(page, joints, "Left", calf=-1)
    arm(page, joints, "Left")
    shade = Pen(width=1.5, ink=0.5, light=0.6, shake=0.5, grain=0.3)
    page.hatch([(-0.65, 0.7), (1.9, 0.7), (1.5, 2.35), (-0.68, 2.35)], 22, pen=shade)
    page.hatch([(0.65, -1.3), (0.75, -0.3), (1.0, -0.2), (1.0, -1.2)], 9, pen=shade)
    page.stroke([(-3.7, 2.45), (-1.5, 2.55), (-0.8, 2.5)], weight=0.8)
    page.stroke([(2.1, 2.5), (2.9, 2.55)], weight=0.8)
    return page, joints


def crayon_cheer() -> tuple[Page, Joints]:
    """Someone jumps with both arms raised, coarse crayon on grey paper."""
    page = new_page(8, CRAYON, 62, (270, 326))
    page.paper = 214.0
    joints: Joints = {
        "Hips": (0.0, 0.0),
        "Neck": (0.05, -2.42),
        "HeadTop_End": (0.0, -3.8),
        "RightArm": (-0.8, -2.2),
        "RightForeArm": (-1.75, -3.15),
        "RightHand": (-2.1, -4.3),
        "LeftArm": (0.85, -2.25),
        "LeftForeArm": (1.75, -3.2),
        "LeftHand": (2.55, -4.1),
        "RightUpLeg": (-0.42, 0.1),
        "RightLeg": (-1.0, 1.9),
        "RightFoot": (-1.15, 3.6),
        "RightToeBase": (-1.5, 4.15),
        "LeftUpLeg": (0.42, 0.1),
        "LeftLeg": (1.55, 1.35),
        "LeftFoot": (2.85, 2.3),
        "LeftToeBase": (3.35, 2.1),
    }
    arm(page, joints, "Right")
    arm(page, joints, "Left")
    leg(page, joints, "Right", calf=1)
    leg(page, joints, "Left", calf=1)
    head(page, joints, turn=0.1, hair=13)
    trunk(
        page,
        joints,
        right=((-0.1, 0.64), (0.1, 0.62), (0.4, 0.5), (0.7, 0.62), (0.88, 0.72)),
        left=((-0.1, 0.64), (0.1, 0.62), (0.4, 0.5), (0.7, 0.62), (0.88, 0.7)),
    )
    page.stroke([(-0.66, 0.2), (0, 0.32), (0.68, 0.18)])
    for side in (-1, 1):
        page.stroke([(side * 0.22, -2.5), (side * 0.5, -2.5), (side * 0.75, -2.62)], weight=0.8)
    page.stroke([(-0.24, -2.5), (0.02, -2.3), (0.28, -2.5)], weight=0.8)
    page.stroke([(-1.9, 4.75), (0, 4.85), (1.9, 4.7)], weight=0.8)
    return page, joints


DRAWINGS: dict[str, Callable[[], tuple[Page, Joints]]] = {
    draw.__name__: draw
    for draw in (
        gesture_run,
        gesture_dance,
        stick_wave,
        sausage_kick,
        storyboard_point,
        brush_lunge,
        pencil_sit,
        crayon_cheer,
    )
}
"""What each file shows stands in its function's first line."""


def draw_all() -> tuple[dict[str, NDArray[np.uint8]], dict[str, dict[str, list[float]]]]:
    """Every drawing by its name, and its joints in pixels of its page."""
    pictures, truth = {}, {}
    for name, draw in DRAWINGS.items():
        page, joints = draw()
        pictures[name] = page.picture()
        truth[name] = {
            joint: [round(float(v), 1) for v in page.pixels(at)] for joint, at in joints.items()
        }
    return pictures, truth


def main(arguments: list[str]) -> None:
    """Write the drawings and their joints."""
    parser = argparse.ArgumentParser(prog="draw_examples.py", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "examples", help="folder (examples)")
    folder = parser.parse_args(arguments).out
    folder.mkdir(parents=True, exist_ok=True)
    pictures, truth = draw_all()
    for name, picture in pictures.items():
        data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1]
        write_whole(folder / f"{name}.png", data.tobytes())
        print(f"{name}.png: {len(data) / 1024:.0f} KB")
    write_whole(folder / "keypoints.json", (json.dumps(truth, indent=1) + "\n").encode())


if __name__ == "__main__":
    run(main)
