"""Small logs, training sets and requests written by hand, for tests whose answer is worked out on paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from mercer.contracts import Context, Dataset, Floats32, Interactions, Ranker, Requests, Vocabulary
from mercer.testing.small_shop import DAY_US, log_of

VIEW, BUY = 0, 1


def log(
    *histories: Sequence[tuple[int, int] | tuple[int, int, int]], n_items: int, clock: bool = True
) -> Interactions:
    """One row of (item, day) or (item, day, kind) a person; what is bought on one day is one basket.

    Without a clock, `day` is the position and nothing is a basket.
    """
    rows: list[tuple[int, int, int, int, int]] = []
    unit = DAY_US if clock else 1
    for user, events in enumerate(histories):
        for event in events:
            item, day, kind = (*event, BUY)[:3]
            rows.append((user, item, day * unit, kind, user * 1000 + day if clock and kind == BUY else -1))
    users = Vocabulary([f"u{user}" for user in range(len(histories))])
    return log_of(rows, users, Vocabulary([f"i{item}" for item in range(n_items)]), has_clock=clock)


def dataset(events: Interactions, *, as_of_day: int = 100, repeats: bool = True) -> Dataset:
    """`events` as training data, with a frame that holds nothing of the items but their ids."""
    items = pd.DataFrame({"item": events.items.ids})
    return Dataset(
        vocabulary=events.items, items=items, as_of=as_of_day * DAY_US, interactions=events, repeats=repeats
    )


def requests(history: Interactions, **changes: Any) -> Requests:
    """One request for each row of `history`; `changes` replaces fields."""
    n = history.n_users
    content: dict[str, Any] = {
        "users": history.users.ids,
        "history": history,
        "time": np.full(n, 100 * DAY_US),
        "context": Context.unknown(n),
    }
    return Requests(**{**content, **changes})


def scores(ranker: Ranker, asked: Requests) -> Floats32:
    """Scores of the whole catalogue, shape (n, I)."""
    return ranker.score(asked, np.arange(len(asked.items), dtype=np.int32))
