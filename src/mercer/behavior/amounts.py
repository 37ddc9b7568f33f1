"""From raw scores of an ensemble to amounts without bias, in minor units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.behavior.bands import Bands
from mercer.behavior.options import Kind
from mercer.contracts import Predictions

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RATE = "spend_rate"
FARTHEST = 20.0
"""No amount is predicted above so many times the largest of the training outcomes."""


class AmountHead:
    """Amounts as exp(raw score), where the raw score starts from the logarithm of a simple rule.

    The rule is (mean + scale * spend a day) / 2 in units of the mean outcome: half the average customer,
    half the customer's own past. Trees add what the rule gets wrong; they alone can't tell large spenders
    apart, because a tree knows no values beyond its last split.
    """

    kind: ClassVar[Kind] = "amount"

    def __init__(self, mean: float, scale: float, most: float) -> None:
        """mean: of the outcomes, minor units. scale: days. most: largest raw score."""
        self._mean, self._scale, self._most = mean, scale, most
        self._factor = 1.0
        self._bands = Bands((), (0.0,), (1.0,), 1.0)

    @classmethod
    def start(cls, outcome: Floats, frame: pd.DataFrame) -> Self:
        """The rule's two numbers from training outcomes and features."""
        mean = max(float(outcome.mean()), 1e-9)
        rate = _rate(frame)
        total = float(rate.sum())
        scale = float(outcome.sum()) / total if total > 0 else 0.0
        return cls(mean, scale, float(np.log(max(float(outcome.max()), mean) / mean * FARTHEST)))

    def target(self, outcome: Floats) -> Floats:
        """Outcomes in units of their mean, so that options mean the same in any currency."""
        return outcome / self._mean

    def offset(self, frame: pd.DataFrame) -> Floats | None:
        """The rule's logarithm, shape (n,)."""
        start: Floats = np.log((1.0 + self._scale * _rate(frame) / self._mean) / 2)
        return start

    def calibrate(self, out_of_fold: Floats | None, outcome: Floats, cluster: Ints) -> None:  # noqa: ARG002
        """Make predicted and true totals equal out of fold, and learn the bands from the same predictions."""
        raw = np.zeros(len(outcome)) if out_of_fold is None else out_of_fold
        total = float(self._amount(raw).sum())
        self._factor = float(outcome.sum()) / total if total > 0 else 0.0
        self._bands = Bands.fit(self._amount(raw) * self._factor, outcome)

    def predict(self, raw: Floats) -> Predictions:
        """Amounts with conformal 95% bands for the outcome; raw: scores of each member, shape (K, n)."""
        value = self._amount(raw.mean(axis=0)) * self._factor
        low, high = self._bands.interval(value)
        return Predictions(value, low, high)

    def add_offset(
        self, contributions: Floats, base: Floats, frame: pd.DataFrame, names: Sequence[str]
    ) -> tuple[Floats, Floats]:
        """The rule's part, added to the contribution of the spend rate where the trees read it."""
        start = self.offset(frame)
        if start is None or RATE not in names:
            return contributions, base if start is None else base + start
        at = names.index(RATE)
        contributions = contributions.copy()
        contributions[:, at] += start
        return contributions, base

    def dump(self) -> dict[str, Any]:
        """JSON content; `parse` reads it."""
        return {
            "mean": self._mean,
            "scale": self._scale,
            "most": self._most,
            "factor": self._factor,
            "bands": self._bands.dump(),
        }

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> Self:
        """Read what `dump` gave."""
        head = cls(content["mean"], content["scale"], content["most"])
        head._factor = content["factor"]
        head._bands = Bands.parse(content["bands"])
        return head

    def _amount(self, raw: Floats) -> Floats:
        amount: Floats = self._mean * np.exp(np.clip(raw, -30.0, self._most))
        return amount


def _rate(frame: pd.DataFrame) -> Floats:
    """Spend a day, 0 where nothing was ever bought."""
    rate: Floats = np.nan_to_num(frame[RATE].to_numpy(np.float64))
    return rate
