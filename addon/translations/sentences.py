"""Sentences in another language: found again in a table by the words around their gaps.

The code writes what it says in English, names and numbers included. A table holds the same sentence
with ``{}`` for each of them. What stood there is put in as it is, as a file may be called like a
part of the body or like a sentence. Where the code fills in such words itself, the translation has
``{:text}``, and where it fills in several, with commas and “and” between them, ``{:list}``. Words
that many a name has too, such as “of”, are ours only beside numbers: ``{:number}``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

_BETWEEN_SENTENCES = re.compile(r"“[^”]*”|((?<=\.) (?=[A-Z“]))")
_BETWEEN_ITEMS = re.compile(r"“[^”]*”|( and \d+ more|, | and no | and )")
_NUMBER = re.compile(r"-?[\d.,]+%?|–")
_END_OF_A_SENTENCE = (".", "{:text}")
_LONGEST = 1000
"""Texts of more letters are none of ours."""

_MOST = 20
"""Nor are texts of more sentences, or with more full stops in their names."""

_DEPTH = 4
"""So often at most does a sentence quote another one that quotes another one."""


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
        self._templates = [(text.split("{}"), texts[text]) for text in by_words]
        self._cached = lru_cache(256)(self.sentences)

    def translate(self, text: str) -> str:
        """A sentence, or several, in the table's language; those that it lacks stay."""
        return text if len(text) > _LONGEST else self._cached(text, _DEPTH)

    def sentences(self, text: str, depth: int) -> str:
        """The same for what may stand in the gap of another sentence, which may have gaps too."""
        pieces, said = _split(text, _BETWEEN_SENTENCES)[::2], []
        if len(pieces) > _MOST:
            return text
        while pieces:
            for count in range(1, len(pieces) + 1):  # a name may have full stops of its own
                alone = not said and count == len(pieces)
                found = self._one(" ".join(pieces[:count]), depth, alone)
                if found is not None:
                    break
            else:
                count, found = 1, pieces[0]
            said.append(found)
            del pieces[:count]
        return " ".join(said)

    def items(self, text: str, depth: int) -> str:
        """Words with commas and “and” between them."""
        parts = _split(text, _BETWEEN_ITEMS)
        return "".join(self._one(part, depth) or part for part in parts)

    def _one(self, text: str, depth: int, alone: bool = True) -> str | None:
        if text in self._texts:
            return self._texts[text]
        for words, translation in self._templates if depth else ():
            if not alone and not translation.endswith(_END_OF_A_SENTENCE):
                continue  # what has no full stop is a label, or a part of a sentence
            values = _between(words, text)
            with suppress(_NotANumberError):
                if values:
                    return translation.format(*(_Value(v, self, depth - 1) for v in values))
        return None


class _NotANumberError(Exception):
    """Words stand where the translation expects a number."""


@dataclass(frozen=True)
class _Value:
    """What stands in a gap, as it is if the translation does not ask for more."""

    value: str
    table: Table
    depth: int

    def __format__(self, kind: str) -> str:
        match kind:
            case "":
                return self.value
            case "text":
                return self._text()
            case "list":
                return self.table.items(self.value, self.depth)
            case "number":
                if _NUMBER.fullmatch(self.value):
                    return self.value
                raise _NotANumberError
        raise ValueError(f"there are no gaps for a {kind}")

    def _text(self) -> str:
        """As it stands in the table, or a sentence there that begins with a small letter here."""
        said = self.table.sentences(self.value, self.depth)
        capital = self.value[:1].upper() + self.value[1:]
        if said != self.value or capital == self.value:
            return said
        said = self.table.sentences(capital, self.depth)
        return self.value if said == capital else said[:1].lower() + said[1:]


def _split(text: str, separator: re.Pattern[str]) -> list[str]:
    """Parts and separators in turn; what stands in quotation marks holds no separators."""
    parts, begin = [], 0
    for match in separator.finditer(text):
        if match[1] is not None:
            parts += [text[begin : match.start()], match[1]]
            begin = match.end()
    return [*parts, text[begin:]]


def _between(words: list[str], text: str) -> list[str]:
    """What stands between the words in a text that consists of them and of gaps; [] if it does not.

    Each word is taken where it is found first, so that this takes as long as reading the text.
    """
    first, *inner, last = words
    if not (text.startswith(first) and text.endswith(last)):
        return []
    values, begin, stop = [], len(first), len(text) - len(last)
    for word in inner:
        end = text.find(word, begin + 1, stop)
        if end < 0:
            return []
        values.append(text[begin:end])
        begin = end + len(word)
    return [*values, text[begin:stop]] if begin < stop else []
