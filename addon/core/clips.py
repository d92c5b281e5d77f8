"""Clips, and who renders which: the plan of a dataset and the bookkeeping of a run.

A clip is one character with one motion, seen by all cameras. It is the unit of work: finished or
absent, rendered by any process on any machine, with the same result. Nothing here starts a process
or touches Blender, so local workers and a Ray cluster share it.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .dataset import safe_name, split_of
from .files import write_whole

MAX_CRASHES = 2
"""A clip that crashed this often has failed, and so has a character while it was loaded."""

FAILED = "failed.json"


@dataclass(frozen=True)
class Clip:
    """One character with one motion.

    Attributes:
        name: unique, fit for a file name.
        character: file name of the character.
        motion: name of the motion.
        poses: how many of the motion's poses to draw, from the first.
        split: "train" or "val".
    """

    name: str
    character: str
    motion: str
    poses: int
    split: str


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes:
        done, total: views drawn of those planned, without the views of clips that failed.
        message: a line for the user.
        failures: clips and files that could not be used so far.
    """

    done: int
    total: int
    message: str
    failures: int = 0


def plan(
    characters: Iterable[str],
    motions: Mapping[str, int],
    description: Mapping[str, Any],
    *,
    cameras: int,
    limit: int = 0,
    seed: int = 0,
) -> list[Clip]:
    """All clips of a dataset, character by character.

    Without a limit that is every motion on every character. With one, clips are taken in a random
    order (the same for the same seed) until it is reached and the last is cut short, so that a
    small dataset still shows many characters and motions.

    Args:
        characters: file names of the characters.
        motions: name of each motion -> its number of poses.
        description: what ``dataset.json`` holds: it says which split a character belongs to.
        cameras: views of each pose.
        limit: number of views after which to stop, 0 for all.
        seed: of the random order.
    """
    clips = []
    for character in sorted(characters):
        stem = Path(character).stem
        split = split_of(description, stem)
        clips += [
            Clip(safe_name(stem, motion), character, motion, poses, split)
            for motion, poses in sorted(motions.items())
            if poses
        ]
    if not limit:
        return clips
    left = -(-limit // cameras)
    taken = [0] * len(clips)
    for i in np.random.default_rng(seed).permutation(len(clips)):
        taken[i] = min(clips[i].poses, left)
        left -= taken[i]
    return [replace(clip, poses=poses) for clip, poses in zip(clips, taken, strict=True) if poses]


def shard(clips: Sequence[Clip], index: int, count: int) -> list[Clip]:
    """Every ``count``-th clip from number ``index`` on: the part of one of ``count`` machines."""
    return list(clips[index::count])


@dataclass(frozen=True)
class Job:
    """Something for a worker to do, in one piece.

    Attributes:
        name: of the clip or the file that it is about.
        request: what the worker is told, fit for JSON.
        message: for the user, while it is being done.
        views: how many it draws.
        character: file name of the character that it needs, if any.
        kind: what the name is the name of.
    """

    name: str
    request: dict[str, Any] = field(hash=False)
    message: str
    views: int = 0
    character: str = ""
    kind: Literal["clip", "file"] = "file"


def render_job(clip: Clip, cameras: int) -> Job:
    """The job of rendering a clip."""
    return Job(
        name=clip.name,
        request={"do": "render", "clip": asdict(clip)},
        message=f"{Path(clip.character).stem}: {clip.motion}",
        views=clip.poses * cameras,
        character=clip.character,
        kind="clip",
    )


def read_job(path: Path) -> Job:
    """The job of reading an animation file."""
    return Job(path.name, {"do": "read_motion", "path": str(path)}, f"Reading {path.name}")


@dataclass(frozen=True)
class Failure:
    """A clip or a file that could not be used.

    Attributes:
        kind, name: which.
        reason: a sentence.
        crashed: whether Blender ended over it, not just refused it.
    """

    kind: Literal["clip", "file"]
    name: str
    reason: str
    crashed: bool

    def entry(self) -> dict[str, Any]:
        """As it stands in ``failed.json``."""
        return {self.kind: self.name, "reason": self.reason, "crashed": self.crashed}


@dataclass
class _Attempt:
    """A job in some worker's hands: the views that it has drawn, the character that it loads."""

    views: int = 0
    loading: str = ""


class Schedule:
    """Which jobs wait, run, are done or have failed. Workers ask it for jobs and tell it news.

    A job that crashed its worker is given out once more, for a fresh worker; a second crash fails
    it. Two crashes while the same character was being loaded fail all jobs that wait for it.
    """

    def __init__(self, jobs: Iterable[Job], views_before: int = 0) -> None:
        """Start with every job waiting, in the given order.

        Args:
            jobs: what is to be done.
            views_before: drawn in earlier runs; they count as done.
        """
        self._waiting = deque(jobs)
        self._running: dict[Job, _Attempt] = {}
        self._crashes: Counter[str] = Counter()
        self._loading_crashes: Counter[str] = Counter()
        self._views = views_before
        self.total = views_before + sum(job.views for job in self._waiting)
        self.finished = 0
        self.failures: list[Failure] = []

    @property
    def done(self) -> int:
        """Views drawn, with those of the jobs in hand."""
        return self._views + sum(attempt.views for attempt in self._running.values())

    @property
    def over(self) -> bool:
        """Nothing waits and nothing runs."""
        return not self._waiting and not self._running

    def next(self) -> Job | None:
        """The next job, from now on in the asking worker's hands; None while there is none."""
        if not self._waiting:
            return None
        job = self._waiting.popleft()
        self._running[job] = _Attempt()
        return job

    def needs_fresh_worker(self, job: Job) -> bool:
        """The job has crashed a worker; its other try must not depend on what went before."""
        return self._crashes[job.name] > 0

    def loading(self, job: Job, character: str) -> None:
        """The worker starts to load a character."""
        self._running[job].loading = character

    def advance(self, job: Job, views: int) -> None:
        """The job's characters are loaded, and the worker has drawn so many more views."""
        attempt = self._running[job]
        attempt.loading = ""
        attempt.views += views

    def finish(self, job: Job) -> None:
        """The job is done."""
        del self._running[job]
        self._views += job.views
        self.finished += 1

    def skip(self, job: Job, reason: str) -> None:
        """The job cannot be done; the reason is a sentence for the user."""
        del self._running[job]
        self._fail(job, reason, crashed=False)

    def give_back(self, job: Job) -> None:
        """The worker ended before it had begun; the job is not to blame."""
        del self._running[job]
        self._waiting.appendleft(job)

    def crash(self, job: Job, reason: str) -> None:
        """The worker ended over the job; the reason is a sentence, the same for the same cause."""
        character = self._running.pop(job).loading
        self._crashes[job.name] += 1
        self._loading_crashes[character] += bool(character)
        if self._loading_crashes[character] >= MAX_CRASHES:
            reason = f"{character} cannot be loaded. {reason}"
            self._fail(job, reason, crashed=True)
            for other in [other for other in self._waiting if other.character == character]:
                self._waiting.remove(other)
                self._fail(other, reason, crashed=True)
        elif self._crashes[job.name] >= MAX_CRASHES:
            self._fail(job, reason, crashed=True)
        else:
            self._waiting.appendleft(job)

    def _fail(self, job: Job, reason: str, *, crashed: bool) -> None:
        self.total -= job.views
        self.failures.append(Failure(job.kind, job.name, reason, crashed))


def write_failures(
    folder: Path, failures: Iterable[Failure], elsewhere: Collection[str] = ()
) -> None:
    """Write ``failed.json``, or take it away where nothing has failed.

    Args:
        folder: the dataset's.
        failures: of this run.
        elsewhere: names of the clips that other shards see to; what the file says of them stays.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    path = folder / FAILED
    entries = [failure.entry() for failure in failures]
    entries += [entry for entry in read_failures(folder) if entry.get("clip") in elsewhere]
    # The order of events differs between runs; the file must not.
    entries.sort(key=lambda entry: ("clip" in entry, entry.get("clip") or entry.get("file")))
    if entries:
        write_whole(path, json.dumps(entries, indent=1).encode())
    else:
        path.unlink(missing_ok=True)


def read_failures(folder: Path) -> list[dict[str, Any]]:
    """The entries of ``failed.json``; none where the file is absent or damaged."""
    try:
        return json.loads((folder / FAILED).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return []
