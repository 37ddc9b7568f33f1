"""Recommendations that were shown, by policies whose probabilities are known, and what came of them.

For each request M candidates are eligible. An arm is drawn: the candidates in order of popularity, in order of
the shop's guess of the person's taste, or shuffled. The first K are shown. Hence, exactly,
P(item at position p) = w_popular [rank by popularity = p] + w_guess [rank by guess = p] + w_shuffled / M.

A person looks at position p with probability `looked_at(p)`, and clicks what was looked at with probability
`attraction`, which depends on taste alone. During a visit that ends in an order, a clicked item is added to the
order with probability BUY.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.simulate.activity import Visits
from mercer.simulate.baskets import Baskets
from mercer.simulate.catalogue import Catalogue
from mercer.simulate.people import People
from mercer.simulate.season import Calendar, Floats, Ints
from mercer.simulate.tastes import Block

PLACES_SHOWN = 6
CANDIDATES = 24
BUY = 0.22
ARMS = ("popular", "guess", "shuffled")
POLICIES: dict[str, tuple[float, float, float]] = {
    "shop-window-2": (0.35, 0.30, 0.35),
    "uniform": (0.0, 0.0, 1.0),
}
"""Policy -> probability of each arm."""

_POLICY_NAMES = tuple(POLICIES)
_UNIFORM_TRAFFIC = 0.2
_REQUESTED = 0.45


def looked_at(position: Ints) -> Floats:
    """Probability that a person looks at a position, from 1."""
    return np.asarray(1.0 / (1.0 + 0.45 * (position - 1.0)), np.float64)


@dataclass(frozen=True)
class Exposures:
    """R requests and what was shown.

    visit: row of `Visits`, shape (R,). policy: position in POLICIES. eligible: (R, CANDIDATES), -1 past the end.
    shown, propensity, attraction, clicked, bought: (R, PLACES_SHOWN). order: the order of the visit or -1, (R,).
    """

    visit: Ints
    policy: Ints
    order: Ints
    eligible: Ints
    shown: Ints
    propensity: Floats
    attraction: Floats
    clicked: npt.NDArray[np.bool_]
    bought: npt.NDArray[np.bool_]

    @classmethod
    def join(cls, parts: list[Exposures]) -> Exposures:
        """Blocks one after the other."""
        return cls(*(np.concatenate([getattr(p, name) for p in parts]) for name in cls.__dataclass_fields__))


def draw_exposures(
    block: Block, people: People, visits: Visits, channel: Ints, baskets: Baskets, catalogue: Catalogue,
    calendar: Calendar, rng: np.random.Generator,
) -> Exposures:  # fmt: skip
    """What a block's customers were shown on the front page."""
    low, high = np.searchsorted(visits.user, [block.begin, block.end])
    visit = np.arange(low, high)
    visit = visit[(rng.random(len(visit)) < _REQUESTED) & (channel[visit] != 2)]
    days = visits.clock[visit]
    month = calendar.month_of_year[calendar.month(days)]
    row = visits.user[visit] - block.begin
    eligible = _candidates(block, row, month, days, people, catalogue, rng)
    taste = np.log(np.maximum(block.weights[row[:, None], np.maximum(eligible, 0)], 1e-12))
    guess = taste + rng.normal(0.0, 1.0, taste.shape)
    policy = (rng.random(len(visit)) < _UNIFORM_TRAFFIC).astype(np.int64)
    arms = np.array(list(POLICIES.values()))[policy]
    absent = eligible < 0
    ranks = np.stack(
        [
            _ranks(np.where(absent, -np.inf, score))
            for score in (catalogue.wanted[eligible], guess, rng.random(eligible.shape))
        ]
    )
    arm = (np.cumsum(arms, axis=1) <= rng.random(len(visit))[:, None]).sum(axis=1)
    rank = ranks[np.minimum(arm, 2), np.arange(len(visit))]
    place = np.argsort(rank, axis=1)[:, :PLACES_SHOWN]
    shown = np.take_along_axis(eligible, place, axis=1)
    propensity = slot_propensity(ranks, arms, place, (~absent).sum(axis=1))
    attraction = attraction_of(np.take_along_axis(taste, place, axis=1), block.weights[row])
    look = looked_at(np.arange(1, PLACES_SHOWN + 1))
    clicked = rng.random(shown.shape) < look * attraction
    order = np.full(len(visits.user), -1)
    order[baskets.visit] = np.arange(len(baskets.visit))
    bought = clicked & (order[visit] >= 0)[:, None] & (rng.random(shown.shape) < BUY)
    return Exposures(visit, policy, order[visit], eligible, shown, propensity, attraction, clicked, bought)


def slot_propensity(ranks: Ints, arms: Floats, place: Ints, n_eligible: Ints) -> Floats:
    """Exact probability of the item at each slot, shape (R, K).

    ranks: (3, R, M) ranks from 0 by popularity, guess and shuffle (the last unused: it is uniform).
    arms: (R, 3). place: (R, K) columns of the candidates shown.
    """
    slot = np.arange(place.shape[1])
    fixed = [np.take_along_axis(ranks[arm], place, axis=1) == slot for arm in (0, 1)]
    chance = arms[:, :1] * fixed[0] + arms[:, 1:2] * fixed[1] + arms[:, 2:] / n_eligible[:, None]
    return np.asarray(chance, np.float64)


def attraction_of(log_taste: Floats, weights: npt.NDArray[np.float32]) -> Floats:
    """Probability of a click on something looked at, from how much it is liked against the mean item."""
    mean = np.log(np.maximum(weights.mean(axis=1), 1e-12))
    return np.asarray(0.45 / (1.0 + np.exp(-(log_taste - mean[:, None] - 2.2))), np.float64)


def _candidates(
    block: Block, row: Ints, month: Ints, days: Floats, people: People, catalogue: Catalogue,
    rng: np.random.Generator,
) -> Ints:  # fmt: skip
    """Half by taste, half among popular goods, each once, on sale and for the age told; -1 past the end."""
    n, half = len(row), CANDIDATES // 2
    repeated = np.repeat(np.arange(n), half)
    liked = block.sampler.draw(row[repeated], month[repeated], days[repeated], rng).reshape(n, half)
    popular = np.argsort(-catalogue.wanted, kind="stable")[: max(half, len(catalogue) // 6)]
    known = popular[rng.integers(0, len(popular), (n, half))]
    both = np.concatenate([liked, known], axis=1)
    both.sort(axis=1)
    again = np.zeros(both.shape, bool)
    again[:, 1:] = both[:, 1:] == both[:, :-1]
    too_young = people.told_age[block.begin + row][:, None] < catalogue.min_age[both]
    out = again | too_young | ~catalogue.on_sale(both, days[:, None])
    both[out] = -1
    kept = np.argsort(out, axis=1, kind="stable")
    return np.take_along_axis(both, kept, axis=1)


def _ranks(scores: Floats) -> Ints:
    """Rank from 0 of each column by falling score."""
    order = np.argsort(-scores, axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(scores.shape[1])[None, :], axis=1)
    return ranks


def policy_name(policy: int) -> str:
    """Name of a policy by its position."""
    return _POLICY_NAMES[policy]
