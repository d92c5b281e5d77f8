"""Pose a rig from drawings, without a window.

python scripts/pose_from_sketch.py DRAWING... --out posed.blend
blender -b [file.blend] -P scripts/pose_from_sketch.py -- DRAWING... --out posed.blend
python scripts/pose_from_sketch.py FOLDER --out FOLDER

Several drawings become one keyframe each, from frame 1 on. Without --rig and --armature the rig is
that of the opened .blend file, or the built-in mannequin.

Of a folder, however many drawings it holds, each becomes a scene of its own: --out, and --preview,
--keypoints, --json and --bvh where they are given, name folders that receive a file for each
drawing, called as the drawing is: a.png becomes a.blend, or a.png.blend where the folder holds
another a, such as a.jpg; if that comes later, a.png is posed anew. A drawing that cannot be posed
is named, and the others go on; what has been posed already and is newer than its drawing is left as
it is, so that the same command goes on after Ctrl+C.

The exit status is 0 when everything has been posed; 2 after a user's mistake, be it one drawing of
a folder (the others are written); 1 after a fault of ours; 130 after Ctrl+C.
"""

from __future__ import annotations

import argparse
import errno
import json
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts._common import EXIT_OUR_FAULT, EXIT_USER_MISTAKE, addon, run, silent, stopping_between

if TYPE_CHECKING:
    import bpy

    from addon.blender.pose import Posed
    from addon.core.estimator import Estimator

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}
"""Endings of the files of a folder that are taken for drawings."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="pose_from_sketch.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add("drawings", type=Path, nargs="+", metavar="DRAWING", help="PNG, JPEG, ... or one folder")
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


@dataclass(frozen=True)
class Outputs:
    """The files to write; None for those that are not wanted."""

    out: Path
    preview: Path | None
    keypoints: Path | None
    json: Path | None
    bvh: Path | None

    @classmethod
    def of(cls, options: argparse.Namespace) -> Outputs:
        """What the command line names."""
        return cls(options.out, options.preview, options.keypoints, options.json, options.bvh)

    @property
    def wanted(self) -> list[Path]:
        """Those that are."""
        paths = (self.out, self.preview, self.keypoints, self.json, self.bvh)
        return [path for path in paths if path is not None]

    def within(self, stem: str) -> Outputs:
        """Files called ``stem`` in folders of these names."""

        def file(folder: Path | None, ending: str) -> Path | None:
            return folder / (stem + ending) if folder else None

        return Outputs(
            self.out / f"{stem}.blend",
            file(self.preview, ".png"),
            file(self.keypoints, ".json"),
            file(self.json, ".json"),
            file(self.bvh, ".bvh"),
        )


def main(arguments: list[str]) -> None:
    """Pose, then write the files; an error leaves none of a scene's."""
    options = parser().parse_args(arguments)
    user_error = addon("core.errors").UserError
    folders = [path for path in options.drawings if path.is_dir()]
    if folders and len(options.drawings) > 1:
        raise user_error("Give drawings, or one folder of them.")
    if options.box and (folders or len(options.drawings) > 1):
        raise user_error("Give one drawing with --box.")
    if options.json and options.json == options.keypoints:
        raise user_error("Give different names to --json and --keypoints.")
    # Blender without a window would only remember Ctrl+C, and end at the second one.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if folders:
        pose_each(options, folders[0])
    else:
        pose_together(options)


def pose_together(options: argparse.Namespace) -> None:
    """Pose drawings as keyframes of one scene."""
    load_grey = addon("core.image").load_grey
    for path in options.drawings:
        load_grey(path)  # a bad one is found before anything else is done
    estimator = addon("core.estimator").Estimator()
    opened = _open_scene()
    armature = _armature(options, opened)
    write_scene(options, options.drawings, Outputs.of(options), estimator, armature, opened)


def _open_scene() -> bool:
    """Start from an empty scene, unless Blender has opened a file; whether it has."""
    import bpy

    if not bpy.data.filepath:
        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
        return False
    return True


def write_scene(
    options: argparse.Namespace,
    drawings: list[Path],
    outputs: Outputs,
    estimator: Estimator,
    armature: bpy.types.Object | None,
    opened: bool,
) -> None:
    """Pose the scene's armature from drawings, a keyframe for each, and write the files.

    Args:
        options: which figure, and where it is.
        drawings: picture files.
        outputs: the files to write.
        estimator: the keypoint network.
        armature: the character; None adds the mannequin.
        opened: the scene is a user's, whose range of frames stays.
    """
    posing, preview = addon("blender.pose"), addon("blender.preview")
    reference, files = addon("blender.reference"), addon("core.files")
    pose_files, core_image = addon("blender.pose_files"), addon("core.image")
    import bpy
    import cv2
    import numpy as np

    scene = bpy.context.scene
    box = core_image.Box(*options.box) if options.box else None
    results: list[Posed] = []
    rows, poses = [], []
    for number, path in enumerate(drawings, 1):
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
        if outputs.json:
            poses.append(pose_files.describe(bpy.context, armature))
        if outputs.preview:
            grey = core_image.load_grey(path)
            rows.append(preview.sheet(grey, result.estimate, result.solution, armature))
        image.pack()
    reference.show_in_turn(scene, [(r.camera, r.drawing) for r in results])
    if not opened:
        scene.frame_end = len(results)

    for path in outputs.wanted:
        path.parent.mkdir(parents=True, exist_ok=True)
    if outputs.keypoints:
        text = json.dumps(_keypoints(drawings, results), indent=1)
        files.write_whole(outputs.keypoints, text.encode())
    for number, pose in enumerate(poses, 1):
        numbered = outputs.json.with_stem(f"{outputs.json.stem}-{number}")
        pose.save(numbered if len(poses) > 1 else outputs.json)
    if outputs.bvh:
        frames = range(1, len(results) + 1)
        pose_files.save_bvh(bpy.context, armature, outputs.bvh, frames)
    if outputs.preview:
        width = max(row.shape[1] for row in rows)
        page = np.vstack([_widened(row, width) for row in rows])
        files.write_whole(outputs.preview, cv2.imencode(".png", page)[1].tobytes())
    with files.written_whole(outputs.out) as temporary, silent():
        try:
            bpy.ops.wm.save_as_mainfile(filepath=str(temporary.resolve()), copy=True)
        except RuntimeError as error:  # Blender's word for a full disk, among others
            raise OSError(errno.EIO, "cannot be written", str(outputs.out)) from error


# --- A folder ------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What became of a folder's drawings."""

    total: int
    posed: int = 0
    kept: int = 0
    refused: int = 0
    faults: int = 0

    def summary(self, folder: Path) -> str:
        """One sentence, or two."""
        text = f"{self.posed} of {self.total} drawings"
        text += f" of {folder} posed"
        parts = (
            (self.kept, "were there already"),
            (self.refused, "could not be, for the reasons above"),
            (self.faults, "met a fault of Croquis"),
        )
        return ", ".join([text, *(f"{count} {what}" for count, what in parts if count)]) + "."


def pose_each(options: argparse.Namespace, folder: Path) -> None:
    """Pose every drawing of a folder in a scene of its own.

    Each begins with the same file, opened anew: nothing of one drawing is left in the next one's
    scene or in memory.

    Raises:
        UserError: the folder holds no drawing, or would receive the files.
        SystemExit: drawings could not be posed.
    """
    import bpy

    user_error, outputs = addon("core.errors").UserError, Outputs.of(options)
    drawings = addon("core.files").files_in(folder, tuple(sorted(PICTURES)), "drawing")
    for target in outputs.wanted:
        if target.resolve() == folder.resolve():
            raise user_error(f"Choose another folder than {folder} for what is written.")
        if target.exists() and not target.is_dir():
            raise user_error(f"{target} is a file; of a folder of drawings, name a folder.")
    estimator = addon("core.estimator").Estimator()
    opened = _open_scene()
    armature = _armature(options, opened)
    if armature is None:
        armature = addon("blender.mannequin").add_mannequin(bpy.context)
    tally, name = Tally(len(drawings)), armature.name
    with tempfile.TemporaryDirectory() as place, stopping_between() as stop_if_asked:
        beginning = str(Path(place, "beginning.blend"))
        with silent():
            bpy.ops.wm.save_as_mainfile(filepath=beginning, copy=True)
        try:
            for path, files in _with_outputs(drawings, outputs):
                stop_if_asked()
                if _is_done(path, files):
                    tally.kept += 1
                    continue
                try:
                    addon("core.image").load_grey(path)
                    with silent():
                        bpy.ops.wm.open_mainfile(filepath=beginning)
                    armature = bpy.data.objects[name]
                    write_scene(options, [path], files, estimator, armature, opened)
                    tally.posed += 1
                except user_error as error:
                    print(f"{path}: {error}", file=sys.stderr, flush=True)
                    tally.refused += 1
                except OSError:  # such as a full disk: the next drawing would fare no better
                    raise
                except Exception:
                    print(f"{path}: a fault of Croquis.", file=sys.stderr)
                    traceback.print_exc()
                    tally.faults += 1
        finally:
            print(tally.summary(folder), flush=True)
    if tally.faults or tally.refused:
        sys.exit(EXIT_OUR_FAULT if tally.faults else EXIT_USER_MISTAKE)


def _with_outputs(drawings: list[Path], folders: Outputs) -> Iterator[tuple[Path, Outputs]]:
    """Each drawing with its files; the ending stays where a name without it would not be alone.

    ``a.jpg`` and ``a.png`` both keep theirs, and beside them so does ``a.png.jpg``. Where ``a.jpg``
    comes later, ``a.png`` gets other files than before, and so is posed anew; the old ones stay.
    """
    names = Counter(name.casefold() for path in drawings for name in (path.stem, path.name))
    for path in drawings:
        alone = names[path.stem.casefold()] == 1
        yield path, folders.within(path.stem if alone else path.name)


def _is_done(drawing: Path, files: Outputs) -> bool:
    """Whether a drawing has been posed before; its scene is written last."""
    age = drawing.stat().st_mtime
    return all(path.exists() and path.stat().st_mtime >= age for path in files.wanted)


# --- Parts of both -------------------------------------------------------------------------------


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
