"""The truth of a simulated shop, asked by id: who will buy, what they want, which rows are planted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.contracts import Vocabulary
from mercer.errors import DataError, NotFoundError
from mercer.simulate.activity import Visits, alive, expected_orders, orders_at_all
from mercer.simulate.baskets import COMPANION, FROM_LAST_BASKET, Baskets, pick_chances
from mercer.simulate.catalogue import Catalogue
from mercer.simulate.events import mean_packs
from mercer.simulate.exposures import attraction_of, looked_at
from mercer.simulate.options import ShopOptions
from mercer.simulate.people import People
from mercer.simulate.season import DAY_US, Calendar, Floats, Ints
from mercer.simulate.tastes import taste_weights

Knowing = Literal["history", "state"]

_BLOCK = 500


@dataclass(frozen=True)
class Truth:
    """What is true of a shop that `write_shop` wrote. Users and items are external ids.

    Stability: caller stable.
    """

    options: ShopOptions
    calendar: Calendar
    catalogue: Catalogue
    people: People
    visits: Visits
    baskets: Baskets
    folder: Path

    @classmethod
    def load(cls, folder: Path) -> Truth:
        """The truth beside the raw files in `folder`.

        Raises NotFoundError when there is none, DamagedError when it is not whole.
        """
        from mercer.simulate.truth_files import read_world

        return cls(*read_world(folder / "truth"), folder=folder / "truth")

    @property
    def users(self) -> tuple[str, ...]:
        """All customers."""
        return self.people.ids

    @property
    def items(self) -> tuple[str, ...]:
        """All items; the order of `preference`."""
        return self.catalogue.ids

    def covers(self, origin_us: int) -> bool:
        """Whether the truth can be asked at this instant: within the log, or at its end."""
        return self.calendar.start_us <= origin_us <= self.calendar.end_us

    def repurchase(
        self, users: Sequence[str], origin_us: int, horizon_days: float, *, knowing: Knowing = "history"
    ) -> Floats:
        """P(at least one order within (origin, origin + horizon]), shape (len(users),).

        knowing "history": given the person's own rates and all visits before the origin, but not whether the person
        is still active: what a perfect model that knew everybody's habits could say, and what a model's
        probabilities should be compared with. "state": also given whether the person is still active.
        NaN for who joins at or after the origin. Exact; see `activity`.
        Raises NotFoundError for an unknown user, DataError for an origin outside the log.
        """
        rows, days = self._rows(users), self._days(origin_us)
        active = self._active(rows, days, knowing)
        return np.asarray(
            active * orders_at_all(self.people.rates.take(rows), self.calendar, days, horizon_days)
        )

    def expected_spend(self, users: Sequence[str], origin_us: int, horizon_days: float) -> Floats:
        """Expected spend within (origin, origin + horizon], minor units, shape (len(users),), given the history.

        Gross of returns, without what lists shown add to orders; every order is valued as one at the origin.
        """
        rows, days = self._rows(users), self._days(origin_us)
        price = self.catalogue.price_minor * mean_packs(self.catalogue)
        # A sum of elements, not a matrix product: its bits do not depend on the number of threads.
        value = np.concatenate([(self._next_line(part, days) * price).sum(axis=1) for part in _parts(rows)])
        orders = expected_orders(self.people.rates.take(rows), self.calendar, days, horizon_days)
        return np.asarray(
            self._active(rows, days, "history") * orders * value * (1.0 + self.people.lines[rows])
        )

    def preference(self, user: str) -> Floats:
        """How much of an average line of this person each item is by taste alone, shape (I,), sums to 1."""
        weights = taste_weights(self.people, self.catalogue, self._rows([user]))[0].astype(np.float64)
        return np.asarray(weights / weights.sum())

    def line_probabilities(self, users: Sequence[str], origin_us: int) -> Floats:
        """Share of each item in the lines of the person's next order, were it made at the origin; shape (n, I).

        Rows sum to 1. It is the expected lines of an item in that order over the expected lines of the order:
        taste, season, habit, what goes with the last order and what goes together within the next, all exact.
        """
        rows, days = self._rows(users), self._days(origin_us)
        return np.concatenate([self._next_line(part, days) for part in _parts(rows)])

    def value_of(
        self,
        users: Sequence[str],
        item_lists: Sequence[Sequence[str]],
        origin_us: int,
        *,
        repeats: bool = True,
    ) -> Floats:
        """Expected share of the next order's lines that the list holds, shape (n,): the true worth of a ranking.

        repeats False: items the person bought before the origin are worth nothing. An item unknown to the shop is
        worth nothing. Raises NotFoundError for an unknown user, DataError for an origin outside the log.
        """
        rows, days = self._rows(users), self._days(origin_us)
        known = Vocabulary(self.catalogue.ids)
        values = np.zeros(len(rows))
        for number, part in enumerate(_parts(rows)):
            chance = self._next_line(part, days)
            if not repeats:
                for place, row in enumerate(part):
                    chance[place, self._lines_before(int(row), days)] = 0.0
            for place in range(len(part)):
                codes = known.encode(list(dict.fromkeys(item_lists[number * _BLOCK + place])))
                values[number * _BLOCK + place] = chance[place, codes[codes >= 0]].sum()
        return values

    def click_probability(self, user: str, items: Sequence[str], positions: Sequence[int]) -> Floats:
        """P(click | shown at that position of a recommendation), shape (len(items),)."""
        weights = taste_weights(self.people, self.catalogue, self._rows([user]))
        codes = Vocabulary(self.catalogue.ids).encode(items)
        liked = np.log(np.maximum(weights[:, codes], 1e-12))
        return np.asarray(attraction_of(liked, weights)[0] * looked_at(np.asarray(positions, np.int64)))

    def planted(self) -> pd.DataFrame:
        """Columns table, row (from 0, in the raw file), rule: every planted row and the rule that must catch it."""
        return pd.read_parquet(self.folder / "planted.parquet")

    def mended(self) -> pd.DataFrame:
        """The same columns: rows with one bad value, which the rule must mend and keep (redact, make unknown)."""
        return pd.read_parquet(self.folder / "mended.parquet")

    def personal(self) -> pd.DataFrame:
        """Columns request, kind (email, phone): queries into which personal data were typed."""
        return pd.read_parquet(self.folder / "personal.parquet")

    @cached_property
    def _codes(self) -> Vocabulary:
        return Vocabulary(self.people.ids)

    @cached_property
    def _companions(self) -> Any:
        from scipy.sparse import csr_array

        catalogue = self.catalogue
        n, width = catalogue.partners.shape
        indptr = np.arange(0, n * width + 1, width)
        return csr_array(
            (catalogue.partner_weights.ravel(), catalogue.partners.ravel(), indptr), shape=(n, n)
        )

    def _rows(self, users: Sequence[str]) -> Ints:
        rows = self._codes.encode(users).astype(np.int64)
        if (rows < 0).any():
            raise NotFoundError(
                f"{int((rows < 0).sum())} of {len(rows)} users are not customers of this shop.",
                remedy="Ask for ids in `Truth.users`.",
            )
        return rows

    def _days(self, origin_us: int) -> float:
        if not self.covers(origin_us):
            raise DataError("The origin lies outside the log.", remedy="Ask within the months simulated.")
        return (origin_us - self.calendar.start_us) / DAY_US

    def _active(self, rows: Ints, days: float, knowing: Knowing) -> Floats:
        rates = self.people.rates.take(rows)
        if knowing == "state":
            return np.where(rates.joined >= days, np.nan, (rates.dropped > days).astype(np.float64))
        before = self.visits.clock < days
        last = np.full(len(self.people), -np.inf)
        np.maximum.at(last, self.visits.user[before], self.visits.clock[before])
        since = np.minimum(np.maximum(last[rows], rates.joined), days)
        return np.where(rates.joined >= days, np.nan, alive(rates, self.calendar, since, days))

    def _orders_before(self, row: int, days: float) -> int:
        """Number of the first order of a person at or after a time."""
        low, high = self.baskets.first[row : row + 2]
        return int(low + np.searchsorted(self.visits.clock[self.baskets.visit[low:high]], days))

    def _lines_before(self, row: int, days: float) -> Ints:
        end = self._orders_before(row, days)
        return self.baskets.item[self.baskets.start[self.baskets.first[row]] : self.baskets.start[end]]

    def _next_line(self, rows: Ints, days: float) -> Floats:
        """The mixture that `baskets` draws from, shape (len(rows), I)."""
        people, catalogue, start = self.people, self.catalogue, self.baskets.start
        everything = np.arange(len(catalogue))
        month = int(self.calendar.month_of_year[self.calendar.month(np.array([days]))[0]])
        may_buy = (people.age[rows, None] >= catalogue.min_age) & catalogue.on_sale(everything, days)
        taste = taste_weights(people, catalogue, rows) * catalogue.demand()[month, catalogue.season] * may_buy
        taste /= taste.sum(axis=1, keepdims=True)
        base, last = taste.copy(), np.zeros(taste.shape)
        for place, row in enumerate(rows.tolist()):
            earlier = self._lines_before(row, days)
            if not len(earlier):
                continue
            picked = pick_chances(len(earlier)) * people.habit[row]
            picked *= (catalogue.refill_days[earlier] > 0) * may_buy[place, earlier]
            base[place] *= 1.0 - picked.sum()
            np.add.at(base[place], earlier, picked)
            end = self._orders_before(row, days)
            basket = self.baskets.item[start[end - 1] : start[end]]
            np.add.at(last[place], basket, 1.0 / len(basket))
        from_last = FROM_LAST_BASKET * (last.sum(axis=1, keepdims=True) > 0)
        anchor = (1.0 - from_last) * base + from_last * last
        wished = np.asarray(anchor @ self._companions) * may_buy
        wished += (1.0 - wished.sum(axis=1, keepdims=True)) * taste
        share = (COMPANION * people.lines[rows] / (1.0 + people.lines[rows]))[:, None]
        return np.asarray((1.0 - share) * base + share * wished)


def _parts(rows: Ints) -> Iterator[npt.NDArray[np.int64]]:
    """Pieces small enough to hold a row an item each."""
    for begin in range(0, max(len(rows), 1), _BLOCK):
        yield rows[begin : begin + _BLOCK]
