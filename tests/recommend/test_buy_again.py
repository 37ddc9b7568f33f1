from __future__ import annotations

import numpy as np
import pytest

from mercer.recommend import BuyAgain
from mercer.testing.handmade import dataset, log, requests, scores

EVENTS = log([(3, 1), (3, 2), (3, 3), (4, 4), (4, 5)], n_items=6)
PLAIN = {"half_life_days": 10.0, "popularity_boost": 0.0}


def fitted(**options: float) -> BuyAgain:
    return BuyAgain(BuyAgain.Options(**{**PLAIN, **options})).fit(dataset(EVENTS))


def test_frequency_and_recency_add_up() -> None:
    history = log([(0, 0), (0, 10), (1, 20)], n_items=6)
    known = scores(fitted(), requests(history))[0]
    assert known[:2] == pytest.approx([2**-2 + 2**-1, 1.0])


def test_what_was_bought_more_often_or_more_lately_comes_first() -> None:
    often = log([(0, 1), (0, 2), (1, 3)], n_items=6)
    lately = log([(0, 1), (1, 30)], n_items=6)
    assert fitted().rank(requests(often), 2).items[0].tolist() == [0, 1]
    assert fitted().rank(requests(lately), 2).items[0].tolist() == [1, 0]


def test_the_rest_follows_by_popularity() -> None:
    history = log([(0, 1)], n_items=6)
    assert fitted().rank(requests(history), 6).items[0].tolist() == [0, 3, 4, 1, 2, 5]


def test_popularity_settles_ties_between_own_items() -> None:
    history = log([(1, 1), (4, 1), (3, 1)], n_items=6)
    asked = requests(history)
    assert fitted().rank(asked, 3).items[0].tolist() == [1, 3, 4]
    assert fitted(popularity_boost=3.0).rank(asked, 3).items[0].tolist() == [3, 4, 1]


def test_positions_age_where_there_is_no_clock() -> None:
    history = log([(0, 0), (1, 1), (2, 2)], n_items=6, clock=False)
    known = scores(fitted(half_life_steps=1.0), requests(history))[0]
    assert known[:3] == pytest.approx([0.25, 0.5, 1.0])


def test_a_purchase_of_another_age_is_still_known() -> None:
    """A century does not underflow: what was bought stays above what was not."""
    history = log([(5, 0), (0, 36500)], n_items=6)
    known = scores(fitted(half_life_days=1.0), requests(history))[0]
    assert known[5] > 0
    assert known[5] > np.delete(known, [0, 5]).max()


def test_unwanted_repeats_leave_popularity() -> None:
    history = log([(3, 1)], n_items=6)
    assert fitted().rank(requests(history, repeats=False), 2).items[0].tolist() == [4, 0]
