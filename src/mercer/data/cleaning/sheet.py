"""A table under cleaning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Bools = npt.NDArray[np.bool_]

LONGEST_KEPT = 2_000
"""Characters of a value that quarantine keeps; the whole value is still in the source."""


@dataclass
class Sheet:
    """frame: rows still kept, indexed by their row number in the source, with canonical columns.
    raw: the source as read. unreadable: by canonical column, which rows held a value of the wrong type.
    quarantined: (row numbers, rule, reason) in the order of the rules. merged: rows folded into another.
    """

    table: str
    frame: pd.DataFrame
    raw: pd.DataFrame
    unreadable: dict[str, Bools] = field(default_factory=dict)
    quarantined: list[tuple[npt.NDArray[np.int64], str, str]] = field(default_factory=list)
    merged: int = 0

    def has(self, column: str) -> bool:
        """Whether the table has a column with any value."""
        return column in self.frame.columns and bool(self.frame[column].notna().any())

    def bad_type(self, column: str) -> Bools:
        """Which kept rows held an unreadable value in a column, shape (n_kept,)."""
        if column not in self.unreadable:
            return np.zeros(len(self.frame), bool)
        return self.unreadable[column][self.frame.index.to_numpy()]

    def quarantine(self, bad: Bools, rule: str, reason: str) -> int:
        """Move the kept rows where `bad` into quarantine; returns how many."""
        bad = np.asarray(bad, bool)
        if bad.any():
            self.quarantined.append((self.frame.index.to_numpy()[bad], rule, reason))
            self.frame = self.frame.loc[~bad]
        return int(bad.sum())

    def quarantine_table(self) -> pd.DataFrame:
        """Columns row, rule, reason, content (JSON text of the source row; empty for people who were forgotten)."""
        parts = []
        for rows, rule, reason in self.quarantined:
            content = _content(self.raw.loc[rows]) if rule != "suppressed" else [""] * len(rows)
            parts.append(pd.DataFrame({"row": rows, "rule": rule, "reason": reason, "content": content}))
        if not parts:
            return pd.DataFrame(
                {"row": pd.Series([], dtype=np.int64), "rule": [], "reason": [], "content": []}
            ).astype({"rule": str, "reason": str, "content": str})
        return pd.concat(parts, ignore_index=True).sort_values("row", kind="stable").reset_index(drop=True)


def _content(rows: pd.DataFrame) -> list[str]:
    """One JSON object a row, long values cut."""
    shown = rows.copy(deep=False)
    for column in shown.columns:
        values: pd.Series[Any] = shown[column]
        if values.dtype == object or pd.api.types.is_string_dtype(values):
            text = values.astype("string").str.slice(0, LONGEST_KEPT)
            shown[column] = text.astype(object).where(text.notna(), None)
    lines = str(shown.to_json(orient="records", lines=True, date_format="iso", force_ascii=False))
    return lines.rstrip("\n").split("\n")
