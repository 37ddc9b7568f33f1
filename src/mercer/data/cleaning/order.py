"""Which rules a table gets, in which order. Earlier rules win: a row is quarantined once, under the first that fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from mercer.contracts import TABLES
from mercer.data.cleaning import (
    codes,
    events,
    examples,
    items,
    near_items,
    people,
    prices,
    repeats,
    returns,
    text,
)
from mercer.data.cleaning.rule import Facts, Rule
from mercer.data.cleaning.sheet import AMOUNT, MONEY, Sheet


def _missing_value(table: str) -> Callable[[Sheet, Facts], int]:
    needed = [column.name for column in TABLES[table].columns if not column.nullable]

    def apply(sheet: Sheet, _facts: Facts) -> int:
        bad = np.zeros(len(sheet.frame), bool)
        for name in (AMOUNT if one in MONEY else one for one in needed):
            if name in sheet.frame.columns:
                bad |= sheet.frame[name].isna().to_numpy() | sheet.bad_type(name)
        return sheet.quarantine(bad, "missing-value", "a needed value is missing or can't be read")

    return apply


def missing_value(table: str) -> Rule:
    """The last rule of every table: no row without its needed values passes."""
    return Rule(
        "missing-value",
        "A row without one of its table's needed values can't be used.",
        "quarantine",
        _missing_value(table),
        fixed=True,
    )


def _unreadable(table: str) -> Callable[[Sheet, Facts], int]:
    optional = [column.name for column in TABLES[table].columns if column.nullable]

    def apply(sheet: Sheet, _facts: Facts) -> int:
        hit = np.zeros(len(sheet.frame), bool)
        for name in optional:
            if name not in sheet.frame.columns:
                continue
            bad = sheet.bad_type(name)
            if pd.api.types.is_float_dtype(sheet.frame[name]):
                bad = bad | np.isinf(sheet.frame[name].to_numpy(np.float64))
            if bad.any():
                sheet.frame = sheet.frame.assign(**{name: sheet.frame[name].mask(bad)})
            hit |= bad
        return int(hit.sum())

    return apply


def unreadable_value(table: str) -> Rule:
    """Optional values that are not of their column's type."""
    return Rule(
        "unreadable-value",
        "A value that is not of its column's type, where the column is optional, is unknown.",
        "fill",
        _unreadable(table),
        fixed=True,
    )


EVENTS = (
    events.UNREADABLE_TIME,
    events.FUTURE,
    people.MISSING_USER,
    events.MISSING_ITEM,
    repeats.REPEATED_ROW,
    near_items.FOLDED,
    returns.RETURNS,
    events.QUANTITY,
    events.SUM,
    codes.TEST,
    codes.ADJUSTMENT,
    codes.NO_PRODUCT,
    events.FREE,
    events.UNKNOWN_ITEM,
    repeats.duplicate("event"),
    repeats.conflict("event"),
    prices.IMPOSSIBLE,
    returns.ORIGINS,
)
ITEMS = (
    events.MISSING_ITEM,
    codes.TEST,
    codes.ADJUSTMENT,
    codes.NO_PRODUCT,
    text.CARDS,
    items.LIMITS,
    items.PRICE,
    items.MERGE,
    items.UNTITLED,
    near_items.NEAR,
)
_DATED = (events.UNREADABLE_TIME, events.FUTURE)

_OWN: Mapping[str, tuple[Rule, ...]] = {
    "events": EVENTS,
    "items": ITEMS,
    "users": (people.MISSING_USER, codes.TEST, repeats.duplicate("user"), repeats.conflict("user"), people.AGES),
    "consents": _DATED,
    "requests": (
        *_DATED, text.CARDS, text.EMAILS, text.PHONES, repeats.duplicate("request"), repeats.conflict("request"),
    ),
    "impressions": (near_items.FOLDED,),
    "outcomes": (*_DATED, near_items.FOLDED, events.SUM),
    "treatments": _DATED,
    "judgments": (events.MISSING_ITEM, near_items.FOLDED, text.CARDS, events.UNKNOWN_ITEM),
    "examples": (
        examples.MISSING_LABEL, examples.UNKNOWN_LABEL, examples.EMPTY, examples.UNREADABLE, repeats.duplicate("unit"),
        repeats.conflict("unit"),
    ),
    "payments": (*_DATED, events.SUM, repeats.duplicate("payment"), repeats.conflict("payment")),
}  # fmt: skip
"""A table's own rules, between those that every table has."""


def rules_for(table: str) -> tuple[Rule, ...]:
    """The rules of a table in order."""
    first = () if table == "items" else (people.SUPPRESSED,)
    own = _OWN.get(table, ())
    return (*first, text.NUL, text.LONG, *own, unreadable_value(table), missing_value(table))


def all_rules() -> dict[str, Rule]:
    """Every rule by name."""
    return {rule.name: rule for table in TABLES for rule in rules_for(table)}
