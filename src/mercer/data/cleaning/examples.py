"""Flat labelled examples."""

from __future__ import annotations

import numpy as np

from mercer.data.cleaning.rule import Facts, Rule
from mercer.data.cleaning.sheet import Bools, Sheet

_DECLARED = ("unit", "as_of", "label")


def _no_label(sheet: Sheet, _facts: Facts) -> int:
    missing = sheet.frame["label"].isna().to_numpy() & ~sheet.bad_type("label")
    return sheet.quarantine(missing, "missing-label", "no label")


def _other_label(sheet: Sheet, _facts: Facts) -> int:
    return sheet.quarantine(sheet.bad_type("label"), "unknown-label", "a label that is neither yes nor no")


def _empty(sheet: Sheet, _facts: Facts) -> int:
    columns = [name for name in sheet.frame.columns if name not in _DECLARED]
    if not columns:
        return 0
    bad: Bools = sheet.frame[columns].isna().all(axis=1).to_numpy(bool)
    return sheet.quarantine(bad, "empty-example", "no value in any column")


def _unreadable(sheet: Sheet, _facts: Facts) -> int:
    hit: Bools = np.zeros(len(sheet.frame), bool)
    for name in sheet.frame.columns:
        if name not in _DECLARED:
            hit |= sheet.bad_type(name)
    return int(hit.sum())


MISSING_LABEL = Rule(
    "missing-label",
    "An example without a label teaches nothing and tests nothing.",
    "quarantine",
    _no_label,
    fixed=True,
)
UNKNOWN_LABEL = Rule(
    "unknown-label",
    "A label in another spelling than the two of its column can't be told from an error of entry.",
    "quarantine",
    _other_label,
    fixed=True,
)
EMPTY = Rule(
    "empty-example",
    "An example without any value says nothing of what it was.",
    "quarantine",
    _empty,
)
UNREADABLE = Rule(
    "unreadable-cell",
    "A value that is no number in a column of numbers (or no yes or no) is unknown.",
    "fill",
    _unreadable,
    fixed=True,
)
