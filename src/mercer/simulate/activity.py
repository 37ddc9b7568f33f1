"""Who visits, who buys and who stays: the process behind repurchase, and its exact probabilities.

A customer is active from `joined`. While active, visits are a Poisson process of rate visit_rate * busy(t),
and each visit ends in an order with probability `conversion`, so orders are one of rate order_rate * busy(t).
Activity ends for good after an exponential time of rate `drop_rate`; nobody sees it end. Who joined during the
log did so by ordering. It is the Pareto/NBD model of Schmittlein, Morrison and Colombo (Management Science
1987) with known individual rates, seasons and visits, so that every probability below is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mercer.simulate.season import Calendar, Floats, Ints


@dataclass(frozen=True)
class Rates:
    """One row a customer; rates are per day, times are days since the start of the log.

    dropped: when activity ended, infinite when it never did within the drawn time. founder: joined before it.
    """

    joined: Floats
    dropped: Floats
    visit_rate: Floats
    conversion: Floats
    drop_rate: Floats
    founder: np.ndarray[tuple[int], np.dtype[np.bool_]]

    def __len__(self) -> int:
        return len(self.joined)

    @property
    def order_rate(self) -> Floats:
        """Orders per busy-adjusted day."""
        return self.visit_rate * self.conversion

    def take(self, rows: Ints) -> Rates:
        """The customers named."""
        return Rates(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Visits:
    """Every visit within the log, ordered by user and time.

    user: int64 row of the customer. clock: days since the start, as the process drew it. order: it ends in one.
    """

    user: Ints
    clock: Floats
    order: np.ndarray[tuple[int], np.dtype[np.bool_]]


def draw_rates(n: int, calendar: Calendar, rng: np.random.Generator) -> Rates:
    """Customers of a shop that had some before the log begins and finds more all the time."""
    founder = rng.random(n) < 0.5
    # New customers come in proportion to how busy the shop is.
    joined = calendar.clock(rng.random(n) * calendar.business(np.array([calendar.length_days])))
    joined = np.where(founder, 0.0, joined)
    visit_rate = 0.008 + rng.gamma(0.85, 0.031, n)
    conversion = rng.beta(6.0, 7.0, n)
    drop_rate = 1 / rng.lognormal(np.log(420), 0.7, n)
    dropped = joined + rng.exponential(1.0, n) / drop_rate
    return Rates(joined, dropped, visit_rate, conversion, drop_rate, founder)


def draw_visits(rates: Rates, calendar: Calendar, rng: np.random.Generator) -> Visits:
    """Visits of all customers until they drop out or the log ends."""
    begin = calendar.business(rates.joined)
    until = calendar.business(np.minimum(rates.dropped, calendar.length_days))
    counts = rng.poisson(rates.visit_rate * np.maximum(until - begin, 0.0))
    user = np.repeat(np.arange(len(rates)), counts)
    clock = calendar.clock(begin[user] + rng.random(len(user)) * (until - begin)[user])
    order = rng.random(len(user)) < rates.conversion[user]
    new = np.flatnonzero(~rates.founder)
    user, clock = np.concatenate([user, new]), np.concatenate([clock, rates.joined[new]])
    order = np.concatenate([order, np.ones(len(new), bool)])
    ranked = np.lexsort((clock, user))
    return Visits(user[ranked], clock[ranked], order[ranked])


def alive(rates: Rates, calendar: Calendar, last_visit: Floats, origin: float) -> Floats:
    """P(still active at `origin` | rates, and no visit since `last_visit`), shape (n,).

    last_visit: days since the start, `joined` where there was none; at most `origin`. NaN for who joins later.
    """
    stayed, left = _silence(rates.visit_rate, rates.drop_rate, calendar, last_visit, origin)
    return np.where(rates.joined > origin, np.nan, stayed / (stayed + left))


def orders_at_all(rates: Rates, calendar: Calendar, origin: float, horizon: float) -> Floats:
    """P(at least one order within (origin, origin + horizon] | active at origin), shape (n,)."""
    begin = np.full(len(rates), origin)
    stayed, left = _silence(rates.order_rate, rates.drop_rate, calendar, begin, origin + horizon)
    return 1.0 - (stayed + left)


def expected_orders(rates: Rates, calendar: Calendar, origin: float, horizon: float) -> Floats:
    """Expected number of orders within (origin, origin + horizon] given active at origin, shape (n,)."""
    orders, survived = np.zeros(len(rates)), np.ones(len(rates))
    for length, busy in _segments(calendar, np.full(len(rates), origin), origin + horizon):
        ended = -np.expm1(-rates.drop_rate * length)
        orders += survived * rates.order_rate * busy * ended / rates.drop_rate
        survived *= 1.0 - ended
    return orders


def _silence(
    rate: Floats, drop_rate: Floats, calendar: Calendar, begin: Floats, end: float
) -> tuple[Floats, Floats]:
    """Likelihood that nothing happens in (begin, end]: by an active customer, and by one who leaves in it."""
    stayed, left = np.ones(len(begin)), np.zeros(len(begin))
    for length, busy in _segments(calendar, begin, end):
        either = rate * busy + drop_rate
        quiet = np.exp(-either * length)
        left += stayed * drop_rate / either * (1.0 - quiet)
        stayed *= quiet
    return stayed, left


def _segments(calendar: Calendar, begin: Floats, end: float) -> list[tuple[Floats, float]]:
    """(days of (begin, end] within the month, how busy it is) of every month, in order."""
    edges = calendar.edges_days
    return [
        (np.clip(np.minimum(edges[m + 1], end) - np.maximum(edges[m], begin), 0.0, None), float(busy))
        for m, busy in enumerate(calendar.busy)
        if edges[m] < end
    ]
