"""Canonical tables written by hand: rows as dictionaries, times as days after the first of January 2026."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mercer.brief import Brief
from mercer.contracts import TABLES
from mercer.data.tables import Tables

Row = Mapping[str, Any]

BRIEF = Brief.parse(
    """
    name: shop
    question: What next?
    decision: {date: 2026-01-31, target: next}
    data: {events: {source: events.csv}}
    targets: {next: {task: recommend}}
    """
)
"""A decision on day 30, at the end of which day 31 begins."""


def moment(day: float) -> datetime:
    return datetime(2026, 1, 1) + timedelta(days=day)  # noqa: DTZ001  times at rest are UTC without zone


def write(folder: Path, name: str, rows: Sequence[Row]) -> None:
    """A Parquet file of a canonical table; columns it does not declare follow as text."""
    schema = TABLES[name]
    declared = {column.name: column.type for column in schema.columns}
    extra = {key: pa.string() for row in rows for key in row if key not in declared}
    columns = {
        key: pa.array([row.get(key) for row in rows], kind) for key, kind in {**declared, **extra}.items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), folder / f"{name}.parquet")


def tables(folder: Path, **rows: Sequence[Row]) -> Tables:
    """The tables named, written and opened."""
    for name, content in rows.items():
        write(folder, name, content)
    return Tables.load(folder)


def event(name: str, user: str, item: str, day: float, **more: Any) -> Row:
    """A purchase that was known at once, unless `more` says otherwise."""
    when = moment(day)
    row = {"event": name, "user": user, "item": item, "time": when, "known_at": when, "kind": "purchase"}
    return {**row, **more}


def consent(user: str, day: float, given: bool, purpose: str = "recommendation") -> Row:
    return {"user": user, "purpose": purpose, "given": given, "time": moment(day)}
