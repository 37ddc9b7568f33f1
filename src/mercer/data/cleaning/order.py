"""Which rules a table gets, in which order. Earlier rules win: a row is quarantined once, under the first that fits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mercer.contracts import TABLES
from mercer.data.cleaning import events, items, people, repeats, returns, text
from mercer.data.cleaning.rule import Facts, Rule
from mercer.data.cleaning.sheet import Sheet


def _missing_value(table: str) -> Callable[[Sheet, Facts], int]:
    needed = [column.name for column in TABLES[table].columns if not column.nullable]

    def apply(sheet: Sheet, _facts: Facts) -> int:
        bad = np.zeros(len(sheet.frame), bool)
        for name in needed:
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
    )


EVENTS = (
    people.SUPPRESSED,
    text.NUL,
    text.LONG,
    events.UNREADABLE_TIME,
    events.FUTURE,
    people.MISSING_USER,
    events.MISSING_ITEM,
    repeats.REPEATED_ROW,
    returns.RETURNS,
    events.QUANTITY,
    events.AMOUNT,
    events.NO_PRODUCT,
    events.FREE,
    events.UNKNOWN_ITEM,
    repeats.duplicate("event"),
    repeats.conflict("event"),
    returns.ORIGINS,
)


def rules_for(table: str) -> tuple[Rule, ...]:
    """The rules of a table in order."""
    last = missing_value(table)
    if table == "events":
        return (*EVENTS, last)
    if table == "items":
        return (text.NUL, text.LONG, events.MISSING_ITEM, text.CARDS, items.MERGE, items.UNTITLED, last)
    first: tuple[Rule, ...] = (people.SUPPRESSED, text.NUL, text.LONG)
    if table == "users":
        return (
            *first,
            people.MISSING_USER,
            repeats.duplicate("user"),
            repeats.conflict("user"),
            people.AGES,
            last,
        )
    if table == "requests":
        return (
            *first, events.UNREADABLE_TIME, events.FUTURE, text.CARDS, text.EMAILS, text.PHONES,
            repeats.duplicate("request"), repeats.conflict("request"), last,
        )  # fmt: skip
    if table == "judgments":
        return (*first, events.MISSING_ITEM, text.CARDS, events.UNKNOWN_ITEM, last)
    if table == "payments":
        return (
            *first, events.UNREADABLE_TIME, events.FUTURE, repeats.duplicate("payment"), repeats.conflict("payment"), last,
        )  # fmt: skip
    if table in ("consents", "outcomes", "treatments"):
        return (*first, events.UNREADABLE_TIME, events.FUTURE, last)
    return (*first, last)


def all_rules() -> dict[str, Rule]:
    """Every rule by name."""
    return {rule.name: rule for table in TABLES for rule in rules_for(table)}
