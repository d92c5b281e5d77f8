"""Training samples: a pose from a stroke pack, drawn afresh every time.

A sample is either the record's own strokes (a rendered character) in a random style, or a figure
that is drawn from the record's skeleton alone. Props, a crooked crop and a random paper come on
top. The returned keypoints have gone through every geometric step together with the lines.
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
from addon.core.bodies import CIRCLE, ROW, extent, hull
from addon.core.figures import KINDS, draw_figure
from addon.core.image import MARGIN, Affine
from addon.core.strokes import StrokePack, View
from addon.core.styles import Drawing, StrokeStyle, draw
from trainer.poses import random_pose
from trainer.props import add_props

FloatArray = NDArray[np.float64]

FIGURE_SHARE = 0.5
"""Share of the samples that are drawn from the skeleton alone."""

GROTESQUE_FIGURE_SHARE = 0.75
"""The same for robots and animals, whose own outline is no person's; their poses are as good."""

INVENTED_SHARE = 0.4
"""Share of those whose pose is invented (sitting, lying, exercises) instead of the record's."""

KIND_WEIGHTS = {
    "stick": 0.14,
    "sausage": 0.39,
    "mannequin": 0.09,
    "muscled": 0.28,
    "pictogram": 0.10,
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
INK_BOX_SHARE = 0.15
"""How often a figure is mirrored, turned by any angle instead of a small one, warped (records
only), stretched, toned (records only), cut by a border, or boxed together with its props."""

_FLIP = list(skeleton.FLIP)


@dataclass(frozen=True)
class Sample:
    """A training sample.

    Attributes:
        image: ``[S, S]`` uint8 grey, dark ink on light paper, cropped as ``image.crop`` does.
        keypoints: ``[23, 2]`` float32 pixels of the image.
        valid: ``[23]`` bool, whether the keypoint lies in the picture (drawn or hidden).
    """

    image: NDArray[np.uint8]
    keypoints: NDArray[np.float32]
    valid: NDArray[np.bool_]


def sample(
    pack: StrokePack, index: int, rng: np.random.Generator, size: int = 256, plain: bool = False
) -> Sample:
    """Draw one view of a pack in a random way.

    Args:
        pack: stroke records.
        index: the view.
        rng: the only source of chance: the same state gives the same sample.
        size: side of the picture, pixels.
        plain: the record's own lines in one even pen on white paper, as a renderer draws them;
            only flip, turn, stretch and crop are left to chance.
    """
    if plain:
        scene = _plain_scene(pack, index)
    else:
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
    trunk = np.linalg.norm(joints[ROW["Neck"]] - joints[ROW["Hips"]]) + 1e-6
    head = np.linalg.norm(joints[ROW["HeadTop_End"]] - joints[ROW["Head"]])
    leg = np.linalg.norm(joints[ROW["LeftFoot"]] - joints[ROW["LeftLeg"]])
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


def _plain_scene(pack: StrokePack, index: int) -> _Scene:
    view = pack[index]
    drawing, own = Drawing(), Drawing()
    drawing.body(view.strokes)
    own.body(view.strokes_of(view.figure))
    keypoints = view.keypoints.astype(np.float64)
    outline = _outline(own, keypoints, view)
    present = np.ones(skeleton.COUNT, dtype=bool)
    return _Scene(drawing, keypoints, outline, StrokeStyle(), present)


def _record_scene(pack: StrokePack, index: int, rng: np.random.Generator) -> _Scene:
    view = pack[index]
    keypoints = view.keypoints.astype(np.float64)
    body, own = Drawing(), Drawing()
    body.body(view.strokes)
    own.body(view.strokes_of(view.figure))
    if rng.random() < WARP_SHARE:
        step = 0.02 * extent(keypoints)
        body, own = body.resampled(step), own.resampled(step)
        warp = limb_warp(keypoints, own.points() if len(own) else keypoints, rng)
        body, own, keypoints = body.mapped(warp), own.mapped(warp), warp(keypoints)
    if rng.random() < TONE_SHARE:
        _dress(body, keypoints, rng)
    style = StrokeStyle.random(rng)
    # Characters have details that a very fat line would clot.
    style = replace(style, width=min(style.width, 4.0))
    outline = _outline(own, keypoints, view)
    return _staged(body, keypoints, outline, style, pack, rng)


def _outline(own: Drawing, keypoints: FloatArray, view: View) -> FloatArray:
    """How far a figure goes: what another one hides of it leaves joints, but no strokes."""
    return np.concatenate([own.points(), keypoints[view.visibility > 0]])


def _staged(
    body: Drawing,
    keypoints: FloatArray,
    outline: FloatArray,
    style: StrokeStyle,
    pack: StrokePack,
    rng: np.random.Generator,
) -> _Scene:
    """The figure among props, and what of it a box would be drawn around."""
    drawing = add_props(body, keypoints, pack, rng)
    if rng.random() < INK_BOX_SHARE and len(drawing):
        # A box found by its ink holds the props, as far as they do not drown the figure.
        slack = 0.3 * extent(outline)
        outline = np.clip(
            drawing.points(), outline.min(axis=0) - slack, outline.max(axis=0) + slack
        )
    present = np.ones(skeleton.COUNT, dtype=bool)
    return _Scene(drawing, keypoints.copy(), outline.copy(), style, present)


def _figure_scene(pack: StrokePack, index: int, rng: np.random.Generator) -> _Scene:
    joints = random_pose(rng) if rng.random() < INVENTED_SHARE else pack.joints[index]
    kind = str(rng.choice(KINDS, p=[KIND_WEIGHTS[kind] for kind in KINDS]))
    figure = draw_figure(joints, kind, rng)
    style = StrokeStyle.random(rng, str(rng.choice(KIND_PRESETS[kind])))
    outline = figure.drawing.points() if len(figure.drawing) else figure.keypoints
    return _staged(figure.drawing, figure.keypoints, outline, style, pack, rng)


# --------------------------------------------------------------------------------------------------
# Geometry


def limb_warp(
    keypoints: FloatArray, points: FloatArray, rng: np.random.Generator
) -> Callable[[FloatArray], FloatArray]:
    """A smooth map of the plane that gives the figure other proportions.

    Bones get new lengths and small turns; between them the plane follows by inverse distance
    weights (Shepard, 1968), sampled on a coarse grid, so that nothing tears and keypoints and lines
    move alike.

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
        left, right = ROW["Left" + name], ROW["Right" + name]
        scale[right] = scale[left] * np.exp(rng.normal(0, 0.04))
    scale[ROW["HeadTop_End"]] *= np.exp(np.clip(rng.normal(0.1, 0.25), -0.2, 0.5))
    moved = keypoints.copy()
    for parent, child in skeleton.BONES:
        c, s = np.cos(turn[child]), np.sin(turn[child])
        bone = scale[child] * (keypoints[child] - keypoints[parent])
        moved[child] = moved[parent] + (c * bone[0] - s * bone[1], s * bone[0] + c * bone[1])
    bones = np.array(skeleton.BONES)
    share = np.array([0.33, 0.67])[:, None, None]

    def along(places: FloatArray) -> FloatArray:
        a, b = places[bones[:, 0]], places[bones[:, 1]]
        head, top = places[ROW["Head"]], places[ROW["HeadTop_End"]]
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
    squares += (0.04 * extent(everything)) ** 2
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
    return hull(np.concatenate([a + radius * CIRCLE, b + radius * CIRCLE]))


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
    size = extent(keypoints)
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
                a, b = keypoints[ROW[start]], keypoints[ROW[end]]
                body.tone(_capsule(a, b, reach), darkness)


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
