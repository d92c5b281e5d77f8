"""Training samples: a pose from a stroke pack, drawn afresh every time.

A sample is either the record's own strokes (a rendered character) in a random style, or a figure that
is drawn from the record's skeleton alone; props, a crooked crop and a random paper come on top. The
returned keypoints have gone through every geometric step together with the lines.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from addon.core import skeleton
from addon.core.figures import KINDS, draw_figure
from addon.core.image import MARGIN, Affine
from addon.core.strokes import StrokePack
from addon.core.styles import Drawing, StrokeStyle, draw
from trainer.poses import random_pose

FloatArray = NDArray[np.float64]

FIGURE_SHARE = 0.45
"""Share of the samples that are drawn from the skeleton alone."""

GROTESQUE_FIGURE_SHARE = 0.75
"""The same for robots and animals, whose own outline is no person's; their poses are as good."""

INVENTED_SHARE = 0.4
"""Share of those whose pose is invented (sitting, lying, exercises) instead of the record's."""

KIND_WEIGHTS = {
    "stick": 0.14,
    "sausage": 0.38,
    "mannequin": 0.09,
    "muscled": 0.26,
    "pictogram": 0.13,
}
"""How often each way of drawing a figure is taken."""

KIND_PRESETS = {
    "stick": ("naive", "naive", "pen", "pencil"),
    "sausage": ("naive", "naive", "pen", "pencil", "brush", "ink"),
    "mannequin": ("pencil", "pencil", "pen"),
    "muscled": ("brush", "brush", "brush", "pen", "pencil"),
    "pictogram": ("pictogram",),
}
"""The tools that each kind of figure is drawn with (repeated names weigh more)."""

FLIP_SHARE = 0.5
ANY_ROTATION_SHARE = 0.2
WARP_SHARE = 0.5
STRETCH_SHARE = 0.5
TONE_SHARE = 0.3
CUT_SHARE = 0.15
PROP_COUNTS = (0.42, 0.33, 0.17, 0.08)
"""Probability of 0, 1, 2 and 3 props."""

_I = skeleton.INDEX
_FLIP = list(skeleton.FLIP)


@dataclass(frozen=True)
class Sample:
    """A training sample.

    Attributes:
        image: ``[S, S]`` uint8 grey, dark ink on light paper, cropped as ``image.crop`` does.
        keypoints: ``[23, 2]`` float32 pixels of the image.
        valid: ``[23]`` bool, whether the keypoint lies in the picture (drawn or hidden by the figure).
    """

    image: NDArray[np.uint8]
    keypoints: NDArray[np.float32]
    valid: NDArray[np.bool_]


def sample(pack: StrokePack, index: int, rng: np.random.Generator, size: int = 256) -> Sample:
    """Draw one view of a pack in a random way.

    Args:
        pack: stroke records.
        index: the view.
        rng: the only source of chance: the same state gives the same sample.
        size: side of the picture, pixels.
    """
    share = FIGURE_SHARE if _is_human(pack.joints[index]) else GROTESQUE_FIGURE_SHARE
    compose = _figure_scene if rng.random() < share else _record_scene
    scene = compose(pack, index, rng)
    _cut(scene, rng)
    to_picture = _placement(scene, rng, size)
    keypoints = to_picture.apply(scene.keypoints)
    if np.linalg.det(to_picture.matrix[:, :2]) < 0:
        keypoints, present = keypoints[_FLIP], scene.present[_FLIP]
    else:
        present = scene.present
    image = draw(scene.drawing.mapped(to_picture.apply), scene.style, rng, size)
    inside = ((keypoints >= 0) & (keypoints < size)).all(axis=1)
    return Sample(image, keypoints.astype(np.float32), inside & present)


def _is_human(joints: NDArray[np.float32]) -> bool:
    """Whether head and legs are as long against the trunk as a person's."""
    trunk = np.linalg.norm(joints[_I["Neck"]] - joints[_I["Hips"]]) + 1e-6
    head = np.linalg.norm(joints[_I["HeadTop_End"]] - joints[_I["Head"]])
    leg = np.linalg.norm(joints[_I["LeftFoot"]] - joints[_I["LeftLeg"]])
    return bool(head < 0.75 * trunk and leg > 0.45 * trunk)


@dataclass
class _Scene:
    """A drawing before it is cropped, in pixels of its own."""

    drawing: Drawing
    keypoints: FloatArray  # [23, 2]
    outline: (
        FloatArray  # [n, 2] points of the figure (or of figure and props): they decide the crop
    )
    style: StrokeStyle
    present: NDArray[np.bool_]  # [23] not cut off


def _record_scene(pack: StrokePack, index: int, rng: np.random.Generator) -> _Scene:
    view = pack[index]
    keypoints = view.keypoints.astype(np.float64)
    strokes = [stroke.astype(np.float64) for stroke in view.strokes]
    body = Drawing()
    body.body(strokes)
    if rng.random() < WARP_SHARE:
        body = body.resampled(0.02 * _extent(body.points()))
        warp = limb_warp(keypoints, body.points(), rng)
        body, keypoints = body.mapped(warp), warp(keypoints)
    if rng.random() < TONE_SHARE:
        _dress(body, keypoints, rng)
    style = StrokeStyle.random(rng)
    # Characters have details that a very fat line would clot.
    style = replace(style, width=min(style.width, 4.0))
    return _with_props(body, keypoints, style, pack, rng)


def _figure_scene(pack: StrokePack, index: int, rng: np.random.Generator) -> _Scene:
    joints = random_pose(rng) if rng.random() < INVENTED_SHARE else pack.joints[index]
    kind = str(rng.choice(KINDS, p=[KIND_WEIGHTS[kind] for kind in KINDS]))
    figure = draw_figure(joints, kind, rng)
    style = StrokeStyle.random(rng, str(rng.choice(KIND_PRESETS[kind])))
    return _with_props(figure.drawing, figure.keypoints, style, pack, rng)


def _extent(points: FloatArray) -> float:
    return max(float(np.ptp(points, axis=0).max()), 1e-3) if len(points) else 1.0


# --------------------------------------------------------------------------------------------------
# Geometry


def limb_warp(
    keypoints: FloatArray, points: FloatArray, rng: np.random.Generator
) -> Callable[[FloatArray], FloatArray]:
    """A smooth map of the plane that gives the figure other proportions.

    Bones get new lengths and small turns; between them the plane follows by inverse distance weights
    (Shepard, 1968), sampled on a coarse grid, so that nothing tears and keypoints and lines move alike.

    Args:
        keypoints: ``[23, 2]`` pixels.
        points: ``[P, 2]`` pixels, what has to be covered besides the keypoints.
        rng: source of chance.

    Returns:
        A function of points ``[n, 2]``.
    """
    scale = np.exp(np.clip(rng.normal(0, 0.16, skeleton.COUNT), -0.35, 0.35))
    turn = rng.normal(0, 0.1, skeleton.COUNT)
    for name in ("Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase"):
        left, right = _I["Left" + name], _I["Right" + name]
        scale[right] = scale[left] * np.exp(rng.normal(0, 0.04))
    scale[_I["HeadTop_End"]] *= np.exp(np.clip(rng.normal(0.1, 0.25), -0.2, 0.5))
    moved = keypoints.copy()
    for parent, child in skeleton.BONES:
        c, s = np.cos(turn[child]), np.sin(turn[child])
        bone = scale[child] * (keypoints[child] - keypoints[parent])
        moved[child] = moved[parent] + (c * bone[0] - s * bone[1], s * bone[0] + c * bone[1])
    bones = np.array(skeleton.BONES)
    share = np.array([0.33, 0.67])[:, None, None]

    def along(places: FloatArray) -> FloatArray:
        a, b = places[bones[:, 0]], places[bones[:, 1]]
        head, top = places[_I["Head"]], places[_I["HeadTop_End"]]
        side = 0.4 * np.array([[-1.0, 1.0]]).T * np.array([head[1] - top[1], top[0] - head[0]])
        return np.concatenate(
            [places, (a + share * (b - a)).reshape(-1, 2), (head + top) / 2 + side]
        )

    anchors, targets = along(keypoints), along(moved)
    everything = np.concatenate([points, keypoints]) if len(points) else keypoints
    low, high = everything.min(axis=0) - 1, everything.max(axis=0) + 1
    cells = 24
    step = (high - low) / (cells - 1)
    grid = (
        np.stack(np.meshgrid(np.arange(cells), np.arange(cells)), axis=-1).reshape(-1, 2) * step
        + low
    )
    squares = (grid[:, :1] - anchors[:, 0]) ** 2 + (grid[:, 1:] - anchors[:, 1]) ** 2
    squares += (0.04 * _extent(everything)) ** 2
    weight = 1 / (squares * np.sqrt(squares))
    field = (weight @ (targets - anchors)) / weight.sum(axis=1, keepdims=True)
    field = field.reshape(cells, cells, 2)

    def warp(places: FloatArray) -> FloatArray:
        where = np.clip((places - low) / step, 0, cells - 1 - 1e-9)
        index = where.astype(np.int64)
        fx, fy = (where - index).T[:, :, None]
        x, y = index.T
        top = (1 - fx) * field[y, x] + fx * field[y, x + 1]
        bottom = (1 - fx) * field[y + 1, x] + fx * field[y + 1, x + 1]
        return places + (1 - fy) * top + fy * bottom

    return warp


def _cut(scene: _Scene, rng: np.random.Generator) -> None:
    """Let the drawing end at a straight border, as pages that show a figure without its legs do."""
    if rng.random() >= CUT_SHARE:
        return
    low, high = scene.outline.min(axis=0), scene.outline.max(axis=0)
    height, width = high[1] - low[1], high[0] - low[0]
    edge = rng.choice(["bottom", "top", "left", "right"], p=[0.76, 0.08, 0.08, 0.08])
    far = 3 * (width + height)
    if edge in ("bottom", "top"):
        depth = rng.uniform(0.05, 0.45 if edge == "bottom" else 0.15) * height
        border = high[1] - depth if edge == "bottom" else low[1] + depth
        beyond = np.array([[low[0] - far, border], [high[0] + far, border]])
        outwards = np.array([0, far if edge == "bottom" else -far])
        axis = 1
    else:
        depth = rng.uniform(0.03, 0.2) * width
        border = high[0] - depth if edge == "right" else low[0] + depth
        beyond = np.array([[border, low[1] - far], [border, high[1] + far]])
        outwards = np.array([far if edge == "right" else -far, 0])
        axis = 0
    row = 1 if edge in ("bottom", "right") else 0
    sign = 1 if row else -1
    visible = sign * (scene.keypoints[:, axis] - border) <= 0
    if visible.sum() < 12:
        return
    scene.drawing.new_layer()
    scene.drawing.shape(np.concatenate([beyond, (beyond + outwards)[::-1]]), width=0.0)
    bound = np.minimum if row else np.maximum
    scene.outline[:, axis] = bound(scene.outline[:, axis], border)
    scene.present &= visible


def _placement(scene: _Scene, rng: np.random.Generator, size: int) -> Affine:
    """The map from the scene to the picture: flip, stretch, turn, and a crop as at test time."""
    flip = -1.0 if rng.random() < FLIP_SHARE else 1.0
    if rng.random() < ANY_ROTATION_SHARE:
        angle = (
            rng.uniform(-np.pi, np.pi) if rng.random() < 0.6 else rng.choice([0.5, 1, -0.5]) * np.pi
        )
    else:
        angle = np.radians(np.clip(rng.normal(0, 9), -25, 25))
    c, s = np.cos(angle), np.sin(angle)
    stretch = np.exp(rng.normal(0, 0.09)) if rng.random() < STRETCH_SHARE else 1.0
    linear = np.array([[c, -s], [s, c]]) @ np.diag([flip * stretch, 1 / stretch])
    points = scene.outline @ linear.T
    low, high = points.min(axis=0), points.max(axis=0)
    side = max(float((high - low).max()), 1e-3) * MARGIN
    # At test time the box comes from a person or from ink: it may hold a prop or miss a foot.
    side *= np.exp(np.clip(rng.normal(0.0, 0.08), -0.2, 0.3))
    centre = (low + high) / 2 + rng.normal(0, 0.025, 2) * side
    scale = size / side
    return Affine(np.column_stack([linear * scale, size / 2 - centre * scale]))


# --------------------------------------------------------------------------------------------------
# Tones on rendered characters


def _capsule(a: FloatArray, b: FloatArray, radius: float) -> FloatArray:
    """``[n, 2]`` outline of everything within ``radius`` of the segment."""
    circle = radius * _CIRCLE
    hull = cv2.convexHull(np.concatenate([a + circle, b + circle]).astype(np.float32))
    return hull[:, 0].astype(np.float64)


_T = np.linspace(0, 2 * np.pi, 16, endpoint=False)
_CIRCLE = np.stack([np.cos(_T), np.sin(_T)], axis=1)

_GARMENTS: dict[str, tuple[tuple[str, ...], float]] = {
    # Body parts (skeleton.BODY_PARTS) and the radius around their bones, as a share of the figure.
    "trousers": (("left_upper_leg", "right_upper_leg", "left_lower_leg", "right_lower_leg"), 0.06),
    "shorts": (("left_upper_leg", "right_upper_leg"), 0.07),
    "shirt": (("torso", "left_upper_arm", "right_upper_arm"), 0.075),
    "jacket": (
        ("torso", "left_upper_arm", "right_upper_arm", "left_lower_arm", "right_lower_arm"),
        0.07,
    ),
    "shoes": (("left_foot", "right_foot"), 0.035),
    "gloves": (("left_lower_arm", "right_lower_arm"), 0.03),
}


def _dress(body: Drawing, keypoints: FloatArray, rng: np.random.Generator) -> None:
    """Tones on a character that is known by its lines: clothes, hair, or one side in shadow."""
    size = _extent(keypoints)
    if rng.random() < 0.25:
        # Shadow: the silhouette less itself, moved towards the light.
        shift = rng.normal(0, 1, 2)
        shift *= 0.03 * size / (np.linalg.norm(shift) + 1e-9)
        darkness = rng.uniform(0.15, 0.6)
        for a, b in skeleton.BONES:
            body.tone(_capsule(keypoints[a] + shift, keypoints[b] + shift, 0.022 * size), darkness)
        return
    for name in rng.choice(list(_GARMENTS), int(rng.integers(1, 3)), replace=False):
        parts, radius = _GARMENTS[str(name)]
        darkness = float(rng.choice([0.15, 0.3, 0.5, 0.8, 1.0]))
        reach = radius * size * rng.uniform(0.8, 1.2)
        for part in parts:
            for start, end in skeleton.BODY_PARTS[part]:
                a, b = keypoints[_I[start]], keypoints[_I[end]]
                body.tone(_capsule(a, b, reach), darkness)


# --------------------------------------------------------------------------------------------------
# Props


def _with_props(
    body: Drawing,
    keypoints: FloatArray,
    style: StrokeStyle,
    pack: StrokePack,
    rng: np.random.Generator,
) -> _Scene:
    """Put things before and behind the figure."""
    outline = body.points()
    if not len(outline):
        outline = keypoints
    behind, before = Drawing(), Drawing()
    stage = _Stage(keypoints, outline, pack, rng)
    names = rng.choice(
        list(_PROPS), int(rng.choice(len(PROP_COUNTS), p=PROP_COUNTS)), p=_PROP_SHARES
    )
    for name in [*_fitting(stage), *(str(name) for name in names)]:
        prop, front_share, _ = _PROPS[name]
        layer = before if rng.random() < front_share else behind
        layer.new_layer()
        prop(layer, stage)
    drawing = behind
    drawing.append(body)
    drawing.append(before)
    extent = _extent(outline)
    if rng.random() < 0.15 and len(drawing.points()):
        # A box found by its ink holds the props, as far as they do not drown the figure.
        low, high = outline.min(axis=0) - 0.3 * extent, outline.max(axis=0) + 0.3 * extent
        outline = np.clip(drawing.points(), low, high)
    present = np.ones(skeleton.COUNT, dtype=bool)
    return _Scene(drawing, keypoints.copy(), outline.copy(), style, present)


def _fitting(stage: _Stage) -> list[str]:
    """Props that the pose asks for: a seat to sit on, a bench to lie on, a bar to lift."""
    rng, p = stage.rng, stage.p
    knees, feet = (p[[_I["Left" + n], _I["Right" + n]]].mean(axis=0) for n in ("Leg", "Foot"))
    neck, hips = p[_I["Neck"]], p[_I["Hips"]]
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


class _Stage:
    """What props need to know about the figure; pixels."""

    def __init__(
        self, keypoints: FloatArray, outline: FloatArray, pack: StrokePack, rng: np.random.Generator
    ) -> None:
        self.p, self.rng, self.pack = keypoints, rng, pack
        self.low, self.high = outline.min(axis=0), outline.max(axis=0)
        self.size = _extent(outline)
        self.hands = np.stack([keypoints[_I["LeftHand"]], keypoints[_I["RightHand"]]])
        self.feet = np.stack([keypoints[_I["LeftFoot"]], keypoints[_I["RightFoot"]]])
        self.hips = keypoints[_I["Hips"]]

    def hand(self) -> FloatArray:
        """A hand, or where its fist would hold something."""
        side = str(self.rng.choice(["Left", "Right"]))
        wrist, elbow = self.p[_I[side + "Hand"]], self.p[_I[side + "ForeArm"]]
        return wrist + 0.25 * (wrist - elbow)

    def direction(self) -> FloatArray:
        """Any direction, ``[2]`` of length 1."""
        angle = self.rng.uniform(0, 2 * np.pi)
        return np.array([np.cos(angle), np.sin(angle)])


def _bar(layer: Drawing, a: FloatArray, b: FloatArray, thickness: float) -> None:
    """A rod: one line, or two with paper between."""
    along = b - a
    n = np.array([-along[1], along[0]]) / (np.linalg.norm(along) + 1e-9) * thickness
    if thickness < 0.5:
        layer.line(np.stack([a, b]))
    else:
        layer.shape(np.stack([a - n, b - n, b + n, a + n]))


def _ellipse(centre: FloatArray, along: FloatArray, across: FloatArray) -> FloatArray:
    return centre + _CIRCLE[:, :1] * along + _CIRCLE[:, 1:] * across


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
        wrist, elbow = stage.p[_I[side + "Hand"]], stage.p[_I[side + "ForeArm"]]
        grip = wrist + 0.25 * (wrist - elbow)
        if kettle:
            layer.shape(grip + (0, 1.6 * radius) + 1.6 * radius * _CIRCLE)
            layer.line(grip + radius * _CIRCLE[8:])
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
    knees = (stage.p[_I["LeftLeg"]] + stage.p[_I["RightLeg"]]) / 2
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
    a, b = p[_I["Hips"]], p[_I["Neck"]]
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
    layer.shape(centre + radius * _CIRCLE)


def _wheel(layer: Drawing, stage: _Stage) -> None:
    rng, size = stage.rng, stage.size
    radius = size * rng.uniform(0.1, 0.25)
    centre = np.array([stage.hips[0] + size * rng.normal(0, 0.25), stage.high[1] - 0.8 * radius])
    layer.shape(centre + radius * _CIRCLE, fill=-1.0)
    for spoke in _CIRCLE[:: int(rng.integers(2, 5))]:
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
    layer.shape(box, fill=-1.0 if rng.random() < 0.6 else 0.0)
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
    low, extent = points.min(axis=0), _extent(points)
    scale = size * (rng.uniform(0.3, 0.6) if rng.random() < 0.6 else rng.uniform(0.8, 1.1)) / extent
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
    layer.shape(centre + radii * _CIRCLE, width=float(rng.random() < 0.6))


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


# --------------------------------------------------------------------------------------------------
# Looking and timing


def show(one: Sample) -> NDArray[np.uint8]:
    """``[S, S, 3]`` BGR: the sample with its skeleton over it, left blue and right red."""
    picture = cv2.cvtColor(one.image, cv2.COLOR_GRAY2BGR)
    for parent, child in skeleton.BONES:
        if not (one.valid[parent] and one.valid[child]):
            continue
        name = skeleton.KEYPOINTS[child]
        colour = (255, 60, 0) if name.startswith("Left") else (0, 0, 255)
        colour = colour if name != skeleton.mirror_name(name) else (0, 160, 0)
        a, b = (np.round(16 * one.keypoints[i]).astype(int).tolist() for i in (parent, child))
        cv2.line(picture, a, b, colour, 1, cv2.LINE_AA, 4)
    return picture


def main(arguments: list[str] | None = None) -> None:
    """Command line: a contact sheet of samples, or the time that one takes."""
    parser = argparse.ArgumentParser(prog="python -m trainer.augment", description=main.__doc__)
    parser.add_argument("packs", nargs="+", type=Path, help="stroke packs (.npz)")
    parser.add_argument("--sheet", type=Path, help="write a contact sheet to this PNG")
    parser.add_argument(
        "--count", type=int, default=64, help="samples on the sheet or in the timing"
    )
    parser.add_argument("--size", type=int, default=256, help="side of a sample, pixels")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plain", action="store_true", help="no skeletons on the sheet")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    try:
        pack = StrokePack.merge([StrokePack.load(path) for path in options.packs])
    except ValueError as error:
        parser.error(str(error))
    indices = np.random.default_rng(options.seed).integers(0, len(pack), options.count)
    start = time.perf_counter()
    samples = [
        sample(pack, int(index), np.random.default_rng([options.seed, number]), options.size)
        for number, index in enumerate(indices)
    ]
    took = (time.perf_counter() - start) / options.count
    print(f"{1000 * took:.2f} ms a sample of {options.size} pixels")
    if options.sheet:
        _write_sheet(samples, options.sheet, options.plain)


def _write_sheet(samples: list[Sample], path: Path, plain: bool) -> None:
    tiles = [cv2.cvtColor(s.image, cv2.COLOR_GRAY2BGR) if plain else show(s) for s in samples]
    columns = max(1, round(len(tiles) ** 0.5))
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    done, code = cv2.imencode(".png", np.vstack(rows))
    if not done:
        raise RuntimeError("OpenCV could not encode the sheet")
    path.write_bytes(code.tobytes())


if __name__ == "__main__":
    main()
