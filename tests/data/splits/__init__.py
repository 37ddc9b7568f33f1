"""Logs written event by event, in days after the first of January 2026, for splits worked out on paper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from mercer.contracts import NEVER, Holdout, Interactions, Vocabulary
from mercer.data.splits.days import DAY, start_of

FIRST = date(2026, 1, 1)
KINDS = ("view", "cart", "purchase", "return")


@dataclass(frozen=True)
class Event:
    """Days may be broken: 3.5 is noon of the fourth day. known: left out, it was known at once."""

    user: str
    item: str
    day: float
    kind: str = "purchase"
    known: float | None = None
    basket: int = -1
    session: int = -1
    amount: int = 0
    origin: float | None = None


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def at(number: float) -> int:
    """The instant so many days after the first midnight, in microseconds."""
    return start_of(FIRST) + round(number * DAY)


def log(*events: Event, clock: bool = True) -> Interactions:
    """The events in compressed rows: users and items by name, a user's events by time, then as given."""
    users = Vocabulary(sorted({e.user for e in events}))
    items = Vocabulary(sorted({e.item for e in events}))
    rows = sorted(events, key=lambda e: (e.user, e.day))
    indptr = np.concatenate([[0], np.cumsum([sum(e.user == user for e in rows) for user in users.ids])])
    return Interactions(
        users=users,
        items=items,
        kinds=KINDS,
        indptr=indptr.astype(np.int64),
        item=np.array([items.ids.index(e.item) for e in rows], np.int32),
        time=np.array([at(e.day) for e in rows], np.int64),
        known_at=np.array([at(e.day if e.known is None else e.known) for e in rows], np.int64),
        kind=np.array([KINDS.index(e.kind) for e in rows], np.int8),
        quantity=np.ones(len(rows), np.float32),
        amount_minor=np.array([e.amount for e in rows], np.int64),
        basket=np.array([e.basket for e in rows], np.int64),
        session=np.array([e.session for e in rows], np.int64),
        origin_time=np.array([_origin(e) for e in rows], np.int64),
        has_clock=clock,
    )


def _origin(event: Event) -> int:
    if event.kind != "return":
        return at(event.day)
    return NEVER if event.origin is None else at(event.origin)


def answers(held: Holdout) -> dict[str, set[str]]:
    """What is relevant for each unit of a held-out part."""
    ids = held.requests.items.ids
    return {unit: {ids[code] for code in held.relevant[n]} for n, unit in enumerate(held.units)}


def histories(held: Holdout) -> dict[str, list[str]]:
    """The items of each unit's history, oldest first."""
    past = held.requests.history
    return {unit: [past.items.ids[code] for code in past.item_rows[n]] for n, unit in enumerate(held.units)}
