"""Metrics of probabilities and amounts, each as a function of weights so that it can be resampled.

Sources: Brier, MWR 1950; Cox, Biometrika 1958 (calibration slope); Naeini et al., AAAI 2015 (ece); Frees et
al., NAAJ 2014 (ordered Lorenz curves, the base of spend-gini).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.evaluation.measure import Floats, Measure, Pooled
from mercer.evaluation.names import MetricName
from mercer.evaluation.ordered import Descending, areas_under
from mercer.evaluation.scored import Scored

Bools = npt.NDArray[np.bool_]

N_BINS = 10
CLIP = 1e-6
"""Probabilities are kept this far from 0 and 1 before their log-odds are taken."""

_NEWTON_STEPS = 25


def auc(value: Floats, outcome: Floats) -> Pooled:
    """Area under the ROC curve, ties counting half; NaN where one class is absent."""
    ranked = Descending(value)
    happened = outcome[ranked.order]

    def at(weights: Floats) -> Floats:
        ordered = ranked.put(weights)
        positive = ordered * happened
        return areas_under(ranked.grouped(ordered - positive), ranked.grouped(positive))

    return at


def average_precision(value: Floats, outcome: Floats) -> Pooled:
    """Sum over distinct scores of the gain in recall times the precision there (no interpolation)."""
    ranked = Descending(value)
    happened = outcome[ranked.order]

    def at(weights: Floats) -> Floats:
        ordered = ranked.put(weights)
        positive, everything = ranked.grouped(ordered * happened), ranked.grouped(ordered)
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.cumsum(positive, axis=1) / np.cumsum(everything, axis=1)
            gained = positive / positive.sum(axis=1, keepdims=True)
        return np.asarray((np.nan_to_num(precision) * gained).sum(axis=1))

    return at


def brier_skill(value: Floats, outcome: Floats) -> Pooled:
    """1 - Brier score over that of the rows' own base rate; NaN where all outcomes are equal."""
    error = (value - outcome) ** 2

    def at(weights: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            total = weights.sum(axis=1)
            rate = weights @ outcome / total
            base = rate * (1 - rate)
            return np.where(base > 1e-12, 1 - (weights @ error / total) / base, np.nan)

    return at


def calibration_slope(value: Floats, outcome: Floats) -> Pooled:
    """Slope b of logit P(outcome) = a + b logit(value), by maximum likelihood; NaN where there is none.

    Newton's method for all resamples at once; a resample that is separable or constant has no slope.
    """
    clipped = np.clip(value, CLIP, 1 - CLIP)
    x = np.log(clipped / (1 - clipped))
    # Resamples lie near the whole sample, so its own solution is where their search starts.
    near = _logistic(np.ones((1, len(x))), x, outcome, np.zeros(1), np.zeros(1))
    start = [0.0 if np.isnan(part[0]) else float(part[0]) for part in near]

    def at(weights: Floats) -> Floats:
        n = len(weights)
        return _logistic(weights, x, outcome, np.full(n, start[0]), np.full(n, start[1]))[1]

    return at


def _logistic(weights: Floats, x: Floats, outcome: Floats, a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Intercept and slope of a weighted logistic regression for each row of weights, NaN where undefined."""
    step = np.full(len(weights), np.inf)
    with np.errstate(all="ignore"):
        for _ in range(_NEWTON_STEPS):
            p = 1 / (1 + np.exp(-(a[:, None] + b[:, None] * x)))
            residual, spread = weights * (outcome - p), weights * p * (1 - p)
            g0, g1 = residual.sum(axis=1), residual @ x
            h00, h01, h11 = spread.sum(axis=1), spread @ x, spread @ (x * x)
            det = h00 * h11 - h01 * h01
            step = (h00 * g1 - h01 * g0) / det
            a, b = a + (h11 * g0 - h01 * g1) / det, b + step
            # Newton's error is squared at every step: after a step of 1e-4 it is about 1e-8.
            if np.nanmax(np.abs(step), initial=0.0) < 1e-4:
                break
    found = np.abs(step) < 1e-4
    return np.where(found, a, np.nan), np.where(found, b, np.nan)


def ece(value: Floats, outcome: Floats) -> Pooled:
    """Mean |observed - predicted share| over ten bins of equal count, equal predictions in one bin."""
    edges = np.quantile(value, np.linspace(0, 1, N_BINS + 1)[1:-1]) if len(value) else np.zeros(0)
    inside = np.zeros((len(value), N_BINS))
    inside[np.arange(len(value)), np.searchsorted(edges, value, "left")] = 1
    gap = inside * (outcome - value)[:, None]

    def at(weights: Floats) -> Floats:
        return np.asarray(np.abs(weights @ gap).sum(axis=1) / weights.sum(axis=1))

    return at


def rmse(value: Floats, outcome: Floats) -> Pooled:
    """Root of the mean squared error, in the unit of the outcome."""
    error = (value - outcome) ** 2
    return lambda weights: np.sqrt(weights @ error / weights.sum(axis=1))


def spend_gini(value: Floats, outcome: Floats) -> Pooled:
    """Lorenz area of true spend in predicted order over that of the perfect order, both less the diagonal's.

    Negative outcomes count as 0. 1 for the perfect order, about 0 for a random one, negative for a worse
    one; NaN where nobody spent or all spent the same.
    """
    spend = np.maximum(outcome, 0)
    predicted, perfect = Descending(value), Descending(spend)

    def area(ranked: Descending, weights: Floats) -> Floats:
        people = ranked.totals(weights, np.ones_like(spend))
        return areas_under(people, ranked.totals(weights, spend)) - 0.5

    def at(weights: Floats) -> Floats:
        best = area(perfect, weights)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(best > 1e-12, area(predicted, weights) / best, np.nan)

    return at


_PER_ROW: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "brier": lambda value, outcome: (value - outcome) ** 2,
    "mae": lambda value, outcome: np.abs(value - outcome),
    "bias": lambda value, outcome: value - outcome,
}
_POOLED: Mapping[str, Callable[[Floats, Floats], Pooled]] = {
    "auc": auc,
    "average-precision": average_precision,
    "brier-skill": brier_skill,
    "calibration-slope": calibration_slope,
    "ece": ece,
    "rmse": rmse,
    "spend-gini": spend_gini,
}


def prediction_measure(scored: Scored, metric: MetricName, inside: Bools | None = None) -> Measure:
    """A metric of predictions over the rows `inside` (shape (rows,), default all)."""
    picked = np.arange(len(scored.rows)) if inside is None else np.flatnonzero(inside)
    as_of = scored.rows["as_of"].to_numpy(np.int64)[picked]
    picked = picked[np.lexsort((as_of, scored.unit_codes[picked]))]
    rows = scored.rows[["value", "outcome", "weight", "as_of"]].iloc[picked]
    value, outcome = rows["value"].to_numpy(np.float64), rows["outcome"].to_numpy(np.float64)
    # Cluster codes refer to all rows, so that a slice is resampled with the draws of the whole.
    cluster, clusters = scored.clusters
    per_row = _PER_ROW.get(metric.name)
    return Measure(
        keys=pd.MultiIndex.from_arrays([scored.text("unit")[picked], rows["as_of"]], names=["unit", "as_of"]),
        cluster=cluster[picked],
        clusters=clusters,
        weight=rows["weight"].to_numpy(np.float64),
        values=None if per_row is None else per_row(value, outcome),
        pooled=None if per_row is not None else _POOLED[metric.name](value, outcome),
    )
