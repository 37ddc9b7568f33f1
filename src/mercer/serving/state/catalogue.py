"""The catalogue overlay: versioned changes that act from the next request on, without a new release."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from mercer.release import NO_OVERLAY, Overlay
from mercer.serving.state.database import Database
from mercer.serving.state.schema import overlay


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemChange:
    """What the catalogue says of an item from now on; None: what the release says.

    price_minor: minor units. min_age: years. available_from, available_until: microseconds.
    details: text, category and brand, for the next release to learn from.
    """

    title: str | None = None
    price_minor: int | None = None
    currency: str | None = None
    min_age: int | None = None
    available_from: int | None = None
    available_until: int | None = None
    details: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Current:
    overlay: Overlay
    items: frozenset[str]


class CatalogueState:
    """The overlay in the database, with the current one kept in memory until its version moves on."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._current = _Current(NO_OVERLAY, frozenset())

    def put(self, item: str, change: ItemChange, *, time: int) -> int:
        """Say what holds for an item from now on (a withdrawn one comes back). Returns the version."""
        row = {
            "title": change.title,
            "price_minor": change.price_minor,
            "currency": change.currency,
            "min_age": change.min_age,
            "available_from": change.available_from,
            "available_until": change.available_until,
            "details": json.dumps(dict(change.details or {}), sort_keys=True, ensure_ascii=False),
        }
        return self._add({"item": item, "withdrawn": False, "time": time, **row})

    def withdraw(self, item: str, *, time: int) -> int:
        """Take an item out of every answer from the next request on. Returns the version."""
        return self._add({"item": item, "withdrawn": True, "time": time, "details": "{}"})

    def overlay(self) -> Overlay:
        """The overlay that holds now; the same object as long as the version is the same."""
        return self._latest().overlay

    def has(self, item: str) -> bool:
        """Whether the overlay says anything of an item."""
        return item in self._latest().items

    def _add(self, row: Mapping[str, Any]) -> int:
        with self._database.write() as connection:
            statement = overlay.insert().returning(overlay.c.version)
            return int(connection.execute(statement, row).scalar_one())

    def _latest(self) -> _Current:
        with self._database.read() as connection:
            version = connection.execute(select(func.max(overlay.c.version))).scalar() or 0
            current = self._current
            if version == current.overlay.version:
                return current
            newest = select(func.max(overlay.c.version)).group_by(overlay.c.item)
            rows = connection.execute(select(overlay).where(overlay.c.version.in_(newest))).all()
        # Readers in other threads see the old or the new one, whole.
        self._current = current = _Current(_as_overlay(version, rows), frozenset(row.item for row in rows))
        return current


def _as_overlay(version: int, rows: Any) -> Overlay:
    timed = [row for row in rows if row.available_from is not None or row.available_until is not None]
    return Overlay(
        version=version,
        withdrawn=frozenset(row.item for row in rows if row.withdrawn),
        price={row.item: row.price_minor for row in rows if row.price_minor is not None},
        title={row.item: row.title for row in rows if row.title is not None},
        min_age={row.item: row.min_age for row in rows if row.min_age is not None},
        availability={row.item: (row.available_from, row.available_until) for row in timed},
    )
