"""Phone numbers: what the world's numbering plans call valid, or a run of digits beside a word such as phone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mercer.data.personal.found import Found

REGIONS = ("GB", "US", "DE", "FR")
"""Whose numbers are known without a country code."""

_MAYBE = re.compile(r"\d(?:[ ().\-/]?\d){6,}|\+\d")
_DIGITS = r"\+?\(?\d[\d ().\-/]{4,20}\d(?: ?(?:x|ext\.?) ?\d{1,5})?"
_WORD = (
    r"(?<![a-z])(?:tel|telephone|phone|mobile|cell|fax|desk|whatsapp|telefon|handy|call(?: me)?(?: back)?(?: on| at)?|"
    r"ring(?: me)?(?: on| at)?|text me(?: on| at)?|messages to|registered)(?![a-z])"
)
_AFTER = re.compile(rf"(?i:{_WORD})[^\d\n+(]{{0,22}}\n?(?<!\d)({_DIGITS})(?!\d)")
_BEFORE = re.compile(r"(?<![\w.])(" + _DIGITS + r") ?\(?(?i:office|fax|mobile|cell|home|desk|tel|phone)\b")
_SIZE = re.compile(r"\d{2,4} ?x ?\d{2,4}")
"""1680 x 1050 is a screen and no number with an extension."""
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}")


def find_phones(text: str) -> Iterator[Found]:
    """Phone numbers with 7 to 15 digits."""
    if not _MAYBE.search(text):
        return
    import phonenumbers

    for region in REGIONS:
        for known in phonenumbers.PhoneNumberMatcher(text, region):
            if not _SIZE.fullmatch(known.raw_string):
                yield Found(known.start, known.end, "phone")
    for pattern in (_AFTER, _BEFORE):
        for match in pattern.finditer(text):
            number = match.group(1)
            if 7 <= sum(c.isdigit() for c in number) <= 15 and not _DATE.fullmatch(number.strip()):
                yield Found(match.start(1), match.end(1), "phone")
