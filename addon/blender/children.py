"""Child Blenders that do jobs: started, told, listened to and ended, without ever waiting."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import time
from collections import deque
from pathlib import Path

from ..core.clips import Job
from ..core.dataset import DatasetSettings
from .child import LAST, MARK, Answer, command, package_root

SILENCE = 600.0
"""Seconds without a word from a busy child after which it counts as crashed."""

CRASH = "It crashes Blender."
"""The reason of a failure of which no more is known; the same on every machine."""

_MAX_FALSE_STARTS = 3


def silent_reason() -> str:
    """The reason of a failure for want of news."""
    return f"Blender has not said a word for {SILENCE:g} seconds."


class FalseStarts:
    """Counts workers that ended before they had begun: three in a row, and Blender is at fault."""

    def __init__(self) -> None:
        self._count = 0

    def note(self, what: str, value: object) -> None:
        """Take notice of a worker's answer.

        Raises:
            RuntimeError: Blender does not start.
        """
        if what == "ready":
            self._count = 0
        elif what == "lost":
            self._count += 1
            if self._count == _MAX_FALSE_STARTS:
                raise RuntimeError(f"Blender does not start: {value}")


class ChildBlenders:
    """Some child Blenders of this process. They are started when they are needed."""

    def __init__(self, settings: DatasetSettings, count: int) -> None:
        """Start none yet.

        Args:
            settings: of the dataset.
            count: of children at the same time.
        """
        self._task = json.dumps(settings.to_json())
        self._count = count
        self._children: list[_Child] = []
        self._logs = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._false_starts = FalseStarts()

    @property
    def idle(self) -> bool:
        """Whether one of them could take a job now."""
        return len(self._children) < self._count or any(one.job is None for one in self._children)

    def give(self, job: Job, *, fresh: bool) -> None:
        """Hand a job to an idle child; to a new one if ``fresh``."""
        waiting = [one for one in self._children if one.job is None]
        if fresh and waiting and len(self._children) == self._count:
            self._end(waiting.pop())
        if fresh or not waiting:
            waiting = [_Child(self._task, Path(self._logs.name))]
            self._children += waiting
        waiting[0].give(job)

    def news(self) -> list[tuple[Job, Answer]]:
        """What they have said since the last call; see ``workers.Workers``.

        Raises:
            RuntimeError: Blender does not start.
        """
        result = []
        for one in list(self._children):
            job = one.job
            for what, value in one.answers():
                self._false_starts.note(what, value)
                if job and what != "ready":
                    result.append((job, (what, value)))
            if one.spent:
                self._end(one)
        return result

    def close(self) -> None:
        """End them all, whatever they are doing."""
        for one in list(self._children):
            self._end(one)
        self._logs.cleanup()

    def _end(self, one: _Child) -> None:
        self._children.remove(one)
        one.end()


class _Child:
    """A child Blender.

    It writes to a file: a pipe would have to be read by a thread, or would block one of us.

    Attributes:
        job: what it is doing, None while it waits for a job.
        spent: it cannot be given another job.
    """

    def __init__(self, task: str, logs: Path) -> None:
        self.job: Job | None = None
        self.spent = False
        self._ready = False
        self._rest = b""
        self._noise: deque[str] = deque(maxlen=5)
        self._heard = time.monotonic()
        handle, name = tempfile.mkstemp(dir=logs)
        self._output = open(name, "rb")  # noqa: SIM115 - closed by end()
        try:
            self._process = subprocess.Popen(
                command(task),
                stdin=subprocess.PIPE,
                stdout=handle,
                stderr=subprocess.STDOUT,
                cwd=package_root(),
            )
        finally:
            os.close(handle)

    def give(self, job: Job) -> None:
        """Tell it what to do; it must be waiting."""
        self.job = job
        self._heard = time.monotonic()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended: answers() will tell
            self._process.stdin.write(json.dumps(job.request).encode() + b"\n")
            self._process.stdin.flush()

    def answers(self) -> list[Answer]:
        """What it has said since the last call, with ``crashed`` or ``lost`` if it has ended."""
        ended = self._process.poll() is not None  # asked first: these are its last words then
        found = [answer for line in self._lines() if (answer := self._read(line))]
        if found:
            self._heard = time.monotonic()
        if any(what in LAST for what, _ in found):
            self.job = None
            self.spent = ended or found[-1][0] in ("crashed", "stopped")
            return found
        silent = self.job is not None and time.monotonic() - self._heard > SILENCE
        if ended or silent:
            self.spent = True
            found.append(self._last_words(silent))
        return found

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.communicate()
        self._output.close()

    def _lines(self) -> list[str]:
        *lines, self._rest = (self._rest + self._output.read()).split(b"\n")
        return [line.decode("utf-8", "replace").strip() for line in lines]

    def _read(self, line: str) -> Answer | None:
        if not line.startswith(MARK):
            if line:
                self._noise.append(line)
            return None
        what, value = json.loads(line.removeprefix(MARK))
        self._ready |= what == "ready"
        return what, value

    def _last_words(self, silent: bool) -> Answer:
        if silent:
            return "crashed", silent_reason()
        if self._ready:
            return "crashed", CRASH
        return "lost", " / ".join(self._noise) or "it says nothing."
