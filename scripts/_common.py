"""How every script starts and ends: its copy of the add-on, its arguments, its exit status.

Under a real Blender a script uses the installed extension, so that it runs what the user runs.
Under plain Python with the bpy wheel, and in a Blender without the extension, it uses this
checkout.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent

EXIT_OUR_FAULT = 1
EXIT_USER_MISTAKE = 2


def addon(module: str = "") -> ModuleType:
    """Import the add-on or one of its modules.

    Args:
        module: dotted name below the add-on, such as ``blender.pose``.
    """
    return importlib.import_module(".".join(filter(None, [package(), module])))


def run(main: Callable[[list[str]], None]) -> None:
    """Run a script's ``main`` with the script's own arguments and exit.

    The status is 0, or 2 after a user's mistake (its one sentence goes to stderr), or 1 after a
    fault of ours (with its traceback).
    """
    try:
        main(_arguments())
    except SystemExit as stop:  # argparse
        status = stop.code if isinstance(stop.code, int) else EXIT_USER_MISTAKE
    except KeyboardInterrupt:
        status = 130
    except Exception as error:
        status = _explain(error)
    else:
        status = 0
    # Blender keeps running after a script unless it is told the status, even when that is 0.
    sys.stdout.flush()
    sys.exit(status)


@contextmanager
def silent() -> Iterator[None]:
    """Keep Blender from printing a hundred lines for every render."""
    sys.stdout.flush()
    saved, sink = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 1)
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(sink)


def another_blender(script: str) -> list[str]:
    """The command line of a script beside this one in another Blender of this kind.

    Under a real Blender it starts without the user's settings, so that nothing is enabled.
    """
    bpy = sys.modules.get("bpy")
    path = str(ROOT / "scripts" / script)
    if bpy and bpy.app.binary_path:
        return [bpy.app.binary_path, "--factory-startup", "-b", "-P", path, "--"]
    return [sys.executable, path]


def resident_mb() -> float:
    """What this process holds in memory now, MB; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextmanager
def stopping_between() -> Iterator[Callable[[], None]]:
    """Let Ctrl-C wait for the end of a piece of work, and stop there.

    Blender swallows an interrupt that meets one of its own handlers. A second Ctrl-C does not wait.

    Yields:
        What to call between two pieces.

    Raises:
        KeyboardInterrupt: by that call, if Ctrl-C was pressed.
    """
    asked = threading.Event()

    def note(_number: int, _frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    def stop_if_asked() -> None:
        if asked.is_set():
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield stop_if_asked
    finally:
        signal.signal(signal.SIGINT, before)


def _explain(error: Exception) -> int:
    """Say on stderr what went wrong; the exit status."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        print(f"{error.filename}: {error.strerror}.", file=sys.stderr)
        return EXIT_USER_MISTAKE
    # Each copy of the add-on has a UserError of its own.
    if any(kind.__name__ == "UserError" for kind in type(error).__mro__):
        print(error, file=sys.stderr)
        return EXIT_USER_MISTAKE
    traceback.print_exception(error)
    return EXIT_OUR_FAULT


def _arguments() -> list[str]:
    """The command line after Blender's own part of it, which ends with ``--``."""
    if not _in_real_blender():
        return sys.argv[1:]
    return sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []


def _in_real_blender() -> bool:
    """True inside Blender's own executable; the bpy wheel has no such path."""
    bpy = sys.modules.get("bpy")
    return bool(bpy and bpy.app.binary_path)


def package() -> str:
    """The dotted name of the add-on to use."""
    if _in_real_blender():
        import bpy

        for name in bpy.context.preferences.addons.keys():  # noqa: SIM118 - iterating gives the values
            if name.startswith("bl_ext.") and name.endswith(".croquis"):
                return name
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    try:
        import cv2  # noqa: F401
    except ImportError:
        _use_checkouts_opencv()
    return "addon"


def _use_checkouts_opencv() -> None:
    """Let Blender's Python find the OpenCV that ``make env`` installed.

    That wheel fits any Python 3. Blender's own modules go first: nothing else is taken from there.

    Raises:
        SystemExit: there is none; how to get it stands on stderr.
    """
    sys.path.extend(map(str, ROOT.glob(".venv/lib/python3*/site-packages")))
    try:
        import cv2  # noqa: F401
    except ImportError:
        print(
            "Croquis is not installed in this Blender: install its zip "
            "(Preferences > Get Extensions > Install from Disk), or run make env once.",
            file=sys.stderr,
        )
        sys.exit(EXIT_USER_MISTAKE)
