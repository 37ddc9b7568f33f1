"""The same event twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from mercer.data.cleaning.rule import Facts, Rule
from mercer.data.cleaning.sheet import Bools, Sheet

DERIVED = "derived"
"""Name of the flag column that says that event ids were made from content."""


def _content(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns=[DERIVED], errors="ignore").astype("string")


def _repeated_row(sheet: Sheet, _facts: Facts) -> int:
    if DERIVED not in sheet.frame.columns:
        return 0
    content = sheet.frame.drop(columns=[DERIVED, "event"], errors="ignore")
    return sheet.quarantine(
        content.duplicated().to_numpy(), "repeated-row", "equal to an earlier row in every mapped column"
    )


def _split(sheet: Sheet, key: str) -> tuple[Bools, Bools]:
    """Later rows of a key that equal its first row, and later rows that differ from it. First is what was known first,
    where the table says that, else what stands first."""
    shared = sheet.frame[key].duplicated(keep=False).to_numpy()
    if not shared.any():
        return shared, shared
    suspects = sheet.frame.loc[shared]
    if "known_at" in suspects:
        suspects = suspects.sort_values("known_at", kind="stable")

    def among_all(flags: pd.Series[Any]) -> Bools:
        return flags.reindex(sheet.frame.index, fill_value=False).to_numpy(bool)

    later, same = among_all(suspects[key].duplicated()), among_all(_content(suspects).duplicated())
    return later & same, later & ~same


def _duplicate(key: str) -> Callable[[Sheet, Facts], int]:
    def apply(sheet: Sheet, _facts: Facts) -> int:
        return sheet.quarantine(
            _split(sheet, key)[0], f"duplicate-{key}", "the same id and content as an earlier row"
        )

    return apply


def _conflict(key: str) -> Callable[[Sheet, Facts], int]:
    def apply(sheet: Sheet, _facts: Facts) -> int:
        return sheet.quarantine(
            _split(sheet, key)[1], f"conflicting-{key}", "an earlier row's id with other content"
        )

    return apply


REPEATED_ROW = Rule(
    "repeated-row",
    "In a log without event ids, a row equal to an earlier one in every mapped column was exported twice.",
    "quarantine",
    _repeated_row,
)


def duplicate(key: str) -> Rule:
    """The rule for a repeated id with equal content."""
    return Rule(
        f"duplicate-{key}",
        f"The same {key} twice with equal content counts once.",
        "quarantine",
        _duplicate(key),
        fixed=True,
    )


def conflict(key: str) -> Rule:
    """The rule for a repeated id with other content."""
    first = "the one that was known first" if key == "event" else "the first"
    return Rule(
        f"conflicting-{key}",
        f"Of one {key} id with different contents {first} counts.",
        "quarantine",
        _conflict(key),
        fixed=True,
    )
