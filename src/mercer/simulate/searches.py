"""Searches that customers made: the text, what was found, in which order it was shown, what was clicked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.simulate.activity import Visits
from mercer.simulate.catalogue import Catalogue
from mercer.simulate.exposures import looked_at
from mercer.simulate.people import People
from mercer.simulate.queries import write_queries
from mercer.simulate.season import Calendar, Floats, Ints
from mercer.simulate.tastes import Block

POLICY = "search-1"
SHOWN = 8
SHUFFLED = 0.2
"""Share of result pages whose found items are shuffled, so that the order's effect can be measured."""

_SEARCHED, _MISSPELT, _UNSERVED = 0.14, 0.13, 0.06


@dataclass(frozen=True)
class Searches:
    """S searches. visit: row of `Visits`. found: list of item rows, all of them eligible.

    shown, propensity, clicked: (S, SHOWN); shown is -1 past the end.
    """

    visit: Ints
    text: tuple[str, ...]
    found: tuple[Ints, ...]
    shown: Ints
    propensity: Floats
    clicked: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Wanted:
    """Which visits search, and the item each has in mind."""

    visit: Ints
    item: Ints

    @classmethod
    def join(cls, parts: list[Wanted]) -> Wanted:
        """Blocks one after the other."""
        return cls(np.concatenate([p.visit for p in parts]), np.concatenate([p.item for p in parts]))


def draw_wanted(
    block: Block,
    visits: Visits,
    channel: Ints,
    calendar: Calendar,
    rng: np.random.Generator,
) -> Wanted:
    """Some online visits of a block search for one thing, by taste."""
    low, high = np.searchsorted(visits.user, [block.begin, block.end])
    visit = np.arange(low, high)
    visit = visit[(rng.random(len(visit)) < _SEARCHED) & (channel[visit] != 2)]
    days = visits.clock[visit]
    month = calendar.month_of_year[calendar.month(days)]
    return Wanted(visit, block.sampler.draw(visits.user[visit] - block.begin, month, days, rng))


def draw_searches(
    wanted: Wanted, visits: Visits, people: People, catalogue: Catalogue, rng: np.random.Generator
) -> Searches:
    """What was typed for what was wanted, what was found, and what was clicked."""
    n = len(wanted.visit)
    queries = write_queries(catalogue, wanted.item, _MISSPELT, rng)
    unserved = rng.random(n) < _UNSERVED
    other = rng.choice(np.array(catalogue.assortment.unserved, dtype=object), n)
    # The shop's engine matches words: a slip of the finger finds nothing, like goods it does not have.
    in_vain = unserved | np.array([query.misspelt for query in queries], bool)
    found, shown, propensity = [], np.full((n, SHOWN), -1), np.zeros((n, SHOWN))
    for row in range(n):
        shelf = np.zeros(0, np.int64)
        if not in_vain[row]:
            shelf = _found(catalogue, visits, people, int(wanted.visit[row]), int(wanted.item[row]))
        found.append(shelf)
        if len(shelf):
            _show(shelf, shown[row], propensity[row], rng)
    match = _match(catalogue, wanted.item, shown)
    clicked = (shown >= 0) & (rng.random(shown.shape) < looked_at(np.arange(1, SHOWN + 1)) * 0.6 * match)
    texts = (o if un else q.text for q, o, un in zip(queries, other, unserved, strict=True))
    return Searches(wanted.visit, tuple(texts), tuple(found), shown, propensity, clicked)


def _found(catalogue: Catalogue, visits: Visits, people: People, visit: int, item: int) -> Ints:
    """Items of the wanted type, best match first, that may be shown to this person now."""
    shelf = np.flatnonzero(catalogue.kind_of == catalogue.kind_of[item])
    old_enough = people.told_age[visits.user[visit]] >= catalogue.min_age[shelf]
    shelf = shelf[old_enough & catalogue.on_sale(shelf, float(visits.clock[visit]))]
    score = (catalogue.variety[shelf] == catalogue.variety[item]) + 0.2 * catalogue.wanted[shelf]
    found: Ints = shelf[np.argsort(-score, kind="stable")]
    return found


def _show(shelf: Ints, shown: Ints, propensity: Floats, rng: np.random.Generator) -> None:
    """Show the best match first, or a shuffle; write the exact probability of each item at its position."""
    n = min(SHOWN, len(shelf))
    order = rng.permutation(len(shelf)) if rng.random() < SHUFFLED else np.arange(len(shelf))
    shown[:n] = shelf[order[:n]]
    propensity[:n] = (1 - SHUFFLED) * (order[:n] == np.arange(n)) + SHUFFLED / len(shelf)


def _match(catalogue: Catalogue, target: Ints, shown: Ints) -> Floats:
    """How well each shown item meets what was wanted, 0.3 to 1."""
    items = np.maximum(shown, 0)
    same = [
        (column[items] == column[target][:, None]).astype(np.float64)
        for column in (catalogue.variety, catalogue.brand, catalogue.size)
    ]
    return np.asarray(0.3 + 0.4 * same[0] + 0.15 * same[1] + 0.15 * same[2], np.float64)
