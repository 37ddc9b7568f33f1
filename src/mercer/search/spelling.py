"""Correction of a misspelt word: one edit, else two in a longer word, and only where the catalogue lacks it as typed.

A word that the catalogue holds is never touched, nor is anything with a digit in it: article numbers, sizes and
models stay as they were typed. Source: the candidates are those of Damerau, CACM 7(3), 1964: one letter
more, less or other, or two neighbours exchanged.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property

import numpy as np
import numpy.typing as npt

from mercer.search.words import MAX_CHARACTERS, fold, singular

LEAST_LETTERS = 5
"""Shorter words are left alone: too many words lie within one edit of them."""
MOST_LETTERS = 32
"""So are longer ones, which are no words."""
LEAST_FOR_TWO = 7
"""Letters from which a word without a neighbour at one edit may be two edits away."""
Lengths = npt.NDArray[np.int64]
_ALPHABET = 64
_WORD = re.compile(r"[^\W\d_]+")
_CHUNK = re.compile(r"\S+")


class Speller:
    """Corrects queries towards the words of a catalogue.

    words: the catalogue's words, folded and singular as in the index, and how many items hold each. real: words of the
    language, folded: who types one that the catalogue lacks wants what the shop lacks, and made no slip.
    """

    def __init__(self, words: Mapping[str, int], real: AbstractSet[str] = frozenset()) -> None:
        self._words = words
        self._real = real
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
        found = [near for near in self._near(word) if near in self._words]
        if not found and len(word) >= LEAST_FOR_TWO:
            found = self._two_edits_away(word)
        # The commonest word wins; of equal ones the first in the alphabet.
        best = min(((-self._words[near], near) for near in found), default=None)
        return typed if best is None else best[1]

    def _two_edits_away(self, word: str) -> list[str]:
        """Words of the catalogue at two edits. What has too many other letters is not compared at all."""
        names, letters, lengths = self._shapes
        # Two edits change four letters of the two sets at most.
        other = np.bitwise_count(letters ^ np.uint64(_letters_of(word)))
        near = np.flatnonzero((other <= 4) & (np.abs(lengths - len(word)) <= 2))
        forms = dict.fromkeys((word, singular(word)))
        return [names[at] for at in near if any(edits(form, names[at], 2) <= 2 for form in forms)]

    @cached_property
    def _shapes(self) -> tuple[list[str], npt.NDArray[np.uint64], Lengths]:
        """The words, the set of letters of each as bits, and how long each is."""
        names = [word for word in self._words if LEAST_FOR_TWO - 2 <= len(word) <= MOST_LETTERS]
        letters = np.fromiter(map(_letters_of, names), np.uint64, len(names))
        return names, letters, np.fromiter(map(len, names), np.int64, len(names))

    def _knows(self, word: str) -> bool:
        forms = (word, singular(word))
        return any(form in self._words or form in self._real for form in forms)

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


def _letters_of(word: str) -> int:
    """The letters of a word as a set of 64 bits; two letters may share one."""
    bits = 0
    for letter in word:
        bits |= 1 << (ord(letter) % 64)
    return bits


def edits(one: str, other: str, most: int) -> int:
    """Edits between two words, exchanged neighbours counted as one; most + 1 where there are more than `most`.

    Source: optimal string alignment, Damerau, CACM 7(3), 1964.
    """
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        now = [row]
        for place, wanted in enumerate(other, start=1):
            cost = min(last[place] + 1, now[-1] + 1, last[place - 1] + (letter != wanted))
            if row > 1 and place > 1 and letter == other[place - 2] and one[row - 2] == wanted:
                cost = min(cost, before[place - 2] + 1)
            now.append(cost)
        if min(now) > most:
            return most + 1
        before, last = last, now
    return min(most + 1, last[-1])
