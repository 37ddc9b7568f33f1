"""A metric on scored rows as a function of weights, which is all that resampling needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.errors import DataError, UnsupportedError

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Pooled = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One metric over n units of C clusters.

    keys: the units, sorted. cluster: shape (n,), codes 0..C-1 into `clusters`.
    weight: shape (n,), 0 for a unit that the metric or the slice leaves out.
    values: shape (n,), the value per unit where one exists (0 where the weight is 0), else None.
    pooled: unit weights, shape (b, n), to values, shape (b,), where no value per unit exists.
    """

    keys: pd.Index
    cluster: Codes
    clusters: pd.Index
    weight: Floats
    values: Floats | None = None
    pooled: Pooled | None = None

    @property
    def n(self) -> int:
        """Units that count."""
        return int(np.count_nonzero(self.weight))

    @property
    def n_clusters(self) -> int:
        """Clusters with a unit that counts."""
        return len(np.unique(self.cluster[self.weight > 0]))

    @property
    def value(self) -> float:
        """The metric itself; NaN where no unit counts or it is undefined."""
        if not self.n:
            return float("nan")
        return float(self.at(np.ones((1, len(self.weight))))[0])

    def at(self, factors: Floats) -> Floats:
        """The metric under unit weights times `factors`, shape (b, n); the answer has shape (b,)."""
        if self.pooled is not None:
            return self.pooled(factors * self.weight)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((factors @ (self.weight * self._values())) / (factors @ self.weight))

    def sums(self) -> tuple[Floats, Floats]:
        """Weighted sum of the values, and the weight, of each cluster; shape (C,) each."""
        n = len(self.clusters)
        total = np.bincount(self.cluster, self.weight * self._values(), n)
        return total.astype(np.float64), np.bincount(self.cluster, self.weight, n).astype(np.float64)

    def _values(self) -> Floats:
        if self.values is None:
            raise UnsupportedError("This metric has no value per unit.")
        return self.values


def mean_of(measures: Sequence[Measure]) -> Measure:
    """The mean of one metric over several scorings of the same units, such as the repeats of a cross-validation, or
    the seeds of a stochastic model.

    A unit counts once, with its mean value, so that resampling moves all its repeats together. A unit that the metric
    leaves out in some of them counts with the share of those that have it. Raises DataError where units differ.
    """
    first = measures[0]
    if len(measures) == 1:
        return first
    for other in measures[1:]:
        if not first.keys.equals(other.keys) or not first.clusters.equals(other.clusters):
            raise DataError(
                "Repeats or seeds were scored on different units.", remedy="Evaluate the model again."
            )
    weight = np.mean([m.weight for m in measures], axis=0)
    if first.pooled is not None:
        return replace(first, weight=weight, pooled=_mean_pooled([m.pooled for m in measures if m.pooled]))
    total = np.mean([m.weight * np.asarray(m.values) for m in measures], axis=0)
    values = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
    return replace(first, weight=weight, values=values)


def _mean_pooled(parts: Sequence[Pooled]) -> Pooled:
    def at(weights: Floats) -> Floats:
        return np.asarray(np.mean([part(weights) for part in parts], axis=0))

    return at
