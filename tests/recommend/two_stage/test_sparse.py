"""Sums over rows of neighbours equal a matrix product, and no batch changes a bit of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array, random_array

from mercer.recommend.two_stage.sparse import Rows, best_cells, places, spread


def rows_of(seed: int, n: int = 12, width: int = 9) -> tuple[Rows, csr_array]:
    matrix = random_array((n, width), density=0.4, rng=np.random.default_rng(seed), format="csr")
    return Rows.of(csr_array(matrix)), csr_array(matrix)


@given(st.integers(0, 10_000))
def test_spread_is_the_product_of_weights_and_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, matrix = rows_of(seed)
    row, code = np.sort(rng.integers(0, 4, 20)), rng.integers(0, 12, 20)
    weights = [rng.random(20), rng.random(20)]
    for weight, got in zip(weights, spread(rows, row, code, weights, 4), strict=True):
        history = np.zeros((4, 12))
        np.add.at(history, (row, code), weight)
        np.testing.assert_allclose(got, history @ matrix.astype(np.float32).toarray(), rtol=1e-6)


@given(st.integers(0, 10_000))
def test_one_history_alone_gets_the_same_bits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, _ = rows_of(seed)
    row, code, weight = np.sort(rng.integers(0, 5, 40)), rng.integers(0, 12, 40), rng.random(40)
    [together] = spread(rows, row, code, [weight], 5)
    for number in range(5):
        own = row == number
        [alone] = spread(rows, np.zeros(own.sum(), np.int64), code[own], [weight[own]], 1)
        assert np.array_equal(alone[0], together[number])


def test_rows_of_nothing() -> None:
    none = np.zeros(0, np.int64)
    [got] = spread(Rows.empty(3, 4), none, none, [np.zeros(0)], 2)
    assert got.tolist() == [[0, 0, 0, 0], [0, 0, 0, 0]]


@given(
    st.lists(st.lists(st.integers(-2, 4), min_size=6, max_size=6), min_size=1, max_size=5), st.integers(1, 7)
)
def test_best_cells_are_the_best_with_ties_to_the_lower_column(table: list[list[int]], k: int) -> None:
    scores = np.array(table, np.float64)
    wanted = {
        row * 6 + column
        for row, line in enumerate(table)
        for column in sorted((c for c in range(6) if line[c] > 0), key=lambda c: (-line[c], c))[:k]
    }
    assert set(best_cells(scores, k).tolist()) == wanted


def test_places_within_a_row_are_shared_by_equals() -> None:
    row = np.array([0, 0, 0, 1, 1, 1, 1])
    values = np.array([2.0, 5.0, 5.0, 1.0, 9.0, 1.0, 0.0])
    assert places(row, values).tolist() == [2, 0, 0, 1, 0, 1, 3]
