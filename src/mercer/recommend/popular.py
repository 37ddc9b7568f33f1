"""What sells: over all time, or lately. The opponents that every other ranker must beat."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mercer.contracts import Dataset, Floats32, Interactions, Requests, searched
from mercer.recommend.scoring import Arrays, ScoringRanker
from mercer.recommend.signals import SignalOptions, signals
from mercer.recommend.tail import popularity, with_tail

DAY_US = 86_400_000_000


class MostPopular(ScoringRanker):
    """Items by their number of purchases in the whole training log."""

    name = "most-popular"

    class Options(SignalOptions):
        """Which events count; see SignalOptions."""

    options: Options

    def learn(self, train: Dataset, log: Interactions, seed: int) -> Arrays:  # noqa: ARG002
        """The share of each item in purchases."""
        return {"share": popularity(*signals(log, self.options))}

    def score_rows(self, requests: Requests) -> Floats32:
        """The same shares for every request."""
        return np.tile(self.state["share"], (len(requests), 1))

    def parameters(self) -> list[tuple[str, str]]:
        """In plain words."""
        return [
            ("How often customers bought it", "Items bought more often come first, the same for everybody.")
        ]


class MostPopularRecent(ScoringRanker):
    """Items by their number of purchases in the last days of the training log; older sales order the rest."""

    name = "most-popular-recent"

    class Options(SignalOptions):
        """Options.

        window_days: how many days before the data's end count, in logs with a clock.
        last_share: in logs without a clock, the share of each person's latest positions that counts.
        """

        window_days: float = searched(
            28.0, low=3.0, high=365.0, log=True, gt=0, allow_inf_nan=False,
            description="days that count, with a clock",
        )  # fmt: skip
        last_share: float = searched(
            0.2, low=0.05, high=1.0, gt=0, le=1, description="share of positions that counts, without one"
        )

    options: Options

    def learn(self, train: Dataset, log: Interactions, seed: int) -> Arrays:  # noqa: ARG002
        """The share of each item in recent purchases, older ones as the tail."""
        heard, weights = signals(log, self.options)
        recent = self._recent(heard, train.as_of)
        lately = popularity(heard.where(recent), weights[recent])
        return {"share": with_tail(lately[None, :], popularity(heard, weights))[0]}

    def _recent(self, log: Interactions, as_of: int) -> npt.NDArray[np.bool_]:
        if log.has_clock:
            return np.asarray(log.time > as_of - int(self.options.window_days * DAY_US), bool)
        taken = np.ceil(log.lengths * self.options.last_share - 1e-9).astype(np.int64)
        return np.asarray(np.arange(log.n_events) >= np.repeat(log.indptr[1:] - taken, log.lengths))

    def score_rows(self, requests: Requests) -> Floats32:
        """The same shares for every request."""
        return np.tile(self.state["share"], (len(requests), 1))

    def parameters(self) -> list[tuple[str, str]]:
        """In plain words."""
        return [
            (
                "How often customers bought it lately",
                f"Items bought more often in the last {self.options.window_days:g} days come first, the same "
                "for everybody.",
            ),
            ("How often customers bought it before", "It orders the items that nobody bought lately."),
        ]
