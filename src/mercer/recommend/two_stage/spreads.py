"""Scores that spread from a history over the whole catalogue: the wide, cheap half of the ranker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.recommend.two_stage.histories import Histories
from mercer.recommend.two_stage.knowledge import Knowledge
from mercer.recommend.two_stage.sparse import Rows, best_cells, spread

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
    """Dense float64 scores of shape (n, I), 0 where nothing is known.

    decayed, slow, fast, last: neighbours of the history by four weightings. ahead, ahead_last: those in order of
    purchase alone.
    support: how many events of the history have the item as a neighbour.
    chained: neighbours of its best neighbours. through_titles: what follows items of near titles;
    to_titles: items of titles near to what follows. brand, leaf: what brands and category paths follow, (n, B).
    """

    decayed: Floats
    slow: Floats
    fast: Floats
    last: Floats
    ahead: Floats
    ahead_last: Floats
    support: Floats
    chained: Floats
    through_titles: Floats
    to_titles: Floats
    brand: Floats
    leaf: Floats

    @classmethod
    def of(cls, h: Histories, known: Knowledge, decay: float) -> Spreads:
        """Spread the histories over the rows of neighbours."""
        facts, n, n_items = known.facts, h.n, known.n_items
        slow = h.weight * SLOW**h.age
        loud = slow > _FAINTEST
        row, item, age, weight, slow = h.row[loud], h.item[loud], h.age[loud], h.weight[loud], slow[loud]
        own = weight * decay**age
        weightings = [own, slow, weight * FAST**age, weight * (age == 0)]
        decayed, even, fast, last = spread(facts.pairs, row, item, weightings, n)
        ahead, ahead_last = spread(facts.forward, row, item, [own, weightings[-1]], n)
        best = best_cells(decayed, _CHAIN)
        best_row, best_item = np.divmod(best, n_items)
        # Relative to the best of the row, so that a long history does not make longer chains.
        strength = decayed.ravel()[best] / np.maximum(decayed.max(axis=1, initial=0)[best_row], 1e-300)
        [chained] = spread(facts.pairs, best_row, best_item, [strength], n)
        audible = own > 0.1
        through = _near_titles(known, row[audible], item[audible], own[audible])
        [through_titles] = spread(facts.pairs, through[0], through[1], [through[2]], n)
        to_row, to_item, to_weight = _near_titles(known, best_row, best_item, strength)
        to_titles = np.bincount(to_row * n_items + to_item, to_weight, minlength=n * n_items).astype(
            np.float64
        )
        return cls(
            decayed=decayed,
            slow=even,
            fast=fast,
            last=last,
            ahead=ahead,
            ahead_last=ahead_last,
            support=spread(facts.pairs.ones(), row, item, [np.ones(len(row))], n)[0],
            chained=chained,
            through_titles=through_titles,
            to_titles=to_titles.reshape(n, n_items),
            brand=_between(facts.brand_pairs, known.catalogue.brand, row, item, own, n),
            leaf=_between(facts.leaf_pairs, known.catalogue.leaf, row, item, own, n),
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
    return spread(pairs, row[inside], code[inside], [weight[inside]], n)[0]
