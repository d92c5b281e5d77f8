"""Read the motions of animation files, to train the lifter on their poses.

python scripts/read_motions.py animations/ out/motions
python -m trainer.lifter train --poses poses/ --animations out/motions

Each animation becomes one file with as many of its poses as --most says, those that differ most
from one another. What cannot be read is listed at the end, and the exit status is 2.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts._common import addon, run

FORMATS = (".bvh", ".fbx", ".glb", ".gltf")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="read_motions.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add("animations", type=Path, metavar="FOLDER", help=f"with files {', '.join(FORMATS)}")
    add("out", type=Path, metavar="OUT", help="folder that receives a file for each animation")
    add("--every", type=int, default=3, metavar="N", help="look at every N-th frame (3)")
    add("--most", type=int, default=80, metavar="N", help="poses of an animation at most (80)")
    return result


def main(arguments: list[str]) -> None:
    """Read file by file."""
    options = parser().parse_args(arguments)
    UserError = addon("core.errors").UserError
    if min(options.every, options.most) < 1:
        raise UserError("--every and --most must be at least 1.")
    files = sorted(p for p in options.animations.iterdir() if p.suffix.lower() in FORMATS)
    if not files:
        raise UserError(f"There are no animations in {options.animations}.")
    motions, retarget = addon("blender.motions"), addon("core.retarget")
    options.out.mkdir(parents=True, exist_ok=True)
    poses, refused = 0, []
    for file in files:
        try:
            found = motions.load_motions(file, options.every)
        except UserError as error:
            refused.append(str(error))
            continue
        for number, motion in enumerate(found):
            kept = motion.take(sorted(retarget.farthest_frames(motion, options.most)))
            kept.save(options.out / f"{file.name}-{number}.npz")
            poses += len(kept)
    print(f"{poses} poses of {len(files) - len(refused)} files")
    if refused:
        raise UserError("\n".join(refused))


if __name__ == "__main__":
    run(main)
