"""Orders: purchase lines grouped by basket, else by day, with the value that is left after returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mercer.features.timeline import Events, Floats, Ints


@dataclass(frozen=True, slots=True)
class Orders:
    """m orders of n rows, ordered by row and time of their first line.

    row, shape (m,); value: minor units after returns known at the cut, never below 0, shape (m,).
    """

    n: int
    row: Ints
    value: Floats

    def count(self) -> Floats:
        """Orders a row, shape (n,)."""
        return np.bincount(self.row, minlength=self.n).astype(np.float64)


def orders(purchases: Events, returns: Events) -> Orders:
    """Group purchase lines into orders and take off what was returned of them."""
    if not len(purchases.row):
        return Orders(purchases.n, np.zeros(0, np.int64), np.zeros(0))
    # Lines without a basket belong to the order of their day; the offset keeps both key spaces apart.
    group = np.where(purchases.basket >= 0, purchases.basket, -1 - purchases.day)
    order = np.lexsort((group, purchases.row))
    new = np.ones(len(order), bool)
    new[1:] = (np.diff(purchases.row[order]) != 0) | (np.diff(group[order]) != 0)
    number = np.empty(len(order), np.int64)
    number[order] = np.cumsum(new) - 1
    first = np.full(int(new.sum()), len(order), np.int64)
    np.minimum.at(first, number, np.arange(len(order)))
    value = np.bincount(number, purchases.amount, len(first))
    line = _line_undone(purchases, returns)
    value += np.bincount(number[line[line >= 0]], returns.amount[line >= 0], len(first))
    by_time = np.argsort(first, kind="stable")
    return Orders(purchases.n, purchases.row[first[by_time]], np.maximum(value[by_time], 0.0))


def _line_undone(purchases: Events, returns: Events) -> Ints:
    """For each return, a purchase line of the same row at its origin time; -1 where there is none.

    A bisection over all returns at once: purchases are ordered by row and time.
    """
    low = np.searchsorted(purchases.row, returns.row, "left")
    end = np.searchsorted(purchases.row, returns.row, "right")
    high = end.copy()
    while bool(np.any(low < high)):
        middle = (low + high) // 2
        open_ = low < high
        below = open_ & (purchases.time[np.minimum(middle, len(purchases.time) - 1)] < returns.origin)
        low = np.where(below, middle + 1, low)
        high = np.where(open_ & ~below, middle, high)
    found = low < end
    found &= purchases.time[np.minimum(low, len(purchases.time) - 1)] == returns.origin
    return np.where(found, low, -1)
