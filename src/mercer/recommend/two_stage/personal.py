"""Features of the moment: what sells, prices, the person's rhythm, what they bought before or looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.recommend.popular import DAY_US
from mercer.recommend.two_stage.asked import Asked, Columns, Floats, Ints

POPULARITY = ("sales",)
TREND = (
    "sales_short", "sales_middle", "sales_long", "trend_short", "trend_middle", "trend_long", "days_since_first_sale",
    "days_since_facts",
)  # fmt: skip
PRICES = ("price", "price_to_mean", "price_to_last", "price_spread")
PERSON = ("events", "steps", "events_a_step", "candidates", "days_since_last", "days_since_first")
AGAIN = (
    "bought", "bought_steps", "bought_age", "bought_decayed", "bought_share", "bought_days", "bought_gap",
    "bought_due", "item_again", "item_again_days", "item_due",
)  # fmt: skip
SEEN = ("seen", "seen_back")


def popularity(a: Asked) -> Columns:
    """How often everybody bought it."""
    return {"sales": a.known.facts.count[a.pool.item]}


def trend(a: Asked) -> Columns:
    """How often lately, in three windows, and as a share of all its sales; how long it has been sold."""
    lately, count = a.known.facts.lately[a.pool.item], a.known.facts.count[a.pool.item]
    names = ("short", "middle", "long")
    since = np.full(a.pool.n, np.nan)
    if a.h.has_clock:
        since = (a.h.now - a.known.facts.as_of) / DAY_US
    return {
        **{f"sales_{name}": lately[:, at] for at, name in enumerate(names)},
        **{f"trend_{name}": (lately[:, at] + 0.5) / (count + 2) for at, name in enumerate(names)},
        "days_since_first_sale": a.known.facts.first_days[a.pool.item],
        "days_since_facts": since[a.pool.row],
    }


def prices(a: Asked) -> Columns:
    """Logarithm of the price, against the mean and the last of the history, and how much those vary."""
    known = a.known.log_price
    paid = known[a.h.item]
    there = np.isfinite(paid)
    row, paid = a.h.row[there], paid[there]
    n = np.bincount(row, minlength=a.pool.n)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(row, paid, minlength=a.pool.n) / n
        spread = np.sqrt(np.maximum(np.bincount(row, paid**2, minlength=a.pool.n) / n - mean**2, 0))
    last = np.where(a.h.recent[:, 0] >= 0, known[a.h.recent[:, 0]], np.nan)
    price = known[a.pool.item]
    return {
        "price": price,
        "price_to_mean": price - mean[a.pool.row],
        "price_to_last": price - last[a.pool.row],
        "price_spread": spread[a.pool.row],
    }


def person(a: Asked) -> Columns:
    """How much and how lately the person bought at all, and how many candidates there are."""
    row = a.pool.row
    newest, oldest = np.full(a.pool.n, np.nan), np.full(a.pool.n, np.nan)
    if a.h.has_clock:
        held = a.length > 0
        ends = np.cumsum(a.length)[held]
        newest[held] = (a.h.now[held] - a.h.time[ends - 1]) / DAY_US
        oldest[held] = (a.h.now[held] - a.h.time[ends - a.length[held]]) / DAY_US
    return {
        "events": a.length[row],
        "steps": a.steps[row],
        "events_a_step": (a.length / np.maximum(a.steps, 1))[row],
        "candidates": a.pool.sizes[row],
        "days_since_last": newest[row],
        "days_since_first": oldest[row],
    }


@dataclass(frozen=True, slots=True)
class _Own:
    """Sums over the different items of each history, and where the candidates are among them."""

    cell: Ints
    group: Ints
    found: npt.NDArray[np.bool_]
    place: Ints

    @classmethod
    def of(cls, cells: Ints, wanted: Ints) -> _Own:
        cell, group = np.unique(cells, return_inverse=True)
        if not len(cell):
            return cls(cell, group, np.zeros(len(wanted), bool), np.zeros(len(wanted), np.int64))
        place = np.minimum(np.searchsorted(cell, wanted), len(cell) - 1)
        return cls(cell, group, cell[place] == wanted, place)

    def total(self, values: Floats | None = None) -> Floats:
        return np.asarray(np.bincount(self.group, values, minlength=len(self.cell)), np.float64)

    def extreme(self, ufunc: np.ufunc, start: int, values: Ints) -> Ints:
        out = np.full(len(self.cell), start, np.int64)
        ufunc.at(out, self.group, values)
        return out

    def at(self, values: npt.NDArray[np.generic], missing: float) -> Floats:
        out = np.full(len(self.found), missing)
        out[self.found] = values[self.place[self.found]]
        return out


def again(a: Asked) -> Columns:
    """How often, how lately and how regularly the person bought the candidate, and when it is usually due again."""
    if not a.repeats:
        return dict.fromkeys(AGAIN, a.unknown())
    h, n_items, row, item = a.h, a.pool.n_items, a.pool.row, a.pool.item
    own = _Own.of(h.row * n_items + h.item, a.pool.cell)
    steps = np.bincount(np.unique(own.group * (h.age.max(initial=0) + 1) + h.age) // (h.age.max(initial=0) + 1),
                        minlength=len(own.cell))  # fmt: skip
    newest = own.extreme(np.maximum, np.iinfo(np.int64).min, h.time)
    oldest = own.extreme(np.minimum, np.iinfo(np.int64).max, h.time)
    bought_steps = own.at(steps, 0)
    usual = a.known.facts.again_days[item]
    days, gap = a.unknown(), a.unknown()
    if h.has_clock:
        days = (h.now[row] - own.at(newest, np.nan)) / DAY_US
        gap = own.at(
            np.where(steps > 1, (newest - oldest) / DAY_US / np.maximum(steps - 1, 1), np.nan), np.nan
        )
    return {
        "bought": own.at(own.total(h.weight), 0),
        "bought_steps": bought_steps,
        "bought_age": own.at(own.extreme(np.minimum, np.iinfo(np.int64).max, h.age), np.nan),
        "bought_decayed": own.at(own.total(h.weight * 0.8 ** np.minimum(h.age, 60)), 0),
        "bought_share": bought_steps / np.maximum(a.steps, 1)[row],
        "bought_days": days,
        "bought_gap": gap,
        "bought_due": days / np.maximum(gap, 1),
        "item_again": a.known.facts.again[item],
        "item_again_days": usual,
        "item_due": days / np.maximum(usual, 1),
    }


def seen(a: Asked) -> Columns:
    """How often and how lately the person looked at the candidate or put it in a cart."""
    own = _Own.of(a.h.other_row * a.pool.n_items + a.h.other_item, a.pool.cell)
    back = own.extreme(np.minimum, np.iinfo(np.int64).max, a.h.other_back)
    return {"seen": own.at(own.total(), 0), "seen_back": own.at(back, np.nan)}
