"""A query or a catalogue's text as words, numbers and signs that know where they stood.

The same tokens are made of both, so that a value is found however its words are spaced: "330ml" is "330 ml".
What looks like an article number stays one word: nothing in it is a number or a unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mercer.search.understanding.english import CURRENCIES
from mercer.search.words import MAX_CHARACTERS, fold, singular

CURRENCY_SIGNS = "€£$"

_SIGN = f"[{CURRENCY_SIGNS}]"
_CHUNK = re.compile(r"\S+")
_PIECE = re.compile(
    rf"{_SIGN}|\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’‘`´][^\W\d_]+)*|(?<=[\dsrdo€£$])[-–](?={_SIGN}?\d)|[&+<%]"
)
_BREAK = re.compile(r"[,;:.!?()\[\]|]|\s[-–]\s")
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_SUFFIX = (
    r"(?:[a-z]{1,2}|mah|rpm|dpi|ppm|gbps|mbps|inch(?:es)?|eur|euros?|usd|gbp|quid|pounds?|dollars?|bucks|"
    r"yr|yrs|yrold|years?|months?|pack|pcs|cup|cups)"
)
_PLAIN_NUMBER = re.compile(rf"{_SIGN}?\d+(?:[.,]\d+)*{_SIGN}?{_SUFFIX}?\+?%?")
_LETTERS = re.compile(r"[^\W\d_]+")
_LONG_NUMBER = 8
"""Digits from which on a number is an article number."""
_LEAST_CODE = 5


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number or sign. text: as it was typed, from `start` to `end`. norm: folded, without a plural ending.

    number: its value, None for a word. parted: a comma or the like stands before it. glued: nothing stands before it.
    """

    text: str
    start: int
    end: int
    norm: str
    number: float | None = None
    parted: bool = False
    glued: bool = False

    @property
    def word(self) -> str:
        """Folded, with its ending."""
        return fold(self.text)


def tokens(text: str) -> list[Token]:
    """The tokens of a text, in order."""
    found: list[Token] = []
    for match in _CHUNK.finditer(text[:MAX_CHARACTERS]):
        if match.group() in _DASHES and _between_numbers(text, match, found):
            found.append(Token(match.group(), match.start(), match.end(), "-"))
            continue
        found.extend(_chunk(match.group(), match.start(), found[-1].end if found else 0, text))
    return found


_DASHES = ("-", "–")


def _between_numbers(text: str, dash: re.Match[str], found: Sequence[Token]) -> bool:
    """Whether a dash between spaces stands in a range: "20 - 30 euros"."""
    before = [token.number is not None for token in found[-2:]]
    return any(before) and text[dash.end() :].lstrip()[:1] in (*"0123456789", *CURRENCY_SIGNS)


def phrase(text: str) -> tuple[str, ...]:
    """The norms of a text's tokens."""
    return tuple(token.norm for token in tokens(text))


def number(text: str) -> float:
    """The value of a number as it is typed: "1,000" is 1000, "25,50" is 25.5, "0.5" is 0.5."""
    if re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", text) and not text.startswith("0"):
        return float(re.sub(r"[.,]", "", text))
    whole, _, rest = re.sub(r"[.,](?=.*[.,])", "", text).replace(",", ".").partition(".")
    return float(f"{whole}.{rest or 0}")


def typed(text: str, kept: Sequence[Token]) -> str:
    """What is left of a text when only some of its tokens, in their order, are kept."""
    parts: list[str] = []
    for before, token in zip((None, *kept[:-1]), kept, strict=True):
        between = "" if before is None else text[before.end : token.start]
        joined = before is None or (between.strip() and not any(map(str.isalnum, between)))
        parts.append(
            (between.strip() if between.strip() in _JOINTS else "") if token.glued and joined else " "
        )
        parts.append(token.text)
    return "".join(parts).strip()


_JOINTS = frozenset({"-", "/", ".", "_", "+", "&", "'", '"', ""})


def _chunk(chunk: str, at: int, end: int, text: str) -> Iterator[Token]:
    if _is_code(chunk):
        core = chunk.strip(".,;:!?()[]\"'")
        start = at + chunk.find(core)
        norm = "".join(c for c in fold(core) if c.isalnum())
        yield Token(core, start, start + len(core), norm, parted=_parted(text[end:start]))
        return
    for piece in _PIECE.finditer(chunk):
        found, start = piece.group(), at + piece.start()
        between = text[end:start]
        value = number(found) if found[0].isdigit() and _DIGITS.fullmatch(found) else None
        yield Token(
            found,
            start,
            at + piece.end(),
            _norm(found) if value is None else f"{value:g}",
            value,
            parted=_parted(between),
            glued=end > 0 and not any(map(str.isspace, between)),
        )
        end = at + piece.end()


def _norm(word: str) -> str:
    if word in ("&", "-", "–"):
        return "and" if word == "&" else "-"
    return singular(fold(word))


def _parted(between: str) -> bool:
    return _BREAK.search(between) is not None


def _is_code(chunk: str) -> bool:
    """Whether a chunk is an article number or a model: letters and digits mixed, or many digits."""
    core = chunk.strip(".,;:!?()[]\"'")
    parts = [part for part in re.split(r"[-–/_.,]", fold(core)) if part]
    plain = "".join(parts)
    if not any(map(str.isdigit, plain)):
        return False
    if plain.isdigit():
        return len(plain) >= _LONG_NUMBER and not re.search(r"[.,]", core)
    if parts[0] in CURRENCIES:
        return False
    if len(plain) < _LEAST_CODE or parts[0].isalpha():
        return len(plain) >= _LEAST_CODE
    first = _PLAIN_NUMBER.fullmatch(parts[0]) is not None
    return not (first and all(_PLAIN_NUMBER.fullmatch(part) or _LETTERS.fullmatch(part) for part in parts))
