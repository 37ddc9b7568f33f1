"""A corner shop: two customers, two items, three orders, one return."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from mercer.contracts import TABLES

BRIEF = """
schema: 1
name: corner-shop
question: What next?
decision: {date: 2026-03-01, target: next-item, metric: ndcg@10, guardrails: [{metric: coverage@10, min: 0.2}]}
data: {events: {source: events.csv, timezone: Europe/Berlin, currency: EUR}}
targets:
  next-item: {task: recommend, repeats: false, split: {kind: temporal, test_from: 2026-02-01}}
  again: {task: behavior, horizon_days: 30}
"""

ACCOUNTS = {
    "schema": 1,
    "tables": {
        "events": {
            "read": 10, "kept": 6, "quarantined": 4, "merged": 0,
            "rules": [
                {"rule": "missing-user", "sentence": "Nobody's <history>.", "action": "quarantine", "count": 3},
                {"rule": "future-time", "sentence": "Not known.", "action": "quarantine", "count": 1},
                {"rule": "email-in-text", "sentence": "Replaced.", "action": "redact", "count": 2},
                {"rule": "zero-price", "sentence": "A gift.", "action": "quarantine", "count": 0},
            ],
        }
    },
}  # fmt: skip

# user, item, time (UTC), kind, quantity, minor units, basket
ROWS = [
    ("ann", "tea", "2026-01-05 23:30", "purchase", 2, 600, "b1"),
    ("ann", "jam", "2026-01-05 23:30", "purchase", 1, 400, "b1"),
    ("ann", "tea", "2026-01-15 10:00", "purchase", 1, 300, "b2"),
    ("bob", "tea", "2026-02-03 10:00", "purchase", 1, 350, None),
    ("bob", "jam", "2026-02-03 11:00", "purchase", 1, 400, None),
    ("bob", "jam", "2026-02-04 10:00", "return", 1, -400, None),
]


def events_table(rows: list[tuple[Any, ...]], **extra: Any) -> pa.Table:
    names = ("user", "item", "time", "kind", "quantity", "amount_minor", "basket")
    frame = pd.DataFrame(rows, columns=list(names))
    frame["time"] = pd.to_datetime(frame["time"])
    frame = frame.assign(
        event=[f"e{n}" for n in range(len(frame))], known_at=frame["time"], currency="EUR", **extra
    )
    return TABLES["events"].conform(pa.Table.from_pandas(frame, preserve_index=False))
