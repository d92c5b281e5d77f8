"""Clips, and who renders which: the plan of a dataset and the bookkeeping of a run.

A clip is one character with one motion, seen by all cameras. It is the unit of work: finished or
absent, rendered by any process on any machine, with the same result. Nothing here starts a process
or touches Blender, so local workers and a Ray cluster share it.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .dataset import MAPS, poses_done, safe_name, split_of
from .errors import UserError
from .files import write_whole

MAX_CRASHES = 2
"""A clip or a file that crashed Blender this often has failed."""

FAILED = "failed.json"

Kind = Literal["clip", "character", "animation", "annotations"]
"""What a job is about: a clip, or a file of some kind."""


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
    description: dict[str, Any],
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
        kind, name: of what it is about.
        request: what the worker is told, fit for JSON.
        message: for the user, while it is being done.
        views: how many it draws.
    """

    kind: Kind
    name: str
    request: dict[str, Any] = field(hash=False)
    message: str
    views: int = 0


def motion_job(path: Path) -> Job:
    """The job of reading an animation file."""
    request = {"do": "read_motion", "path": str(path)}
    return Job("animation", path.name, request, f"Reading {path.name}")


def character_job(name: str) -> Job:
    """The job of loading a character file, to see whether it can be used."""
    return Job("character", name, {"do": "load", "character": name}, f"Loading {name}")


def render_job(clip: Clip, cameras: int, without: Iterable[str] = ()) -> Job:
    """The job of rendering a clip.

    Args:
        clip: which.
        cameras: views of each pose.
        without: file names of characters that cannot be used, not even beside this one.
    """
    return Job(
        kind="clip",
        name=clip.name,
        request={"do": "render", "clip": asdict(clip), "without": sorted(without)},
        message=f"{Path(clip.character).stem}: {clip.motion}",
        views=clip.poses * cameras,
    )


def gather_job() -> Job:
    """The job of gathering the annotations of all finished clips."""
    name, message = "annotations.json", "Gathering the annotations"
    return Job("annotations", name, {"do": "gather"}, message)


@dataclass(frozen=True)
class Failure:
    """A clip or a file that could not be used.

    Attributes:
        kind, name: which.
        reason: a sentence.
        crashed: whether Blender ended over it, not just refused it.
    """

    kind: Kind
    name: str
    reason: str
    crashed: bool

    def entry(self) -> dict[str, Any]:
        """As it stands in ``failed.json``."""
        what = {"file": self.name, "kind": self.kind}
        if self.kind == "clip":
            what = {"clip": self.name}
        return {**what, "reason": self.reason, "crashed": self.crashed}

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Failure:
        """The way back of :meth:`entry`.

        Raises:
            KeyError: it is no such entry.
        """
        kind, name = ("clip", "clip") if "clip" in entry else (entry["kind"], "file")
        return cls(kind, entry[name], entry["reason"], entry["crashed"])


class Schedule:
    """Which jobs wait, run, are done or have failed. Workers ask it for jobs and tell it news.

    A job that crashed its worker is given out once more, for a fresh worker; a second crash fails
    it.

    Attributes:
        total: views of all jobs but those that failed.
        failures: what failed so far.
    """

    def __init__(self, jobs: Iterable[Job]) -> None:
        """Start with every job waiting, in the given order."""
        self._waiting = deque(jobs)
        self._running: dict[Job, int] = {}  # the views that each has drawn
        self._crashes: Counter[Job] = Counter()
        self._views = 0
        self.total = sum(job.views for job in self._waiting)
        self.failures: list[Failure] = []

    @property
    def done(self) -> int:
        """Views drawn, with those of the jobs in hand."""
        return self._views + sum(self._running.values())

    @property
    def over(self) -> bool:
        """Nothing waits and nothing runs."""
        return not self._waiting and not self._running

    def next(self) -> Job | None:
        """The next job, from now on in the asking worker's hands; None while there is none."""
        if not self._waiting:
            return None
        job = self._waiting.popleft()
        self._running[job] = 0
        return job

    def needs_fresh_worker(self, job: Job) -> bool:
        """The job has crashed a worker; its other try must not depend on what went before."""
        return self._crashes[job] > 0

    def advance(self, job: Job, views: int) -> None:
        """The worker has drawn so many more views."""
        self._running[job] += views

    def finish(self, job: Job) -> None:
        """The job is done."""
        del self._running[job]
        self._views += job.views

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
        del self._running[job]
        self._crashes[job] += 1
        if self._crashes[job] < MAX_CRASHES:
            self._waiting.appendleft(job)
        else:
            self._fail(job, reason, crashed=True)

    def _fail(self, job: Job, reason: str, *, crashed: bool) -> None:
        self.total -= job.views
        self.failures.append(Failure(job.kind, job.name, reason, crashed))


def write_failures(
    folder: Path, failures: Iterable[Failure], shard: tuple[int, int] = (0, 1)
) -> None:
    """Write what a shard could not use, or take the list away where nothing has failed.

    Each shard has a file of its own, ``failed.I-N.json``, so that none overwrites what another
    notes at the same time; :func:`gather_failures` makes ``failed.json`` of them. A run without
    shards writes ``failed.json`` itself.

    Args:
        folder: the dataset's.
        failures: of this run.
        shard: number of the shard, and number of shards.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    _write(_list_of(folder, shard), failures)


def noted_failures(folder: Path, count: int) -> list[Failure]:
    """What all shards could not use so far, sorted.

    Args:
        folder: the dataset's.
        count: of shards.
    """
    return _sorted(
        failure for index in range(count) for failure in _read(_list_of(folder, (index, count)))
    )


def gather_failures(folder: Path, count: int) -> None:
    """Write ``failed.json`` from the lists of all shards, and take away those of other counts.

    Several shards may do so at the same time: whoever writes last has seen all lists.

    Args:
        folder: the dataset's.
        count: of shards.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    lists = {_list_of(folder, (index, count)) for index in range(count)}
    for path in {*folder.glob("failed.*-*.json")} - lists:
        path.unlink(missing_ok=True)
    written = None
    # Another shard may have added to its list, and gathered, since we read it.
    while (found := noted_failures(folder, count)) != written:
        _write(folder / FAILED, found)
        written = found


def read_failures(folder: Path) -> list[Failure]:
    """What ``failed.json`` holds; nothing where there is no such file.

    Raises:
        UserError: it is damaged.
    """
    try:
        return _parsed(folder / FAILED)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{folder / FAILED} is damaged; delete it, the next run writes it anew."
        ) from error


def _list_of(folder: Path, shard: tuple[int, int]) -> Path:
    index, count = shard
    return folder / (FAILED if count == 1 else f"failed.{index}-{count}.json")


def _write(path: Path, failures: Iterable[Failure]) -> None:
    entries = [failure.entry() for failure in _sorted(failures)]
    if entries:
        write_whole(path, json.dumps(entries, indent=1).encode())
    else:
        path.unlink(missing_ok=True)


def _parsed(path: Path) -> list[Failure]:
    try:
        return [Failure.of(entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    except FileNotFoundError:
        return []


def _read(path: Path) -> list[Failure]:
    """The failures of a list; of a damaged one none: its shard's next run writes it anew."""
    try:
        return _parsed(path)
    except (ValueError, KeyError, TypeError):
        return []


def _sorted(failures: Iterable[Failure]) -> list[Failure]:
    """Files first, then clips, by name: the order of events differs between runs.

    Of what several shards could not use, one says why.
    """
    first: dict[tuple[str, str], Failure] = {}
    for failure in failures:
        first.setdefault((failure.kind, failure.name), failure)
    return sorted(first.values(), key=lambda one: (one.kind == "clip", one.name, one.kind))


def discard(folder: Path, clip: str) -> None:
    """Take away what a clip that failed has left in the dataset: it is finished or absent.

    Args:
        folder: the dataset's.
        clip: the clip's name.

    Raises:
        OSError: a file cannot be deleted.
    """
    if poses_done(folder, clip):  # of a shorter run, whose files these are
        return
    for label in ("images", *MAPS):
        if (folder / label / clip).is_dir():
            shutil.rmtree(folder / label / clip)
    for label in ("strokes", "joints"):
        (folder / label / f"{clip}.npz").unlink(missing_ok=True)
