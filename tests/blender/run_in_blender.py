"""Runs the tests beside it inside a real Blender.

blender -b -P tests/blender/run_in_blender.py [-- ARGUMENTS OF PYTEST]

Where the extension is installed and enabled, its files are tested, not the checkout's.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts._common import addon, run


class _Alias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Lets ``addon`` and every module below it be the modules of the installed extension."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._specs: dict[str, ModuleSpec | None] = {}

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """A spec for ``addon`` and what is below."""
        if name.partition(".")[0] != "addon":
            return None
        return importlib.util.spec_from_loader(name, self)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The extension's own module, imported under its own name."""
        module = importlib.import_module(self._package + spec.name.removeprefix("addon"))
        self._specs[module.__name__] = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """It has run already; only its own spec must come back."""
        module.__spec__ = self._specs[module.__name__]


def main(arguments: list[str]) -> None:
    """Give the extension the name that the tests use, then run them."""
    found = addon()
    installed = found.__name__ != "addon"
    if installed:
        found.unregister()  # the tests do that themselves
        sys.meta_path.insert(0, _Alias(found.__name__))
    import pytest

    here = str(Path(__file__).parent)
    # A checkout's OpenCV brings its neighbours along, of which hypothesis is not for this Python.
    without = [f"-pno:{plugin}" for plugin in ("cacheprovider", "hypothesispytest")]
    status = pytest.main(["-q", *without, *(arguments or [here])])
    if installed:
        found.register()  # Blender unregisters it when it quits
    sys.exit(int(status))


if __name__ == "__main__":
    run(main)
