"""What a card number is: issuer ranges, length and Luhn's check digit, whatever separates the digits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mercer.data.personal.found import Found

_RUN = re.compile(r"(?<![\d])\d(?:[ .\-]?\d){11,18}(?![\d])")

_RANGES: tuple[tuple[int, int, int, tuple[int, ...]], ...] = (
    (1, 4, 4, (13, 16, 19)),
    (2, 51, 55, (16,)),
    (4, 2221, 2720, (16,)),
    (2, 34, 34, (15,)),
    (2, 37, 37, (15,)),
    (4, 6011, 6011, (16, 19)),
    (3, 644, 659, (16, 19)),
    (4, 3528, 3589, (16, 17, 18, 19)),
    (4, 2131, 2131, (15,)),
    (4, 1800, 1800, (15,)),
    (3, 300, 305, (14,)),
    (2, 36, 36, (14,)),
    (2, 38, 39, (14,)),
    (2, 50, 50, (12, 13, 14, 15, 16, 17, 18, 19)),
    (2, 56, 69, (12, 13, 14, 15, 16, 17, 18, 19)),
)
"""(digits of the prefix, from, to, lengths): Visa, Mastercard with its 2-series, American Express, Discover,
JCB (its old 15 digits too), Diners, Maestro."""


def find_cards(text: str) -> Iterator[Found]:
    """Numbers that could be a payment card's."""
    for run in _RUN.finditer(text):
        if _is_card(re.sub(r"\D", "", run.group())):
            yield Found(run.start(), run.end(), "card")


def _is_card(digits: str) -> bool:
    issued = any(
        low <= int(digits[:size]) <= high and len(digits) in lengths for size, low, high, lengths in _RANGES
    )
    return issued and len(set(digits)) > 1 and _luhn(digits)


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0
