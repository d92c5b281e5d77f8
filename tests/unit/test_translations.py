"""The tables of other languages say what the code says, no more and with the same gaps."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLES = sorted((ROOT / "addon/translations").glob("[a-z]*.py"))


def texts_of(path: Path) -> set[str]:
    """Every text of a module; what an f-string fills in is ``{}``."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            parts = (p.value if isinstance(p, ast.Constant) else "{}" for p in node.values)
            found.add("".join(map(str, parts)))
    return found


@pytest.fixture(scope="module")
def code() -> set[str]:
    """What Croquis may say."""
    modules = (ROOT / "addon").rglob("*.py")
    return {t for path in modules if path.parent.name != "translations" for t in texts_of(path)}


def table(path: Path) -> dict[str, dict[str, str]]:
    """A language's tables."""
    names: dict[str, dict[str, str]] = {}
    exec(path.read_text(encoding="utf-8"), names)
    return {kind: names[kind] for kind in ("LABELS", "TEXTS")}


def gaps(text: str) -> list[str]:
    return re.findall(r"\{[^}]*\}", text)


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_no_entry_is_dead(path: Path, code: set[str]) -> None:
    for kind, entries in table(path).items():
        assert entries
        dead = [msgid for msgid in entries if msgid not in code]
        assert not dead, kind


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_translations_fill_the_same_gaps(path: Path) -> None:
    for entries in table(path).values():
        for msgid, translation in entries.items():
            assert gaps(translation) == gaps(msgid), msgid
            assert translation.strip() and translation != msgid
            assert translation.endswith(".") == msgid.endswith("."), msgid
            assert translation[-3:] == "..." or not msgid.endswith("...")
