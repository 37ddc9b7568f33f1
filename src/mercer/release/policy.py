"""A deterministic ranker seen as a policy: it shows what it ranks with probability 1."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mercer.contracts import Rankings, Requests


class DeterministicPolicy:
    """The policy that always shows the ranking of `rank`. Implements `contracts.Policy`."""

    def __init__(self, name: str, rank: Callable[[Requests, int], Rankings]) -> None:
        self.name = name
        self._rank = rank

    def sample(
        self,
        requests: Requests,
        k: int,
        rng: np.random.Generator,  # noqa: ARG002  (a deterministic policy draws nothing)
    ) -> tuple[Rankings, npt.NDArray[np.float64]]:
        """The ranking, and 1 for every place (an empty place is empty for certain), shape (n, k)."""
        rankings = self._rank(requests, k)
        return rankings, np.ones(rankings.items.shape, np.float64)

    def probabilities(self, requests: Requests, rankings: Rankings) -> npt.NDArray[np.float64]:
        """1 where the policy shows that item at that place, else 0, shape (n, k)."""
        shown = self._rank(requests, rankings.k).items
        return np.asarray(shown == rankings.items, np.float64)
