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

from mercer.contracts import Floats32
from mercer.recommend.with_keras import PADDING, Questions, Windows

Codes = npt.NDArray[np.int32]
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

    @classmethod
    def of(cls, questions: Questions, rows: Ints, share: npt.NDArray[np.float64], drawn: Codes) -> Self:
        """The questions `rows`. share: float64, shape (I,): each item's share of all answers. drawn: item codes."""
        at, state = np.unique(questions.at[rows], return_inverse=True)
        window = questions.windows(at).trimmed()
        candidate = np.unique(np.concatenate([questions.answer[rows], drawn]))
        absent = (1 - share[candidate]) ** len(rows) * (1 - 1 / len(share)) ** len(drawn)
        item = np.union1d(candidate, window.item[window.item != PADDING])
        place = np.where(window.item == PADDING, PADDING, np.searchsorted(item, window.item))
        return cls(
            item=item.astype(np.int32),
            window=Windows(item=place.astype(np.int32), age=window.age, weight=window.weight),
            state=state.astype(np.int32),
            candidate=np.searchsorted(item, candidate).astype(np.int32),
            answer=np.searchsorted(candidate, questions.answer[rows]).astype(np.int32),
            weight=questions.weight[rows],
            log_chance=np.log1p(-absent).astype(np.float32),
        )


class Dealer:
    """Deals the questions into batches anew in every epoch.

    Those of a batch have histories of like length (up to 1, 2, 4, 8 ... events), since all are padded to the longest.
    size: questions of a batch. drawn: items drawn evenly for each.
    """

    def __init__(self, questions: Questions, *, size: int, drawn: int) -> None:
        """Sort the questions by length once."""
        self._questions, self._size, self._drawn = questions, size, drawn
        held = np.bincount(questions.answer, questions.weight, minlength=questions.n_items)
        self._share = held / held.sum()
        doublings = np.ceil(np.log2(questions.lengths()))
        self._alike = [np.flatnonzero(doublings == length) for length in np.unique(doublings)]

    def __len__(self) -> int:
        """Batches of an epoch."""
        return sum(-(-len(group) // self._size) for group in self._alike)

    def epoch(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Every question once."""
        dealt: list[Ints] = []
        for group in self._alike:
            order = rng.permutation(group)
            dealt += [order[at : at + self._size] for at in range(0, len(order), self._size)]
        for number in rng.permutation(len(dealt)):
            drawn = rng.integers(0, self._questions.n_items, self._drawn, np.int32)
            yield Batch.of(self._questions, dealt[number], self._share, drawn)
