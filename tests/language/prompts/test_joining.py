"""The base's places and the prompt's word, joined so that no item moves two others against each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mercer.language.prompts.joining import CAP, Asked, Scale, best_weight, first, places
from mercer.testing.small_shop import small_dataset, small_holdout

INF = np.inf


def test_candidates_lead_and_the_others_keep_the_base_s_order() -> None:
    base = np.array([5, 9, 1, 7, -INF, 3], np.float32)
    one = Asked(base, first(base, 3), np.array([0.0, 4.0, 0.0]))
    assert one.codes.tolist() == [1, 3, 0]
    scores = one.joined(Scale(), 1.0)
    assert np.argsort(-scores, kind="stable").tolist()[:5] == [3, 1, 0, 5, 2]
    assert np.isneginf(scores[4])


def test_the_score_is_the_place_and_the_weighted_spreads() -> None:
    base = np.array([4, 3, 2, 1], np.float32)
    one = Asked(base, first(base, 4), np.array([1.0, 2.0, 3.0, 99.0]))
    scores = one.joined(Scale(1.0, 2.0), 0.5)
    wanted = np.array([1, 0.75, 0.5, 0.25]) + 0.5 * np.array([0, 0.5, 1.0, CAP])
    assert scores - scores[0] == pytest.approx(wanted - wanted[0], abs=1e-5)


def test_equal_items_of_the_base_share_the_better_place() -> None:
    assert places(np.array([2.0, 5, 2, 7, -INF])).tolist() == [3, 2, 3, 1, 5]
    base = np.array([2, 2, 1], np.float32)
    scores = Asked(base, first(base, 2), np.zeros(2)).joined(Scale(), 1.0)
    assert scores[0] == scores[1]


@given(arrays(np.float32, st.integers(1, 20), elements=st.sampled_from([-INF, 0, 1, 2])), st.integers(1, 25))
def test_first_items_are_answers_best_first(base: np.ndarray, n: int) -> None:
    found = first(base, n)
    assert len(found) == min(n, (base > -INF).sum())
    assert (base[found] > -INF).all()
    assert (np.diff(base[found]) <= 0).all()


def test_barred_items_are_no_candidates() -> None:
    assert first(np.array([3, 2, 1], np.float32), 2, np.array([0])).tolist() == [1, 2]


@given(
    arrays(np.float64, 6, elements=st.floats(-9, 9)),
    st.floats(-1e6, 1e6),
    st.integers(0, 5),
    st.sampled_from([0.03, 0.1, 1.0, 4.0]),
)
def test_no_word_on_one_item_moves_two_others(said: np.ndarray, lie: float, spot: int, weight: float) -> None:
    base = np.arange(9, 0, -1).astype(np.float32)
    codes, scale = first(base, 6), Scale(0.5, 2.0)
    changed = said.copy()
    changed[spot] = lie
    before, after = (Asked(base, codes, one).joined(scale, weight) for one in (said, changed))
    others = np.arange(9) != spot
    assert np.array_equal(before[others], after[others])
    assert after[spot] > after[6:].max(initial=0), "a candidate fell behind the others"


def test_a_scale_is_of_all_values_and_neutral_where_there_is_nothing_to_measure() -> None:
    assert Scale.of([np.array([1.0, 3]), np.array([5.0, 7])]) == Scale(4.0, np.std([1, 3, 5, 7]))
    assert Scale.of([]) == Scale.of([np.array([2.0, 2])]) == Scale()


def test_held_out_rows_choose_the_weight() -> None:
    held = small_holdout(small_dataset(), "recommend")
    base = np.arange(24, 0, -1).astype(np.float32)
    codes = first(base, 24)
    right = [np.isin(codes, held.relevant[row]).astype(float) for row in range(len(held))]
    assert best_weight(held, [Asked(base, codes, said) for said in right], Scale(0.0, 1.0)) == 1.0
    assert best_weight(held, [Asked(base, codes, -said) for said in right], Scale(0.0, 1.0)) == 0.0
    assert best_weight(held, [Asked(base, codes, 0 * said) for said in right], Scale()) == 0.0
