"""`past-spend`, `past-frequency`, `recency`: what one number alone says. The first opponents of any model.

A probability is a line on the log-odds of the number's logarithm. An amount is the number (for recency, one over a
month and it) times one factor.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.behavior import storage
from mercer.behavior.folds import entity_numbers
from mercer.behavior.labels import checked, in_order
from mercer.behavior.options import Kind, PredictorOptions
from mercer.behavior.probabilities import ProbabilityHead
from mercer.behavior.reasons import strongest
from mercer.behavior.scaled import ScaledAmounts
from mercer.contracts import Budget, Estimate, Labelled, Predictions, Reason, Runtime, Snapshots
from mercer.errors import UsageError
from mercer.features import compute

Floats = npt.NDArray[np.float64]


class Single(ABC):
    """One feature, larger is better after `strength`. Stability: caller stable."""

    name: ClassVar[str]
    kinds: ClassVar[tuple[Kind, ...]] = ("probability", "amount")
    stochastic: ClassVar[bool] = False
    feature: ClassVar[str]

    class Options(PredictorOptions):
        """Nothing to choose but the kind."""

    options: Options

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or self.Options()
        self._head: ProbabilityHead | ScaledAmounts | None = None
        self._average = 0.0

    @staticmethod
    @abstractmethod
    def strength(value: Floats) -> Floats:
        """A number >= 0 that grows with the outcome, 0 where the feature is missing; shape (n,)."""

    def fit(
        self,
        train: Labelled,
        *,
        validation: Labelled | None = None,  # noqa: ARG002
        budget: Budget,  # noqa: ARG002
        seed: int,  # noqa: ARG002
        runtime: Runtime,  # noqa: ARG002
    ) -> Self:
        """Learn the line or the factor from `train` alone. Raises DataError for unusable labels."""
        kind = checked(train, self.options.kind)
        train = in_order(train)
        strength = self._strength(compute(train.snapshots))
        raw = self._raw(strength, kind)
        self._average = float(raw.mean())
        if kind == "probability":
            self._head = ProbabilityHead()
            two = len(np.unique(train.outcome)) > 1
            self._head.calibrate(
                raw if two else None, train.outcome, entity_numbers(train.snapshots.entities)
            )
        else:
            self._head = ScaledAmounts.fit(raw, train.outcome)
        return self

    def predict(self, snapshots: Snapshots) -> Predictions:
        """Probabilities with the calibration's 95% interval, or amounts with conformal 95% bands, shape (n,)."""
        head = self._fitted()
        raw = self._raw(self._strength(compute(snapshots)), head.kind)
        return head.predict(raw[None, :] if isinstance(head, ProbabilityHead) else raw)

    def explain(self, snapshots: Snapshots, n: int = 4) -> list[list[Reason]]:
        """The number itself, against the average of the training rows."""
        head = self._fitted()
        frame = compute(snapshots)
        raw = self._raw(self._strength(frame), head.kind) - self._average
        return strongest((self.feature,), frame[[self.feature]].to_numpy(np.float64), raw[:, None], n)

    def feature_names(self) -> tuple[str, ...]:
        """The one feature."""
        self._fitted()
        return (self.feature,)

    def save(self, folder: Path) -> None:
        """Write predictor.json."""
        head = self._fitted()
        content = {
            "options": self.options.model_dump(mode="json"),
            "kind": head.kind,
            "average": self._average,
            "head": head.dump(),
        }
        storage.write(folder, self.name, content)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises DamagedError when the file is missing or damaged."""
        content = storage.read(folder, cls.name)
        with storage.damage():
            predictor = cls(cls.Options(**content["options"]))
            head = ProbabilityHead if content["kind"] == "probability" else ScaledAmounts
            predictor._head = head.parse(content["head"])
            predictor._average = float(content["average"])
        return predictor

    def estimate(self, train: Labelled) -> Estimate:
        """Seconds and MiB of a fit: almost all of it is the computation of features."""
        events = train.snapshots.history.n_events
        return Estimate(0.1 + events * 1e-6, 100.0 + events * 300 / 2**20)

    def _strength(self, frame: pd.DataFrame) -> Floats:
        return self.strength(frame[self.feature].to_numpy(np.float64))

    def _raw(self, strength: Floats, kind: Kind) -> Floats:
        return np.log1p(strength) if kind == "probability" else strength

    def _fitted(self) -> ProbabilityHead | ScaledAmounts:
        if self._head is None:
            raise UsageError(f"This {self.name} is not fitted.", remedy="Call fit, or load a fitted one.")
        return self._head


class PastSpend(Single):
    """Net spend so far."""

    name = "past-spend"
    feature = "net_spend"

    @staticmethod
    def strength(value: Floats) -> Floats:
        """Spend below nothing is nothing."""
        return np.maximum(np.nan_to_num(value), 0.0)


class PastFrequency(Single):
    """Days with a purchase so far."""

    name = "past-frequency"
    feature = "purchase_days"

    @staticmethod
    def strength(value: Floats) -> Floats:
        """The count itself."""
        return np.nan_to_num(value)


class Recency(Single):
    """Days since the last purchase."""

    name = "recency"
    feature = "days_since_purchase"

    @staticmethod
    def strength(value: Floats) -> Floats:
        """A year over a month and the days: about 12 for today, 1 for a year ago, 0 for never."""
        return np.where(np.isnan(value), 0.0, 365.0 / (30.0 + np.maximum(np.nan_to_num(value), 0.0)))
