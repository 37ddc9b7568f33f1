"""Weighted rows in the order of a score, ties together: the base of AUC, precision and Lorenz areas."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Descending:
    """Rows ordered by a score, highest first, cut into groups of equal scores."""

    def __init__(self, score: Floats) -> None:
        """score: shape (n,)."""
        self.order = np.argsort(-score, kind="stable")
        ordered = score[self.order]
        self.starts = (
            np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(score) else np.zeros(0, int)
        )

    def put(self, weights: Floats) -> Floats:
        """Weights, shape (b, n), in this order."""
        return weights[:, self.order]

    def grouped(self, ordered: Floats) -> Floats:
        """Sum of each group of ties, of what is in this order: (b, n) to (b, groups)."""
        if len(self.starts) == ordered.shape[1]:
            return ordered
        return np.asarray(np.add.reduceat(ordered, self.starts, axis=1), np.float64)

    def totals(self, weights: Floats, marks: Floats) -> Floats:
        """Sum of weights * marks in each group: weights (b, n), marks (n,) to (b, groups)."""
        return self.grouped(self.put(weights) * marks[self.order])


def areas_under(share: Floats, reached: Floats) -> Floats:
    """Area under the polyline from (0, 0) through the running sums of both; shapes (b, g) to (b,).

    share, reached: increments per group, non-negative, scaled here to end at 1.
    """
    # A step's mean height is what was reached before it and half of its own rise.
    height = np.cumsum(reached, axis=1) - reached / 2
    ends = reached.sum(axis=1) * share.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.einsum("bg,bg->b", share, height) / ends)
