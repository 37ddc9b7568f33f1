"""Postal addresses: a house number beside a word for a street, a flat, a box, a code that is said to be one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mercer.data.personal.found import Found

_CAP = r"[^\W\d_a-zß-ÿ][\w'’.-]*"
"""A word that begins with a capital, of any alphabet."""
_STREET = (
    r"(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|square|squares|court|ct|crescent|close|terrace|"
    r"way|highway|parkway|place|streets|avenues)"
)
_JOINED = r"[^\W\d_]+(?:stra(?:ss|ß)e|str\.|gasse|weg|platz|allee|gatan|gata|vägen|vej|vejen|gade|veien|katu|kuja|tie|laan|straat|plein)"
_FIRST = r"(?:rue|avenue|via|viale|piazza|calle|avenida|rua|travessa|rúa|ulica|ul\.|chemin|place|plaza|boulevard)"
_NUMBER = r"\d{1,5}[A-Za-z]?"
_UNIT = r"(?:Suite|Apt\.?|Apartment|Flat|Unit) ?\d{1,5}"
_TAIL = rf"(?:[,\s]{{1,3}}{_UNIT})?"

_PATTERNS = (
    # 14 Crown Street, 1668 Glyn St
    rf"(?<!\w){_NUMBER} (?:{_CAP} ){{1,4}}(?i:{_STREET})\b\.?{_TAIL}",
    # Crown Street 14
    rf"(?<!\w)(?:{_CAP} ){{1,3}}(?i:{_STREET})\.? {_NUMBER}\b{_TAIL}",
    # Præstevænget 15, Lange Straße 4
    rf"(?<!\w)(?:{_NUMBER},? )?(?:{_CAP} )?{_JOINED}\b(?: ?u\.)?(?: {_NUMBER}\b)?{_TAIL}",
    # Via Franscini 71, 12 rue de la Paix
    rf"(?<!\w)(?:{_NUMBER},? )?(?i:{_FIRST})(?: (?:de|du|des|della|do|da|la|les|dos)){{0,2}}(?: {_CAP}){{1,4}},? ?{_NUMBER}\b{_TAIL}",
    rf"(?<!\w){_NUMBER},? (?i:{_FIRST})(?: (?:de|du|des|della|do|da|la|les|dos)){{0,2}}(?: {_CAP}){{1,4}}{_TAIL}",
    rf"(?<!\w){_UNIT}(?!\w)",
    r"(?<!\w)(?i:P\.? ?O\.? ?Box|Postfach|PSC) \d{1,6}(?:, Box \d{1,5})?(?:\s(?:APO|FPO|DPO) (?:AA|AE|AP) \d{5})?",
)
_ADDRESS = tuple(re.compile(pattern) for pattern in _PATTERNS)
_SAID = re.compile(r"(?i:zip(?: code)?|post(?:al)? ?code|postleitzahl|plz)(?i: is|:)?[ :]{1,3}([A-Z\d][A-Z\d -]{1,8}[A-Z\d])\b")
_MORE = re.compile(rf"(?:,?\s{{1,3}}{_UNIT})?(?:\s*,?\n\s*(?:[^\n\d]{{2,30}}|,? ?[A-Z]{{2}}))?(?:,?\s+[^\n\d]{{2,30}})?,?\s+[A-Z]{{0,2}} ?\d{{4,6}}\b")


def find_addresses(text: str) -> Iterator[Found]:
    """Streets with their number, flats, boxes, and post codes that are called so."""
    if not any(c.isdigit() for c in text):
        return
    for pattern in _ADDRESS:
        for match in pattern.finditer(text):
            if any(c.isdigit() for c in match.group()):
                yield Found(match.start(), match.end(), "address")
    for match in _SAID.finditer(text):
        if any(c.isdigit() for c in match.group(1)):
            yield Found(match.start(1), match.end(1), "address")
