"""The event log: views, carts, purchases and returns in the order in which they happened."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mercer.simulate.activity import Visits
from mercer.simulate.baskets import Baskets
from mercer.simulate.catalogue import Catalogue
from mercer.simulate.season import DAY_US, Calendar, Ints
from mercer.simulate.visits import Browsing

KINDS = ("view", "cart", "purchase", "return")
VIEW, CART, PURCHASE, RETURN = range(4)
RETURNED = 0.035
"""Share of durable goods sent back."""

NONE = -1
_SECOND = 1_000_000
_VIEWED, _CARTED = 0.32, 0.22


@dataclass(frozen=True)
class Events:
    """N events ordered by time. Every array has shape (N,), int64.

    item, user, order, visit: rows of their tables, -1 where there is none. time, known_at: microseconds.
    amount_minor: price times quantity, negative for a return. origin: row of the purchase a return undoes.
    """

    user: Ints
    item: Ints
    time: Ints
    known_at: Ints
    kind: Ints
    quantity: Ints
    amount_minor: Ints
    order: Ints
    visit: Ints
    channel: Ints
    origin: Ints

    def __len__(self) -> int:
        return len(self.user)

    def ids(self) -> list[str]:
        """Event ids by row: they count up with time."""
        return [f"ev-{number:07d}" for number in range(1, len(self) + 1)]


@dataclass(frozen=True)
class Lines:
    """Order lines, each item once an order: quantity counts the times it was picked and the packs of each."""

    order: Ints
    item: Ints
    quantity: Ints


def order_lines(
    baskets: Baskets, added_order: Ints, added_item: Ints, catalogue: Catalogue, rng: np.random.Generator
) -> Lines:
    """What was picked, together with what was added to an order from a list that was shown."""
    order = np.repeat(np.arange(len(baskets.visit)), np.diff(baskets.start))
    order = np.concatenate([order, added_order])
    item = np.concatenate([baskets.item, added_item])
    packs = draw_packs(item, catalogue, rng)
    packs[len(baskets.item) :] = 1
    cell, place = np.unique(order * len(catalogue) + item, return_inverse=True)
    quantity = np.bincount(place, packs, len(cell)).astype(np.int64)
    return Lines(cell // len(catalogue), cell % len(catalogue), quantity)


def draw_packs(item: Ints, catalogue: Catalogue, rng: np.random.Generator) -> Ints:
    """How many of an item one pick takes: consumables often more than one. Its mean is `mean_packs`."""
    more = rng.poisson(mean_packs(catalogue)[item] - 1.0)
    return 1 + more


def mean_packs(catalogue: Catalogue) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Expected quantity of one pick by item: cheap consumables most, dear goods one at a time."""
    cheap = np.clip(1.6 - np.log10(catalogue.price_minor / 100), 0.0, 1.2)
    return 1.0 + np.where(catalogue.refill_days > 0, 0.55, 0.12) * cheap


def assemble(
    visits: Visits, starts: Ints, paid: Ints, channel: Ints, baskets: Baskets, lines: Lines,
    browsing: Browsing, catalogue: Catalogue, calendar: Calendar, rng: np.random.Generator,
) -> Events:  # fmt: skip
    """All events in order of time. starts: when each visit begins; paid: each order, microseconds."""
    bought_in = baskets.visit[lines.order]
    online = channel[bought_in] != 2
    bought = _rows(
        visits, channel, bought_in, lines.item, paid[lines.order], PURCHASE, lines.quantity, lines.order
    )
    viewed = np.flatnonzero(online & (rng.random(len(bought_in)) < _VIEWED))
    carted = np.flatnonzero(online & (rng.random(len(bought_in)) < _CARTED))
    left = np.flatnonzero(browsing.cart)

    def look(visit: Ints, item: Ints, kind: int, begin: int, end: int) -> Events:
        when = starts[visit] + rng.integers(begin, end, len(visit)) * _SECOND
        return _rows(visits, channel, visit, item, when, kind, np.ones(len(visit), np.int64), None)

    parts = [
        bought,
        look(bought_in[viewed], lines.item[viewed], VIEW, 0, 120),
        look(bought_in[carted], lines.item[carted], CART, 120, 240),
        look(browsing.visit, browsing.item, VIEW, 0, 120),
        look(browsing.visit[left], browsing.item[left], CART, 120, 240),
        _returns(bought, catalogue, calendar, rng),
    ]
    joined = Events(
        *(np.concatenate([getattr(p, name) for p in parts]) for name in Events.__dataclass_fields__)
    )
    sign = np.where(joined.kind == RETURN, -1, joined.kind == PURCHASE)
    joined = replace(joined, amount_minor=sign * joined.quantity * catalogue.price_minor[joined.item])
    return _ordered(joined)


def _rows(
    visits: Visits, channel: Ints, visit: Ints, item: Ints, time: Ints, kind: int, quantity: Ints, order: Ints | None
) -> Events:  # fmt: skip
    n = len(visit)
    none = np.full(n, NONE)
    # The till of the store sends its receipts in the night.
    night = (time // DAY_US + 1) * DAY_US + 4 * 3600 * _SECOND
    return Events(
        user=visits.user[visit],
        item=item,
        time=time,
        known_at=np.where(channel[visit] == 2, night, time),
        kind=np.full(n, kind),
        quantity=quantity,
        amount_minor=np.zeros(n, np.int64),
        order=none if order is None else order,
        visit=visit,
        channel=channel[visit],
        origin=none,
    )


def _returns(bought: Events, catalogue: Catalogue, calendar: Calendar, rng: np.random.Generator) -> Events:
    """Durable goods sent back three days to four weeks later; origin is a row of `bought` for now."""
    durable = catalogue.refill_days[bought.item] == 0
    row = np.flatnonzero(durable & (rng.random(len(bought)) < RETURNED))
    time = bought.time[row] + (rng.uniform(3, 28, len(row)) * 86_400).astype(np.int64) * _SECOND
    row, time = row[time < calendar.end_us], time[time < calendar.end_us]
    kept = {name: getattr(bought, name)[row] for name in Events.__dataclass_fields__}
    kept |= {"time": time, "known_at": time, "kind": np.full(len(row), RETURN), "origin": row}
    kept |= {"visit": np.full(len(row), NONE)}
    return Events(**kept)


def _ordered(events: Events) -> Events:
    """By time, then user, kind and item; origins follow their purchases to the new rows."""
    order = np.lexsort((events.item, events.kind, events.user, events.time))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    sorted_ = Events(*(getattr(events, name)[order] for name in Events.__dataclass_fields__))
    has = sorted_.origin >= 0
    # Purchases come first in the unsorted rows, so a row of `bought` is a row of the whole.
    return replace(sorted_, origin=np.where(has, place[np.where(has, sorted_.origin, 0)], NONE))
