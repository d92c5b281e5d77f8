"""Measure rendering, posing and training speed: python scripts/benchmark.py [--json FILE].

- render: drawings of one character by Line Art, as the dataset renderer makes them, against the
  same views through Freestyle (views a second, and their ratio, from one run);
- pose: from the click to the posed rig, the first time and then, and what its parts take
  (seconds);
- train: labelled drawings made by one processor core, and trained on by each network (images a
  second).

Without --character the built-in mannequin is drawn and posed. Timings depend on what else the
machine does: compare numbers of one run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from numpy.typing import NDArray

from scripts._common import ROOT, addon, run

if TYPE_CHECKING:
    import bpy

    from addon.core.camera import Camera
    from addon.core.strokes import View

CAMERAS = 8
SIZE = 256
NETWORKS = ("unet", "hrnet-w32")
BATCH = 8

Table = dict[str, float]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="benchmark.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add(
        "--only",
        action="append",
        choices=sorted(SECTIONS),
        metavar="SECTION",
        help="render, pose or train; may be given several times (all)",
    )
    add("--json", type=Path, metavar="FILE", help="write the figures there, too")
    add("--character", type=Path, metavar="FILE", help="draw and pose this one, Mixamo bone names")
    add("--sketch", type=Path, default=ROOT / "examples" / "gesture_run.png", metavar="FILE")
    add("--poses", type=int, default=5, metavar="N", help=f"poses of {CAMERAS} views to draw (5)")
    add("--repeats", type=int, default=7, metavar="N", help="times to pose; the median counts (7)")
    add("--batches", type=int, default=3, metavar="N", help=f"batches of {BATCH} a network (3)")
    return result


def main(arguments: list[str]) -> None:
    """Measure, print a table, write the JSON file."""
    options = parser().parse_args(arguments)
    for name in ("poses", "repeats", "batches"):
        if getattr(options, name) < 1:
            raise addon("core.errors").UserError(f"--{name} must be at least 1.")
    import bpy

    report: dict[str, Any] = {
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "blender": bpy.app.version_string,
        }
    }
    print(", ".join(f"{name} {value}" for name, value in report["machine"].items()))
    for name, measure in SECTIONS.items():
        if options.only and name not in options.only:
            continue
        report[name] = measure(options)
        print(f"\n{name}")
        for what, value in report[name].items():
            print(f"  {what:<32}{value:>10.3f}", flush=True)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(report, indent=2) + "\n"
        addon("core.files").write_whole(options.json, text.encode())


def seconds(work: Callable[[], Any]) -> float:
    """How long a call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


# --- Rendering -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stage:
    """A character alone in a scene.

    Attributes:
        armature: its armature object.
        meshes: its meshes.
        puppet: it, ready to take poses.
    """

    armature: bpy.types.Object
    meshes: list[bpy.types.Object]
    puppet: Any

    @classmethod
    def set(cls, character: Path | None) -> Stage:
        """Empty the scene and bring the character, or the mannequin, onto it."""
        import bpy

        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
        if character is None:
            armature = addon("blender.mannequin").add_mannequin(bpy.context)
            meshes = [child for child in armature.children if child.type == "MESH"]
        else:
            loaded = addon("blender.characters").import_character(character)
            armature, meshes = loaded.armature, loaded.meshes
        return cls(armature, meshes, addon("blender.animations").Puppet.prepare(armature))

    def views(
        self, poses: int
    ) -> Iterator[tuple[Camera, NDArray[np.float64], NDArray[np.float64]]]:
        """Pose after pose, camera after camera: the same ones at every call.

        Yields:
            The camera, the joints ``[23, 3]`` and all points of the body ``[N, 3]``, world space.
        """
        import bpy
        from mathutils import Euler

        dataset, skeleton = addon("blender.dataset"), addon("core.skeleton")
        rng = np.random.default_rng(0)
        for _ in range(poses):
            for limb in (*skeleton.ARMS, *skeleton.LEGS, "Spine1", "Neck"):
                bone = self.armature.pose.bones[self.puppet.bones[limb]]
                bone.matrix_basis = Euler(rng.normal(0, 0.4, 3).tolist()).to_matrix().to_4x4()
            bpy.context.view_layer.update()
            joints = self.puppet.joints()
            body = np.concatenate([joints, *map(dataset.mesh_points, self.meshes)])
            for camera in addon("core.camera").ring(
                joints[skeleton.INDEX["Spine1"]],
                dataset.DISTANCE * self.puppet.height,
                CAMERAS,
                size=(SIZE, SIZE),
                focal=SIZE,
            ):
                yield camera.zoomed(body, dataset.MARGIN), joints, body


def draw_views(stage: Stage, poses: int) -> list[View]:
    """The views as stroke records, each also drawn and encoded as the renderer does."""
    import cv2

    strokes, dataset = addon("core.strokes"), addon("blender.dataset")
    line_art = addon("blender.lineart").LineArt()
    drawn = []
    try:
        for number, (camera, joints, body) in enumerate(stage.views(poses)):
            lines = line_art.draw(camera, body)
            cv2.imencode(".png", dataset.draw_plain(lines, SIZE))
            drawn.append(
                strokes.View(
                    strokes=lines,
                    keypoints=camera.project(joints).astype(np.float32),
                    visibility=np.full(len(joints), 2, np.uint8),
                    joints=camera.to_camera(joints).astype(np.float32),
                    frame=number // CAMERAS,
                    camera=number % CAMERAS,
                )
            )
    finally:
        line_art.remove()
    return drawn


def draw_freestyle(stage: Stage, poses: int) -> None:
    """The same views as pictures by Freestyle."""
    freestyle = addon("blender.freestyle").Freestyle()
    try:
        with silent():
            for camera, _, body in stage.views(poses):
                freestyle.draw(camera, body)
    finally:
        freestyle.remove()


@contextmanager
def silent() -> Iterator[None]:
    """Keep Blender from printing a hundred lines for every render."""
    sys.stdout.flush()
    saved, sink = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 1)
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(sink)


def measure_render(options: argparse.Namespace) -> Table:
    """Views a second of Line Art and Freestyle."""
    stage = Stage.set(options.character)
    count = options.poses * CAMERAS
    # One pose before each clock starts: both load their parts at the first view.
    draw_views(stage, 1)
    line_art = count / seconds(lambda: draw_views(stage, options.poses))
    draw_freestyle(stage, 1)
    freestyle = count / seconds(lambda: draw_freestyle(stage, options.poses))
    vertices = sum(len(mesh.data.vertices) for mesh in stage.meshes)
    return {
        "views": count,
        "vertices": vertices,
        "line_art_views_per_s": line_art,
        "freestyle_views_per_s": freestyle,
        "ratio": line_art / freestyle,
    }


# --- Posing --------------------------------------------------------------------------------------


def measure_pose(options: argparse.Namespace) -> Table:
    """Seconds from the click to the posed rig, and of its parts."""
    import bpy

    grey = addon("core.image").load_grey(options.sketch)
    stage = Stage.set(options.character)
    pose, armatures = addon("blender.pose"), addon("blender.armature")
    lift, solve = addon("core.lift").lift, addon("core.solve").solve
    make_estimator = addon("core.estimator").Estimator
    picture = bpy.data.images.load(str(options.sketch.resolve()))

    def click() -> None:
        pose.pose_from_sketch(bpy.context, picture, stage.armature, estimator=make_estimator())

    first = seconds(click)
    clicks = [seconds(click) for _ in range(options.repeats)]
    estimator = make_estimator()
    parts: dict[str, list[float]] = {}
    for _ in range(options.repeats):
        clock = time.perf_counter()

        def lap(part: str) -> None:
            nonlocal clock
            now = time.perf_counter()
            parts.setdefault(part, []).append(now - clock)
            clock = now

        estimate = estimator.estimate(grey)
        lap("estimate_s")
        lifted = lift(estimate.keypoints, estimate.scores)
        lap("lift_s")
        rig = armatures.rig_from_armature(stage.armature)
        lap("read_rig_s")
        size = (grey.shape[1], grey.shape[0])
        solution = solve(rig, estimate.keypoints, estimate.scores, lifted, size=size)
        lap("solve_s")
        armatures.apply_solution(stage.armature, rig, solution, False)
        bpy.context.view_layer.update()
        lap("apply_s")
    result = {"first_click_s": first, "click_s": median(clicks), "slowest_click_s": max(clicks)}
    return result | {part: median(times) for part, times in parts.items()}


# --- Training ------------------------------------------------------------------------------------


def measure_train(options: argparse.Namespace) -> Table:
    """Images a second, drawn by one core and trained on by all."""
    try:
        import torch

        from trainer import data
        from trainer.train import Settings, Trainer
    except ImportError as error:
        raise addon("core.errors").UserError(
            "The train section needs PyTorch; run make env, or name other sections with --only."
        ) from error
    views = draw_views(Stage.set(options.character), options.poses)
    pack = addon("core.strokes").StrokePack.from_views(views, SIZE, [("benchmark", "random poses")])
    result: Table = {"threads": torch.get_num_threads()}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "strokes.npz"
        pack.save(file)
        for network in NETWORKS:
            settings = Settings((file,), Path(folder), network=network, batch=BATCH, workers=0)
            trainer = Trainer(settings)
            tickets = data.Tickets(len(pack), seed=0)
            batches = iter(data.loader(trainer.sketches, BATCH, 0, tickets=tickets))
            batch = next(batches)
            if "drawing_images_per_s" not in result:
                drawing = seconds(lambda: [next(batches) for _ in range(options.batches)])  # noqa: B023
                result["drawing_images_per_s"] = options.batches * BATCH / drawing
            trainer.network.train()
            trainer.step(batch, None, 0.5)
            training = seconds(
                lambda: [trainer.step(batch, None, 0.5) for _ in range(options.batches)]  # noqa: B023
            )
            result[f"{network}_images_per_s"] = options.batches * BATCH / training
    return result


SECTIONS: dict[str, Callable[[argparse.Namespace], Table]] = {
    "render": measure_render,
    "pose": measure_pose,
    "train": measure_train,
}


if __name__ == "__main__":
    run(main)
