"""Postal addresses: a house number beside a word for a street, a flat, a box, a code that is said to be one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mercer.data.personal.found import Found
from mercer.data.personal.prose import is_prose

_CAP = r"[^\W\d_a-zß-ÿ][\w'’.-]*"
"""A word that begins with a capital, of any alphabet."""
_SURE = (
    r"(?:Streets?|Avenues?|Ave|Road|Rd|Lane|Ln|Boulevard|Blvd|Crescent|Terrace|Highway|Parkway|street|avenue|road|lane|"
    r"STREET|ROAD|AVENUE|LANE)"
)
_DOUBTFUL = r"(?:St|Drive|Dr|Square|Squares|Court|Ct|Close|Way|Place)"
"""Streets in a sentence; in the title of an article they are other things: 1 Flash Drive, 3 Pink Square."""
_JOINED = (
    r"[^\W\d_]+(?:stra(?:ss|ß)e|str\.|gasse|weg|platz|allee|gatan|gata|"
    r"vägen|vej|vejen|gade|veien|katu|kuja|tie|laan|straat|plein)"
)
_FIRST = (
    r"(?:[Rr]ue|[Aa]venue|Via|Viale|Piazza|[Cc]alle|[Aa]venida|[Rr]ua|"
    r"[Tt]ravessa|[Uu]lica|ul\.|[Cc]hemin|[Pp]laza|[Bb]oulevard)"
)
_OF = r"(?: (?:de|du|des|della|do|da|la|les|dos)){0,2}"
_NUMBER = r"\d{1,5}[A-Za-z]?"
_UNIT = r"(?:Suite|Apt\.?|Apartment) ?\d{1,5}"
_TAIL = rf"(?:[,\s]{{1,3}}{_UNIT})?"


def _streets(words: str) -> tuple[str, str]:
    """14 Crown Street; Crown Street 14."""
    return (
        rf"(?<!\w){_NUMBER} (?:{_CAP} ){{1,4}}{words}\b\.?{_TAIL}",
        rf"(?<!\w)(?:{_CAP} ){{1,3}}{words}\.? {_NUMBER}\b{_TAIL}",
    )


_PATTERNS = (
    *_streets(_SURE),
    # Præstevænget 15, Lange Straße 4
    rf"(?<!\w)(?:{_NUMBER},? )?(?:{_CAP} )?{_JOINED}\b(?: ?u\.)?(?: {_NUMBER}\b)?{_TAIL}",
    # Via Franscini 71, 12 rue de la Paix
    rf"(?<!\w)(?:{_NUMBER},? )?{_FIRST}{_OF}(?: {_CAP}){{1,4}},? ?{_NUMBER}\b{_TAIL}",
    rf"(?<!\w){_NUMBER},? {_FIRST}{_OF}(?: {_CAP}){{1,4}}{_TAIL}",
    rf"(?<!\w){_UNIT}(?!\w)",
    r"(?<!\w)(?i:P\.? ?O\.? ?Box|Postbox|Postfach) \d{1,6}(?!\d)",
    r"(?<!\w)(?i:PSC|Unit) \d{1,6},? (?i:Box) \d{1,5}(?:\s(?:APO|FPO|DPO) (?:AA|AE|AP) \d{5})?",
    r"(?<!\w)(?:APO|FPO|DPO) (?:AA|AE|AP) \d{5}(?!\d)",
)
_ADDRESS = tuple(re.compile(pattern) for pattern in _PATTERNS)
_IN_PROSE = tuple(re.compile(pattern) for pattern in _streets(_DOUBTFUL))
_SAID = re.compile(
    r"(?i:zip(?: code)?|post(?:al)? ?code|postleitzahl|plz)(?i: is|:)?[ :]{1,3}([A-Z\d][A-Z\d -]{1,8}[A-Z\d])\b"
)
_AT = re.compile(
    r"(?<!\w)(?i:address(?: of [^\n]{1,30})?(?: is| to|:)|it is|live[sd]? (?:at|in)|located (?:at|in)|office is at|"
    r"return to|meet me at|deliver(?:ed)? to|ship(?:ped)? to|side of|corner of|moved to)\s{1,6}"
    r"((?:the corner of )?(?:\d{1,5} )?(?:[^\W\d_][\w'’.-]* ){1,4}\d{1,5}\b|"
    rf"\d{{1,5}} {_CAP}(?: {_CAP}){{0,3}}(?: \d{{1,5}}\b)?)"
)
"""Where a text says that a place follows, a house number is enough."""


def find_addresses(text: str) -> Iterator[Found]:
    """Streets with their number, flats, boxes, and post codes that are called so."""
    if not any(c.isdigit() for c in text):
        return
    for pattern in (*_ADDRESS, *(_IN_PROSE if is_prose(text) else ())):
        for match in pattern.finditer(text):
            if any(c.isdigit() for c in match.group()):
                yield Found(match.start(), match.end(), "address")
    for match in (*_SAID.finditer(text), *_AT.finditer(text)):
        if any(c.isdigit() for c in match.group(1)):
            yield Found(match.start(1), match.end(1), "address")
