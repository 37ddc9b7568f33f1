"""A table under cleaning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Bools = npt.NDArray[np.bool_]

Rows = npt.NDArray[np.int64]

AMOUNT = "amount"
"""Column of a sheet that holds money in minor units (in items: the price) while rules run."""

MONEY = ("amount_minor", "price_minor")
"""The canonical columns that AMOUNT becomes."""

QUARANTINE: Mapping[str, Any] = {"row": "int64", "rule": str, "reason": str, "user": object, "content": str}
"""Columns of a quarantine file."""

LONGEST_KEPT = 2_000
"""Characters of a value that quarantine keeps; the whole value is still in the source."""

_PIECE = 16_384


@dataclass
class Sheet:
    """frame: rows still kept, indexed by their row number in the source, with canonical columns.
    raw: the source as read. unreadable: by canonical column, which rows held a value of the wrong type.
    start: the frame before any rule. own: canonical column -> column of the source.
    quarantined: (row numbers, rule, reason) in the order of the rules. merged: rows folded into another.
    notes: what the source did not say and its content told, a sentence each. evidence: why items were folded.
    """

    table: str
    frame: pd.DataFrame
    raw: pd.DataFrame
    unreadable: dict[str, Bools] = field(default_factory=dict)
    quarantined: list[tuple[npt.NDArray[np.int64], str, str]] = field(default_factory=list)
    merged: int = 0
    own: Mapping[str, str] = field(default_factory=dict)
    start: pd.DataFrame = field(default_factory=pd.DataFrame)
    notes: list[str] = field(default_factory=list)
    evidence: pd.DataFrame | None = None

    def has(self, column: str) -> bool:
        """Whether the table has a column with any value."""
        return column in self.frame.columns and bool(self.frame[column].notna().any())

    def bad_type(self, column: str) -> Bools:
        """Which kept rows held an unreadable value in a column, shape (n_kept,)."""
        if column not in self.unreadable:
            return np.zeros(len(self.frame), bool)
        bad: Bools = self.unreadable[column][self.frame.index.to_numpy()]
        return bad

    def quarantine(self, bad: Bools, rule: str, reason: str) -> int:
        """Move the kept rows where `bad` into quarantine; returns how many."""
        bad = np.asarray(bad, bool)
        if bad.any():
            self.quarantined.append((self.frame.index.to_numpy()[bad], rule, reason))
            self.frame = self.frame.loc[~bad]
        return int(bad.sum())

    def mapped_values(self, column: str, rule: str) -> pd.Series[Any]:
        """What the rows that a rule quarantined held in a column before any rule ran."""
        rows = [rows for rows, name, _ in self.quarantined if name == rule]
        return self.start.loc[np.concatenate(rows) if rows else [], column]

    def quarantine_table(self, scrub: Mapping[str, Callable[[str], str]]) -> pd.DataFrame:
        """Columns row, rule, reason, user (so that a person can be found and erased), content (JSON text of the
        source row). Of people who were forgotten only the row number is told.

        scrub: what takes personal data out of a canonical column's text.
        """
        parts = []
        for rows, rule, reason in self.quarantined:
            told = {"row": rows, "rule": rule, "reason": reason, "user": None, "content": ""}
            if rule != "suppressed":
                told |= {"user": self._person(rows), "content": self._content(rows, scrub)}
            parts.append(pd.DataFrame(told, columns=list(QUARANTINE)))
        table = pd.concat(parts) if parts else pd.DataFrame({name: [] for name in QUARANTINE})
        return table.astype(dict(QUARANTINE)).sort_values("row", kind="stable").reset_index(drop=True)

    def _person(self, rows: Rows) -> Any:
        column = next((name for name in ("user", "payer", "unit") if name in self.start), None)
        return None if column is None else self.start.loc[rows, column].to_numpy(object)

    def _content(self, rows: Rows, scrub: Mapping[str, Callable[[str], str]]) -> list[str]:
        """One JSON object a row, long values cut; in pieces, for as text rows are large."""
        pieces = (rows[start : start + _PIECE] for start in range(0, len(rows), _PIECE))
        return [line for piece in pieces for line in self._lines(piece, scrub)]

    def _lines(self, rows: Rows, scrub: Mapping[str, Callable[[str], str]]) -> list[str]:
        shown = self.raw.loc[rows]
        own = {self.own.get(canonical, canonical): change for canonical, change in scrub.items()}
        for column in shown.columns:
            values: pd.Series[Any] = shown[column]
            if pd.api.types.is_float_dtype(values):
                infinite = values.abs() == np.inf
                if infinite.any():
                    shown[column] = values.astype(object).where(~infinite, values.astype(str))
            elif values.dtype == object or pd.api.types.is_string_dtype(values):
                text = values.astype("string").str.slice(0, LONGEST_KEPT)
                if column in own:
                    text = text.map(own[column], na_action="ignore")
                shown[column] = text.astype(object).where(text.notna(), None)
        lines = str(shown.to_json(orient="records", lines=True, date_format="iso", force_ascii=False))
        return lines.rstrip("\n").split("\n")
