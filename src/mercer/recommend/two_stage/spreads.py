"""Scores that spread from a history over the catalogue: the wide, cheap half of the ranker.

What candidates are chosen by is made for the whole catalogue; the rest is read at the candidates alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.recommend.two_stage.histories import Histories
from mercer.recommend.two_stage.knowledge import Knowledge
from mercer.recommend.two_stage.sparse import Rows, Spots, Walk, best_cells

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SLOW, FAST = 0.95, 0.4
"""Decays beside the option's own: an almost even memory, and one of the last steps."""
_FAINTEST = 0.02
"""Weight, by the slow decay, below which an old event is not read."""
_CHAIN = 60
"""Best items of a row whose own rows make the second order."""
_NEAR = 10
_NEAR_POWER = 4
"""Nearest titles through which scores pass, and the power of the cosine that weighs them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spreads:
    """Dense float64 scores of shape (n, I), 0 where nothing is known, and what else is read of them at candidates.

    decayed: neighbours of the history, by the option's decay. chained: neighbours of its best neighbours. brand,
    leaf: what brands and category paths follow, (n, B).
    row, item, age, weight, own: of the events that are heard, shape (N,); own: the weight by the option's decay.
    walk: the entries that `decayed` adds up. best_row, best_item, strength: the best neighbours, and how strong.
    """

    decayed: Floats
    chained: Floats
    brand: Floats
    leaf: Floats
    row: Ints
    item: Ints
    age: Ints
    weight: Floats
    own: Floats
    walk: Walk
    best_row: Ints
    best_item: Ints
    strength: Floats

    @classmethod
    def of(cls, h: Histories, known: Knowledge, decay: float) -> Spreads:
        """Spread the histories over the rows of neighbours."""
        facts, n = known.facts, h.n
        loud = h.weight * SLOW**h.age > _FAINTEST
        row, item, age, weight = h.row[loud], h.item[loud], h.age[loud], h.weight[loud]
        own = weight * decay**age
        walk = Walk.of(facts.pairs, row, item, n)
        decayed = walk.dense(own)
        best = best_cells(decayed, _CHAIN)
        best_row, best_item = np.divmod(best, known.n_items)
        # Relative to the best of the row, so that a long history does not make longer chains.
        strength = decayed.ravel()[best] / np.maximum(decayed.max(axis=1, initial=0)[best_row], 1e-300)
        return cls(
            decayed=decayed,
            chained=Walk.of(facts.pairs, best_row, best_item, n).dense(strength),
            brand=_between(facts.brand_pairs, known.catalogue.brand, row, item, own, n),
            leaf=_between(facts.leaf_pairs, known.catalogue.leaf, row, item, own, n),
            row=row,
            item=item,
            age=age,
            weight=weight,
            own=own,
            walk=walk,
            best_row=best_row,
            best_item=best_item,
            strength=strength,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """Scores that spread as those of `Spreads` do, at the m candidates alone: most of a catalogue is not asked for.

    slow, fast, last: neighbours of the history by other weightings. ahead, ahead_last: those in order of purchase
    alone. support: how many events of the history have the item as a neighbour.
    through_titles: what follows items of near titles; to_titles: items of titles near to what follows.
    """

    slow: Floats
    fast: Floats
    last: Floats
    ahead: Floats
    ahead_last: Floats
    support: Floats
    through_titles: Floats
    to_titles: Floats

    @classmethod
    def of(cls, s: Spreads, known: Knowledge, cells: Ints) -> Local:
        """cells: of the candidates, row * I + item, distinct, shape (m,)."""
        facts, n = known.facts, len(s.decayed)
        spots = Spots.of(cells, s.decayed.size)
        newest = s.weight * (s.age == 0)
        beside = s.walk.hits(spots)
        ahead = Walk.of(facts.forward, s.row, s.item, n).hits(spots)
        audible = s.own > 0.1
        row, item, weight = _near_titles(known, s.row[audible], s.item[audible], s.own[audible])
        to_row, to_item, to_weight = _near_titles(known, s.best_row, s.best_item, s.strength)
        return cls(
            slow=beside.totals(s.weight * SLOW**s.age),
            fast=beside.totals(s.weight * FAST**s.age),
            last=beside.totals(newest),
            ahead=ahead.totals(s.own),
            ahead_last=ahead.totals(newest),
            support=beside.events(),
            through_titles=Walk.of(facts.pairs, row, item, n).hits(spots).totals(weight),
            to_titles=spots.totals(to_row * known.n_items + to_item, to_weight),
        )


def _near_titles(known: Knowledge, row: Ints, item: Ints, weight: Floats) -> tuple[Ints, Ints, Floats]:
    """Rows, items and weights of the nearest titles of the items given."""
    near = known.titles.near[item, :_NEAR].astype(np.int64)
    weights = weight[:, None] * known.titles.near_cos[item, :_NEAR].astype(np.float64) ** _NEAR_POWER
    there = near >= 0
    return np.repeat(row, near.shape[1])[there.ravel()], near[there], weights[there]


def _between(
    pairs: Rows, group: npt.NDArray[np.int32], row: Ints, item: Ints, weight: Floats, n: int
) -> Floats:
    if not pairs.width:
        return np.zeros((n, 0))
    code = group[item].astype(np.int64)
    inside = code >= 0
    return Walk.of(pairs, row[inside], code[inside], n).dense(weight[inside])
