from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from language.events.small import dataset, log, tokenizer
from language.events.test_texts import TEXTS
from mercer.contracts import Dataset
from mercer.language.events import TaskOptions
from mercer.language.events.queries import judged, searched
from mercer.language.events.tasks import mixed


def searches(shop: object) -> Dataset:
    """Two searches of u0, one before its second event and one after all, one of a stranger, one without a query."""
    times = [int(shop.time[1]), int(shop.time[2]) + 1, 5, 6]
    when = pd.to_datetime(times, unit="us")
    requests = pd.DataFrame(
        {"request": ["a", "b", "c", "d"], "user": ["u0", "u0", "who", "u2"], "time": when,
         "query": ["red", "blue", "mug", None]}
    )  # fmt: skip
    outcomes = pd.DataFrame({"request": ["a", "b", "c", "d", "b"], "item": ["i3", "i4", "i5", "i6", "gone"]})
    return replace(dataset(shop), requests=requests, outcomes=outcomes)


def test_what_was_chosen_after_a_search() -> None:
    found = searched(searches(log()))
    assert list(zip(found.texts, found.items.tolist(), found.users, strict=True)) == [
        ("red", 3, "u0"), ("blue", 4, "u0"), ("mug", 5, "who")
    ]  # fmt: skip


def test_a_history_ends_before_its_query() -> None:
    shop = log()
    assert searched(searches(shop)).history(shop).lengths.tolist() == [1, 3, 0]


def test_what_was_judged_to_fit() -> None:
    frame = pd.DataFrame({"query": ["red", "red", "cup"], "item": [1, 2, -1], "grade": [1.0, 0.0, 2.0]})
    found = judged(replace(dataset(), judgments=frame))
    assert found.texts == ("red",)
    assert found.items.tolist() == [1]
    assert judged(dataset()).texts == searched(dataset()).texts == ()


def test_queries_become_lines() -> None:
    shop, made = log(), tokenizer(TEXTS)
    chosen = TaskOptions(next_event=0.0, query_to_item=1.0, history_query_to_item=1.0)
    lines = mixed(made, shop, chosen, dataset=searches(shop))
    assert len(lines) == 6
    alone, after = lines.lengths[:3], lines.lengths[3:]
    assert np.array_equal(after - alone, np.array([1, 3, 0]) * made.n_event)
    assert len(mixed(made, shop, chosen, dataset=dataset())) == 0
