"""Answers after prompts: what the loop asks of a fine-tuning on examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mercer.errors import DataError
from mercer.language.finetuning.examples import Lesson
from mercer.language.finetuning.network import AnswerNetwork
from mercer.language.finetuning.options import FineTuningOptions
from mercer.language.finetuning.packing import Batch, batch_of, packed, tokens_of


class Rows:
    """Examples packed into rows."""

    def __init__(self, lessons: Sequence[Lesson], options: FineTuningOptions) -> None:
        """Raises DataError where there are none."""
        if not lessons:
            raise DataError(
                "No example is left to learn from.",
                remedy="See which were left out and why; `longest` says how many tokens one may have.",
            )
        lengths = [tokens_of(lesson) for lesson in lessons]
        self.numbers = packed(lengths, options.row_tokens if options.pack else 1)
        self._rows = [[lessons[number] for number in row] for row in self.numbers]
        self._limit = options.batch_tokens

    def costs(self) -> npt.NDArray[np.int64]:
        """Tokens of each row."""
        return np.array([sum(map(tokens_of, row)) for row in self._rows], np.int64)

    def batch(self, rows: Sequence[int] | npt.NDArray[Any], device: torch.device) -> Batch:
        """The tensors of some rows."""
        return batch_of([self._rows[int(row)] for row in rows], device)

    def in_batches(self) -> Iterator[list[int]]:
        """All rows once, the longest first, in batches that are always the same."""
        costs = self.costs()
        order = np.argsort(-costs, kind="stable").tolist()
        at = 0
        while at < len(order):
            n = max(1, self._limit // int(costs[order[at]]))
            yield order[at : at + n]
            at += n


class SupervisedTrainee:
    """A training row is some examples in a row of tokens; a term of the loss is one answer token.

    validation: held-out examples, whose mean log-likelihood an answer token is the metric; or a function that
    measures the network as it is when called, higher is better; or None.
    """

    def __init__(
        self,
        network: AnswerNetwork,
        lessons: Sequence[Lesson],
        options: FineTuningOptions,
        validation: Sequence[Lesson] | Callable[[], float] | None = None,
    ) -> None:
        self.module: torch.nn.Module = network
        self._network = network
        self._rows = Rows(lessons, options)
        self._measured = validation if callable(validation) else None
        given = None if validation is None or callable(validation) else validation
        self._held_out = None if given is None else Rows(given, options)

    def costs(self) -> npt.NDArray[np.int64]:
        """Tokens of each row."""
        return self._rows.costs()

    def loss(self, rows: npt.NDArray[np.int64], generator: torch.Generator) -> tuple[Tensor, float]:  # noqa: ARG002
        """Sum of the answer tokens' negative log-probabilities, and how many they are."""
        batch = self._rows.batch(rows, self._network.device)
        return -self.module(batch).sum(), float(len(batch.answers))

    def validate(self) -> float | None:
        """Mean natural log-probability of a held-out answer token, 0 at best; or what the function measures."""
        if self._measured is not None:
            return self._measured()
        if self._held_out is None:
            return None
        total, n = 0.0, 0
        for rows in self._held_out.in_batches():
            batch = self._held_out.batch(rows, self._network.device)
            total += float(self.module(batch).double().sum())
            n += len(batch.answers)
        return total / n
