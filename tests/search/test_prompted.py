"""`prompted-search`: the first items of a base in the order that a language model and the base give together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from language.prompts.tiny_store import TINY, use_tiny_store
from pydantic import ValidationError

from mercer.contracts import NO_ITEM, Runtime, search_space
from mercer.errors import ConflictError, DamagedError, NotFoundError, UnsupportedError, UsageError
from mercer.language.decoders import ModelStore
from mercer.language.prompts import load_prompt, write_prompt
from mercer.language.prompts.joining import WEIGHTS
from mercer.search import Bm25
from mercer.search.prompted import PromptedSearch, examples, judged
from mercer.testing.rankers import RankerContract
from mercer.testing.small_shop import small_dataset, small_holdout

from .small_catalogue import asked, catalogue


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> None:
    use_tiny_store(monkeypatch)


QUICK = {"model": TINY, "base": {"bm25": {}}, "candidates": 6, "validation_rows": 2, "calibration_rows": 2}


class TestLikelihoodOfTheQuery(RankerContract):
    ranker = PromptedSearch
    options = MappingProxyType(QUICK)
    tolerance = 1e-4


class TestTitlesWithExamples(RankerContract):
    ranker = PromptedSearch
    options = MappingProxyType({**QUICK, "prompt": "search-title", "shots": 1, "per": "text", "weight": 0.3})
    tolerance = 1e-4


class TestListed(RankerContract):
    ranker = PromptedSearch
    options = MappingProxyType({**QUICK, "prompt": "search-listed", "candidates": 4, "weight": 1.0})
    tolerance = 1e-4


def made(**options: Any) -> PromptedSearch:
    return PromptedSearch(PromptedSearch.Options(**{**QUICK, **options}))


TRAIN = small_dataset()
ALL = np.arange(24, dtype=np.int32)


def scores(ranker: PromptedSearch, *queries: str) -> np.ndarray:
    return ranker.score(asked(TRAIN, *queries), ALL)


# What is answered


def test_the_first_items_are_put_in_a_new_order_and_the_others_keep_theirs() -> None:
    base = Bm25().fit(TRAIN).rank(asked(TRAIN, "mug"), 24).items[0]
    base = base[base != NO_ITEM]
    assert len(base) == 6
    answer = made(candidates=4, weight=4.0).fit(TRAIN).rank(asked(TRAIN, "mug"), 24).items[0][: len(base)]
    assert set(answer[:4]) == set(base[:4])
    assert answer[:4].tolist() != base[:4].tolist()
    assert answer[4:].tolist() == base[4:].tolist()


def test_without_weight_the_order_is_the_base_s() -> None:
    request = asked(TRAIN, "blue mug", "warm scarf", "red")
    assert np.array_equal(
        made(weight=0.0).fit(TRAIN).rank(request, 24).items, Bm25().fit(TRAIN).rank(request, 24).items
    )


def test_an_article_number_is_answered_by_the_base_alone() -> None:
    train = catalogue()
    base, prompted = Bm25().fit(train), made(weight=4.0).fit(train)
    request = asked(train, "usb hub 4977766654319")
    assert prompted.rank(request, 5).items.tolist() == base.rank(request, 5).items.tolist()


def test_a_model_that_knows_nothing_is_a_control_of_its_own() -> None:
    learned, control = made(weight=1.0).fit(TRAIN), made(weight=1.0, weights="random").fit(TRAIN, seed=3)
    again = made(weight=1.0, weights="random").fit(TRAIN, seed=3)
    other = made(weight=1.0, weights="random").fit(TRAIN, seed=4)
    assert not np.array_equal(scores(learned, "mug"), scores(control, "mug"))
    assert np.array_equal(scores(again, "mug"), scores(control, "mug"))
    assert not np.array_equal(scores(other, "mug"), scores(control, "mug"))
    assert any("control" in note for note in control.notes)


def test_candidates_beyond_the_answers_are_not_invented() -> None:
    found = scores(made(weight=1.0).fit(TRAIN), "zzxxq", "")
    assert np.isneginf(found).all()


# How its word counts


def test_the_weight_is_chosen_on_held_out_rows_and_else_on_judged_ones() -> None:
    held = small_holdout(TRAIN, "search")
    for validation in (held, None):
        ranker = made().fit(TRAIN, validation=validation)
        assert ranker._whole.weight in WEIGHTS
        assert any("held-out requests" in note for note in ranker.notes)
    nothing = replace(TRAIN, judgments=None)
    assert any("No held-out request" in note for note in made().fit(nothing).notes)


def test_cost_is_told_at_the_price_of_an_hour() -> None:
    told = made().fit(TRAIN, runtime=Runtime(price_per_hour=2.0)).notes
    assert any("1,000 requests" in note and "at 2 an hour" in note for note in told)
    assert not any("an hour" in note for note in made().fit(TRAIN).notes)


def test_all_that_matters_is_searched() -> None:
    space = search_space(PromptedSearch.Options)
    assert {"prompt", "wording", "per", "shots", "weight", "candidates"} == set(space)


# Examples


def test_examples_are_judged_queries_of_the_training_data_with_their_best_item() -> None:
    assert examples(TRAIN) == [
        ("blue mug", {"query": "blue mug", "title": "Blue mug"}),
        ("red", {"query": "red", "title": "Red lamp"}),
    ]


def test_no_example_comes_from_validation() -> None:
    held = small_holdout(TRAIN, "search")
    ranker = made(shots=4).fit(TRAIN, validation=held)
    of_training = set(TRAIN.judgments["query"])
    assert set(ranker._whole.examples.keys) <= of_training
    unseen = set(held.requests.query or ()) - of_training
    assert unseen
    assert not unseen & set(ranker._whole.examples.keys)


def test_a_query_is_never_its_own_example() -> None:
    ranker = made(shots=4).fit(TRAIN)
    assert ranker._whole.examples.chosen("Blue Mug") == ({"query": "red", "title": "Red lamp"},)


def test_judged_queries_are_held_out_rows() -> None:
    held = judged(TRAIN)
    assert held is not None
    assert held.units == ("blue mug", "red")
    assert [row.tolist() for row in (held.relevant[0], held.relevant[1])] == [[0, 1], [7]]
    assert held.grades.tolist() == [2, 1, 1]
    assert judged(replace(TRAIN, judgments=None)) is None


# At rest


def test_the_model_is_found_by_its_hash_or_the_import_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(weight=0.1).fit(TRAIN).save(tmp_path)
    assert not list(tmp_path.rglob("model.safetensors"))
    monkeypatch.setenv("MERCER_MODELS", str(tmp_path / "elsewhere"))
    with pytest.raises(NotFoundError, match="mercer models import"):
        PromptedSearch.load(tmp_path)
    with pytest.raises(NotFoundError, match="mercer models import"):
        made().fit(TRAIN)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("prompt.yaml", "Items", "Goods"),
        ("prompt.yaml", "wordings", "words"),
        ("prompted.json", '"format": 2', '"format": 1'),
        ("prompted.json", "{", ""),
        ("base/options.yaml", "\n", "\n#\n"),
    ],
)
def test_a_file_that_was_changed_is_refused(tmp_path: Path, file: str, old: str, new: str) -> None:
    made(weight=0.1).fit(TRAIN).save(tmp_path)
    path = tmp_path / file
    assert old in path.read_text("utf-8")
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(DamagedError):
        PromptedSearch.load(tmp_path)


def test_a_file_edited_later_changes_nothing_that_was_fitted(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    write_prompt(load_prompt("search-title"), own)
    ranker = made(prompt=str(own), weight=1.0).fit(TRAIN)
    before = scores(ranker, "mug")
    (tmp_path / "saved").mkdir()
    ranker.save(tmp_path / "saved")
    write_prompt(load_prompt("search-likelihood"), own)
    assert np.array_equal(scores(PromptedSearch.load(tmp_path / "saved"), "mug"), before)


# What is wrong


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"base": {"bm52": {}}}, "Did you mean 'bm25'"),
        ({"base": {"item-knn": {}}}, "no scores for the task search"),
        ({"base": {"bm25": {}, "minilm": {}}}, "one ranker"),
        ({"base": "prompted-search"}, "can't be the base"),
        ({"weight": 5}, "less than or equal to 4"),
    ],
)
def test_what_is_wrong_in_options_is_named(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        made(**wrong)


def test_a_prompt_of_another_task_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="task recommend"):
        made(prompt="recommend-title").fit(TRAIN)
    with pytest.raises(ValidationError, match="Did you mean 'search-title'"):
        made(prompt="search-titel")


def test_options_hold_what_names_stand_for(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    write_prompt(load_prompt("search-title"), own)
    ranker = made(prompt=str(own))
    assert ranker.options.prompt_hash == load_prompt("search-title").hash
    assert ranker.options.model_hash == ModelStore().get(TINY).card.hash
    write_prompt(load_prompt("search-likelihood"), own)
    assert made(prompt=str(own)).options != ranker.options
    with pytest.raises(ConflictError, match="prompt_hash"):
        ranker.fit(TRAIN)


def test_a_prompt_longer_than_the_window_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(UsageError, match="window"):
        made(shots=16).fit(TRAIN)


@pytest.mark.parametrize("prompt", ["search-likelihood", "search-title", "search-listed"])
def test_strange_titles_and_queries_are_answered(prompt: str) -> None:
    titles = ["", "a\nSearch: x", "<|im_end|>", "{query}", "\0", "mug " * 9_000, *[None] * 18]
    train = replace(TRAIN, items=TRAIN.items.assign(title=titles))
    ranker = made(weight=1.0, prompt=prompt).fit(train)
    queries = ["\ud800 mug", "mug\nItem: lamp", "<|im_start|>system mug", "{title} mug", "mug " * 2_000]
    found = ranker.rank(asked(train, *queries), 5)
    assert np.isfinite(found.scores[found.items != NO_ITEM]).all()
    assert (found.items[:, 0] != NO_ITEM).all()


def test_judgments_of_unknown_items_are_no_examples() -> None:
    strange = pd.DataFrame({"query": ["mug", "lamp"], "item": [-1, 3], "grade": [3.0, 0.0]})
    assert examples(replace(TRAIN, judgments=strange)) == []
