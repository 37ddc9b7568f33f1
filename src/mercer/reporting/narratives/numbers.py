"""Numbers in words: how a quantity is said, what numbers a text holds, and whether a number follows from a fact.

The rounding rule: a number follows when it equals the value, or when it is the value rounded to the digits that are
shown and at least two of them are significant. Amounts under 100 units of a currency show both decimals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal

import numpy as np

from mercer.reporting.narratives.fact import Fact, Unit
from mercer.reporting.words import money

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_CURRENCIES = {"£": "GBP", "€": "EUR", "$": "USD", "pounds": "GBP", "euros": "EUR", "dollars": "USD"}
_COUNTED = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
_WORDS = {word: number for number, word in enumerate(_COUNTED.split())} | {"once": 1, "twice": 2}
_NUMBER = r"[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_MONTH = "|".join(MONTHS)
_PATTERNS = (
    re.compile(
        rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<month>{_MONTH}),? (?P<year>\d{{4}})\b",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?P<month>{_MONTH}) (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year>\d{{4}})\b", re.IGNORECASE
    ),
    re.compile(r"(?<![\w.-])(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?![\w-])"),
    re.compile(
        rf"(?<![\w.])(?P<sign>[-−]?)(?P<before>[£€$]|\b[A-Z]{{3}} )\s?(?P<money>{_NUMBER})(?![\w%]|\.\d)"
    ),
    re.compile(rf"(?<![\w.,])(?P<money>{_NUMBER}) ?(?P<after>pounds|euros|dollars|[A-Z]{{3}})\b"),
    re.compile(rf"(?<![\w.,])(?P<percent>{_NUMBER}) ?(?:%|per ?cent\b)"),
)
_PLAIN = re.compile(rf"{_NUMBER}\Z")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number as a text shows it. value: as shown, or a date's ordinal. step: one unit of its last digit."""

    form: Literal["plain", "money", "percent", "date"]
    value: Decimal
    step: Decimal = Decimal(1)
    digits: int = 1
    currency: str = ""


def say_date(at: datetime) -> str:
    """`1 October 2026`, in UTC."""
    day = at.astimezone(UTC)
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def say_number(value: float, digits: int = 4) -> str:
    """Whole numbers and those from 1,000 on without decimals, others with `digits` significant ones; no exponent."""
    if value == int(value) or abs(value) >= 1000:
        return f"{round(value):,}"
    return np.format_float_positional(value, precision=digits, fractional=False, trim="-")


def say_quantity(value: float, unit: Unit, currency: str = "") -> str:
    """A number with its unit, as the templates say it."""
    if unit == "money":
        return money(value, currency)
    if unit == "share":
        return f"{say_number(float(Decimal(repr(value)) * 100), 3)} %"
    if unit == "days":
        return f"{say_number(value)} {'day' if value == 1 else 'days'}"
    return say_number(value)


def say(fact: Fact) -> str:
    """The fact's value in words; "missing" where there is none."""
    if fact.value is None:
        return "missing"
    if isinstance(fact.value, datetime):
        return say_date(fact.value)
    return fact.value if isinstance(fact.value, str) else say_quantity(fact.value, fact.unit, fact.currency)


def written(text: str) -> Iterator[tuple[int, int, Amount | None]]:
    """Dates, amounts of money and percentages in a text: (start, end, what); None for a date that is none."""
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            yield match.start(), match.end(), _amount(match.groupdict())


def plain(word: str) -> Amount | None:
    """A number in digits, or a number word from zero to twenty; None for any other word."""
    if _PLAIN.match(word):
        return _shown("plain", word)
    number = _WORDS.get(word.lower())
    return None if number is None else Amount("plain", Decimal(number))


def follows(amount: Amount, fact: Fact) -> bool:
    """Whether the number follows from the fact's value by the rounding rule, in a form that its unit allows."""
    if isinstance(fact.value, datetime):
        return amount.form == "date" and amount.value == fact.value.astimezone(UTC).date().toordinal()
    if not isinstance(fact.value, float) or amount.form == "date":
        return False
    if fact.unit == "money":
        return (
            amount.form == "money" and amount.currency == fact.currency and _money_follows(amount, fact.value)
        )
    if amount.form == "percent":
        return fact.unit == "share" and _rounded(amount, Decimal(repr(fact.value)) * 100)
    return amount.form == "plain" and _rounded(amount, Decimal(repr(fact.value)))


def _money_follows(amount: Amount, minor: float) -> bool:
    major = Decimal(repr(minor)) / 100
    return amount.value == major or ((amount.step < 1 or abs(major) >= 100) and _rounded(amount, major))


def _rounded(amount: Amount, value: Decimal) -> bool:
    if amount.value == value:
        return True
    return amount.digits >= 2 and abs(amount.value - value) <= amount.step / 2


def _amount(found: dict[str, str | None]) -> Amount | None:
    if found.get("year"):
        return _date(str(found["day"]), str(found["month"]), str(found["year"]))
    if found.get("percent"):
        return _shown("percent", str(found["percent"]))
    mark = str(found.get("before") or found.get("after")).strip()
    return _shown("money", f"{found.get('sign') or ''}{found['money']}", _CURRENCIES.get(mark, mark))


def _date(day: str, month: str, year: str) -> Amount | None:
    number = int(month) if month.isdecimal() else [name.lower() for name in MONTHS].index(month.lower()) + 1
    try:
        return Amount("date", Decimal(date(int(year), number, int(day)).toordinal()))
    except ValueError:
        return None


def _shown(form: Literal["plain", "money", "percent"], text: str, currency: str = "") -> Amount:
    bare = text.replace(",", "").replace("−", "-")
    value = Decimal(bare)
    decimals = len(bare.partition(".")[2])
    digits = len(bare.lstrip("-").replace(".", "").lstrip("0"))
    return Amount(form, value, Decimal(1).scaleb(-decimals), digits, currency)
