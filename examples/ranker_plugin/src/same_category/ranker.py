"""What sells in the categories that this person bought from."""

from __future__ import annotations

import numpy as np
from mercer.contracts import Dataset, Floats32, Interactions, Requests
from mercer.recommend import ScoringRanker, SignalOptions, popularity, signals, with_tail
from pydantic import Field


class SameCategory(ScoringRanker):
    """score(j) = share of the history in j's category * (1 + boost * popularity of j)."""

    name = "same-category"

    class Options(SignalOptions):
        """Options.

        boost: how much more the most popular item of a category weighs than one that nobody bought.
        """

        boost: float = Field(5.0, ge=0, le=1e6, description="weight of popularity within a category")

    options: Options

    def learn(self, train: Dataset, log: Interactions, seed: int) -> dict[str, np.ndarray]:  # noqa: ARG002
        """Popularity, and the category of each item as a number (-1: unknown)."""
        categories = train.items["category"].to_numpy(str)
        names = sorted(set(categories) - {""})
        number = {name: place for place, name in enumerate(names)}
        return {
            "share": popularity(*signals(log, self.options)),
            "category": np.array([number.get(name, -1) for name in categories], np.int32),
        }

    def score_rows(self, requests: Requests) -> Floats32:
        """Scores of the whole catalogue for a block of requests, shape (n, I)."""
        share, category = self.state["share"], self.state["category"]
        log, weights = signals(requests.history, self.options)
        known = category[log.item] >= 0
        width = int(category.max(initial=-1)) + 1
        cells = log.user_of[known] * width + category[log.item][known]
        counts = np.bincount(cells, weights[known], minlength=len(requests) * width)
        held = counts.reshape(len(requests), width)
        held = held / np.maximum(held.sum(1, keepdims=True), 1e-9)
        by_item = np.where(category >= 0, np.pad(held, ((0, 0), (0, 1)))[:, category], 0)
        return with_tail((by_item * (1 + self.options.boost * share)).astype(np.float32), share)

    def parameters(self) -> list[tuple[str, str]]:
        """In plain words."""
        return [
            (
                "Which categories you bought from",
                "Items of categories you bought from more often come first.",
            ),
            ("How often customers bought it", "It orders the items of a category, and all other items."),
        ]
