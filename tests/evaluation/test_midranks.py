from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.small import holdout
from mercer.contracts import Ragged
from mercer.evaluation.midranks import group_mid_ranks, mid_ranks, rule_out


def brute(row: list[float], code: int) -> float:
    own = row[code]
    if own == -np.inf:
        return np.inf
    greater = sum(value > own for value in row)
    equal = sum(value == own for value in row)
    return 1 + greater + (equal - 1) / 2


def test_a_tie_of_three_takes_the_middle_place() -> None:
    scores = np.array([[9, 5, 5, 5, 1]], np.float32)
    assert mid_ranks(scores, Ragged.from_rows([[0, 1, 3, 4]])).tolist() == [1, 3, 3, 5]


def test_what_can_not_be_answered_is_a_miss() -> None:
    scores = np.array([[-np.inf, 2.0]], np.float32)
    assert mid_ranks(scores, Ragged.from_rows([[0, 1, -1]])).tolist() == [np.inf, 1, np.inf]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_mid_ranks_equal_brute_force(data: st.DataObject) -> None:
    n_items = data.draw(st.integers(1, 40))
    values = st.sampled_from([-np.inf, 0.0, 1.0, 2.0, 3.5])
    rows = data.draw(st.lists(st.lists(values, min_size=n_items, max_size=n_items), min_size=1, max_size=4))
    # More than 16 codes take the sorting path, fewer the scanning one.
    wanted = [data.draw(st.lists(st.integers(0, n_items - 1), max_size=30)) for _ in rows]
    got = mid_ranks(np.array(rows, np.float32), Ragged.from_rows(wanted))
    assert got.tolist() == [
        brute(row, code) for row, codes in zip(rows, wanted, strict=True) for code in codes
    ]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_ruling_out_equals_the_dense_mask(data: st.DataObject) -> None:
    n_items = 6
    codes = st.lists(st.integers(0, n_items - 1), max_size=4)
    histories = data.draw(st.lists(codes, min_size=3, max_size=3))
    rules = {
        name: Ragged.from_rows(data.draw(st.lists(codes, min_size=3, max_size=3)))
        for name in data.draw(st.sets(st.sampled_from(["deny", "allow", "candidates"])))
    }
    requests = holdout(
        [[0], [1], [2]], n_items, histories=histories, repeats=data.draw(st.booleans()), **rules
    ).requests
    scores = np.arange(3 * n_items, dtype=np.float32).reshape(3, n_items)
    expected = np.where(requests.eligible(), scores, -np.inf)
    assert np.array_equal(rule_out(scores, requests), expected)


def test_nan_scores_are_ruled_out_and_the_input_is_left_alone() -> None:
    scores = np.array([[np.nan, 1.0]], np.float32)
    ruled = rule_out(scores, holdout([[0]], 2).requests)
    assert ruled.tolist() == [[-np.inf, 1.0]]
    assert np.isnan(scores[0, 0])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=25))
def test_group_mid_ranks_equal_brute_force(pairs: list[tuple[int, int]]) -> None:
    group = np.array([g for g, _ in pairs], np.int64)
    value = np.array([v for _, v in pairs], np.float64)
    expected = [
        brute([-other for h, other in pairs if h == g], [v2 for h, v2 in pairs if h == g].index(v))
        for g, v in pairs
    ]
    assert group_mid_ranks(group, value).tolist() == expected
