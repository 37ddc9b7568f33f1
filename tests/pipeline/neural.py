"""A tiny neural ranker, installed as another package would be: what comes after the last item, learned by the loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from mercer.contracts import Budget, Dataset, Floats32, Holdout, Interactions, Requests, Runtime
from mercer.recommend.scoring import Arrays, ScoringRanker
from mercer.training import TrainingEstimate, TrainingOptions, TrainingRecord, estimate, train
from mercer.training.trainee import Rows

WIDTH = 8


class Pairs:
    """Trainee: every item of the log foretells the one after it."""

    def __init__(self, log: Interactions, seed: int, *, validates: bool) -> None:
        follows = np.diff(log.user_of) == 0
        self.before, self.after = (
            torch.tensor(one[follows].astype(np.int64)) for one in (log.item[:-1], log.item[1:])
        )
        self.n_items = len(log.items)
        self.validates = validates
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.module: Any = torch.nn.ModuleDict(
                {
                    "before": torch.nn.Embedding(self.n_items, WIDTH),
                    "after": torch.nn.Embedding(self.n_items, WIDTH),
                }
            )

    def costs(self) -> Rows:
        return np.ones(len(self.before), dtype=np.int64)

    def loss(self, rows: Rows, generator: torch.Generator) -> tuple[torch.Tensor, float]:
        scores = self.module["before"](self.before[rows]) @ self.module["after"].weight.T
        return torch.nn.functional.cross_entropy(scores, self.after[rows], reduction="sum"), float(len(rows))

    def validate(self) -> float | None:
        return -float(self.module["after"].weight.square().mean()) if self.validates else None


class TinyNet(ScoringRanker):
    """What comes after the last item."""

    name = "tiny-net"
    stochastic = True

    class Options(TrainingOptions):
        """Quick ones."""

        epochs: int = 3
        batch_tokens: int = 256
        checkpoint_every: int = 10
        estimate_steps: int = 3

    options: Options

    def fit(
        self,
        train: Dataset,
        *,
        validation: Holdout | None = None,
        budget: Budget | None = None,
        seed: int = 0,
        runtime: Runtime | None = None,
    ) -> Self:
        return self._fit(train, validation, budget, seed, runtime)

    def _fit(self, data: Dataset, validation: Any, budget: Any, seed: int, runtime: Any) -> Self:
        trainee = self._trainee(data, validation, seed)
        facts = {"catalogue": data.vocabulary.fingerprint}
        self.training: TrainingRecord = train(
            trainee, self.options, seed=seed, facts=facts, runtime=runtime, budget=budget
        )
        self.notes = self.training.notes
        self.state = {name: part.weight.detach().numpy() for name, part in trainee.module.items()}
        self._catalogue = data.vocabulary.fingerprint
        return self

    def _trainee(self, data: Dataset, validation: Holdout | None, seed: int) -> Pairs:
        assert data.interactions is not None
        return Pairs(data.interactions, seed, validates=validation is not None)

    def measure(
        self, train: Dataset, *, validation: Holdout | None, seed: int, runtime: Runtime
    ) -> TrainingEstimate:
        return estimate(self._trainee(train, validation, seed), self.options, seed=seed, runtime=runtime)

    def learn(self, train: Dataset, log: Interactions, seed: int) -> Arrays:
        return self.fit(train, seed=seed).state

    def score_rows(self, requests: Requests) -> Floats32:
        history = requests.history
        scores = np.zeros((len(requests), len(requests.items)), np.float32)
        for row, (start, end) in enumerate(zip(history.indptr[:-1], history.indptr[1:], strict=True)):
            if end > start:
                scores[row] = self.state["after"] @ self.state["before"][history.item[end - 1]]
        return scores

    def parameters(self) -> list[tuple[str, str]]:
        return [("The last item", "What tends to come after it comes first.")]


def install(folder: Path) -> None:
    """Write the entry point into a folder that is then put on the path."""
    about = folder / "tiny_net-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-net\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[mercer.rankers]\ntiny-net = pipeline.neural:TinyNet\n")
