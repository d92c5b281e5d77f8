"""The rooms of the house and what may pass between them, read from the imports."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]

BLENDER = {
    *("bpy", "bmesh", "mathutils", "bpy_extras", "addon_utils", "freestyle"),
    *("gpu", "gpu_extras", "blf"),
}
NETWORK = {"urllib", "socket", "ssl", "http", "ftplib", "smtplib", "requests", "xmlrpc"}
PARALLEL = {"threading", "_thread", "concurrent", "multiprocessing"}

LAYERS = ("core", "blender", "operators", "ui")
"""Each may import itself and what stands before it; preferences and properties serve the upper."""


class Import(NamedTuple):
    """One import statement's target.

    Attributes:
        path: the importing file, from the repository's root.
        line: where.
        module: dotted name; a relative import is resolved, such as ``addon.core.solve``.
        level: dots of a relative import, 0 for an absolute one.
        at_import: whether it runs when the file is imported, not inside a function.
    """

    path: Path
    line: int
    module: str
    level: int
    at_import: bool

    @property
    def top(self) -> str:
        return self.module.split(".")[0]

    def __str__(self) -> str:
        return f"{self.path}:{self.line} imports {self.module}"


def files(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, f"{folder} holds no Python files"
    return [path.relative_to(ROOT) for path in found]


def imports(path: Path) -> Iterator[Import]:
    """Every import of a file; of ``from . import a, b`` one for each name."""
    tree = ast.parse((ROOT / path).read_text(), str(path))
    inside = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets, level = [alias.name for alias in node.names], 0
        elif isinstance(node, ast.ImportFrom):
            level = node.level
            package = path.parent.parts[: len(path.parent.parts) + 1 - level] if level else ()
            base = ".".join([*package, *([node.module] if node.module else [])])
            targets = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for target in targets:
            yield Import(path, node.lineno, target, level, id(node) not in inside)


def all_imports(*folders: str) -> list[Import]:
    return [item for folder in folders for path in files(folder) for item in imports(path)]


def offenders(items: list[Import], forbidden: set[str]) -> list[str]:
    return [str(item) for item in items if item.top in forbidden]


def test_reads_imports_of_every_kind() -> None:
    found = {str(item.module) for item in imports(Path("addon/blender/pose.py"))}
    assert {"bpy", "addon.core.solve.Solution", "addon.blender.reference"} <= found


def test_core_knows_neither_blender_nor_torch() -> None:
    assert not offenders(all_imports("addon/core"), BLENDER | {"torch"})


def test_addon_knows_no_torch() -> None:
    assert not offenders(all_imports("addon"), {"torch", "trainer", "scripts", "tests"})


def test_trainer_knows_no_blender() -> None:
    items = all_imports("trainer")
    assert not offenders(items, BLENDER | {"scripts", "tests"})
    outside_core = [i for i in items if i.top == "addon" and not i.module.startswith("addon.core")]
    assert not list(map(str, outside_core))


def test_addon_takes_its_own_modules_relatively() -> None:
    # It is `addon` in this checkout and `bl_ext.user_default.croquis` once installed.
    items = all_imports("addon")
    assert not [str(item) for item in items if item.level == 0 and item.top == "addon"]


def test_addon_uses_only_what_blender_and_its_one_wheel_bring() -> None:
    allowed = set(sys.stdlib_module_names) | BLENDER | {"numpy", "cv2"}
    items = all_imports("addon")
    assert not [str(item) for item in items if item.level == 0 and item.top not in allowed]


@pytest.mark.parametrize("layer", LAYERS)
def test_arrow_points_one_way(layer: str) -> None:
    above = LAYERS[LAYERS.index(layer) + 1 :]
    # The settings' classes belong to the upper rooms: what the lower ones need, they are handed.
    if layer in ("core", "blender"):
        above += ("preferences", "properties")
    forbidden = tuple(f"addon.{name}" for name in above)
    wrong = [
        str(item)
        for item in all_imports(f"addon/{layer}")
        if item.module.startswith(tuple(f"{name}." for name in forbidden))
        or item.module in forbidden
    ]
    assert not wrong


def test_importing_the_addon_needs_no_blender() -> None:
    reached = [i for i in imports(Path("addon/__init__.py")) if i.at_import]
    assert not [str(i) for i in reached if i.level or i.top in BLENDER]


def test_addon_never_uses_the_network() -> None:
    assert not offenders(all_imports("addon"), NETWORK)


def test_no_threads_where_blender_is_touched() -> None:
    rooms = all_imports("addon/blender", "addon/operators", "addon/ui")
    assert not offenders(rooms, PARALLEL)


def test_addon_leaves_the_interpreter_alone() -> None:
    wrong = [
        f"{path}:{node.lineno} touches sys.{node.attr}"
        for path in files("addon")
        for node in ast.walk(ast.parse((ROOT / path).read_text(), str(path)))
        if isinstance(node, ast.Attribute)
        and node.attr in {"path", "modules", "meta_path"}
        and isinstance(node.value, ast.Name)
        and node.value.id == "sys"
    ]
    assert not wrong
