"""Find card numbers in free text: digits in groups, an issuer's range and length, and a right check digit.

Written apart from the detector that cleans the data on purpose: a gate that shares the cleaner's blind spot
proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_DIGITS = re.compile(r"(?<![\d.])\d(?:[ \-]?\d){12,18}(?!\d)")

# (issuer, first prefix, last prefix, lengths); prefixes are compared on their own number of digits.
ISSUERS = (
    ("visa", 4, 4, (13, 16, 19)),
    ("mastercard", 51, 55, (16,)),
    ("mastercard", 2221, 2720, (16,)),
    ("american express", 34, 34, (15,)),
    ("american express", 37, 37, (15,)),
    ("discover", 6011, 6011, (16,)),
    ("discover", 644, 659, (16,)),
    ("jcb", 3528, 3589, (16,)),
    ("diners club", 300, 305, (14,)),
    ("diners club", 36, 36, (14,)),
    ("diners club", 38, 39, (14,)),
    ("unionpay", 62, 62, (16, 17, 18, 19)),
)


def cards_in(text: str) -> Iterator[str]:
    """The issuer of each card number in a text; the number itself is never handed on."""
    for match in _DIGITS.finditer(text):
        issuer = issuer_of(re.sub(r"\D", "", match.group()))
        if issuer:
            yield issuer


def issuer_of(digits: str) -> str:
    """The issuer of a number of digits alone, or nothing when it is no card number."""
    if not luhn_valid(digits):
        return ""
    for issuer, low, high, lengths in ISSUERS:
        if len(digits) in lengths and low <= int(digits[: len(str(low))]) <= high:
            return issuer
    return ""


def luhn_valid(digits: str) -> bool:
    """Whether the last digit is the check digit of those before it (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def made_up() -> list[str]:
    """Sentences that each hold a made-up number of one issuer, to measure what the detector finds."""
    sentences = []
    for _, low, high, lengths in ISSUERS:
        for prefix in sorted({low, high}):
            for length in lengths:
                number = made_up_number(str(prefix), length)
                sentences.append(f"order {number} please")
                grouped = " ".join(number[at : at + 4] for at in range(0, length, 4))
                sentences.append(f"Card: {grouped}.")
                sentences.append(f"({grouped.replace(' ', '-')})")
    return sentences


def made_up_number(prefix: str, length: int) -> str:
    """A number with this prefix, zeros behind it and the right check digit: nobody's card."""
    body = prefix.ljust(length - 1, "0")
    for check in "0123456789":
        if luhn_valid(body + check):
            return body + check
    raise AssertionError("one of ten check digits is right")
