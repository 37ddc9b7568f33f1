"""Searches that customers made: the text, what was found, in which order it was shown, what was clicked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.simulate.activity import Visits
from mercer.simulate.catalogue import Catalogue
from mercer.simulate.exposures import looked_at
from mercer.simulate.queries import write_queries
from mercer.simulate.season import Floats, Ints

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


def draw_searches(
    visits: Visits, channel: Ints, age: Ints, catalogue: Catalogue, rng: np.random.Generator
) -> Searches:
    """Some online visits search for one thing, in proportion to how much it is wanted."""
    visit = np.flatnonzero((rng.random(len(visits.user)) < _SEARCHED) & (channel != 2))
    chance = np.exp(0.7 * catalogue.wanted)
    target = rng.choice(len(catalogue), len(visit), p=chance / chance.sum())
    queries = write_queries(catalogue, target, _MISSPELT, rng)
    unserved = rng.random(len(visit)) < _UNSERVED
    other = rng.choice(np.array(catalogue.assortment.unserved, dtype=object), len(visit))
    text = tuple(o if un else q.text for q, o, un in zip(queries, other, unserved, strict=True))
    found, shown, propensity = [], np.full((len(visit), SHOWN), -1), np.zeros((len(visit), SHOWN))
    shelves = [np.flatnonzero(catalogue.kind_of == k) for k in range(len(catalogue.assortment.types))]
    for row, (wanted, nothing) in enumerate(
        zip(target, unserved | np.array([q.misspelt for q in queries]), strict=True)
    ):
        shelf = (
            np.zeros(0, np.int64)
            if nothing
            else _found(catalogue, shelves, int(wanted), visits, age, int(visit[row]))
        )
        found.append(shelf)
        if len(shelf):
            _show(shelf, shown[row], propensity[row], rng)
    match = _match(catalogue, target, shown)
    clicked = (shown >= 0) & (rng.random(shown.shape) < looked_at(np.arange(1, SHOWN + 1)) * 0.6 * match)
    return Searches(visit, text, tuple(found), shown, propensity, clicked)


def _found(
    catalogue: Catalogue, shelves: list[Ints], wanted: int, visits: Visits, age: Ints, visit: int
) -> Ints:
    """Items of the wanted type, best match first, that may be shown to this person now."""
    shelf = shelves[catalogue.kind_of[wanted]]
    old_enough = age[visits.user[visit]] >= catalogue.min_age[shelf]
    shelf = shelf[old_enough & catalogue.on_sale(shelf, visits.clock[visit])]
    score = (catalogue.variety[shelf] == catalogue.variety[wanted]) + 0.2 * catalogue.wanted[shelf]
    return shelf[np.argsort(-score, kind="stable")]


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
    return 0.3 + 0.4 * same[0] + 0.15 * same[1] + 0.15 * same[2]
