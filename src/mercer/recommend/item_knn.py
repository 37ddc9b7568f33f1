"""Items that others bought after the items of this person's history.

Neighbours come from directed, decayed co-occurrence within a person's sequence: item-based collaborative
filtering (Linden, Smith and York, IEEE Internet Computing 2003) with order and recency, as session-based
neighbour methods weigh them (Ludewig and Jannach, User Modeling and User-Adapted Interaction 2018).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from mercer.contracts import Dataset, Estimate, Floats32, Interactions, Requests, searched
from mercer.recommend.cooccurrence import count_pairs, strongest
from mercer.recommend.history import faded
from mercer.recommend.neighbours import packed, unpacked
from mercer.recommend.scoring import Arrays, ScoringRanker
from mercer.recommend.signals import SignalOptions, signals
from mercer.recommend.tail import over_tail, popularity

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class ItemKnn(ScoringRanker):
    """score(j) = sum over history items i of decay ** age(i) * pairs[i, j] / (n_i ** a * (n_j + s) ** b).

    pairs[i, j] = forward[i, j] + backward * forward[j, i] + together * together[i, j], of which each row
    keeps its strongest `neighbours`. The diagonal (the same item again) stays only where repeats are the
    target. Items without any neighbour in the history follow by popularity, wholly below the others.
    """

    name = "item-knn"

    class Options(SignalOptions):
        """Options; a step is a basket or an instant, or a position where the log has no clock.

        window: steps between two events that still count as a pair. reach: events between them, at most.
        gap_exponent: a pair `gap` steps apart weighs gap ** -gap_exponent.
        backward: weight of the later item's row for the earlier item. together: weight within one step.
        row_exponent, column_exponent, shrinkage: a, b and s of the normalisation.
        neighbours: entries kept in a row. decay: what an event keeps of its weight per step of age.
        """

        window: int = searched(20, low=2, high=60, log=True, ge=1, description="steps apart, at most")
        reach: int = searched(20, low=5, high=100, log=True, ge=1, description="events apart, at most")
        gap_exponent: float = searched(
            0.75, low=0.0, high=2.0, ge=0, le=4, description="decay of a pair with its gap"
        )
        backward: float = searched(
            0.3, low=0.0, high=1.0, ge=0, le=1, description="weight of pairs against the order"
        )
        together: float = searched(
            0.2, low=0.0, high=1.0, ge=0, le=10, description="weight of pairs within one step"
        )
        row_exponent: float = searched(
            0.4, low=0.0, high=1.0, ge=0, le=1, description="normalisation by the history's item"
        )
        column_exponent: float = searched(
            0.5, low=0.0, high=1.0, ge=0, le=1, description="normalisation by the answered item"
        )
        shrinkage: float = searched(
            20.0,
            low=0.5,
            high=200.0,
            log=True,
            ge=0,
            le=1e6,
            description="added to the answered item's count",
        )
        neighbours: int = Field(1000, ge=1, description="neighbours kept for each item")
        decay: float = searched(
            0.75, low=0.3, high=1.0, gt=0, le=1, description="weight kept per step of age"
        )

    options: Options
    _neighbours: csr_array

    def learn(self, train: Dataset, log: Interactions, seed: int) -> Arrays:  # noqa: ARG002
        """Popularity and the rows of neighbours in CSR form."""
        heard, weights = signals(log, self.options)
        matrix = self._similarity(heard, weights, keep_self=train.repeats)
        return {"share": popularity(heard, weights), **packed(matrix)}

    def _similarity(self, log: Interactions, weights: np.ndarray, *, keep_self: bool) -> csr_array:
        from scipy.sparse import diags_array

        o = self.options
        counts = count_pairs(log, weights, window=o.window, exponent=o.gap_exponent, reach=o.reach)
        same = diags_array(counts.forward.diagonal())
        forward = counts.forward - same
        pairs = forward + o.backward * forward.T + o.together * counts.together
        if keep_self:
            pairs = pairs + same
        held = np.bincount(log.item, weights, minlength=len(log.items))
        rows = np.maximum(held, 1e-12) ** -o.row_exponent
        columns = np.maximum(held + o.shrinkage, 1e-12) ** -o.column_exponent
        scaled = (diags_array(rows) @ pairs @ diags_array(columns)).tocsr()
        scaled.eliminate_zeros()
        return strongest(scaled, o.neighbours)

    def restored(self) -> None:
        """Put the neighbours' matrix together."""
        self._neighbours = unpacked(self.state)

    def score_rows(self, requests: Requests) -> Floats32:
        """Decayed sums of the neighbours' rows, the rest of the catalogue below by popularity."""
        history = faded(requests, self.options, decay=self.options.decay)
        return over_tail(history @ self._neighbours, self.state["share"])

    def estimate(self, train: Dataset) -> Estimate:
        """What `fit` is expected to take: a pass over the pairs within window and reach."""
        log = train.interactions
        if log is None or not log.n_events:
            return super().estimate(train)
        mean_length = float((log.lengths.astype(np.float64) ** 2).sum() / log.n_events)
        pairs = log.n_events * min(self.options.reach, mean_length / 2)
        return Estimate(seconds=0.05 + 1.5e-7 * pairs, peak_mib=50 + 40 * min(pairs, 8e6) / 2**20)

    def parameters(self) -> list[tuple[str, str]]:
        """In plain words."""
        return [
            (
                "What other customers bought after the items you bought",
                "Items that often follow yours come first; what was bought close together counts more.",
            ),
            ("How lately you bought an item", "Your latest purchases count most."),
            ("How common an item is", "Very common items are marked down, so that what fits you stands out."),
            (
                "How often customers bought it",
                "It orders the items that have nothing to do with your purchases.",
            ),
        ]
