"""What is in each order: taste, habit and what goes together, line by line.

A basket has n lines. Its first line, and each other with probability 1 - COMPANION, is a line of its own: with
probability `habit` one of the person's earlier lines is picked (uniformly, the newest counting RECENT-fold by
the power below) and bought again if it is used up and on sale; all other lines of their own are drawn by taste.
A companion is a partner of another line: half the time of a line of its own in this basket, half the time of any
line of the basket before. A companion that can't be bought is replaced by a draw by taste.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.simulate.activity import Visits
from mercer.simulate.catalogue import Catalogue
from mercer.simulate.people import People
from mercer.simulate.season import Calendar, Floats, Ints
from mercer.simulate.tastes import Block

COMPANION = 0.34
FROM_LAST_BASKET = 0.5
RECENT = 0.6
"""An earlier line is picked at place start + (length * r**RECENT), r uniform: newer ones more often."""


@dataclass(frozen=True)
class Baskets:
    """Orders and their lines, ordered by user, then time.

    visit: row of `Visits` each order ends, shape (O,). start: first line of each order, shape (O + 1,).
    first: first order of each user, shape (U + 1,). item: shape (L,), an item may come twice in a basket.
    """

    visit: Ints
    start: Ints
    first: Ints
    item: Ints


def empty_baskets(people: People, visits: Visits, rng: np.random.Generator) -> Baskets:
    """Every order with its number of lines, the items still to be filled in."""
    visit = np.flatnonzero(visits.order)
    user = visits.user[visit]
    first = np.searchsorted(user, np.arange(len(people) + 1)).astype(np.int64)
    start = np.zeros(len(visit) + 1, np.int64)
    np.cumsum(1 + _more_lines(people.lines[user], rng), out=start[1:])
    return Baskets(visit, start, first, np.zeros(start[-1], np.int64))


def fill_baskets(
    baskets: Baskets, block: Block, people: People, catalogue: Catalogue, visits: Visits, calendar: Calendar,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Write the items of a block's orders: all first orders, then all second ones; each may look back."""
    filler = _Filler(baskets, people, catalogue, block, rng)
    days = visits.clock[baskets.visit]
    filler.fill(days, calendar.month_of_year[calendar.month(days)])


def _more_lines(mean: Floats, rng: np.random.Generator) -> Ints:
    """Lines beyond the first: a Poisson whose mean varies from basket to basket (negative binomial)."""
    shape = 1.6
    return rng.poisson(mean * rng.gamma(shape, 1 / shape, len(mean)))


def pick_chances(n: int) -> Floats:
    """Probability that habit picks each of n earlier lines, oldest first, shape (n,)."""
    return np.diff((np.arange(n + 1) / n) ** (1.0 / RECENT))


@dataclass(frozen=True)
class _Filler:
    baskets: Baskets
    people: People
    catalogue: Catalogue
    block: Block
    rng: np.random.Generator

    def fill(self, days: Floats, month: Ints) -> None:
        first, users = self.baskets.first, np.arange(self.block.begin, self.block.end)
        counts = first[users + 1] - first[users]
        for number in range(int(counts.max(initial=0))):
            active = users[counts > number]
            orders = first[active] + number
            self._fill_orders(active, orders, days[orders], month[orders])

    def _fill_orders(self, users: Ints, orders: Ints, days: Floats, month: Ints) -> None:
        start = self.baskets.start
        sizes = start[orders + 1] - start[orders]
        row = np.repeat(np.arange(len(orders)), sizes)
        line = start[orders][row] + np.arange(len(row)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        own_row, when, month = users[row] - self.block.begin, days[row], month[row]
        items = self.block.sampler.draw(own_row, month, when, self.rng)
        history = start[self.baskets.first[users]]
        items = self._again(items, users[row], history[row], start[orders][row], when)
        companion = (line > start[orders][row]) & (self.rng.random(len(row)) < COMPANION)
        own = np.flatnonzero(~companion)
        chosen = np.flatnonzero(companion)
        anchors = self._anchors(items, chosen, own, row, orders)
        wish = self._partner(anchors)
        ok = self._may_buy(wish, users[row[chosen]], when[chosen])
        items[chosen] = np.where(
            ok, wish, self.block.sampler.draw(own_row[chosen], month[chosen], when[chosen], self.rng)
        )
        self.baskets.item[line] = items

    def _again(self, items: Ints, user: Ints, begin: Ints, end: Ints, days: Floats) -> Ints:
        """Replace by an earlier line where habit says so and the goods are used up and on sale."""
        n = end - begin
        wants = (self.rng.random(len(items)) < self.people.habit[user]) & (n > 0)
        place = begin + np.floor(n * self.rng.random(len(items)) ** RECENT).astype(np.int64)
        earlier = self.baskets.item[np.where(wants, np.minimum(place, end - 1), 0)]
        again = wants & (self.catalogue.refill_days[earlier] > 0) & self._may_buy(earlier, user, days)
        return np.where(again, earlier, items)

    def _anchors(self, items: Ints, chosen: Ints, own: Ints, row: Ints, orders: Ints) -> Ints:
        """The item that each companion goes with."""
        n_own = np.bincount(row[own], minlength=len(orders))
        offset = np.cumsum(n_own) - n_own
        of = row[chosen]
        here = own[offset[of] + np.floor(n_own[of] * self.rng.random(len(chosen))).astype(np.int64)]
        start = self.baskets.start
        has_last = orders[of] > self.baskets.first[self._user_of(orders[of])]
        last = np.where(has_last, orders[of] - 1, orders[of])
        sizes = start[last + 1] - start[last]
        place = start[last] + np.floor(sizes * self.rng.random(len(chosen))).astype(np.int64)
        from_last = has_last & (self.rng.random(len(chosen)) < FROM_LAST_BASKET)
        return np.asarray(np.where(from_last, self.baskets.item[place], items[here]), np.int64)

    def _user_of(self, orders: Ints) -> Ints:
        return np.searchsorted(self.baskets.first, orders, side="right").astype(np.int64) - 1

    def _partner(self, anchors: Ints) -> Ints:
        grown = np.cumsum(self.catalogue.partner_weights, axis=1)[anchors]
        place = (grown <= self.rng.random(len(anchors))[:, None]).sum(axis=1)
        partners: Ints = self.catalogue.partners[anchors, np.minimum(place, grown.shape[1] - 1)]
        return partners

    def _may_buy(self, items: Ints, user: Ints, days: Floats) -> npt.NDArray[np.bool_]:
        old_enough = self.people.age[user] >= self.catalogue.min_age[items]
        return old_enough & self.catalogue.on_sale(items, days)
