"""The words of a catalogue: which phrases name a brand, the value of an attribute, or the items of one category.

Words for a category come from titles. From each title the item's own brand and values are taken away; of what is left,
a phrase stands for the category that nearly all items share whose titles hold it at the end of a run of words, where
English puts the thing itself. So "stoneware mug" says nothing that "stoneware" and "mug" do not say, "wine" is no
glass, and "bowl", of which there are some to bake and some to eat from, says nothing at all.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import pandas as pd

from mercer.errors import DamagedError
from mercer.search.understanding.english import GRAMMAR, OCCASIONS, PEOPLE, PERSON, PREPOSITIONS
from mercer.search.understanding.tokens import Token, phrase, tokens
from mercer.search.understanding.values import (
    SEPARATOR,
    CatalogueValues,
    attribute_values,
    column,
    prefixes,
)
from mercer.search.words import singular

FILE = "lexicon.json"

Phrase = tuple[str, ...]
Counts = dict[Phrase, Counter[str]]
Kind = Literal["category", "brand", "attribute"]

LONGEST = 3
"""Words of the longest phrase of a title that may stand for a category."""
LEAST_TITLES = 3
"""Titles that must hold a phrase before it stands for anything."""
_LONGEST_PHRASE = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """What a phrase may mean. name: of the attribute, "" for a brand or a category. value: in the catalogue's spelling.

    titles: items whose titles hold the phrase in this meaning, or 0 where it is not from titles.
    """

    kind: Kind
    name: str
    value: str
    titles: int = 0


@dataclass(frozen=True)
class Lexicon:
    """entries: meanings by phrase. parts: by word, the values of several words that hold it; a word that is no phrase.

    own, other: of each phrase that is a value, a brand or a part, titles of items that have that value, and titles that
    hold the phrase in another sense, both by category. words: of all texts, folded and singular, and how many items
    hold each.
    """

    entries: Mapping[Phrase, tuple[Entry, ...]]
    parts: Mapping[str, tuple[Entry, ...]]
    own: Mapping[Phrase, Mapping[str, int]]
    other: Mapping[Phrase, Mapping[str, int]]
    words: Mapping[str, int]

    @classmethod
    def of(cls, items: pd.DataFrame, values: CatalogueValues, *, agreement: float) -> Self:
        """The lexicon of a catalogue. agreement: share of the titles with a phrase that must be of one category."""
        named = _named(values)
        titles = _Titles.read(items, named)
        entries: dict[Phrase, list[Entry]] = defaultdict(list)
        for words, meanings in named.items():
            entries[words].extend(meanings)
        for words, category, count in _categories(titles, values, agreement):
            entries[words].append(Entry("category", "", category, count))
        parts = _parts(values, entries)
        asked = [*named, *((word,) for word in parts)]
        return cls(
            {words: tuple(found) for words, found in entries.items()},
            parts,
            {words: dict(titles.own[words]) for words in asked if words in titles.own},
            {words: dict(titles.free[words]) for words in asked if words in titles.free},
            _words(items),
        )

    def spans(
        self, norms: Sequence[str], taken: Iterable[int] = ()
    ) -> list[tuple[int, int, tuple[Entry, ...]]]:
        """The longest phrases first, then the leftmost, none over another or a taken place: (from, to, meanings).

        In the order of the query.
        """
        free = [place not in set(taken) for place in range(len(norms))]
        found: list[tuple[int, int, tuple[Entry, ...]]] = []
        for length in range(min(_LONGEST_PHRASE, len(norms)), 0, -1):
            for start in range(len(norms) - length + 1):
                stop = start + length
                meanings = self.entries.get(tuple(norms[start:stop]))
                if meanings and all(free[start:stop]):
                    free[start:stop] = [False] * length
                    found.append((start, stop, meanings))
        return sorted(found)

    def save(self, folder: Path) -> None:
        """Write `lexicon.json` into an existing folder."""
        content = {
            "entries": [[list(words), _plain(meanings)] for words, meanings in sorted(self.entries.items())],
            "parts": {word: _plain(meanings) for word, meanings in sorted(self.parts.items())},
            "own": [[list(words), counts] for words, counts in sorted(self.own.items())],
            "other": [[list(words), counts] for words, counts in sorted(self.other.items())],
            "words": dict(sorted(self.words.items())),
        }
        (folder / FILE).write_text(json.dumps(content, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises DamagedError when it is missing or not whole."""
        try:
            content: Any = json.loads((folder / FILE).read_text("utf-8"))
            return cls(
                {tuple(words): _entries(meanings) for words, meanings in content["entries"]},
                {word: _entries(meanings) for word, meanings in content["parts"].items()},
                {tuple(words): counts for words, counts in content["own"]},
                {tuple(words): counts for words, counts in content["other"]},
                content["words"],
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
            raise DamagedError(f"{FILE} is damaged or missing.", remedy="Fit the ranker again.") from fault


def _plain(meanings: Iterable[Entry]) -> list[list[str | int]]:
    return [[one.kind, one.name, one.value, one.titles] for one in meanings]


def _entries(meanings: Iterable[tuple[Kind, str, str, int]]) -> tuple[Entry, ...]:
    return tuple(Entry(kind, name, value, titles) for kind, name, value, titles in meanings)


def _named(values: CatalogueValues) -> dict[Phrase, list[Entry]]:
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
class _Titles:
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
        found = cls(defaultdict(Counter), defaultdict(Counter), defaultdict(Counter), defaultdict(Counter))
        brands, paths = column(items, "brand"), column(items, "category")
        known = attribute_values(items)
        longest = max(map(len, named), default=0)
        for row, title in enumerate(column(items, "title")):
            mine = {("brand", "", brands[row])} | {
                ("attribute", name, value) for name, held in known[row].items() for value in held
            }
            found._add(tokens(title), named, mine, longest, paths[row])
        return found

    def _add(
        self,
        title: Sequence[Token],
        named: Mapping[Phrase, Sequence[Entry]],
        mine: set[tuple[str, str, str]],
        longest: int,
        path: str,
    ) -> None:
        places = _own_places([token.norm for token in title], named, mine, longest)
        said = {tuple(token.norm for token in title[at:to]) for at, to in places}
        runs = list(_runs(title, {place for at, to in places for place in range(at, to)}))
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
    longest: int,
) -> list[tuple[int, int]]:
    """Where the item's own brand and values stand in its title, the longest first, none inside another."""
    found: list[tuple[int, int]] = []
    for length in range(min(longest, len(norms)), 0, -1):
        for at in range(len(norms) - length + 1):
            meanings = named.get(tuple(norms[at : at + length]), ())
            if any((one.kind, one.name, one.value) in mine for one in meanings) and not any(
                at < to and start < at + length for start, to in found
            ):
                found.append((at, at + length))
    return found


def _runs(title: Sequence[Token], own: set[int]) -> Iterator[Phrase]:
    """Runs of words of a title, cut at punctuation, at numbers, at grammar, and where the item's own values stand."""
    run: list[str] = []
    for place, token in enumerate(title):
        hidden = place in own or token.number is not None or token.norm in GRAMMAR
        if (hidden or token.parted) and run:
            yield tuple(run)
            run = []
        if not hidden:
            run.append(token.norm)
    if run:
        yield tuple(run)


def _categories(
    titles: _Titles, values: CatalogueValues, agreement: float
) -> Iterator[tuple[Phrase, str, int]]:
    """Phrases that stand for a category: those of titles, then the names of categories that titles do not gainsay."""
    if not values.categories:
        return
    told: set[Phrase] = set()
    for words in titles.free:
        counts = titles.best(words)
        total = sum(counts.values())
        if not total or not words[-1].isalpha() or len(words[-1]) < 2 or unnamed(words):
            continue
        told.add(words)
        shared: Counter[str] = Counter()
        for path, count in counts.items():
            shared.update(dict.fromkeys(prefixes(path), count))
        agreed = [path for path, count in shared.items() if count >= agreement * total]
        deepest = max(agreed, key=lambda path: (path.count(SEPARATOR), path), default="")
        if deepest in values.leaves:
            yield words, deepest, total
    names: dict[Phrase, set[str]] = defaultdict(set)
    for path in values.categories:
        name = path.rpartition(SEPARATOR)[2]
        for words in {phrase(name), *(phrase(part) for part in name.replace(" and ", "&").split("&"))}:
            if words:
                names[words].add(path)
    for words, paths in names.items():
        widest = min(paths, key=lambda path: (len(path), path))
        inside = all(path == widest or path.startswith(widest + SEPARATOR) for path in paths)
        if inside and words not in told and not unnamed(words):
            yield words, widest, 0


def unnamed(words: Phrase) -> bool:
    """Whether a phrase is made of words that name no kind of thing."""
    return all(word in NAMELESS for word in words)


NAMELESS = frozenset(map(singular, GRAMMAR | OCCASIONS | PREPOSITIONS | {*PERSON, *PEOPLE}))


def _parts(
    values: CatalogueValues, entries: Mapping[Phrase, Sequence[Entry]]
) -> dict[str, tuple[Entry, ...]]:
    """Words of values of several words, and the first words of such brands; a word that is a phrase is none."""
    found: dict[str, dict[Entry, None]] = defaultdict(dict)
    texts = [(phrase(brand)[:1], phrase(brand), Entry("brand", "", brand)) for brand in values.brands]
    for name, held in values.attributes.items():
        texts += [(phrase(value), phrase(value), Entry("attribute", name, value)) for value in held]
    for parts, whole, entry in texts:
        for word in parts if len(whole) > 1 else ():
            if len(word) > 2 and word.isalpha() and word not in NAMELESS and (word,) not in entries:
                found[word][entry] = None
    return {word: tuple(meanings) for word, meanings in found.items()}


def _words(items: pd.DataFrame) -> dict[str, int]:
    counts: Counter[str] = Counter()
    columns = [column(items, name) for name in ("title", "text", "category", "brand")]
    for row in zip(*columns, strict=True):
        counts.update({token.norm for text in row for token in tokens(text) if token.norm.isalpha()})
    for held in attribute_values(items):
        counts.update(
            {word for values in held.values() for value in values for word in phrase(value) if word.isalpha()}
        )
    return dict(counts)
