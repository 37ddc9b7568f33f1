"""Faulty rows planted among the raw rows, each recorded with the cleaning rule that must catch it.

A planted row is a changed copy of a sound one, put in at a random place (a repeated event: behind its first), so
that cleaning which catches exactly the planted rows gives back exactly the sound table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from mercer.simulate.personal import card_number
from mercer.simulate.tables import iso

Row = dict[str, Any]

LONG_TEXT = 1_000_000

_NO_TIMES = ("yesterday", "2026-13-45T99:00:00Z", "", "0000-00-00 00:00:00", "31/31/2026")
_NO_QUANTITIES = (0.0, float("inf"), 9_999_999.0, float("-inf"))
_NO_AMOUNTS = (float("inf"), -1250.0, -99.0, float("-inf"))


@dataclass(frozen=True)
class Fault:
    """rule: the name of the cleaning rule. times: rows planted a 100,000 rows, at least `least`."""

    table: str
    rule: str
    change: Callable[[Row, int], Row]
    times: int = 10
    least: int = 2
    behind: bool = False


def _event(**change: Any) -> Callable[[Row, int], Row]:
    """A row of its own, with an id of its own, changed."""
    return lambda row, n: row | {"event": f"ev-x{n:06d}", "origin": None} | change


def _varied(column: str, values: tuple[Any, ...]) -> Callable[[Row, int], Row]:
    def change(row: Row, n: int) -> Row:
        return row | {
            "event": f"ev-x{n:06d}",
            "origin": None,
            "kind": "purchase",
            column: values[n % len(values)],
        }

    return change


def _conflict(row: Row, n: int) -> Row:
    return row | {"quantity": row["quantity"] + 1 + n % 3, "amount_minor": 2.0 * abs(row["amount_minor"]) + 1}


def _item(row: Row, n: int, **change: Any) -> Row:
    return row | {"item": f"ZZ-{n:05d}"} | change


FAULTS: tuple[Fault, ...] = (
    Fault("events", "nul-bytes", lambda row, n: row | {"event": f"ev-x{n:06d}", "channel": "we\0b", "origin": None}),
    Fault("events", "unreadable-time", _varied("time", _NO_TIMES), 20, 5),
    Fault("events", "future-time", _varied("time", ("2031-01-01T00:00:00Z", "2026-12-24T18:30:00Z")), 10),
    Fault("events", "missing-user", _varied("user", (None, "", "  ")), 30, 3),
    Fault("events", "missing-item", _varied("item", (None, "")), 15),
    Fault("events", "bad-quantity", _varied("quantity", _NO_QUANTITIES), 15, 4),
    Fault("events", "bad-amount", _varied("amount_minor", _NO_AMOUNTS), 15, 4),
    Fault("events", "unknown-item", _event(item="CK-00000", kind="view"), 10),
    Fault("events", "duplicate-event", lambda row, _n: dict(row), 60, 6, behind=True),
    Fault("events", "conflicting-event", _conflict, 20, 4, behind=True),
    Fault("items", "item-without-title", lambda row, n: _item(row, n, title=(None, "")[n % 2]), 0, 3),
    Fault("items", "nul-bytes", lambda row, n: _item(row, n, title=str(row["title"]) + "\0"), 0, 2),
    Fault("items", "text-too-long", lambda row, n: _item(row, n, text="lorem ipsum " * (LONG_TEXT // 12 + 1)), 0, 1),
    Fault("items", "card-number-in-text", lambda row, n: _item(row, n, text=f"Call us, or pay: {card_number(n)}"), 0, 2),
    Fault("requests", "card-number-in-text", lambda row, n: _request(row, n, f"refund to {card_number(n)}"), 40, 6),
    Fault("requests", "future-time", lambda row, n: _request(row, n, row["query"]) | {"time": datetime(2031, 1, 1)}, 0, 2),
    Fault("judgments", "unknown-item", lambda row, _n: row | {"item": "CK-00000"}, 0, 3),
    Fault("judgments", "missing-item", lambda row, _n: row | {"item": None}, 0, 2),
)  # fmt: skip


def _request(row: Row, n: int, query: str | None) -> Row:
    return row | {"request": f"req-x{n:05d}", "query": query}


@dataclass(frozen=True)
class Planted:
    """The raw table, and of each planted row its number in it (from 0) and its rule."""

    table: pa.Table
    rows: list[int]
    rules: list[str]


def loosened(name: str, table: pa.Table) -> pa.Table:
    """The table with columns wide enough for faults: times of events as text, amounts as real numbers."""
    if name == "events":
        time = table.schema.get_field_index("time")
        table = table.set_column(time, "time", iso(table.column("time")))
        amount = table.schema.get_field_index("amount_minor")
        table = table.set_column(amount, "amount_minor", table.column("amount_minor").cast(pa.float64()))
    return pa.table({column: table.column(column) for column in table.column_names})


def plant(name: str, table: pa.Table, rng: np.random.Generator) -> Planted:
    """The raw form of a canonical table with the faults of that table planted."""
    table = loosened(name, table)
    faulty: list[Row] = []
    rules: list[str] = []
    place: list[float] = []
    for fault in FAULTS:
        if fault.table != name:
            continue
        n = max(fault.least, round(fault.times * table.num_rows / 100_000))
        for source in np.sort(rng.choice(_usable(fault, table), n, replace=False)).tolist():
            row = {column: table.column(column)[source].as_py() for column in table.column_names}
            faulty.append(fault.change(row, len(faulty)))
            rules.append(fault.rule)
            at = source + 0.5 if fault.behind else rng.integers(0, table.num_rows + 1) - 0.5
            place.append(float(at))
    if not faulty:
        return Planted(table, [], [])
    added = pa.Table.from_pylist(faulty, schema=table.schema)
    position = np.concatenate([np.arange(table.num_rows), place])
    order = np.argsort(position, kind="stable")
    where = np.empty(len(order), np.int64)
    where[order] = np.arange(len(order))
    whole = pa.concat_tables([table, added]).combine_chunks().take(pa.array(order))
    return Planted(whole, where[table.num_rows :].tolist(), rules)


def _usable(fault: Fault, table: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Rows that a fault may copy: purchases for events, searches for card numbers."""
    if fault.table == "events":
        purchase = table.column("kind").to_numpy(zero_copy_only=False) == "purchase"
        return np.flatnonzero(purchase).astype(np.int64)
    return np.arange(table.num_rows)
