"""A dataset rendered by several Blenders at once, in runs that can end anywhere and go on.

First every animation file is read once, then the clips are rendered, then the annotations of all
finished clips are gathered. Workers do it, one job at a time; they may be child Blenders of this
machine (here) or actors of a Ray cluster (``scripts/_ray.py``).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Iterable, Iterator
from typing import Any, Protocol, TypeVar

import bpy

from ..core import clips
from ..core.clips import Clip, Failure, Job, Progress, Schedule
from ..core.dataset import DatasetSettings, claim, motion_index, poses_done, read_motions
from ..core.errors import UserError
from ..core.files import removing_abandoned
from .child import Answer, sentence
from .children import ChildBlenders

_STEP = 0.05  # seconds that a step may take: the panel stands still meanwhile

T = TypeVar("T")


class Workers(Protocol):
    """Whoever does the jobs."""

    @property
    def idle(self) -> bool:
        """Whether somebody could take a job now."""
        ...

    def give(self, job: Job, *, fresh: bool) -> None:
        """Hand a job to an idle worker; to one that has done nothing yet if ``fresh``."""
        ...

    def news(self) -> list[tuple[Job, Answer]]:
        """What has happened since the last call, without waiting.

        Beside the answers that a worker gives there is ``lost``: it ended before it had begun.
        """
        ...

    def close(self) -> None:
        """End all workers."""
        ...


def render_in_workers(
    settings: DatasetSettings, workers: int = 1, shard: tuple[int, int] = (0, 1)
) -> Iterator[Progress]:
    """Render a dataset, or what is missing of one, in child Blenders; the scene stays as it is.

    The generator never waits: every step reports the latest news. Closing it ends the children;
    finished clips stay, and a later run goes on after them. Files and clips that cannot be used
    (damaged, no armature, Blender crashes) are listed in ``failed.json`` and left out; the next run
    tries them again.

    Args:
        settings: what to render.
        workers: number of child Blenders.
        shard: number of this machine, from 0, and number of machines that share the work. They may
            share the folder ``out`` too.

    Yields:
        Progress, the same one again while there is nothing new. The last says what there is.

    Raises:
        UserError: the settings make no sense, no file could be used, the dataset in ``out`` was
            made with other settings, or the disk is full.
        RuntimeError: Blender does not start.
    """
    settings.check()
    with contextlib.closing(ChildBlenders(settings, workers)) as children:
        yield from render_with(children, settings, shard)


def render_with(
    workers: Workers, settings: DatasetSettings, shard: tuple[int, int] = (0, 1)
) -> Iterator[Progress]:
    """:func:`render_in_workers` with any kind of workers; closing them is the caller's."""
    try:
        yield from _Run(workers, settings, shard).steps()
    except OSError as error:
        raise UserError(sentence(error, settings.out)) from error


class _Run:
    """One run: where it stands, and what it could not use."""

    def __init__(self, workers: Workers, settings: DatasetSettings, shard: tuple[int, int]) -> None:
        self._workers = workers
        self._settings = settings
        self._shard = shard
        self._plan: list[Clip] = []
        self._failures: list[Failure] = []
        self._drawn = 0  # views of finished clips, before the jobs at hand
        self._done = self._total = 0

    def steps(self) -> Iterator[Progress]:
        """All of the run."""
        settings = self._settings
        looking = "Looking for what is done already"
        yield self._progress(looking)
        description = claim(settings, bpy.app.version_string)
        self._note_failures()  # none, so far: what failed before is tried again
        yield from self._each(removing_abandoned(settings.out), looking)
        yield from self._read_motions()
        characters = [path.name for path in settings.character_files()]
        self._plan = clips.plan(
            characters,
            motion_index(settings),
            description,
            cameras=settings.cameras,
            limit=settings.limit,
            seed=settings.seed,
        )
        ours = clips.shard(self._plan, *self._shard)
        stand = yield from self._each(map(self._stands, ours), looking)
        missing = [clip for clip, stands in zip(ours, stand, strict=True) if not stands]
        self._drawn = settings.cameras * sum(clip.poses for clip in {*ours} - {*missing})
        yield from self._render(missing)
        count = yield from self._gather()
        yield self._progress(f"{count} drawings in {settings.out}")

    def _read_motions(self) -> Iterator[Progress]:
        """Read the animation files that were not read yet."""
        settings = self._settings
        files = settings.motion_files()
        missing = [path for path in files if read_motions(settings.out, path.name) is None]
        yield from self._work(Schedule(map(clips.motion_job, missing)))
        if not any(motion_index(settings).values()):
            raise self._none_of(f"animation in {settings.animations} can be used")

    def _render(self, missing: list[Clip]) -> Iterator[Progress]:
        """Render the clips that are missing."""
        settings = self._settings
        # A character that crashes Blender does so here, not again for each of its clips; and it
        # is known to be no company for others, whichever clip comes first.
        together = settings.figures[1] > 1 and missing
        needed = {clip.character for clip in (self._plan if together else missing)}
        loading = Schedule(map(clips.character_job, sorted(needed)))
        yield from self._work(loading, settings.cameras * sum(clip.poses for clip in missing))
        bad = {failure.name for failure in loading.failures}
        usable = [clip for clip in missing if clip.character not in bad]
        jobs = [clips.render_job(clip, settings.cameras, bad) for clip in usable]
        yield from self._work(Schedule(jobs))
        self._drawn = self._done
        if missing and not any(map(self._stands, self._plan)):
            raise self._none_of(f"character in {settings.characters} can be drawn")

    def _gather(self) -> Generator[Progress, None, int]:
        """Gather the annotations; returns the number of drawings."""
        while True:
            whole = yield from self._whole()
            schedule = Schedule([clips.gather_job()])
            count = yield from self._work(schedule)
            if schedule.failures:
                raise RuntimeError(f"Annotations: {schedule.failures[0].reason}")
            # Another shard may have finished its last clip while we gathered, and may have
            # gathered faster: then what stands is ours, and lacks that clip.
            if whole or not (yield from self._whole()):
                clips.gather_failures(self._settings.out, self._shard[1])
                return count

    def _work(self, schedule: Schedule, views_left: int = 0) -> Generator[Progress, None, Any]:
        """Have all jobs of a schedule done; returns what the last one counted.

        Args:
            schedule: the jobs.
            views_left: to be drawn after these jobs.
        """
        message, result = "", None
        noted = 0  # of the schedule's failures
        while not schedule.over:
            while self._workers.idle and (job := schedule.next()):
                self._workers.give(job, fresh=schedule.needs_fresh_worker(job))
                message = job.message
            for job, (what, value) in self._workers.news():
                message = job.message
                match what:
                    case "views":
                        schedule.advance(job, value)
                    case "finished":
                        schedule.finish(job)
                        result = value
                    case "skipped":
                        schedule.skip(job, value)
                    case "crashed":
                        schedule.crash(job, value)
                    case "lost":
                        schedule.give_back(job)
                    case "stopped":
                        raise UserError(value)
            self._take(schedule.failures[noted:])
            noted = len(schedule.failures)
            self._done = self._drawn + schedule.done
            self._total = self._drawn + schedule.total + views_left
            yield self._progress(message)
        return result

    def _take(self, failures: list[Failure]) -> None:
        """Note new failures."""
        if not failures:
            return
        for failure in failures:
            if failure.kind == "clip":
                clips.discard(self._settings.out, failure.name)
        self._failures += failures
        self._note_failures()

    def _note_failures(self) -> None:
        clips.write_failures(self._settings.out, self._failures, self._shard)

    def _progress(self, message: str) -> Progress:
        return Progress(self._done, self._total, message, len(self._failures))

    def _each(self, values: Iterable[T], message: str) -> Generator[Progress, None, list[T]]:
        """Collect values that take time, without keeping the panel waiting for all of them."""
        found, began = [], time.monotonic()
        for value in values:
            found.append(value)
            if time.monotonic() - began > _STEP:
                yield self._progress(message)
                began = time.monotonic()
        return found

    def _none_of(self, what: str) -> UserError:
        """The sentence that ends a run of which nothing came."""
        clips.gather_failures(self._settings.out, self._shard[1])
        if not self._failures:  # a corpus may be sound, and hold no clip
            return UserError(f"No {what}: they hold nothing to draw.")
        failure = self._failures[-1]
        return UserError(f"No {what}; {failure.name} fails: {failure.reason}")

    def _stands(self, clip: Clip) -> bool:
        return poses_done(self._settings.out, clip.name) >= clip.poses

    def _whole(self) -> Generator[Progress, None, bool]:
        """Every clip of every shard is finished, or has failed."""
        noted = clips.noted_failures(self._settings.out, self._shard[1])
        failed = {(failure.kind, failure.name) for failure in noted}
        left = [
            clip
            for clip in self._plan
            if ("clip", clip.name) not in failed and ("character", clip.character) not in failed
        ]
        return all((yield from self._each(map(self._stands, left), clips.gather_job().message)))
