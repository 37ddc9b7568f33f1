"""From raw scores of an ensemble to calibrated probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.behavior.calibration import Calibration
from mercer.behavior.options import Kind
from mercer.contracts import Predictions

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class ProbabilityHead:
    """Calibrates the members' mean log-odds; their disagreement widens the interval."""

    kind: ClassVar[Kind] = "probability"

    def __init__(self, calibration: Calibration | None = None) -> None:
        self._calibration = calibration or Calibration(0.0, 1.0, (0.0, 0.0, 0.0))

    def target(self, outcome: Floats) -> Floats:
        """What the trees are fitted to."""
        return outcome

    def offset(self, frame: pd.DataFrame) -> Floats | None:  # noqa: ARG002
        """Probabilities start from nothing."""
        return None

    def calibrate(self, out_of_fold: Floats | None, outcome: Floats, cluster: Ints) -> None:
        """Learn the line from out-of-fold scores, or the base rate where there are none."""
        if out_of_fold is None:
            self._calibration = Calibration.constant(outcome, cluster)
        else:
            self._calibration = Calibration.fit(out_of_fold, outcome, cluster)

    def predict(self, raw: Floats) -> Predictions:
        """Probabilities with the interval of `Calibration`; raw: scores of each member, shape (K, n)."""
        members = len(raw)
        score = raw.mean(axis=0)
        # Grouped jackknife (Efron and Tibshirani 1993, ch. 11): each member left one fold of entities out.
        spread = np.sqrt((members - 1) / members * ((raw - score) ** 2).sum(axis=0))
        low, high = self._calibration.interval(score, spread)
        return Predictions(self._calibration.value(score), low, high)

    def add_offset(
        self,
        contributions: Floats,
        base: Floats,
        frame: pd.DataFrame,  # noqa: ARG002
        names: Sequence[str],  # noqa: ARG002
    ) -> tuple[Floats, Floats]:
        """Nothing to add: the trees' contributions are all there is."""
        return contributions, base

    def dump(self) -> dict[str, Any]:
        """JSON content; `parse` reads it."""
        return self._calibration.dump()

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> Self:
        """Read what `dump` gave."""
        return cls(Calibration.parse(content))
