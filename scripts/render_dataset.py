"""Render a folder of characters and a folder of animations into a sketch dataset.

python scripts/render_dataset.py --characters DIR --animations DIR --out DIR [--workers N]
blender -b -P scripts/render_dataset.py -- --characters DIR --animations DIR --out DIR

A run may end anywhere: the same command goes on where it was. docs/dataset.md tells what it writes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts._common import addon, run

if TYPE_CHECKING:
    from addon.core.clips import Progress
    from addon.core.dataset import DatasetSettings

_POLL = 0.05  # seconds between two looks at the workers
_REDRAW = 0.2  # seconds between two drawings of the progress bar
_REPORT = 10.0  # seconds between two lines where there is no terminal


def parser() -> argparse.ArgumentParser:
    """The command line."""
    dataset = addon("core.dataset")
    result = argparse.ArgumentParser(
        prog="render_dataset.py",
        description="Render rigged characters as sketches with everything that is known of them.",
    )
    add = result.add_argument_group("what goes in and out").add_argument
    add("--characters", type=Path, required=True, metavar="DIR", help=".fbx, .glb, .vrm, .blend")
    add("--animations", type=Path, required=True, metavar="DIR", help=".fbx, .glb, .bvh, .npz")
    add("--out", type=Path, required=True, metavar="DIR", help="the dataset's folder")
    add(
        "--labels",
        type=_names,
        default=dataset.DatasetSettings.labels,
        metavar="A,B",
        help=f"of {', '.join(dataset.LABELS)} (keypoints,mask,strokes)",
    )
    add("--no-images", action="store_true", help="write no pictures, labels only")

    add = result.add_argument_group("which views").add_argument
    add("--cameras", type=int, default=8, metavar="N", help="cameras around the figure (8)")
    add("--camera-jitter", action="store_true", help="throw the cameras about at random")
    add("--size", type=int, default=256, metavar="PX", help="side of the pictures (256)")
    add("--every", type=int, default=10, metavar="N", help="take every N-th frame (10)")
    add(
        "--max-per-clip",
        type=int,
        default=0,
        metavar="K",
        help="keep the K most different poses of each animation (0: all)",
    )
    add("--limit", type=int, default=0, metavar="N", help="stop after N views (0: all)")
    add(
        "--hold-out",
        type=_names,
        default=dataset.DatasetSettings.hold_out,
        metavar="A,B",
        help="names of the characters kept for validation, auto or none (auto)",
    )
    add("--seed", type=int, default=0, help="of every random choice (0)")

    add = result.add_argument_group("what they show").add_argument
    add("--figures", type=_range, default=(1, 1), metavar="N[-M]", help="in a picture, 1 to 3 (1)")
    add("--props", action="store_true", help="chairs, boxes, sticks and ground lines around them")
    add("--proportions", action="store_true", help="another body for each clip, chibi to elongated")
    add("--pose-noise", type=float, default=0.0, metavar="X", help="leave the poses, 0 to 1 (0)")
    add("--limb-perspective", action="store_true", help="near limbs larger, as artists exaggerate")
    add(
        "--style",
        type=_names,
        default=dataset.DatasetSettings.styles,
        metavar="A,B",
        help=f"of {', '.join(dataset.STYLES)} (lineart)",
    )
    add("--ink", default="plain", metavar="NAME", help=f"of {', '.join(dataset.INKS)} (plain)")

    add = result.add_argument_group("who does the work").add_argument
    add(
        "--workers",
        type=int,
        metavar="N",
        help="Blenders at a time (one a core, at most 8; with --ray one a CPU of the cluster)",
    )
    add(
        "--shard",
        type=_shard,
        default=(0, 1),
        metavar="I/N",
        help="do part I, from 0, of N; the parts may share the folder",
    )
    add(
        "--ray",
        nargs="?",
        const="local",
        metavar="ADDRESS",
        help="work on a Ray cluster, or on one made for this run; all machines share the folders",
    )
    return result


def main(arguments: list[str]) -> None:
    """Render, showing how it goes."""
    options = parser().parse_args(arguments)
    settings = addon("core.dataset").DatasetSettings(
        characters=options.characters.resolve(),
        animations=options.animations.resolve(),
        out=options.out.resolve(),
        cameras=options.cameras,
        every=options.every,
        size=options.size,
        limit=options.limit,
        max_per_clip=options.max_per_clip,
        seed=options.seed,
        images=not options.no_images,
        labels=options.labels,
        figures=options.figures,
        props=options.props,
        camera_jitter=options.camera_jitter,
        limb_perspective=options.limb_perspective,
        proportions=options.proportions,
        pose_noise=options.pose_noise,
        styles=options.style,
        ink=options.ink,
        hold_out=options.hold_out,
    )
    if options.workers is not None and options.workers < 1:
        raise addon("core.errors").UserError("There must be at least one worker.")
    display = Display(sys.stdout)
    try:
        for progress in _render(settings, options):
            display.show(progress)
            time.sleep(_POLL)
    finally:
        display.end()
    display.summary(settings.out / addon("core.clips").FAILED)


def _render(settings: DatasetSettings, options: argparse.Namespace) -> Iterator[Progress]:
    if options.ray is not None:
        from scripts._ray import render_with_ray

        return render_with_ray(settings, options.ray, options.workers, options.shard)
    workers = options.workers or min(os.cpu_count() or 1, 8)
    return addon("blender.workers").render_in_workers(settings, workers, options.shard)


class Display:
    """Progress on a terminal as a bar that stays in its line, elsewhere as a line now and then."""

    def __init__(self, file: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._clock = clock
        self._terminal = file.isatty()
        self._started = clock()
        self._shown = -_REPORT
        self._first: Progress | None = None  # the first with a total: what earlier runs have done
        self._begun = 0.0
        self._last: Progress | None = None
        self._pace = addon("core.pace").Pace()

    def show(self, progress: Progress) -> None:
        """Show where the run stands, if it is time to."""
        now = self._clock()
        if self._first is None and progress.total:
            self._first, self._begun = progress, now
        news = self._last is None or progress.failures > self._last.failures
        self._last = progress
        if progress.total:
            self._pace.note(progress.done, now)
        if not news and now - self._shown < (_REDRAW if self._terminal else _REPORT):
            return
        self._shown = now
        line = self._line(progress)
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            self._file.write("\r" + line[:width].ljust(width))
        else:
            self._file.write(line + "\n")
        self._file.flush()

    def end(self) -> None:
        """Leave the bar's line."""
        if self._terminal and self._last:
            self._file.write("\n")

    def summary(self, failed: Path) -> None:
        """The last lines: what there is, how fast it came, and what is missing.

        Args:
            failed: the file that lists what could not be used.
        """
        if self._last is None:
            return
        seconds = self._clock() - self._started
        print(
            f"{self._last.message}, {self._rate():.1f} views/s, {_time(seconds)}", file=self._file
        )
        if self._last.failures:
            print(
                f"{self._last.failures} clips or files could not be used: see {failed}. "
                "The next run tries them again.",
                file=self._file,
            )

    def _rate(self) -> float:
        """Views a second of the whole run."""
        if self._first is None or self._last is None:
            return 0.0
        return (self._last.done - self._first.done) / max(self._clock() - self._begun, 1e-3)

    def _line(self, progress: Progress) -> str:
        parts = []
        if progress.total:
            share = progress.done / progress.total
            bar = "#" * round(20 * share)
            parts += [f"[{bar:.<20}] {progress.done}/{progress.total} views"]
            left = self._pace.seconds_left(progress.total)
            if left is not None:
                parts += [f"{self._pace.rate:.1f}/s", f"{_time(left)} left"]
        if progress.failures:
            parts += [f"{progress.failures} failed"]
        return "  ".join([*parts, progress.message])


def _time(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (name.strip() for name in text.split(","))))


def _range(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    try:
        return int(low), int(high or low)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is no number and no range such as 1-3") from error


def _shard(text: str) -> tuple[int, int]:
    index, _, count = text.partition("/")
    if not (index.isdecimal() and count.isdecimal() and int(index) < int(count)):
        raise argparse.ArgumentTypeError(f"{text} is no part such as 0/2 or 1/2")
    return int(index), int(count)


if __name__ == "__main__":
    run(main)
