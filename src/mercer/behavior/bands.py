"""95% intervals of amounts by split-conformal bands, one a range of predicted values.

Amounts are mostly nothing and sometimes a fortune, so an interval is a share of the prediction, learned
among rows with a similar prediction (Mondrian conformal: Vovk, Gammerman and Shafer 2005, ch. 4).
Rows scored out of fold stand in for new ones. Coverage holds on average over a range of predictions, for new
entities of the same period; it is no promise for each entity, nor for another season.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MISS = 0.05
ROWS_A_BAND = 200
MOST_BANDS = 10
FLOOR = 0.05


@dataclass(frozen=True, slots=True)
class Bands:
    """Interval of a value v in band b: (v + floor) * low[b] .. (v + floor) * high[b].

    edges: inner edges of the bands on the predicted value. floor: minor units; keeps a prediction of nothing
    from having an interval of nothing.
    """

    edges: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    floor: float

    @classmethod
    def fit(cls, value: Floats, outcome: Floats) -> Bands:
        """Learn from out-of-fold predictions and outcomes, shape (n,) each, n >= 1."""
        floor = max(FLOOR * float(outcome.mean()), 1.0)
        count = int(np.clip(len(value) // ROWS_A_BAND, 1, MOST_BANDS))
        # Edges are values that occur, so that no band is empty.
        inner = np.arange(1, count) / count
        edges = np.unique(np.quantile(value, inner, method="lower")) if count > 1 else np.zeros(0)
        edges = edges[edges > value.min()]
        band = np.searchsorted(edges, value, "right")
        ratio = outcome / (value + floor)
        shares = [_shares(ratio[band == b]) for b in range(len(edges) + 1)]
        return cls(
            tuple(float(edge) for edge in edges),
            tuple(low for low, _ in shares),
            tuple(high for _, high in shares),
            floor,
        )

    def interval(self, value: Floats) -> tuple[Floats, Floats]:
        """(low, high), shape (n,) each, around `value` in minor units; low <= value <= high, low >= 0."""
        band = np.searchsorted(np.array(self.edges), value, "right")
        base = value + self.floor
        low = np.minimum(base * np.array(self.low)[band], value)
        return low, np.maximum(base * np.array(self.high)[band], value)

    def dump(self) -> dict[str, Any]:
        """JSON content; `Bands.parse` reads it."""
        return {
            "edges": list(self.edges), "low": list(self.low), "high": list(self.high), "floor": self.floor,
        }  # fmt: skip

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> Bands:
        """Read what `dump` gave."""
        return cls(tuple(content["edges"]), tuple(content["low"]), tuple(content["high"]), content["floor"])


def _shares(ratio: Floats) -> tuple[float, float]:
    """Conformal quantiles: the ceil((n + 1)(1 - a))-th smallest ratio, and its mirror image below.

    Half of the misses are allowed on each side; all of them above where the lower end is nothing, because no
    amount can lie below it. With few rows the ends are the largest ratio and 0.
    """
    ordered = np.sort(ratio)
    n = len(ordered)
    above = _rank(n, MISS / 2)
    low = float(ordered[n - above]) if above <= n else 0.0
    if low <= 0:
        above = _rank(n, MISS)
    return low, float(ordered[min(above, n) - 1])


def _rank(n: int, miss: float) -> int:
    return int(np.ceil((n + 1) * (1 - miss)))
