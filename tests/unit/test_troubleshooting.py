"""docs/troubleshooting.md: it quotes what Croquis says, and leaves nothing out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
SOURCES = sorted((ROOT / "addon").rglob("*.py"))


def text_of(node: ast.AST) -> str:
    """A string of the code, with … where a value is filled in; "" for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
        return re.sub("…+", "…", "".join(map(str, parts)))
    return ""


def errors(tree: ast.AST) -> Iterator[str]:
    """The sentences of the UserErrors that are raised, but for those that only pass others on."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "UserError":
            text = text_of(node.args[0])
            if re.search(r"\w{3}", text):
                yield text


def quotations() -> list[str]:
    """What stands in “quotation marks” on the page; names in a sentence have marks of their own."""
    result, depth, start = [], 0, 0
    text = " ".join(PAGE.split())
    for place, letter in enumerate(text):
        if letter == "“":
            start = place + 1 if depth == 0 else start
            depth += 1
        elif letter == "”":
            depth -= 1
            if depth == 0:
                result.append(text[start:place])
    assert depth == 0
    return result


TREES = [ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES]


def test_every_quotation_is_said() -> None:
    said = {text_of(node) for tree in TREES for node in ast.walk(tree)}
    assert len(quotations()) > 50
    assert [text for text in quotations() if text not in said] == []


def test_every_error_is_explained() -> None:
    raised = [text for tree in TREES for text in errors(tree)]
    assert len(raised) > 50
    explained = set(quotations())
    assert [text for text in raised if text not in explained] == []
