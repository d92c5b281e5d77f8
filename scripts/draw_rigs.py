"""Pose many rigs from the same drawings and compare them, by eye and by number.

python scripts/draw_rigs.py RIG... --out sheet.png

A column for each rig, a row for each drawing. Printed is how far the limbs of each rig point from
those of the first one, degrees: all rigs should read a drawing alike.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts._common import ROOT, addon, run

if TYPE_CHECKING:
    import bpy

DRAWINGS = ("stick_wave", "sausage_kick", "storyboard_point", "brush_lunge", "crayon_cheer")
BUILT_IN = ("mannequin", "metarig", "rigify")
"""Rigs that come without a file: ours, Rigify's human metarig, and what Rigify makes of it."""

LIMBS = tuple(
    (side + start, side + end)
    for side in ("Left", "Right")
    for start, end in (("Arm", "ForeArm"), ("ForeArm", "Hand"), ("UpLeg", "Leg"), ("Leg", "Foot"))
)
TARGET = 5.0  # degrees, median
_TITLE = 24  # height of a title, pixels


@dataclass(frozen=True)
class Posed:
    """A rig in one of the poses.

    Attributes:
        directions: limb -> ``[3]`` unit vector, camera space of the drawing.
        picture: ``[side, side, 3]`` uint8, BGR.
    """

    directions: dict[tuple[str, str], Any]
    picture: Any


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="draw_rigs.py", description=(__doc__ or "").split("\n\n")[0]
    )
    add = result.add_argument
    add("rigs", nargs="+", metavar="RIG", help=f"a file, or one of {', '.join(BUILT_IN)}")
    add("--out", type=Path, required=True, metavar="FILE", help="the sheet, .png")
    add(
        "--drawings",
        type=Path,
        default=ROOT / "examples",
        metavar="FOLDER",
        help="with keypoints.json",
    )
    add("--side", type=int, default=150, metavar="PIXELS", help="width of each figure")
    add("--turn", type=float, default=0.0, metavar="DEGREES", help="walk around the figures")
    add("--measure-only", nargs="*", default=[], metavar="RIG", help="draw no pictures of these")
    add("--json", type=Path, metavar="FILE", help="the printed table")
    return result


def main(arguments: list[str]) -> None:
    """Pose, print, draw."""
    options = parser().parse_args(arguments)
    import cv2
    import numpy as np

    files = addon("core.files")
    drawings = load_drawings(options.drawings)
    columns = [_drawings_column(drawings, options.side)]
    table: list[dict[str, Any]] = []
    first: list[Posed] = []
    for name in options.rigs:
        posed = pose_rig(name, drawings, options.side, options.turn)
        first = first or posed
        angles = limb_angles(first, posed)
        entry = {
            "rig": Path(name).stem,
            "limbs": len(angles),
            "median_degrees": round(float(np.median(angles)), 2),
            "worst_degrees": round(max(angles), 2),
        }
        table.append(entry)
        print(
            f"{entry['rig']:24} {entry['limbs']:3} limbs, median {entry['median_degrees']:5.1f}, "
            f"worst {entry['worst_degrees']:5.1f} degrees",
            flush=True,
        )
        if name not in options.measure_only:
            columns.append(_column(Path(name).stem, [p.picture for p in posed]))
    close = sum(entry["median_degrees"] <= TARGET for entry in table)
    print(f"{close} of {len(table)} within {TARGET:g} degrees (median).")
    files.write_whole(options.out, cv2.imencode(".png", np.hstack(columns))[1].tobytes())
    if options.json:
        files.write_whole(options.json, json.dumps(table, indent=1).encode())


def limb_angles(first: list[Posed], other: list[Posed]) -> list[float]:
    """Degrees between the limbs of two rigs in the same poses."""
    import numpy as np

    cosines = [
        one.directions[limb] @ two.directions[limb]
        for one, two in zip(first, other, strict=True)
        for limb in LIMBS
        if limb in one.directions and limb in two.directions
    ]
    return np.degrees(np.arccos(np.clip(cosines, -1, 1))).tolist()


@dataclass(frozen=True)
class Drawing:
    """A drawing and its joints as they were set by hand.

    Attributes:
        grey: ``[H, W]`` uint8.
        keypoints: ``[23, 2]`` pixels; 0 where there is none.
        scores: ``[23]`` 1 or 0.
    """

    grey: Any
    keypoints: Any
    scores: Any


def load_drawings(folder: Path) -> list[Drawing]:
    """The five drawings in a folder with true keypoints.

    Raises:
        UserError: one of them is missing.
    """
    import numpy as np

    skeleton, image = addon("core.skeleton"), addon("core.image")
    joints = json.loads((folder / "keypoints.json").read_text())
    result = []
    for name in DRAWINGS:
        if name not in joints:
            raise addon("core.errors").UserError(f"{folder}/keypoints.json does not know {name}.")
        keypoints, scores = np.zeros((skeleton.COUNT, 2)), np.zeros(skeleton.COUNT)
        for joint, place in joints[name].items():
            keypoints[skeleton.INDEX[joint]], scores[skeleton.INDEX[joint]] = place, 1.0
        result.append(Drawing(image.load_grey(folder / f"{name}.png"), keypoints, scores))
    return result


def pose_rig(name: str, drawings: list[Drawing], side: int, turn: float) -> list[Posed]:
    """A rig in the poses of all drawings.

    Args:
        name: a file, or one of :data:`BUILT_IN`.
        drawings: the drawings.
        side: width and height of each picture, pixels.
        turn: degrees from the drawing's view around the figure.
    """
    import bpy
    import numpy as np

    armatures, solve, preview = (
        addon("blender.armature"),
        addon("core.solve"),
        addon("blender.preview"),
    )
    skeleton, rotations = addon("core.skeleton"), addon("core.rotations")
    armature = load_rig(name)
    bpy.context.view_layer.update()
    rig = armatures.rig_from_armature(armature)
    keypoints = addon("blender.puppet").PosedKeypoints(armature, rig, rig.joints)
    result = []
    for drawing in drawings:
        size = drawing.grey.shape[::-1]
        solution = solve.solve(rig, drawing.keypoints, drawing.scores, size=size)
        if sentence := armatures.apply_solution(armature, rig, solution):
            print(sentence)
        bpy.context.view_layer.update()
        seen = solution.camera.to_camera(keypoints.places())
        directions = {
            limb: rotations.unit(seen[skeleton.INDEX[limb[1]]] - seen[skeleton.INDEX[limb[0]]])
            for limb in LIMBS
            if all(joint in rig.mapping for joint in limb)
        }
        camera = _camera(solution.camera, np.radians(turn), side)
        result.append(Posed(directions, preview.portrait(armature, camera)))
    return result


def load_rig(name: str) -> bpy.types.Object:
    """A rig alone in an empty file.

    Raises:
        UserError: there is no such file, or no armature in it.
    """
    import bpy

    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    if name == "mannequin":
        return addon("blender.mannequin").add_mannequin(bpy.context)
    characters = addon("blender.characters")
    if name in BUILT_IN:
        with tempfile.TemporaryDirectory() as folder:
            path = make_rigify(Path(folder, f"{name}.blend"), generate=name == "rigify")
            objects = characters.import_objects(path)
    else:
        objects = characters.import_objects(Path(name))
    armature = characters.main_armature(objects)
    if armature is None:
        raise addon("core.errors").UserError(f"{name} holds no armature.")
    if armature.animation_data:  # a motion that came along; drivers belong to the rig
        armature.animation_data.action = None
    return armature


def make_rigify(path: Path, generate: bool) -> Path:
    """Write a file with Rigify's human metarig, and with the rig that Rigify generates from it.

    A Blender of its own does it: generating leaves a thread behind on which the bpy wheel waits
    for ever when it ends.
    """
    import bpy

    lines = (
        "import os, bpy, addon_utils",
        "bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)",
        "addon_utils.enable('rigify', default_set=True)",
        "bpy.ops.object.armature_human_metarig_add()",
        *(["bpy.ops.pose.rigify_generate()"] if generate else []),
        f"bpy.ops.wm.save_as_mainfile(filepath={str(path)!r})",
        "os._exit(0)",
    )
    blender = bpy.app.binary_path
    command = [blender, "-b", "--python-expr"] if blender else [sys.executable, "-c"]
    subprocess.run([*command, "\n".join(lines)], check=True, stdout=subprocess.DEVNULL)
    return path


def _camera(view: Any, turn: float, side: int) -> Any:
    """The drawing's camera, walked around the figure, with a square picture."""
    rotation = view.rotation @ addon("core.rotations").about_axis(2, turn)
    return replace(view, rotation=rotation, size=(side, side))


def _drawings_column(drawings: list[Drawing], side: int) -> Any:
    """The drawings themselves."""
    import cv2
    import numpy as np

    tiles = []
    for drawing in drawings:
        scale = side / max(drawing.grey.shape)
        small = cv2.resize(drawing.grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        tile = np.full((side, side), 255, np.uint8)
        top, left = (side - small.shape[0]) // 2, (side - small.shape[1]) // 2
        tile[top : top + small.shape[0], left : left + small.shape[1]] = small
        tiles.append(cv2.cvtColor(tile, cv2.COLOR_GRAY2BGR))
    return _column("", tiles)


def _column(title: str, tiles: list[Any]) -> Any:
    """Pictures below one another under a title."""
    import cv2
    import numpy as np

    side = tiles[0].shape[1]
    head = np.full((_TITLE, side, 3), 255, np.uint8)
    font = cv2.FONT_HERSHEY_SIMPLEX
    width = cv2.getTextSize(title, font, 1.0, 1)[0][0]
    scale = min(0.4, 0.94 * side / max(width, 1))
    place = (round((side - scale * width) / 2), _TITLE - 8)
    cv2.putText(head, title, place, font, scale, (60, 60, 60), 1, cv2.LINE_AA)
    return np.vstack([head, *tiles])


if __name__ == "__main__":
    run(main)
