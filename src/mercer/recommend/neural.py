"""What rankers share that `mercer.training` trains: the record of it, notes, held-out rows, what a checkpoint is of."""

from __future__ import annotations

import hashlib
import logging
from abc import abstractmethod
from pathlib import Path
from typing import Any, Self

import numpy as np

from mercer import training
from mercer.contracts import Dataset, Estimate, Holdout, Interactions, Runtime
from mercer.contracts import Options as BaseOptions
from mercer.recommend.scoring import Arrays, ScoringRanker

log = logging.getLogger(__name__)


class NeuralRanker(ScoringRanker):
    """A ranker whose options are those of a training, with `validation_rows` held-out requests, at most, to stop it.

    training: the record of the last fit, None where nothing was trained. notes: what a reader of the results should
    know.
    """

    stochastic = True
    options: Any

    def __init__(self, options: BaseOptions | None = None) -> None:
        """Use `options`, or the documented defaults."""
        super().__init__(options)
        self.notes: tuple[str, ...] = ()
        self.training: training.TrainingRecord | None = None

    @abstractmethod
    def measure(self, train: Dataset, *, validation: Holdout | None, seed: int, runtime: Runtime) -> Estimate:
        """What `fit` is expected to take, measured in a few steps of the training."""

    def estimate(self, train: Dataset) -> Estimate:
        """What `fit` is expected to take on the CPU, without validation; see `measure`."""
        return self.measure(train, validation=None, seed=0, runtime=Runtime())

    def learn(self, train: Dataset, log: Interactions, seed: int) -> Arrays:  # noqa: ARG002
        """What `fit` learns without validation, limits or a runtime of its own."""
        return type(self)(self.options).fit(train, seed=seed).state

    @property
    def chosen(self) -> dict[str, Any]:
        """Options that validation chose in the last fit: given them, another fit answers in the same way."""
        return {"factor": float(self.state["factor"][0])} if "factor" in self.state else {}

    def save(self, folder: Path) -> None:
        """Write options.yaml, weights.safetensors and, where something was trained, training.json."""
        super().save(folder)
        if self.training is not None:
            self.training.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises DamagedError when a file is missing, damaged or another ranker's."""
        ranker = super().load(folder)
        if (folder / training.RECORD_FILE).is_file():
            ranker.training = training.TrainingRecord.load(folder / training.RECORD_FILE)
        return ranker

    def _held(self, validation: Holdout, seed: int) -> Holdout:
        """The held-out requests that are asked: a sample of all."""
        rows = np.random.default_rng([seed, 1]).permutation(len(validation))[: self.options.validation_rows]
        return validation.take(np.sort(rows))

    def _own_facts(self) -> dict[str, str]:
        """Which ranker of which catalogue a training is of, and a hash of the options that are not the training's."""
        own = set(type(self.options).model_fields) - set(training.TrainingOptions.model_fields)
        return {
            "model": self.name,
            "catalogue": self._catalogue,
            "options": hashlib.sha256(self.options.model_dump_json(include=own).encode()).hexdigest(),
        }

    def _note(self, sentence: str) -> None:
        self.notes = (*self.notes, sentence)
        log.warning(sentence)
