"""Long work in a child Blender, so that the user's scene and window stay untouched and alive."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

import bpy

from ..core.errors import UserError
from .dataset import DatasetSettings, Progress, render_dataset

_START = "import sys, importlib; importlib.import_module({module!r}).main(sys.argv[-1])"
_MARK = "croquis:"


def render_in_child(settings: DatasetSettings) -> Iterator[Progress]:
    """:func:`dataset.render_dataset` in a Blender of its own.

    The generator never waits: every step reports the latest news of the child. Closing it ends the
    child; its finished clips stay and a later run goes on after them.

    Args:
        settings: what to render.

    Yields:
        Progress, the same one again while there is nothing new.

    Raises:
        UserError: what the child could not do, in its own sentence.
        RuntimeError: the child broke; the message holds the end of its output.
    """
    settings.check()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        log = Path(folder, "log.txt")
        output = stack.enter_context(log.open("wb"))
        news = _News(stack.enter_context(log.open("rb")))
        child = subprocess.Popen(
            _command(settings),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=_package_root(),
        )
        stack.callback(_end, child)
        while child.poll() is None:
            yield news.read()
        final = news.read()
        if news.error:
            raise UserError(news.error)
        if child.returncode:
            raise RuntimeError(f"The child Blender broke: {news.tail()}")
        yield final


def _command(settings: DatasetSettings) -> list[str]:
    task = json.dumps(asdict(settings), default=str)
    code = _START.format(module=__name__)
    if not bpy.app.binary_path:  # the bpy wheel: this Python is the Blender
        return [sys.executable, "-c", code, task]
    return [bpy.app.binary_path, "-b", "--python-exit-code", "1", "--python-expr", code, "--", task]


def _package_root() -> Path:
    """The folder from which this module is imported by its full name."""
    return Path(__file__).resolve().parents[__name__.count(".")]


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()
        child.wait()


class _News:
    """What the child has said so far. Its own lines are JSON behind a mark, the rest Blender's."""

    def __init__(self, log: BinaryIO) -> None:
        self._log = log
        self._progress = Progress(0, 0, "Starting a second Blender")
        self._rest = b""
        self._last: list[str] = []
        self.error = ""

    def read(self) -> Progress:
        """Take in what is new; returns the latest progress."""
        *lines, self._rest = (self._rest + self._log.read()).split(b"\n")
        for line in (line.decode("utf-8", "replace").strip() for line in lines):
            if line.startswith(_MARK):
                message = json.loads(line.removeprefix(_MARK))
                self.error = message.get("error", "")
                if not self.error:
                    self._progress = Progress(**message)
            elif line:
                self._last = [*self._last[-4:], line]
        return self._progress

    def tail(self) -> str:
        """The child's last words that were not meant for us."""
        return " / ".join(self._last) or "it said nothing."


def main(task: str) -> None:
    """The child's whole life: render what the JSON says, report on standard output."""
    parent = os.getppid()
    values = json.loads(task)
    paths = {name: Path(values.pop(name)) for name in ("characters", "animations", "out")}
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    try:
        for progress in render_dataset(DatasetSettings(**paths, **values)):
            print(_MARK + json.dumps(asdict(progress)), flush=True)
            if os.getppid() != parent:  # killed: nobody is left to stop this one (not on Windows)
                break
    except (UserError, OSError) as error:
        print(_MARK + json.dumps({"error": str(error)}), flush=True)
