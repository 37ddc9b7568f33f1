"""Small sources for the tests of the data room: write rows, clean them, look at what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mercer.brief import Brief
from mercer.contracts import Silent
from mercer.data import Accounting, Tables
from mercer.data.ingest import clean_tables, sources_of

DAY = 86_400_000_000

EVENT = {
    "event": "e1",
    "user": "u1",
    "item": "mug",
    "time": "2026-03-01T10:00:00Z",
    "kind": "purchase",
    "quantity": 1,
    "amount_minor": 250,
}
"""A sound row."""


def brief_of(data: Mapping[str, Any], **changes: Any) -> Brief:
    """A brief of one recommend target; the decision is taken on 2026-10-01."""
    content: dict[str, Any] = {
        "schema": 1,
        "name": "made",
        "question": "Which?",
        "decision": {"date": "2026-10-01", "target": "next"},
        "data": dict(data),
        "targets": {"next": {"task": "recommend"}},
    }
    return Brief.model_validate({**content, **changes})


@dataclass(frozen=True)
class Cleaned:
    """What cleaning made of sources."""

    out: Path
    accounting: Accounting

    def kept(self, table: str = "events") -> pd.DataFrame:
        frame = Tables.load(self.out).get(table)
        assert frame is not None
        return frame

    def quarantined(self, table: str = "events") -> pd.DataFrame:
        return pq.read_table(self.out / "quarantine" / f"{table}.parquet").to_pandas()

    def rules(self, table: str = "events") -> dict[str, int]:
        """Rules that acted, with how many rows."""
        return {rule.rule: rule.count for rule in self.accounting.tables[table].rules if rule.count}

    def reasons(self, table: str = "events") -> dict[int, str]:
        """Row number in the source -> the rule that quarantined it."""
        found = self.quarantined(table)
        return dict(zip(found["row"], found["rule"], strict=True))


def clean(brief: Brief, folder: Path, out: Path | None = None, suppressed: Any = None) -> Cleaned:
    """Clean the sources of a brief, as `ingest` does but for the profile."""
    out = out or folder / "out"
    accounting = clean_tables(brief, sources_of(brief, (folder,)), (folder,), out, suppressed, Silent())
    return Cleaned(out, accounting)


def written(folder: Path, name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a Parquet file; columns of mixed types become text."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    arrays = {}
    for column in columns:
        values = [row.get(column) for row in rows]
        try:
            arrays[column] = pa.array(values)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            arrays[column] = pa.array([None if value is None else str(value) for value in values])
    pq.write_table(pa.table(arrays), folder / f"{name}.parquet")
    return f"{name}.parquet"


def events(
    folder: Path, *changes: Mapping[str, Any], defaults: Mapping[str, Any] = EVENT, **source: Any
) -> Cleaned:
    """Clean an event log: one row a change of the sound row, with an event id of its own unless it names one."""
    rows = [
        {**defaults, **({"event": f"e{at}"} if "event" in defaults else {}), **change}
        for at, change in enumerate(changes)
    ]
    rules_off = source.pop("rules_off", [])
    name = written(folder, "log", rows)
    return clean(brief_of({"events": {"source": name, **source}, "rules_off": rules_off}), folder)


def table(folder: Path, name: str, *rows: Mapping[str, Any], **source: Any) -> Cleaned:
    """Clean one other table."""
    return clean(brief_of({name: {"source": written(folder, name, rows), **source}}), folder)
