"""Bootstrap intervals by cluster: whole users, cards or queries are drawn again, never single rows.

Percentile intervals. A metric that resampling shifts (distinct items, bins) has its resamples moved so that
their mean is the value. All measures of one call share the draws, so differences of columns are paired.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mercer.evaluation.measure import Floats, Measure

LEVEL = 0.95
REPLICATES = 1000
LEAST_CLUSTERS = 5
"""With fewer clusters no interval is given: a handful of draws can't show the spread."""

_CELLS = 250_000
"""Draws held at once: 2 MB, so that what is made of them stays in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval; both ends None where there is none."""

    low: float | None
    high: float | None


def replicates(measures: Sequence[Measure], *, n: int = REPLICATES, seed: int = 0) -> Floats:
    """Resampled values, shape (n, len(measures)).

    Raises ValueError when the measures have different clusters: they could not share draws.
    """
    if not measures:
        return np.zeros((n, 0))
    first = measures[0].clusters
    if any(len(m.clusters) != len(first) or not m.clusters.equals(first) for m in measures[1:]):
        raise ValueError("measures of one bootstrap must have the same clusters")
    out = np.empty((n, len(measures)))
    per_unit = [column for column, m in enumerate(measures) if m.values is not None]
    pooled = [column for column, m in enumerate(measures) if m.values is None]
    sums, weights = _columns([measures[column] for column in per_unit], len(first))
    widest = max([len(first), *(len(measures[column].weight) for column in pooled)])
    at = 0
    for draws in _draws(len(first), n, widest, seed):
        rows = slice(at, at + len(draws))
        with np.errstate(invalid="ignore", divide="ignore"):
            out[rows, per_unit] = (draws @ sums) / (draws @ weights)
        for column in pooled:
            out[rows, column] = measures[column].at(draws[:, measures[column].cluster])
        at += len(draws)
    return out


def _columns(measures: Sequence[Measure], n_clusters: int) -> tuple[Floats, Floats]:
    if not measures:
        return np.zeros((n_clusters, 0)), np.zeros((n_clusters, 0))
    pairs = [m.sums() for m in measures]
    return np.column_stack([sums for sums, _ in pairs]), np.column_stack([weights for _, weights in pairs])


def _draws(n_clusters: int, n: int, widest: int, seed: int) -> Iterator[Floats]:
    """How often each cluster was drawn, shape (b, C), in blocks of bounded memory; the seed decides all."""
    rng = np.random.default_rng(seed)
    size = max(1, _CELLS // max(1, widest))
    for at in range(0, n, size):
        b = min(size, n - at)
        picked = rng.integers(0, n_clusters, (b, n_clusters), dtype=np.int64)
        picked += np.arange(b, dtype=np.int64)[:, None] * n_clusters
        yield np.bincount(picked.ravel(), minlength=b * n_clusters).reshape(b, n_clusters).astype(np.float64)


def interval(samples: Floats, value: float, *, centred: bool, level: float = LEVEL) -> Interval:
    """The percentile interval of resampled values, shape (n,); undefined resamples are left out.

    No interval is given when more than one resample in twenty is undefined.
    """
    defined = samples[np.isfinite(samples)]
    if not np.isfinite(value) or len(defined) < 0.95 * len(samples) or not len(defined):
        return Interval(None, None)
    if centred:
        defined = defined - defined.mean() + value
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def two_sided_p(samples: Floats, difference: float, *, centred: bool) -> float | None:
    """The bootstrap p-value of a difference being 0: twice the smaller share of resamples beyond 0."""
    defined = samples[np.isfinite(samples)]
    if len(defined) < 0.95 * len(samples) or not len(defined):
        return None
    if centred:
        defined = defined - defined.mean() + difference
    beyond = min(np.count_nonzero(defined <= 0), np.count_nonzero(defined >= 0))
    return float(min(1.0, 2 * (beyond + 1) / (len(defined) + 1)))
