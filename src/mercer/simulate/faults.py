"""Faulty rows planted among the raw rows, each recorded with the cleaning rule that must catch it.

A planted row is a changed copy of a sound one, put in at a random place (a repeated event: behind its first), so
that cleaning which catches exactly the planted rows gives back exactly the sound table.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mercer.simulate.personal import card_number
from mercer.simulate.tables import iso

Row = dict[str, Any]

LONG_TEXT = "lorem ipsum " * 83_334
"""A million characters."""

ODD_AGES = (-1, -40, 123, 199, 999)
"""What a form without checks takes for an age."""


@dataclass(frozen=True)
class Fault:
    """One kind of faulty row.

    rule: the name of the cleaning rule that must catch it. column, values: what is wrong, the values in turn.
    share: rows planted per row of the table, `least` at least. behind: put right behind the row it copies, with
    its id; otherwise it has an id of its own and comes anywhere.
    """

    table: str
    rule: str
    column: str
    values: tuple[Any, ...]
    share: float = 0.0
    least: int = 2
    behind: bool = False


FAULTS: tuple[Fault, ...] = (
    Fault("events", "nul-bytes", "channel", ("we\0b",), 1e-4),
    Fault("events", "unreadable-time", "time",
          ("yesterday", "2026-13-45T99:00:00Z", "", "0000-00-00 00:00:00", "31/31/2026"), 2e-4, 5),
    Fault("events", "future-time", "time", ("2031-01-01T00:00:00Z", "2026-12-24T18:30:00Z"), 1e-4),
    Fault("events", "missing-user", "user", (None, "", "  "), 3e-4, 3),
    Fault("events", "missing-item", "item", (None, ""), 1.5e-4),
    Fault("events", "bad-quantity", "quantity", (0.0, float("inf"), 9_999_999.0), 1.5e-4, 3),
    Fault("events", "bad-amount", "amount_minor", (float("inf"), -1250.0, -99.0, float("-inf")), 1.5e-4, 4),
    Fault("events", "unknown-item", "item", ("CK-00000",), 1e-4),
    Fault("events", "zero-price", "amount_minor", (0.0,), 1e-4),
    Fault("events", "duplicate-event", "", (), 6e-4, 6, behind=True),
    Fault("events", "conflicting-event", "amount_minor", (777_777.0, 888_888.0, 999_999.0), 2e-4, 4, behind=True),
    Fault("items", "item-without-title", "title", (None, ""), least=3),
    Fault("items", "nul-bytes", "title", ("Oak Chopping\0Board",)),
    Fault("items", "text-too-long", "text", (LONG_TEXT,), least=1),
    Fault("items", "card-number-in-text", "text", tuple(f"To pay: {card_number(n)}" for n in range(2))),
    Fault("requests", "card-number-in-text", "query",
          tuple(f"refund to {card_number(n)}" for n in range(21)), 4e-4, 7),
    Fault("requests", "future-time", "time", (datetime(2031, 1, 1, tzinfo=UTC).replace(tzinfo=None),)),
    Fault("judgments", "unknown-item", "item", ("CK-00000",), least=3),
    Fault("judgments", "missing-item", "item", (None,)),
)  # fmt: skip

_OWN_IDS = {"events": ("event", "ev-x"), "items": ("item", "ZZ-"), "requests": ("request", "req-x")}


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
        n = max(fault.least, round(fault.share * table.num_rows))
        for source in np.sort(rng.choice(_usable(table), n, replace=False)).tolist():
            row = {column: table.column(column)[source].as_py() for column in table.column_names}
            faulty.append(_changed(row, fault, len(faulty)))
            rules.append(fault.rule)
            place.append(source + 0.5 if fault.behind else float(rng.integers(0, table.num_rows + 1)) - 0.5)
    if not faulty:
        return Planted(table, [], [])
    added = pa.Table.from_pylist(faulty, schema=table.schema)
    position = np.concatenate([np.arange(table.num_rows), place])
    order = np.argsort(position, kind="stable")
    where = np.empty(len(order), np.int64)
    where[order] = np.arange(len(order))
    whole = pa.concat_tables([table, added]).combine_chunks().take(pa.array(order))
    return Planted(whole, where[table.num_rows :].tolist(), rules)


def mistype_ages(
    users: pa.Table, rng: np.random.Generator, share: float = 0.002
) -> tuple[pa.Table, list[int]]:
    """The table with impossible ages where the age was unknown, and the rows so changed (two at least, if any).

    Cleaning makes these ages unknown again, so it gives back the sound table here too; no row is added.
    """
    age = users.column("age").to_pylist()
    unknown = np.array([row for row, value in enumerate(age) if value is None], np.int64)
    n = min(len(unknown), max(2, round(share * len(age))))
    rows: list[int] = np.sort(rng.choice(unknown, n, replace=False)).tolist()
    for number, row in enumerate(rows):
        age[row] = ODD_AGES[number % len(ODD_AGES)]
    place = users.schema.get_field_index("age")
    return users.set_column(place, users.schema.field(place), pa.array(age, pa.int64())), rows


def _usable(table: pa.Table) -> npt.NDArray[np.int64]:
    """Rows that may be copied: purchases where there are kinds, since a purchase can have every fault."""
    if "kind" not in table.column_names:
        return np.arange(table.num_rows)
    purchase = table.column("kind").to_numpy(zero_copy_only=False) == "purchase"
    return np.flatnonzero(purchase).astype(np.int64)


def _changed(row: Row, fault: Fault, n: int) -> Row:
    changed = dict(row)
    if fault.values:
        changed[fault.column] = fault.values[n % len(fault.values)]
    if not fault.behind and fault.table in _OWN_IDS:
        column, prefix = _OWN_IDS[fault.table]
        changed[column] = changed[column] if column == fault.column else f"{prefix}{n:05d}"
    return changed
