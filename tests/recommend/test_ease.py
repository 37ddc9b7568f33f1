from __future__ import annotations

from dataclasses import replace

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from mercer.contracts import Vocabulary
from mercer.errors import UnsupportedError
from mercer.recommend import Ease, MostPopular
from mercer.recommend.ease import inverse, sparse_weights
from mercer.testing.handmade import dataset, log, requests, scores

PLAIN = {
    "l2": 2.0,
    "decay": 1.0,
    "count_exponent": 0.0,
    "user_exponent": 0.0,
    "popularity_exponent": 0.0,
    "own": 0.0,
}
EVENTS = log(
    [(0, 1), (1, 2), (0, 3)], [(0, 1), (1, 2), (2, 4)], [(3, 1), (2, 1)], [(1, 1), (2, 2)], n_items=5
)
BOUGHT = np.array([[1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]], float)


def fitted(*, repeats: bool = False, **options: object) -> Ease:
    return Ease(Ease.Options(**{**PLAIN, **options})).fit(dataset(EVENTS, repeats=repeats))  # type: ignore[arg-type]


def weights(ranker: Ease) -> np.ndarray:
    state = ranker.state
    return csr_array((state["data"], state["indices"], state["indptr"]), shape=(5, 5)).toarray()


def by_hand(rows: np.ndarray, l2: float) -> np.ndarray:
    p = np.linalg.inv(rows.T @ rows + l2 * np.eye(rows.shape[1]))
    b = -p / np.diag(p)
    np.fill_diagonal(b, 0)
    return b


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_weights_are_those_of_the_closed_form(precision: str) -> None:
    assert weights(fitted(precision=precision)) == pytest.approx(by_hand(BOUGHT, 2.0), abs=1e-6)


def test_two_items_worked_out_on_paper() -> None:
    # X'X + I = [[3, 2], [2, 3]]; P = [[3, -2], [-2, 3]] / 5; B = 2 / 3 off the diagonal.
    events = log([(0, 1), (1, 1)], [(0, 1), (1, 1)], n_items=2)
    ranker = Ease(Ease.Options(**{**PLAIN, "l2": 1.0})).fit(dataset(events, repeats=False))
    assert ranker.state["data"] == pytest.approx([2 / 3, 2 / 3])


@given(st.integers(1, 12), st.integers(1, 9), st.integers(0, 2**31), st.floats(0.5, 50))
@settings(max_examples=40, deadline=None)
def test_no_other_weights_fit_better(n_users: int, n_items: int, seed: int, l2: float) -> None:
    rng = np.random.default_rng(seed)
    rows = (rng.random((n_users, n_items)) < 0.4).astype(float)
    found = sparse_weights(inverse(csr_array(rows), l2, "float64"), n_items).toarray()

    def loss(b: np.ndarray) -> float:
        return float(((rows - rows @ b) ** 2).sum() + l2 * (b**2).sum())

    aside = rng.normal(size=(n_items, n_items)) * 0.01
    np.fill_diagonal(aside, 0)
    assert np.all(np.diag(found) == 0)
    assert loss(found) <= loss(found + aside) + 1e-9
    assert loss(found) <= loss(found - aside) + 1e-9


def test_blocks_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = csr_array((np.random.default_rng(3).random((40, 23)) < 0.3).astype(float))
    whole = inverse(rows, 1.5, "float64")
    monkeypatch.setattr("mercer.recommend.ease._BLOCK", 5)
    parts = inverse(rows, 1.5, "float64")
    assert np.array_equal(whole, parts)
    assert parts == pytest.approx(np.linalg.inv((rows.T @ rows).toarray() + 1.5 * np.eye(23)))
    assert sparse_weights(parts, 23).toarray() == pytest.approx(by_hand(rows.toarray(), 1.5))


def test_each_row_keeps_its_largest_weights_of_either_sign() -> None:
    whole, cut = weights(fitted()), weights(fitted(neighbours=2))
    for row in range(5):
        kept = np.flatnonzero(cut[row])
        assert len(kept) <= 2
        assert cut[row, kept] == pytest.approx(whole[row, kept])
        assert np.abs(np.delete(whole[row], kept)).max() <= np.abs(whole[row, kept]).min(initial=np.inf)


def test_people_and_counts_are_scaled_as_said() -> None:
    counts = np.array([[2, 1, 0, 0, 0], *BOUGHT[1:]]) ** 0.5
    rows = counts * np.array([2, 3, 2, 2])[:, None] ** -0.5
    ranker = fitted(count_exponent=0.5, user_exponent=0.5)
    assert weights(ranker) == pytest.approx(by_hand(rows, 2.0), abs=1e-6)


def test_common_items_are_marked_down() -> None:
    held = BOUGHT.sum(0)
    assert weights(fitted(popularity_exponent=0.5)) == pytest.approx(
        by_hand(BOUGHT, 2.0) / (held + 1) ** 0.5, abs=1e-6
    )


def test_the_history_adds_up_and_fades() -> None:
    ranker = fitted(decay=0.5)
    b = by_hand(BOUGHT, 2.0)
    known = scores(ranker, requests(log([(3, 1), (0, 2)], n_items=5)))[0]
    total = b[0] + 0.5 * b[3]
    assert known[total > 1e-9] == pytest.approx(total[total > 1e-9], abs=1e-6)
    assert known[total <= 0].max() < known[total > 1e-9].min()


def test_an_item_speaks_for_itself_only_where_repeats_are_the_target() -> None:
    assert np.diag(weights(fitted(own=0.3))).tolist() == [0] * 5
    assert np.diag(weights(fitted(own=0.3, repeats=True))) == pytest.approx(np.full(5, 0.3))


def test_a_newcomer_gets_what_is_popular() -> None:
    asked = requests(log([], n_items=5))
    popular = MostPopular().fit(dataset(EVENTS))
    assert np.array_equal(fitted().rank(asked, 5).items, popular.rank(asked, 5).items)


def test_a_catalogue_too_large_is_refused_before_any_work() -> None:
    train = dataset(EVENTS)
    many = Vocabulary([f"i{number}" for number in range(40_000)])
    with pytest.raises(
        UnsupportedError, match=r"6\.0 GiB .* 40,000 items.*enough for 32,768.*item-knn or ials"
    ):
        Ease().fit(replace(train, vocabulary=many, interactions=replace(EVENTS, items=many)))


def test_more_memory_than_is_free_is_refused_whatever_is_allowed() -> None:
    n = int((psutil.virtual_memory().total / 8) ** 0.5) + 1000
    many = Vocabulary([str(number) for number in range(n)])
    ranker = Ease(Ease.Options(precision="float64", memory_gib=1e6))
    with pytest.raises(UnsupportedError, match="are free"):
        ranker.fit(replace(dataset(EVENTS), vocabulary=many, interactions=replace(EVENTS, items=many)))


def test_a_matrix_without_an_inverse_is_refused() -> None:
    rows = csr_array(np.full((3, 3), 1e5))
    with pytest.raises(UnsupportedError, match="float32 with l2"):
        inverse(rows, 1e-9, "float32")


def test_the_estimate_grows_with_catalogue_and_precision() -> None:
    train = dataset(EVENTS)
    many = replace(train, vocabulary=Vocabulary([str(number) for number in range(3000)]))
    single, double = Ease(), Ease(Ease.Options(precision="float64"))
    assert single.estimate(train).peak_mib < single.estimate(many).peak_mib < double.estimate(many).peak_mib
    assert single.estimate(train).seconds < single.estimate(many).seconds < double.estimate(many).seconds
