"""Bank accounts, social security numbers and numbers of documents."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mercer.data.personal.found import Found

_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])")
_SSN = re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
_DOCUMENT = re.compile(
    r"(?i:driv(?:er'?s?|ing) licen[cs]e|passport|identity card|id card|personalausweis|reisepass)"
    r"(?i:(?: number| no\.?| is|:)*) (?=[A-Z\d-]*\d)([A-Z]{0,3}\d[A-Z\d-]{4,17})\b"
)


def find_ibans(text: str) -> Iterator[Found]:
    """International bank account numbers (ISO 13616): length and form of the country, right check digits."""
    for run in _IBAN.finditer(text):
        ends = [
            run.end(),
            *(run.start() + gap.start() for gap in reversed(list(re.finditer(" ", run.group())))),
        ]
        for end in ends:  # words that follow a number in groups look like more of its groups
            if end - run.start() >= 15 and _valid(text[run.start() : end]):
                yield Found(run.start(), end, "iban")
                break


def _valid(number: str) -> bool:
    from stdnum import iban

    return bool(iban.is_valid(number))


def find_social_security(text: str) -> Iterator[Found]:
    """US social security numbers with their hyphens, of numbers that are given out; nine bare digits say too little."""
    for match in _SSN.finditer(text):
        yield Found(match.start(), match.end(), "social-security")


def find_documents(text: str) -> Iterator[Found]:
    """The number after the words driver's license, passport or identity card."""
    for match in _DOCUMENT.finditer(text):
        yield Found(match.start(1), match.end(1), "document")
