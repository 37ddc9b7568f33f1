"""PointwiseJudge: how relevant is this item for this query, on a scale that is shown in both orders.

A model has favourite letters. The scale is shown from worst to best and from best to worst, so that each letter stands
for both ends, and the log-probabilities of a grade are averaged over the two: a liking for a letter cancels out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.contracts.protocols import TokenScorer
from mercer.errors import UsageError
from mercer.language.judging.pair import Pair

Floats = npt.NDArray[np.float64]

SCALE = ("not relevant", "slightly relevant", "relevant", "exactly what is wanted")
"""Words of the grades 0, 1, 2, …"""

_LETTERS = "ABCDEFGH"


@dataclass(frozen=True, slots=True)
class Grade:
    """grade: on the scale, the expected grade rounded. score: the expected grade. probability: of each grade."""

    grade: int
    score: float
    probability: tuple[float, ...]


class PointwiseJudge:
    """Grades pairs with a scorer of tokens.

    scale: words of the grades from 0 on, two to eight. Stability: callers stable.
    """

    def __init__(self, scorer: TokenScorer, *, scale: Sequence[str] = SCALE) -> None:
        if not 2 <= len(scale) <= len(_LETTERS):
            raise UsageError(f"A scale of {len(scale)} grades.", remedy="Name two to eight.")
        self.scorer = scorer
        self.scale = tuple(scale)

    def grade(self, pairs: Sequence[Pair]) -> list[Grade]:
        """A grade for each pair, in order."""
        letters = [f" {letter}" for letter in _LETTERS[: len(self.scale)]]
        # One order a call: all its prompts begin alike, and what they share is read once.
        upward, downward = (
            self.scorer.score([self.prompt(pair, turned=turned) for pair in pairs], [letters] * len(pairs))
            for turned in (False, True)
        )
        return [self._grade((one + other[::-1]) / 2) for one, other in zip(upward, downward, strict=True)]

    def prompt(self, pair: Pair, *, turned: bool) -> str:
        """The question. turned: the scale from best to worst."""
        words = self.scale[::-1] if turned else self.scale
        scale = "\n".join(f"{letter}: {word}" for letter, word in zip(_LETTERS, words, strict=False))
        return (
            "How relevant is the product for what a shopper searched for?\n"
            f"{scale}\n\nSearch: {pair.asked()}\nProduct: {pair.item.shown()}\nAnswer:"
        )

    @staticmethod
    def _grade(log_probability: Floats) -> Grade:
        probability = np.exp(log_probability - log_probability.max())
        probability /= probability.sum()
        score = float(probability @ np.arange(len(probability)))
        return Grade(int(np.floor(score + 0.5)), score, tuple(probability.tolist()))
