"""Croquis in other languages, by Blender's own tables of messages.

A language is a module with two tables: ``LABELS`` of operators, which Blender looks up apart from
the rest, and ``TEXTS``. What stands in neither appears in English. Names in quotation marks and
numbers of a sentence are ``{}`` in both languages.
"""

from __future__ import annotations

import re
from typing import Any

import bpy

from . import ru

_LANGUAGES = {"ru_RU": ru}

_FILLED = re.compile(r"(?<=“)[^”]*(?=”)|\d+(?:[.,]\d+)*%?")
"""What a sentence is about: names in quotation marks, and numbers."""

_OWNER = __package__ or "croquis"


def template(sentence: str) -> str:
    """A sentence with ``{}`` in the place of each name and number: how the tables know it."""
    return _FILLED.sub("{}", sentence)


def say(message: object) -> str:
    """A sentence or several of them, in the language of Blender's interface.

    Blender itself translates the constant texts of buttons, tooltips and reports; those that hold
    a name or a number come here first.
    """
    text = str(message)
    whole = _translated(text)
    if whole != text:
        return whole
    return " ".join(_say_one(sentence) for sentence in re.split(r"(?<=\.) (?=[A-Z“])", text))


def _say_one(sentence: str) -> str:
    known = template(sentence)
    translated = _translated(known)
    return sentence if translated == known else translated.format(*_FILLED.findall(sentence))


def _translated(text: str) -> str:
    return str(bpy.app.translations.pgettext_rpt(text))


def register() -> None:
    """Tell Blender the tables."""
    tables: dict[str, Any] = {
        locale: {("Operator", text): to for text, to in language.LABELS.items()}
        | {("*", text): to for text, to in language.TEXTS.items()}
        for locale, language in _LANGUAGES.items()
    }
    bpy.app.translations.register(_OWNER, tables)


def unregister() -> None:
    """Let Blender forget them."""
    bpy.app.translations.unregister(_OWNER)
