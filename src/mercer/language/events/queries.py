"""Queries with the item that was meant: from judgments, and from what was chosen after a search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.contracts import Dataset, Interactions

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Queries:
    """n queries with the items that were meant.

    items: int64 codes, shape (n,). users, times: who asked, and when in microseconds; "" and 0 where nobody did.
    """

    texts: tuple[str, ...]
    items: Ints
    users: tuple[str, ...]
    times: Ints

    @classmethod
    def none(cls) -> Self:
        """No query."""
        return cls((), np.zeros(0, np.int64), (), np.zeros(0, np.int64))

    def and_also(self, other: Queries) -> Self:
        """Both, in this order."""
        return type(self)(
            (*self.texts, *other.texts),
            np.concatenate([self.items, other.items]),
            (*self.users, *other.users),
            np.concatenate([self.times, other.times]),
        )

    def history(self, log: Interactions) -> Interactions:
        """What was known of each asker before the query, a row each; nothing of one who is not in the log."""
        code = {user: row for row, user in enumerate(log.users.ids)}
        row = np.array([code.get(user, -1) for user in self.users], np.int64)
        if not log.n_users or not len(row):
            return log.take(np.zeros(0, np.int64))
        found = log.take(np.maximum(row, 0)).blank(row < 0)
        # A choice may be logged with the time of its query: only what came before it is read.
        return found.as_of(self.times - 1)


def judged(dataset: Dataset) -> Queries:
    """Queries with each item that was judged to fit them (grade above 0)."""
    frame = dataset.judgments
    if frame is None or frame.empty:
        return Queries.none()
    frame = frame[(frame["grade"] > 0) & (frame["item"] >= 0)]
    n = len(frame)
    items = frame["item"].to_numpy(np.int64)
    return Queries(tuple(map(str, frame["query"])), items, ("",) * n, np.zeros(n, np.int64))


def searched(dataset: Dataset) -> Queries:
    """Queries of requests with each item that an outcome says was chosen; items that are not known are left out."""
    requests, outcomes = dataset.requests, dataset.outcomes
    if requests is None or outcomes is None or requests.empty or outcomes.empty:
        return Queries.none()
    asked = requests[requests["query"].fillna("").str.strip() != ""]
    both = outcomes[["request", "item"]].merge(asked[["request", "user", "time", "query"]], on="request")
    items = dataset.vocabulary.encode(both["item"].astype(str).tolist()).astype(np.int64)
    known = items >= 0
    both = both[known]
    times = pd.to_datetime(both["time"]).to_numpy("datetime64[us]").astype(np.int64)
    users = tuple("" if pd.isna(user) else str(user) for user in both["user"])
    return Queries(tuple(map(str, both["query"])), items[known], users, times)
