"""Measure the posing on rendered views of a rig whose true joints are known.

python scripts/evaluate_posing.py --rig Michelle.glb --views DATASET/strokes/Michelle--*.npz

Each view's 2D keypoints pose the rig; the result is held against the truth:

- re-projection: distance of the posed joints, seen by the solved camera, from the true keypoints;
- PA-MPJPE: mean distance in 3D after Procrustes alignment;
- the same of the lifter alone, and of the baseline that leaves every bone in the picture plane.

Lengths are in % of the character's standing height.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from numpy.typing import NDArray

from addon.core import lift, skeleton
from addon.core.errors import UserError
from addon.core.estimator import SHIPPED, Estimator
from addon.core.files import write_whole
from addon.core.image import Box
from addon.core.rotations import pa_mpjpe, unit
from addon.core.solve import Rig, solve
from addon.core.strokes import StrokePack, View
from addon.core.styles import Drawing, StrokeStyle, draw
from scripts._common import run

FloatArray = NDArray[np.float64]
Observe = Callable[[View, int], tuple[FloatArray, FloatArray]]
"""A view and its picture's side -> keypoints ``[23, 2]`` pixels and scores ``[23]``."""

_PARENTS, _CHILDREN = np.array(skeleton.BONES).T


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="evaluate_posing.py",
        description="Pose a rig from rendered views and measure how far it is from the truth.",
    )
    add = result.add_argument
    add("--rig", type=Path, required=True, metavar="FILE", help="the character, as rendered")
    add("--views", type=Path, nargs="+", required=True, metavar="PACK", help="its stroke packs")
    add("--count", type=int, default=200, metavar="N", help="views to take, evenly spread (200)")
    add(
        "--model",
        type=Path,
        nargs="?",
        const=SHIPPED,
        metavar="ONNX",
        help="also find the 2D keypoints with this network (or with the shipped one)",
    )
    add("--json", type=Path, metavar="FILE", help="also write the figures here")
    return result


def main(arguments: list[str]) -> None:
    """Measure and print."""
    options = parser().parse_args(arguments)
    if options.count < 1:
        raise UserError("--count must be at least 1.")
    rig = load_rig(options.rig)
    views, side = load_views(options.views, options.count)
    observations: dict[str, Observe] = {"true": true_keypoints}
    if options.model:
        observations["estimated"] = estimated_keypoints(Estimator(options.model))
    report: dict[str, object] = {"rig": options.rig.name, "views": len(views)}
    for name, observe in observations.items():
        scores = report[f"{name}_keypoints"] = evaluate(rig, views, side, observe)
        print(f"\n{name} 2D keypoints, {len(views)} views of {options.rig.name}")
        for line, value in scores.items():
            print(f"  {line.replace('_', ' '):44s} {value:7.2f}")
    if options.json:
        write_whole(options.json, (json.dumps(report, indent=2) + "\n").encode())


def load_rig(path: Path) -> Rig:
    """The rest pose of a character file, read by Blender.

    Raises:
        UserError: the file cannot be read or is no humanoid rig.
    """
    import bpy

    from addon.blender.armature import rig_from_armature
    from addon.blender.characters import import_character

    bpy.ops.wm.read_factory_settings(use_empty=True)
    character = import_character(path)
    bpy.context.view_layer.update()
    return rig_from_armature(character.armature)


def load_views(paths: Sequence[Path], count: int) -> tuple[list[View], int]:
    """``count`` views spread evenly over stroke packs, and the side of their pictures, pixels.

    Raises:
        UserError: a file is no stroke pack, or packs differ in size.
    """
    try:
        pack = StrokePack.merge([StrokePack.load(path) for path in sorted(paths)])
    except ValueError as error:
        raise UserError(f"The views cannot be read: {error}.") from error
    if not len(pack):
        raise UserError("The stroke packs hold no views; render some first.")
    rows = np.unique(np.linspace(0, len(pack) - 1, count).round().astype(int))
    return [pack[row] for row in rows], pack.size


def true_keypoints(view: View, side: int) -> tuple[FloatArray, FloatArray]:
    """The keypoints that the renderer projected."""
    return view.keypoints.astype(np.float64), np.ones(skeleton.COUNT)


def estimated_keypoints(estimator: Estimator) -> Observe:
    """Draw the view in plain ink and let the network find the keypoints in the true box."""

    def observe(view: View, side: int) -> tuple[FloatArray, FloatArray]:
        drawing = Drawing()
        drawing.body(view.strokes)
        picture = draw(drawing, StrokeStyle(), np.random.default_rng(0), side)
        ink = np.concatenate([*view.strokes, view.keypoints])
        low, high = ink.min(axis=0), ink.max(axis=0)
        estimate = estimator.estimate(picture, Box(*low, *(high - low)))
        return estimate.keypoints.astype(np.float64), estimate.scores.astype(np.float64)

    return observe


def evaluate(rig: Rig, views: Sequence[View], side: int, observe: Observe) -> dict[str, float]:
    """Pose the rig from every view.

    Args:
        rig: the character of the views.
        views: what is drawn, with the truth.
        side: of the pictures, pixels.
        observe: where the 2D keypoints come from.

    Returns:
        Medians over all joints (re-projection) or bones (angles), means over views (PA-MPJPE).
    """
    lengths = np.linalg.norm(rig.joints[_CHILDREN] - rig.joints[_PARENTS], axis=1)
    reprojection, angles, milliseconds = [], [], []
    errors: dict[str, list[float]] = {"solved": [], "lifter_alone": [], "in_plane": []}
    for view in views:
        keypoints, scores = observe(view, side)
        started = time.perf_counter()
        lifted = lift.lift(keypoints, scores)
        solution = solve(rig, keypoints, scores, lifted, size=(side, side))
        milliseconds.append(1000 * (time.perf_counter() - started))

        truth = view.joints.astype(np.float64)
        bones = truth[_CHILDREN] - truth[_PARENTS]
        # The renderer may have scaled the character; its bones tell how much.
        height = rig.height * np.linalg.norm(bones, axis=1).sum() / lengths.sum()
        pixels = _pixels_per_metre(view) * height
        misses = np.linalg.norm(solution.projected - view.keypoints, axis=1)
        reprojection.append(100 * misses / pixels)
        for name, joints in (
            ("solved", solution.joints),
            ("lifter_alone", lift.place_bones(lifted.directions, lengths)),
            ("in_plane", lift.place_bones(lift.in_plane(keypoints), lengths)),
        ):
            errors[name].append(100 * pa_mpjpe(joints, truth) / height)
        posed = solution.camera.to_camera(solution.joints)
        cosines = (unit(posed[_CHILDREN] - posed[_PARENTS]) * unit(bones)).sum(axis=1)
        angles.append(np.degrees(np.arccos(cosines.clip(-1, 1))))
    return {
        "reprojection_median_percent": float(np.median(reprojection)),
        "reprojection_mean_percent": float(np.mean(reprojection)),
        **{f"pa_mpjpe_{name}_percent": float(np.mean(values)) for name, values in errors.items()},
        "bone_angle_median_degrees": float(np.median(angles)),
        "lift_and_solve_median_milliseconds": float(np.median(milliseconds)),
    }


def _pixels_per_metre(view: View) -> float:
    """Size of the figure's picture at the figure's depth."""
    joints = view.joints.astype(np.float64)
    flat = joints[:, :2] - joints[:, :2].mean(axis=0)
    drawn = view.keypoints - view.keypoints.mean(axis=0)
    return float((flat * drawn).sum() / (flat**2).sum())


if __name__ == "__main__":
    run(main)
