"""Measure lifting and posing: python scripts/benchmark_pose.py [--json FILE].

- lifter: held-out motion capture on bodies of all proportions, seen by random cameras: the lifter
  with true 2D keypoints and with an estimator's errors, four views put together, and beside them
  all limbs in the picture plane and the most similar view of the training poses;
- readings: how often the true sides of the picture plane, and the true left and right, are among
  the first few readings, and how far the best of those is from the truth;
- rig: a rig in the same poses, drawn truly and posed again: how far it is from the drawing and
  from the truth, which elbows and knees bend beyond a human's, how high heels and toes are that
  should stand, how many are put down that are raised, and the time of it;
- sketches: rendered views of a character (stroke packs of a dataset), with the true keypoints and
  with those that the estimator finds;
- rigs: how far the limbs of many rigs, posed from the drawings in examples/, point from those of
  the first one.

Lengths are in % of the body's standing height, angles in degrees. A figure with a bound stands
beside it. The sections lifter, rig and readings need --poses, sketches needs --views, rigs needs
--rigs.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from numpy.typing import NDArray

from addon.core import anatomy, contacts, lift, multiview, readings, retarget, skeleton
from addon.core.camera import Camera, ring, scattered
from addon.core.errors import UserError
from addon.core.estimator import SHIPPED, Estimator, Sides
from addon.core.files import write_whole
from addon.core.image import Box
from addon.core.rest import Rig
from addon.core.rotations import pa_mpjpe, unit
from addon.core.solve import Solution, pose_matrices, solve
from addon.core.strokes import StrokePack, View
from addon.core.styles import Drawing, StrokeStyle, draw
from scripts import draw_rigs
from scripts._common import ROOT, run

FloatArray = NDArray[np.float64]
Table = dict[str, float]
Observe = Callable[[View, int], tuple[FloatArray, FloatArray]]
"""A view and its picture's side -> keypoints ``[23, 2]`` pixels and scores ``[23]``."""

CORPORA = ("cmu_poses.npz", "cc0_poses.npz")
HELD_OUT = ("05/", "13/", "martial/")
"""Clips whose names begin so are for measuring; the lifter's training leaves them out."""

BOUNDS: dict[tuple[str, str], float] = {
    ("lifter", "true_pa_mpjpe_percent"): 1.6,
    ("lifter", "true_bone_angle_median_degrees"): 4.0,
    ("lifter", "noisy_pa_mpjpe_percent"): 3.0,
    ("lifter", "four_views_pa_mpjpe_percent"): 2.0,
    ("lifter", "lift_median_milliseconds"): 2.0,
    ("rig", "drawn_angle_median_degrees"): 4.0,
    ("rig", "reprojection_median_percent"): 2.0,
    ("rig", "hinges_beyond_limits_percent"): 0.0,
    ("rig", "standing_feet_height_median_percent"): 1.0,
    ("rigs", "beyond_five_degrees"): 0.0,
    ("rig", "lift_and_solve_median_milliseconds"): 100.0,
}
"""What the figures should be at most."""

SIDE = 640  # of the pictures, pixels
# An estimator's errors: share of the figure's size, chance of a joint to be missing, chance that
# the arms or the legs of a figure are taken for each other.
NOISE, MISSING, SWAPPED = 0.02, 0.15, 0.03
NOISY_SCORE = 0.65  # what a keypoint with such an error scores
VIEWS_OF_TRAINING = 4  # of each training pose, for the most similar one
FOUR_VIEWS_OF_EVERY = 10  # figures, since putting views together takes a second
PORTRAIT = 16  # pixels of the pictures that come with posing many rigs, at which nobody looks
STANDING = 0.01  # share of the height within which a foot is on the ground
RAISED = 0.03  # and above which it is not

_PARENTS, _CHILDREN = np.array(skeleton.BONES).T
_GROUPS = {  # what a body is long or short of as a whole
    "trunk": ("Spine", "Spine1", "Spine2", "Neck"),
    "head": ("Head", "HeadTop_End"),
    "shoulders": ("Shoulder", "Arm"),
    "arms": ("ForeArm", "Hand"),
    "hips": ("UpLeg",),
    "legs": ("Leg", "Foot"),
    "feet": ("ToeBase",),
}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="benchmark_pose.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add("--poses", type=Path, metavar="FOLDER", help=f"with {' and '.join(CORPORA)}")
    add("--rig", type=Path, metavar="FILE", help="the character to pose (the mannequin)")
    add(
        "--views",
        type=Path,
        nargs="+",
        metavar="PACK",
        help="stroke packs (DATASET/strokes/NAME--*.npz) of the character of --rig",
    )
    add("--rigs", nargs="+", default=[], metavar="RIG", help="as draw_rigs.py takes them")
    add("--model", type=Path, default=SHIPPED, metavar="ONNX", help="the estimator (the shipped)")
    add("--count", type=int, default=1000, metavar="N", help="held-out figures to lift (1000)")
    add("--view-count", type=int, default=200, metavar="N", help="figures and views to pose (200)")
    add("--seed", type=int, default=0, metavar="N", help="of cameras, bodies and errors (0)")
    add("--json", type=Path, metavar="FILE", help="also write the figures here")
    return result


def main(arguments: list[str]) -> None:
    """Measure and print."""
    options = parser().parse_args(arguments)
    if min(options.count, options.view_count) < 1:
        raise UserError("--count and --view-count must be at least 1.")
    if not (options.poses or options.views or options.rigs):
        raise UserError("Give --poses with the motion capture, --views with drawings, or --rigs.")
    if options.views and not options.rig:
        raise UserError("Give the character of the views with --rig.")
    report: dict[str, Table] = {}

    def done(section: str, figures: Table) -> None:
        report[section] = figures
        print(f"\n{section}")
        for name, value in figures.items():
            bound = BOUNDS.get((section, name))
            note = "" if bound is None else f"  at most {bound:g}"
            print(f"  {name.replace('_', ' '):46s} {value:8.2f}{note}", flush=True)

    rig = load_rig(options.rig)
    if options.poses:
        motions = load_motions(options.poses)
        rng = np.random.default_rng(options.seed)
        done("lifter", measure_lifter(motions, options.count, rng))
        done("rig", measure_rig(rig, motions, options.view_count, rng))
        held_out = split(motions, held_out=True)
        for name, (sides, observe) in READ.items():
            figures = measure_readings(held_out, options.view_count, sides, observe, rng)
            done(f"readings, {name}", figures)
    if options.views:
        views, side = load_views(options.views, options.view_count)
        done("sketches, true keypoints", measure_views(rig, views, side, true_keypoints))
        estimated = estimated_keypoints(Estimator(options.model))
        done("sketches, estimated keypoints", measure_views(rig, views, side, estimated))
    if options.rigs:
        done("rigs", measure_rigs(options.rigs))
    if options.json:
        write_whole(options.json, (json.dumps(report, indent=2) + "\n").encode())


# --------------------------------------------------------------------------------------------------
# What is measured on


def load_rig(path: Path | None) -> Rig:
    """The rest pose of a character file, or of the mannequin, read by Blender.

    Raises:
        UserError: the file cannot be read or is no humanoid rig.
    """
    import bpy

    from addon.blender.armature import rig_from_armature
    from addon.blender.characters import import_character
    from addon.blender.mannequin import add_mannequin

    bpy.ops.wm.read_factory_settings(use_empty=True)
    armature = import_character(path).armature if path else add_mannequin(bpy.context)
    bpy.context.view_layer.update()
    return rig_from_armature(armature)


def load_motions(folder: Path) -> list[retarget.Motion]:
    """The clips of the pose corpora in a folder.

    Raises:
        UserError: a corpus is missing or damaged.
    """
    try:
        return [m for name in CORPORA for m in retarget.load_corpus(str(folder / name))]
    except ValueError as error:
        raise UserError(
            f"Give --poses the folder with {' and '.join(CORPORA)}: {error}."
        ) from error


def split(motions: Sequence[retarget.Motion], held_out: bool) -> list[retarget.Motion]:
    """The clips that are for measuring, or those that were for training."""
    return [m for m in motions if m.name.split("/", 1)[1].startswith(HELD_OUT) == held_out]


@dataclass(frozen=True)
class Figure:
    """A body in a pose.

    Attributes:
        joints: ``[23, 3]`` metres, world space.
        height: metres, standing.
        soles: ``[4]`` metres of ``contacts.FEET`` above the body's lowest sole.
    """

    joints: FloatArray
    height: float
    soles: FloatArray

    @property
    def standing(self) -> NDArray[np.bool_]:
        """``[4]`` which of heels and toes are on the ground, if any foot carries the figure."""
        lowest = self.joints[:, 2].min() >= self.joints[_FEET, 2].min() - STANDING * self.height
        return (self.soles < STANDING * self.height) & lowest


_FEET = [skeleton.INDEX[name] for name in contacts.FEET]


def pose(rest: FloatArray, rotations: FloatArray, limbs: dict[str, FloatArray]) -> Figure:
    """Put a pose of the motion capture on a body.

    Args:
        rest: ``[23, 3]`` the body's joints at rest, metres, facing -Y.
        rotations: ``[J, 3, 3]`` and ``limbs`` as in ``retarget.Motion``.
    """
    own = retarget.limb_directions(dict(zip(skeleton.KEYPOINTS, rest, strict=True)))
    aligned = retarget.alignments(own, limbs)
    joints = np.zeros((skeleton.COUNT, 3))
    for parent, child in skeleton.BONES:
        name = skeleton.KEYPOINTS[parent]
        turn = rotations[retarget.JOINTS.index(name)] @ aligned.get(name, np.eye(3))
        joints[child] = joints[parent] + turn @ (rest[child] - rest[parent])
    soles = joints[_FEET, 2] - rest[_FEET, 2]
    return Figure(joints, float(np.ptp(rest[:, 2])), soles - soles.min())


def draw_poses(
    motions: Sequence[retarget.Motion], count: int, rng: np.random.Generator
) -> list[tuple[FloatArray, dict[str, FloatArray]]]:
    """``count`` poses, every clip as likely as any other: rotations ``[J, 3, 3]`` and limbs."""
    if not motions:
        raise UserError("The pose corpora hold no clips of this kind.")
    chosen = [motions[i] for i in rng.integers(len(motions), size=count)]
    return [(m.rotations[rng.integers(len(m))], m.limbs) for m in chosen]


def adult() -> FloatArray:
    """``[23, 3]`` the joints of an adult at rest, facing -Y, metres from the hips."""
    return retarget.joint_positions(np.tile(np.eye(3), (len(retarget.JOINTS), 1, 1)), {})


def other_body(rest: FloatArray, rng: np.random.Generator) -> FloatArray:
    """A body of other proportions: joints at rest ``[23, 3]`` from joints at rest ``[23, 3]``."""
    spread = 0.32 if rng.random() < 0.2 else 0.14  # some bodies are drawn as no one lives
    factor = {}
    for members in _GROUPS.values():
        whole = np.exp(spread * rng.normal())
        factor |= {name: whole * np.exp(0.06 * rng.normal()) for name in members}
    if rng.random() < 0.12:
        factor["HeadTop_End"] *= rng.uniform(1.5, 3.5)
    joints = np.zeros_like(rest)
    for parent, child in skeleton.BONES:
        size = factor[skeleton.without_side(skeleton.KEYPOINTS[child])]
        joints[child] = joints[parent] + size * (rest[child] - rest[parent])
    return joints


def look(figure: Figure, rng: np.random.Generator, count: int = 1) -> list[Camera]:
    """Cameras around a figure that it fills."""
    centre = (figure.joints.min(axis=0) + figure.joints.max(axis=0)) / 2
    cameras = scattered(centre, figure.height, count, size=(SIDE, SIDE), rng=rng)
    return [camera.zoomed(figure.joints, 0.1) for camera in cameras]


def spoil(points: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Keypoints ``[23, 2]`` as an estimator finds them, and their scores ``[23]``."""
    size = float(np.ptp(points, axis=0).max())
    noisy = points + rng.normal(size=points.shape) * NOISE * size
    for names in (skeleton.ARMS, skeleton.LEGS):
        if rng.random() < SWAPPED:
            rows = [skeleton.INDEX[name] for name in names]
            noisy[rows] = noisy[[skeleton.FLIP[row] for row in rows]]
    return noisy, np.where(rng.random(len(points)) < MISSING, 0.0, NOISY_SCORE)


def shuffle_sides(points: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Keypoints whose arms, and whose legs, are on their own side by chance; and scores."""
    swapped = [pair for pair in readings.PAIRS if rng.random() < 0.5]
    return skeleton.swap_sides(points, swapped), np.ones(len(points))


# --------------------------------------------------------------------------------------------------
# The lifter


class MostSimilar:
    """The nearest neighbour: reads a figure as the training view whose keypoints lie most alike."""

    def __init__(self, motions: Sequence[retarget.Motion], rng: np.random.Generator) -> None:
        points, directions = [], []
        for motion in motions:
            for rotations in motion.rotations:
                figure = pose(other_body(adult(), rng), rotations, motion.limbs)
                for camera in look(figure, rng, VIEWS_OF_TRAINING):
                    points.append(camera.project(figure.joints))
                    directions.append(_directions(camera.to_camera(figure.joints)))
        seen = lift.normalise(points, np.ones((len(points), skeleton.COUNT)))
        self._points = seen.features[:, : 2 * skeleton.COUNT].astype(np.float64)
        self._directions = np.array(directions)
        self._directions[..., :2] = self._directions[..., :2] @ seen.rotations

    def read(self, points: FloatArray, scores: FloatArray) -> FloatArray:
        """Bone directions ``[22, 3]``, camera space, of keypoints ``[23, 2]``."""
        seen = lift.normalise(points[None], scores[None])
        known = np.repeat(scores > 0, 2)
        away = self._points[:, known] - seen.features[0, : 2 * skeleton.COUNT][known]
        directions = self._directions[np.argmin((away**2).sum(axis=1))].copy()
        directions[:, :2] = directions[:, :2] @ seen.rotations[0].T
        return directions


def measure_lifter(
    motions: Sequence[retarget.Motion], count: int, rng: np.random.Generator
) -> Table:
    """The lifter and its baselines on held-out figures of all proportions.

    Bones are put on their true lengths; PA-MPJPE in % of height is the mean over figures, angles
    are medians over bones.
    """
    similar = MostSimilar(split(motions, held_out=False), rng)
    errors: dict[str, list[float]] = {}
    angles: dict[str, list[FloatArray]] = {}
    milliseconds = []
    chosen = draw_poses(split(motions, held_out=True), count, rng)
    for number, (rotations, limbs) in enumerate(chosen):
        figure = pose(other_body(adult(), rng), rotations, limbs)
        (camera,), height = look(figure, rng), figure.height
        truth = camera.to_camera(figure.joints)
        points = camera.project(figure.joints)
        noisy, scores = spoil(points, rng)
        started = time.perf_counter()
        lifted = lift.lift(points, np.ones(skeleton.COUNT))
        milliseconds.append(1000 * (time.perf_counter() - started))
        lengths = np.linalg.norm(truth[_CHILDREN] - truth[_PARENTS], axis=1)
        for name, directions in {
            "true": lifted.directions,
            "noisy": lift.lift(noisy, scores).directions,
            "true_in_plane": lift.in_plane(points),
            "noisy_in_plane": lift.in_plane(noisy),
            "true_most_similar": similar.read(points, np.ones(skeleton.COUNT)),
            "noisy_most_similar": similar.read(noisy, scores),
        }.items():
            error = pa_mpjpe(lift.place_bones(directions, lengths), truth)
            errors.setdefault(name, []).append(100 * error / height)
            angles.setdefault(name, []).append(_angles(directions, _directions(truth)))
        if number % FOUR_VIEWS_OF_EVERY:
            continue
        for name, joints in four_views(figure, rng).items():
            errors.setdefault(name, []).append(100 * pa_mpjpe(joints, figure.joints) / height)
    result: Table = {"figures": count}
    for name in errors:
        result[f"{name}_pa_mpjpe_percent"] = float(np.mean(errors[name]))
        if name in angles:
            result[f"{name}_bone_angle_median_degrees"] = float(np.median(angles[name]))
    result["lift_median_milliseconds"] = float(np.median(milliseconds))
    return result


def four_views(figure: Figure, rng: np.random.Generator) -> dict[str, FloatArray]:
    """A figure's joints ``[23, 3]`` from four level drawings with an estimator's errors.

    The drawings are a quarter turn apart, as in a model sheet; once their angles are given, once
    they are to be found.
    """
    start = rng.uniform(0, 2 * np.pi)
    centre = figure.joints.mean(axis=0)
    cameras = ring(centre, 4 * figure.height, 4, size=(SIDE, SIDE), focal=1.5 * SIDE, start=start)
    seen = [spoil(camera.project(figure.joints), rng) for camera in cameras]
    points, scores = (np.array(values) for values in zip(*seen, strict=True))
    angles = [start + quarter * np.pi / 2 for quarter in range(4)]
    return {
        "four_views": multiview.triangulate(points, scores, angles).joints,
        "four_views_of_unknown_angles": multiview.triangulate(points, scores).joints,
    }


READ: dict[str, tuple[Sides, Callable[..., tuple[FloatArray, FloatArray]]]] = {
    "true keypoints": (Sides(1.0, 1.0), lambda points, _rng: (points, np.ones(len(points)))),
    "an estimator's errors": (Sides(0.97, 0.97), spoil),
    "true keypoints, unknown sides": (Sides(0.5, 0.5), shuffle_sides),
}
"""How surely the sides of figures are known, and what is seen of their keypoints."""

FIRST = (1, 2, 4, 8)  # readings at which an artist looks
DEEP = np.sin(np.radians(20))  # share of its length by which a limb leaves the picture plane


def measure_readings(
    motions: Sequence[retarget.Motion],
    count: int,
    sides: Sides,
    observe: Callable[..., tuple[FloatArray, FloatArray]],
    rng: np.random.Generator,
) -> Table:
    """The first readings of figures against the truth.

    A reading is right where each limb that is 20 degrees or more out of the picture plane lies on
    its true side of it, and hips and shoulders have their true left and right.
    """
    right, errors = [], []
    for rotations, limbs in draw_poses(motions, count, rng):
        figure = pose(other_body(adult(), rng), rotations, limbs)
        (camera,) = look(figure, rng)
        truth = camera.to_camera(figure.joints)
        points, scores = observe(camera.project(figure.joints), rng)
        read = readings.Readings(points, scores, sides)
        lengths = np.linalg.norm(truth[_CHILDREN] - truth[_PARENTS], axis=1)
        listed = [
            lift.place_bones(read.lifted(ranked.reading).directions, lengths)
            for ranked in read.likeliest(max(FIRST))
        ]
        right.append([_same_sides(joints, truth) for joints in listed])
        errors.append([100 * pa_mpjpe(joints, truth) / figure.height for joints in listed])
    result = {}
    for k in FIRST:
        result[f"true_among_first_{k}_percent"] = 100 * float(np.mean([any(r[:k]) for r in right]))
        result[f"best_of_first_{k}_pa_mpjpe_percent"] = float(np.mean([min(e[:k]) for e in errors]))
    return result


def _same_sides(joints: FloatArray, truth: FloatArray) -> bool:
    """Whether limbs lie in front or behind, and left and right are, as in the truth."""
    index = skeleton.INDEX
    read, true = _directions(joints)[:, 2], _directions(truth)[:, 2]
    limbs = [row for row, child in enumerate(_CHILDREN) if child in _LIMB_ENDS]
    deep = [row for row in limbs if abs(true[row]) > DEEP]
    across = [
        points[index["Left" + name]] - points[index["Right" + name]]
        for name in ("Arm", "UpLeg")
        for points in (joints, truth)
    ]
    known = across[0] @ across[1] > 0 and across[2] @ across[3] > 0
    return bool(known and (read[deep] * true[deep] > 0).all())


_LIMB_ENDS = {
    skeleton.INDEX[side + name]
    for side in ("Left", "Right")
    for name in ("ForeArm", "Hand", "Leg", "Foot")
}


# --------------------------------------------------------------------------------------------------
# The solver


def measure_rig(
    rig: Rig, motions: Sequence[retarget.Motion], count: int, rng: np.random.Generator
) -> Table:
    """A rig in held-out poses, drawn truly and posed again from that."""
    turn = retarget.heading(*(rig.joints[skeleton.INDEX[n]] for n in ("LeftUpLeg", "RightUpLeg")))
    rest = rig.joints @ turn.T
    scores = np.ones(skeleton.COUNT)
    drawn, reprojection, errors, bends, heights, lowered = [], [], [], [], [], []
    milliseconds = []
    for rotations, limbs in draw_poses(split(motions, held_out=True), count, rng):
        figure = pose(rest, rotations, limbs)
        (camera,) = look(figure, rng)
        points = camera.project(figure.joints)
        started = time.perf_counter()
        solution = solve(rig, points, scores, size=(SIDE, SIDE))
        milliseconds.append(1000 * (time.perf_counter() - started))

        pixels = figure.height * _pixels_per_metre(camera.to_camera(figure.joints), points)
        reprojection.append(100 * np.linalg.norm(solution.projected - points, axis=1) / pixels)
        bones = points[_CHILDREN] - points[_PARENTS]
        posed = solution.projected[_CHILDREN] - solution.projected[_PARENTS]
        long = np.linalg.norm(bones, axis=1) > 0.02 * pixels  # shorter ones point nowhere
        drawn.append(_angles(unit(bones), unit(posed))[long])
        errors.append(100 * pa_mpjpe(solution.joints, figure.joints) / figure.height)
        bends.append(hinge_bends(rig, solution))
        soles = solution.joints[_FEET, 2] - rig.joints[_FEET, 2]
        heights.append(100 * np.abs(soles[figure.standing]) / rig.height)
        if figure.standing.any():
            raised = figure.soles > RAISED * figure.height
            lowered.append(soles[raised] <= STANDING * rig.height)
    low, high = anatomy.BEND
    beyond = (np.array(bends) < low - 0.1) | (np.array(bends) > high + 0.1)
    feet, put_down = np.concatenate(heights), np.concatenate(lowered or [np.empty(0)])
    return {
        "figures": count,
        "bones": len(rig.names),
        "drawn_angle_median_degrees": float(np.median(np.concatenate(drawn))),
        "reprojection_median_percent": float(np.median(reprojection)),
        "pa_mpjpe_percent": float(np.mean(errors)),
        "hinges_beyond_limits_percent": 100 * float(beyond.mean()),
        "standing_feet_height_median_percent": float(np.median(feet)) if len(feet) else np.nan,
        **{
            f"standing_feet_{name}_percent": 100 * float(((feet > low) & (feet <= high)).mean())
            for name, low, high in FOOT_HEIGHTS
        },
        "raised_feet_put_down_percent": 100 * float(put_down.mean()) if len(put_down) else np.nan,
        "lift_and_solve_median_milliseconds": float(np.median(milliseconds)),
    }


FOOT_HEIGHTS = (
    ("within_one", -1.0, 1.0),
    ("one_to_two", 1.0, 2.0),
    ("two_to_five", 2.0, 5.0),
    ("beyond_five", 5.0, np.inf),
)
"""Heights above the ground, % of the rig's, as they are counted."""


def measure_rigs(names: Sequence[str]) -> Table:
    """Rigs posed from the same drawings: the medians over limbs of their angles to the first one's.

    Args:
        names: files, or rigs that come without one, as draw_rigs.py takes them.
    """
    drawings = draw_rigs.load_drawings(ROOT / "examples")
    posed = {Path(name).stem: draw_rigs.pose_rig(name, drawings, PORTRAIT, 0.0) for name in names}
    first = next(iter(posed.values()))
    medians = {
        name: float(np.median(draw_rigs.limb_angles(first, other))) for name, other in posed.items()
    }
    beyond = sum(angle > draw_rigs.TARGET for angle in medians.values())
    result: Table = {"rigs": len(medians), "beyond_five_degrees": beyond}
    return result | {f"{name}_degrees": angle for name, angle in medians.items()}


def hinge_bends(rig: Rig, solution: Solution) -> list[float]:
    """How far elbows and knees bend in a posed rig, degrees; negative is the wrong way."""
    posed = pose_matrices(rig, solution)
    result = []
    for joint, hinge in anatomy.Body(rig).hinges.items():
        upper = skeleton.KEYPOINTS[skeleton.PARENTS[skeleton.INDEX[joint]]]
        bone = rig.mapping[upper]
        axis = posed[bone, :3, :3] @ rig.rest[bone, :3, :3].T @ hinge
        a, b, c = (solution.joints[skeleton.INDEX[n]] for n in (upper, joint, anatomy.END[joint]))
        above, below = unit(b - a), unit(c - b)
        result.append(float(np.degrees(np.arctan2(np.cross(above, below) @ axis, above @ below))))
    return result


# --------------------------------------------------------------------------------------------------
# The whole chain on rendered views


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


def measure_views(rig: Rig, views: Sequence[View], side: int, observe: Observe) -> Table:
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
        pixels = height * _pixels_per_metre(truth, view.keypoints.astype(np.float64))
        misses = np.linalg.norm(solution.projected - view.keypoints, axis=1)
        reprojection.append(100 * misses / pixels)
        for name, joints in (
            ("solved", solution.joints),
            ("lifter_alone", lift.place_bones(lifted.directions, lengths)),
            ("in_plane", lift.place_bones(lift.in_plane(keypoints), lengths)),
        ):
            errors[name].append(100 * pa_mpjpe(joints, truth) / height)
        posed = solution.camera.to_camera(solution.joints)
        angles.append(_angles(_directions(posed), unit(bones)))
    return {
        "figures": len(views),
        "reprojection_median_percent": float(np.median(reprojection)),
        "reprojection_mean_percent": float(np.mean(reprojection)),
        **{f"pa_mpjpe_{name}_percent": float(np.mean(values)) for name, values in errors.items()},
        "bone_angle_median_degrees": float(np.median(angles)),
        "lift_and_solve_median_milliseconds": float(np.median(milliseconds)),
    }


def _directions(joints: FloatArray) -> FloatArray:
    """Unit directions ``[22, 3]`` of the bones between joints ``[23, 3]``."""
    return unit(joints[_CHILDREN] - joints[_PARENTS])


def _angles(a: FloatArray, b: FloatArray) -> FloatArray:
    """Degrees ``[N]`` between unit vectors ``[N, D]``."""
    return np.degrees(np.arccos((a * b).sum(axis=1).clip(-1, 1)))


def _pixels_per_metre(joints: FloatArray, points: FloatArray) -> float:
    """Size of a figure's picture at the figure's depth.

    Args:
        joints: ``[23, 3]`` camera space, metres.
        points: ``[23, 2]`` their picture, pixels.
    """
    flat = joints[:, :2] - joints[:, :2].mean(axis=0)
    drawn = points - points.mean(axis=0)
    return float((flat * drawn).sum() / (flat**2).sum())


if __name__ == "__main__":
    run(main)
