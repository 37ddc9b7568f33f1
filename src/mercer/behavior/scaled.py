"""A number that orders amounts, scaled so that predicted and true totals are equal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from mercer.behavior.bands import Bands
from mercer.behavior.options import Kind
from mercer.contracts import Predictions

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ScaledAmounts:
    """amount = factor * raw; the mean outcome of those whom the model knows nothing of (raw 0) for them."""

    factor: float
    without: float
    bands: Bands

    kind: ClassVar[Kind] = "amount"

    @classmethod
    def fit(cls, raw: Floats, outcome: Floats) -> ScaledAmounts:
        """One factor can't overfit thousands of rows, so the rows that gave it may judge it."""
        new = raw <= 0
        total = float(raw[~new].sum())
        factor = float(outcome[~new].sum()) / total if total > 0 else 0.0
        without = float(outcome[new].mean()) if new.any() else 0.0
        plain = cls(factor, without, Bands((), (0.0,), (1.0,), 1.0))
        return cls(factor, without, Bands.fit(plain.value(raw), outcome))

    def value(self, raw: Floats) -> Floats:
        """Amounts in minor units, shape (n,)."""
        return np.where(raw <= 0, self.without, self.factor * raw)

    def predict(self, raw: Floats) -> Predictions:
        """Amounts with their bands."""
        value = self.value(raw)
        low, high = self.bands.interval(value)
        return Predictions(value, low, high)

    def dump(self) -> dict[str, Any]:
        """JSON content; `parse` reads it."""
        return {"factor": self.factor, "without": self.without, "bands": self.bands.dump()}

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> ScaledAmounts:
        """Read what `dump` gave."""
        return cls(content["factor"], content["without"], Bands.parse(content["bands"]))
