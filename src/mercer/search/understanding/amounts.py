"""Prices and ages in a query: "under 40 pounds", "between 10 and 20", "for a boy of eight".

Numbers are taken as the shop's currency whatever currency is named: nothing is converted. A bare number is a price
only after a word of comparison, and never before a measure ("under 500 g"). "About 30 euros" is no limit and gives no
filter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mercer.search.understanding.english import (
    CURRENCIES,
    MEASURES,
    NOTES,
    NUMBERS,
    ORDINALS,
    PERSON,
    TENS,
)
from mercer.search.understanding.tokens import CURRENCY_SIGNS, Token

MOST_YEARS = 110

MONEY, NUMBER, NOTE = "¤", "#", "#¤"
"""How a currency, a number, and a number with its currency's sign are written in a line of words."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """What was found. least, most: in units of the currency, both included. age: years. own: the age is the asker's.

    used: positions of the tokens that say so.
    """

    least: float | None = None
    most: float | None = None
    age: int | None = None
    own: bool = False
    used: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Line:
    """A query as one line of folded words, numbers and currencies replaced by signs; where each word came from."""

    text: str
    values: tuple[float | None, ...]
    spans: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, found: Sequence[Token]) -> Line:
        """The line of some tokens; number words of several tokens are one word."""
        words: list[str] = []
        values: list[float | None] = []
        spans: list[tuple[int, int]] = []
        for word, value, first, last in _words(found):
            words.append(word)
            values.append(value)
            spans.append((first, last))
        return cls(" ".join(words), tuple(values), tuple(spans))

    def matches(self, pattern: re.Pattern[str]) -> Iterator[tuple[range, dict[str, float]]]:
        """Each match: the tokens it covers, and the values of its numbers by name of group."""
        for match in pattern.finditer(self.text):
            first = self.text.count(" ", 0, match.start())
            last = self.text.count(" ", 0, match.end())
            named = {
                name: value
                for name, text in match.groupdict().items()
                if text is not None and (value := self._value(match.start(name), match.end(name))) is not None
            }
            yield range(self.spans[first][0], self.spans[last][1] + 1), named

    def _value(self, start: int, end: int) -> float | None:
        first, last = self.text.count(" ", 0, start), self.text.count(" ", 0, end)
        return next((value for value in self.values[first : last + 1] if value is not None), None)


def amounts(line: Line, *, products: frozenset[int] = frozenset()) -> Amounts:
    """The prices and the age that a line names.

    products: positions of tokens that name a product: "12 year old whisky" is no age.
    """
    used: set[int] = set()
    limits: dict[str, float] = {}
    for pattern in _PRICES:
        for covered, named in line.matches(pattern):
            if not used & set(covered):
                used |= set(covered)
                limits |= named
    least, most = limits.get("least"), limits.get("most")
    if least is not None and most is not None and least > most:
        least, most = None, None
    for pattern in _ABOUT:
        for covered, _ in line.matches(pattern):
            used |= set(covered) if not used & set(covered) else set()
    age, own, spent = _age(line, frozenset(used), products)
    return Amounts(least, most, age, own, frozenset(used | spent))


def _age(
    line: Line, used: frozenset[int], products: frozenset[int]
) -> tuple[int | None, bool, frozenset[int]]:
    for pattern in _AGES:
        for covered, named in line.matches(pattern):
            years = named.get("age", 0.0 if "months" in named else None)
            if years is None or years != int(years) or not 0 <= years <= MOST_YEARS or used & set(covered):
                continue
            if pattern is _OF_YEARS and covered.stop in products and not _personal(line, covered):
                continue
            return int(years), pattern is _OWN, frozenset(covered)
    return None, False, frozenset()


def _personal(line: Line, covered: range) -> bool:
    """Whether an age is said to be a person's: "for a 12 year old"."""
    words = line.text.split(" ")
    before = [word for word, (_, last) in zip(words, line.spans, strict=True) if last < covered.start][-3:]
    return "for" in before or "my" in before


def _words(found: Sequence[Token]) -> Iterator[tuple[str, float | None, int, int]]:
    at = 0
    while at < len(found):
        token = found[at]
        word = token.word
        if token.number is not None:
            after = found[at + 1].word if at + 1 < len(found) and found[at + 1].glued else ""
            thousand, signed = after == "k", after in CURRENCY_SIGNS and after != ""
            amount = token.number * (1000 if thousand else 1)
            yield NOTE if signed else NUMBER, amount, at, at + (thousand or signed)
            at += 1 + (thousand or signed)
        elif (
            word in CURRENCY_SIGNS
            and at + 1 < len(found)
            and found[at + 1].glued
            and found[at + 1].number is not None
        ):
            yield NOTE, found[at + 1].number, at, at + 1
            at += 2
        elif word in CURRENCIES:
            yield MONEY, None, at, at
            at += 1
        elif word in NOTES:
            yield NOTE, float(NOTES[word]), at, at
            at += 1
        elif word in ORDINALS:
            yield f"{NUMBER}th", float(ORDINALS[word]), at, at
            at += 1
        else:
            value, length = _spelt(found, at)
            yield (
                (word.replace(" ", "") or "_", None, at, at)
                if value is None
                else (NUMBER, value, at, at + length - 1)
            )
            at += length


def _spelt(found: Sequence[Token], at: int) -> tuple[float | None, int]:
    """The value of number words from a place on and how many they are; None and 1 where there are none."""
    word = found[at].word
    if word in NUMBERS:
        value, length = NUMBERS[word], 1
    elif word in TENS:
        value, length = TENS[word], 1
        if at + 1 < len(found) and 0 < NUMBERS.get(found[at + 1].word, 0) < 10:
            value, length = value + NUMBERS[found[at + 1].word], 2
    elif word == "hundred":
        return 100.0, 1
    else:
        return None, 1
    if at + length < len(found) and found[at + length].word == "hundred":
        value, length = value * 100, length + 1
    return float(value), length


def _compiled(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(rf"(?<!\S)(?:{pattern})(?!\S)") for pattern in patterns)


_MEASURE = "|".join(sorted(map(re.escape, MEASURES | {"of", "years", "old", "th"}), key=len, reverse=True))
_NOT_MEASURE = rf"(?! (?:{_MEASURE})(?!\S))"


_WITH_CURRENCY = rf"{MONEY} #|(?:a )?# {MONEY}|(?:a )?{NOTE}"


def _any(name: str) -> str:
    return rf"(?P<{name}>{_WITH_CURRENCY}|#(?! {MONEY}){_NOT_MEASURE})"


def _money(name: str) -> str:
    return rf"(?P<{name}>{_WITH_CURRENCY})"


_MORE_THAN = r"more than|over|above|exceeding|beyond"
_LESS_THAN = r"less than|under|below|underneath"
_LEAD = r"(?:(?:for|at|priced|costing|costs?|price|that costs?|which costs?|something|spend|spending|paying|pay) )?"
_MOST = (
    r"(?:(?:must|should|may|can|shall|it should|it must) )?"
    r"(?:no|not|nothing|never|none|isnt|dont|mustnt|shouldnt|cant)"
    rf"(?: want to| going)?(?: (?:cost|be|spend|pay|costing|spending|exceed|go|priced))? (?:{_MORE_THAN})"
    r"|(?:must|should|may|can|shall)? ?not exceed|without (?:spending|paying|going) (?:more than|over|above)"
    rf"|{_LESS_THAN}|up to|upto|max|maximum|maximum of|max of|at most|cheaper than|lower than|within|inside|<"
    r"|(?:my |with a |on a |a |the |our )?(?:budget|limit|price limit)(?: of| is| was|s)?(?: about| around)?"
    r"|(?:i|we)(?: only| just)? have(?: only| just| got)?|(?:i|we) can(?: only)? (?:spend|pay)(?: up to)?"
    r"|not exceeding|no higher than|maximum price(?: of| is)?|price (?:up to|under|below)|capped at"
)
_LEAST = (
    rf"{_MORE_THAN}|at least|min|minimum|minimum of|starting (?:at|from)|from"
    r"|upwards of|no cheaper than|pricier than|dearer than|minimum price(?: of| is)?|north of|>"
)
_TO = r"(?:to|-|and|until|till|up to|or)"

_PRICES = (
    *_compiled(
        rf"{_LEAD}(?:between|from|somewhere between|anything between|range) {_any('least')} {_TO} {_any('most')}"
        r"(?: or so)?",
        rf"{_LEAD}(?:in the )?(?P<least>{_WITH_CURRENCY}|#) (?:to|-) (?P<most>{_WITH_CURRENCY})(?: range)?",
        rf"{_LEAD}(?:in the )?(?P<least>{_WITH_CURRENCY}) (?:to|-) (?P<most>#)(?: range)?",
        rf"{_LEAD}(?P<least># {MONEY}) (?P<most># {MONEY})",
        rf"{_LEAD}(?:no|not|nothing|never) (?:{_LESS_THAN}) {_any('least')}",
        rf"{_LEAD}(?:{_MOST})(?: of)? {_any('most')}"
        r"(?: (?:max|maximum|tops|at most|or so|to spend|each|in total|or less))?",
        rf"{_LEAD}{_money('most')} (?:or less|or under|or below|max|maximum|tops|at most|or cheaper|and under|"
        r"and below|or lower|budget|limit|to spend|at the most)",
        rf"(?<!over )(?<!above )(?P<most>#{_NOT_MEASURE}) (?:or less|max|maximum|tops|or cheaper|at the most)",
        rf"{_LEAD}(?:{_LEAST}) {_any('least')}(?: (?:or more|at least|and up|upwards|minimum))?",
        rf"{_LEAD}{_money('least')} (?:or more|or over|or above|and up|and over|and above|and more|upwards|minimum|min|"
        r"plus|at least|\+)",
    ),
)
_ABOUT = _compiled(
    rf"{_LEAD}(?:(?:about|around|roughly|approximately|circa|ca|near|exactly) )+{_money('about')}(?: or so| ish)?",
    rf"(?:for|at|priced|costing|costs?) {_money('about')}(?: or so| ish)?",
)

_PERSONS = "|".join(PERSON)
_BEFORE = (
    r"(?:(?:for|to) )?(?:(?:my|our|a|an|the|his|her|their|some) )?"
    r"(?:(?:little|big|young|older|younger|best|dear|lovely|small|new) )*"
)
_OLD = r"(?:years? old|yrs? old|yo|y o|years? of age|yrs?|yr olds?|year olds?|yrold|years?)"
_IS = r"(?:of|aged|age|who is|whos|who is turning|who turns|is|turning|turns|who just turned|thats|that is|who will be)"
_END = rf"(?! (?:{MONEY}|{_MEASURE})(?!\S))"

_OF_YEARS = _compiled(
    rf"{_BEFORE}(?P<age>#)(?: -)? {_OLD.replace('|years?)', ')')}(?: (?:{_PERSONS}))?(?:s)?"
)[0]
_OWN = _compiled(
    rf"(?:i am|im|i turned|i just turned|i am only|im only) (?:only )?(?P<age>#)(?: {_OLD})?{_END}"
)[0]
_AGES = (
    _OWN,
    *_compiled(
        rf"{_BEFORE}(?:{_PERSONS}) {_IS} (?P<age>#)(?: {_OLD}|{_END})",
        rf"{_BEFORE}(?:{_PERSONS}) (?P<age>#)(?: {_OLD}|{_END})",
        rf"{_BEFORE}(?P<months>#) months? old(?: (?:{_PERSONS}))?",
    ),
    _OF_YEARS,
    *_compiled(
        r"(?:for |suitable for )?(?:aged?|ages|age group)(?: of| is| from)? (?P<age>#)"
        r"(?: (?:and up|and over|and above|plus|\+|years?))?",
        rf"{_BEFORE}(?P<age>#)(?: th| st| nd| rd)? birthday",
        rf"{_BEFORE}(?P<age>#th) birthday",
        rf"(?:he|she|they) (?:is|are|turns|will be|just turned) (?P<age>#)(?: {_OLD}|{_END})",
        rf"(?:hes|shes|who is|whos|turning|turns|just turned|who just turned) (?P<age>#)(?: {_OLD}|{_END})",
    ),
)

WORDS = frozenset(
    word for pattern in (*_PRICES, *_ABOUT, *_AGES) for word in re.findall(r"[a-z]{3,}", pattern.pattern)
)
"""The words of these patterns, which a speller leaves alone."""
