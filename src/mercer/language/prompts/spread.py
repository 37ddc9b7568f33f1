"""How much a metric hangs on what should not matter: the wording of an instruction, the order of a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mercer.errors import UsageError
from mercer.evaluation import Scored, value
from mercer.language.prompts.rendering import Values
from mercer.language.prompts.scoring import PromptScorer

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spread:
    """A metric's values under several wordings, by name. lowest, median, highest: of them."""

    metric: str
    values: Mapping[str, float]

    @property
    def lowest(self) -> float:
        """The worst wording's value, where higher is better."""
        return min(self.values.values())

    @property
    def median(self) -> float:
        """The median of the wordings' values."""
        return float(np.median(list(self.values.values())))

    @property
    def highest(self) -> float:
        """The best wording's value, where higher is better."""
        return max(self.values.values())

    def said(self) -> str:
        """For a table of results."""
        return f"{self.lowest:.4f} / {self.median:.4f} / {self.highest:.4f} over {len(self.values)} wordings"


def spread_of(scored: Mapping[str, Scored], metric: str) -> Spread:
    """The spread of a metric over the same rows scored under several wordings. Raises UsageError for none."""
    if not scored:
        raise UsageError("No wording was scored.", remedy="Score at least one.")
    return Spread(metric, {name: value(one, metric) for name, one in scored.items()})


@dataclass(frozen=True, slots=True)
class OrderEffect:
    """What the place in a list does, over many questions with n candidates each.

    by_place: mean probability that the model gives a place, whatever stands there, shape (n,); 1 / n each where order
    does not matter. agreement: share of questions whose best candidate is the same in two orders.
    """

    by_place: Floats
    agreement: float


def order_effect(
    scorer: PromptScorer, questions: Sequence[tuple[Values, Sequence[Values]]], *, seed: int = 0
) -> OrderEffect:
    """Ask each question in two orders of its candidates, a drawn one and its reverse.

    questions: each with its candidates, as many for all. Raises UsageError for none, or for different numbers.
    """
    sizes = {len(candidates) for _, candidates in questions}
    if len(sizes) != 1:
        raise UsageError("Questions need the same number of candidates.", remedy="Cut the longer lists.")
    [n] = sizes
    single = replace(scorer, orders=1)
    rng = np.random.default_rng(seed)
    total, same = np.zeros(n), 0
    for asked, candidates in questions:
        drawn = rng.permutation(n)
        firsts = []
        for order in (drawn, drawn[::-1]):
            said = single.say(asked, [candidates[at] for at in order])
            total += np.exp(said)
            firsts.append(int(order[int(np.argmax(said))]))
        same += firsts[0] == firsts[1]
    return OrderEffect(total / (2 * len(questions)), same / len(questions))
