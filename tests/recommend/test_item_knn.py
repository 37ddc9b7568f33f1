from __future__ import annotations

import numpy as np
import pytest

from mercer.recommend import ItemKnn, MostPopular
from mercer.testing.handmade import dataset, log, requests, scores

RAW = {
    "gap_exponent": 1.0, "backward": 0.5, "together": 0.25, "row_exponent": 0.0, "column_exponent": 0.0,
    "shrinkage": 0.0, "decay": 0.5,
}  # fmt: skip
EVENTS = log([(0, 1), (1, 2)], [(0, 1), (1, 2), (2, 4)], [(3, 1), (2, 1)], n_items=5)


def fitted(events=EVENTS, *, repeats: bool = True, **options: float) -> ItemKnn:
    return ItemKnn(ItemKnn.Options(**{**RAW, **options})).fit(dataset(events, repeats=repeats))


def row(history: list[tuple[int, int]], ranker: ItemKnn) -> np.ndarray:
    return scores(ranker, requests(log(history, n_items=5)))[0]


def test_what_followed_outweighs_what_went_before_and_what_lay_beside() -> None:
    known = row([(1, 1)], fitted())
    assert known[2] == pytest.approx(1.0)  # one step after
    assert known[0] == pytest.approx(2 * 0.5)  # twice one step before, discounted
    assert row([(3, 1)], fitted())[2] == pytest.approx(0.25)  # in one basket


def test_the_history_adds_up_and_fades_by_step() -> None:
    known = row([(0, 1), (1, 2)], fitted())
    assert known[2] == pytest.approx(1.0 + 0.5 * 0.5)  # 1 now; 0 a step ago, two steps before 2


def test_items_of_one_basket_weigh_the_same() -> None:
    both = row([(0, 1), (1, 1)], fitted())
    assert both[2] == pytest.approx(1.0 + 0.5)


def test_normalisation_by_both_counts() -> None:
    known = row([(1, 1)], fitted(row_exponent=0.5, column_exponent=1.0, shrinkage=2.0))
    assert known[2] == pytest.approx(1.0 / (2**0.5 * (2 + 2)))


def test_a_repurchase_counts_only_where_repeats_are_the_target() -> None:
    events = log([(4, 1), (4, 2), (0, 3)], n_items=5)
    again = row([(4, 1)], fitted(events))
    never = row([(4, 1)], fitted(events, repeats=False))
    assert again[4] == pytest.approx(1.0)
    assert never[4] < never[0], "the item itself is no neighbour"


def test_only_the_strongest_neighbours_are_kept() -> None:
    events = log([(0, 1), (1, 2), (2, 3), (3, 4)], n_items=5)
    ranker = fitted(events, neighbours=1)
    assert np.diff(ranker.state["indptr"]).tolist() == [1, 1, 1, 1, 0]
    known = row([(0, 1)], ranker)
    assert known[1] == pytest.approx(1.0)
    assert known[2] < 1.0, "the farther neighbour is left to popularity"


def test_unrelated_items_follow_by_popularity_below_every_related_one() -> None:
    ranker = fitted()
    known = row([(1, 1)], ranker)
    order = np.argsort(-known, kind="stable").tolist()
    assert set(order[:2]) == {0, 2}
    assert order[2:] == [1, 3, 4]  # bought twice, once, never
    assert known[[1, 3, 4]].max() < known[[0, 2]].min()


def test_a_newcomer_gets_what_is_popular() -> None:
    asked = requests(log([], n_items=5))
    popular = MostPopular().fit(dataset(EVENTS))
    assert np.array_equal(fitted().rank(asked, 5).items, popular.rank(asked, 5).items)


def test_views_of_the_history_speak_when_told_so() -> None:
    viewed = requests(log([(1, 1, 0)], n_items=5))
    silent = scores(fitted(), viewed)[0]
    heard = scores(fitted(kinds=("view", "purchase"), kind_weights={"view": 0.5}), viewed)[0]  # type: ignore[arg-type]
    assert silent.tolist() == [1, 1, 1, 0.5, 0], "nothing but popularity"
    assert heard[2] == pytest.approx(0.5)


def test_the_estimate_grows_with_the_pairs() -> None:
    small, large = ItemKnn(), ItemKnn(ItemKnn.Options(reach=500))
    long = dataset(log([(item % 5, item) for item in range(400)], n_items=5))
    assert (
        large.estimate(long).seconds > small.estimate(long).seconds > small.estimate(dataset(EVENTS)).seconds
    )
