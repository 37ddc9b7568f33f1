"""How much the counted term weighs in answers: what it was in training, times a factor that held-out requests choose.

In training a part of the counts is left out (the person's own future) and a history is short; in an answer the whole
history is counted, and how much that is worth differs from shop to shop. One number out of six is chosen, once, from
the requests that stop the training anyhow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mercer.contracts import Floats32, Holdout, Requests
from mercer.evaluation import score_ranking, value
from mercer.recommend.sequence.neighbourhood import add_term

if TYPE_CHECKING:
    from scipy.sparse import csr_array

FACTORS = (1.0, 1.5, 2.0, 3.0, 5.0, 0.5)
"""What may be chosen; the first of equals is taken, and the first without held-out requests."""

METRIC = "ndcg@10"
"""What held-out requests are asked."""

_ROWS = 256
"""Held-out requests that are weighed at once."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the scores of n requests are made of.

    logits: the network's, float32, shape (n, I). near: what `neighbourhood.term` gave, None without it.
    unknown: bool, shape (n,): requests without a history, which get `share`, float32, shape (I,).
    """

    logits: Floats32
    near: csr_array | None
    unknown: npt.NDArray[np.bool_]
    share: Floats32

    def joined(self, weight: float, *, keep: bool = False) -> Floats32:
        """The scores, shape (n, I), the term `weight` times in them; in the logits' place, unless these are kept."""
        scores = self.logits.copy() if keep else self.logits
        if self.near is not None:
            add_term(scores, self.near, weight)
        scores[self.unknown] = self.share
        return scores


def by_factor(
    held: Holdout, parts: Callable[[Requests], list[Parts]], weights: Mapping[float, float]
) -> dict[float, float]:
    """METRIC of held-out requests for each factor of the term's weight. weights: of the term, by factor."""
    sums = dict.fromkeys(weights, 0.0)
    for at in range(0, len(held), _ROWS):
        some = held.take(np.arange(at, min(at + _ROWS, len(held))))
        pieces = parts(some.requests)
        for factor, weight in weights.items():
            scores = np.concatenate([piece.joined(weight, keep=True) for piece in pieces])
            sums[factor] += len(some) * value(score_ranking(some, score=_InOrder(scores)), METRIC)
    return {factor: total / len(held) for factor, total in sums.items()}


def best(found: Mapping[float, float]) -> float:
    """The factor with the highest value; the first of equals."""
    return max(found, key=lambda factor: found[factor])


class _InOrder:
    """Scores that are there already, given out in the order of the requests."""

    def __init__(self, scores: Floats32) -> None:
        self._scores, self._at = scores, 0

    def __call__(self, block: Requests) -> Floats32:
        self._at += len(block)
        return self._scores[self._at - len(block) : self._at]
