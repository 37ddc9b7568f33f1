from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluation.small import holdout, labelled
from mercer.contracts import Holdout, Ragged, Rankings, Requests
from mercer.errors import DataError, UsageError
from mercer.evaluation import Slices, prediction_slices, ranking_slices, score_ranking
from mercer.evaluation.ranking import list_ranks


def by_code(requests: Requests) -> np.ndarray:
    """Higher codes are better; the same for everybody."""
    return np.tile(np.arange(len(requests.items), dtype=np.float32), (len(requests), 1))


def test_ranks_are_counted_over_the_eligible_catalogue() -> None:
    held = holdout([[1], [0, 3]], 5, histories=[[4, 3], [4]], repeats=False)
    scored = score_ranking(held, score=by_code, depth=2)
    # u0: 4 and 3 are history, so 2 is first and 1 second; u1: 3 is first of 0..3, and 0 the last.
    assert scored.rows["rank"].tolist() == [2, 4, 1]
    assert scored.lists is not None
    assert scored.lists[["unit", "item"]].to_numpy().tolist() == [
        ["u0", "i2"], ["u0", "i1"], ["u1", "i3"], ["u1", "i2"],
    ]  # fmt: skip


def test_an_item_of_the_masked_history_is_a_miss() -> None:
    scored = score_ranking(holdout([[4]], 5, histories=[[4]], repeats=False), score=by_code)
    assert scored.rows["rank"].tolist() == [np.inf]


def test_scores_and_lists_agree_inside_the_list() -> None:
    rng = np.random.default_rng(1)
    held = holdout([[int(c)] for c in rng.integers(0, 30, 20)], 30, histories=[[1, 2]] * 20, repeats=False)
    scores = rng.integers(0, 12, (20, 30)).astype(np.float32)

    def score(requests: Requests) -> np.ndarray:
        return scores[[int(user[1:]) for user in requests.users if user]]

    def rank(requests: Requests, k: int) -> Rankings:
        return Rankings.top_k(score(requests), k, eligible=requests.eligible())

    exact = score_ranking(held, score=score)
    listed = score_ranking(held, rank=rank, k=30)
    assert exact.rows["rank"].tolist() == listed.rows["rank"].tolist()
    assert exact.lists is not None
    assert exact.lists.equals(listed.lists)


def test_an_item_outside_the_list_is_a_miss() -> None:
    answered = Rankings(np.array([[3, 1, -1]], np.int32), np.array([[2, 2, -np.inf]], np.float32))
    assert list_ranks(answered, Ragged.from_rows([[1, 3, 0, -1]])).tolist() == [1.5, 1.5, np.inf, np.inf]


def test_blocks_give_the_same_rows_as_one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    held = holdout([[code % 7] for code in range(23)], 7)
    whole = score_ranking(held, score=by_code)
    monkeypatch.setattr("mercer.evaluation.ranking._BLOCK_CELLS", 15)
    monkeypatch.setattr("mercer.evaluation.ranking._LEAST_ROWS", 1)
    steps: list[tuple[int, int]] = []
    cut = score_ranking(held, score=by_code, advance=lambda done, total: steps.append((done, total)))
    assert whole.rows.equals(cut.rows)
    assert steps[-1] == (23, 23)
    assert len(steps) == 12


def test_wrong_shapes_and_nothing_to_call_are_refused() -> None:
    held = holdout([[0]], 3)
    with pytest.raises(DataError, match=r"\(1, 3\) is expected"):
        score_ranking(held, score=lambda r: np.zeros((1, 2), np.float32))
    with pytest.raises(UsageError, match="Nothing to evaluate"):
        score_ranking(held)


def test_a_unit_named_twice_is_refused() -> None:
    held = holdout([[0], [1]], 3)
    twice = Holdout(
        requests=held.requests,
        relevant=held.relevant,
        grades=held.grades,
        units=("u", "u"),
        clusters=("u", "u"),
    )
    with pytest.raises(DataError, match="names a unit twice"):
        score_ranking(twice, score=by_code)


def test_standing_slices_tell_new_from_old_and_head_from_tail() -> None:
    held = holdout([[0]] * 3, 4, histories=[[0], [0, 0, 1], [0, 0, 2, 3]])
    slices = ranking_slices(held)
    assert slices.unit["history"] == ["new", "old", "old"]
    # item 0 makes 5 of 8 events: half of them, so it alone is head.
    assert slices.item["items"] == ["head", "tail", "tail", "tail"]


def test_searches_are_told_apart_by_the_words_of_the_query() -> None:
    held = holdout([[0]] * 3, 4)
    asked = replace(held, requests=replace(held.requests, query=("mug", "blue mug", " mug ")))
    assert ranking_slices(asked).unit["query"] == ["one word", "several words", "one word"]
    assert "query" not in ranking_slices(held).unit


def test_the_country_of_the_last_event_is_a_slice_where_the_log_holds_it() -> None:
    held = holdout([[0]] * 110, 2, histories=[[0, 1]] * 60 + [[0]] * 50)
    country = np.array(["FR", "UK"] * 60 + ["FR"] * 50, object)
    history = replace(held.requests.history, extras={"country": country})
    held = replace(held, requests=replace(held.requests, history=history))
    assert ranking_slices(held).unit["country"] == ["UK"] * 60 + ["FR"] * 50


def test_predictions_are_sliced_by_history_and_by_what_the_brief_adds() -> None:
    slices = prediction_slices(labelled([0, 1]), {"tier": ["gold", "plain"]})
    assert slices.unit["history"] == ["new", "new"]
    assert slices.unit["tier"] == ["other", "other"]
    assert slices.item == {}


def test_small_groups_are_merged_into_other() -> None:
    held = holdout([[0]] * 120, 2)
    slices = ranking_slices(held, {"country": ["UK"] * 60 + ["FR"] * 52 + ["MT"] * 8})
    assert set(slices.unit["country"]) == {"UK", "FR", "other"}


def test_a_slice_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(DataError, match="Slice 'country' has 1 values for 2 units"):
        score_ranking(holdout([[0], [1]], 2), score=by_code, slices=Slices(unit={"country": ["UK"]}))
