"""Figures drawn from the skeleton alone: stick figures, sausage people, mannequins, signs.

A pose gets another body and another camera, then it is drawn as trained or untrained people do it.
What tells left from right (face, feet, chest, spine line) always agrees with the skeleton.

Camera space as everywhere: x right, y down, z forward (away from the viewer).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from . import skeleton
from .bodies import (
    ARM,
    CIRCLE,
    HEAD,
    HEIGHT,
    HIPS,
    LEG,
    NECK,
    SIDES,
    SPINE,
    SPINE1,
    SPINE2,
    TOP,
    Body,
    FloatArray,
    Trunk,
    bow,
    hull,
    limb_outline,
    reproportioned,
    union,
    unit,
    untrained,
    viewed,
)
from .heads import Features, draw_head
from .kinds import EXACT_KINDS
from .lay_figure import LayFigure, draw_lay_figure
from .rotations import about_axis
from .styles import NO_FILL, Drawing

KINDS = ("stick", "sausage", "mannequin", "muscled", "pictogram")
"""The ways of drawing that :func:`draw_figure` knows."""


@dataclass(frozen=True)
class Figure:
    """A drawn figure.

    Attributes:
        drawing: its paths, pixels; the figure is about ``HEIGHT`` pixels tall when upright.
        keypoints: ``[23, 2]`` pixels, where a person would mark the joints in this drawing.
    """

    drawing: Drawing
    keypoints: FloatArray


# --------------------------------------------------------------------------------------------------
# Hands, feet and clothes


def _hand(
    drawing: Drawing,
    wrist: FloatArray,
    direction: FloatArray,
    radius: float,
    kind: str,
    rng: np.random.Generator,
) -> list[FloatArray]:
    """Draw a hand's lines; returns the polygons that belong to the arm's silhouette."""
    side = np.array([-direction[1], direction[0]])
    length = radius * rng.uniform(2.2, 3.6)
    if kind == "none":
        return []
    if kind == "fist":
        return [wrist + 0.9 * radius * direction + 1.35 * radius * CIRCLE]
    if kind == "lines":
        for angle in np.linspace(-0.6, 0.6, int(rng.integers(3, 6))):
            finger = np.cos(angle) * direction + np.sin(angle) * side
            drawing.line(np.stack([wrist, wrist + length * finger]), width=0.9)
        return []
    if kind == "fingers":
        palm = wrist + 0.35 * length * direction + 1.2 * radius * CIRCLE
        parts = [palm]
        for angle in np.linspace(-0.55, 0.55, int(rng.integers(3, 5))):
            finger = np.cos(angle) * direction + np.sin(angle) * side
            root = wrist + 0.35 * length * direction + 0.8 * radius * finger
            parts.append(
                limb_outline(root, root + 0.7 * length * finger, 0.36 * radius, 0.28 * radius)
            )
        return parts
    palm = (
        wrist
        + 0.5 * length * direction
        + (0.62 * length * CIRCLE[:, :1] * direction + 1.15 * radius * CIRCLE[:, 1:] * side)
    )
    if kind == "mitten" and rng.random() < 0.7:
        thumb = unit(direction + rng.choice([-1, 1]) * side)
        root = wrist + 0.3 * length * direction
        return [palm, limb_outline(root, root + 0.6 * length * thumb, 0.5 * radius, 0.35 * radius)]
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
        ankle + radius * CIRCLE,
        heel + 0.85 * radius * CIRCLE,
        tip + 0.7 * radius * big * CIRCLE,
    ]
    return hull(np.concatenate(circles))


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


def _simple_trunk(trunk: Trunk, kind: str, rng: np.random.Generator) -> FloatArray:
    """``[n, 2]`` a box or an oval in place of the trunk."""
    top, bottom = trunk.centres[4] * 0.6 + trunk.centres[5] * 0.4, trunk.centres[0]
    axis = top - bottom
    n = unit(np.array([-axis[1], axis[0]]))

    def half(level: int) -> float:
        return math.hypot(float(trunk.left[level] @ n), float(trunk.ahead[level] @ n))

    high, low = half(4) * rng.uniform(0.8, 1.1), half(1) * rng.uniform(0.8, 1.2)
    if kind == "box":
        return np.stack([top + high * n, top - high * n, bottom - low * n, bottom + low * n])
    wide = np.where(CIRCLE[:, :1] > 0, high, low) * CIRCLE[:, 1:]
    return (top + bottom) / 2 + 0.55 * CIRCLE[:, :1] * axis + wide * n


def _melt(drawing: Drawing, polygons: list[FloatArray], *, fill: float, width: float = 1.0) -> None:
    """Draw several polygons as one shape, with its holes."""
    for i, border in enumerate(union(polygons)):
        drawing.shape(border, fill=fill if i == 0 else NO_FILL, width=width)


def _across(a: FloatArray, b: FloatArray, t: float, radius: float, bend: float) -> FloatArray:
    """A seam across a limb at share t of its length."""
    u = unit(b - a)
    n = radius * np.array([-u[1], u[0]])
    middle = a + t * (b - a)
    return bow(middle - n, middle + n, bend)


# --------------------------------------------------------------------------------------------------
# Ways of drawing


def _solid(drawing: Drawing, body: Body, look: _Look) -> None:
    """Sausage people, exercise art, signs: limbs with an outline, nearer ones over farther ones."""
    rng, p, r = body.rng, body.p, body.r
    clothes = look.clothes
    trunk = Trunk(body)
    depth_of_trunk = body.depth([HIPS, SPINE1, SPINE2, NECK])
    parts: list[tuple[float, str, str]] = [(depth_of_trunk, "trunk", "")]
    slack = 0.03 * HEIGHT
    for side in SIDES:
        arm = body.depth(ARM[side][1:]) * 0.6 + 0.4 * float(body.q[ARM[side][2], 2])
        leg = body.depth(LEG[side][:3])
        # Near the trunk's own depth nothing tells front from behind: limbs belong before the trunk.
        parts.append((arm - slack, "arm", side))
        parts.append((leg + (0.3 * slack if look.shirt_over else -slack), "leg", side))
    # A head that tips away from the viewer goes behind the chest, any other one before it.
    head_nearer = -0.4 * body.head_axes[2] if body.chest[1, 2] < 0.3 else 0.5 * body.head_axes[2]
    parts.append((body.depth([HEAD, TOP]) + head_nearer, "head", ""))
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
                    limb_outline(
                        p[NECK], p[HEAD] + 0.2 * (p[TOP] - p[HEAD]), r["neck"], r["neck"] * 0.9
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
            draw_head(drawing, body, look.features)
    if look.loose_lines:
        a, b = p[NECK], p[HIPS]
        drawing.line(bow(a, b, rng.uniform(-0.1, 0.1)), ink=0.4, width=0.6)


@dataclass(frozen=True)
class _Look:
    """Decisions that hold for a whole solid figure."""

    features: Features
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
    bend = unit(points[1] - points[0]) @ unit(points[2] - points[1])
    if noodle and bend > 0.1:
        tube = _tube(points, radii)
        (drawing.open_shape if open_root else drawing.shape)(tube, fill=fills[0])
        return
    first = limb_outline(points[0], points[1], radii[0], radii[1], bulge * radii[0])
    second = limb_outline(points[1], points[2], radii[1], radii[2], bulge * radii[1])
    second = np.concatenate([second, limb_outline(points[1], points[0], radii[1], radii[1])[6:9]])
    if open_root:
        drawing.open_shape(first, fill=fills[0])
    else:
        root = limb_outline(points[1], points[0], radii[0], radii[0])[6:9]
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
    drawing: Drawing,
    a: FloatArray,
    b: FloatArray,
    radii: tuple[float, float],
    count: int,
    rng: np.random.Generator,
) -> None:
    """Short strokes along a limb, as muscles and folds are drawn."""
    ra, rb = radii
    u = unit(b - a)
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
        drawing.line(bow(root, tip, bend), width=rng.uniform(0.4, 0.9))


def _arm(drawing: Drawing, body: Body, side: str, look: _Look) -> None:
    rng, p, r, c = body.rng, body.p, body.r, look.clothes
    _, shoulder, elbow, wrist = ARM[side]
    along = p[wrist] - p[elbow]
    if np.linalg.norm(along) < 1e-6:
        along = np.array([0.0, 1.0])
    turn = rng.normal(0, 0.35)
    direction = unit(about_axis(2, turn)[:2, :2] @ along)
    sleeved = c.sleeve > 0
    more = _hand(drawing, p[wrist], direction, r["wrist"], look.hand, rng)
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
        _limb_marks(drawing, p[shoulder], p[elbow], (r["shoulder"], r["elbow"]), look.marks, rng)
        _limb_marks(drawing, p[elbow], p[wrist], (r["elbow"], r["wrist"]), look.marks - 1, rng)
    if 0 < c.sleeve < 0.5:
        drawing.line(_across(p[shoulder], p[elbow], 2 * c.sleeve, r["shoulder"] * 1.05, 0.12))
    elif c.sleeve >= 0.5:
        drawing.line(_across(p[elbow], p[wrist], 0.93, r["wrist"] * 1.2, 0.12))


def _leg(drawing: Drawing, body: Body, side: str, look: _Look) -> None:
    rng, p, r, c = body.rng, body.p, body.r, look.clothes
    hip, knee, ankle, toe = LEG[side]
    shin = unit(p[ankle] - p[knee] + 1e-9)
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
        _limb_marks(drawing, p[hip], p[knee], (r["thigh"], r["knee"]), look.marks, rng)
        _limb_marks(drawing, p[knee], p[ankle], (r["knee"], r["ankle"]), look.marks, rng)
        u = unit(p[ankle] - p[hip] + 1e-9)
        drawing.line(
            bow(p[knee] - 0.5 * r["knee"] * u, p[knee] + 0.6 * r["knee"] * u, 0.35), width=0.8
        )
    if 0 < c.leg < 0.5:
        drawing.line(_across(p[hip], p[knee], 2 * c.leg, r["thigh"] * (1.1 - 0.5 * c.leg), 0.1))
    elif c.leg >= 0.5:
        drawing.line(_across(p[knee], p[ankle], 0.94, r["ankle"] * 1.25, 0.1))


def _skirt(drawing: Drawing, body: Body, trunk: Trunk, clothes: _Clothes) -> None:
    rng, p = body.rng, body.p
    waist = trunk.places(np.full(3, 1.6), np.array([-1.0, 0.0, 1.0]), 1.0)
    hem = []
    for side in SIDES:
        hip, knee, ankle, _ = LEG[side]
        share = clothes.skirt * 2
        at = p[hip] + min(share, 1) * (p[knee] - p[hip]) + max(share - 1, 0) * (p[ankle] - p[knee])
        hem.append(at + body.r["thigh"] * rng.uniform(1.2, 2.4) * CIRCLE)
    drawing.shape(hull(np.concatenate([waist, *hem])), fill=max(clothes.shirt, clothes.trousers))
    top = (waist[0] + waist[2]) / 2
    for _ in range(int(rng.integers(0, 6))):
        foot = hem[int(rng.integers(2))][int(rng.integers(16))]
        drawing.line(bow(top + 0.3 * (foot - top), foot, rng.uniform(-0.08, 0.08)), width=0.8)


def _trunk_marks(drawing: Drawing, body: Body, trunk: Trunk, look: _Look) -> None:
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
                    drawing.shape(centre + 1.5 * CIRCLE[::2], width=0.6, fill=1.0)
    elif trunk.front < 0 and chance < 0.3:
        trunk.line(drawing, 1.2 + 3.3 * t, np.zeros(7))


def _mannequin(drawing: Drawing, body: Body) -> None:
    """Ellipses, boxes and construction lines, as figure-drawing books teach."""
    rng, p, r = body.rng, body.p, body.r
    see_through = rng.random() < 0.5
    fill = NO_FILL if see_through else 0.0
    balls = rng.random() < 0.5
    limbs = str(rng.choice(["ellipse", "capsule", "box"]))
    trunk = Trunk(body)
    parts = [(body.depth([HIPS, NECK]), "trunk", "")]
    for side in SIDES:
        parts += [
            (body.depth(ARM[side][1:]) - 3, "arm", side),
            (body.depth(LEG[side]) - 3, "leg", side),
        ]
    parts.append((body.depth([HEAD, TOP]) - 5, "head", ""))
    parts.sort(key=lambda part: -part[0])

    def segment(a: int, b: int, ra: float, rb: float) -> None:
        along = p[b] - p[a]
        n = np.array([-along[1], along[0]]) / (np.linalg.norm(along) + 1e-9)
        if limbs == "ellipse":
            wide = 1.1 * (ra + rb) / 2
            drawing.shape(
                (p[a] + p[b]) / 2 + CIRCLE[:, :1] * along * 0.52 + wide * CIRCLE[:, 1:] * n,
                fill=fill,
            )
        elif limbs == "capsule":
            drawing.shape(limb_outline(p[a], p[b], ra, rb), fill=fill)
        else:
            a0, b0 = p[a] + 0.08 * along, p[b] - 0.08 * along
            drawing.shape(np.stack([a0 - ra * n, b0 - rb * n, b0 + rb * n, a0 + ra * n]), fill=fill)

    for _, kind, side in parts:
        drawing.new_layer()
        if kind == "trunk":
            polygons = trunk.outline()
            drawing.shape(polygons[0], fill=fill)
            if rng.random() < 0.5:
                drawing.shape(hull(np.concatenate(polygons[2:4])), fill=fill)
                drawing.line(p[[NECK, SPINE2, SPINE1, SPINE, HIPS]], width=0.7)
            else:
                _melt(drawing, polygons, fill=max(fill, 0.0))
            t = np.linspace(0, 1, 7)
            trunk.line(drawing, 0.8 + 3.9 * t, np.zeros(7))
            trunk.line(drawing, np.full(7, 3.1), 1.8 * t - 0.9)
            drawing.line(p[[NECK, HEAD]], width=1.0)
        elif kind == "arm":
            _, shoulder, elbow, wrist = ARM[side]
            segment(shoulder, elbow, r["shoulder"], r["elbow"])
            segment(elbow, wrist, r["elbow"], r["wrist"])
            direction = unit(p[wrist] - p[elbow] + 1e-9)
            for polygon in _hand(drawing, p[wrist], direction, r["wrist"], "mitten", rng):
                drawing.shape(polygon, fill=fill)
        elif kind == "leg":
            hip, knee, ankle, toe = LEG[side]
            segment(hip, knee, r["thigh"], r["knee"])
            segment(knee, ankle, r["knee"], r["ankle"])
            shin = unit(p[ankle] - p[knee] + 1e-9)
            drawing.shape(_foot(p[ankle], p[toe], shin, r["ankle"], 1.0), fill=fill)
        else:
            face = "cross" if rng.random() < 0.8 else "none"
            draw_head(drawing, body, Features(face, "none", "none"))
        if balls and side:
            for row in (ARM if kind == "arm" else LEG)[side][:-1]:
                if row != ARM[side][0]:  # the collarbone
                    drawing.shape(p[row] + 0.6 * r["elbow"] * CIRCLE, fill=fill, width=0.8)


def _stick(drawing: Drawing, body: Body) -> FloatArray:
    """Lines for limbs. Returns the keypoints: arms and legs may start on the spine."""
    rng = body.rng
    p = body.p.copy()
    trunk = str(
        rng.choice(
            ["line", "oval", "box", "triangle", "dress", "lines"],
            p=[0.42, 0.14, 0.12, 0.1, 0.1, 0.12],
        )
    )
    spine = p[HIPS] - p[NECK]
    if trunk == "line":
        # One line is neck, chest and belly: arms leave it at one point, legs at its end.
        root = p[NECK] + rng.uniform(0.0, 0.35) * spine
        for side in SIDES:
            chain = ARM[side]
            p[chain[2:]] += rng.uniform(0.5, 1.0) * (root - p[chain[1]])
            p[chain[:2]] = root
            chain = LEG[side]
            p[chain[1:]] += rng.uniform(0.5, 1.0) * (p[HIPS] - p[chain[0]])
            p[chain[0]] = p[HIPS]
        if rng.random() < 0.5:
            for share, row in zip((0.75, 0.5, 0.25), (SPINE, SPINE1, SPINE2), strict=True):
                p[row] = p[NECK] + share * spine
    curved = rng.random() < 0.25
    bends = rng.uniform(-0.12, 0.12, 4) if curved else np.zeros(4)
    n = np.array([-spine[1], spine[0]]) / (np.linalg.norm(spine) + 1e-9)
    shoulders = np.stack([p[ARM[s][1]] for s in SIDES])
    hips = np.stack([p[LEG[s][0]] for s in SIDES])
    drawing.line(p[[NECK, HEAD]])
    if trunk == "line":
        drawing.line(p[[NECK, SPINE2, SPINE1, SPINE, HIPS]])
    elif trunk == "oval":
        wide = max(
            0.5 * float(np.linalg.norm(shoulders[0] - shoulders[1])),
            0.2 * float(np.linalg.norm(spine)),
        )
        middle = (p[NECK] + p[HIPS]) / 2
        drawing.shape(
            middle + 0.53 * CIRCLE[:, :1] * spine + wide * rng.uniform(0.8, 1.2) * CIRCLE[:, 1:] * n
        )
    elif trunk in ("box", "dress", "triangle"):
        flare = {"box": 1.0, "dress": rng.uniform(1.5, 3.0), "triangle": 0.15}[trunk]
        top = shoulders
        if np.linalg.norm(top[0] - top[1]) < 0.08 * HEIGHT:  # a profile has a depth, too
            side_sign = 1.0 if (top[0] - top[1]) @ n >= 0 else -1.0
            top = p[NECK] + 0.06 * HEIGHT * side_sign * np.stack([n, -n])
        bottom = (
            p[HIPS]
            + (rng.uniform(0.2, 0.7) * spine if trunk == "dress" else 0)
            + flare * (top - top.mean(axis=0))
        )
        drawing.shape(np.stack([top[0], top[1], bottom[1], bottom[0]]))
        if trunk != "dress":
            drawing.line(np.stack([hips[0], hips[1]]))
    else:
        drawing.line(np.stack([shoulders[0], shoulders[1]]))
        drawing.line(p[[NECK, SPINE2, SPINE1, SPINE, HIPS]])
        drawing.line(np.stack([hips[0], hips[1]]))
    hand = str(rng.choice(["none", "ball", "lines", "mitten"], p=[0.45, 0.2, 0.2, 0.15]))
    foot = str(rng.choice(["line", "oval", "none"], p=[0.55, 0.25, 0.2]))
    size = 0.02 * HEIGHT * rng.uniform(0.7, 1.6)
    for i, side in enumerate(SIDES):
        chain = ARM[side][1:]
        drawing.line(_through(p[chain], bends[i]))
        direction = unit(p[chain[2]] - p[chain[1]] + 1e-9)
        if hand == "ball":
            drawing.shape(p[chain[2]] + size * CIRCLE, fill=float(rng.random() < 0.3))
        elif hand != "none":
            for polygon in _hand(drawing, p[chain[2]], direction, size * 0.8, hand, rng):
                drawing.shape(polygon)
        chain = LEG[side]
        drawing.line(_through(p[chain[:3]], bends[2 + i]))
        toe = p[chain[3]]
        if foot == "line":
            drawing.line(np.stack([p[chain[2]], toe + 0.2 * (toe - p[chain[2]])]))
        elif foot == "oval":
            along = toe - p[chain[2]]
            across = 0.35 * np.array([-along[1], along[0]])
            drawing.shape(
                p[chain[2]] + 0.5 * along + 0.75 * CIRCLE[:, :1] * along + CIRCLE[:, 1:] * across
            )
    drawing.new_layer()
    features = Features.random(rng)
    draw_head(drawing, body, features)
    return p


def _through(points: FloatArray, bend: float) -> FloatArray:
    """A line through the points with each stretch bowed."""
    if bend == 0:
        return points
    pieces = [bow(a, b, bend, 5) for a, b in zip(points[:-1], points[1:], strict=True)]
    return np.concatenate(pieces)


def _random_look(kind: str, rng: np.random.Generator) -> _Look:
    if kind == "muscled":
        shorts = rng.uniform(0.3, 0.46) if rng.random() < 0.8 else 0.97
        return _Look(
            features=Features("none" if rng.random() < 0.8 else "cross", "none", "none"),
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
            features=Features("none", "none", "none", fill=clothes.skin),
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
        features=Features.random(rng),
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


def draw_figure(joints: ArrayLike, kind: str, rng: np.random.Generator) -> Figure:
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
    pose = reproportioned(np.asarray(joints, dtype=np.float64), rng, strength)
    # Where neither face nor chest is drawn, people take the figure to look at them.
    backs = kind not in ("stick", "pictogram") or rng.random() < 0.1
    turned, points = viewed(pose, rng, backs)
    if naive and rng.random() < 0.7:
        turned, points = untrained(turned, points, rng)
    girth = {
        "stick": 0.8,
        "sausage": float(np.exp(rng.normal(0, 0.3))),
        "mannequin": rng.uniform(0.8, 1.2),
        "muscled": rng.uniform(1.0, 1.5),
        "pictogram": rng.uniform(0.9, 1.6),
    }[kind]
    body = Body(turned, points, rng, girth)
    drawing = Drawing()
    if kind == "stick":
        points = _stick(drawing, body)
    elif kind == "mannequin":
        _mannequin(drawing, body)
    else:
        _solid(drawing, body, _random_look(kind, rng))
    return Figure(drawing, points)


# --------------------------------------------------------------------------------------------------
# Over given joints


def draw_exact(
    joints: ArrayLike, pixels: ArrayLike, kind: str, rng: np.random.Generator
) -> Drawing:
    """Draw a figure exactly over given joints: their projection, their proportions.

    Of several figures in a picture, append (:meth:`Drawing.append`) the nearer to the farther.

    Args:
        joints: ``[23, 3]`` camera space (x right, y down, z forward), metres.
        pixels: ``[23, 2]`` their picture, through a perspective or parallel projection.
        kind: one of :data:`EXACT_KINDS`: "stick", or "mannequin" (masses, boxes and ellipses with
            construction lines).
        rng: the only source of chance: how it is drawn, not where.

    Returns:
        The drawing, in pixels; the tag of each path is the row of the keypoint whose bone it shows.

    Raises:
        ValueError: the kind is not known.
    """
    if kind not in EXACT_KINDS:
        raise ValueError(f"no such kind of exact figure: {kind}")
    joints, pixels = np.asarray(joints, np.float64), np.asarray(pixels, np.float64)
    scales = _scales(joints, pixels)
    scale = float(scales.mean())
    bones = np.array(skeleton.BONES)
    lengths = np.linalg.norm(joints[bones[:, 0]] - joints[bones[:, 1]], axis=1)
    tall = dict(zip(bones[:, 1].tolist(), lengths, strict=True))
    rows = (SPINE, SPINE1, SPINE2, NECK, HEAD, TOP, *LEG["Left"][1:])
    # Girths belong to a body of HEIGHT pixels: draw at that size, then bring it to the picture's.
    size = HEIGHT / max(scale * sum(tall[row] for row in rows), 1e-9)
    turned = (joints - joints[HIPS]) * (scale * size)
    # The joints do not say where the head looks; mostly that is ahead.
    turn = float(rng.normal(0, 0.25))
    girth = 0.8 if kind == "stick" else rng.uniform(0.85, 1.15)
    body = Body(turned, pixels * size, rng, girth, turn)
    near = scales / scale
    body.head_axes *= near[HEAD]
    if kind == "stick":
        drawing = _sticks(body, near)
    else:
        drawing = draw_lay_figure(body, near, LayFigure.random(rng))
    return drawing.mapped(lambda points: points / size)


def _scales(joints: FloatArray, pixels: FloatArray) -> FloatArray:
    """``[23]`` pixels per metre at each joint, from the projection that fits better.

    Both are linear: pixels are ``f x / z + c`` in perspective and ``f x + c`` in parallel.
    """

    def fitted(plane: FloatArray) -> tuple[float, float]:
        """The focal length and the error left, least squares."""
        x, y = plane - plane.mean(axis=0), pixels - pixels.mean(axis=0)
        focal = float((x * y).sum()) / max(float((x * x).sum()), 1e-12)
        return focal, float(((y - focal * x) ** 2).sum())

    focal, error = fitted(joints[:, :2])
    if (joints[:, 2] > 1e-6).all():
        perspective, other = fitted(joints[:, :2] / joints[:, 2:])
        if other < error:
            return np.maximum(perspective / joints[:, 2], 1e-6)
    return np.full(len(joints), max(focal, 1e-6))


def _sticks(body: Body, near: FloatArray) -> Drawing:
    """A stick figure whose lines are the bones."""
    rng, p, drawing = body.rng, body.p, Drawing()
    trunk = str(rng.choice(["lines", "bones", "box"], p=[0.45, 0.35, 0.2]))
    bend = rng.uniform(-0.06, 0.06) if rng.random() < 0.3 else 0.0

    def line(*rows: int) -> None:
        for a, b in zip(rows[:-1], rows[1:], strict=True):
            drawing.tag = a
            drawing.line(p[[a, b]] if bend == 0 else bow(p[a], p[b], bend, 5))

    shoulders, hips = ([table[side][i] for side in SIDES] for table, i in ((ARM, 1), (LEG, 0)))
    if trunk == "box":
        drawing.tag = SPINE1
        drawing.shape(p[[*shoulders, *reversed(hips)]])
    else:
        line(NECK, SPINE2, SPINE1, SPINE, HIPS)
    line(NECK, HEAD)
    for side in SIDES:
        shoulder, hip = ARM[side][1], LEG[side][0]
        if trunk == "bones":
            line(SPINE2, *ARM[side][:2])
        elif trunk == "lines":
            line(NECK, shoulder)
        line(*ARM[side][1:])
        if trunk != "box":
            line(HIPS, hip)
        line(*LEG[side])
    hand = str(rng.choice(["none", "ball", "lines", "mitten"], p=[0.45, 0.25, 0.15, 0.15]))
    dots = rng.random() < 0.25  # joints as dots, as in notes for a pose
    for side in SIDES:
        elbow, wrist = ARM[side][2:]
        radius = 0.016 * HEIGHT * near[wrist]
        drawing.tag = wrist
        if hand == "ball":
            drawing.shape(p[wrist] + 1.2 * radius * CIRCLE)
        else:
            direction = unit(p[wrist] - p[elbow] + 1e-9)
            for polygon in _hand(drawing, p[wrist], direction, radius, hand, rng):
                drawing.shape(polygon)
        drawing.tag = LEG[side][3]
        toe = p[LEG[side][3]]
        drawing.line(np.stack([toe, toe + 0.3 * (toe - p[LEG[side][2]])]))
        for row in (*ARM[side][1:3], *LEG[side][:3]) if dots else ():
            drawing.tag = row
            drawing.shape(p[row] + 0.012 * HEIGHT * near[row] * CIRCLE, fill=1.0)
    drawing.new_layer()
    drawing.tag = HEAD
    face = str(rng.choice(["none", "dots", "eyes", "cross"], p=[0.15, 0.35, 0.25, 0.25]))
    hair = str(rng.choice(["none", "scribble", "bun", "spikes"], p=[0.7, 0.1, 0.1, 0.1]))
    draw_head(drawing, body, Features(face, hair, "none"))
    return drawing
