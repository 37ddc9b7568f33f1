from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.contracts import Interactions
from mercer.recommend import cooccurrence
from mercer.recommend.cooccurrence import count_pairs, strongest
from mercer.recommend.steps import steps
from mercer.testing.handmade import log


def by_hand(
    events: Interactions, weights: np.ndarray, window: int, exponent: float, reach: int
) -> tuple[np.ndarray, np.ndarray]:
    """Every pair in a loop."""
    n_items, step = len(events.items), steps(events)
    forward, together = np.zeros((2, n_items, n_items))
    for user in range(events.n_users):
        rows = range(events.indptr[user], events.indptr[user + 1])
        for a in rows:
            for b in rows:
                gap, both = step[b] - step[a], weights[a] * weights[b]
                if not (a < b <= a + reach and gap <= window):
                    continue
                i, j = events.item[a], events.item[b]
                if gap > 0:
                    forward[i, j] += both * gap**-exponent
                elif i != j:
                    together[i, j] += both
                    together[j, i] += both
    return forward, together


def test_three_purchases_in_a_row() -> None:
    counts = count_pairs(
        log([(0, 1), (1, 2), (2, 3)], n_items=3), np.ones(3), window=2, exponent=1.0, reach=9
    )
    np.testing.assert_allclose(counts.forward.toarray(), [[0, 1, 0.5], [0, 0, 1], [0, 0, 0]])
    assert counts.together.nnz == 0


def test_a_basket_has_no_order() -> None:
    counts = count_pairs(
        log([(0, 1), (1, 1), (2, 2)], n_items=3), np.ones(3), window=2, exponent=1.0, reach=9
    )
    np.testing.assert_allclose(counts.together.toarray(), [[0, 1, 0], [1, 0, 0], [0, 0, 0]])
    np.testing.assert_allclose(counts.forward.toarray(), [[0, 0, 1], [0, 0, 1], [0, 0, 0]])


def test_the_same_item_again_is_a_pair_with_itself_but_not_within_a_basket() -> None:
    counts = count_pairs(
        log([(0, 1), (0, 1), (0, 2)], n_items=1), np.ones(3), window=2, exponent=1.0, reach=9
    )
    assert counts.forward.toarray().tolist() == [[2.0]]
    assert counts.together.nnz == 0


def test_two_people_make_no_pair() -> None:
    counts = count_pairs(log([(0, 1)], [(1, 2)], n_items=2), np.ones(2), window=9, exponent=0.5, reach=9)
    assert counts.forward.nnz == counts.together.nnz == 0


@st.composite
def logs(draw: st.DrawFn) -> Interactions:
    histories = draw(
        st.lists(
            st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), max_size=9), min_size=1, max_size=3
        )
    )
    ordered = [sorted(history, key=lambda event: event[1]) for history in histories]
    return log(*ordered, n_items=5, clock=draw(st.booleans()))


@settings(max_examples=60)
@given(logs(), st.integers(1, 4), st.sampled_from([0.0, 0.5, 1.0]), st.integers(1, 6), st.integers(1, 9))
def test_pairs_equal_those_of_a_loop(
    events: Interactions, window: int, exponent: float, reach: int, chunk: int
) -> None:
    weights = 1 + np.arange(events.n_events) % 3 / 2
    kept: Any = cooccurrence._CHUNK
    cooccurrence._CHUNK = chunk
    try:
        counts = count_pairs(events, weights, window=window, exponent=exponent, reach=reach)
    finally:
        cooccurrence._CHUNK = kept
    forward, together = by_hand(events, weights, window, exponent, reach)
    np.testing.assert_allclose(counts.forward.toarray(), forward, rtol=1e-12)
    np.testing.assert_allclose(counts.together.toarray(), together, rtol=1e-12)


def test_the_strongest_of_each_row_are_kept_and_ties_go_to_the_lower_code() -> None:
    from scipy.sparse import csr_array

    matrix = csr_array(np.array([[1.0, 3.0, 2.0, 3.0], [0.0, 5.0, 0.0, 0.0], [2.0, 2.0, 2.0, 0.0]]))
    kept = strongest(matrix, 2).toarray()
    assert kept.tolist() == [[0, 3, 0, 3], [0, 5, 0, 0], [2, 2, 0, 0]]
