"""Directed, decayed counts of what follows what, as sparse matrices.

For two events of one person, `gap` steps apart, the earlier item's row gains gap ** -exponent in the later
item's column. What was bought in one step has no order and is counted on its own. Cost and memory grow with
the number of pairs, never with the square of the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mercer.contracts import Interactions
from mercer.recommend.steps import steps

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_CHUNK = 4_000_000
"""Pairs collected before they are summed into a sparse matrix: about 100 MB."""


@dataclass(frozen=True, slots=True)
class PairCounts:
    """forward[i, j]: i before j; together[i, j]: i and j in one step. Both float64 CSR, shape (I, I)."""

    forward: csr_array
    together: csr_array


def count_pairs(
    log: Interactions, weights: npt.NDArray[np.float64], *, window: int, exponent: float, reach: int
) -> PairCounts:
    """Count the pairs of events at most `window` steps and `reach` events apart.

    weights: of each event, shape (N,); a pair weighs the product. `together` is symmetric, without diagonal.
    """
    n_items = len(log.items)
    forward, together = _Sums(n_items), _Sums(n_items)
    item, user, step = log.item, log.user_of, steps(log)
    earlier = np.arange(log.n_events)
    for distance in range(1, reach + 1):
        # An event whose partner at this distance is another person's, or too many steps on, has no farther
        # partner either: it drops out for good.
        earlier = earlier[earlier < log.n_events - distance]
        later = earlier + distance
        gap = step[later] - step[earlier]
        near = (user[later] == user[earlier]) & (gap <= window)
        earlier, later, gap = earlier[near], later[near], gap[near]
        if not len(earlier):
            break
        weight = weights[earlier] * weights[later]
        ordered = gap > 0
        forward.add(
            item[earlier[ordered]], item[later[ordered]], weight[ordered] * gap[ordered] ** -float(exponent)
        )
        same = ~ordered & (item[earlier] != item[later])
        together.add(item[earlier[same]], item[later[same]], weight[same])
    half = together.total()
    return PairCounts(forward.total(), (half + half.T).tocsr())


class _Sums:
    """Adds up (row, column, value) triples, `_CHUNK` at a time."""

    def __init__(self, n_items: int) -> None:
        from scipy.sparse import csr_array

        self._shape = (n_items, n_items)
        self._sum = csr_array(self._shape, dtype=np.float64)
        self._waiting: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float64]]] = []
        self._n_waiting = 0

    def add(
        self, rows: npt.NDArray[np.int32], columns: npt.NDArray[np.int32], values: npt.NDArray[np.float64]
    ) -> None:
        self._waiting.append((rows, columns, values))
        self._n_waiting += len(values)
        if self._n_waiting >= _CHUNK:
            self._flush()

    def total(self) -> csr_array:
        self._flush()
        return self._sum

    def _flush(self) -> None:
        from scipy.sparse import coo_array

        if self._waiting:
            rows, columns, values = (np.concatenate(part) for part in zip(*self._waiting, strict=True))
            self._sum = self._sum + coo_array((values, (rows, columns)), self._shape).tocsr()
        self._waiting, self._n_waiting = [], 0


def strongest(matrix: csr_array, n: int) -> csr_array:
    """The n largest entries of each row, ties to the lower column, columns ascending."""
    from scipy.sparse import csr_array

    matrix.sort_indices()
    keep = np.ones(matrix.nnz, bool)
    for row in np.flatnonzero(np.diff(matrix.indptr) > n):
        start, stop = matrix.indptr[row], matrix.indptr[row + 1]
        keep[start + np.argsort(-matrix.data[start:stop], kind="stable")[n:]] = False
    running = np.concatenate([[0], np.cumsum(keep)])
    return csr_array((matrix.data[keep], matrix.indices[keep], running[matrix.indptr]), matrix.shape)
