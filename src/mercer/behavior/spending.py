"""Past spend scaled to the horizon: the rule behind `past-rate` for amounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.behavior.bands import Bands
from mercer.contracts import Predictions

Floats = npt.NDArray[np.float64]

RATE = "spend_rate"


@dataclass(frozen=True, slots=True)
class SpendRule:
    """amount = days * spend a day; the average of those without a purchase where nothing was bought.

    average: of all training outcomes, minor units; it centres the reasons.
    """

    names: ClassVar[tuple[str, ...]] = (RATE,)

    days: float
    without: float
    average: float
    bands: Bands

    @classmethod
    def fit(cls, frame: pd.DataFrame, outcome: Floats) -> SpendRule:
        """The factor that makes predicted and true totals equal; bands from the training rows.

        One number can't overfit thousands of rows, so the rows that gave it may judge it.
        """
        rate = frame[RATE].to_numpy()
        new = np.isnan(rate)
        average = float(outcome.mean())
        total = float(rate[~new].sum())
        days = float(outcome[~new].sum()) / total if total > 0 else 0.0
        without = float(outcome[new].mean()) if bool(new.any()) else average
        rule = cls(days, without, average, Bands((), (0.0,), (1.0,), 1.0))
        return cls(days, without, average, Bands.fit(rule.value(frame), outcome))

    def value(self, frame: pd.DataFrame) -> Floats:
        """Amounts in minor units, shape (n,)."""
        rate = frame[RATE].to_numpy()
        return np.where(np.isnan(rate), self.without, self.days * rate)

    def predict(self, frame: pd.DataFrame) -> Predictions:
        """Amounts with their bands."""
        value = self.value(frame)
        low, high = self.bands.interval(value)
        return Predictions(value, low, high)

    def contributions(self, frame: pd.DataFrame) -> Floats:
        """Minor units above the average, shape (n, 1)."""
        return (self.value(frame) - self.average)[:, None]

    def dump(self) -> dict[str, Any]:
        """JSON content; `parse` reads it."""
        return {
            "days": self.days, "without": self.without, "average": self.average, "bands": self.bands.dump(),
        }  # fmt: skip

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> SpendRule:
        """Read what `dump` gave."""
        return cls(content["days"], content["without"], content["average"], Bands.parse(content["bands"]))
