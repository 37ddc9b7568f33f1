"""What customers would pick by taste alone: exact probabilities, and draws from them.

weight[u, i] = exp(wanted_i + liking[u, category_i] + brand_liking[u, brand_i] + purse_u * dearness_i), zero for
goods that u is too young for; times the season's demand in the month; times whether the item is on sale then;
scaled to sum to one. Sums and products of elements only, no matrix product: the same bits on any machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.simulate.catalogue import Catalogue
from mercer.simulate.people import People
from mercer.simulate.season import Floats, Ints

_MOST_ROUNDS = 200
_BLOCK_CELLS = 12_000_000


def taste_weights(people: People, catalogue: Catalogue, rows: Ints) -> npt.NDArray[np.float32]:
    """Weights of the customers named, before season and availability, float32 (len(rows), I)."""
    dear = dearness(catalogue).astype(np.float32)
    logits = people.liking[rows][:, catalogue.category]
    logits += people.brand_liking[rows][:, catalogue.brand]
    logits += people.purse[rows, None] * dear
    logits += catalogue.wanted.astype(np.float32)
    np.exp(logits, out=logits)
    logits[people.age[rows, None] < catalogue.min_age] = 0.0
    return logits


def dearness(catalogue: Catalogue) -> Floats:
    """How dear each item is among its type, standardised to mean 0 and spread 1 within the type."""
    log_price = np.log(catalogue.price_minor)
    n_types = len(catalogue.assortment.types)
    count = np.maximum(np.bincount(catalogue.kind_of, minlength=n_types), 1)
    mean = np.bincount(catalogue.kind_of, log_price, n_types) / count
    apart = log_price - mean[catalogue.kind_of]
    spread = np.sqrt(np.bincount(catalogue.kind_of, apart**2, n_types) / count)
    return apart / np.maximum(spread[catalogue.kind_of], 1e-9)


@dataclass(frozen=True)
class Sampler:
    """Draws items for a block of customers.

    order: items grouped by season. bounds: where each season begins, shape (n_seasons + 1,).
    running: float64 (B, I + 1), cumulated weights in that order.
    """

    catalogue: Catalogue
    order: Ints
    bounds: Ints
    running: Floats
    demand: Floats

    @classmethod
    def of(cls, weights: npt.NDArray[np.float32], catalogue: Catalogue) -> Sampler:
        """A sampler over the weights of a block, shape (B, I)."""
        order = np.argsort(catalogue.season, kind="stable")
        bounds = np.searchsorted(catalogue.season[order], np.arange(len(catalogue.seasons) + 1))
        running = np.zeros((len(weights), len(catalogue) + 1))
        np.cumsum(weights[:, order], axis=1, dtype=np.float64, out=running[:, 1:])
        return cls(catalogue, order, bounds, running, catalogue.demand())

    def draw(self, rows: Ints, month: Ints, days: Floats, rng: np.random.Generator) -> Ints:
        """One item for each (row of the block, calendar month 0..11, days since the start), all on sale."""
        items = self._any(rows, month, rng)
        for _ in range(_MOST_ROUNDS):
            gone = np.flatnonzero(~self.catalogue.on_sale(items, days))
            if not len(gone):
                return items
            items[gone] = self._any(rows[gone], month[gone], rng)
        raise AssertionError("somebody likes nothing that is on sale")

    def _any(self, rows: Ints, month: Ints, rng: np.random.Generator) -> Ints:
        mass = np.diff(self.running[rows[:, None], self.bounds], axis=1) * self.demand[month]
        grown = np.cumsum(mass, axis=1)
        season = (grown <= (rng.random(len(rows)) * grown[:, -1])[:, None]).sum(axis=1)
        season = np.minimum(season, mass.shape[1] - 1)
        low, high = self.bounds[season], self.bounds[season + 1]
        base, top = self.running[rows, low], self.running[rows, high]
        sought = base + rng.random(len(rows)) * (top - base)
        return self.order[_search(self.running, rows, low, high, sought)]


def _search(running: Floats, rows: Ints, low: Ints, high: Ints, sought: Floats) -> Ints:
    """The place p in [low, high) with running[row, p] <= sought < running[row, p + 1], by bisection."""
    low, high = low.copy(), high.copy()
    for _ in range(int(running.shape[1]).bit_length()):
        middle = (low + high) >> 1
        right = running[rows, middle] <= sought
        low = np.where(right & (middle > low), middle, low)
        high = np.where(right, high, np.maximum(middle, low + 1))
    return low


@dataclass(frozen=True)
class Block:
    """Some customers with their weights, so that memory stays bounded in a large shop.

    begin, end: rows of `People`. weights: float32 (end - begin, I).
    """

    begin: int
    end: int
    weights: npt.NDArray[np.float32]
    sampler: Sampler


def blocks(people: People, catalogue: Catalogue) -> Iterator[Block]:
    """All customers, block by block; the cut depends on the size of the catalogue alone."""
    size = max(1, _BLOCK_CELLS // len(catalogue))
    for begin in range(0, len(people), size):
        end = min(begin + size, len(people))
        weights = taste_weights(people, catalogue, np.arange(begin, end))
        yield Block(begin, end, weights, Sampler.of(weights, catalogue))
