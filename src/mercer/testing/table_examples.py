"""An example of each canonical table: valid rows in which every declared column is filled at least once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa

from mercer.contracts import TABLES


def example(name: str) -> pa.Table:
    """Two or three valid rows of the canonical table `name`."""
    schema = TABLES[name]
    rows = _EXAMPLES[name]
    columns = {
        column.name: pa.array([row.get(column.name) for row in rows], column.type)
        for column in schema.columns
    }
    return pa.table(columns, schema.arrow())


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)  # naive on purpose: times at rest are UTC without zone


_PURCHASE = {
    "event": "e1", "user": "u1", "item": "mug-blue", "time": _at("2026-03-01T10:00"),
    "known_at": _at("2026-03-01T10:00"), "kind": "purchase", "quantity": 2.0, "amount_minor": 1800,
    "currency": "EUR", "basket": "b1", "session": "s1", "channel": "web", "country": "DE",
}  # fmt: skip
_EXAMPLES: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "events": (
        _PURCHASE,
        {**_PURCHASE, "event": "e2", "kind": "view", "amount_minor": None, "basket": None},
        {**_PURCHASE, "event": "e3", "kind": "return", "amount_minor": -1800, "origin": "e1",
         "time": _at("2026-03-09T12:00"), "known_at": _at("2026-03-10T08:00")},
    ),
    "items": (
        {"item": "mug-blue", "title": "Blue mug", "text": "Holds coffee or tea.",
         "category": "Kitchen > Mugs", "brand": "Harbour", "price_minor": 900, "currency": "EUR",
         "available_from": _at("2026-01-01T00:00"), "available_until": _at("2026-12-31T00:00"),
         "min_age": 0, "attributes": '{"colour": "blue"}'},
        {"item": "gin-dry", "title": "Dry gin", "price_minor": 2900, "currency": "EUR", "min_age": 18},
    ),
    "users": (
        {"user": "u1", "jurisdiction": "EU", "age": 41, "attributes": "{}"},
        {"user": "u2", "jurisdiction": "US-CA"},
    ),
    "consents": (
        {"user": "u1", "purpose": "recommendation", "given": True, "time": _at("2026-01-01T00:00")},
        {"user": "u1", "purpose": "recommendation", "given": False, "time": _at("2026-05-01T00:00")},
    ),
    "requests": (
        {"request": "r1", "user": "u1", "time": _at("2026-03-01T10:00"), "query": "blue mug", "session": "s1",
         "policy": "greedy", "release": "3f2a", "context": '{"jurisdiction": "EU"}',
         "eligible": ["mug-blue"]},
        {"request": "r2", "time": _at("2026-03-01T10:05")},
    ),
    "impressions": (
        {"request": "r1", "item": "mug-blue", "position": 1, "propensity": 0.5,
         "propensity_kind": "item-position"},
        {"request": "r1", "item": "gin-dry", "position": 2},
    ),
    "outcomes": (
        {"request": "r1", "item": "mug-blue", "kind": "click", "time": _at("2026-03-01T10:01")},
        {"request": "r1", "item": "mug-blue", "kind": "purchase", "time": _at("2026-03-01T10:02"),
         "amount_minor": 900},
    ),
    "treatments": (
        {"user": "u1", "campaign": "spring", "arm": "voucher", "propensity": 0.5,
         "time": _at("2026-03-01T00:00")},
        {"user": "u2", "campaign": "spring", "arm": "control", "propensity": 0.5,
         "time": _at("2026-03-01T00:00")},
    ),
    "judgments": (
        {"query": "blue mug", "item": "mug-blue", "grade": 2.0, "judge": "editor"},
        {"query": "blue mug", "item": "gin-dry", "grade": 0.0, "judge": "editor"},
    ),
    "payments": (
        {"payment": "p1", "payer": "u1", "payee": "m1", "instrument": "tok-1", "amount_minor": 1800,
         "currency": "EUR", "time": _at("2026-03-01T10:00"), "status": "settled", "label": False,
         "label_known_at": _at("2026-04-01T00:00")},
        {"payment": "p2", "payer": "u2", "payee": "m1", "amount_minor": 500, "currency": "EUR",
         "time": _at("2026-03-02T10:00"), "status": "authorised"},
    ),
    "examples": (
        {"unit": "x1", "as_of": _at("2026-03-01T00:00"), "label": 1.0},
        {"unit": "x2", "label": 0.0},
    ),
    "cases": (
        {"case": "c1", "kind": "alert", "subject": "u1", "opened": _at("2026-03-01T00:00"), "score": 0.97,
         "reasons": '["amount"]', "rule": "fraud", "disposition": "confirmed", "reviewer_role": "analyst",
         "closed": _at("2026-03-02T00:00")},
        {"case": "c2", "kind": "failed-gate", "subject": "consent", "opened": _at("2026-03-01T00:00"),
         "rule": "consent"},
    ),
}  # fmt: skip
