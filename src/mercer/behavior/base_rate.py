"""`base-rate`: what is true of all. The row that shows what a metric says of knowing nothing."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from mercer.behavior import storage
from mercer.behavior.bands import Bands
from mercer.behavior.folds import entity_numbers
from mercer.behavior.labels import checked, in_order
from mercer.behavior.options import Kind, PredictorOptions
from mercer.behavior.probabilities import ProbabilityHead
from mercer.behavior.scaled import ScaledAmounts
from mercer.contracts import Budget, Estimate, Labelled, Predictions, Reason, Runtime, Snapshots
from mercer.errors import UsageError


class BaseRate:
    """One number for everybody: the share, or the mean amount. Stability: caller stable."""

    name: ClassVar[str] = "base-rate"
    kinds: ClassVar[tuple[Kind, ...]] = ("probability", "amount")
    stochastic: ClassVar[bool] = False

    class Options(PredictorOptions):
        """Nothing to choose but the kind."""

    options: Options

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or self.Options()
        self._head: ProbabilityHead | ScaledAmounts | None = None

    def fit(
        self,
        train: Labelled,
        *,
        validation: Labelled | None = None,  # noqa: ARG002
        budget: Budget,  # noqa: ARG002
        seed: int,  # noqa: ARG002
        runtime: Runtime,  # noqa: ARG002
    ) -> Self:
        """Average the outcomes of `train`. Raises DataError for unusable labels."""
        kind = checked(train, self.options.kind)
        train = in_order(train)
        if kind == "probability":
            self._head = ProbabilityHead()
            self._head.calibrate(None, train.outcome, entity_numbers(train.snapshots.entities))
        else:
            mean = float(train.outcome.mean())
            self._head = ScaledAmounts(0.0, mean, Bands.fit(np.full(len(train), mean), train.outcome))
        return self

    def predict(self, snapshots: Snapshots) -> Predictions:
        """The number, with the 95% interval of the share, or the range that holds 95% of amounts; shape (n,)."""
        head, nothing = self._fitted(), np.zeros(len(snapshots))
        return head.predict(nothing[None, :] if isinstance(head, ProbabilityHead) else nothing)

    def explain(self, snapshots: Snapshots, n: int = 4) -> list[list[Reason]]:  # noqa: ARG002
        """No reasons: nothing is read."""
        self._fitted()
        return [[] for _ in range(len(snapshots))]

    def feature_names(self) -> tuple[str, ...]:
        """None."""
        self._fitted()
        return ()

    def save(self, folder: Path) -> None:
        """Write predictor.json."""
        head = self._fitted()
        content = {
            "options": self.options.model_dump(mode="json"),
            "kind": head.kind,
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
        return predictor

    def estimate(self, train: Labelled) -> Estimate:  # noqa: ARG002
        """Seconds and MiB of a fit."""
        return Estimate(0.1, 100.0)

    def _fitted(self) -> ProbabilityHead | ScaledAmounts:
        if self._head is None:
            raise UsageError("This base-rate is not fitted.", remedy="Call fit, or load a fitted one.")
        return self._head
