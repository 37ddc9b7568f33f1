"""Catalogues."""

from __future__ import annotations

import numpy as np

from mercer.data.cleaning.events import MOST_MINOR
from mercer.data.cleaning.people import OLDEST
from mercer.data.cleaning.rule import Facts, Rule
from mercer.data.cleaning.sheet import AMOUNT, Sheet


def _merge(sheet: Sheet, _facts: Facts) -> int:
    """One row an item: its most frequent title (ties: the first in the alphabet), and the first row that has it."""
    frame = sheet.frame
    if not frame["item"].duplicated().any():
        return 0
    counts = frame.groupby(["item", "title"], sort=True, dropna=True).size().reset_index(name="n")
    counts = counts.sort_values(["item", "n", "title"], ascending=[True, False, True])
    best = counts.drop_duplicates("item").set_index("item")["title"]
    first = frame.drop_duplicates(["item", "title"])
    chosen = first.loc[(first["title"] == first["item"].map(best)).fillna(value=False).to_numpy(bool)]
    nameless = frame.loc[~frame["item"].isin(best.index)].drop_duplicates("item")
    kept = np.union1d(chosen.index.to_numpy(), nameless.index.to_numpy())
    n_merged = len(frame) - len(kept)
    sheet.frame = frame.loc[kept]
    sheet.merged += n_merged
    return n_merged


def _untitled(sheet: Sheet, _facts: Facts) -> int:
    return sheet.quarantine(sheet.frame["title"].isna().to_numpy(), "item-without-title", "no title to show")


def _limits(sheet: Sheet, _facts: Facts) -> int:
    bad = np.zeros(len(sheet.frame), bool)
    for column in ("min_age", "available_from", "available_until"):
        bad |= sheet.bad_type(column)
    if "min_age" in sheet.frame:
        bad |= ((sheet.frame["min_age"] < 0) | (sheet.frame["min_age"] > OLDEST)).to_numpy(bool)
    return sheet.quarantine(bad, "bad-limit", "age limit or availability can't be read")


def _price(sheet: Sheet, _facts: Facts) -> int:
    if AMOUNT not in sheet.frame:
        return 0
    price = sheet.frame[AMOUNT]
    bad = ((price < 0) | (price.abs() > MOST_MINOR)).to_numpy(bool) | sheet.bad_type(AMOUNT)
    if bad.any():
        sheet.frame = sheet.frame.assign(**{AMOUNT: price.mask(bad)})
    return int(bad.sum())


LIMITS = Rule(
    "bad-limit",
    "An item whose age limit or days of sale can't be read could be shown to whom or when it may not.",
    "quarantine",
    _limits,
)
PRICE = Rule(
    "bad-price", "A price of the catalogue that is negative or not finite is unknown.", "fill", _price
)
MERGE = Rule(
    "repeated-item",
    "Rows that repeat an item (a catalogue taken from a log) are folded into one with its most frequent title.",
    "merge",
    _merge,
    fixed=True,
)
UNTITLED = Rule(
    "item-without-title", "An item without a title can't be shown in the catalogue; its events are kept.", "quarantine",
    _untitled,
)  # fmt: skip
