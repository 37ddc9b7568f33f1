"""`prompted-recommend`: the first items of a base in the order that a language model and the base give together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from language.prompts.tiny_store import TINY, use_tiny_store
from pydantic import ValidationError

from mercer.contracts import Requests, search_space
from mercer.errors import NotFoundError, UnsupportedError, UsageError
from mercer.language.prompts.joining import WEIGHTS
from mercer.recommend import ItemKnn
from mercer.recommend.prompted import PromptedRecommend, steps
from mercer.testing.handmade import dataset, log, requests
from mercer.testing.rankers import RankerContract
from mercer.testing.small_shop import small_dataset, small_holdout, small_requests


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> None:
    use_tiny_store(monkeypatch)


QUICK = {"model": TINY, "candidates": 6, "validation_rows": 2, "calibration_rows": 2, "history": 2}


class TestTitlesAfterAHistory(RankerContract):
    ranker = PromptedRecommend
    options = MappingProxyType(QUICK)
    tolerance = 1e-4


class TestExamplesAndMostPopular(RankerContract):
    ranker = PromptedRecommend
    options = MappingProxyType({**QUICK, "base": {"most-popular": {}}, "shots": 1, "weight": 1.0})
    tolerance = 1e-4


def made(**options: Any) -> PromptedRecommend:
    return PromptedRecommend(PromptedRecommend.Options(**{**QUICK, **options}))


TRAIN = small_dataset()
ASKED = small_requests(TRAIN, "recommend")


def test_the_first_items_are_put_in_a_new_order_and_the_others_keep_theirs() -> None:
    base = ItemKnn().fit(TRAIN).rank(ASKED, 24).items
    answer = made(weight=4.0).fit(TRAIN).rank(ASKED, 24).items
    for row in range(6):
        assert set(answer[row, :6]) == set(base[row, :6])
        assert answer[row, 6:].tolist() == base[row, 6:].tolist()
    assert not np.array_equal(answer[:6], base[:6])


def test_without_a_history_the_order_is_the_base_s() -> None:
    base, prompted = ItemKnn().fit(TRAIN), made(weight=4.0).fit(TRAIN)
    strangers = ASKED.take([6, 7])
    assert np.array_equal(prompted.rank(strangers, 24).items, base.rank(strangers, 24).items)


def test_items_that_the_person_has_had_are_no_candidates_where_repeats_are_unwanted() -> None:
    train = small_dataset(repeats=False)
    ranker = made().fit(train)
    once = replace(small_requests(train, "recommend"), repeats=False)
    for row, asked in enumerate(ranker._ask(once)):
        assert len(asked.codes) == 6
        assert not set(asked.codes.tolist()) & set(once.masked_history.item_rows[row].tolist())


def test_only_the_last_items_of_the_kinds_named_are_told() -> None:
    def answer(one: PromptedRecommend, asked: Requests) -> list[int]:
        return one.rank(asked, 24).items[0].tolist()

    ranker = made(base={"most-popular": {}}, weight=4.0).fit(TRAIN)

    def shown(*events: tuple[int, int, int]) -> Requests:
        return replace(requests(log(list(events), n_items=24)), history=history(*events))

    def history(*events: tuple[int, int, int]) -> Any:
        return replace(log(list(events), n_items=24), items=TRAIN.vocabulary)

    last = answer(ranker, shown((8, 2, 1), (20, 3, 1)))
    assert last == answer(ranker, shown((3, 1, 1), (8, 2, 1), (20, 3, 1)))
    assert last == answer(ranker, shown((8, 2, 1), (20, 3, 1), (5, 4, 0)))
    assert last != answer(ranker, shown((8, 2, 1), (2, 3, 1)))


def test_the_weight_is_chosen_on_validation() -> None:
    ranker = made().fit(TRAIN, validation=small_holdout(TRAIN, "recommend"))
    assert ranker._whole.weight in WEIGHTS
    assert any("held-out requests" in note for note in ranker.notes)
    assert any("No held-out request" in note for note in made().fit(TRAIN).notes)


# Examples


def titled(events: Any) -> Any:
    train = dataset(events)
    return replace(train, items=train.items.assign(title=[f"title {n}" for n in range(len(train.items))]))


def test_an_example_is_a_step_of_several_people() -> None:
    events = log(
        [(0, 1), (1, 2)],
        [(0, 1), (1, 2)],
        [(0, 5), (1, 6), (2, 7)],
        [(0, 1), (2, 2), (0, 3), (2, 4)],
        n_items=4,
    )
    train = titled(events)
    assert steps(train, ("purchase",), 2) == [("title 0", {"history": ["title 0"], "title": "title 1"})]
    assert steps(train, ("purchase",), 4) == []
    assert steps(train, ("view",), 2) == []
    assert steps(replace(train, interactions=None), ("purchase",), 2) == []


def test_no_example_comes_from_validation() -> None:
    held = small_holdout(TRAIN, "recommend")
    with_it, without = made(shots=3).fit(TRAIN, validation=held), made(shots=3).fit(TRAIN)
    assert with_it._whole.examples.values
    assert with_it._whole.examples.values == without._whole.examples.values
    allowed = [example for _, example in steps(TRAIN, ("purchase",), 3)]
    assert all(example in allowed for example in with_it._whole.examples.values)


def test_no_file_of_the_ranker_names_a_person(tmp_path: Path) -> None:
    made(shots=3).fit(TRAIN).save(tmp_path)
    content = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"person-" not in content
    assert not made().holds_users
    assert made(base={"user-knn": {}}).holds_users


# What is wrong


def test_what_is_wrong_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="no scores for the task recommend"):
        made(base={"bm25": {}})
    with pytest.raises(UnsupportedError, match="task search"):
        made(prompt="search-title").fit(TRAIN)
    with pytest.raises(UsageError, match="window"):
        made(history=20, shots=16).fit(TRAIN)
    made(weight=0.1).fit(TRAIN).save(tmp_path)
    monkeypatch.setenv("MERCER_MODELS", str(tmp_path / "elsewhere"))
    with pytest.raises(NotFoundError, match="mercer models import"):
        PromptedRecommend.load(tmp_path)


def test_what_is_searched() -> None:
    assert set(search_space(PromptedRecommend.Options)) == {
        "wording", "per", "shots", "weight", "candidates", "history",
    }  # fmt: skip
