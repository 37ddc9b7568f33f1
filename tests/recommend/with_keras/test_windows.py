"""Histories as rows of equal width: order, ages in steps, padding, and what a window leaves out."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mercer.contracts import Interactions, Vocabulary
from mercer.recommend.steps import steps
from mercer.recommend.with_keras import PADDING, Windows
from mercer.testing.small_shop import DAY_US, log_of

ITEMS = Vocabulary([f"i{code}" for code in range(9)])
BASKETS = [(0, 3, 0, 0, 7), (0, 1, 0, 0, 7), (0, 4, DAY_US, 0, 8), (2, 5, 0, 0, -1), (2, 5, DAY_US, 0, -1)]
"""User 0: items 3 and 1 in one basket, then 4. User 1: nothing. User 2: item 5 twice."""


def shop(rows: list[tuple[int, int, int, int, int]] = BASKETS, n_users: int = 3) -> Interactions:
    return log_of(rows, Vocabulary([f"u{user}" for user in range(n_users)]), ITEMS, kinds=("purchase",))


def test_the_latest_is_on_the_right_and_ages_count_steps() -> None:
    found = Windows.of_rows(shop(), np.array([1.0, 2.0, 3.0, 4.0, 5.0]), 4)
    assert found.item.tolist() == [[PADDING, 3, 1, 4], [PADDING] * 4, [PADDING, PADDING, 5, 5]]
    assert found.age.tolist() == [[0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 1, 0]]
    assert found.weight.tolist() == [[0, 1, 2, 3], [0, 0, 0, 0], [0, 0, 4, 5]]
    assert found.empty.tolist() == [False, True, False]


def test_a_window_keeps_the_last_events() -> None:
    assert Windows.of_rows(shop(), np.ones(5), 2).item.tolist() == [[1, 4], [PADDING, PADDING], [5, 5]]


def test_a_history_can_end_anywhere() -> None:
    log = shop()
    found = Windows.ending(log, np.ones(5), steps(log), np.array([1, -1, 3]), 3)
    assert found.item.tolist() == [[PADDING, 3, 1], [PADDING] * 3, [PADDING, PADDING, 5]]
    assert found.age.tolist() == [[0, 0, 0]] * 3


def test_trimming_takes_off_common_padding_alone() -> None:
    found = Windows.of_rows(shop(), np.ones(5), 6).trimmed()
    assert found.item.tolist() == [[3, 1, 4], [PADDING] * 3, [PADDING, 5, 5]]
    nobody = Windows.of_rows(Interactions.empty(Vocabulary(["u"]), ITEMS), np.zeros(0), 6)
    assert nobody.empty.tolist() == [True]
    assert nobody.trimmed().item.tolist() == [[PADDING]]


@given(st.lists(st.integers(0, 6), max_size=8), st.integers(1, 9), st.integers(0, 1000))
def test_a_window_is_the_end_of_the_row(lengths: list[int], width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [
        (user, int(rng.integers(0, 9)), int(place), 0, -1)
        for user, length in enumerate(lengths)
        for place in np.sort(rng.integers(0, 4, length))
    ]
    log = shop(rows, max(1, len(lengths)))
    found = Windows.of_rows(log, np.ones(log.n_events), width)
    for user in range(log.n_users):
        events = slice(log.indptr[user], log.indptr[user + 1])
        item, age = found.item[user], found.age[user]
        held = item != PADDING
        assert item[held].tolist() == log.item[events][-width:].tolist()
        assert not held[:-1][~held[1:]].any(), "padding lies after an event"
        later = [len({t for t in log.time[events] if t > time}) for time in log.time[events][-width:]]
        assert age[held].tolist() == later
        assert (found.weight[user] == held).all()
