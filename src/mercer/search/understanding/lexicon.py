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
from typing import Any, Self

import pandas as pd

from mercer.errors import DamagedError
from mercer.search.understanding.english import GRAMMAR, OCCASIONS, PEOPLE, PERSON, PREPOSITIONS
from mercer.search.understanding.titles import Entry, Kind, Phrase, Titles, named_phrases, uses
from mercer.search.understanding.tokens import phrase, tokens
from mercer.search.understanding.values import (
    SEPARATOR,
    CatalogueValues,
    attribute_values,
    column,
    prefixes,
)
from mercer.search.words import singular

FILE = "lexicon.json"

_LONGEST_PHRASE = 8


@dataclass(frozen=True)
class Lexicon:
    """entries: meanings by phrase. parts: by word, the values of several words that hold it; a word that is no phrase.

    own, other: of each phrase that is a value, a brand or a part, titles of items that have that value, and titles that
    hold the phrase in another sense, both by category. words: of all texts, folded and singular, and how many items
    hold each. real: words of the language, which are no slips though the catalogue lacks them.
    """

    entries: Mapping[Phrase, tuple[Entry, ...]]
    parts: Mapping[str, tuple[Entry, ...]]
    own: Mapping[Phrase, Mapping[str, int]]
    other: Mapping[Phrase, Mapping[str, int]]
    words: Mapping[str, int]
    real: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        items: pd.DataFrame,
        values: CatalogueValues,
        *,
        agreement: float,
        real: frozenset[str] = frozenset(),
    ) -> Self:
        """The lexicon of a catalogue. agreement: share of the titles with a phrase that must be of one category."""
        named = named_phrases(values)
        titles = Titles.read(items, named)
        entries: dict[Phrase, list[Entry]] = defaultdict(list)
        for words, meanings in named.items():
            entries[words].extend(meanings)
        for words, category, count in _categories(titles, values, agreement):
            entries[words].append(Entry("category", "", category, count))
        for text, category in uses(items).items():
            if not any(one.kind == "category" for one in entries[phrase(text)]) and not unnamed(phrase(text)):
                entries[phrase(text)].append(Entry("category", "", category))
        parts = _parts(values, entries)
        asked = [*named, *((word,) for word in parts)]
        return cls(
            {words: tuple(found) for words, found in entries.items() if found},
            parts,
            {words: dict(titles.own[words]) for words in asked if words in titles.own},
            {words: dict(titles.free[words]) for words in asked if words in titles.free},
            _words(items),
            real,
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
            "real": sorted(self.real),
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
                frozenset(content["real"]),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
            raise DamagedError(f"{FILE} is damaged or missing.", remedy="Fit the ranker again.") from fault


def _plain(meanings: Iterable[Entry]) -> list[list[str | int]]:
    return [[one.kind, one.name, one.value, one.titles] for one in meanings]


def _entries(meanings: Iterable[tuple[Kind, str, str, int]]) -> tuple[Entry, ...]:
    return tuple(Entry(kind, name, value, titles) for kind, name, value, titles in meanings)


def _categories(
    titles: Titles, values: CatalogueValues, agreement: float
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
