"""Text to index terms: one function for products and for queries, so that both sides agree.

Product text is not prose: "15,6\\"", "256 GB" and "256GB", "dv7-1211ea", "Wi-Fi", "Intel® Core™2". Terms are
plain lower-case letters and digits; nothing in a query is ever read as an operator.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

MAX_CHARACTERS = 20_000
"""A text is cut here before it is read."""
MAX_TERM = 64
"""A longer term is cut here."""

_MARKS = str.maketrans(dict.fromkeys("™®©℠", " ") | dict.fromkeys("'’‘`´", None) | {"\0": " "})
_COMPOUND = re.compile(r"[^\W_]+(?:[-_/.,+][^\W_]+)*")
_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+")
_UNITS = (
    "gb", "tb", "mb", "kb", "gbps", "mbps", "hz", "khz", "mhz", "ghz", "w", "kw", "v", "mv", "a", "ma", "mah",
    "wh", "mm", "cm", "m", "km", "in", "inch", "ft", "g", "kg", "mg", "l", "ml", "cl", "oz", "lb", "mp", "px",
    "rpm", "dpi", "ppm", "db",
)  # fmt: skip
_WITH_UNIT = re.compile(rf"(\d+(?:\.\d+)?)({'|'.join(sorted(_UNITS, key=len, reverse=True))})")
_UNIT_SET = frozenset(_UNITS)
# Scripts written without spaces: Chinese, Japanese kana, Thai, Lao, Khmer, Burmese.
_UNSPACED = re.compile(r"[぀-ヿ㐀-䶿一-鿿豈-﫿฀-໿ក-៿က-႟]+")


def terms(text: str, *, plurals: bool = True) -> list[str]:
    """The index terms of a text, in order, with repetitions.

    Case and accents are folded. A compound gives its parts and the whole ("wi-fi": wi, fi, wifi;
    "dv7-1211ea": dv7, 1211ea, dv71211ea). A number with a unit gives both and the pair, with a space or
    without ("256GB": 256, gb, 256gb). Decimals stay whole, with a point. Scripts without spaces give pairs of
    characters.
    plurals: English plural endings are removed (the S-stemmer: Harman, JASIS 42(1), 1991).
    """
    found = list(_spelled(fold(text[:MAX_CHARACTERS])))
    paired = [
        number + unit for number, unit in pairwise(found) if unit in _UNIT_SET and _NUMBER.fullmatch(number)
    ]
    return [(singular(term) if plurals else term)[:MAX_TERM] for term in found + paired]


def fold(text: str) -> str:
    """Lower case, compatibility forms and accents replaced, apostrophes and trade marks removed."""
    plain = unicodedata.normalize("NFKD", text.translate(_MARKS).casefold())
    return plain if plain.isascii() else "".join(c for c in plain if unicodedata.category(c) != "Mn")


def singular(term: str) -> str:
    """An English word without its plural ending; anything with other characters than letters stays."""
    if len(term) < 4 or not term.endswith("s") or not term.isalpha():
        return term
    if term.endswith("ies") and not term.endswith(("eies", "aies")):
        return term[:-3] + "y"
    if term.endswith("es") and not term.endswith(("aes", "ees", "oes")):
        return term[:-1]
    return term if term.endswith(("us", "ss")) else term[:-1]


def _spelled(folded: str) -> Iterator[str]:
    for match in _COMPOUND.finditer(folded):
        whole = match.group()
        if _THOUSANDS.fullmatch(whole):
            yield whole.replace(",", "")
        elif _NUMBER.fullmatch(whole):
            yield whole.replace(",", ".")
        else:
            yield from _compound(whole)


def _compound(whole: str) -> Iterator[str]:
    if unit := _WITH_UNIT.fullmatch(whole.replace(",", ".")):
        yield from (unit[1], unit[2])
        return
    parts = _WORD.findall(whole)
    for part in parts:
        yield from _part(part)
    if len(parts) > 1 and ("-" in whole or any(c.isdigit() for c in whole)):
        yield "".join(parts)


def _part(part: str) -> Iterator[str]:
    if unit := _WITH_UNIT.fullmatch(part):
        yield from (unit[1], unit[2])
    elif part.isascii() or not _UNSPACED.search(part):
        yield part
    else:
        yield from _pairs(part)


def _pairs(part: str) -> Iterator[str]:
    """Overlapping pairs of characters of each unspaced run; other runs whole."""
    at = 0
    for run in _UNSPACED.finditer(part):
        if run.start() > at:
            yield part[at : run.start()]
        text = run.group()
        yield from ([text] if len(text) == 1 else (text[n : n + 2] for n in range(len(text) - 1)))
        at = run.end()
    if at < len(part):
        yield part[at:]
