from __future__ import annotations

from mercer.recommend import MostPopular, MostPopularRecent
from mercer.testing.handmade import BUY, VIEW, dataset, log, requests

EVENTS = log([(0, 1), (0, 2), (0, 3), (1, 80), (2, 95, VIEW)], [(1, 90), (2, 96)], [(3, 10)], n_items=5)
ASKED = requests(EVENTS)


def first(ranker: MostPopular | MostPopularRecent, k: int = 5) -> list[int]:
    answer = ranker.rank(ASKED, k)
    assert (answer.items == answer.items[0]).all(), "popularity is the same for everybody"
    return answer.items[0].tolist()


def test_most_bought_first_and_the_rest_by_code() -> None:
    assert first(MostPopular().fit(dataset(EVENTS))) == [0, 1, 2, 3, 4]


def test_views_count_when_told_so() -> None:
    options = MostPopular.Options(kinds=("view", "purchase"), kind_weights={"view": 5.0})
    assert first(MostPopular(options).fit(dataset(EVENTS)), 3) == [2, 0, 1]


def test_recent_sales_first_then_older_ones() -> None:
    ranker = MostPopularRecent(MostPopularRecent.Options(window_days=15)).fit(dataset(EVENTS))
    assert first(ranker) == [1, 2, 0, 3, 4]


def test_the_window_ends_where_the_data_end() -> None:
    """An event exactly window_days before the end lies outside."""
    ranker = MostPopularRecent(MostPopularRecent.Options(window_days=4)).fit(dataset(EVENTS))
    assert first(ranker) == [0, 1, 2, 3, 4]
    ranker = MostPopularRecent(MostPopularRecent.Options(window_days=4.01)).fit(dataset(EVENTS))
    assert first(ranker) == [2, 0, 1, 3, 4]


def test_without_a_clock_the_last_positions_of_each_person_count() -> None:
    events = log([(0, 0), (0, 1), (0, 2), (0, 3), (1, 4)], [(2, 0), (1, 1)], n_items=3, clock=False)
    ranker = MostPopularRecent(MostPopularRecent.Options(last_share=0.2)).fit(dataset(events))
    assert ranker.rank(requests(events), 3).items[0].tolist() == [1, 0, 2]
    whole = MostPopularRecent(MostPopularRecent.Options(last_share=1.0)).fit(dataset(events))
    assert whole.rank(requests(events), 3).items[0].tolist() == [0, 1, 2]


def test_the_kind_bought_is_named_purchase() -> None:
    assert EVENTS.kinds[BUY] == "purchase"
