from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mercer.contracts import Context, Floats32, Requests
from mercer.errors import DataError, UnsupportedError, UsageError
from mercer.recommend import ItemKnn, MostPopular, scoring
from mercer.testing.handmade import dataset, log, requests

EVENTS = log([(0, 1), (1, 2)], [(1, 1)], [(2, 1)], n_items=3)
ASKED = requests(EVENTS)


class Watched(MostPopular):
    """Remembers what it was shown."""

    name = "watched"

    def score_rows(self, requests: Requests) -> Floats32:
        self.shown = [*getattr(self, "shown", []), requests]
        return super().score_rows(requests)


def test_before_fit_there_is_no_answer() -> None:
    for call in (
        lambda: MostPopular().rank(ASKED, 1),
        lambda: MostPopular().score(ASKED, np.zeros(1, np.int32)),
    ):
        with pytest.raises(UnsupportedError, match=r"most-popular is not fitted\. Call fit"):
            call()


def test_another_catalogue_is_refused() -> None:
    ranker = MostPopular().fit(dataset(EVENTS))
    with pytest.raises(DataError, match="fitted on another catalogue"):
        ranker.rank(requests(log([(0, 1)], n_items=4)), 1)


def test_at_least_one_item_must_be_asked_for() -> None:
    with pytest.raises(UsageError, match="k is 0"):
        MostPopular().fit(dataset(EVENTS)).rank(ASKED, 0)


def test_blocks_bound_the_scores_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "_BLOCK_CELLS", 6)
    monkeypatch.setattr(scoring, "_LEAST_ROWS", 1)
    ranker = Watched().fit(dataset(EVENTS))
    answer = ranker.rank(ASKED, 2)
    assert [len(block) for block in ranker.shown] == [2, 1]
    assert answer.items.tolist() == [[1, 0]] * 3
    monkeypatch.setattr(scoring, "_BLOCK_CELLS", 1)
    assert ranker.score(ASKED, np.array([2, 1], np.int32)).tolist() == [[0.5, 1.0]] * 3


def test_in_a_large_catalogue_some_requests_are_still_scored_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scoring, "_BLOCK_CELLS", 1)
    ranker = Watched().fit(dataset(EVENTS))
    ranker.rank(ASKED, 2)
    assert [len(block) for block in ranker.shown] == [3]


def test_a_ranker_is_never_shown_a_person_who_objects() -> None:
    context = replace(Context.unknown(3), objected=np.array([True, False, False]))
    ranker = Watched().fit(dataset(EVENTS))
    ranker.rank(replace(ASKED, context=context), 1)
    (shown,) = ranker.shown
    assert shown.users == (None, "u1", "u2")
    assert shown.history.lengths.tolist() == [0, 1, 1]
    assert shown.visible_history.n_events == 2


def test_fitting_again_forgets_what_was_learned() -> None:
    ranker = ItemKnn().fit(dataset(EVENTS))
    other = log([(2, 1), (0, 2)], n_items=3)
    again = ranker.fit(dataset(other)).rank(ASKED, 3)
    fresh = ItemKnn().fit(dataset(other)).rank(ASKED, 3)
    assert np.array_equal(again.items, fresh.items)
    assert np.array_equal(again.scores, fresh.scores)
