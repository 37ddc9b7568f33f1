"""`lightgbm`: boosted trees on point-in-time features, calibrated, with intervals and reasons.

A probability is a binary objective, calibrated on scores of entities that the scoring member never saw. An
amount is a Tweedie objective that starts from the simple rule (spend a day, scaled to the horizon) and
learns what to change in it; a factor from out-of-fold predictions takes out the bias that is left.
Decision 0011 says what was measured against it.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from mercer.behavior import storage
from mercer.behavior.amounts import AmountHead
from mercer.behavior.folds import entity_folds, entity_numbers
from mercer.behavior.labels import checked, in_order
from mercer.behavior.matrix import Encoding
from mercer.behavior.options import Kind, PredictorOptions
from mercer.behavior.probabilities import ProbabilityHead
from mercer.behavior.reasons import strongest
from mercer.behavior.trees import Grown, Trees, grow
from mercer.contracts import Budget, Estimate, Labelled, Predictions, Reason, Runtime, Snapshots, searched
from mercer.errors import UsageError
from mercer.features import compute

Floats = npt.NDArray[np.float64]

FEWEST_ENTITIES = 20
"""With fewer entities (or one class only) trees learn nothing: every row then gets the base rate."""

ONE_THREAD_CELLS = 2_000_000
"""Below so many matrix cells a second thread costs more in waiting than it saves."""


class LightGbm:
    """Gradient-boosted trees (Ke et al., NeurIPS 2017). Stability: caller stable."""

    name: ClassVar[str] = "lightgbm"
    kinds: ClassVar[tuple[Kind, ...]] = ("probability", "amount")
    stochastic: ClassVar[bool] = True

    class Options(PredictorOptions):
        """Shape and pace of the trees. Defaults were chosen before any test (decision 0011)."""

        rounds: int = Field(400, ge=1, description="most trees a member; held-out loss stops earlier")
        patience: int = Field(50, ge=1, description="rounds without a better held-out loss before stopping")
        learning_rate: float = searched(
            0.05,
            low=0.02,
            high=0.2,
            log=True,
            gt=0,
            le=1,
            description="share of each tree's answer that is added",
        )
        leaves: int = searched(7, low=3, high=31, log=True, ge=2, le=4096, description="most leaves a tree")
        min_rows_per_leaf: int = searched(
            40,
            low=5,
            high=200,
            log=True,
            ge=1,
            description="fewest rows a leaf; small sets use a tenth of their rows at most",
        )
        l2: float = searched(
            5.0, low=0.1, high=100.0, log=True, ge=0, description="ridge penalty on leaf values"
        )
        feature_share: float = searched(
            0.4, low=0.1, high=1.0, gt=0, le=1, description="share of features each tree may use"
        )
        row_share: float = Field(0.8, gt=0, le=1, description="share of rows each tree sees")
        folds: int = Field(
            5, ge=2, le=20, description="members, each fitted without one fold of the entities"
        )
        tweedie_power: float = Field(
            1.5, gt=1, lt=2, description="amounts: how fast the variance grows with the mean"
        )

    options: Options

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or self.Options()
        self.notes: tuple[str, ...] = ()
        self._encoding = Encoding(())
        self._trees: Trees | None = None
        self._head: ProbabilityHead | AmountHead | None = None

    def fit(
        self,
        train: Labelled,
        *,
        validation: Labelled | None = None,  # noqa: ARG002
        budget: Budget,
        seed: int,
        runtime: Runtime,
    ) -> Self:
        """Learn from `train` alone: rounds and calibration come from folds of its entities.

        `validation` is left for the choice among models. A fit that would pass the budget keeps the rounds it
        has and says so in `notes`. Raises DataError for labels that can't be learned from.
        """
        deadline = time.perf_counter() + budget.seconds
        kind = checked(train, self.options.kind)
        train = in_order(train)
        frame = compute(train.snapshots)
        cluster = entity_numbers(train.snapshots.entities)
        self._encoding, self._trees, self.notes = Encoding.learn(frame), None, ()
        head = self._new_head(kind, train.outcome, frame)
        grown = None
        if (
            self._encoding.names
            and int(cluster.max()) + 1 >= FEWEST_ENTITIES
            and len(np.unique(train.outcome)) > 1
        ):
            grown = self._grow(train, frame, head, deadline=deadline, seed=seed, runtime=runtime)
            self._trees = grown.trees
            if not grown.in_time:
                self.notes = (
                    f"The fit stopped after {grown.rounds} rounds: its {budget.seconds:g} s were spent.",
                )
        else:
            self._encoding = Encoding(())
            self.notes = (
                "Too few entities, outcomes or features to learn from: every row gets the average.",
            )
        head.calibrate(None if grown is None else grown.out_of_fold, train.outcome, cluster)
        self._head = head
        return self

    def predict(self, snapshots: Snapshots) -> Predictions:
        """Calibrated values with 95% intervals, shape (n,); what an interval means is said by its head."""
        head = self._fitted()
        frame = compute(snapshots)
        return head.predict(self._raw(frame, head))

    def explain(self, snapshots: Snapshots, n: int = 4) -> list[list[Reason]]:
        """The n strongest reasons a row from LightGBM's own contributions (Lundberg et al. 2020).

        They are on the scale of the raw score: log-odds before calibration, or the logarithm of an amount.
        """
        frame = compute(snapshots)
        contributions, _ = self._contributions(frame)
        values = self._encoding.matrix(frame)
        return strongest(self._encoding.names, values, contributions, n, self._encoding)

    def contributions(self, snapshots: Snapshots) -> tuple[pd.DataFrame, Floats]:
        """Contributions, a row a snapshot, and the base, shape (n,); they sum to `raw_score`."""
        contributions, base = self._contributions(compute(snapshots))
        return pd.DataFrame(contributions, columns=list(self._encoding.names)), base

    def raw_score(self, snapshots: Snapshots) -> Floats:
        """Mean raw score of the members, shape (n,): log-odds, or log of amount over mean amount."""
        frame = compute(snapshots)
        return np.asarray(self._raw(frame, self._fitted()).mean(axis=0), np.float64)

    def feature_names(self) -> tuple[str, ...]:
        """Names of the features read."""
        return self._encoding.names

    def save(self, folder: Path) -> None:
        """Write predictor.json and a text file of trees for each member."""
        head = self._fitted()
        content = {
            "options": self.options.model_dump(mode="json"),
            "kind": head.kind,
            "encoding": self._encoding.dump(),
            "trees": [] if self._trees is None else list(self._trees.hashes),
            "head": head.dump(),
            "notes": list(self.notes),
        }
        storage.write(folder, self.name, content)
        if self._trees is not None:
            self._trees.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises DamagedError when something is missing or damaged."""
        content = storage.read(folder, cls.name)
        with storage.damage():
            predictor = cls(cls.Options(**content["options"]))
            predictor._encoding = Encoding.parse(content["encoding"])
            head = ProbabilityHead if content["kind"] == "probability" else AmountHead
            predictor._head = head.parse(content["head"])
            predictor.notes = tuple(content["notes"])
            hashes = [str(known) for known in content["trees"]]
        predictor._trees = Trees.load(folder, hashes) if hashes else None
        return predictor

    def estimate(self, train: Labelled) -> Estimate:
        """Seconds and MiB of a fit that uses all its rounds; measured on one core with fifty features."""
        rows, events = len(train), train.snapshots.history.n_events
        seconds = 0.3 + rows * self.options.folds * self.options.rounds * 4.5e-8 + events * 1e-6
        return Estimate(seconds, 150.0 + (rows * 2000 + events * 300) / 2**20)

    def _new_head(self, kind: Kind, outcome: Floats, frame: pd.DataFrame) -> ProbabilityHead | AmountHead:
        return ProbabilityHead() if kind == "probability" else AmountHead.start(outcome, frame)

    def _grow(
        self,
        train: Labelled,
        frame: pd.DataFrame,
        head: ProbabilityHead | AmountHead,
        *,
        deadline: float,
        seed: int,
        runtime: Runtime,
    ) -> Grown:
        matrix = self._encoding.matrix(frame)
        folds = min(self.options.folds, len(set(train.snapshots.entities)))
        fold = entity_folds(train.snapshots.entities, train.outcome > 0, folds, seed)
        return grow(
            matrix,
            head.target(train.outcome),
            fold=fold,
            offset=head.offset(frame),
            categorical=self._encoding.categorical,
            params=self._params(head.kind, matrix, seed, runtime),
            rounds=self.options.rounds,
            patience=self.options.patience,
            deadline=deadline,
            progress=runtime.progress,
        )

    def _params(self, kind: Kind, matrix: Floats, seed: int, runtime: Runtime) -> dict[str, Any]:
        o = self.options
        objective: Literal["binary", "tweedie"] = "binary" if kind == "probability" else "tweedie"
        return {
            "objective": objective,
            "tweedie_variance_power": o.tweedie_power,
            "learning_rate": o.learning_rate,
            "num_leaves": o.leaves,
            "min_data_in_leaf": min(o.min_rows_per_leaf, max(2, len(matrix) // 10)),
            "lambda_l2": o.l2,
            "feature_fraction": o.feature_share,
            "bagging_fraction": o.row_share,
            "bagging_freq": 1 if o.row_share < 1 else 0,
            "boost_from_average": kind == "probability",
            "seed": seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1 if matrix.size < ONE_THREAD_CELLS else max(1, runtime.threads),
        }

    def _raw(self, frame: pd.DataFrame, head: ProbabilityHead | AmountHead) -> Floats:
        """Raw scores of each member, shape (K, n)."""
        start = head.offset(frame)
        raw = (
            np.zeros((1, len(frame)))
            if self._trees is None
            else self._trees.raw(self._encoding.matrix(frame))
        )
        return raw if start is None else raw + start

    def _contributions(self, frame: pd.DataFrame) -> tuple[Floats, Floats]:
        head = self._fitted()
        if self._trees is None:
            start = head.offset(frame)
            return np.zeros((len(frame), 0)), np.zeros(len(frame)) if start is None else start
        contributions, base = self._trees.contributions(self._encoding.matrix(frame))
        return head.add_offset(contributions, base, frame, self._encoding.names)

    def _fitted(self) -> ProbabilityHead | AmountHead:
        if self._head is None:
            raise UsageError("This lightgbm is not fitted.", remedy="Call fit, or load a fitted one.")
        return self._head
