"""Pose a rig from drawings, without a window; several drawings become one keyframe each.

python scripts/pose_from_sketch.py DRAWING... --out posed.blend
blender -b [file.blend] -P scripts/pose_from_sketch.py -- DRAWING... --out posed.blend
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts._common import addon, run

if TYPE_CHECKING:
    import bpy

    from addon.blender.pose import Posed


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="pose_from_sketch.py",
        description="Pose a rig like the figure in a drawing. Several drawings become one keyframe "
        "each, from frame 1 on. Without --rig and --armature the rig is that of the opened .blend "
        "file, or the built-in mannequin.",
    )
    add = result.add_argument
    add("drawings", type=Path, nargs="+", metavar="DRAWING", help="PNG, JPEG, ...")
    add("--rig", type=Path, metavar="FILE", help="import this .fbx, .glb, .vrm or .blend")
    add("--armature", metavar="NAME", help="the armature object to pose, where there are several")
    add("--figure", type=int, default=1, metavar="K", help="of several figures, the K-th largest")
    add(
        "--box",
        type=float,
        nargs=4,
        metavar=("X", "Y", "WIDTH", "HEIGHT"),
        help="of the figure in a single drawing, pixels from its top left corner",
    )
    add("--stretch", action="store_true", help="make arms and legs as long as they are drawn")
    add("--out", type=Path, required=True, metavar="FILE", help="the posed scene, .blend")
    add(
        "--preview",
        type=Path,
        metavar="FILE",
        help="drawing, keypoints and pose, side by side, .png",
    )
    add("--keypoints", type=Path, metavar="FILE", help="the 2D keypoints, .json")
    add(
        "--json",
        type=Path,
        metavar="FILE",
        help="the pose with its joints and camera (docs/pose_files.md), .json; of several drawings "
        "FILE-1, FILE-2, ...",
    )
    add("--bvh", type=Path, metavar="FILE", help="the motion of trunk and limbs, .bvh")
    return result


def main(arguments: list[str]) -> None:
    """Pose, then write the files; an error leaves none of them."""
    options = parser().parse_args(arguments)
    posing, preview = addon("blender.pose"), addon("blender.preview")
    reference, files = addon("blender.reference"), addon("core.files")
    pose_files = addon("blender.pose_files")
    import bpy
    import cv2
    import numpy as np

    if options.box and len(options.drawings) > 1:
        raise addon("core.errors").UserError("Give one drawing with --box.")
    core_image = addon("core.image")
    box = core_image.Box(*options.box) if options.box else None
    greys = [core_image.load_grey(path) for path in options.drawings]
    estimator = addon("core.estimator").Estimator()
    opened = bool(bpy.data.filepath)
    if not opened:
        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    armature = _armature(options, opened)

    scene = bpy.context.scene
    results: list[Posed] = []
    rows, poses = [], []
    for number, (path, grey) in enumerate(zip(options.drawings, greys, strict=True), 1):
        scene.frame_set(number)
        image = bpy.data.images.load(str(path.resolve()), check_existing=True)
        result = posing.pose_from_sketch(
            bpy.context,
            image,
            armature,
            estimator=estimator,
            keyframe=True,
            figure=options.figure - 1,
            box=box,
            number=number,
            stretch=options.stretch,
        )
        armature = result.armature
        results.append(result)
        print(f"{path}: {result.summary()}", flush=True)
        if options.json:
            poses.append(pose_files.describe(bpy.context, armature))
        if options.preview:
            rows.append(preview.sheet(grey, result.estimate, result.solution, armature))
        image.pack()
    reference.show_in_turn(scene, [(r.camera, r.drawing) for r in results])
    if not opened:
        scene.frame_end = len(results)

    outputs = (options.out, options.preview, options.keypoints, options.json, options.bvh)
    for path in filter(None, outputs):
        path.parent.mkdir(parents=True, exist_ok=True)
    with files.written_whole(options.out) as temporary:
        bpy.ops.wm.save_as_mainfile(filepath=str(temporary.resolve()), copy=True)
    if options.keypoints:
        text = json.dumps(_keypoints(options.drawings, results), indent=1)
        files.write_whole(options.keypoints, text.encode())
    for number, pose in enumerate(poses, 1):
        numbered = options.json.with_stem(f"{options.json.stem}-{number}")
        pose.save(numbered if len(poses) > 1 else options.json)
    if options.bvh:
        frames = range(1, len(results) + 1)
        pose_files.save_bvh(bpy.context, armature, options.bvh, frames)
    if options.preview:
        width = max(row.shape[1] for row in rows)
        page = np.vstack([_widened(row, width) for row in rows])
        files.write_whole(options.preview, cv2.imencode(".png", page)[1].tobytes())


def _armature(options: argparse.Namespace, opened: bool) -> bpy.types.Object | None:
    """The armature that the arguments mean; None for the mannequin."""
    import bpy

    user_error = addon("core.errors").UserError
    armature = None
    if options.rig:
        armature = addon("blender.characters").import_character(options.rig).armature
    found = [thing for thing in bpy.context.scene.objects if thing.type == "ARMATURE"]
    names = ", ".join(f"“{thing.name}”" for thing in found)
    if options.armature:
        armature = next((thing for thing in found if thing.name == options.armature), None)
        if armature is None:
            there = f"there are {names}" if found else "there is none at all"
            raise user_error(f"There is no armature “{options.armature}”; {there}.")
    elif not options.rig:
        if not opened:
            return None
        if not found:
            raise user_error(
                f"{Path(bpy.data.filepath).name} holds no armature; name a rig with --rig."
            )
        if len(found) > 1:
            raise user_error(f"Choose one of the armatures {names} with --armature.")
        armature = found[0]
    # The drawings become an action of their own, beside the one that the armature may have.
    if armature.animation_data and armature.animation_data.action:
        armature.animation_data.action.use_fake_user = True
        armature.animation_data.action = None
    return armature


def _keypoints(paths: list[Path], results: list[Posed]) -> list[dict[str, Any]]:
    """The estimates as JSON, in the form that ``python -m trainer predict`` writes too."""
    names = addon("core.skeleton").KEYPOINTS
    entries = []
    for path, result in zip(paths, results, strict=True):
        estimate = result.estimate
        points = {
            name: [round(float(x), 2), round(float(y), 2), round(float(score), 4)]
            for name, (x, y), score in zip(names, estimate.keypoints, estimate.scores, strict=True)
        }
        score = round(float(estimate.scores.mean()), 4)
        entries.append({"file_name": path.name, "keypoints": points, "score": score})
    return entries


def _widened(picture: Any, width: int) -> Any:
    """A row of the preview with white to its right."""
    import cv2

    border = width - picture.shape[1]
    return cv2.copyMakeBorder(picture, 0, 0, 0, border, cv2.BORDER_CONSTANT, value=(255, 255, 255))


if __name__ == "__main__":
    run(main)
