"""Which rows are in which batch: a function of (seed, epoch), so that a position is two whole numbers.

Rows of similar cost come together, since a batch is padded to its costliest row. To keep chance in it, only rows
of one pool (some dozens of batches, drawn at random) are sorted, and the batches are shuffled afterwards.
"""

from __future__ import annotations

import numpy as np

from mercer.errors import DataError
from mercer.training.trainee import Rows

POOL = 64
"""Batches whose rows are sorted together: more pad less, fewer mix better."""


class Sampler:
    """The batches of every epoch.

    costs: cost of each row, 1 or more. batch_tokens: rows of a batch times the cost of its costliest, at most; a
    row that costs more is a batch of its own. Raises DataError where there are no rows, or a cost is below 1.
    """

    def __init__(self, costs: Rows, batch_tokens: int, *, seed: int) -> None:
        if not len(costs):
            raise DataError("There are no rows to train on.", remedy="Give it more data, or a simpler model.")
        if costs.min() < 1:
            row = int(np.argmin(costs))
            raise DataError(
                f"Training row {row} has the cost {costs[row]}.",
                remedy="A row costs 1 or more; leave it out.",
            )
        self.costs = costs
        self._batch_tokens = batch_tokens
        self._seed = seed
        self._epoch = -1
        self._batches: list[Rows] = []

    def batches(self, epoch: int) -> list[Rows]:
        """The batches of an epoch in their order; every row is in one of them. Rows of a batch: costliest first."""
        if epoch != self._epoch:
            self._batches = self._plan(epoch)
            self._epoch = epoch
        return self._batches

    def padded(self, batch: Rows) -> int:
        """What a batch costs, padding counted."""
        return len(batch) * self.longest(batch)

    def longest(self, batch: Rows) -> int:
        """The cost of its costliest row."""
        return int(self.costs[batch].max())

    def _plan(self, epoch: int) -> list[Rows]:
        chance = np.random.default_rng([self._seed, epoch])
        rows = chance.permutation(len(self.costs))
        size = max(1, round(POOL * self._batch_tokens / float(self.costs.mean())))
        batches = []
        for start in range(0, len(rows), size):
            pool = rows[start : start + size]
            pool = pool[np.argsort(-self.costs[pool], kind="stable")]
            at = 0
            while at < len(pool):
                n = max(1, self._batch_tokens // int(self.costs[pool[at]]))
                batches.append(pool[at : at + n])
                at += n
        return [batches[number] for number in chance.permutation(len(batches))]
