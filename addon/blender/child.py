"""A worker's life: a Blender that reads jobs from standard input and answers on standard output.

Both are lines of JSON. Whatever else Blender prints there is noise; :data:`MARK` tells the answers
from it.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import bpy
import cv2

from ..core.clips import Clip
from ..core.dataset import DatasetSettings, gather
from ..core.errors import UserError
from .dataset_renderer import DatasetRenderer

MARK = "croquis:"

Answer = tuple[str, Any]
"""What happened, and its value:

- ``ready``: Blender runs and the first job begins; None.
- ``views``: so many more views are drawn; 0 to show that the work goes on.
- ``finished``: the job is done; what it counted, or None.
- ``skipped``: the job cannot be done; a sentence for the user.
- ``crashed``: a fault of ours; a sentence. The worker must not be used any more.
- ``stopped``: nothing can go on; a sentence for the user.
"""

LAST = ("finished", "skipped", "crashed", "stopped")
"""The answers that end a job."""

_BEAT = 1.0  # seconds between two signs of life


def main(task: str) -> None:
    """Do jobs until standard input ends.

    Args:
        task: the settings, as JSON.
    """
    parent = os.getppid()
    # Nobody reads what Blender prints later, and there may be gigabytes of it.
    answers = os.fdopen(os.dup(1), "w")
    worker = Worker(task, _Pulse(answers).beat)
    # A killed supervisor closes our input; while a job runs, only the parent's change shows it
    # (on Windows nothing does, and the job is the last).
    for line in sys.stdin:
        for what, value in worker.answers(json.loads(line)):
            _say(answers, what, value)
            if what == "ready":
                _hush()
            if what in ("crashed", "stopped") or os.getppid() != parent:
                return


def _hush() -> None:
    """Throw away what is printed from now on, by Python and by Blender's own code."""
    sys.stdout.flush()
    sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


class _Pulse:
    """Signs of life of a job that gives no answers while it goes on."""

    def __init__(self, answers: TextIO) -> None:
        self._answers = answers
        self._last = 0.0

    def beat(self) -> None:
        """Give one, if the last is a while ago."""
        now = time.monotonic()
        if now - self._last > _BEAT:
            self._last = now
            _say(self._answers, "views", 0)


class Worker:
    """Does jobs, in the current scene, which it empties; one a process."""

    def __init__(self, task: str, beat: Callable[[], None] = lambda: None) -> None:
        """Note the settings; nothing happens before the first job.

        Args:
            task: the settings, as JSON.
            beat: called now and then by a job that gives no answers while it goes on.
        """
        self._settings = DatasetSettings.from_json(json.loads(task))
        self._beat = beat
        self._renderer: DatasetRenderer | None = None

    def answers(self, request: dict[str, Any]) -> Iterator[Answer]:
        """Do one job.

        Args:
            request: a ``Job``'s request.

        Yields:
            What happens, and at the end one of :data:`LAST`.
        """
        if self._renderer is None:
            try:
                self._renderer = DatasetRenderer(self._settings)
            except (UserError, OSError) as error:
                yield "stopped", sentence(error, self._settings.out)
                return
            yield "ready", None
        try:
            yield from self._do(self._renderer, request)
        except UserError as error:
            yield "skipped", str(error)
        except OSError as error:
            yield "stopped", sentence(error, self._settings.out)
        except Exception as error:
            traceback.print_exc()
            yield "crashed", f"It ended in an error of Croquis ({type(error).__name__}: {error})."

    def _do(self, renderer: DatasetRenderer, request: dict[str, Any]) -> Iterator[Answer]:
        count = None
        match request["do"]:
            case "read_motion":
                for _ in renderer.read_motion(Path(request["path"])):
                    yield "views", 0
            case "load":
                renderer.load(request["character"])
            case "render":
                for views in renderer.render(Clip(**request["clip"]), request["without"]):
                    yield "views", views
            case "gather":
                count = gather(renderer.settings.out, self._beat)
        yield "finished", count


def sentence(error: UserError | OSError, out: Path) -> str:
    """What the user reads of an error that ends the run.

    Args:
        error: a full disk, most often.
        out: the dataset's folder; such errors seldom name a file.
    """
    if isinstance(error, UserError):
        return str(error)
    return (
        f"{error.filename or out}: {error.strerror or error}; put that right and start again, "
        "the finished clips are kept."
    )


def _say(answers: TextIO, what: str, value: Any) -> None:
    # Blender's own half-printed line, if there is one, ends here.
    answers.write(f"\n{MARK}{json.dumps([what, value])}\n")
    answers.flush()


def start_code() -> str:
    """Python code that turns a Blender into a worker; its last argument is the task."""
    code = f"import sys, importlib; importlib.import_module({__name__!r}).main(sys.argv[-1])"
    if not bpy.app.binary_path or __name__.startswith("bl_ext."):
        return code
    # A checkout in a Blender without the extension: it is found where this process has found it.
    places = [str(package_root()), str(Path(cv2.__file__).parents[1])]
    return f"import site; [*map(site.addsitedir, {places})]; {code}"


def command(task: str) -> list[str]:
    """The command line of a worker in this same Blender."""
    if not bpy.app.binary_path:  # the bpy wheel: this Python is the Blender
        return [sys.executable, "-c", start_code(), task]
    code = ["--python-exit-code", "1", "--python-expr", start_code()]
    return [bpy.app.binary_path, "-b", *code, "--", task]


def package_root() -> Path:
    """The folder from which this module is imported by its full name."""
    return Path(__file__).resolve().parents[__name__.count(".")]
