"""`past-rate`: what recency, frequency and past spend alone say. The opponent that a model must beat.

A probability is the share of past entities with a similar recency and frequency that did it, drawn towards
the share of all. An amount is the entity's past spend a day over the horizon, times one factor.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

from mercer.behavior import storage
from mercer.behavior.folds import entity_numbers
from mercer.behavior.labels import checked, in_order
from mercer.behavior.options import Kind, PredictorOptions
from mercer.behavior.rates import RateTable
from mercer.behavior.reasons import strongest
from mercer.behavior.spending import SpendRule
from mercer.contracts import Budget, Estimate, Labelled, Predictions, Reason, Runtime, Snapshots, searched
from mercer.errors import UsageError
from mercer.features import compute


class PastRate:
    """A table and a factor. Stability: caller stable."""

    name: ClassVar[str] = "past-rate"
    kinds: ClassVar[tuple[Kind, ...]] = ("probability", "amount")
    stochastic: ClassVar[bool] = False

    class Options(PredictorOptions):
        """How coarse the table is and how strongly small cells are drawn to the average."""

        recency_bins: int = searched(
            5,
            low=2,
            high=20,
            log=True,
            ge=1,
            le=50,
            description="ranges of recency with equal numbers of rows",
        )
        smoothing: float = searched(
            20.0,
            low=2.0,
            high=200.0,
            log=True,
            gt=0,
            description="rows that the average counts for in every cell",
        )

    options: Options

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or self.Options()
        self._rule: RateTable | SpendRule | None = None

    def fit(
        self,
        train: Labelled,
        *,
        validation: Labelled | None = None,  # noqa: ARG002
        budget: Budget,  # noqa: ARG002
        seed: int,  # noqa: ARG002
        runtime: Runtime,  # noqa: ARG002
    ) -> Self:
        """Learn the table or the factor from `train` alone. Raises DataError for unusable labels."""
        kind = checked(train, self.options.kind)
        train = in_order(train)
        frame = compute(train.snapshots)
        if kind == "probability":
            self._rule = RateTable.fit(
                frame,
                train.outcome,
                entity_numbers(train.snapshots.entities),
                recency_bins=self.options.recency_bins,
                smoothing=self.options.smoothing,
            )
        else:
            self._rule = SpendRule.fit(frame, train.outcome)
        return self

    def predict(self, snapshots: Snapshots) -> Predictions:
        """Rates with a 95% interval of the cell's rate, or amounts with conformal 95% bands; shape (n,)."""
        return self._fitted().predict(compute(snapshots))

    def explain(self, snapshots: Snapshots, n: int = 4) -> list[list[Reason]]:
        """Reasons: recency and frequency in log-odds, or past spend in minor units above the average."""
        rule = self._fitted()
        frame = compute(snapshots)
        return strongest(rule.names, frame[list(rule.names)].to_numpy(), rule.contributions(frame), n)

    def feature_names(self) -> tuple[str, ...]:
        """Names of the features read."""
        return self._fitted().names

    def save(self, folder: Path) -> None:
        """Write predictor.json."""
        rule = self._fitted()
        content = {
            "options": self.options.model_dump(mode="json"),
            "kind": "probability" if isinstance(rule, RateTable) else "amount",
            "rule": rule.dump(),
        }
        storage.write(folder, self.name, content)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises DamagedError when the file is missing or damaged."""
        content = storage.read(folder, cls.name)
        with storage.damage():
            predictor = cls(cls.Options(**content["options"]))
            rule = RateTable if content["kind"] == "probability" else SpendRule
            predictor._rule = rule.parse(content["rule"])
        return predictor

    def estimate(self, train: Labelled) -> Estimate:
        """Seconds and MiB of a fit: almost all of it is the computation of features."""
        events = train.snapshots.history.n_events
        return Estimate(0.1 + events * 1e-6, 100.0 + events * 300 / 2**20)

    def _fitted(self) -> RateTable | SpendRule:
        if self._rule is None:
            raise UsageError("This past-rate is not fitted.", remedy="Call fit, or load a fitted one.")
        return self._rule
