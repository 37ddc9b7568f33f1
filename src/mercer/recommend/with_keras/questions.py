"""What a log asks of a network: after this history, this item was next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import Floats32, Interactions
from mercer.recommend.sequence.lessons import Lessons
from mercer.recommend.steps import steps
from mercer.recommend.with_keras.windows import Floats, Ints, Windows


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """Q questions of a log: all events after a person's first step are asked for, after the last event before them.

    What was bought at once has no order, so it never explains itself. Without a clock every position is a step.
    log: what was heard. weights, step: of its events, shape (N,).
    at: int64, shape (Q,): the event after which is asked. answer: int64, shape (Q,): item code.
    weight: float32, shape (Q,): of the answer. width: events of a history that are read, the last ones.
    """

    log: Interactions
    weights: Floats
    step: Ints
    at: Ints
    answer: Ints
    weight: Floats32
    width: int

    @classmethod
    def of(cls, log: Interactions, weights: Floats, *, width: int, repeats: bool) -> Self:
        """All questions of a log; without `repeats`, an item that the person had before answers none."""
        found = Lessons.of(log, weights, window=width, asked="step", answers=log.kinds, repeats=repeats)
        first = np.repeat(found.spans.first, np.diff(found.indptr))
        return cls(
            log=log,
            weights=weights,
            step=steps(log),
            at=first + found.place,
            answer=found.answer,
            weight=found.weight,
            width=width,
        )

    def __len__(self) -> int:
        return len(self.at)

    @property
    def n_items(self) -> int:
        """Items of the catalogue."""
        return len(self.log.items)

    def lengths(self) -> Ints:
        """Events of each question's history that are read, shape (Q,)."""
        before = self.at - self.log.indptr[self.log.user_of[self.at]]
        return np.asarray(np.minimum(before + 1, self.width), np.int64)

    def windows(self, at: npt.NDArray[Any]) -> Windows:
        """The histories that end with the events `at`."""
        return Windows.ending(self.log, self.weights, self.step, at, self.width)
