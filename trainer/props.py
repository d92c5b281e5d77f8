"""Things around a figure: what it sits on, lifts and holds, other people, scribbles.

Each prop is a function that adds paths to a drawing, given the stage: the figure's keypoints, its
bounds and a source of chance. Most of them look like limbs to a network that never saw them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from addon.core import skeleton
from addon.core.bodies import CIRCLE, ROW, extent
from addon.core.figures import draw_figure
from addon.core.strokes import StrokePack
from addon.core.styles import NO_FILL, Drawing

FloatArray = NDArray[np.float64]

COUNTS = (0.42, 0.33, 0.17, 0.08)
"""Probability of 0, 1, 2 and 3 props, besides those that the pose asks for."""


def add_props(
    body: Drawing, keypoints: FloatArray, pack: StrokePack, rng: np.random.Generator
) -> Drawing:
    """Put things before and behind a figure.

    Args:
        body: the figure.
        keypoints: ``[23, 2]`` pixels, its joints.
        pack: where other figures come from.
        rng: the only source of chance.

    Returns:
        A drawing of everything, in the same pixels.
    """
    outline = body.points() if len(body) else keypoints
    behind, before = Drawing(), Drawing()
    stage = _Stage(keypoints, outline, pack, rng)
    count = int(rng.choice(len(COUNTS), p=COUNTS))
    names = [str(name) for name in rng.choice(list(_PROPS), count, p=_PROP_SHARES)]
    for name in [*_fitting(stage), *names]:
        prop, front_share, _ = _PROPS[name]
        layer = before if rng.random() < front_share else behind
        layer.new_layer()
        prop(layer, stage)
    behind.append(body)
    behind.append(before)
    return behind


class _Stage:
    """What props need to know about the figure; pixels."""

    def __init__(
        self, keypoints: FloatArray, outline: FloatArray, pack: StrokePack, rng: np.random.Generator
    ) -> None:
        self.p, self.rng, self.pack = keypoints, rng, pack
        self.low, self.high = outline.min(axis=0), outline.max(axis=0)
        self.size = extent(outline)
        self.hands = np.stack([keypoints[ROW["LeftHand"]], keypoints[ROW["RightHand"]]])
        self.feet = np.stack([keypoints[ROW["LeftFoot"]], keypoints[ROW["RightFoot"]]])
        self.hips = keypoints[ROW["Hips"]]

    def hand(self) -> FloatArray:
        """A hand, or where its fist would hold something."""
        side = str(self.rng.choice(["Left", "Right"]))
        wrist, elbow = self.p[ROW[side + "Hand"]], self.p[ROW[side + "ForeArm"]]
        return wrist + 0.25 * (wrist - elbow)

    def direction(self) -> FloatArray:
        """Any direction, ``[2]`` of length 1."""
        angle = self.rng.uniform(0, 2 * np.pi)
        return np.array([np.cos(angle), np.sin(angle)])


def _fitting(stage: _Stage) -> list[str]:
    """Props that the pose asks for: a seat to sit on, a bench to lie on, a bar to lift."""
    rng, p = stage.rng, stage.p
    knees, feet = (p[[ROW["Left" + n], ROW["Right" + n]]].mean(axis=0) for n in ("Leg", "Foot"))
    neck, hips = p[ROW["Neck"]], p[ROW["Hips"]]
    names = []
    thigh, shin, trunk = knees - hips, feet - knees, neck - hips
    if abs(thigh[0]) > 1.2 * abs(thigh[1]) and shin[1] > abs(shin[0]) and -trunk[1] > abs(trunk[0]):
        names += ["seat"] if rng.random() < 0.55 else []
    if abs(trunk[0]) > 1.2 * abs(trunk[1]):
        names += ["couch"] if rng.random() < 0.3 else []
    apart = stage.hands[1] - stage.hands[0]
    if abs(apart[1]) < 0.3 * abs(apart[0]) and rng.random() < 0.15:
        names.append("barbell")
    return names


def _bar(layer: Drawing, a: FloatArray, b: FloatArray, thickness: float) -> None:
    """A rod: one line, or two with paper between."""
    along = b - a
    n = np.array([-along[1], along[0]]) / (np.linalg.norm(along) + 1e-9) * thickness
    if thickness < 0.5:
        layer.line(np.stack([a, b]))
    else:
        layer.shape(np.stack([a - n, b - n, b + n, a + n]))


def _ellipse(centre: FloatArray, along: FloatArray, across: FloatArray) -> FloatArray:
    return centre + CIRCLE[:, :1] * along + CIRCLE[:, 1:] * across


def _barbell(layer: Drawing, stage: _Stage) -> None:
    rng, size = stage.rng, stage.size
    a, b = stage.hands
    direction = b - a
    if np.linalg.norm(direction) < 0.1 * size:
        direction = np.array([1.0, rng.normal(0, 0.3)])
    direction = direction / np.linalg.norm(direction)
    middle = (a + b) / 2
    half = np.linalg.norm(b - a) / 2 + size * rng.uniform(0.1, 0.3)
    _bar(
        layer, middle - half * direction, middle + half * direction, size * rng.uniform(0.0, 0.012)
    )
    across = np.array([-direction[1], direction[0]])
    radius, flat = size * rng.uniform(0.05, 0.16), rng.uniform(0.12, 0.8)
    fill = float(rng.choice([0.0, 0.0, 0.0, 0.5, 1.0]))
    for end in (-1, 1):
        for k in range(int(rng.integers(1, 4))):
            centre = middle + end * (half - 0.03 * size * (k + 1)) * direction
            layer.shape(_ellipse(centre, flat * radius * direction, radius * across), fill=fill)


def _dumbbells(layer: Drawing, stage: _Stage) -> None:
    rng, size = stage.rng, stage.size
    direction = stage.direction()
    half, radius = size * rng.uniform(0.03, 0.07), size * rng.uniform(0.02, 0.05)
    kettle = rng.random() < 0.25
    for side in ("Left", "Right"):
        if rng.random() < 0.2:
            continue
        wrist, elbow = stage.p[ROW[side + "Hand"]], stage.p[ROW[side + "ForeArm"]]
        grip = wrist + 0.25 * (wrist - elbow)
        if kettle:
            layer.shape(grip + (0, 1.6 * radius) + 1.6 * radius * CIRCLE)
            layer.line(grip + radius * CIRCLE[8:])
            continue
        across = np.array([-direction[1], direction[0]])
        _bar(layer, grip - half * direction, grip + half * direction, 0.3 * radius)
        for end in (-1, 1):
            centre = grip + end * half * direction
            layer.shape(
                _ellipse(centre, rng.uniform(0.3, 0.9) * radius * direction, radius * across)
            )


def _seat(layer: Drawing, stage: _Stage) -> None:
    """Chair, stool, box or bench under the hips, seen from the side or a little from above."""
    rng, size = stage.rng, stage.size
    top = stage.hips[1] + size * rng.uniform(0.02, 0.08)
    floor = max(stage.feet[:, 1].max(), top + 0.15 * size) + size * rng.uniform(-0.02, 0.05)
    knees = (stage.p[ROW["LeftLeg"]] + stage.p[ROW["RightLeg"]]) / 2
    ahead = 1.0 if knees[0] >= stage.hips[0] else -1.0
    depth = size * rng.uniform(0.2, 0.4)
    back = stage.hips[0] - ahead * size * rng.uniform(0.05, 0.15)
    front = back + ahead * depth
    thick = size * rng.uniform(0.0, 0.05)
    kind = rng.choice(["chair", "chair", "lines", "box", "stool", "bench"])
    if kind == "box":
        layer.shape(np.array([[back, top], [front, top], [front, floor], [back, floor]]))
        return
    legs = [back, front]
    if kind == "bench":
        front = back + ahead * size * rng.uniform(0.4, 0.9)
        back -= ahead * size * rng.uniform(0.0, 0.5)
        legs = [back + ahead * 0.1 * size, front - ahead * 0.1 * size]
    rise = top - size * rng.uniform(0.2, 0.5)
    lean = back - ahead * size * rng.uniform(-0.02, 0.1)
    if kind == "lines":
        layer.line(np.array([[lean, rise], [back, top], [front, top], [front, floor]]))
        layer.line(np.array([[back, top], [back, floor]]))
        return
    for x in legs:
        _bar(layer, np.array([x, top]), np.array([x, floor]), 0.3 * thick)
        if rng.random() < 0.4:
            offset = size * rng.uniform(0.02, 0.08)
            _bar(
                layer,
                np.array([x + offset, top]),
                np.array([x + offset, floor - offset]),
                0.3 * thick,
            )
    layer.shape(np.array([[back, top], [front, top], [front, top + thick], [back, top + thick]]))
    if kind == "chair":
        _bar(layer, np.array([back, top]), np.array([lean, rise]), 0.5 * thick)
        if rng.random() < 0.3:
            wide = ahead * size * rng.uniform(0.05, 0.2)
            for t in np.linspace(0.2, 1, int(rng.integers(2, 5))):
                place = np.array([back, top]) + t * np.array([lean - back, rise - top])
                layer.line(np.stack([place, place + (wide, 0)]))


def _couch(layer: Drawing, stage: _Stage) -> None:
    """A bench along the trunk, as for lying on it."""
    rng, size, p = stage.rng, stage.size, stage.p
    a, b = p[ROW["Hips"]], p[ROW["Neck"]]
    along = b - a
    along = along / (np.linalg.norm(along) + 1e-9)
    n = np.array([-along[1], along[0]])
    n = n if n[1] > 0 else -n
    a = a - size * rng.uniform(0.0, 0.2) * along + size * rng.uniform(0.02, 0.07) * n
    b = b + size * rng.uniform(0.0, 0.15) * along + size * rng.uniform(0.02, 0.07) * n
    thick = size * rng.uniform(0.01, 0.05)
    for t in (0.2, 0.8):
        place = a + t * (b - a)
        floor = np.array(
            [place[0] + size * rng.uniform(-0.1, 0.1), stage.high[1] + rng.uniform(0, 0.1) * size]
        )
        _bar(layer, place, floor, 0.4 * thick)
        _bar(layer, floor - (0.08 * size, 0), floor + (0.08 * size, 0), 0.3 * thick)
    layer.shape(np.stack([a, b, b + thick * n, a + thick * n]))


def _table(layer: Drawing, stage: _Stage) -> None:
    rng, size = stage.rng, stage.size
    top = stage.hands[int(rng.integers(2)), 1] + size * rng.uniform(0.0, 0.05)
    left = stage.hips[0] + size * rng.uniform(-0.3, 0.1)
    right = left + size * rng.uniform(0.3, 0.7)
    floor = max(stage.high[1], top + 0.1 * size)
    layer.line(np.array([[left, top], [right, top]]))
    for x in (left, right):
        layer.line(np.array([[x, top], [x + size * rng.normal(0, 0.02), floor]]))


def _rod(layer: Drawing, stage: _Stage) -> None:
    """Stick, sword, cane, racket or umbrella in a hand."""
    rng, size = stage.rng, stage.size
    grip, direction = stage.hand(), stage.direction()
    length = size * rng.uniform(0.15, 0.7)
    start = grip - rng.uniform(0, 0.5) * length * direction
    end = start + length * direction
    _bar(layer, start, end, size * rng.choice([0.0, 0.004, 0.01]))
    chance = rng.random()
    across = np.array([-direction[1], direction[0]])
    if chance < 0.2:
        layer.shape(_ellipse(end, 0.08 * size * direction, 0.05 * size * across))
    elif chance < 0.35:
        layer.line(np.stack([grip - 0.03 * size * across, grip + 0.03 * size * across]))


def _cable(layer: Drawing, stage: _Stage) -> None:
    rng = stage.rng
    grip = stage.hand()
    end = grip + stage.size * rng.uniform(0.5, 1.2) * stage.direction()
    layer.line(np.stack([grip, end]))
    if rng.random() < 0.5:
        layer.line(np.stack([stage.hand(), end]))


def _ball(layer: Drawing, stage: _Stage) -> None:
    rng, size = stage.rng, stage.size
    if rng.random() < 0.4:
        radius = size * rng.uniform(0.12, 0.22)
        centre = stage.hips + (rng.normal(0, 0.1) * size, 0.6 * radius)
    else:
        radius = size * rng.uniform(0.02, 0.1)
        centre = stage.hand() if rng.random() < 0.5 else stage.hips + stage.direction() * size * 0.6
    layer.shape(centre + radius * CIRCLE)


def _wheel(layer: Drawing, stage: _Stage) -> None:
    rng, size = stage.rng, stage.size
    radius = size * rng.uniform(0.1, 0.25)
    centre = np.array([stage.hips[0] + size * rng.normal(0, 0.25), stage.high[1] - 0.8 * radius])
    layer.shape(centre + radius * CIRCLE, fill=NO_FILL)
    for spoke in CIRCLE[:: int(rng.integers(2, 5))]:
        layer.line(np.stack([centre, centre + radius * spoke]), width=0.8)


def _ground(layer: Drawing, stage: _Stage) -> None:
    rng, size = stage.rng, stage.size
    y = stage.high[1] + size * rng.uniform(-0.04, 0.03)
    x = np.linspace(
        stage.low[0] - size * rng.uniform(0, 0.5), stage.high[0] + size * rng.uniform(0, 0.5), 12
    )
    wave = size * rng.choice([0.0, 0.01, 0.02]) * np.sin(np.linspace(0, rng.uniform(5, 20), 12))
    layer.line(np.stack([x, y + wave], axis=1))
    if rng.random() < 0.35:
        for start in rng.uniform(x[0], x[-1], int(rng.integers(4, 14))):
            length = size * rng.uniform(0.03, 0.12)
            layer.line(
                np.array([[start, y + 2], [start + length, y + 2 + rng.uniform(0, 0.6) * length]])
            )


def _wall(layer: Drawing, stage: _Stage) -> None:
    """Uprights of a rack, a door or a wall beside or across the figure."""
    rng, size = stage.rng, stage.size
    tops = np.array([stage.low[1] - 0.1 * size, stage.high[1] + 0.02 * size])
    for _ in range(int(rng.integers(1, 4))):
        x = rng.uniform(stage.low[0] - 0.2 * size, stage.high[0] + 0.2 * size)
        _bar(
            layer,
            np.array([x, tops[0]]),
            np.array([x, tops[1]]),
            size * rng.choice([0.0, 0.008, 0.02]),
        )
    if rng.random() < 0.3:
        y = rng.uniform(*tops)
        layer.line(np.array([[stage.low[0] - 0.2 * size, y], [stage.high[0] + 0.2 * size, y]]))


def _arrow(layer: Drawing, stage: _Stage) -> None:
    rng, size = stage.rng, stage.size
    side = stage.low[0] - 0.08 * size if rng.random() < 0.5 else stage.high[0] + 0.08 * size
    middle = np.array([side, rng.uniform(stage.low[1], stage.high[1])])
    direction, length = stage.direction(), size * rng.uniform(0.06, 0.16)
    t = np.linspace(-1, 1, 8)[:, None]
    across = np.array([-direction[1], direction[0]])
    curve = middle + t * length * direction + rng.uniform(-0.6, 0.6) * length * t**2 * across
    layer.line(curve)
    heading = curve[-1] - curve[-2]
    heading = heading / (np.linalg.norm(heading) + 1e-9)
    for turn in (-1, 1):
        barb = -heading + turn * 0.8 * np.array([-heading[1], heading[0]])
        layer.line(np.stack([curve[-1], curve[-1] + 0.25 * length * barb]))


def _writing(layer: Drawing, stage: _Stage) -> None:
    """Scribbles like a signature or a speech, beside the figure."""
    rng, size = stage.rng, stage.size
    x = rng.uniform(stage.low[0] - 0.2 * size, stage.high[0])
    y = stage.low[1] - 0.05 * size if rng.random() < 0.5 else stage.high[1] + 0.06 * size
    for _ in range(int(rng.integers(1, 4))):
        count = int(rng.integers(8, 30))
        steps = np.cumsum(rng.uniform(0.2, 1, count)) * 0.012 * size
        heights = rng.normal(0, 0.012 * size, count)
        layer.line(np.stack([x + steps, y + heights], axis=1), width=0.7)
        y += 0.05 * size


def _furniture(layer: Drawing, stage: _Stage) -> None:
    """Anything of straight lines, anywhere near the figure."""
    rng, size = stage.rng, stage.size
    corner = stage.low + rng.uniform(-0.2, 0.9, 2) * (stage.high - stage.low)
    sides = size * rng.uniform(0.1, 0.5, 2)
    lean = size * rng.normal(0, 0.04, (4, 2))
    box = corner + lean + np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * sides
    layer.shape(box, fill=NO_FILL if rng.random() < 0.6 else 0.0)
    if rng.random() < 0.5:
        shift = size * rng.uniform(0.03, 0.1) * np.array([1, -1])
        for place in box[:3]:
            layer.line(np.stack([place, place + shift]))
        layer.line(box[:3] + shift)


def _companion(layer: Drawing, stage: _Stage) -> None:
    """Another figure, smaller or half out of the picture."""
    rng, size = stage.rng, stage.size
    other = stage.pack[int(rng.integers(len(stage.pack)))]
    if rng.random() < 0.6 and other.strokes:
        figure = Drawing()
        figure.body(other.strokes)
        figure.body_layer = -1  # one silhouette in a drawing: the main figure's
    else:
        figure = draw_figure(other.joints, str(rng.choice(["stick", "sausage"])), rng).drawing
    points = figure.points()
    low, length = points.min(axis=0), extent(points)
    scale = size * (rng.uniform(0.3, 0.6) if rng.random() < 0.6 else rng.uniform(0.8, 1.1)) / length
    width = float(np.ptp(points[:, 0])) * scale
    left = rng.random() < 0.5
    x = (
        stage.low[0] - width * rng.uniform(0.6, 1.1)
        if left
        else stage.high[0] - width * rng.uniform(-0.1, 0.4)
    )
    y = stage.high[1] - float(np.ptp(points[:, 1])) * scale + size * rng.normal(0, 0.05)
    layer.append(figure.mapped(lambda q: (q - low) * scale + (x, y)))


def _eraser(layer: Drawing, stage: _Stage) -> None:
    """Something white in front: a sign, a cloth, a worn place of the paper."""
    rng, size = stage.rng, stage.size
    centre = stage.p[int(rng.integers(skeleton.COUNT))] + rng.normal(0, 0.05, 2) * size
    radii = size * rng.uniform(0.03, 0.1, 2)
    layer.shape(centre + radii * CIRCLE, width=float(rng.random() < 0.6))


_PROPS: dict[str, tuple[Callable[[Drawing, _Stage], None], float, float]] = {
    # The prop, how often it is in front of the figure, and how often it is chosen (a weight).
    "barbell": (_barbell, 0.6, 1.2),
    "dumbbells": (_dumbbells, 0.7, 1.2),
    "seat": (_seat, 0.35, 2.4),
    "couch": (_couch, 0.25, 0.7),
    "table": (_table, 0.6, 0.7),
    "rod": (_rod, 0.6, 1.0),
    "cable": (_cable, 0.5, 0.5),
    "ball": (_ball, 0.5, 0.7),
    "wheel": (_wheel, 0.4, 0.25),
    "ground": (_ground, 0.0, 1.0),
    "wall": (_wall, 0.15, 0.8),
    "arrow": (_arrow, 1.0, 0.5),
    "writing": (_writing, 1.0, 0.4),
    "furniture": (_furniture, 0.3, 0.8),
    "companion": (_companion, 0.1, 0.7),
    "eraser": (_eraser, 1.0, 0.3),
}
_WEIGHTS = np.array([weight for _, _, weight in _PROPS.values()])
_PROP_SHARES = _WEIGHTS / _WEIGHTS.sum()
