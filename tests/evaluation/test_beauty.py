"""On real data: popularity on Amazon Beauty, a ranking full of ties, against a plain loop."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from conftest import shared_data

from mercer.contracts import Context, Holdout, Interactions, Ragged, Requests, Vocabulary
from mercer.evaluation import score_ranking, value


def held_out(log: pd.DataFrame) -> Holdout:
    """The last item of every user, their history masked; order stands in for a clock that the data lack."""
    log = log.sort_values(["user_id", "position"], kind="stable")
    users, items = Vocabulary(sorted(set(log["user_id"]))), Vocabulary(sorted(set(log["item_id"])))
    known, test = log[log["split"] != "test"], log[log["split"] == "test"]
    rows, n = users.encode(known["user_id"].tolist()), len(known)
    place, nothing = known["position"].to_numpy(np.int64), np.full(n, -1, np.int64)
    history = Interactions(
        users=users, items=items, kinds=("purchase",),
        indptr=np.searchsorted(rows, np.arange(len(users) + 1)).astype(np.int64),
        item=items.encode(known["item_id"].tolist()), time=place, known_at=place, kind=np.zeros(n, np.int8),
        quantity=np.ones(n, np.float32), amount_minor=np.zeros(n, np.int64), basket=nothing, session=nothing,
        origin_time=place, has_clock=False,
    )  # fmt: skip
    requests = Requests(
        users=users.ids, history=history, time=np.full(len(users), 10**6, np.int64),
        context=Context.unknown(len(users)), repeats=False,
    )  # fmt: skip
    relevant = Ragged(np.arange(len(users) + 1, dtype=np.int64), items.encode(test["item_id"].tolist()))
    return Holdout(
        requests=requests, relevant=relevant, grades=np.ones(len(users)), units=users.ids, clusters=users.ids
    )


def test_popularity_on_beauty_equals_a_plain_loop() -> None:
    log = pd.read_parquet(shared_data("amazon-beauty") / "interactions.parquet")
    held = held_out(log).take(np.arange(0, 22363, 50))
    train = log[log["split"] == "train"]
    counts = np.bincount(held.requests.items.encode(train["item_id"].tolist()), minlength=12101)
    scored = score_ranking(held, score=lambda r: np.tile(counts.astype(np.float32), (len(r), 1)))
    expected = []
    for user, item in enumerate(held.relevant.values):
        allowed = np.delete(counts, np.unique(held.requests.history.item_rows[user]))
        greater, equal = (allowed > counts[item]).sum(), (allowed == counts[item]).sum()
        expected.append(1 + greater + (equal - 1) / 2)
    assert len(expected) == 448
    assert scored.rows["rank"].tolist() == expected
    assert value(scored, "recall@10") == pytest.approx(np.mean(np.array(expected) <= 10))
