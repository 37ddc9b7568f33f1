"""Rows of a sparse matrix, added up for many histories at once, the same for one history as for a thousand.

Sums are taken event by event in the order of the history (NumPy's `bincount`), so an answer never depends on
what else is in the batch, to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

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

    @classmethod
    def empty(cls, n: int, width: int) -> Rows:
        """A matrix of zeros."""
        return cls(np.zeros(n + 1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32), width)


@dataclass(frozen=True, slots=True)
class Walk:
    """The entries of the rows that events name, one event after the other.

    N events of n histories. starts, lengths: where in the matrix's arrays the row of each event lies, shape (N,).
    cells: history * width + column of every entry, shape (lengths.sum(),).
    """

    rows: Rows
    n: int
    starts: Ints
    lengths: Ints
    cells: Ints

    @classmethod
    def of(cls, rows: Rows, row: Ints, code: Ints, n: int) -> Walk:
        """row, code: shape (N,): which history, which row of the matrix."""
        starts = rows.indptr[code]
        lengths = rows.indptr[code + 1] - starts
        cells = _runs(rows.indices, starts, lengths, np.int64)
        if n > 1:
            cells += np.repeat(row * rows.width, lengths)
        return cls(rows, n, starts, lengths, cells)

    def dense(self, weight: Floats) -> Floats:
        """The sum over events of weight * matrix[code], shape (n, width). weight: shape (N,)."""
        values = _runs(self.rows.data, self.starts, self.lengths, np.float64)
        values *= np.repeat(weight, self.lengths)
        total = np.bincount(self.cells, values, minlength=self.n * self.rows.width)
        return np.asarray(total, np.float64).reshape(self.n, self.rows.width)

    def hits(self, spots: Spots) -> Hits:
        """The few entries that lie on the spots, in the order of the walk."""
        kept = np.flatnonzero(spots.there[self.cells])
        ends = np.cumsum(self.lengths)
        counts = np.diff(np.searchsorted(kept, ends), prepend=0)
        # From its place in the walk to its place in the matrix's arrays.
        entry = kept + np.repeat(self.starts - (ends - self.lengths), counts)
        return Hits(
            spots.place[self.cells[kept]], counts, self.rows.data[entry].astype(np.float64), spots.size
        )


@dataclass(frozen=True, slots=True)
class Spots:
    """Some cells of all cells. there: whether a cell is one; place: its number among them. Both of shape (cells,)."""

    there: npt.NDArray[np.bool_]
    place: Ints
    size: int

    @classmethod
    def of(cls, cells: Ints, n_cells: int) -> Spots:
        """Number the cells in the order given; they are distinct."""
        there, place = np.zeros(n_cells, bool), np.empty(n_cells, np.int64)
        there[cells] = True
        place[cells] = np.arange(len(cells))
        return cls(there, place, len(cells))

    def totals(self, cells: Ints, values: Floats) -> Floats:
        """Sums of the values of each spot, in order, shape (size,); what lies on none is left out."""
        kept = np.flatnonzero(self.there[cells])
        return _totals(self.place[cells[kept]], values[kept], self.size)


@dataclass(frozen=True, slots=True)
class Hits:
    """Entries of a walk that lie on spots. place: on which; counts: how many of each event; value: the matrix's."""

    place: Ints
    counts: Ints
    value: Floats
    size: int

    def totals(self, weight: Floats) -> Floats:
        """The sum over events of weight * matrix[code] at each spot: to the bit what `Walk.dense` has there."""
        return _totals(self.place, self.value * np.repeat(weight, self.counts), self.size)

    def events(self) -> Floats:
        """How many events have each spot in their row."""
        return np.bincount(self.place, minlength=self.size).astype(np.float64)


def _totals(place: Ints, values: Floats, size: int) -> Floats:
    return np.asarray(np.bincount(place, values, minlength=size), np.float64)


def _runs(values: npt.NDArray[Any], starts: Ints, lengths: Ints, dtype: type) -> npt.NDArray[Any]:
    """Runs of an array, joined: several times as quick run by run as entry by entry."""
    ends = (starts + lengths).tolist()
    runs = [values[start:end] for start, end in zip(starts.tolist(), ends, strict=True)]
    return np.concatenate([values[:0], *runs], dtype=dtype)


def best_cells(scores: Floats, k: int, without: Ints | None = None) -> Ints:
    """Flat cells of the k best positive scores of each row, ties to the lower column; fewer where fewer are > 0.

    without: flat cells that are left out.
    """
    found = []
    width = scores.shape[1]
    usable = scores > 0
    if without is not None:
        usable.ravel()[without] = False
    for number, line in enumerate(scores):
        columns = np.flatnonzero(usable[number])
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
