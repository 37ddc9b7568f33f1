"""ials: implicit matrix factorisation by alternating least squares.

Y. Hu, Y. Koren and C. Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008, in the form of
S. Rendle, W. Krichene, L. Zhang and Y. Koren, "Revisiting the Performance of iALS on Item Recommendation Benchmarks",
RecSys 2022: an unobserved weight, regularisation scaled by frequency, and a start scaled by dimension. People's factors
are worked out from the history of the request, so none are kept.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from mercer.contracts import (
    Budget,
    Dataset,
    Estimate,
    Floats32,
    Holdout,
    Interactions,
    Requests,
    Runtime,
    Silent,
    searched,
)
from mercer.recommend.history import faded
from mercer.recommend.scoring import Arrays, ScoringRanker
from mercer.recommend.signals import SignalOptions, signals
from mercer.recommend.tail import popularity

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_CHUNK_CELLS = 4_000_000
"""Numbers gathered at once when rows of equal length are solved together: 16 MB of float32."""


class Ials(ScoringRanker):
    """score(j) = w'h_j, where w is the person's factor, worked out from the faded history, and h_j the item's.

    Training minimises, over factors w_u and h_i,
        sum over observed (u, i) of c_ui (w_u'h_i - 1)² + unobserved * sum over all (u, i) of (w_u'h_i)²
        + sum_u lambda_u |w_u|² + sum_i lambda_i |h_i|²,
    with c_ui the weight of what u bought of i, lambda_u = l2 (sum_i c_ui + unobserved * I) ** l2_exponent and
    lambda_i = l2 (sum_u c_ui + unobserved * U) ** l2_exponent. Who has no history gets what is popular.
    """

    name = "ials"
    stochastic = True

    class Options(SignalOptions):
        """Options.

        factors: length of a factor. sweeps: rounds over people and items. unobserved: weight of a pair that did not
        occur. l2, l2_exponent: size of the penalty and how it grows with frequency. start: standard deviation of the
        first factors times sqrt(factors). decay: what an event of a request's history keeps of its weight per step
        of age. history_weight: how much louder that history is heard than people were in training.
        """

        factors: int = searched(
            128, low=32, high=256, log=True, ge=1, le=2048, description="length of a factor"
        )
        sweeps: int = searched(12, low=4, high=24, ge=1, le=1000, description="rounds over people and items")
        unobserved: float = searched(
            0.1,
            low=0.001,
            high=1.0,
            log=True,
            gt=0,
            le=100,
            description="weight of a pair that did not occur",
        )
        l2: float = searched(0.01, low=0.0005, high=0.3, log=True, gt=0, le=1e6, description="L2 penalty")
        l2_exponent: float = searched(
            1.0, low=0.3, high=1.0, ge=0, le=2, description="growth of the penalty with frequency"
        )
        start: float = Field(0.1, gt=0, le=100, description="size of the first factors")
        decay: float = searched(0.8, low=0.3, high=1.0, gt=0, le=1, description="weight kept per step of age")
        history_weight: float = searched(
            1.0, low=0.3, high=30.0, log=True, gt=0, le=1e6, description="loudness of a request's history"
        )

    options: Options
    _turned: Turned
    notes: tuple[str, ...] = ()
    """What a fit has to say, such as that it stopped at its time limit."""

    def fit(
        self,
        train: Dataset,
        *,
        validation: Holdout | None = None,
        budget: Budget | None = None,
        seed: int = 0,
        runtime: Runtime | None = None,
    ) -> Self:
        """Learn from `train` alone. Stops after the sweep that a further one would take past the budget."""
        self._seconds = (budget or Budget()).seconds
        self._progress = runtime.progress if runtime is not None else Silent()
        return super().fit(train, validation=validation, budget=budget, seed=seed, runtime=runtime)

    def learn(self, train: Dataset, log: Interactions, seed: int) -> Arrays:
        """Popularity and the factors of the items, float32, shape (I, factors)."""
        heard, weights = signals(log, self.options)
        factors, self.notes = self._swept(observed(heard, weights), len(train.vocabulary), seed)
        return {"share": popularity(heard, weights), "factors": factors}

    def _swept(self, rows: csr_array, n_items: int, seed: int) -> tuple[Floats32, tuple[str, ...]]:
        o = self.options
        begun = time.perf_counter()
        rng = np.random.default_rng(seed)
        items = rng.normal(0, o.start / np.sqrt(o.factors), (n_items, o.factors)).astype(np.float32)
        columns = rows.T.tocsr()
        for sweep in range(1, o.sweeps + 1):
            people = solved(rows, Turned.of(items), unobserved=o.unobserved, l2=o.l2, exponent=o.l2_exponent)
            items = solved(
                columns, Turned.of(people), unobserved=o.unobserved, l2=o.l2, exponent=o.l2_exponent
            )
            self._progress.advance(sweep, o.sweeps, "sweep")
            took = time.perf_counter() - begun
            if sweep < o.sweeps and took * (sweep + 1) / sweep > self._seconds:
                note = (
                    f"ials stopped after {sweep} of {o.sweeps} sweeps, at its limit of {self._seconds:g} s."
                )
                return items, (note,)
        return items, ()

    def restored(self) -> None:
        """Turn the items' factors once for all requests."""
        self._turned = Turned.of(self.state["factors"])

    def score_rows(self, requests: Requests) -> Floats32:
        """Products of the person's factor and those of all items; popularity where nothing is known."""
        o = self.options
        history = faded(requests, o, decay=o.decay)
        history.data *= o.history_weight
        people = solved(history, self._turned, unobserved=o.unobserved, l2=o.l2, exponent=o.l2_exponent)
        scores = people @ self.state["factors"].T
        scores[np.diff(history.indptr) == 0] = self.state["share"]
        return np.asarray(scores, np.float32)

    def estimate(self, train: Dataset) -> Estimate:
        """What `fit` is expected to take: sweeps over the events, each a small system of equations."""
        base, log, o = super().estimate(train), train.interactions, self.options
        n_users, n_events = (0, 0) if log is None else (log.n_users, log.n_events)
        rows = n_users + len(train.vocabulary)
        each = 4e-9 * n_events * o.factors * 30 + 2e-6 * rows + 1e-9 * rows * o.factors**2
        return Estimate(
            seconds=base.seconds + o.sweeps * each,
            peak_mib=base.peak_mib + (16 * rows * o.factors + 12 * _CHUNK_CELLS) / 2**20,
        )

    def parameters(self) -> list[tuple[str, str]]:
        """In plain words."""
        return [
            (
                "What your purchases say of your taste",
                "Items that suit the same taste come first; tastes are learned from what customers buy together.",
            ),
            ("How lately you bought an item", "Your latest purchases count most."),
            ("How often customers bought it", "It orders the items when nothing is known of you."),
        ]


def observed(log: Interactions, weights: npt.NDArray[np.float64]) -> csr_array:
    """c: the summed weight of each person's events with each item, float32 CSR, shape (U, I)."""
    from scipy.sparse import csr_array

    # Without a copy, summing duplicates in place would rewrite the log's own arrays.
    rows = csr_array((weights, log.item, log.indptr), shape=(log.n_users, len(log.items)), copy=True)
    rows.sum_duplicates()
    return rows.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Turned:
    """Fixed factors in the basis of the eigenvectors of their H'H, in which that matrix is diagonal.

    factors: float32, shape (m, d). values: eigenvalues, float64, shape (d,). basis: float32, shape (d, d).
    """

    factors: Floats32
    values: npt.NDArray[np.float64]
    basis: Floats32

    @classmethod
    def of(cls, factors: Floats32) -> Turned:
        """Turn `factors`, shape (m, d)."""
        values, basis = np.linalg.eigh(factors.T.astype(np.float64) @ factors)
        turned = (factors @ basis).astype(np.float32)
        return cls(turned, np.maximum(values, 0), basis.astype(np.float32))


def solved(rows: csr_array, fixed: Turned, *, unobserved: float, l2: float, exponent: float) -> Floats32:
    """The factors of the rows that minimise the loss with those of the columns fixed; float32, shape (n, d).

    rows: c, CSR of shape (n, m); an entry may be given in parts.
    Row by row the loss is a ridge regression, (unobserved H'H + sum of c h h' + lambda) w = sum of c h. In the basis
    of H'H's eigenvectors its first and last part are diagonal, whatever the row's lambda; a row with fewer entries
    than factors is then solved in the space of its entries (the matrix inversion lemma), with others of its length.
    """
    m, d = fixed.factors.shape
    n, lengths = rows.shape[0], np.diff(rows.indptr)
    totals = np.bincount(np.repeat(np.arange(n), lengths), rows.data, minlength=n)
    penalty = l2 * (totals + unobserved * m) ** exponent
    out = np.zeros((n, d), np.float32)
    for length in np.unique(lengths[lengths > 0]):
        alike = np.flatnonzero(lengths == length)
        size = max(1, _CHUNK_CELLS // (max(int(length), d) * d))
        for start in range(0, len(alike), size):
            at = alike[start : start + size]
            cells = rows.indptr[at][:, None] + np.arange(length)
            near, loud = fixed.factors[rows.indices[cells]], rows.data[cells]
            diagonal = (unobserved * fixed.values + penalty[at, None]).astype(np.float32)
            out[at] = _few(near, loud, diagonal) if length < d else _many(near, loud, diagonal)
    return np.asarray(out @ fixed.basis.T, np.float32)


def _few(near: Floats32, loud: Floats32, diagonal: Floats32) -> Floats32:
    """(D + N' C N)^-1 N' c as D^-1 N' (C^-1 + N D^-1 N')^-1 1. Shapes (b, s, d), (b, s), (b, d) give (b, d)."""
    shrunk = near / diagonal[:, None, :]
    inner = shrunk @ near.transpose(0, 2, 1)
    at = np.arange(loud.shape[1])
    inner[:, at, at] += 1 / loud
    speaks = np.linalg.solve(inner, np.ones((*loud.shape, 1), np.float32))
    return np.asarray((speaks.transpose(0, 2, 1) @ shrunk)[:, 0], np.float32)


def _many(near: Floats32, loud: Floats32, diagonal: Floats32) -> Floats32:
    """(D + N' C N)^-1 N' c as it stands."""
    louder = near * loud[:, :, None]
    inner = near.transpose(0, 2, 1) @ louder
    at = np.arange(diagonal.shape[1])
    inner[:, at, at] += diagonal
    return np.asarray(np.linalg.solve(inner, louder.sum(1)[:, :, None])[:, :, 0], np.float32)
