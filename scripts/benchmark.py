"""Measure rendering, posing and training speed: python scripts/benchmark.py [--json FILE].

- render: drawings of one character as the dataset renderer makes them, with keypoints, mask and
  strokes, with all labels, in the style Freestyle, and by as many processes as there are cores
  (views a second, and the ratio of Line Art to Freestyle, from one run);
- memory: what one renderer holds after 1,000 and after 10,000 views (MB);
- addon: what the add-on costs a Blender that has just started: enabling it, from the click to the
  posed rig, a step of dragging a joint (seconds), and the memory for all of it (MB); dragging
  Rigify's generated rig (706 bones), beside one evaluation of that rig by Blender (seconds) and as
  a multiple of the mannequin's step;
- pose: from the click to the posed rig, the first time and then, and what its parts take
  (seconds);
- train: labelled drawings made by the worker processes alone, then each network's training on
  them (images a second, and the share of the time spent waiting for data), and a step's time
  beside that of a plain one: the same network and batch, eager, in float32, without what the
  trainer adds (seconds, and ours as a multiple of the plain one). data_to_training above 1 means
  that drawing keeps up.

Without --character the built-in mannequin is drawn and posed, and trained on without --strokes.
Timings depend on what else the machine does: compare numbers of one run. The section train with
--strokes needs no Blender.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from scripts._benchmark_addon import MARK
from scripts._common import ROOT, addon, another_blender, package, resident_mb, run, silent

if TYPE_CHECKING:
    from trainer.train import Trainer

CAMERAS = 8
SIZE = 256
NETWORKS = ("unet", "hrnet-w32")
BATCH = 8

Table = dict[str, float]

GOALS = {
    "addon": {
        "enable_s": 0.3,
        "click_s": 0.5,
        "drag_step_s": 0.05,
        "rigify_drag_step_s": 0.05,
        "added_mb": 300,
    }
}
"""What an artist should not have to wait for, on two ordinary processor cores."""


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
        help="render, memory, addon, pose or train; may be given several times (all)",
    )
    add("--json", type=Path, metavar="FILE", help="write the figures there, too")
    add("--character", type=Path, metavar="FILE", help="draw and pose this one, Mixamo bone names")
    add("--sketch", type=Path, default=ROOT / "examples" / "gesture_run.png", metavar="FILE")
    add("--poses", type=int, default=5, metavar="N", help=f"poses of {CAMERAS} views to draw (5)")
    add("--repeats", type=int, default=7, metavar="N", help="times to pose; the median counts (7)")
    add("--batches", type=int, default=3, metavar="N", help="batches to train each network on (3)")
    add("--strokes", type=Path, metavar="PATH", help="dataset or stroke records to train on")
    add("--networks", nargs="+", default=NETWORKS, metavar="NAME", help=" ".join(NETWORKS))
    add(
        "--train",
        default="",
        metavar="OPTIONS",
        help="options of `python -m trainer train` in one argument, such as "
        f"'--precision bfloat16 --compile --batch 64' (batch {BATCH})",
    )
    return result


def main(arguments: list[str]) -> None:
    """Measure, print a table, write the JSON file."""
    options = parser().parse_args(arguments)
    for name in ("poses", "repeats", "batches"):
        if getattr(options, name) < 1:
            raise addon("core.errors").UserError(f"--{name} must be at least 1.")
    report: dict[str, Any] = {
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        }
    }
    if options.only != ["train"] or options.strokes is None:
        import bpy

        report["machine"]["blender"] = bpy.app.version_string
    print(", ".join(f"{name} {value}" for name, value in report["machine"].items()))
    for name, measure in SECTIONS.items():
        if options.only and name not in options.only:
            continue
        report[name] = measure(options)
        print(f"\n{name}")
        for what, value in report[name].items():
            goal = f"  (goal {GOALS[name][what]})" if what in GOALS.get(name, {}) else ""
            print(f"  {what:<32}{value:>10.3f}{goal}", flush=True)
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

_T_POSE = {
    "Hips": (0, 1.0, 0),
    "Spine": (0, 0.1, 0),
    "Spine1": (0, 0.12, 0),
    "Spine2": (0, 0.12, 0),
    "Neck": (0, 0.16, 0),
    "Head": (0, 0.09, 0.02),
    "Shoulder": (0.06, 0.13, 0),
    "Arm": (0.12, 0, 0),
    "ForeArm": (0.28, 0, 0),
    "Hand": (0.25, 0, 0),
    "UpLeg": (0.09, -0.04, 0),
    "Leg": (0, -0.43, 0),
    "Foot": (0, -0.43, 0),
    "ToeBase": (0, -0.07, 0.14),
}
"""Joint -> offset from its parent, metres, Y up, facing +Z; the left side's."""


def write_motion(path: Path, poses: int) -> None:
    """Write a pose corpus (see ``retarget.load_corpus``) of one clip: limbs swing at random."""
    skeleton = addon("core.skeleton")
    names = addon("core.retarget").JOINTS
    rng = np.random.default_rng(0)
    quaternions = np.zeros((poses, len(names), 4), np.float32)
    quaternions[..., 0] = 1
    for j, name in enumerate(names):
        if name in (*skeleton.ARMS, *skeleton.LEGS, "Spine1", "Neck"):
            quaternions[:, j, 1:] = rng.normal(0, 0.2, (poses, 3))
    offsets, parents = [], []
    for name in names:
        above = skeleton.PARENTS[skeleton.INDEX[name]]
        parents.append(names.index(skeleton.KEYPOINTS[above]) if above >= 0 else -1)
        x, y, z = _T_POSE[skeleton.without_side(name)]
        offsets.append((-x if name.startswith("Right") else x, y, z))
    root = np.tile(np.array([0.0, 1.0, 0.0]), (poses, 1))
    np.savez(
        path,
        mixamo_names=np.array(names),
        parents=parents,
        offsets=np.array(offsets),
        rot=quaternions,
        root_pos=root,
        extra_names=np.zeros(0, "U1"),
        extra_parent=np.zeros(0, int),
        extra_offset=np.zeros((0, 3)),
        clip=np.zeros(poses, int),
        clip_names=np.array(["swing"]),
        clip_floor=np.zeros(1),
        frame=np.arange(poses),
    )


def dataset_of(folder: Path, character: Path | None, poses: int, **changes: Any) -> Any:
    """Settings for a dataset of one character in one clip, its files put into a folder.

    Args:
        folder: where characters, animations and dataset go.
        character: a character file; the built-in mannequin without one.
        poses: length of the clip.
        changes: other values of the settings.
    """
    import bpy

    (folder / "characters").mkdir(parents=True)
    (folder / "animations").mkdir()
    if character is None:
        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
        addon("blender.mannequin").add_mannequin(bpy.context)
        with silent():
            bpy.ops.wm.save_as_mainfile(filepath=str(folder / "characters" / "mannequin.blend"))
    else:
        shutil.copy(character, folder / "characters")
    write_motion(folder / "animations" / "swing.npz", poses)
    return addon("core.dataset").DatasetSettings(
        **{
            "characters": folder / "characters",
            "animations": folder / "animations",
            "out": folder / "dataset",
            "cameras": CAMERAS,
            "size": SIZE,
            **changes,
        }
    )


def planned(settings: Any) -> Any:
    """The only clip of a dataset whose motions were read."""
    (character,) = settings.character_files()
    ((motion, poses),) = addon("core.dataset").motion_index(settings).items()
    return addon("core.clips").Clip("clip", character.name, motion, poses, "train")


def rate(character: Path | None, poses: int, **changes: Any) -> tuple[float, int]:
    """Views a second of the renderer in this process, after its first pose, and vertices."""
    with tempfile.TemporaryDirectory() as folder:
        settings = dataset_of(Path(folder), character, poses + 1, **changes)
        renderer = addon("blender.dataset_renderer").DatasetRenderer(settings)
        try:
            list(renderer.read_motion(settings.motion_files()[0]))
            with silent():
                work = renderer.render(planned(settings))
                next(work)  # loads the character and whatever draws
                views, duration = 0, 0.0
                started = time.perf_counter()
                for count in work:
                    views, duration = views + count, time.perf_counter() - started
            import bpy

            vertices = sum(len(mesh.vertices) for mesh in bpy.data.meshes)
        finally:
            renderer.close()
    return views / duration, vertices


def rate_of_workers(character: Path | None, poses: int, workers: int) -> float:
    """Views a second of several child Blenders together, from the first views on."""
    with tempfile.TemporaryDirectory() as folder:
        settings = dataset_of(Path(folder), character, poses)
        files = settings.animations
        for number in range(1, workers):  # each worker gets a clip of its own
            shutil.copy(files / "swing.npz", files / f"swing{number}.npz")
        started, first, last = 0.0, 0, (0, 0.0)
        for progress in addon("blender.workers").render_in_workers(settings, workers):
            if progress.done != last[0]:
                last = (progress.done, time.perf_counter())
                if not first:
                    first, started = last
            time.sleep(0.01)
        return (last[0] - first) / (last[1] - started)


def measure_render(options: argparse.Namespace) -> Table:
    """Views a second: the default labels, all labels, Freestyle, several processes."""
    all_labels = addon("core.dataset").LABELS
    line_art, vertices = rate(options.character, options.poses)
    labelled, _ = rate(options.character, options.poses, labels=all_labels)
    freestyle, _ = rate(options.character, options.poses, styles=("freestyle",))
    cores = os.cpu_count() or 1
    return {
        "views": options.poses * CAMERAS,
        "vertices": vertices,
        "line_art_views_per_s": line_art,
        "all_labels_views_per_s": labelled,
        "freestyle_views_per_s": freestyle,
        "ratio": line_art / freestyle,
        "workers": cores,
        "workers_views_per_s": rate_of_workers(options.character, 4 * options.poses, cores),
    }


def measure_memory(options: argparse.Namespace) -> Table:
    """Resident memory of one renderer after 1,000 views and after ten times as many, MB."""
    result: Table = {}
    with tempfile.TemporaryDirectory() as folder:
        settings = dataset_of(Path(folder), options.character, 500 // CAMERAS)
        for file in settings.character_files():  # a twin, so that characters come and go
            shutil.copy(file, file.with_stem(file.stem + " twin"))
        renderer = addon("blender.dataset_renderer").DatasetRenderer(settings)
        try:
            list(renderer.read_motion(settings.motion_files()[0]))
            ((motion, poses),) = addon("core.dataset").motion_index(settings).items()
            names = [file.name for file in settings.character_files()]
            views = 0
            for number in range(20):
                clip = addon("core.clips").Clip(
                    f"clip{number}", names[number % 2], motion, poses, "train"
                )
                views += sum(renderer.render(clip))
                if number in (1, 19):
                    result[f"mb_after_{views}_views"] = resident_mb()
        finally:
            renderer.close()
    return result


# --- The add-on --------------------------------------------------------------------------------


def measure_addon(options: argparse.Namespace) -> Table:
    """What the add-on costs a Blender of its own: the checkout's, or the installed extension."""
    command = [*another_blender("_benchmark_addon.py"), package(), str(options.sketch.resolve())]
    child = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    (answer,) = (line for line in child.stdout.splitlines() if line.startswith(MARK))
    return json.loads(answer.removeprefix(MARK))


# --- Posing --------------------------------------------------------------------------------------


def measure_pose(options: argparse.Namespace) -> Table:
    """Seconds from the click to the posed rig, and of its parts."""
    import bpy

    grey = addon("core.image").load_grey(options.sketch)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    if options.character is None:
        armature = addon("blender.mannequin").add_mannequin(bpy.context)
    else:
        armature = addon("blender.characters").import_character(options.character).armature
    pose, armatures = addon("blender.pose"), addon("blender.armature")
    lift, solve = addon("core.lift").lift, addon("core.solve").solve
    make_estimator = addon("core.estimator").Estimator
    picture = bpy.data.images.load(str(options.sketch.resolve()))

    def click() -> None:
        pose.pose_from_sketch(bpy.context, picture, armature, estimator=make_estimator())

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
        rig = armatures.rig_from_armature(armature)
        lap("read_rig_s")
        size = (grey.shape[1], grey.shape[0])
        solution = solve(rig, estimate.keypoints, estimate.scores, lifted, size=size)
        lap("solve_s")
        armatures.apply_solution(armature, rig, solution)
        bpy.context.view_layer.update()
        lap("apply_s")
    result = {"first_click_s": first, "click_s": median(clicks), "slowest_click_s": max(clicks)}
    return result | {part: median(times) for part, times in parts.items()}


# --- Training ------------------------------------------------------------------------------------


def measure_train(options: argparse.Namespace) -> Table:
    """Images a second drawn by the workers and trained on; a step beside a plain one."""
    try:
        import torch

        from trainer import train
    except ImportError as error:
        raise addon("core.errors").UserError(
            "The train section needs PyTorch; run make env, or name other sections with --only."
        ) from error
    usual = argparse.ArgumentParser(prog="--train")
    train.add_arguments(usual)
    result: Table = {"threads": torch.get_num_threads()}
    with tempfile.TemporaryDirectory() as folder:
        strokes = options.strokes or drawn_strokes(Path(folder), options)
        for network in options.networks:
            arguments = [str(strokes), "--out", folder, "--batch", str(BATCH)]
            arguments += ["--network", network, *shlex.split(options.train)]
            settings = train.settings_of(usual.parse_args(arguments))
            trainer = train.Trainer(settings)
            if "data_images_per_s" not in result:
                result["data_images_per_s"] = data_rate(trainer, options.batches)
            with train.spare_cores(0 if trainer.cuda else settings.workers):
                rates = step_rates(trainer, options.batches) | loop_rates(trainer, options.batches)
            rates["data_to_training"] = result["data_images_per_s"] / rates["images_per_s"]
            result |= {f"{network}_{what}": value for what, value in rates.items()}
    return result


def drawn_strokes(folder: Path, options: argparse.Namespace) -> Path:
    """Stroke records of the character, or the mannequin, to train on."""
    drawn = dataset_of(folder, options.character, options.poses, images=False)
    renderer = addon("blender.dataset_renderer").DatasetRenderer(drawn)
    try:
        list(renderer.read_motion(drawn.motion_files()[0]))
        for _ in renderer.render(planned(drawn)):
            pass
    finally:
        renderer.close()
    return drawn.out / "strokes"


def data_rate(trainer: Trainer, batches: int) -> float:
    """Images a second that the worker processes draw while nobody trains."""
    waiting = trainer.labelled_batches()
    next(waiting)  # they have started
    # Each holds two batches ready; many more than that must pass to see how fast they are made.
    count = max(batches, 4 * trainer.settings.workers)
    return count * trainer.settings.batch / seconds(lambda: [next(waiting) for _ in range(count)])


def loop_rates(trainer: Trainer, batches: int) -> Table:
    """Images a second of the training with its data, and the share of the time spent waiting."""
    waiting = trainer.labelled_batches()
    for _ in range(1 + 2 * trainer.settings.workers):  # until what lay ready is used up
        trainer.step(next(waiting), None, 0.5)
    waited = 0.0
    finish(trainer)
    started = time.perf_counter()
    for _ in range(batches):
        asked = time.perf_counter()
        batch = next(waiting)
        waited += time.perf_counter() - asked
        trainer.step(batch, None, 0.5)
    finish(trainer)
    duration = time.perf_counter() - started
    return {
        "images_per_s": batches * trainer.settings.batch / duration,
        "waiting": waited / duration,
    }


def step_rates(trainer: Trainer, batches: int) -> Table:
    """Median seconds of the trainer's step and of a plain one, taken in turn on one batch."""
    batch = next(trainer.labelled_batches())
    plain = plain_step(trainer, batch)
    trainer.network.train()
    times: dict[str, list[float]] = {"step_s": [], "plain_step_s": []}
    for turn in range(batches + 2):
        for name, step in (
            ("step_s", lambda: trainer.step(batch, None, 0.5)),
            ("plain_step_s", plain),
        ):
            finish(trainer)

            def timed(step: Callable[[], Any] = step) -> None:
                step()
                finish(trainer)

            duration = seconds(timed)
            if turn >= 2:  # before, libraries choose their kernels and compilers run
                times[name].append(duration)
    result = {name: median(values) for name, values in times.items()}
    return result | {"step_to_plain": result["step_s"] / result["plain_step_s"]}


def plain_step(trainer: Trainer, batch: list[Any]) -> Callable[[], None]:
    """A step with the same network and batch as a first version would take it.

    Eager and in single precision (convolutions in TF32 on a GPU, as is torch's default), without
    average, clipping, tones and schedule: only forward, loss, backward and AdamW.
    """
    import torch

    from trainer import data, losses, models

    settings, device = trainer.settings, trainer.device
    network = models.build(settings.network).to(device).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.lr)
    ink, points, valid = data.to_ink(batch[0], device), batch[1].to(device), batch[2].to(device)
    keypoint_loss = losses.keypoint_loss(settings.loss, settings.sigma, settings.mining)

    def step() -> None:
        optimizer.zero_grad()
        loss = keypoint_loss(network(ink), points, valid)
        losses.labelled_mean(loss, valid).backward()
        optimizer.step()

    return step


def finish(trainer: Trainer) -> None:
    """Wait until the device has done all that it was told."""
    if trainer.cuda:
        import torch

        torch.cuda.synchronize()


SECTIONS: dict[str, Callable[[argparse.Namespace], Table]] = {
    "render": measure_render,
    "memory": measure_memory,
    "addon": measure_addon,
    "pose": measure_pose,
    "train": measure_train,
}


if __name__ == "__main__":
    run(main)
