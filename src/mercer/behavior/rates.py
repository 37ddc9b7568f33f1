"""Rates of an outcome by recency and frequency: the table behind `past-rate`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.contracts import Predictions

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RECENCY, FREQUENCY = "days_since_purchase", "purchase_days"
FREQUENCY_EDGES = (1.5, 2.5, 4.5, 9.5)


@dataclass(frozen=True, slots=True)
class RateTable:
    """Rates by recency (rows; the last one: never bought) and frequency (columns).

    base: the smoothed rate of all. rows: rates by recency alone. rates: of the cells. strength: what a
    cell's rate counts for in entities, smoothing included.
    """

    names: ClassVar[tuple[str, ...]] = (RECENCY, FREQUENCY)

    edges: tuple[float, ...]
    base: float
    rows: Floats
    rates: Floats
    strength: Floats

    @classmethod
    def fit(
        cls, frame: pd.DataFrame, outcome: Floats, cluster: Ints, *, recency_bins: int, smoothing: float
    ) -> RateTable:
        """Count outcomes by cell; draw rows to the base rate and cells to their row."""
        known = frame[RECENCY].dropna().to_numpy()
        share = np.arange(1, recency_bins) / recency_bins
        edges = np.unique(np.quantile(known, share)) if len(known) else np.zeros(0)
        empty = cls(
            tuple(float(edge) for edge in edges), 0.5, np.zeros(0), np.zeros((0, 0)), np.zeros((0, 0))
        )
        row, column = empty.cell(frame)
        shape = (len(edges) + 2, len(FREQUENCY_EDGES) + 1)
        n, hits = np.zeros(shape), np.zeros(shape)
        np.add.at(n, (row, column), 1.0)
        np.add.at(hits, (row, column), outcome)
        base = (float(outcome.sum()) + 0.5) / (len(outcome) + 1)
        rows = (hits.sum(1) + smoothing * base) / (n.sum(1) + smoothing)
        rates = (hits + smoothing * rows[:, None]) / (n + smoothing)
        # An entity seen at several cuts is one witness, not several.
        witnesses = np.zeros(shape)
        seen = np.unique(np.column_stack([row, column, cluster]), axis=0)
        np.add.at(witnesses, (seen[:, 0], seen[:, 1]), 1.0)
        return cls(empty.edges, base, rows, rates, witnesses + 1.0)

    def cell(self, frame: pd.DataFrame) -> tuple[Ints, Ints]:
        """Row and column of each snapshot."""
        recency = frame[RECENCY].to_numpy()
        row = np.searchsorted(np.array(self.edges), recency, "right")
        row = np.where(np.isnan(recency), len(self.edges) + 1, row).astype(np.int64)
        return row, np.searchsorted(np.array(FREQUENCY_EDGES), frame[FREQUENCY].to_numpy()).astype(np.int64)

    def predict(self, frame: pd.DataFrame) -> Predictions:
        """Rates with the 95% interval of a beta posterior centred on the smoothed rate."""
        from scipy.stats import beta

        row, column = self.cell(frame)
        rate, strength = self.rates, self.strength
        low = beta.ppf(0.025, rate * strength, (1 - rate) * strength)
        high = beta.ppf(0.975, rate * strength, (1 - rate) * strength)
        value = rate[row, column]
        return Predictions(value, np.minimum(low[row, column], value), np.maximum(high[row, column], value))

    def contributions(self, frame: pd.DataFrame) -> Floats:
        """Log-odds that recency adds to the base rate, and frequency to recency; shape (n, 2)."""
        row, column = self.cell(frame)
        recency = _logit(self.rows[row]) - _logit(np.full(len(row), self.base))
        return np.column_stack([recency, _logit(self.rates[row, column]) - _logit(self.rows[row])])

    def dump(self) -> dict[str, Any]:
        """JSON content; `parse` reads it."""
        return {
            "edges": list(self.edges),
            "base": self.base,
            "rows": self.rows.tolist(),
            "rates": self.rates.tolist(),
            "strength": self.strength.tolist(),
        }

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> RateTable:
        """Read what `dump` gave."""
        return cls(
            tuple(content["edges"]),
            content["base"],
            np.array(content["rows"], np.float64),
            np.array(content["rates"], np.float64),
            np.array(content["strength"], np.float64),
        )


def _logit(p: Floats) -> Floats:
    return np.log(p) - np.log1p(-p)
