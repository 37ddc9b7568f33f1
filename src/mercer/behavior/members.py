"""What predictors share that are a few members, each fitted without one fold of the entities.

The members' mean is the score; their disagreement is its standard error; and the scores that each member gives to the
entities it never saw calibrate the whole, so no label calibrates a score that it had a part in. A subclass fits one
member to a matrix, scores rows with it, and says what each column contributed.
"""

from __future__ import annotations

import hashlib
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from mercer.behavior import storage
from mercer.behavior.folds import entity_folds, entity_numbers
from mercer.behavior.labels import checked, in_order
from mercer.behavior.matrix import Encoding
from mercer.behavior.options import Kind, PredictorOptions
from mercer.behavior.probabilities import ProbabilityHead
from mercer.behavior.reasons import strongest
from mercer.contracts import Budget, Estimate, Labelled, Predictions, Reason, Runtime, Snapshots
from mercer.errors import DamagedError, DataError, UsageError
from mercer.features import compute

Floats = npt.NDArray[np.float64]
Arrays = Mapping[str, npt.NDArray[Any]]

FEWEST_ENTITIES = 20
FILE = "members.safetensors"


class MemberPredictor(ABC):
    """Probabilities from members of one kind. Stability: callers and implementers stable."""

    name: ClassVar[str]
    kinds: ClassVar[tuple[Kind, ...]] = ("probability",)
    stochastic: ClassVar[bool] = True

    class Options(PredictorOptions):
        """How many members there are."""

        folds: int = Field(
            5, ge=2, le=20, description="members, each fitted without one fold of the entities"
        )

    options: Options

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or self.Options()
        self.notes: tuple[str, ...] = ()
        self._encoding = Encoding(())
        self._members: tuple[Arrays, ...] = ()
        self._head: ProbabilityHead | None = None

    @abstractmethod
    def learn(self, matrix: Floats, outcome: Floats, encoding: Encoding, seed: int, threads: int) -> Arrays:
        """A member fitted to float64 (n, F), NaN where missing, and 0/1 outcomes of both kinds."""

    @abstractmethod
    def raw(self, member: Arrays, matrix: Floats) -> Floats:
        """Scores on the log-odds scale, shape (n,); no row may depend on another."""

    @abstractmethod
    def parts(self, member: Arrays, matrix: Floats) -> Floats:
        """What each column contributes to a row's score, shape (n, F)."""

    def fit(
        self,
        train: Labelled,
        *,
        validation: Labelled | None = None,  # noqa: ARG002
        budget: Budget,
        seed: int,
        runtime: Runtime,
    ) -> Self:
        """Learn from `train` alone; `validation` is left for the choice among models.

        A fit that would pass the budget stops after the members it has (one at least) and says so in `notes`.
        Raises DataError for labels that can't be learned from.
        """
        deadline = time.perf_counter() + budget.seconds
        if checked(train, self.options.kind) != "probability":
            raise DataError(f"{self.name} predicts probabilities only.", remedy="Choose another model.")
        train = in_order(train)
        frame = compute(train.snapshots)
        cluster = entity_numbers(train.snapshots.entities)
        self._encoding, self._members, self.notes = Encoding.learn(frame), (), ()
        out_of_fold: Floats | None = None
        if self._can_learn(train, cluster):
            matrix = self._encoding.matrix(frame)
            folds = min(self.options.folds, len(set(train.snapshots.entities)))
            fold = entity_folds(train.snapshots.entities, train.outcome > 0, folds, seed)
            out_of_fold = self._fit_members(matrix, train.outcome, fold, deadline, seed, runtime)
        else:
            self._encoding = Encoding(())
            self.notes = (
                "Too few entities, outcomes or features to learn from: every row gets the average.",
            )
        head = ProbabilityHead()
        if out_of_fold is None:
            head.calibrate(None, train.outcome, cluster)
        else:
            seen = np.isfinite(out_of_fold)
            inside = np.unique(cluster[seen], return_inverse=True)[1].astype(np.int64)
            head.calibrate(out_of_fold[seen], train.outcome[seen], inside)
        self._head = head
        return self

    def _can_learn(self, train: Labelled, cluster: npt.NDArray[np.int64]) -> bool:
        enough = int(cluster.max()) + 1 >= FEWEST_ENTITIES and len(np.unique(train.outcome)) > 1
        return bool(self._encoding.names) and enough

    def _fit_members(
        self,
        matrix: Floats,
        outcome: Floats,
        fold: npt.NDArray[np.int64],
        deadline: float,
        seed: int,
        runtime: Runtime,
    ) -> Floats:
        """Fit the members; returns each row's score by the member that never saw it, NaN where time ran out."""
        scores = np.full(len(outcome), np.nan)
        members: list[Arrays] = []
        held_out = [k for k in range(int(fold.max()) + 1) if len(np.unique(outcome[fold != k])) > 1]
        for k in held_out:
            if members and time.perf_counter() > deadline:
                self.notes = (
                    f"The fit stopped after {len(members)} of {len(held_out)} members: time was up.",
                )
                break
            rows = fold != k
            member = self.learn(matrix[rows], outcome[rows], self._encoding, seed + k, runtime.threads)
            scores[~rows] = self.raw(member, matrix[~rows])
            members.append(member)
            runtime.progress.advance(len(members), len(held_out), "members")
        self._members = tuple(members)
        return scores

    def predict(self, snapshots: Snapshots) -> Predictions:
        """Calibrated probabilities with 95% intervals, shape (n,)."""
        head = self._fitted()
        return head.predict(self._raw(self._encoding.matrix(compute(snapshots))))

    def explain(self, snapshots: Snapshots, n: int = 4) -> list[list[Reason]]:
        """The n strongest reasons a row, on the scale of the member's own score."""
        self._fitted()
        matrix = self._encoding.matrix(compute(snapshots))
        if not self._members:
            return [[] for _ in range(len(matrix))]
        total = np.mean([self.parts(member, matrix) for member in self._members], axis=0)
        return strongest(self._encoding.names, matrix, total, n, self._encoding)

    def feature_names(self) -> tuple[str, ...]:
        """Names of the features read."""
        self._fitted()
        return self._encoding.names

    def save(self, folder: Path) -> None:
        """Write predictor.json and the members' arrays (safetensors)."""
        from safetensors.numpy import save

        head = self._fitted()
        flat = {
            f"{at}.{name}": np.ascontiguousarray(array)
            for at, member in enumerate(self._members)
            for name, array in member.items()
        }
        content = save(flat)
        (folder / FILE).write_bytes(content)
        storage.write(
            folder,
            self.name,
            {
                "options": self.options.model_dump(mode="json"),
                "encoding": self._encoding.dump(),
                "head": head.dump(),
                "members": len(self._members),
                "hash": hashlib.sha256(content).hexdigest(),
                "notes": list(self.notes),
            },
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises DamagedError when something is missing or damaged."""
        from safetensors.numpy import load

        content = storage.read(folder, cls.name)
        try:
            stored = (folder / FILE).read_bytes()
        except OSError as fault:
            raise DamagedError(f"{FILE} is missing.", remedy="Fit the model again.") from fault
        with storage.damage():
            if hashlib.sha256(stored).hexdigest() != content["hash"]:
                raise DamagedError(f"{FILE} differs from what was saved.", remedy="Fit the model again.")
            predictor = cls(cls.Options(**content["options"]))
            predictor._encoding = Encoding.parse(content["encoding"])
            predictor._head = ProbabilityHead.parse(content["head"])
            predictor.notes = tuple(content["notes"])
            flat = load(stored)
            predictor._members = tuple(
                {name.split(".", 1)[1]: array for name, array in flat.items() if name.startswith(f"{at}.")}
                for at in range(content["members"])
            )
        return predictor

    def estimate(self, train: Labelled) -> Estimate:
        """Seconds and MiB of a fit."""
        rows, events = len(train), train.snapshots.history.n_events
        return Estimate(
            0.5 + rows * self.options.folds * self.cost + events * 1e-6, 150.0 + rows * 4000 / 2**20
        )

    cost: ClassVar[float] = 2e-5
    """Seconds a row and member, measured on one core with fifty features."""

    def _raw(self, matrix: Floats) -> Floats:
        if not self._members:
            return np.zeros((1, len(matrix)))
        return np.stack([self.raw(member, matrix) for member in self._members])

    def _fitted(self) -> ProbabilityHead:
        if self._head is None:
            raise UsageError(f"This {self.name} is not fitted.", remedy="Call fit, or load a fitted one.")
        return self._head
