"""Runs the tests beside it inside a real Blender.

blender -b -P tests/blender/run_in_blender.py [-- ARGUMENTS OF PYTEST]

Where the extension is installed and enabled, its files are tested, not the checkout's.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts._common import addon, run


def main(arguments: list[str]) -> None:
    """Give the add-on the name that the tests use, then run them."""
    found = addon()
    if found.__name__ != "addon":
        found.unregister()
        _import_as_addon(Path(found.__file__ or ""))
    # Half of pytest's output would come after Blender's own last words.
    os.environ["PYTHONUNBUFFERED"] = "1"
    import pytest

    here = str(Path(__file__).parent)
    status = pytest.main(["-q", "-p", "no:cacheprovider", *(arguments or [here])])
    sys.exit(int(status))


def _import_as_addon(init: Path) -> None:
    """Import the package of an ``__init__.py`` as ``addon``."""
    spec = importlib.util.spec_from_file_location(
        "addon", init, submodule_search_locations=[str(init.parent)]
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["addon"] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    assert bpy.app.background
    run(main)
