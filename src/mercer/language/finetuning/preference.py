"""Preferences between two answers (direct preference optimisation): what the loop asks of it.

Source: Rafailov et al., NeurIPS 2023, equation 7.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from mercer.language.finetuning.examples import Lesson
from mercer.language.finetuning.network import AnswerNetwork
from mercer.language.finetuning.options import FineTuningOptions
from mercer.language.finetuning.supervised import Rows


class _Pairs:
    """Packed preferences, and what the model held of each answer before it learned."""

    def __init__(self, network: AnswerNetwork, lessons: Sequence[Lesson], options: FineTuningOptions) -> None:
        self.rows = Rows(lessons, options)
        self._network = network
        self._beta = options.beta
        self._before: list[Tensor] | None = None

    def terms(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> Tensor:
        """Log-likelihood of each preference of some rows, shape (preferences,), 0 at best."""
        before = self._reference()
        batch = self.rows.batch(rows, self._network.device)
        gained = self._margins(self._network.pieces(batch)) - torch.cat(
            [before[int(row)] for row in rows]
        ).to(self._network.device)
        return functional.logsigmoid(self._beta * gained)

    def _reference(self) -> list[Tensor]:
        """By row, the margins of the untrained model: computed once, in batches that are always the same."""
        if self._before is None:
            found: dict[int, Tensor] = {}
            with self._network.before():
                for rows in self.rows.in_batches():
                    margins = self._margins(self._network.pieces(self.rows.batch(rows, self._network.device)))
                    counts = [len(self.rows.numbers[row]) for row in rows]
                    found.update(zip(rows, torch.split(margins.cpu(), counts), strict=True))
            self._before = [found[row] for row in range(len(found))]
        return self._before

    @staticmethod
    def _margins(pieces: Tensor) -> Tensor:
        """Log-probability of the chosen answer minus that of the rejected one: they follow each other."""
        chosen, rejected = pieces.view(-1, 2).unbind(1)
        return chosen - rejected


class PreferenceTrainee:
    """A training row is some preferences in a row of tokens; a term of the loss is one preference.

    The network must have small matrices: without them it is what the model was before. validation: held-out
    preferences, whose mean log-likelihood is the metric (log ½ before any training, 0 at best); or
    a function that measures the network as it is when called, higher is better; or None.
    """

    def __init__(
        self,
        network: AnswerNetwork,
        lessons: Sequence[Lesson],
        options: FineTuningOptions,
        validation: Sequence[Lesson] | Callable[[], float] | None = None,
    ) -> None:
        self.module: torch.nn.Module = network
        self._pairs = _Pairs(network, lessons, options)
        self._measured = validation if callable(validation) else None
        given = None if validation is None or callable(validation) else validation
        self._held_out = None if given is None else _Pairs(network, given, options)

    def costs(self) -> npt.NDArray[np.int64]:
        """Tokens of each row, both answers with their prompts."""
        return self._pairs.rows.costs()

    def loss(self, rows: npt.NDArray[np.int64], generator: torch.Generator) -> tuple[Tensor, float]:  # noqa: ARG002
        """Sum of the preferences' negative log-likelihoods, and how many they are."""
        terms = self._pairs.terms(rows)
        return -terms.sum(), float(len(terms))

    def validate(self) -> float | None:
        """Mean log-likelihood of a held-out preference; or what the function measures."""
        if self._measured is not None:
            return self._measured()
        if self._held_out is None:
            return None
        found = [self._held_out.terms(rows).double() for rows in self._held_out.rows.in_batches()]
        return float(torch.cat(found).mean())
