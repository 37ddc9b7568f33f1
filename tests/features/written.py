"""Logs written down by hand, for tests whose numbers can be checked on paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mercer.contracts import Interactions, Snapshots, Vocabulary

DAY = 86_400_000_000
KINDS = ("purchase", "return", "view", "cart", "search")


def event(day: float, kind: str = "purchase", **more: Any) -> dict[str, Any]:
    """An event `day` days after the start; item 0, one unit, no amount, no basket, unless said otherwise."""
    return {"day": day, "kind": kind, **more}


def snapshots(*histories: Sequence[dict[str, Any]], as_of: float = 100, has_clock: bool = True) -> Snapshots:
    """One snapshot a history, all as of one day."""
    rows = [row for history in histories for row in history]

    def column(name: str, default: Any, dtype: Any) -> Any:
        return np.array([row.get(name, default) for row in rows], dtype)

    time = (column("day", 0, float) * DAY).astype(np.int64)
    known, origin = column("known", np.nan, float), column("origin", np.nan, float)
    users = Vocabulary(f"u{number}" for number in range(len(histories)))
    history = Interactions(
        users=users,
        items=Vocabulary(f"i{number}" for number in range(50)),
        kinds=KINDS,
        indptr=np.cumsum([0, *(len(history) for history in histories)]).astype(np.int64),
        item=column("item", 0, np.int32),
        time=time,
        known_at=np.where(np.isnan(known), time, np.nan_to_num(known) * DAY).astype(np.int64),
        kind=np.array([KINDS.index(row["kind"]) for row in rows], np.int8),
        quantity=column("quantity", 1, np.float32),
        amount_minor=column("amount", 0, np.int64),
        basket=column("basket", -1, np.int64),
        session=column("session", -1, np.int64),
        origin_time=np.where(np.isnan(origin), time, np.nan_to_num(origin) * DAY).astype(np.int64),
        has_clock=has_clock,
    )
    cuts = np.full(len(histories), int(as_of * DAY), np.int64)
    return Snapshots(entities=users.ids, as_of=cuts, history=history)
