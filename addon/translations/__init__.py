"""Croquis in other languages, by Blender's own tables of messages.

A language is a module with two tables: ``LABELS`` of operators, which Blender looks up apart from
the rest, and ``TEXTS``. What stands in neither appears in English. What a sentence is filled in
with is ``{}`` in both languages; where that is to be translated too, see :mod:`.sentences`.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import bpy

from . import ru
from .sentences import Table

_LANGUAGES = {"ru_RU": ru}

BODY = "Croquis"
"""Context of the parts of the body: Blender's own “Head” is the beginning of a bone."""

_OWNER = __package__ or "croquis"


def say(message: object, where: Literal["reports", "interface", "tooltips"] = "reports") -> str:
    """A sentence or several of them, in the language of Blender's interface.

    Blender itself translates the constant texts of buttons and tooltips; reports, and all texts
    that are filled in with something, come here first.

    Args:
        message: a text, or an error that holds one.
        where: what it is shown in; the user chooses for each whether it is translated.
    """
    text = str(message)
    locale = bpy.app.translations.locale
    view = bpy.context.preferences.view
    if locale not in _LANGUAGES or not getattr(view, f"use_translate_{where}"):
        return text
    return _table(locale).translate(text)


@cache
def _table(locale: str) -> Table:
    """Made when it is first needed: enabling the add-on shall not wait for it."""
    return Table(_LANGUAGES[locale].TEXTS)


def register() -> None:
    """Tell Blender the tables."""
    tables: dict[str, Any] = {
        locale: {("Operator", text): to for text, to in language.LABELS.items()}
        | {(context, text): to for context in ("*", BODY) for text, to in language.TEXTS.items()}
        for locale, language in _LANGUAGES.items()
    }
    bpy.app.translations.register(_OWNER, tables)


def unregister() -> None:
    """Let Blender forget them."""
    bpy.app.translations.unregister(_OWNER)
