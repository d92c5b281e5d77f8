"""The tables of other languages say what the code says, no more and with the same gaps."""

from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
TABLES = sorted((ROOT / "addon/translations").glob("[a-z][a-z].py"))
OF_A_SIDE = re.compile(r"^(?:Left|Right) ")
"""What the code puts before the name of a part of the body."""

BETWEEN_SENTENCES = re.compile(r"(?<=\.) (?=[A-Z“{])|(?<=^\{\}) (?=[A-Z])")
SENTENCE = re.compile(r"[A-Z“{].* .*[^.]\.", re.DOTALL)
WORD = re.compile(r"[A-Za-z]{2}")


def texts_of(path: Path) -> set[str]:
    """Every text of a module but for comments; what an f-string fills in is ``{}``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    apart = {id(part) for node in ast.walk(tree) for part in not_said(node)}
    texts = (text_of(node) for node in ast.walk(tree) if id(node) not in apart)
    return {text for text in texts if text}


def not_said(node: ast.AST) -> list[ast.expr]:
    """Docstrings and other strings that stand alone, and the parts of f-strings."""
    if isinstance(node, ast.Expr):
        return [node.value]
    return node.values if isinstance(node, ast.JoinedStr) else []


def text_of(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        return re.sub(r"(\{\})+", "{}", "".join(map(str, parts)))
    return ""


def modules(*rooms: str) -> list[Path]:
    """The add-on's modules, or those of some of its rooms."""
    found = (path for room in rooms or ("",) for path in (ROOT / "addon" / room).rglob("*.py"))
    return [path for path in found if path.parent.name != "translations"]


@pytest.fixture(scope="module")
def code() -> set[str]:
    """What Croquis may say."""
    return {text for path in modules() for text in texts_of(path)}


def table(path: Path) -> dict[str, dict[str, str]]:
    """A language's tables."""
    names: dict[str, dict[str, str]] = {}
    exec(path.read_text(encoding="utf-8"), names)
    return {kind: names[kind] for kind in ("LABELS", "TEXTS")}


def gaps(text: str) -> list[str]:
    """The gaps, without what is asked of them."""
    return re.findall(r"\{[^}]*\}", re.sub(r":\w+\}", "}", text))


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_sentence_is_translated(path: Path, code: set[str]) -> None:
    known = table(path)["TEXTS"]
    more = code - set(known)
    said = {part.strip() for text in more for part in BETWEEN_SENTENCES.split(text)}
    sentences = {text for text in said if SENTENCE.fullmatch(text) and WORD.search(text)}
    assert len(code & set(known)) > 150
    assert sorted(sentences - set(known)) == []


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_text_beside_a_button_is_translated(path: Path) -> None:
    tables = table(path)
    shown = {
        text_of(keyword.value)
        for module in modules("ui", "operators")
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        for keyword in getattr(node, "keywords", ())
        if keyword.arg in {"text", "placeholder"}
    }
    texts = {text for text in shown if WORD.search(text)}
    assert len(texts) > 5
    assert sorted(texts - set(tables["TEXTS"]) - set(tables["LABELS"])) == []


def test_every_report_goes_through_the_tables() -> None:
    reports = [
        (path.name, ast.unparse(node.args[1]))
        for path in modules("operators")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "report"
    ]
    assert len(reports) > 20
    assert [report for report in reports if not report[1].startswith("say(")] == []


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_no_entry_is_dead(path: Path, code: set[str]) -> None:
    alive = code | {part.strip() for text in code for part in BETWEEN_SENTENCES.split(text)}
    for kind, entries in table(path).items():
        assert entries
        dead = [t for t in entries if t not in alive and OF_A_SIDE.sub("", t) not in alive]
        assert not dead, kind


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_translations_fill_the_same_gaps(path: Path) -> None:
    for entries in table(path).values():
        for msgid, translation in entries.items():
            wanted = gaps(msgid)
            numbered = [f"{{{number}}}" for number in range(len(wanted))]
            assert gaps(translation) == wanted or sorted(gaps(translation)) == numbered, msgid
            assert translation.strip() and translation != msgid
            assert translation.endswith(".") == msgid.endswith("."), msgid
            assert translation[-3:] == "..." or not msgid.endswith("...")


def translator(path: Path) -> Any:
    """A language's table, ready to be looked up, without Blender."""
    sentences = runpy.run_path(str(path.with_name("sentences.py")))
    return sentences["Table"](table(path)["TEXTS"])


NAMES = st.lists(
    st.sampled_from(
        ["Head", "House of Cards", "Flip ", "left", "two figures", "Loading ", "5 s", "3 frames"]
        + ["Dr. Who", "a. B", ".png", "/", "\\", " ", ".", ", ", " and ", " and 3 more"]
        + ["{}", "{0}", "{:text}", "%s", "’", "\n", "Ж"]
    ),
    min_size=1,
    max_size=4,
).map("".join)
"""Names of files, characters, bones: our own words among them."""


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_names_come_out_as_they_are(path: Path) -> None:
    texts, translate = table(path)["TEXTS"], translator(path).translate
    templates = [text for text in texts if "{}" in text and text.endswith(".")]
    assert len(templates) > 80

    ours = {
        "text": ("Head", texts["Head"]),
        "list": ("Head and Neck", texts["Head"] + texts[" and "] + texts["Neck"]),
        "number": ("3", "3"),
    }

    @given(st.sampled_from(templates), st.lists(NAMES, min_size=4, max_size=4))
    def check(template: str, names: list[str]) -> None:
        asked = [part[1:3] for part in Formatter().parse(texts[template]) if part[1] is not None]
        kinds = {int(field or gap): kind or "" for gap, (field, kind) in enumerate(asked)}
        filled = [ours.get(kinds[gap], (names[gap], names[gap])) for gap in sorted(kinds)]
        wanted = re.sub(r":\w+\}", "}", texts[template]).format(*(told for _, told in filled))
        assert translate(template.format(*(value for value, _ in filled))) == wanted

    check()
