from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mercer.recommend.tail import over_tail, popularity, with_tail
from mercer.testing.handmade import log


def test_popularity_is_the_share_of_the_most_popular() -> None:
    events = log([(0, 1), (0, 2), (1, 3)], n_items=3)
    assert popularity(events, np.ones(3)).tolist() == [1.0, 0.5, 0.0]
    assert popularity(events, np.array([1.0, 1.0, 8.0])).tolist() == [0.25, 1.0, 0.0]


def test_popularity_of_nothing_is_zero() -> None:
    assert popularity(log([], n_items=2), np.zeros(0)).tolist() == [0.0, 0.0]


def test_the_unknown_follows_by_share_below_half_of_the_least_known() -> None:
    known = np.array([[0.0, 0.8, 0.0, 0.2], [0.0, 0.0, 0.0, 0.0]], np.float32)
    share = np.array([1.0, 0.9, 0.25, 0.1], np.float32)
    filled = with_tail(known, share)
    np.testing.assert_allclose(filled, [[0.1, 0.8, 0.025, 0.2], share], rtol=1e-6)


def test_items_of_equal_share_stay_tied() -> None:
    filled = with_tail(np.array([[0.0, 0.0, 3.0]], np.float32), np.zeros(3, np.float32))
    assert filled[0, 0] == filled[0, 1] == 0


positive = st.floats(0, 1e3, width=32).map(lambda value: 0.0 if value < 1e-20 else value)


@given(
    arrays(np.float32, (4, 7), elements=positive), arrays(np.float32, 7, elements=st.floats(0, 1, width=32))
)
def test_nothing_unknown_passes_anything_known(known: np.ndarray, share: np.ndarray) -> None:
    filled = with_tail(known, share)
    for before, after in zip(known, filled, strict=True):
        np.testing.assert_array_equal(after[before > 0], before[before > 0])
        if (before > 0).any() and (before == 0).any():
            assert after[before == 0].max() < before[before > 0].min()
    assert np.isfinite(filled).all()


@given(
    arrays(np.float32, (4, 7), elements=positive), arrays(np.float32, 7, elements=st.floats(0, 1, width=32))
)
def test_sparse_and_dense_scores_are_filled_alike(known: np.ndarray, share: np.ndarray) -> None:
    from scipy.sparse import csr_array

    np.testing.assert_array_equal(over_tail(csr_array(known), share), with_tail(known, share))


def test_no_requests() -> None:
    assert with_tail(np.zeros((0, 3), np.float32), np.zeros(3, np.float32)).shape == (0, 3)
