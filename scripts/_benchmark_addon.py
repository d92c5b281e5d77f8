"""What the add-on costs a Blender that has just started; ``benchmark.py`` reads the answer.

Nothing heavy is imported before the add-on is: enabling it must be seen to pay for NumPy and
OpenCV.
"""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts._common import addon, resident_mb, run

if TYPE_CHECKING:
    import bpy

MARK = "croquis benchmark: "
"""Tells the answer from what else Blender prints."""

_CLICKS = 8
_STEPS = 30
_REACH = 0.1  # of the drawing's height: radius of the circle in which a wrist is dragged


def main(arguments: list[str]) -> None:
    """Enable the add-on, pose the mannequin, drag its wrist, then a Rigify rig's; print figures.

    Args:
        arguments: the add-on's package, and a drawing.
    """
    package, sketch = arguments
    import bpy

    before = resident_mb()
    figures = {"enable_s": seconds(lambda: enable(package)), "enable_mb": resident_mb() - before}
    armature = addon("blender.mannequin").add_mannequin(bpy.context)
    settings = bpy.context.scene.croquis
    settings.armature, settings.drawing = armature, bpy.data.images.load(sketch)
    first, *clicks = [seconds(bpy.ops.croquis.pose_from_sketch) for _ in range(_CLICKS)]
    figures |= {"first_click_s": first, "click_s": median(clicks)}

    steps = drag(armature)
    figures |= {"drag_step_s": median(steps), "slowest_drag_step_s": max(steps)}
    figures["added_mb"] = resident_mb() - before

    settings.armature = armature = add_rigify()
    bpy.ops.croquis.pose_from_sketch()
    steps = drag(armature)
    figures |= {"rigify_drag_step_s": median(steps), "rigify_update_s": update(armature)}
    figures["rigify_drag_ratio"] = figures["rigify_drag_step_s"] / figures["drag_step_s"]
    print(f"\n{MARK}{json.dumps(figures)}", flush=True)
    os._exit(0)  # what an add-on's operators leave behind may keep the bpy wheel from ending


def drag(armature: bpy.types.Object) -> list[float]:
    """Seconds that each step takes of dragging a posed character's left wrist in a circle."""
    import bpy

    correction = addon("blender.correct").Correction(bpy.context, armature)
    kept = correction.before
    x, y = kept.keypoints[addon("core.skeleton").INDEX["LeftHand"]]
    reach = _REACH * kept.size[1]
    steps = []
    for step in range(_STEPS):
        turn = 2 * math.pi * step / _STEPS
        place = (x + reach * math.sin(turn), y + reach * (1 - math.cos(turn)))
        steps.append(seconds(lambda place=place: correction.move("LeftHand", place)))
    return steps


def add_rigify() -> bpy.types.Object:
    """The rig that Rigify generates from its human metarig: 706 bones."""
    import bpy

    from scripts import draw_rigs

    characters = addon("blender.characters")
    with tempfile.TemporaryDirectory() as folder:
        file = draw_rigs.make_rigify(Path(folder, "rig.blend"), generate=True)
        armature = characters.main_armature(characters.import_objects(file))
    bpy.context.view_layer.update()
    return armature


def update(armature: bpy.types.Object) -> float:
    """Seconds that Blender needs to evaluate a pose once, whatever the add-on does."""
    import bpy

    def evaluate() -> None:
        armature.update_tag()
        bpy.context.view_layer.update()

    return median(seconds(evaluate) for _ in range(_STEPS))


def seconds(work: Callable[[], object]) -> float:
    """How long a call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def enable(package: str) -> None:
    """Enable the installed extension as the preferences do, or register the checkout's add-on."""
    if package.startswith("bl_ext."):
        import addon_utils

        addon_utils.enable(package, default_set=True)
    else:
        addon().register()


if __name__ == "__main__":
    run(main)
