from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.contracts import NEVER, Vocabulary
from mercer.errors import DataError
from mercer.release import histories

ITEMS = Vocabulary(["a", "b", "c"])


def test_events_are_ordered_by_time_then_arrival() -> None:
    made = histories(
        {"item": ["a", "b", "c", "a"], "time": [5, 3, 5, 1]}, row=[1, 1, 1, 0], users=["u", "v"], items=ITEMS
    )
    assert made.indptr.tolist() == [0, 1, 4]
    assert made.item.tolist() == [0, 1, 0, 2]
    assert made.time.tolist() == [1, 3, 5, 5]


def test_events_of_one_time_are_ordered_by_id_where_all_have_one() -> None:
    columns = {"item": ["a", "b", "c"], "time": [5, 5, 5], "event": ["e3", "e1", "e2"]}
    assert histories(columns, row=[0] * 3, users=["u"], items=ITEMS).item.tolist() == [1, 2, 0]
    columns["event"][0] = None
    assert histories(columns, row=[0] * 3, users=["u"], items=ITEMS).item.tolist() == [0, 1, 2]


def test_defaults_are_one_purchase_without_money() -> None:
    made = histories({"item": ["a"], "time": [7]}, row=[0], users=["u"], items=ITEMS)
    assert made.kinds[made.kind[0]] == "purchase"
    assert (made.quantity[0], made.amount_minor[0]) == (1.0, 0)
    assert (made.basket[0], made.session[0]) == (-1, -1)
    assert made.known_at.tolist() == made.origin_time.tolist() == [7]


def test_a_return_is_bound_to_the_purchase_it_undoes() -> None:
    columns = {
        "item": ["a", "a", "b"],
        "time": [1, 9, 9],
        "kind": ["purchase", "return", "return"],
        "event": ["e1", "e2", "e3"],
        "origin": [None, "e1", None],
    }
    made = histories(columns, row=[0, 0, 0], users=["u"], items=ITEMS)
    assert made.origin_time.tolist() == [1, 1, NEVER]


def test_baskets_are_numbered_within_users() -> None:
    columns = {"item": ["a", "b", "c", "a"], "time": [1, 1, 2, 1], "basket": ["x", "x", None, "x"]}
    made = histories(columns, row=[0, 0, 0, 1], users=["u", "v"], items=ITEMS)
    assert made.basket.tolist() == [0, 0, -1, 1]


def test_an_unknown_item_is_dropped_or_extends_the_vocabulary() -> None:
    columns = {"item": ["a", "new"], "time": [1, 2], "amount_minor": [5, 7]}
    assert histories(columns, row=[0, 0], users=["u"], items=ITEMS).item.tolist() == [0]
    grown = histories(columns, row=[0, 0], users=["u"], items=ITEMS, unknown="extend")
    assert grown.items.ids == ("a", "b", "c", "new")
    assert grown.amount_minor.tolist() == [5, 7]


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(DataError, match="'time' has 1 values for 2 events"):
        histories({"item": ["a", "b"], "time": [1]}, row=[0, 0], users=["u"], items=ITEMS)


def test_users_without_events_have_empty_rows() -> None:
    made = histories({"item": (), "time": ()}, row=(), users=["u", "v"], items=ITEMS)
    assert made.indptr.tolist() == [0, 0, 0]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from("abcz"), st.integers(-5, 5)), max_size=30),
)
def test_rows_hold_each_users_events_sorted_stably(events: list[tuple[int, str, int]]) -> None:
    columns = {"item": [e[1] for e in events], "time": [e[2] for e in events]}
    made = histories(columns, row=[e[0] for e in events], users=["u", "v", "w"], items=ITEMS)
    for user in range(3):
        own = sorted((e for e in events if e[0] == user and e[1] != "z"), key=lambda e: e[2])
        at = slice(*made.indptr[user : user + 2])
        assert made.item[at].tolist() == ITEMS.encode([e[1] for e in own]).tolist()
        assert made.time[at].tolist() == [e[2] for e in own]
    assert np.array_equal(made.lengths, np.diff(made.indptr))
