"""What a prompt says of the first items of a ranker, joined with their places there.

The joined score of an item depends on its own place and on what the prompt says of it alone: centre and spread are
constants of the fit. So no text in one item's title can move two others against each other, and the cap bounds how
far it can move its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mercer.contracts import Floats32, Holdout
from mercer.evaluation import score_ranking, unit_values

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

METRIC = "ndcg@10"
"""What held-out rows are asked when they choose the weight."""
WEIGHTS = (0.0, 0.03, 0.1, 0.3, 1.0)
"""Weights that are tried; 0 leaves the base ranker's order, and of equals the smallest is taken."""
WEIGHT = 0.1
"""The weight where no held-out rows choose one."""
CAP = 3.0
"""Spreads from the centre beyond which a prompt says no more."""
_LIFT = 16.0
"""Added to the candidates: more than CAP times the greatest weight takes away."""
GREATEST = 4.0
"""The greatest weight."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Mean and standard deviation of what a prompt said of candidates at the time of the fit."""

    centre: float = 0.0
    spread: float = 1.0

    @classmethod
    def of(cls, said: Sequence[Floats]) -> Scale:
        """Of all values together; the neutral scale where they are fewer than two or all alike."""
        values = np.concatenate([*said, np.zeros(0)])
        spread = float(values.std()) if len(values) > 1 else 0.0
        return cls(float(values.mean()), spread) if spread > 0 else cls()

    def standard(self, said: Floats) -> Floats:
        """In spreads from the centre, within the cap."""
        return np.asarray(np.clip((said - self.centre) / self.spread, -CAP, CAP), np.float64)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. base: scores of the whole catalogue, shape (I,). codes: its candidates, best first.

    said: what the prompt says of each candidate, shape as codes.
    """

    base: Floats32
    codes: Codes
    said: Floats

    def joined(self, scale: Scale, weight: float) -> Floats32:
        """The whole catalogue's scores, shape (I,): candidates lead, the others keep the base's order behind them."""
        scores = np.where(self.base > -np.inf, -places(self.base) / (len(self.base) + 1), -np.inf)
        n = max(1, len(self.codes))
        share = 1 - (places(self.base[self.codes]) - 1) / n
        scores[self.codes] = _LIFT + share + weight * scale.standard(self.said)
        return scores.astype(np.float32)


def first(base: Floats32, n: int, barred: Codes | None = None) -> Codes:
    """The n best items of a ranker that are an answer at all, best first, ties by code; barred: items left out."""
    usable = base.astype(np.float64)
    if barred is not None:
        usable[barred] = -np.inf
    order = np.argsort(-usable, kind="stable")[:n]
    return order[usable[order] > -np.inf].astype(np.int64)


def places(scores: npt.NDArray[np.floating[Any]]) -> Floats:
    """1 + the number of greater scores, shape as given: equal scores share the better place."""
    order = np.sort(-scores.astype(np.float64))
    return np.asarray(1.0 + np.searchsorted(order, -scores.astype(np.float64), side="left"), np.float64)


def best_weight(held: Holdout, asked: Sequence[Asked], scale: Scale) -> float:
    """The weight that ranks held-out rows best, `asked` being their requests in the same order."""
    total = np.zeros(len(WEIGHTS))
    for row, one in enumerate(asked):
        part = held.take(np.array([row]))
        for at, weight in enumerate(WEIGHTS):
            scores = one.joined(scale, weight)[None, :]
            total[at] += unit_values(score_ranking(part, score=lambda _, s=scores: s), METRIC).sum()  # type: ignore[misc]
    return WEIGHTS[int(np.argmax(total))]
