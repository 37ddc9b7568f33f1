"""Rows of a sparse matrix, added up for many histories at once, the same for one history as for a thousand.

Sums are taken event by event in the order of the history (NumPy's `bincount`), so an answer never depends on
what else is in the batch, to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mercer.contracts.ragged import gather

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Rows:
    """A matrix by rows, shape (len(indptr) - 1, width): the plain arrays of CSR, as they are saved."""

    indptr: Ints
    indices: Codes
    data: npt.NDArray[np.float32]
    width: int

    @classmethod
    def of(cls, matrix: csr_array) -> Rows:
        """The arrays of a CSR matrix."""
        return cls(
            matrix.indptr.astype(np.int64),
            matrix.indices.astype(np.int32),
            matrix.data.astype(np.float32),
            int(matrix.shape[1]),
        )

    def ones(self) -> Rows:
        """The same pattern with 1 in every place."""
        return Rows(self.indptr, self.indices, np.ones_like(self.data), self.width)

    @classmethod
    def empty(cls, n: int, width: int) -> Rows:
        """A matrix of zeros."""
        return cls(np.zeros(n + 1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32), width)


def spread(rows: Rows, row: Ints, code: Ints, weights: list[Floats], n: int) -> list[Floats]:
    """For each weighting the sum over history events of weight * matrix[code], dense, shape (n, width).

    row, code and every array of weights: shape (N,): which history, which row of the matrix, how much.
    """
    indptr, at = gather(rows.indptr, code)
    lengths = np.diff(indptr)
    cells = np.repeat(row * rows.width, lengths) + rows.indices[at]
    values = rows.data[at].astype(np.float64)
    return [_dense(cells, values * np.repeat(w, lengths), n, rows.width) for w in weights]


def _dense(cells: Ints, values: Floats, n: int, width: int) -> Floats:
    """Sums of the values of each cell, in order, float64, shape (n, width)."""
    return np.asarray(np.bincount(cells, values, minlength=n * width), np.float64).reshape(n, width)


def best_cells(scores: Floats, k: int) -> Ints:
    """Flat cells of the k best positive scores of each row, ties to the lower column; fewer where fewer are > 0."""
    found = []
    width = scores.shape[1]
    for number, line in enumerate(scores):
        columns = np.flatnonzero(line > 0)
        if len(columns) > k:
            values = line[columns]
            limit = np.partition(values, len(values) - k)[len(values) - k]
            above = values > limit
            equal = np.flatnonzero(values == limit)[: k - np.count_nonzero(above)]
            columns = np.concatenate([columns[above], columns[equal]])
        found.append(number * width + columns)
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def places(row: Ints, values: Floats) -> Ints:
    """Place of each value among those of its row, 0 for the greatest; equal values share the best place."""
    order = np.lexsort((-values, row))
    sorted_row, sorted_values = row[order], values[order]
    n = len(order)
    new_row = np.ones(n, bool)
    new_row[1:] = sorted_row[1:] != sorted_row[:-1]
    new = new_row.copy()
    new[1:] |= sorted_values[1:] != sorted_values[:-1]
    position = np.arange(n)
    start = np.maximum.accumulate(np.where(new_row, position, 0))
    first = np.maximum.accumulate(np.where(new, position, 0))
    out = np.empty(n, np.int64)
    out[order] = first - start
    return out
