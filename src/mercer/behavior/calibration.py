"""Scores on the log-odds scale as calibrated probabilities, with an honest interval.

A line on the log-odds (Platt, Advances in Large Margin Classifiers, 1999) is fitted to out-of-fold scores.
Two parameters can't overfit a small set and keep the ranking as it is; an isotonic curve does neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

Z95 = 1.959963984540054
_STEPS = 50


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + e^-x) without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0 / (1.0 + small), small / (1.0 + small))


def log_odds(p: float) -> float:
    """log(p / (1 - p)) for p in (0, 1)."""
    return float(np.log(p) - np.log1p(-p))


@dataclass(frozen=True, slots=True)
class Calibration:
    """probability = sigmoid(intercept + slope * score).

    covariance: of (intercept, slope), clustered by entity: (var intercept, covariance, var slope).
    """

    intercept: float
    slope: float
    covariance: tuple[float, float, float]

    @classmethod
    def fit(cls, score: Floats, outcome: Floats, cluster: Ints) -> Calibration:
        """Fit to out-of-fold scores, shape (n,), and 0/1 outcomes; cluster: entity numbers.

        Targets are drawn in by Platt's correction, so that separable scores give finite parameters. A slope
        below 0 (scores worse than chance out of fold) becomes 0: every row then gets the base rate.
        """
        positives = float(outcome.sum())
        target = np.where(
            outcome > 0,
            (positives + 1) / (positives + 2),
            1 / (len(outcome) - positives + 2),
        )
        # Newton must start near the end: with standardised scores the base rate does, whatever the scale of a score.
        centre, scale = float(score.mean()), max(float(score.std()), 1e-9)
        design = np.column_stack([np.ones(len(score)), (score - centre) / scale])
        beta = np.array([log_odds(float(target.mean())), 0.0])
        for _ in range(_STEPS):
            p = sigmoid(design @ beta)
            step = np.linalg.solve(_information(design, p), design.T @ (target - p))
            beta = beta + np.clip(step, -2.0, 2.0)
            if float(np.abs(step).max()) < 1e-10:
                break
        if beta[1] <= 0:
            return cls.constant(outcome, cluster)
        residual = target - sigmoid(design @ beta)
        back = np.array([[1.0, -centre / scale], [0.0, 1.0 / scale]])
        intercept, slope = back @ beta
        covariance = back @ _sandwich(design, beta, residual, cluster) @ back.T
        return cls(
            float(intercept),
            float(slope),
            (float(covariance[0, 0]), float(covariance[0, 1]), float(covariance[1, 1])),
        )

    @classmethod
    def constant(cls, outcome: Floats, cluster: Ints) -> Calibration:
        """The smoothed base rate for every row; its variance counts entities, not rows."""
        rate = (float(outcome.sum()) + 0.5) / (len(outcome) + 1)
        entities = max(1, len(np.unique(cluster)))
        return cls(log_odds(rate), 0.0, (1.0 / (entities * rate * (1.0 - rate)), 0.0, 0.0))

    def value(self, score: Floats) -> Floats:
        """Probabilities, shape (n,)."""
        return sigmoid(self.intercept + self.slope * score)

    def interval(self, score: Floats, spread: Floats) -> tuple[Floats, Floats]:
        """95% interval of the probability itself, shape (n,) each.

        spread: standard error of `score` over other samples of entities. What the interval says: had the
        model and this line been fitted to other entities from the same period, 95% of the probabilities for
        this entity would lie here. It says nothing about a changed world, nor about the outcome (0 or 1).
        """
        var_intercept, both, var_slope = self.covariance
        variance = var_intercept + 2 * score * both + score**2 * var_slope + (self.slope * spread) ** 2
        half = Z95 * np.sqrt(np.maximum(variance, 0.0))
        centre = self.intercept + self.slope * score
        return sigmoid(centre - half), sigmoid(centre + half)

    def dump(self) -> dict[str, Any]:
        """JSON content; `Calibration.parse` reads it."""
        return {"intercept": self.intercept, "slope": self.slope, "covariance": list(self.covariance)}

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> Calibration:
        """Read what `dump` gave."""
        a, b, c = content["covariance"]
        return cls(content["intercept"], content["slope"], (a, b, c))


def _information(design: Floats, p: Floats) -> Floats:
    # The ridge only matters when all scores are equal; it keeps the matrix invertible.
    return design.T @ (design * (p * (1 - p))[:, None]) + 1e-9 * np.eye(2)


def _sandwich(design: Floats, beta: Floats, residual: Floats, cluster: Ints) -> Floats:
    """Cluster-robust covariance, shape (2, 2) (Liang and Zeger, Biometrika 1986), with the m / (m - 1) correction."""
    bread = np.linalg.inv(_information(design, sigmoid(design @ beta)))
    clusters = int(cluster.max()) + 1
    scores = np.column_stack([np.bincount(cluster, design[:, k] * residual, clusters) for k in (0, 1)])
    covariance: Floats = bread @ (scores.T @ scores) @ bread * (clusters / max(clusters - 1, 1))
    return covariance
