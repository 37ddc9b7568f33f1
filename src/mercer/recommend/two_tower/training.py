"""The training of two towers with Keras: epochs over the questions, AdamW with a falling rate, the best epoch kept."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mercer.contracts import Progress
from mercer.recommend.scoring import Arrays
from mercer.recommend.two_tower.batches import Questions
from mercer.recommend.two_tower.options import TwoTowerOptions
from mercer.recommend.two_tower.towers import Towers

Measured = Callable[[Arrays], float]
"""How well arrays of towers rank held-out requests; more is better."""

_WARMUP = 0.05
"""Share of the steps in which the learning rate rises."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one pass brought: mean loss of a question, the held-out metric (None without validation)."""

    loss: float
    value: float | None


class TowerTraining:
    """One training; `run` does it. deadline: of time.perf_counter(), after which no further step is begun."""

    def __init__(
        self,
        towers: Towers,
        questions: Questions,
        options: TwoTowerOptions,
        *,
        measured: Measured | None,
        seed: int,
        deadline: float,
        progress: Progress,
    ) -> None:
        """Nothing is computed yet."""
        self._towers, self._questions, self._options, self._measured = towers, questions, options, measured
        self._deadline, self._progress = deadline, progress
        self._rng = np.random.default_rng([seed, 2])
        self._optimizer = towers.backend.keras.optimizers.AdamW(0.0, weight_decay=options.weight_decay)
        self._learn = towers.learner(self._optimizer)
        self._done, self._total = 0, options.epochs * questions.batches
        self.epochs: list[Epoch] = []
        self.notes: tuple[str, ...] = ()

    def run(self) -> Arrays:
        """Learn for `epochs`, until the metric has not risen for `patience` epochs, or until the time is up.

        Returns the arrays of the best epoch where there is a metric, else the last ones.
        """
        best, kept, last = -math.inf, self._towers.arrays(), 0
        for number in range(self._options.epochs):
            loss, in_time = self._epoch()
            arrays = self._towers.arrays()
            found = self._measured(arrays) if self._measured is not None else None
            self.epochs.append(Epoch(loss, found))
            if found is None or found > best:
                best, kept, last = best if found is None else found, arrays, number
            if not in_time:
                self.notes = (
                    f"The training stopped at its time limit, {self._done} of {self._total} steps done.",
                )
            if not in_time or number - last >= self._options.patience:
                break
        return kept

    def _epoch(self) -> tuple[float, bool]:
        """Mean loss of a question, and whether there was time for all of them."""
        losses, asked = 0.0, 0
        for batch in self._questions.epoch(self._rng):
            if asked and time.perf_counter() > self._deadline:
                return losses / asked, False
            self._optimizer.learning_rate = self._options.learning_rate * rate(self._done / self._total)
            hidden = self._rng.random(len(batch.item)) < self._options.id_dropout
            losses += self._learn(batch, hidden) * len(batch.answer)
            asked, self._done = asked + len(batch.answer), self._done + 1
            self._progress.advance(self._done, self._total, f"steps, loss {losses / asked:.3f}")
        return losses / max(1, asked), True


def rate(done: float) -> float:
    """The learning rate over its highest at a share `done` of the training: a short rise, then half a cosine to 0."""
    if done < _WARMUP:
        return done / _WARMUP
    return 0.5 * (1 + math.cos(math.pi * (done - _WARMUP) / (1 - _WARMUP)))
