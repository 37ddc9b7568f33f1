"""Rows of unequal length in two flat arrays, the one layout used for histories, rules and relevance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ragged:
    """Row i holds `values[indptr[i]:indptr[i + 1]]`.

    indptr: int64, shape (n + 1,), non-decreasing from 0. values: int32 codes, shape (indptr[-1],).
    """

    indptr: Offsets
    values: npt.NDArray[np.int32]

    @classmethod
    def from_rows(cls, rows: Iterable[Sequence[int] | npt.NDArray[np.int32]]) -> Ragged:
        """Build from one sequence of codes per row."""
        arrays = [np.asarray(row, np.int32) for row in rows]
        indptr = np.zeros(len(arrays) + 1, np.int64)
        np.cumsum([len(a) for a in arrays], out=indptr[1:])
        return cls(indptr, np.concatenate(arrays) if arrays else np.zeros(0, np.int32))

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]:
        return self.values[self.indptr[row] : self.indptr[row + 1]]

    @property
    def lengths(self) -> Offsets:
        """Number of values in each row, shape (n,)."""
        return np.diff(self.indptr)

    @property
    def row_of(self) -> Offsets:
        """Row number of each value, shape (len(values),)."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.lengths)

    def take(self, rows: npt.NDArray[np.int64]) -> Ragged:
        """The rows named by `rows`, in that order."""
        indptr, index = gather(self.indptr, rows)
        return Ragged(indptr, self.values[index])


def gather(indptr: Offsets, rows: npt.NDArray[np.int64]) -> tuple[Offsets, Offsets]:
    """Offsets of the rows picked, and the flat positions of their values, without a Python loop."""
    rows = np.asarray(rows, np.int64)
    lengths = indptr[rows + 1] - indptr[rows]
    picked = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(lengths, out=picked[1:])
    return picked, ranges(indptr[rows], lengths)


def ranges(first: Offsets, length: Offsets) -> Offsets:
    """first[0], first[0] + 1, ... length[0] of them, then those of first[1], and so on."""
    stop = np.cumsum(length)
    total = int(stop[-1]) if len(stop) else 0
    found: Offsets = np.arange(total, dtype=np.int64) + np.repeat(first - (stop - length), length)
    return found
