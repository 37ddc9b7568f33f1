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

    def totals(self, weights: Floats, marks: Floats) -> Floats:
        """Sum of weights * marks in each group: weights (b, n), marks (n,) to (b, groups)."""
        weighed = weights[:, self.order] * marks[self.order]
        return np.asarray(np.add.reduceat(weighed, self.starts, axis=1), np.float64)


def areas_under(share: Floats, reached: Floats) -> Floats:
    """Area under the polyline from (0, 0) through the running sums of both; shapes (b, g) to (b,).

    share, reached: increments per group, non-negative, scaled here to end at 1.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        x = share / share.sum(axis=1, keepdims=True)
        y = np.cumsum(reached, axis=1) / reached.sum(axis=1, keepdims=True)
    before = np.concatenate([np.zeros((len(y), 1)), y[:, :-1]], axis=1)
    return np.asarray((x * (y + before) / 2).sum(axis=1))
