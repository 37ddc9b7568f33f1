"""What the person bought before, most often and most lately first; then what sells."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mercer.contracts import Dataset, Floats32, Interactions, Requests, searched
from mercer.recommend.popular import DAY_US
from mercer.recommend.scoring import Arrays, ScoringRanker
from mercer.recommend.signals import SignalOptions, signals
from mercer.recommend.steps import ages
from mercer.recommend.tail import popularity, with_tail

_LONGEST = 60.0
"""Half-lives after which a purchase weighs no less: 2**-60 is far above the least float32."""


class BuyAgain(ScoringRanker):
    """score(j) = (1 + boost * share(j)) * sum over past purchases of j of 2 ** -(age / half-life).

    The sum is frequency and recency; share(j) is j's purchases over those of the most popular item, and also
    settles the many ties between things bought once on the same day.

    Ages run from the person's newest purchase, which changes no order and needs no clock at serving. Nothing
    is kept of any person: the history comes with the request.
    """

    name = "buy-again"

    class Options(SignalOptions):
        """Options.

        half_life_days: days after which a purchase weighs half, in logs with a clock.
        half_life_steps: in logs without a clock, positions after which it weighs half.
        popularity_boost: how much more the most popular item weighs than one that nobody else bought.
        """

        half_life_days: float = searched(
            180.0,
            low=7.0,
            high=1000.0,
            log=True,
            gt=0,
            allow_inf_nan=False,
            description="half-life with a clock",
        )
        half_life_steps: float = searched(
            10.0,
            low=1.0,
            high=100.0,
            log=True,
            gt=0,
            allow_inf_nan=False,
            description="half-life without one",
        )
        popularity_boost: float = searched(
            3.0,
            low=0.1,
            high=100.0,
            log=True,
            ge=0,
            le=1e6,
            description="weight of popularity among own items",
        )

    options: Options

    def learn(self, train: Dataset, log: Interactions, seed: int) -> Arrays:  # noqa: ARG002
        """Popularity, for the items a person has not bought."""
        return {"share": popularity(*signals(log, self.options))}

    def score_rows(self, requests: Requests) -> Floats32:
        """Decayed counts of the history's items, the rest of the catalogue below by popularity."""
        log, weights = signals(requests.history, self.options)
        n, n_items = len(requests), len(requests.items)
        cells = log.user_of * n_items + log.item
        weighed = weights * np.exp2(-np.minimum(self._half_lives(log), _LONGEST))
        own = np.bincount(cells, weighed, minlength=n * n_items).reshape(n, n_items)
        share = self.state["share"]
        return with_tail((own * (1 + self.options.popularity_boost * share)).astype(np.float32), share)

    def _half_lives(self, log: Interactions) -> npt.NDArray[np.float64]:
        """Age of each event in half-lives, from the person's newest event."""
        if not log.has_clock:
            return ages(log) / self.options.half_life_steps
        held = log.lengths > 0
        newest = np.repeat(log.time[log.indptr[1:][held] - 1], log.lengths[held])
        return np.asarray((newest - log.time) / (self.options.half_life_days * DAY_US), np.float64)

    def parameters(self) -> list[tuple[str, str]]:
        """In plain words."""
        return [
            ("How often you bought it", "What you bought more often comes first."),
            ("How long ago you bought it", "Later purchases count more than earlier ones."),
            (
                "How often customers bought it",
                "Among your own items it favours popular ones, and it orders the items you have not bought.",
            ),
        ]
