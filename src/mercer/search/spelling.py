"""Correction of a misspelt word: one edit, and only where the catalogue lacks the word as it was typed.

A word that the catalogue holds is never touched, nor is anything with a digit in it: article numbers, sizes and
models stay as they were typed. Source: the candidates are those of Damerau, CACM 7(3), 1964: one letter
more, less or other, or two neighbours exchanged.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from mercer.search.words import MAX_CHARACTERS, fold, singular

LEAST_LETTERS = 5
"""Shorter words are left alone: too many words lie within one edit of them."""
MOST_LETTERS = 32
"""So are longer ones, which are no words."""
_ALPHABET = 64
_WORD = re.compile(r"[^\W\d_]+")
_CHUNK = re.compile(r"\S+")


class Speller:
    """Corrects queries towards the words of a catalogue.

    words: the catalogue's words, folded and singular as in the index, and how many items hold each.
    """

    def __init__(self, words: Mapping[str, int]) -> None:
        self._words = words
        letters = Counter[str]()
        for word in words:
            letters.update(set(word))
        # The commonest letters alone: a catalogue in two scripts has dozens, one with rare signs thousands.
        self._letters = "".join(sorted(letter for letter, _ in letters.most_common(_ALPHABET)))

    def corrected(self, query: str) -> str:
        """The query with each misspelt word replaced, the rest as it was typed; itself where nothing is."""
        return _CHUNK.sub(lambda chunk: self._chunk(chunk.group()), query[:MAX_CHARACTERS])

    def _chunk(self, chunk: str) -> str:
        """What stands between two spaces: left alone when it holds a digit."""
        if any(c.isdigit() for c in chunk):
            return chunk
        return _WORD.sub(lambda word: self._word(word.group()), chunk)

    def _word(self, typed: str) -> str:
        word = fold(typed)
        if not (LEAST_LETTERS <= len(word) <= MOST_LETTERS) or not word.isalpha() or self._knows(word):
            return typed
        # The commonest word wins; of equal ones the first in the alphabet.
        best = min(
            ((-self._words[near], near) for near in self._near(word) if near in self._words), default=None
        )
        return typed if best is None else best[1]

    def _knows(self, word: str) -> bool:
        return word in self._words or singular(word) in self._words

    def _near(self, word: str) -> Iterator[str]:
        """Everything one edit away, in the form of the index: of the word, and of it without its plural."""
        for form in dict.fromkeys((word, singular(word))):
            for at in range(len(form) + 1):
                head, tail = form[:at], form[at:]
                if tail:
                    yield head + tail[1:]
                    yield from (head + letter + tail[1:] for letter in self._letters)
                if len(tail) > 1:
                    yield head + tail[1] + tail[0] + tail[2:]
                yield from (head + letter + tail for letter in self._letters)
