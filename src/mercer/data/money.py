"""Minor units of money: how many decimals a currency has (ISO 4217), and what is a currency code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pandas as pd

_WITHOUT_DECIMALS = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
_THREE_DECIMALS = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])

CURRENCY = "^[A-Z]{3}$"
"""What a currency code looks like."""


def decimals(currency: str | None) -> int:
    """Decimals of a currency's minor unit; 2 where the currency is not given."""
    if currency in _WITHOUT_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2


def uneven() -> dict[str, int]:
    """The currencies that do not have two decimals, with how many they have."""
    return {code: decimals(code) for code in sorted(_WITHOUT_DECIMALS | _THREE_DECIMALS)}


_SIGNS = {
    "£": ("GBP",),
    "€": ("EUR",),
    "$": ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN"),
    "¥": ("JPY", "CNY"),
    "₹": ("INR",),
    "₩": ("KRW",),
    "₺": ("TRY",),
    "zł": ("PLN",),
    "kr": ("SEK", "NOK", "DKK", "ISK"),
    "Kč": ("CZK",),
}


def signs(currency: str | None) -> tuple[str, ...]:
    """How amounts of a currency are marked: its code and its sign; nothing where the currency is not given."""
    if currency is None:
        return ()
    return (currency, *(sign for sign, codes in _SIGNS.items() if currency in codes))


def unsigned(text: pd.Series[Any], marks: Iterable[str]) -> pd.Series[Any]:
    """Texts of numbers without one of the marks at either end; what is none of a number stays."""
    mark = "|".join(map(re.escape, marks))
    text = text.str.replace(rf"^([+-]?)\s*(?:{mark})\s*(?=[-+0-9.,])", r"\1", regex=True)
    return text.str.replace(rf"(?<=[0-9.,])\s*(?:{mark})$", "", regex=True)


def all_signs() -> tuple[str, ...]:
    """The signs of every currency, as a first look at a file may meet them."""
    return tuple(_SIGNS)
