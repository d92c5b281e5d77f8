"""Sentences in another language: found again in a table by the words around their gaps.

The code writes what it says in English, names and numbers included. A table holds the same sentence
with ``{}`` for each of them; what stood there is translated too where it is a word of the table,
such as a part of the body, and otherwise stays: names in quotation marks, numbers, paths.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise

_BETWEEN_SENTENCES = re.compile(r"(?<=\.) (?=[A-Z“])")
_ANYTHING = r"((?:(?!\. [A-Z“]).)+?)"  # but no end of a sentence
_NAME = r"([^”]*)"
_OUTSIDE_MARKS = r"(?=[^“”]*(?:“[^”]*”[^“”]*)*$)"
_BETWEEN_ITEMS = re.compile(rf"( and \d+ more|, | and no | and ){_OUTSIDE_MARKS}")


class Table:
    """The sentences of a language, ready to be looked up.

    Args:
        texts: English -> the other language, with ``{}`` or ``{0}``, ``{1}``, ... for what is
            filled in.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        gapped = (text for text in texts if "{}" in text)
        # Of several that fit, the one with most words of its own is meant.
        by_words = sorted(gapped, key=lambda text: len(text.replace("{}", "")), reverse=True)
        self._templates = [_Template(text, texts[text]) for text in by_words]
        self._cached = lru_cache(256)(self._translate)

    def translate(self, text: str) -> str:
        """A sentence, or several, in the table's language; those that it lacks stay."""
        return self._cached(text)

    def _translate(self, text: str) -> str:
        whole = self._one(text)
        if whole != text:
            return whole
        return " ".join(map(self._one, _BETWEEN_SENTENCES.split(text)))

    def _one(self, text: str) -> str:
        if text in self._texts:
            return self._texts[text]
        for template in self._templates:
            if match := template.pattern.fullmatch(text):
                gaps = zip(match.groups(), template.named, strict=True)
                values = [value if named else self._filled_in(value) for value, named in gaps]
                return template.translation.format(*values)
        return text

    def _filled_in(self, value: str) -> str:
        """What stands in a gap: words or a list of them, a sentence's lower case, or neither."""
        parts = _BETWEEN_ITEMS.split(value)
        said = list(map(self._one, parts))
        # A path or a message of the system may look like a list, but its items are no words.
        if all(part != now for part, now in zip(parts[::2], said[::2], strict=True) if part):
            return "".join(said)
        capital = value[:1].upper() + value[1:]
        sentence = self._one(capital)
        return value if sentence == capital else sentence[:1].lower() + sentence[1:]


class _Template:
    """A text with gaps.

    Attributes:
        pattern: what it looks like when they are filled.
        named: of each gap, whether it is a name in quotation marks.
        translation: with the same gaps.
    """

    def __init__(self, text: str, translation: str) -> None:
        parts = text.split("{}")
        around = list(pairwise(parts))
        self.named = [before.endswith("“") and after.startswith("”") for before, after in around]
        gaps = [_NAME if named else _ANYTHING for named in self.named]
        words = [re.escape(part) for part in parts]
        pattern = "".join(word + gap for word, gap in zip(words, [*gaps, ""], strict=True))
        self.pattern = re.compile(pattern, re.DOTALL)
        self.translation = translation
