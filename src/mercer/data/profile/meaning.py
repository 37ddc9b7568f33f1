"""What a column of an unknown file probably is, from its name and its values. A guess, and said to be one."""

from __future__ import annotations

import re
from typing import Any, Literal

import numpy as np
import pandas as pd

Kind = Literal["number", "time", "flag", "text", "list", "empty"]

_SAMPLE = 2_000
_FEW = 50
_MOSTLY = 0.9

PERSON = "the person who acts"

_CODES = re.compile(
    "customer|user|client|member|buyer|shopper|payer|account|invoice|order|basket|receipt|stockcode|sku"
)
_PROPERTY = re.compile("type|related|duration|rate|days")
"""A property of a person, an item or a visit, not the thing itself."""

_NUMBERS = ("the price of a unit", "an amount of money", "a quantity")

_NO_CODE = re.compile("age|date|time|count|num|amount|total|value|price|quantity|share|rate|days")

_NAMED: tuple[tuple[str, str], ...] = (
    ("customer|user|client|member|buyer|shopper|payer|account", PERSON),
    ("stockcode|sku|asin|product|item|article", "the item"),
    ("invoice|order|basket|receipt|transaction", "the order"),
    ("session|visit", "the visit"),
    ("unitprice|price", "the price of a unit"),
    ("amount|total|revenue|spend", "an amount of money"),
    ("quantity|qty|units", "a quantity"),
    ("title|name|description", "a name that a person reads"),
    ("country|region|city|state", "a place"),
    ("category|department|brand", "a group of items"),
    ("query|search", "a search text"),
    ("age|gender|sex|birth|ethnic|marital|religion", "an attribute of a person, which may be protected"),
    ("label|target|outcome|fraud|default|response", "an outcome to be predicted"),
)


def as_typed(column: pd.Series[Any], named: str = "") -> tuple[Kind, pd.Series[Any]]:
    """A column's kind, and its values as that kind; texts that are numbers or times in 9 of 10 cases are read so.

    named: the column's name; codes of people, orders and items stay texts even where they are digits.
    """
    there = column.dropna()
    if there.empty:
        return "empty", column
    if pd.api.types.infer_dtype(there, skipna=True) == "boolean":
        return "flag", column
    if pd.api.types.is_datetime64_any_dtype(there):
        return "time", column
    if is_code(named):
        return "text", column.map(str, na_action="ignore")
    if pd.api.types.is_numeric_dtype(there):
        return "number", column
    if isinstance(there.iloc[0], (list, tuple, dict, np.ndarray)):
        return "list", column.map(str, na_action="ignore")
    return _read_text(column, there)


def is_code(name: str) -> bool:
    """Whether a name says that digits are a code of a person, an order or an item, not a number."""
    plain = re.sub(r"[^a-z]", "", name.lower())
    return plain == "id" or bool(_CODES.search(plain) and not _NO_CODE.search(plain.removesuffix("number")))


def _read_text(column: pd.Series[Any], there: pd.Series[Any]) -> tuple[Kind, pd.Series[Any]]:
    texts = column.map(str, na_action="ignore")
    sample = texts[there.index[:_SAMPLE]]
    # A leading zero marks a code: 00123 is no number.
    coded = sample.str.match(r"^0\d").mean() > 0.01
    if not coded and pd.to_numeric(sample, errors="coerce").notna().mean() > _MOSTLY:
        return "number", pd.to_numeric(texts, errors="coerce")
    shaped = sample.str.contains(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|^\d{1,2} [A-Za-z]{3}", regex=True).mean()
    if shaped > _MOSTLY:
        times = pd.to_datetime(texts, errors="coerce", format="mixed", utc=True)
        if times.notna().sum() > _MOSTLY * len(there):
            return "time", times
    return "text", texts


def likely_meaning(name: str, kind: Kind, n_distinct: int, n_there: int) -> str:
    """A guess in words."""
    if kind == "empty":
        return "nothing: the column is empty"
    if kind == "time":
        return "when something happened"
    named = _by_name(
        re.sub(r"[^a-z]", "", name.lower()),
        kind,
        is_category=n_distinct <= _FEW and n_distinct < 0.01 * n_there,
    )
    if named:
        return named
    if n_distinct == 1:
        return "a constant: it tells rows apart nowhere"
    if n_distinct == 2:
        return "a yes or no"
    if n_distinct == n_there and kind in ("text", "number"):
        return "a key: every value comes once"
    if kind == "text":
        return "a category" if n_distinct <= 50 else "codes or free text"
    return "a measurement" if n_distinct > 20 else "a count or a code"


def _by_name(plain: str, kind: Kind, *, is_category: bool) -> str:
    """What a column's name says of it, where its kind does not speak against it."""
    if _PROPERTY.search(plain):
        return ""
    for words, meaning in _NAMED:
        found = re.match(words, plain) if words.startswith("age") else re.search(words, plain)
        if (
            found
            and (kind == "number" or meaning not in _NUMBERS)
            and not (meaning == PERSON and is_category)
        ):
            return meaning
    return ""
