"""Render a folder of characters and a folder of animations into a sketch dataset.

python scripts/render_dataset.py --characters DIR --animations DIR --out DIR
blender -b -P scripts/render_dataset.py -- --characters DIR --animations DIR --out DIR
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts._common import addon, run


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="render_dataset.py",
        description="Render rigged characters as line sketches with known joints.",
    )
    add = result.add_argument
    add("--characters", type=Path, required=True, metavar="DIR", help=".fbx, .glb, .vrm, .blend")
    add("--animations", type=Path, required=True, metavar="DIR", help=".fbx, .glb, .npz corpora")
    add("--out", type=Path, required=True, metavar="DIR", help="the dataset's folder")
    add("--cameras", type=int, default=8, metavar="N", help="cameras in the ring (8)")
    add("--every", type=int, default=10, metavar="N", help="take every N-th frame (10)")
    add("--size", type=int, default=256, metavar="PX", help="side of the pictures (256)")
    add("--limit", type=int, default=0, metavar="N", help="stop after N views (0: all)")
    add(
        "--max-per-clip", type=int, default=0, metavar="K", help="the K most different poses a clip"
    )
    add("--camera-jitter", action="store_true", help="throw the cameras about at random")
    add("--no-images", action="store_true", help="write stroke records only, no PNGs")
    add("--seed", type=int, default=0, help="of every random choice (0)")
    return result


def main(arguments: list[str]) -> None:
    """Render, printing one line a clip and the rate at the end."""
    options = parser().parse_args(arguments)
    dataset = addon("blender.dataset")
    settings = dataset.DatasetSettings(
        characters=options.characters,
        animations=options.animations,
        out=options.out,
        cameras=options.cameras,
        every=options.every,
        size=options.size,
        limit=options.limit,
        max_per_clip=options.max_per_clip,
        jitter=options.camera_jitter,
        images=not options.no_images,
        seed=options.seed,
    )
    import bpy

    settings.check()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    started, done, message = time.monotonic(), 0, ""
    for progress in dataset.render_dataset(settings):
        done = progress.done
        if progress.message != message:
            message = progress.message
            print(f"[{done}/{progress.total}] {message}", flush=True)
    seconds = time.monotonic() - started
    print(f"{done / seconds:.1f} views a second")


if __name__ == "__main__":
    run(main)
