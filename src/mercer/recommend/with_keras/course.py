"""The course of a training: epochs, the learning rate, the held-out metric that stops it, the time limit."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from mercer.contracts import Progress
from mercer.recommend.scoring import Arrays

BatchT = TypeVar("BatchT")

Measured = Callable[[Arrays], float]
"""How well a fit's arrays rank held-out requests; more is better."""

_WARMUP = 0.05
"""Share of the steps in which the learning rate rises."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one pass brought: mean loss of a question, and the held-out metric (None without validation)."""

    loss: float
    value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson(Generic[BatchT]):
    """What is taught. deal: the batches of an epoch. steps: how many they are.

    learn: takes a batch and the learning rate, learns, and returns the summed loss and the number of questions.
    arrays: what a fit keeps, as it stands.
    """

    deal: Callable[[np.random.Generator], Iterator[BatchT]]
    steps: int
    learn: Callable[[BatchT, float], tuple[float, int]]
    arrays: Callable[[], Arrays]


class Course:
    """One training; `run` does it, after which `epochs` and `notes` say how it went.

    epochs: passes at most. patience: passes without a better metric before it stops. highest: learning rate.
    deadline: of time.perf_counter(), after which no further step is begun.
    """

    def __init__(
        self, *, epochs: int, patience: int, highest: float, seed: int, deadline: float, progress: Progress
    ) -> None:
        """Nothing is computed yet."""
        self._most, self._patience, self._highest = epochs, patience, highest
        self._rng = np.random.default_rng([seed, 2])
        self._deadline, self._progress = deadline, progress
        self._done = 0
        self.epochs: list[Epoch] = []
        self.notes: tuple[str, ...] = ()

    def run(self, lesson: Lesson[BatchT], measured: Measured | None) -> Arrays:
        """The arrays of the best epoch where there is a metric, else the last ones."""
        best, kept, last, total = -math.inf, lesson.arrays(), 0, self._most * lesson.steps
        for number in range(self._most):
            loss, in_time = self._epoch(lesson, total)
            arrays = lesson.arrays()
            found = measured(arrays) if measured is not None else None
            self.epochs.append(Epoch(loss, found))
            if found is None or found > best:
                best, kept, last = best if found is None else found, arrays, number
            if not in_time:
                self.notes = (f"The training stopped at its time limit after {self._done} of {total} steps.",)
            if not in_time or number - last >= self._patience:
                break
        return kept

    def _epoch(self, lesson: Lesson[BatchT], total: int) -> tuple[float, bool]:
        """Mean loss of a question, and whether there was time for all of them."""
        losses, asked = 0.0, 0
        for batch in lesson.deal(self._rng):
            if asked and time.perf_counter() > self._deadline:
                return losses / asked, False
            loss, n = lesson.learn(batch, self._highest * rate(self._done / total))
            losses, asked, self._done = losses + loss, asked + n, self._done + 1
            self._progress.advance(self._done, total, f"steps, loss {losses / asked:.3f}")
        return losses / max(1, asked), True


def rate(done: float) -> float:
    """The learning rate over its highest at a share `done` of the training: a short rise, then half a cosine to 0."""
    if done < _WARMUP:
        return done / _WARMUP
    return 0.5 * (1 + math.cos(math.pi * (done - _WARMUP) / (1 - _WARMUP)))
