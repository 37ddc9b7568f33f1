"""Sums over rows of neighbours equal a matrix product, and no batch changes a bit of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array, random_array

from mercer.recommend.two_stage.sparse import Rows, Spots, Walk, best_cells, places


def rows_of(seed: int, n: int = 12, width: int = 9) -> tuple[Rows, csr_array]:
    matrix = random_array((n, width), density=0.4, rng=np.random.default_rng(seed), format="csr")
    return Rows.of(csr_array(matrix)), csr_array(matrix)


@given(st.integers(0, 10_000))
def test_a_walk_is_the_product_of_weights_and_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, matrix = rows_of(seed)
    row, code = np.sort(rng.integers(0, 4, 20)), rng.integers(0, 12, 20)
    weights = [rng.random(20), rng.random(20)]
    walk = Walk.of(rows, row, code, 4)
    for weight in weights:
        got = walk.dense(weight)
        history = np.zeros((4, 12))
        np.add.at(history, (row, code), weight)
        np.testing.assert_allclose(got, history @ matrix.astype(np.float32).toarray(), rtol=1e-6)


@given(st.integers(0, 10_000))
def test_one_history_alone_gets_the_same_bits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, _ = rows_of(seed)
    row, code, weight = np.sort(rng.integers(0, 5, 40)), rng.integers(0, 12, 40), rng.random(40)
    together = Walk.of(rows, row, code, 5).dense(weight)
    for number in range(5):
        own = row == number
        alone = Walk.of(rows, np.zeros(own.sum(), np.int64), code[own], 1).dense(weight[own])
        assert np.array_equal(alone[0], together[number])


def test_rows_of_nothing() -> None:
    none = np.zeros(0, np.int64)
    walk = Walk.of(Rows.empty(3, 4), none, none, 2)
    assert walk.dense(np.zeros(0)).tolist() == [[0, 0, 0, 0], [0, 0, 0, 0]]
    assert walk.hits(Spots.of(np.array([1, 6]), 8)).totals(np.zeros(0)).tolist() == [0, 0]


@given(st.integers(0, 10_000), st.integers(0, 27))
def test_at_some_cells_a_walk_gives_the_bits_it_gives_everywhere(seed: int, n_cells: int) -> None:
    rng = np.random.default_rng(seed)
    rows, _ = rows_of(seed)
    row, code = np.sort(rng.integers(0, 3, 20)), rng.integers(0, 12, 20)
    cells = rng.permutation(3 * rows.width)[:n_cells]
    spots, walk = Spots.of(cells, 3 * rows.width), Walk.of(rows, row, code, 3)
    hits = walk.hits(spots)
    for weight in (rng.random(20), np.where(rng.random(20) < 0.5, 0.0, 1.0)):
        assert np.array_equal(hits.totals(weight), walk.dense(weight).ravel()[cells])
    pattern = replace(rows, data=np.ones_like(rows.data))
    assert np.array_equal(hits.events(), Walk.of(pattern, row, code, 3).dense(np.ones(20)).ravel()[cells])
    values = rng.random(20)
    everywhere = np.bincount(row * rows.width + code % rows.width, values, minlength=3 * rows.width)
    assert np.array_equal(spots.totals(row * rows.width + code % rows.width, values), everywhere[cells])


@given(
    st.lists(st.lists(st.integers(-2, 4), min_size=6, max_size=6), min_size=1, max_size=5),
    st.integers(1, 7),
    st.sets(st.integers(0, 5)),
)
def test_best_cells_are_the_best_with_ties_to_the_lower_column(
    table: list[list[int]], k: int, without: set[int]
) -> None:
    scores = np.array(table, np.float64)
    wanted = {
        row * 6 + column
        for row, line in enumerate(table)
        for column in sorted(
            (c for c in range(6) if line[c] > 0 and row * 6 + c not in without), key=lambda c: (-line[c], c)
        )[:k]
    }
    left_out = np.array(sorted(without), np.int64)
    assert set(best_cells(scores, k, left_out).tolist()) == wanted
    assert np.array_equal(scores, np.array(table)), "scores are left as they were"


def test_places_within_a_row_are_shared_by_equals() -> None:
    row = np.array([0, 0, 0, 1, 1, 1, 1])
    values = np.array([2.0, 5.0, 5.0, 1.0, 9.0, 1.0, 0.0])
    assert places(row, values).tolist() == [2, 0, 0, 1, 0, 1, 3]
