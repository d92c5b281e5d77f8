"""Heads of drawn figures: faces that look where the head is turned, hair, hats."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .bodies import CIRCLE, Body, FloatArray, bow, hull, union, unit
from .styles import Drawing


def _sphere(count: int) -> FloatArray:
    """``[count, 3]`` points spread evenly over the unit sphere (a Fibonacci spiral)."""
    y = np.linspace(1 - 1 / count, 1 / count - 1, count)
    turn = np.pi * (1 + 5**0.5) * (np.arange(count) + 0.5)
    r = np.sqrt(1 - y * y)
    return np.stack([r * np.cos(turn), y, r * np.sin(turn)], axis=1).astype(np.float64)


_SPHERE = _sphere(160)


@dataclass(frozen=True)
class Features:
    """What a head shows."""

    face: str  # "none", "dots", "eyes", "full", "cross"
    hair: str  # "none", "fill", "scribble", "long", "bun", "spikes"
    hat: str  # "none", "cap", "brim", "top", "ears" (an animal's)
    fill: float = 0.0

    @classmethod
    def random(cls, rng: np.random.Generator) -> Features:
        """A head drawn at random."""
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


def draw_head(drawing: Drawing, body: Body, look: Features) -> None:
    """Head, face, hair and hat, in a layer of their own."""
    rng = body.rng
    facing = -body.head[2, 2]  # 1: towards the viewer, 0: profile, -1: away
    if look.hair == "long" and facing > -0.2:
        _long_hair(drawing, body)
        drawing.new_layer()
    outline = body.head_outline()
    if look.face != "none" and abs(facing) < 0.6:
        big = rng.uniform(1.15, 1.4)
        nose = np.array([[0, 0.25, 0.9], [0, -0.05, big], [0, -0.25, 0.93]])
        drawing.shape(union([outline, body.on_head(nose)])[0], fill=look.fill)
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
                drawing.line(centre + radius * CIRCLE[:13], width=0.8)
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


def _face(drawing: Drawing, body: Body, kind: str) -> None:
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
            drawing.shape(eye + 0.5 * size * CIRCLE[::2], fill=1.0, width=0.5)
        else:
            drawing.shape(eye + size * CIRCLE[::2] * (1.3, 0.8), fill=0.0, width=0.6)
            drawing.shape(eye + 0.35 * size * CIRCLE[::4], fill=1.0, width=0.4)
        if kind == "full" and rng.random() < 0.6:
            brow = np.array([[side * (spread - 0.15), height + 0.25, 0.9]])
            brow_end = np.array([[side * (spread + 0.18), height + 0.25, 0.8]])
            drawing.line(
                bow(body.on_head(brow)[0], body.on_head(brow_end)[0], rng.uniform(-0.2, 0.2)),
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


def _face_cross(drawing: Drawing, body: Body) -> None:
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


def _hair_cap(body: Body, low: float) -> FloatArray:
    """``[n, 3]`` places of the unit head under the hair that the viewer can see."""
    crown = unit(np.array([0.0, 0.75, -0.65]))
    covered = _SPHERE[_SPHERE @ crown > low]
    return covered[(covered / body.head_axes) @ body.head[:, 2] < 0.15 / body.head_axes[1]]


def _hair(drawing: Drawing, body: Body, kind: str) -> None:
    rng = body.rng
    places = _hair_cap(body, rng.uniform(0.05, 0.45))
    if len(places) < 4:
        return
    points = body.on_head(places * 1.05)
    if kind in ("fill", "bun", "long"):
        drawing.shape(hull(points), fill=float(rng.choice([0.0, 0.4, 1.0], p=[0.4, 0.2, 0.4])))
        if kind == "bun":
            centre = body.on_head(np.array([[0, 0.9, -0.75]]))[0]
            drawing.shape(centre + 0.4 * body.head_axes[0] * CIRCLE, fill=0.0)
    elif kind == "scribble":
        count = int(rng.integers(6, 26))
        path = points[rng.integers(0, len(points), count)]
        if rng.random() < 0.5:
            drawing.line(path, width=0.8)
        else:
            for a, b in zip(path[::2], path[1::2], strict=False):
                drawing.line(bow(a, b, rng.uniform(-0.4, 0.4)), width=0.8)
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


def _long_hair(drawing: Drawing, body: Body) -> None:
    rng = body.rng
    length = rng.uniform(1.2, 2.4)
    places = body.on_head(_SPHERE[_SPHERE[:, 1] > -0.2] * (1.12, 1.06, 1.1))
    hem = body.on_head(np.array([[-0.95, -length, -0.5], [0.95, -length, -0.5]]))
    fill = float(rng.choice([0.0, 0.35, 1.0], p=[0.6, 0.15, 0.25]))
    drawing.shape(hull(np.concatenate([places, hem])), fill=fill)
    if fill == 0:
        root = body.on_head(np.array([[0, 0.95, -0.2]]))[0]
        for share in rng.uniform(0, 1, int(rng.integers(0, 7))):
            drawing.line(
                bow(root, hem[0] + share * (hem[1] - hem[0]), rng.uniform(-0.2, 0.2)), width=0.8
            )


def _animal_ears(drawing: Drawing, body: Body) -> None:
    rng = body.rng
    long, wide, apart = rng.uniform(0.3, 1.4), rng.uniform(0.2, 0.5), rng.uniform(0.3, 0.8)
    pointed = rng.random() < 0.5
    for side in (-1, 1):
        root = np.array([side * apart, math.sqrt(1 - apart**2), 0.0])
        out = unit(root + (0.0, 0.4, 0.0))
        if pointed:
            across = wide * np.array([root[1], -root[0], 0.0])
            places = np.stack([root - across, root + long * out, root + across])
        else:
            places = root + 0.5 * long * out * (1 + CIRCLE[:, :1])
            places = places + wide * CIRCLE[:, 1:] * np.array([root[1], -root[0], 0.0])
        drawing.shape(body.on_head(places))


def _hat(drawing: Drawing, body: Body, kind: str) -> None:
    rng = body.rng
    fill = float(rng.choice([0.0, 0.4, 1.0], p=[0.6, 0.15, 0.25]))
    ring = np.stack([CIRCLE[:, 0], np.zeros(16), CIRCLE[:, 1]], axis=1)
    base, tall, brim = {
        "cap": (0.35, 0.75, 1.02),
        "brim": (0.4, 0.7, 1.9),
        "top": (0.45, 1.4, 1.5),
    }[kind]
    crown = np.concatenate(
        [ring * (1.02, 0, 1.02) + (0, base, 0), ring * (0.85, 0, 0.85) + (0, base + tall, 0)]
    )
    drawing.shape(hull(body.on_head(crown)), fill=fill)
    if kind == "cap":
        peak = np.array(
            [[-0.6, base, 0.8], [0.6, base, 0.8], [0.5, base - 0.05, 1.7], [-0.5, base - 0.05, 1.7]]
        )
        drawing.shape(hull(body.on_head(peak)), fill=fill)
    else:
        flat = body.on_head(ring * (brim, 0, brim) + (0, base, 0))
        drawing.shape(flat, fill=fill)
