"""Catalogues."""

from __future__ import annotations

import numpy as np

from mercer.data.cleaning.rule import Facts, Rule
from mercer.data.cleaning.sheet import Sheet


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


MERGE = Rule(
    "repeated-item",
    "Rows that repeat an item (a catalogue taken from a log) are folded into one with its most frequent title.",
    "merge",
    _merge,
)
UNTITLED = Rule(
    "item-without-title", "An item without a title can't be shown in the catalogue; its events are kept.", "quarantine",
    _untitled,
)  # fmt: skip
