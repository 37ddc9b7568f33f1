"""Events: times, quantities, amounts, items."""

from __future__ import annotations

import numpy as np

from mercer.data.cleaning.rule import Facts, Rule
from mercer.data.cleaning.sheet import AMOUNT, Sheet

MOST_UNITS = 1_000_000
MOST_MINOR = 10**12


def _unreadable_time(sheet: Sheet, _facts: Facts) -> int:
    bad = sheet.frame["time"].isna().to_numpy() | sheet.bad_type("time") | sheet.bad_type("known_at")
    return sheet.quarantine(bad, "unreadable-time", "no readable time")


def _future(sheet: Sheet, facts: Facts) -> int:
    time = sheet.frame["time"].to_numpy("datetime64[us]").astype(np.int64)
    return sheet.quarantine(time > facts.end, "future-time", "after the decision day")


def _missing_item(sheet: Sheet, _facts: Facts) -> int:
    return sheet.quarantine(sheet.frame["item"].isna().to_numpy(), "missing-item", "no item")


def _quantity(sheet: Sheet, _facts: Facts) -> int:
    if not sheet.has("quantity") and "quantity" not in sheet.unreadable:
        return 0
    value = sheet.frame["quantity"].to_numpy(np.float64)
    given = sheet.frame["quantity"].notna().to_numpy()
    with np.errstate(invalid="ignore"):
        bad = given & (~np.isfinite(value) | (value == 0) | (np.abs(value) > MOST_UNITS))
        # What is negative here was not relabelled as a return: a view or a cart of fewer than nothing.
        bad |= given & (value < 0)
    return sheet.quarantine(
        bad | sheet.bad_type("quantity"),
        "bad-quantity",
        f"zero, negative, not finite or over {MOST_UNITS:,} units",
    )


def _amount(sheet: Sheet, _facts: Facts) -> int:
    if AMOUNT not in sheet.frame.columns:
        return 0
    value = sheet.frame[AMOUNT].to_numpy(np.float64)
    with np.errstate(invalid="ignore"):
        bad = np.isinf(value) | (np.abs(value) > MOST_MINOR)
        negative = value < 0
    if "kind" in sheet.frame:
        negative &= (sheet.frame["kind"] != "return").to_numpy(bool)
    for column in (AMOUNT, "price"):
        bad |= sheet.bad_type(column)
    return sheet.quarantine(
        bad | negative, "bad-amount", "not finite, absurd, or negative without being a return"
    )


def _free(sheet: Sheet, _facts: Facts) -> int:
    if AMOUNT not in sheet.frame.columns:
        return 0
    bad = ((sheet.frame["kind"] == "purchase") & (sheet.frame[AMOUNT] == 0)).to_numpy(bool)
    return sheet.quarantine(bad, "zero-price", "a purchase of nothing: a gift, a sample or a correction")


def _unknown_item(sheet: Sheet, facts: Facts) -> int:
    if facts.items is None:
        return 0
    return sheet.quarantine(
        ~sheet.frame["item"].isin(facts.items).to_numpy(), "unknown-item", "not in the catalogue"
    )


UNREADABLE_TIME = Rule(
    "unreadable-time",
    "A row whose time can't be read has no place in a history.",
    "quarantine",
    _unreadable_time,
    fixed=True,
)
FUTURE = Rule(
    "future-time",
    "A row after the end of the decision day was not known when the decision is taken.",
    "quarantine",
    _future,
)
MISSING_ITEM = Rule(
    "missing-item",
    "A row without an item says nothing about taste.",
    "quarantine",
    _missing_item,
    fixed=True,
)
QUANTITY = Rule(
    "bad-quantity",
    f"A quantity that is zero, negative, not finite or over {MOST_UNITS:,} is an error of entry.",
    "quarantine",
    _quantity,
)
SUM = Rule(
    "bad-amount",
    "An amount that is not finite, absurd, or negative without being a return is an error of entry.",
    "quarantine",
    _amount,
)
FREE = Rule(
    "zero-price",
    "A purchase that cost nothing is a gift, a sample or a correction, not demand.",
    "quarantine",
    _free,
)
UNKNOWN_ITEM = Rule(
    "unknown-item", "An item that the catalogue lacks can't be shown.", "quarantine", _unknown_item
)
