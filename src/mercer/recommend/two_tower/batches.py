"""What one step of training sees: questions, their histories, and the items that compete to answer them.

The candidates of a step are the answers of its questions and items drawn evenly, each once. Item j is among them
with the chance
    chance[j] = 1 - (1 - share[j]) ** questions * (1 - 1 / I) ** drawn
where share[j] is its share of all answers. The softmax divides each candidate's term by its chance, so that the sum
over the candidates is, on average, the sum over the catalogue (the log-q correction: Yi et al., RecSys 2019). The
answer itself is there in any case, so its term is not divided (Khrylchenko et al., RecSys 2025).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import Interactions
from mercer.recommend.sequence.lessons import Lessons
from mercer.recommend.steps import steps
from mercer.recommend.windows import PADDING, Windows

Codes = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """b questions after s states, with c candidates and u items in all.

    item: int32, shape (u,), ascending: item codes. window: s histories, with places in `item` for item codes.
    state: int32, shape (b,): the history of each question. candidate: int32, shape (c,): places in `item`.
    answer: int32, shape (b,): the right place in `candidate`. weight: float32, shape (b,): of each question.
    log_chance: float32, shape (c,): log of the chance above.
    """

    item: Codes
    window: Windows
    state: Codes
    candidate: Codes
    answer: Codes
    weight: Floats32
    log_chance: Floats32


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """Q questions of a log, dealt into batches anew in every epoch: all events after a person's first step are asked for.

    log: what was heard. weights, step: of its events, shape (N,).
    at: int64, shape (Q,): the event after which is asked. answer: int64, shape (Q,): item code.
    weight: float32, shape (Q,): of the answer. share: float64, shape (I,): each item's share of all answers.
    width: events of a history that are read. size: questions of a batch. drawn: items drawn evenly for a batch.
    """

    log: Interactions
    weights: Floats
    step: Ints
    at: Ints
    answer: Ints
    weight: Floats32
    share: Floats
    width: int
    size: int
    drawn: int

    @classmethod
    def of(
        cls,
        log: Interactions,
        weights: Floats,
        *,
        repeats: bool,
        width: int,
        size: int,
        drawn: int,
    ) -> Self:
        """All questions of a log; without `repeats`, an item that the person had before answers none."""
        lessons = Lessons.of(log, weights, window=width, asked="step", answers=log.kinds, repeats=repeats)
        first = np.repeat(lessons.spans.first, np.diff(lessons.indptr))
        held = np.bincount(lessons.answer, lessons.weight, minlength=len(log.items))
        return cls(
            log=log,
            weights=weights,
            step=steps(log),
            at=first + lessons.place,
            answer=lessons.answer,
            weight=lessons.weight,
            share=held / max(held.sum(), 1e-30),
            width=width,
            size=size,
            drawn=drawn,
        )

    def __len__(self) -> int:
        return len(self.at)

    @property
    def batches(self) -> int:
        """Batches of an epoch."""
        return sum(-(-len(group) // self.size) for group in self._alike())

    def epoch(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Every question once. Those of a batch have histories of like length, since all are padded to the longest."""
        dealt: list[Ints] = []
        for group in self._alike():
            order = rng.permutation(group)
            dealt += [order[at : at + self.size] for at in range(0, len(order), self.size)]
        for number in rng.permutation(len(dealt)):
            yield self._batch(dealt[number], rng)

    def _lengths(self) -> Ints:
        before = self.at - self.log.indptr[self.log.user_of[self.at]]
        return np.asarray(np.minimum(before + 1, self.width), np.int64)

    def _alike(self) -> list[Ints]:
        """Numbers of the questions by the length of their histories: up to 1, 2, 4, 8 ... events."""
        doublings = np.ceil(np.log2(self._lengths())).astype(np.int64)
        return [np.flatnonzero(doublings == size) for size in np.unique(doublings)]

    def _batch(self, rows: Ints, rng: np.random.Generator) -> Batch:
        n_items = len(self.share)
        at, state = np.unique(self.at[rows], return_inverse=True)
        window = Windows.ending(self.log, self.weights, self.step, at, self.width).trimmed()
        candidate = np.unique(np.concatenate([self.answer[rows], rng.integers(0, n_items, self.drawn)]))
        present = 1 - (1 - self.share[candidate]) ** len(rows) * (1 - 1 / n_items) ** self.drawn
        item = np.union1d(candidate, window.item[window.item != PADDING])
        place = np.where(window.item == PADDING, PADDING, np.searchsorted(item, window.item))
        return Batch(
            item=item.astype(np.int32),
            window=Windows(item=place.astype(np.int32), age=window.age, weight=window.weight),
            state=state.astype(np.int32),
            candidate=np.searchsorted(item, candidate).astype(np.int32),
            answer=np.searchsorted(candidate, self.answer[rows]).astype(np.int32),
            weight=self.weight[rows],
            log_chance=np.log(present).astype(np.float32),
        )
