"""The rule parser: a query read with the words of its catalogue and a small English grammar. Maker `rules`.

It learns nothing. What can mean two things gives no filter, and a query of which nothing is understood stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Self

import pandas as pd
from pydantic import Field

from mercer.contracts import Options
from mercer.data.money import decimals
from mercer.search.spelling import Speller
from mercer.search.understanding import amounts, english, intents
from mercer.search.understanding.amounts import Amounts, Line
from mercer.search.understanding.contract import Filters, Understanding
from mercer.search.understanding.facts import ItemFacts
from mercer.search.understanding.lexicon import Lexicon
from mercer.search.understanding.resolving import Reading, Resolver, Span
from mercer.search.understanding.tokens import Token, tokens, typed
from mercer.search.understanding.values import CatalogueValues
from mercer.search.words import fold, singular

_COMMON = 1_000_000
"""How often a word of the grammar counts as seen: more than any word of a catalogue."""

_REMEMBERED = 10_000
"""Words whose correction is kept in memory."""


class RuleOptions(Options):
    """When a word is trusted."""

    agreement: float = Field(
        0.8, gt=0.5, le=1, description="share of the titles with a phrase that must use it in the same sense"
    )


class RuleMaker:
    """Reads a query with a lexicon. Stability: caller stable."""

    name = "rules"

    def __init__(
        self, values: CatalogueValues, facts: ItemFacts, lexicon: Lexicon, options: RuleOptions | None = None
    ) -> None:
        self.values = values
        self.lexicon = lexicon
        self.facts = facts
        self._options = options or RuleOptions()
        self._unit = 10 ** decimals(values.currency or None)

    @classmethod
    def build(
        cls,
        items: pd.DataFrame,
        values: CatalogueValues,
        facts: ItemFacts,
        options: RuleOptions | None = None,
        *,
        real: frozenset[str] = frozenset(),
    ) -> Self:
        """The parser of a catalogue: columns ITEM_COLUMNS, and `attributes` where there are some.

        real: words of the language, folded: one that the catalogue lacks is no slip.
        """
        options = options or RuleOptions()
        lexicon = Lexicon.of(items, values, agreement=options.agreement, real=real)
        return cls(values, facts, lexicon, options)

    def save(self, folder: Path) -> None:
        """Write the lexicon into an existing folder; values and facts are the ranker's to keep."""
        self.lexicon.save(folder)

    @classmethod
    def load(cls, folder: Path, values: CatalogueValues, facts: ItemFacts, options: RuleOptions) -> Self:
        """Read what `save` wrote. Raises DamagedError when it is missing or not whole."""
        return cls(values, facts, Lexicon.load(folder), options)

    def understand(self, query: str) -> Understanding:
        """What a query asks for: filters of the catalogue's own values, an intent, and the words that are left."""
        as_typed = tokens(query)
        if not as_typed:
            return Understanding(query=query)
        read = [self._corrected(token) for token in as_typed]
        line, norms = Line.of(read), [token.norm for token in read]
        named = [Span(*one) for one in self.lexicon.spans(norms)]
        found = amounts.amounts(line, products=_places(span for span in named if span.of("category")))
        about = intents.occasion(
            line,
            products=_places(span for span in named if span.stop - span.start > 1),
            has_age=found.age is not None and not found.own,
        )
        if about.intent == "service":
            return Understanding(query=query, intent="service")
        courtesy = {
            place
            for pattern in (_OPENING, _POLITE)
            for covered, _ in line.matches(pattern)
            for place in covered
        }
        used = frozenset(found.used | about.used | courtesy)
        spans = [Span(*one) for one in self.lexicon.spans(norms, used)]
        denied = _denied(read, spans, used)
        kept = [span for span in spans if not denied & set(range(span.start, span.stop))]
        filters = self.resolver.filters(Reading(read, kept, used | denied))
        return Understanding(
            query=_left(query, as_typed, read, used | denied),
            filters=self._with_amounts(filters, found),
            intent=about.intent,
        )

    def norms(self, text: str) -> tuple[str, ...]:
        """The norms of a text's tokens, each corrected as in a query."""
        return tuple(self._corrected(token).norm for token in tokens(text))

    def _with_amounts(self, filters: Filters, found: Amounts) -> Filters:
        least, most = (
            None if value is None else round(value * self._unit) for value in (found.least, found.most)
        )
        return replace(filters, price_min=least, price_max=most, age=found.age)

    @cached_property
    def resolver(self) -> Resolver:
        """Chooses among the meanings of phrases."""
        return Resolver(self.lexicon, self.facts, agreement=self._options.agreement)

    @cached_property
    def _spelt(self) -> Callable[[str], str]:
        speller = Speller({**self.lexicon.words, **_GRAMMAR}, self.lexicon.real)
        return lru_cache(maxsize=_REMEMBERED)(speller.corrected)

    def _corrected(self, token: Token) -> Token:
        """A word as it is read: corrected by one edit where neither the catalogue nor the grammar has it."""
        if token.number is not None or not token.norm.isalpha() or token.word in _GRAMMAR:
            return token
        if token.word.endswith("s") and token.word[:-1] in self.lexicon.words:
            # A plural that the stemmer takes for another word's: "beanies" of "beanie".
            return replace(token, norm=token.word[:-1])
        spelt = self._spelt(token.text)
        return token if spelt == token.text else replace(token, text=spelt, norm=singular(fold(spelt)))


def _places(spans: Iterable[Span]) -> frozenset[int]:
    return frozenset(place for span in spans for place in range(span.start, span.stop))


def _denied(read: Sequence[Token], spans: Sequence[Span], used: frozenset[int]) -> frozenset[int]:
    """Positions of what is not wanted: "not red", "without a lid", "sugar free", and the word that denies it."""
    starts = {span.start: span for span in spans}
    inside = {place for span in spans for place in range(span.start, span.stop)}
    denied: set[int] = set()
    for place, token in enumerate(read):
        if place in inside or place in used:
            continue
        after = place + 1
        pair = (token.norm, read[after].norm) if after < len(read) else ("", "")
        if token.word not in english.NEGATIONS and pair not in english.NEGATING_PAIRS:
            continue
        after += pair in english.NEGATING_PAIRS
        denied |= _chain(read, starts, place, after)
    for span in spans:
        if span.stop < len(read) and read[span.stop].word == "free" and span.stop not in inside:
            denied |= set(range(span.start, span.stop + 1))
    return frozenset(denied)


def _chain(read: Sequence[Token], starts: dict[int, Span], place: int, after: int) -> set[int]:
    """The phrases behind a negation, joined by "or", "nor" and "and"; nothing where no phrase follows."""
    found: set[int] = set()
    at = after
    while at < len(read):
        if at in starts:
            found |= set(range(place, starts[at].stop))
            at = starts[at].stop
        elif read[at].word in english.PASSED or (found and read[at].word in ("or", "nor", "and")):
            if found and read[at].word not in ("or", "nor", "and", "a", "an", "the", "any"):
                break
            at += 1
        else:
            break
    return found


def _left(query: str, as_typed: Sequence[Token], read: Sequence[Token], used: frozenset[int]) -> str:
    """The query without what was understood as no word to search for; itself where nothing or all of it was."""
    if not used:
        return query
    places = [place for place in range(len(as_typed)) if place not in used]
    while places and read[places[0]].norm in _EDGES:
        places.pop(0)
    while places and read[places[-1]].norm in _EDGES:
        places.pop()
    if not any(read[place].norm not in _EDGES for place in places):
        return query
    return typed(query, [as_typed[place] for place in places])


_EDGES = english.GRAMMAR | english.PREPOSITIONS | {"and", "-", "+", "<", "%"}
_OPENING = re.compile(rf"^(?:{'|'.join(english.OPENINGS)})(?: (?:{'|'.join(english.OPENINGS)}))*(?!\S)")
_POLITE = re.compile(rf"(?<!\S)(?:{english.POLITE})(?!\S)")
_GRAMMAR = {
    singular(word): _COMMON
    for word in {
        *english.GRAMMAR, *english.PREPOSITIONS, *english.NEGATIONS, *english.NUMBERS, *english.TENS,
        *english.ORDINALS, *english.MEASURES, *english.PERSON, *english.PEOPLE, *english.PRONOUNS,
        *(word for pair in english.NEGATING_PAIRS for word in pair),
        *english.CURRENCIES, *english.OCCASIONS, *amounts.WORDS, *intents.WORDS,
        *re.findall(r"[a-z]{3,}", " ".join(english.OPENINGS)),
    }
    if word.isalpha()
}  # fmt: skip
