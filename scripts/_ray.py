"""The dataset renderer's workers on a Ray cluster: actors that each hold a Blender.

Every machine needs Python with ``requirements/run.txt`` and ``requirements/ray.txt``, and the same
paths to the characters, the animations and the dataset. The code goes there by itself.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scripts._common import ROOT, addon

# Ray would report its use to its makers.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
try:
    import ray
    from ray.exceptions import RayActorError, RayTaskError
except ImportError as error:
    raise addon("core.errors").UserError(
        "Ray is not installed in this Python: use one with the bpy wheel and "
        "pip install -r requirements/ray.txt."
    ) from error

if TYPE_CHECKING:
    from addon.blender.child import Answer
    from addon.core.clips import Job, Progress
    from addon.core.dataset import DatasetSettings

LOCAL = "local"
"""The address of a cluster that is made for this run, on this machine."""


def render_with_ray(
    settings: DatasetSettings,
    address: str = LOCAL,
    workers: int | None = None,
    shard: tuple[int, int] = (0, 1),
) -> Iterator[Progress]:
    """``addon.blender.workers.render_in_workers`` on a Ray cluster.

    Args:
        settings: what to render; its folders are the same on all machines.
        address: of the cluster (``auto``: the one of this machine), or :data:`LOCAL`.
        workers: number of actors; by default one for each CPU of the cluster.
        shard: part of the work, and number of parts.

    Yields:
        Progress.

    Raises:
        UserError: there is no such cluster, or what ``render_in_workers`` raises.
        RuntimeError: an actor cannot start.
    """
    settings.check()
    _connect(address, workers)
    try:
        count = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        with contextlib.closing(_Actors(settings, count)) as actors:
            yield from addon("blender.workers").render_with(actors, settings, shard)
    finally:
        ray.shutdown()


def _connect(address: str, workers: int | None) -> None:
    """Join a cluster, or make one."""
    options: dict[str, Any] = {}
    if address == LOCAL:
        options = {"num_cpus": workers, "include_dashboard": False}
    modules = [str(ROOT / "addon"), str(ROOT / "scripts")]
    try:
        ray.init(
            address=address,
            runtime_env={"py_modules": modules, "excludes": ["models", "__pycache__"]},
            log_to_driver=False,
            logging_level=logging.ERROR,
            **options,
        )
    except ConnectionError as error:
        raise addon("core.errors").UserError(
            f"There is no Ray cluster at {address}; start one with ray start --head."
        ) from error


@ray.remote(num_cpus=1, max_restarts=0)
class Renderer:
    """An actor that does jobs in the Blender of its own process."""

    def __init__(self, task: str) -> None:
        self._worker = addon("blender.child").Worker(task)

    def answers(self, request: dict[str, Any]) -> Iterator[Answer]:
        """Do one job; see ``addon.blender.child.Worker``."""
        yield from self._worker.answers(request)


@dataclass
class _Slot:
    """An actor, the job in its hands and where its answers come from."""

    actor: Any
    job: Job | None = None
    answers: Any = None
    ready: bool = False
    heard: float = 0.0


class _Actors:
    """``addon.blender.workers.Workers`` as actors; they are started when they are needed."""

    def __init__(self, settings: DatasetSettings, count: int) -> None:
        self._task = json.dumps(settings.to_json())
        self._count = count
        self._slots: list[_Slot] = []
        self._children = addon("blender.children")
        self._false_starts = self._children.FalseStarts()

    @property
    def idle(self) -> bool:
        return len(self._slots) < self._count or any(slot.job is None for slot in self._slots)

    def give(self, job: Job, *, fresh: bool) -> None:
        waiting = [slot for slot in self._slots if slot.job is None]
        if fresh and waiting and len(self._slots) == self._count:
            self._end(waiting.pop())
        if fresh or not waiting:
            waiting = [_Slot(Renderer.remote(self._task))]
            self._slots += waiting
        slot = waiting[0]
        slot.job, slot.heard = job, time.monotonic()
        slot.answers = slot.actor.answers.options(num_returns="streaming").remote(job.request)

    def news(self) -> list[tuple[Job, Answer]]:
        result = []
        for slot in list(self._slots):
            while slot.job and (answer := self._answer(slot)):
                result.append((slot.job, answer))
                self._false_starts.note(*answer)
                if answer[0] in (*self._children.LAST, "lost"):
                    slot.job = None
                if answer[0] in ("crashed", "stopped", "lost"):
                    self._end(slot)
        return result

    def close(self) -> None:
        for slot in list(self._slots):
            self._end(slot)

    def _answer(self, slot: _Slot) -> Answer | None:
        """The next answer of a slot that is at work, None while there is none."""
        arrived, _ = ray.wait([slot.answers], timeout=0)
        if not arrived:
            # An actor answers between its steps only, and gathering is a single one; but no
            # Blender works at it that could hang.
            timed = slot.ready and slot.job and slot.job.kind != "annotations"
            silent = timed and time.monotonic() - slot.heard > self._children.SILENCE
            return ("crashed", self._children.silent_reason()) if silent else None
        try:
            answer: Any = ray.get(next(slot.answers))
        except RayActorError as error:
            if slot.ready:
                return "crashed", self._children.CRASH
            return "lost", str(error).splitlines()[-1]  # a whole traceback, perhaps
        except RayTaskError as error:
            raise RuntimeError(f"A Ray actor cannot work: {error.cause}") from error
        slot.ready, slot.heard = True, time.monotonic()
        return answer

    def _end(self, slot: _Slot) -> None:
        self._slots.remove(slot)
        ray.kill(slot.actor)
