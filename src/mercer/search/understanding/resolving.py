"""From phrases to filters: which meaning of a phrase holds in its query, and whether it may be trusted.

A phrase with a value is trusted where the catalogue's own titles use it so: of the items whose titles hold it, in the
category that is asked for where one is, a share of `agreement` at least must have that value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from mercer.search.understanding.contract import Filters
from mercer.search.understanding.english import GRAMMAR, PREPOSITIONS
from mercer.search.understanding.facts import Codes, ItemFacts
from mercer.search.understanding.lexicon import Lexicon
from mercer.search.understanding.titles import Entry
from mercer.search.understanding.tokens import Token, phrase
from mercer.search.understanding.values import SEPARATOR


@dataclass(frozen=True, slots=True)
class Span:
    """A phrase of a query, from token `start` to before `stop`, and what it may mean."""

    start: int
    stop: int
    meanings: tuple[Entry, ...]

    def of(self, kind: str) -> list[Entry]:
        """Its meanings of one kind."""
        return [entry for entry in self.meanings if entry.kind == kind]


@dataclass(frozen=True, slots=True)
class Reading:
    """A query's tokens, as corrected; its phrases, those denied left out; and tokens that say something else."""

    tokens: Sequence[Token]
    spans: Sequence[Span]
    used: frozenset[int]

    def free(self) -> Iterator[Token]:
        """Tokens that nothing explains."""
        held = {place for span in self.spans for place in range(span.start, span.stop)} | self.used
        return (token for place, token in enumerate(self.tokens) if place not in held)


class Resolver:
    """Chooses among the meanings of a query's phrases. agreement: share of titles that must use a phrase so."""

    def __init__(self, lexicon: Lexicon, facts: ItemFacts, *, agreement: float) -> None:
        self._lexicon = lexicon
        self._facts = facts
        self._agreement = agreement
        self._held = lru_cache(maxsize=20_000)(self._count)

    def filters(self, reading: Reading) -> Filters:
        """Category, brand and attributes of a query."""
        named = self._category(reading)
        category = "" if named is None else named[1]
        rest = [span for span in reading.spans if named is None or span is not named[0]]
        brand, taken = self._brand(rest)
        found: dict[str, set[str]] = {}
        for span in rest:
            pair = self.value(self._words(span, reading), category)
            if pair is not None and span not in taken:
                found.setdefault(pair[0], set()).add(pair[1])
        for token in reading.free():
            part = self.part(token.norm, category)
            if part is not None and part.kind == "attribute":
                found.setdefault(part.name, set()).add(part.value)
            elif part is not None and not brand:
                brand = part.value
        single = {name: next(iter(held)) for name, held in sorted(found.items()) if len(held) == 1}
        return Filters(category=category, brand=brand, attributes=MappingProxyType(single))

    @staticmethod
    def _words(span: Span, reading: Reading) -> tuple[str, ...]:
        return tuple(token.norm for token in reading.tokens[span.start : span.stop])

    def _category(self, reading: Reading) -> tuple[Span, str] | None:
        """The category of what is looked for and the phrase that names it: the last noun of the first group of words.

        None where another thing of another category is asked for too, and where a word that the catalogue lacks
        follows: a "coffee table" is no coffee.
        """
        group: tuple[Span, str] | None = None
        closed = False
        starts = {span.start for span in reading.spans}
        for span in reading.spans:
            named = span.of("category")
            if not named or not self._ends_its_words(span, reading, starts):
                continue
            between = range(group[0].stop, span.start) if group else range(0)
            if group is not None and any(self._closes(reading.tokens[place]) for place in between):
                closed = True
            if closed and group is not None:
                listed = {reading.tokens[place].norm for place in between} & {"or", "and"}
                parted = reading.tokens[span.start].parted
                if (listed or parted) and not _akin(group[1], named[0].value):
                    return None
                continue
            group = span, named[0].value
        return group

    def _ends_its_words(self, span: Span, reading: Reading, starts: set[int]) -> bool:
        """Whether no word that the catalogue does not explain stands right behind a phrase."""
        place = span.stop
        if place >= len(reading.tokens) or place in reading.used or place in starts:
            return not (place in starts and self._head_follows(span, reading))
        token = reading.tokens[place]
        known = token.norm in GRAMMAR or token.norm in self._lexicon.parts
        return token.parted or token.number is not None or not token.norm.isalpha() or known

    @staticmethod
    def _head_follows(span: Span, reading: Reading) -> bool:
        """Whether a phrase that can be a value too stands before the noun it belongs to: "glass teapot"."""
        following = next(other for other in reading.spans if other.start == span.stop)
        return bool(span.of("attribute") or span.of("brand")) and bool(following.of("category"))

    @staticmethod
    def _closes(token: Token) -> bool:
        return token.norm in PREPOSITIONS or token.norm in GRAMMAR or token.parted

    def _brand(self, spans: Sequence[Span]) -> tuple[str, list[Span]]:
        """The one brand that is named, and the phrases that are read as brands; "" where two are named."""
        named: dict[str, None] = {}
        taken: list[Span] = []
        for span in spans:
            for entry in span.of("brand")[:1]:
                if self.trusted(phrase(entry.value), ""):
                    named[entry.value] = None
                    taken.append(span)
        return (next(iter(named)) if len(named) == 1 else ""), taken

    def value(self, words: tuple[str, ...], category: str) -> tuple[str, str] | None:
        """The attribute and value that a phrase stands for, in the category where some item there has one."""
        meanings = [entry for entry in self._lexicon.entries.get(words, ()) if entry.kind == "attribute"]
        if not meanings:
            return None
        counts = {entry: self._held(entry.name, entry.value, category) for entry in meanings}
        if not any(counts.values()):
            counts, category = {entry: self._held(entry.name, entry.value, "") for entry in meanings}, ""
        best = max(counts, key=lambda entry: counts[entry])
        total = sum(counts.values())
        if not total or counts[best] < self._agreement * total or not self.trusted(words, category):
            return None
        return best.name, best.value

    def part(self, word: str, category: str) -> Entry | None:
        """The only value in the category that holds a word: "blue" among mugs, where "Sea Blue" is the only blue.

        Without a category, the only value that ends in it, or the only brand that begins with it.
        """
        meanings = self._lexicon.parts.get(word, ())
        held = [
            entry
            for entry in meanings
            if (category or entry.kind == "brand" or phrase(entry.value)[-1] == word)
            and self._held(entry.name if entry.kind == "attribute" else "brand", entry.value, category)
            and (entry.kind == "attribute" or self._is_name(word, entry.value))
        ]
        return held[0] if len(held) == 1 and self.trusted((word,), category) else None

    def _is_name(self, word: str, brand: str) -> bool:
        """Whether nearly every item whose texts hold a word is of a brand: "everyday" is more than a name."""
        return self._held("brand", brand, "") >= self._agreement * self._lexicon.words.get(word, 0)

    def trusted(self, words: tuple[str, ...], category: str) -> bool:
        """Whether titles of a category ("" for all) use a phrase as a value or brand; none that holds it is a yes."""
        own, other = (
            sum(count for path, count in counts.get(words, NOWHERE).items() if _within(path, category))
            for counts in (self._lexicon.own, self._lexicon.other)
        )
        return own >= self._agreement * (own + other)

    def _count(self, name: str, value: str, category: str) -> int:
        """Items with a value, in a category."""
        codes = self._facts.codes(name, value)
        if not category or not len(codes):
            return len(codes)
        inside: Codes = self._facts.codes("category", category)
        return len(np.intersect1d(codes, inside, assume_unique=True))


NOWHERE: Mapping[str, int] = MappingProxyType({})


def _within(path: str, category: str) -> bool:
    return not category or path == category or path.startswith(category + SEPARATOR)


def _akin(one: str, other: str) -> bool:
    """Whether two category paths are the same, or one is the first part of the other."""
    return _within(one, other) or _within(other, one)
