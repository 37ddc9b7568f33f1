"""A sentence as the check reads it: names of facts first, then dates, amounts and percentages, then single words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from mercer.reporting.narratives.fact import Fact, Kind
from mercer.reporting.narratives.lexicon import SKIPPED, stem
from mercer.reporting.narratives.numbers import Amount, plain, written

BY_VALUE: frozenset[Kind] = frozenset({
    "case", "case-kind", "subject", "rule", "disposition", "role", "remedy", "interval", "item", "brand", "history",
})  # fmt: skip
"""Kinds whose text stands in the sentence as it is."""

_QUOTES = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "\u00a0": " ", "\u202f": " "})
_TOKEN = re.compile(r"(?:(?<![\w])[-−])?(?:\d[\d.,]*\d|\d)|[^\W\d_]+(?:['_-][^\W\d_]+)*|\s+|.", re.DOTALL)
_HEADS = frozenset({stem("number")})
_GAP = 3
"""Function words that may stand between two words of a name."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a number, a name of a fact, or a mark.

    facts: ids of the facts that a name may stand for; several where they share it. amount: None for a number that
    can't be read. ago: the name is said as what happened some days ago.
    """

    form: Literal["word", "number", "name", "mark"]
    text: str
    facts: tuple[str, ...] = ()
    amount: Amount | None = None
    ago: bool = False

    @property
    def stem(self) -> str:
        """Of a word; "" of anything else."""
        return stem(self.text) if self.form == "word" else ""


def read(text: str, facts: Sequence[Fact]) -> list[Token]:
    """The tokens of a sentence. Longer names are found before shorter ones, of all facts given, cited or not."""
    clean = normal(text)
    spans = _names(clean, facts)
    spans += [
        (start, end, Token("number", clean[start:end], amount=amount))
        for start, end, amount in written(clean)
    ]
    tokens: list[Token] = []
    at = 0
    for start, end, token in sorted(_apart(spans), key=lambda span: span[0]):
        tokens += _words(clean[at:start])
        tokens.append(token)
        at = end
    tokens += _words(clean[at:])
    for fact in sorted(facts, key=lambda fact: -len(fact.name)):
        if fact.kind in ("reason", "parameter"):
            tokens = _with_phrase(tokens, fact)
    return [_numbered(token) for token in tokens]


def normal(text: str) -> str:
    """One form of quotes, spaces and letters."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text).translate(_QUOTES)).strip()


def _names(text: str, facts: Iterable[Fact]) -> list[tuple[int, int, Token]]:
    said: dict[str, list[str]] = {}
    for fact in facts:
        if fact.kind in BY_VALUE and isinstance(fact.value, str):
            said.setdefault(normal(fact.value).rstrip("."), []).append(fact.id)
        if fact.kind in ("measured", "threshold") and isinstance(fact.value, str):
            said.setdefault(normal(fact.value), []).append(fact.id)
        if fact.kind in ("reason", "parameter"):
            for words in (fact.name, fact.meaning):
                said.setdefault(normal(words).rstrip("."), []).append(fact.id)
    spans = []
    for name in sorted((name for name in said if name), key=len, reverse=True):
        pattern = rf"(?<![\w-]){re.escape(name)}(?:'s)?(?![\w-])"
        spans += [
            (match.start(), match.end(), Token("name", name, tuple(said[name])))
            for match in re.finditer(pattern, text, re.IGNORECASE)
        ]
    return spans


def _apart(spans: list[tuple[int, int, Token]]) -> list[tuple[int, int, Token]]:
    """Of spans that overlap, the first given."""
    kept: list[tuple[int, int, Token]] = []
    for start, end, token in spans:
        if all(end <= other_start or start >= other_end for other_start, other_end, _ in kept):
            kept.append((start, end, token))
    return kept


def _words(text: str) -> list[Token]:
    return [
        Token("word" if piece[-1].isalnum() else "mark", piece)
        for piece in _TOKEN.findall(text)
        if piece.strip()
    ]


def _numbered(token: Token) -> Token:
    if token.form != "word":
        return token
    amount = plain(token.text)
    if amount is None and not token.text[-1].isdecimal():
        return token
    return replace(token, form="number", amount=amount)


def _with_phrase(tokens: list[Token], fact: Fact) -> list[Token]:
    """The tokens with every place where the fact's name is said made one name."""
    for wanted, ago in _phrases(fact.name):
        at = 0
        while at < len(tokens):
            inside = _match(tokens, at, wanted)
            if inside is None or (ago and not _ago(tokens, inside)):
                at += 1
                continue
            name = Token("name", fact.name, (fact.id,), ago=ago)
            numbers = [place for place in range(at, inside[-1] + 1) if place not in inside]
            kept = [tokens[place] for place in numbers if tokens[place].stem not in SKIPPED]
            tokens = [*tokens[:at], *kept, name, *tokens[inside[-1] + 1 :]]
            at += len(kept) + 1
    return tokens


def _phrases(name: str) -> list[tuple[list[str], bool]]:
    """Ways of saying a name, as stems without function words, the longest first; whether each needs `ago`."""
    whole = _content(name)
    ways = [(whole, False), (_content(re.sub(r"\s*\([^)]*\)", "", name)), False)]
    if whole and whole[0] in _HEADS:
        ways.append((whole[1:], False))
    if whole[:2] == [stem("days"), stem("since")]:
        ways.append((whole[2:], True))
    return [
        (way, ago) for place, (way, ago) in enumerate(ways) if way and way not in [w for w, _ in ways[:place]]
    ]


def _content(text: str) -> list[str]:
    stems = [stem(word) for word in _TOKEN.findall(normal(text)) if word[0].isalnum()]
    return [word for word in stems if word not in SKIPPED]


def _match(tokens: Sequence[Token], at: int, wanted: list[str]) -> list[int] | None:
    """Places of the wanted stems from `at` on, each once and in any order, with only function words and at most one
    number between them. A number of the name must stand before the word that it stands before in the name.
    """
    if tokens[at].stem not in wanted:
        return None
    left, places, gap, numbers = list(wanted), [], 0, 0
    for place in range(at, len(tokens)):
        found = tokens[place].stem
        if found in left:
            left.remove(found)
            places.append(place)
            gap = 0
        elif (found in SKIPPED or tokens[place].text == ",") and gap < _GAP:
            gap += 1
        elif numbers == 0 and places and _is_number(tokens[place]):
            numbers = 1
        else:
            return None
        if not left:
            break
    if left or not _numbers_in_place(tokens, places, wanted):
        return None
    return places


def _is_number(token: Token) -> bool:
    return token.form == "number" or (token.form == "word" and plain(token.text) is not None)


def _numbers_in_place(tokens: Sequence[Token], places: list[int], wanted: list[str]) -> bool:
    said = [tokens[place].stem for place in places]
    for at, word in enumerate(wanted[:-1]):
        if word[0].isdecimal():
            place = said.index(word)
            if place + 1 >= len(said) or said[place + 1] != wanted[at + 1]:
                return False
    return True


def _ago(tokens: Sequence[Token], inside: list[int]) -> bool:
    """Whether `N days ago` follows within a few words."""
    for place in range(inside[-1] + 1, min(inside[-1] + 6, len(tokens) - 2)):
        if _is_number(tokens[place]):
            return [tokens[place + 1].stem, tokens[place + 2].stem] == [stem("days"), "ago"]
    return False
