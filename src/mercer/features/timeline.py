"""Events of many snapshots in flat arrays, cut at each snapshot's time, with reductions by row.

Everything a feature may read passes through here: an event known or dated after its snapshot's cut is gone
before any feature sees it. Reductions run on whole arrays; there is no Python loop over rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mercer.contracts import NEVER, Interactions, Snapshots
from mercer.errors import DataError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Some events of n rows, ordered by (row, time).

    row: row number. age: days before the cut (>= 0). day: UTC day number (position where the log has no
    clock). net_age: the age of the purchase that a return undoes, else `age`; origin: the time of it.
    amount: minor units, signed. All of shape (N,).
    """

    n: int
    row: Ints
    age: Floats
    day: Ints
    time: Ints
    net_age: Floats
    origin: Ints
    amount: Floats
    quantity: Floats
    item: Ints
    basket: Ints
    session: Ints

    def where(self, keep: Bools) -> Events:
        """The events where `keep` is true."""
        fields = (
            "row",
            "age",
            "day",
            "time",
            "net_age",
            "origin",
            "amount",
            "quantity",
            "item",
            "basket",
            "session",
        )
        return Events(n=self.n, **{name: getattr(self, name)[keep] for name in fields})

    def count(self, keep: Bools | None = None) -> Floats:
        """Number of events a row, shape (n,)."""
        rows = self.row if keep is None else self.row[keep]
        return np.bincount(rows, minlength=self.n).astype(np.float64)

    def total(self, values: Floats, keep: Bools | None = None) -> Floats:
        """Sum of `values`, shape (N,), a row; 0 where there is none. Adds in the order of the events."""
        if keep is not None:
            return sums(self.row[keep], values[keep], self.n)
        return sums(self.row, values, self.n)

    def last(self, values: Any) -> Floats:
        """`values` at the last event of each row, shape (n,); NaN where there is none."""
        return _at_edges(self.row, np.asarray(values, np.float64), self.n, last=True)

    def first(self, values: Any) -> Floats:
        """`values` at the first event of each row, shape (n,); NaN where there is none."""
        return _at_edges(self.row, np.asarray(values, np.float64), self.n, last=False)

    def days(self) -> Events:
        """One event (the first) for each row and UTC day."""
        new = np.ones(len(self.row), bool)
        new[1:] = (np.diff(self.row) != 0) | (np.diff(self.day) != 0)
        return self.where(new)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What the features of n snapshots are made of."""

    every: Events
    purchases: Events
    returns: Events
    views: Events
    carts: Events
    others: Events
    has_clock: bool

    @property
    def n(self) -> int:
        """Number of snapshots."""
        return self.every.n


def timeline(snapshots: Snapshots) -> Timeline:
    """Cut, order and split the events of `snapshots` by kind.

    Raises DataError when the histories and the cuts differ in number.
    """
    log = snapshots.history
    if log.n_users != len(snapshots.as_of):
        raise DataError(
            f"{len(snapshots.as_of)} cuts were given for {log.n_users} histories.",
            remedy="Give one history (an empty one where nothing is known) for each snapshot.",
        )
    events, kind = _known(log, np.asarray(snapshots.as_of, np.int64))
    named = {name: events.where(kind == code) for code, name in enumerate(log.kinds)}
    none = events.where(np.zeros(len(kind), bool))
    main = log.kind_codes(("purchase", "return", "view", "cart"))
    return Timeline(
        every=events,
        purchases=named.get("purchase", none),
        returns=named.get("return", none),
        views=named.get("view", none),
        carts=named.get("cart", none),
        others=events.where(~np.isin(kind, main)),
        has_clock=log.has_clock,
    )


def _known(log: Interactions, as_of: Ints) -> tuple[Events, npt.NDArray[np.int8]]:
    """Events dated and known at or before the cut of their row, ordered by row and time; and their kinds."""
    row = log.user_of
    cut = as_of[row]
    index = np.flatnonzero((log.known_at <= cut) & (log.time <= cut))
    row, time = row[index], np.asarray(log.time[index], np.int64)
    if len(time) and bool(np.any((np.diff(time) < 0) & (np.diff(row) == 0))):
        # A store may hand over late arrivals last; a stable order keeps equal times as they came.
        order = np.lexsort((time, row))
        index, row, time = index[order], row[order], time[order]
    cut = as_of[row]
    origin = np.asarray(log.origin_time[index], np.int64)
    origin = np.where((origin == NEVER) | (origin > time), time, origin)
    events = Events(
        n=len(as_of),
        row=row,
        time=time,
        age=(cut - time) / DAY_US,
        day=time // DAY_US if log.has_clock else time,
        net_age=(cut - origin) / DAY_US,
        origin=origin,
        amount=log.amount_minor[index].astype(np.float64),
        quantity=np.nan_to_num(log.quantity[index].astype(np.float64), posinf=0.0, neginf=0.0),
        item=log.item[index].astype(np.int64),
        basket=log.basket[index].astype(np.int64),
        session=log.session[index].astype(np.int64),
    )
    return events, log.kind[index]


def sums(row: Ints, values: Floats, n: int) -> Floats:
    """Sum of `values` by row, shape (n,), added in the order given."""
    return np.bincount(row, values, n).astype(np.float64, copy=False)


def divide(a: Floats, b: Floats) -> Floats:
    """a / b, NaN where b is 0 or either is NaN."""
    quotient = np.full(len(a), np.nan)
    np.divide(a, b, out=quotient, where=(b != 0) & ~np.isnan(b))
    return quotient


def _at_edges(row: Ints, values: Floats, n: int, *, last: bool) -> Floats:
    found = np.full(n, np.nan)
    if len(row):
        edge = np.ones(len(row), bool)
        edge[: -1 if last else None][0 if last else 1 :] = np.diff(row) != 0
        found[row[edge]] = values[edge]
    return found
