from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.contracts import NO_ITEM, Ragged, Rankings

INF = np.float32(np.inf)


def scores(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32)


def test_best_first_and_ties_by_code() -> None:
    ranked = Rankings.top_k(scores([1, 3, 3, 2]), 3)
    assert ranked.items.tolist() == [[1, 2, 3]]
    assert ranked.scores.tolist() == [[3, 3, 2]]


def test_ineligible_and_nan_are_never_answered() -> None:
    eligible = np.array([[True, False, True, True]])
    ranked = Rankings.top_k(scores([1, 9, np.nan, -INF]), 3, eligible=eligible)
    assert ranked.items.tolist() == [[0, NO_ITEM, NO_ITEM]]
    assert ranked.scores.tolist() == [[1, -INF, -INF]]


def test_k_beyond_the_catalogue_pads() -> None:
    ranked = Rankings.top_k(scores([1, 2]), 4)
    assert ranked.items.tolist() == [[1, 0, NO_ITEM, NO_ITEM]]
    assert ranked.k == 4


def test_pins_lead_in_the_order_given_and_keep_their_scores() -> None:
    pin = Ragged.from_rows([[0, 3]])
    ranked = Rankings.top_k(scores([1, 5, 4, 2]), 3, pin=pin)
    assert ranked.items.tolist() == [[0, 3, 1]]
    assert ranked.scores.tolist() == [[1, 2, 5]]


def test_pins_that_are_ineligible_unknown_or_repeated_are_dropped() -> None:
    eligible = np.array([[True, True, True, False]])
    ranked = Rankings.top_k(scores([1, 5, 4, 9]), 3, eligible=eligible, pin=Ragged.from_rows([[3, -1, 2, 2]]))
    assert ranked.items.tolist() == [[2, 1, 0]]


def test_more_pins_than_places_are_cut() -> None:
    assert Rankings.top_k(scores([1, 2, 3]), 2, pin=Ragged.from_rows([[0, 1, 2]])).items.tolist() == [[0, 1]]


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([30, 80, 700, 2000]), st.integers(1, 40), st.integers(1, 2000))
def test_any_catalogue_agrees_with_a_full_sort(seed: int, n_items: int, k: int, n_values: int) -> None:
    """From few distinct scores (ties everywhere) to all distinct; some rows hold next to nothing."""
    rng = np.random.default_rng(seed)
    table = rng.integers(0, n_values, (4, n_items)).astype(np.float32)
    table[0, rng.random(n_items) < 0.99] = -INF
    table[1, rng.random(n_items) < 0.5] = np.nan
    ranked = Rankings.top_k(table, k)
    for row, held in zip(ranked.items, table, strict=True):
        usable = [code for code in range(n_items) if held[code] > -INF]
        wanted = sorted(usable, key=lambda code: (-held[code], code))[:k]
        assert row.tolist() == wanted + [NO_ITEM] * (k - len(wanted))


def test_scores_are_not_changed_by_ranking() -> None:
    table = scores([np.nan, 1, 2])
    before = table.copy()
    Rankings.top_k(table, 2, eligible=np.array([[True, False, True]]), pin=Ragged.from_rows([[0]]))
    np.testing.assert_array_equal(table, before)


def test_take_and_concatenate_undo_each_other() -> None:
    ranked = Rankings.top_k(scores([1, 2], [2, 1]), 2)
    parts = [ranked.take(np.array([row])) for row in range(2)]
    again = Rankings.concatenate(parts)
    assert again.items.tolist() == ranked.items.tolist()
    assert len(again) == 2
    with pytest.raises(ValueError, match="at least one"):
        Rankings.concatenate([])


def test_no_rows() -> None:
    assert Rankings.top_k(np.zeros((0, 5), np.float32), 3).items.shape == (0, 3)
