"""PairwiseJudge: which of two items is better for a query, asked in both orders; two different answers are a tie."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mercer.contracts.protocols import TokenScorer
from mercer.language.judging.pair import Item, Pair

Verdicts = npt.NDArray[np.int8]

_ANSWERS = (" 1", " 2")


class PairwiseJudge:
    """Compares items with a scorer of tokens. Stability: callers stable."""

    def __init__(self, scorer: TokenScorer) -> None:
        self.scorer = scorer

    def compare(self, queries: Sequence[str], pairs: Sequence[tuple[Item, Item]]) -> Verdicts:
        """For each query and its two items: 1 the first is better, −1 the second, 0 a tie; shape (n,).

        A judge that names the same place in both orders, or finds both equally likely, has no opinion: a tie.
        """
        asked = list(zip(queries, pairs, strict=True))
        prompts = [self.prompt(query, one, other) for query, (one, other) in asked]
        prompts += [self.prompt(query, other, one) for query, (one, other) in asked]
        scores = self.scorer.score(prompts, [_ANSWERS] * len(prompts))
        first = np.array([np.sign(row[0] - row[1]) for row in scores[: len(asked)]])
        second = np.array([np.sign(row[1] - row[0]) for row in scores[len(asked) :]])
        return np.where(first == second, first, 0).astype(np.int8)

    @staticmethod
    def prompt(query: str, one: Item, other: Item) -> str:
        """The question, the items in this order."""
        return (
            "Which of two products fits better what a shopper searched for?\n\n"
            f"Search: {Pair(query, one).asked()}\nProduct 1: {one.shown()}\nProduct 2: {other.shown()}\n"
            "The better product is number"
        )
