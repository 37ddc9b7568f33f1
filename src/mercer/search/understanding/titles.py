"""Titles of a catalogue, read with its own brands and values: what is a value there, and what the thing is called."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

import pandas as pd

from mercer.search.understanding.english import GRAMMAR
from mercer.search.understanding.tokens import Token, phrase, tokens
from mercer.search.understanding.values import CatalogueValues, attribute_values, column

Phrase = tuple[str, ...]
Counts = dict[Phrase, Counter[str]]
Kind = Literal["category", "brand", "attribute"]

LONGEST = 3
"""Words of the longest phrase of a title that may stand for a category."""
LEAST_TITLES = 3
"""Titles that must hold a phrase before it stands for anything."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a phrase may mean. name: of the attribute, "" for a brand or a category. value: in the catalogue's spelling.

    titles: items whose titles hold the phrase in this meaning, or 0 where it is not from titles.
    """

    kind: Kind
    name: str
    value: str
    titles: int = 0


def named_phrases(values: CatalogueValues) -> dict[Phrase, list[Entry]]:
    """Brands and attribute values by their words; a value also with the attribute's name beside it."""
    found: dict[Phrase, list[Entry]] = defaultdict(list)
    for brand in values.brands:
        if words := phrase(brand):
            found[words].append(Entry("brand", "", brand))
    for name, held in values.attributes.items():
        names = dict.fromkeys((phrase(name), phrase(name)[-1:], *_SPELLINGS.get(name, ())))
        for value in held:
            for words in _forms(value):
                entry = Entry("attribute", name, value)
                spelt = [words] if len(words) > 1 or len(words[0]) > 1 else []
                for form in (*spelt, *(one + words for one in names), *(words + one for one in names)):
                    if entry not in found[form]:
                        found[form].append(entry)
    return found


_SPELLINGS = {"colour": (("color",),), "color": (("colour",),)}


def _forms(value: str) -> Iterator[Phrase]:
    """The words of a value, and those of it without what stands in brackets."""
    for text in dict.fromkeys((value, value.partition("(")[0])):
        if words := phrase(text):
            yield words


@dataclass(frozen=True, slots=True)
class Titles:
    """In how many titles a phrase stands, by category path.

    own: as the item's own brand or value, or a single word of one. free: otherwise. heads: at the end of a run of free
    words. whole: as all of one.
    """

    own: Counts
    free: Counts
    heads: Counts
    whole: Counts

    @classmethod
    def read(cls, items: pd.DataFrame, named: Mapping[Phrase, Sequence[Entry]]) -> Self:
        """The titles of a catalogue. named: phrases that are brands or values."""
        found = cls(defaultdict(Counter), defaultdict(Counter), defaultdict(Counter), defaultdict(Counter))
        lengths = _lengths(named)
        rows = zip(column(items, "title"), column(items, "category"), _own(items), strict=True)
        for title, path, mine in rows:
            found._add(tokens(title), named, mine, lengths, path)
        return found

    def _add(
        self,
        title: Sequence[Token],
        named: Mapping[Phrase, Sequence[Entry]],
        mine: set[tuple[str, str, str]],
        lengths: Mapping[str, Sequence[int]],
        path: str,
    ) -> None:
        places = _own_places([token.norm for token in title], named, mine, lengths)
        said = {tuple(token.norm for token in title[at:to]) for at, to in places}
        own = {place for at, to in places for place in range(at, to)}
        runs = [tuple(token.norm for token in run) for run in _runs(title, own)]
        sizes = range(1, LONGEST + 1)
        seen: tuple[tuple[Counts, set[Phrase]], ...] = (
            (self.own, said | {(word,) for one in said for word in one}),
            (self.free, {run[at : at + n] for run in runs for n in sizes for at in range(len(run) - n + 1)}),
            (self.heads, {run[-n:] for run in runs for n in sizes}),
            (self.whole, set(runs)),
        )
        for counts, phrases in seen:
            for words in phrases:
                counts[words][path] += 1

    def best(self, words: Phrase) -> Counter[str]:
        """The titles that tell most of what a phrase means; none where too few hold it.

        Those of which it is the whole name, then those that end in it, then ("duvet cover" of "duvet cover set") all; a
        single word within a name is more often another thing's adjective.
        """
        found = [self.whole, self.heads, *([self.free] if len(words) > 1 else [])]
        counted = (counts[words] for counts in found if words in counts)
        return next((one for one in counted if sum(one.values()) >= LEAST_TITLES), Counter())


def _own_places(
    norms: Sequence[str],
    named: Mapping[Phrase, Sequence[Entry]],
    mine: set[tuple[str, str, str]],
    lengths: Mapping[str, Sequence[int]],
) -> list[tuple[int, int]]:
    """Where the item's own brand and values stand in its title, the longest first, none inside another."""
    found: list[tuple[int, int]] = []
    options = ((length, at) for at, norm in enumerate(norms) for length in lengths.get(norm, ()))
    for length, at in sorted(options, key=lambda one: (-one[0], one[1])):
        meanings = named.get(tuple(norms[at : at + length]), ()) if at + length <= len(norms) else ()
        if any((one.kind, one.name, one.value) in mine for one in meanings) and not any(
            at < to and start < at + length for start, to in found
        ):
            found.append((at, at + length))
    return found


def _lengths(named: Iterable[Phrase]) -> dict[str, tuple[int, ...]]:
    """By the first word of a phrase, how many words phrases that begin with it have."""
    found: dict[str, set[int]] = defaultdict(set)
    for words in named:
        found[words[0]].add(len(words))
    return {word: tuple(sorted(held)) for word, held in found.items()}


def _runs(title: Sequence[Token], own: set[int]) -> Iterator[list[Token]]:
    """Runs of words of a title, cut at punctuation, at numbers, at grammar, and where the item's own values stand."""
    run: list[Token] = []
    for place, token in enumerate(title):
        hidden = place in own or token.number is not None or token.norm in GRAMMAR
        if (hidden or token.parted) and run:
            yield run
            run = []
        if not hidden:
            run.append(token)
    if run:
        yield run


def title_runs(items: pd.DataFrame, values: CatalogueValues) -> list[list[str]]:
    """Of each item, the runs of words of its title, in lower case as they are spelt, without its brand and values."""
    named = named_phrases(values)
    lengths = _lengths(named)
    found = []
    for title, mine in zip(column(items, "title"), _own(items), strict=True):
        read = tokens(title)
        places = _own_places([token.norm for token in read], named, mine, lengths)
        runs = _runs(read, {place for at, to in places for place in range(at, to)})
        found.append([title[run[0].start : run[-1].end].lower() for run in runs])
    return found


def _own(items: pd.DataFrame) -> Iterator[set[tuple[str, str, str]]]:
    """The brand and the values of each item, as an entry has them."""
    for brand, known in zip(column(items, "brand"), attribute_values(items), strict=True):
        yield {("brand", "", brand)} | {
            ("attribute", name, value) for name, held in known.items() for value in held
        }


def uses(items: pd.DataFrame) -> dict[str, str]:
    """What things are for, by the catalogue's own words, and the category of all items that are for it.

    Behind "for" in the first sentence of a description, which says what a thing is; the others praise it.
    """
    seen: Counts = defaultdict(Counter)
    for text, path in zip(column(items, "text"), column(items, "category"), strict=True):
        for found in _FOR.finditer(text.partition(". ")[0] + "."):
            seen[(found.group(1).lower(),)][path] += 1
    return {
        words[0]: next(iter(paths))
        for words, paths in sorted(seen.items())
        if len(paths) == 1 and "" not in paths and paths.total() >= LEAST_TITLES
    }


_FOR = re.compile(r"\bfor ((?:[^\W\d_]+ ){0,3}[^\W\d_]+)(?=[.:;,])")
