"""EASE: a linear item-item model with a closed form.

H. Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, equations 8 and 9. The square of the
catalogue is inverted in place, so it must fit into memory once; what is too large is refused before any work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from mercer.contracts import Dataset, Estimate, Floats32, Interactions, Requests, searched
from mercer.errors import UnsupportedError
from mercer.recommend.history import faded
from mercer.recommend.neighbours import packed, unpacked
from mercer.recommend.scoring import Arrays, ScoringRanker
from mercer.recommend.signals import SignalOptions, signals
from mercer.recommend.tail import over_tail, popularity

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_BLOCK = 512
"""Rows of the square that are copied at once."""


class Ease(ScoringRanker):
    """score(j) = (n_j + 1) ** -p * sum over history items i of decay ** age(i) * B[i, j].

    B minimises |X - X B|² + l2 |B|² with a diagonal of zero, where row u of X holds the items of person u, scaled by
    n_u ** -user_exponent. With P the inverse of X'X + l2 I, B[i, j] = -P[i, j] / P[j, j]. Each row keeps its
    `neighbours` entries of largest size; items that end at 0 or below follow by popularity.
    """

    name = "ease"

    class Options(SignalOptions):
        """Options.

        l2: weight of the penalty. decay: what an event of the history keeps of its weight per step of age.
        own: what an item speaks for itself, where repeats are the target.
        count_exponent: an item bought n times stands in X as n ** count_exponent; 0 tells only whether.
        user_exponent: how far people with many items are scaled down. popularity_exponent: p, how far common items
        are marked down. neighbours: entries kept in a row of B; a catalogue's size keeps all.
        precision: of the inverse. memory_gib: what the inverse may take, at most.
        """

        l2: float = searched(200.0, low=1.0, high=5000.0, log=True, gt=0, le=1e9, description="L2 penalty")
        decay: float = searched(
            0.75, low=0.3, high=1.0, gt=0, le=1, description="weight kept per step of age"
        )
        count_exponent: float = searched(
            0.0, low=0.0, high=1.0, ge=0, le=1, description="how repeated purchases add up"
        )
        user_exponent: float = searched(
            0.0, low=0.0, high=1.0, ge=0, le=1, description="scaling of people by their number of items"
        )
        popularity_exponent: float = searched(
            0.0, low=0.0, high=0.6, ge=0, le=1, description="how far common items are marked down"
        )
        own: float = searched(
            0.2, low=0.0, high=1.0, ge=0, le=10, description="B's diagonal where repeats are the target"
        )
        neighbours: int = Field(500, ge=1, description="entries kept for each item")
        precision: Literal["float32", "float64"] = Field("float32", description="of the inverse")
        memory_gib: float = Field(
            4.0, gt=0, allow_inf_nan=False, description="memory for the inverse, at most"
        )

    options: Options
    _weights: csr_array

    def learn(self, train: Dataset, log: Interactions, seed: int) -> Arrays:  # noqa: ARG002
        """Popularity, and the rows of B in CSR form.

        Raises UnsupportedError before any work when the square of the catalogue exceeds the memory allowed or free.
        """
        from scipy.sparse import eye_array

        self._check_memory(len(train.vocabulary))
        heard, weights = signals(log, self.options)
        rows = self._training_rows(heard, weights)
        held = np.diff(rows.tocsc().indptr)
        kept = sparse_weights(inverse(rows, self.options.l2, self.options.precision), self.options.neighbours)
        if train.repeats and self.options.own:
            kept = (kept + self.options.own * eye_array(len(held))).tocsr()
        kept.data *= ((held + 1.0) ** -self.options.popularity_exponent)[kept.indices]
        return {"share": popularity(heard, weights), **packed(kept)}

    def _training_rows(self, log: Interactions, weights: npt.NDArray[np.float64]) -> csr_array:
        """X: float64 CSR, shape (U, I)."""
        from scipy.sparse import csr_array

        # Without a copy, summing duplicates in place would rewrite the log's own arrays.
        rows = csr_array((weights, log.item, log.indptr), shape=(log.n_users, len(log.items)), copy=True)
        rows.sum_duplicates()
        rows.data **= self.options.count_exponent
        lengths = np.diff(rows.indptr)
        rows.data *= np.repeat(np.maximum(lengths, 1.0) ** -self.options.user_exponent, lengths)
        return rows

    def restored(self) -> None:
        """Put B together."""
        self._weights = unpacked(self.state)

    def score_rows(self, requests: Requests) -> Floats32:
        """Faded sums of the rows of B where they are above 0, the rest of the catalogue below by popularity."""
        known = faded(requests, self.options, decay=self.options.decay) @ self._weights
        known.data[known.data < 0] = 0
        known.eliminate_zeros()
        return over_tail(known, self.state["share"])

    def estimate(self, train: Dataset) -> Estimate:
        """What `fit` is expected to take: the cube of the catalogue in operations, its square in memory."""
        n = len(train.vocabulary)
        slower = 1 if self.options.precision == "float32" else 2
        kept = 24 * n * min(n, self.options.neighbours)
        return Estimate(
            seconds=0.05 + slower * float(n) ** 3 / 3e10,
            peak_mib=super().estimate(train).peak_mib + (self._bytes(n) + kept) / 2**20,
        )

    def parameters(self) -> list[tuple[str, str]]:
        """In plain words."""
        return [
            (
                "What customers who bought your items also bought",
                "Items that go together with yours come first; what another of your items explains counts once.",
            ),
            ("How lately you bought an item", "Your latest purchases count most."),
            (
                "How often customers bought it",
                "It orders the items that do not go together with any of yours.",
            ),
        ]

    def _bytes(self, n_items: int) -> int:
        return n_items**2 * np.dtype(self.options.precision).itemsize

    def _check_memory(self, n_items: int) -> None:
        import psutil

        needed = self._bytes(n_items) / 2**30
        free = psutil.virtual_memory().available / 2**30
        if needed <= min(self.options.memory_gib, free):
            return
        room = min(self.options.memory_gib, free) * 2**30
        most = int((room / np.dtype(self.options.precision).itemsize) ** 0.5)
        bound = "memory_gib allows" if self.options.memory_gib <= free else "are free"
        raise UnsupportedError(
            f"ease would need {needed:.1f} GiB for the square of {n_items:,} items in {self.options.precision}; "
            f"{room / 2**30:.1f} GiB {bound}, enough for {most:,} items.",
            remedy="Use item-knn or ials, whose memory grows with the log and not with the square of the catalogue, "
            "or raise ease's memory_gib.",
        )


def inverse(rows: csr_array, l2: float, precision: Literal["float32", "float64"]) -> npt.NDArray[Any]:
    """The inverse of rows'rows + l2 I, shape (I, I), computed in the memory of one such square.

    Raises UnsupportedError when the matrix is not positive definite in the precision asked.
    """
    from scipy.linalg import get_lapack_funcs

    n = rows.shape[1]
    square = np.zeros((n, n), precision, order="F")
    gram = (rows.T @ rows).tocoo()
    square[gram.row, gram.col] = gram.data
    del gram
    square[np.arange(n), np.arange(n)] += l2
    factor, invert = get_lapack_funcs(("potrf", "potri"), (square,))
    square, failed = factor(square, lower=1, overwrite_a=1, clean=0)
    if not failed:
        square, failed = invert(square, lower=1, overwrite_c=1)
    if failed:
        raise UnsupportedError(
            f"ease can't invert its matrix in {precision} with l2 = {l2:g}.",
            remedy="Raise l2, or set precision to float64.",
        )
    for start in range(0, n, _BLOCK):
        # LAPACK leaves the answer below the diagonal only.
        stop = min(start + _BLOCK, n)
        own = square[start:stop, start:stop]
        own[:] = np.tril(own) + np.tril(own, -1).T
        square[start:stop, stop:] = square[stop:, start:stop].T
    return np.asarray(square)


def sparse_weights(inverted: npt.NDArray[Any], n_kept: int) -> csr_array:
    """B from P, each row cut to its n_kept entries of largest size; float64 CSR with ascending columns."""
    from scipy.sparse import csr_array

    n = len(inverted)
    # A row keeps no diagonal, so a row of a catalogue of one keeps nothing.
    width = min(n_kept, n - 1)
    scale = -1.0 / np.diagonal(inverted).copy()
    columns = np.empty((n, width), np.int32)
    values = np.empty((n, width), np.float64)
    for start in range(0, n if width else 0, _BLOCK):
        at = np.arange(start, min(start + _BLOCK, n))
        # P is symmetric: its columns, which lie together in memory, are its rows.
        block = inverted[:, at].T * scale
        block[np.arange(len(at)), at] = 0
        best = np.argpartition(-np.abs(block), width - 1, axis=1)[:, :width]
        best.sort(axis=1)
        columns[at] = best
        values[at] = np.take_along_axis(block, best, 1)
    indptr = np.arange(n + 1, dtype=np.int64) * width
    matrix = csr_array((values.ravel(), columns.ravel(), indptr), shape=(n, n))
    matrix.eliminate_zeros()
    return matrix
