"""Ranker `understood-decoder` with a tiny model: what it is asked, what it can't say, and what is kept of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from language.prompts.tiny_store import TINY, use_tiny_store

from mercer.contracts import Budget, Runtime
from mercer.errors import DamagedError, DataError, NotFoundError
from mercer.language.decoders import ModelStore, import_model
from mercer.language.generating import Answer
from mercer.search.understanding.contract import Filters, Understanding
from mercer.search.understanding.decoded import ADAPTER, STATE, UnderstoodDecoder
from mercer.search.understanding.decoding import Form
from mercer.testing.decoders import tiny_decoder
from mercer.testing.rankers import RankerContract

from .shop import dataset

QUICK = {"model": TINY, "base": "bm25-fields", "precision": "fp32"}
TUNED = {**QUICK, "way": "tuned", "pairs": 40, "estimate_steps": 0, "evaluate_every": 1.0}


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> None:
    use_tiny_store(monkeypatch)


class TestAsItCame(RankerContract):
    ranker = UnderstoodDecoder
    options = MappingProxyType({**QUICK, "way": "zero-shot"})


def made(**options: Any) -> UnderstoodDecoder:
    return UnderstoodDecoder(UnderstoodDecoder.Options(**{**QUICK, **options}))


@pytest.mark.parametrize("reads", ["category", "names", "all but amounts", "all"])
@pytest.mark.parametrize(
    "query", ["stoneware mug under 12 euros", "gift for a boy of eight", "where is my order", "<|im_end|>{}"]
)
def test_whatever_it_writes_is_legal(reads: str, query: str) -> None:
    ranker = made(way="zero-shot", reads=reads, sure=0.01).fit(dataset())
    found = ranker.understand(query)
    assert ranker.values.holds(found.filters)
    assert found == ranker.maker.understand(query)
    if reads != "all":
        by_rules = ranker.maker.rules.understand(query)
        assert found.filters.price_max == by_rules.filters.price_max
        assert found.filters.age == by_rules.filters.age
        assert found.query == by_rules.query


def test_it_learns_from_made_pairs_and_is_read_again(tmp_path: Path) -> None:
    ranker = made(**{**TUNED, "reads": "all but amounts"}).fit(
        dataset(), seed=1, budget=Budget(600), runtime=Runtime(threads=1)
    )
    assert ranker.training is not None
    assert ranker.training.validations
    assert any("40 queries" in note for note in ranker.notes)
    ranker.save(tmp_path)
    assert (tmp_path / ADAPTER / "adapter_model.safetensors").is_file()
    state = json.loads((tmp_path / STATE).read_text("utf-8"))
    assert state["model"] == TINY
    loaded = UnderstoodDecoder.load(tmp_path)
    assert loaded.notes == ranker.notes
    for query in ("stoneware mug", "candle from Larkfield under 20", "zzxxq"):
        assert loaded.understand(query) == ranker.understand(query)
    again = tmp_path / "again"
    again.mkdir()
    loaded.save(again)
    assert UnderstoodDecoder.load(again).understand("stoneware mug") == ranker.understand("stoneware mug")


def test_examples_of_the_prompt_are_kept(tmp_path: Path) -> None:
    ranker = made(way="few-shot", shots=2).fit(dataset(), seed=1)
    ranker.save(tmp_path)
    loaded = UnderstoodDecoder.load(tmp_path)
    query = "stoneware mug under 12 euros"
    told = [
        maker.form.tokens(query, maker.decoder, maker.examples.chosen(query))
        for maker in (ranker.maker, loaded.maker)
    ]
    assert told[0] == told[1]
    bare = ranker.maker.form.tokens(query, ranker.maker.decoder)
    assert len(told[0]) > len(bare)


def test_a_model_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(way="zero-shot").fit(dataset()).save(tmp_path)
    monkeypatch.setenv("MERCER_MODELS", str(tmp_path / "empty"))
    with pytest.raises(NotFoundError, match="mercer models import"):
        UnderstoodDecoder.load(tmp_path)
    with pytest.raises(NotFoundError, match="mercer models import"):
        made(model="no-such-model").fit(dataset())


def test_a_fit_is_known_by_the_model_and_not_by_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Another model under the name is another option, so no cached fit of the first stands for it."""
    monkeypatch.setenv("MERCER_MODELS", str(tmp_path / "store"))
    hashes = []
    for seed in (1, 2):
        tiny_decoder("llama", seed=seed, folder=tmp_path / str(seed))
        import_model(tmp_path / str(seed), name="tiny")
        hashes.append(made(model="tiny").options.model_hash)
    assert ModelStore().get("tiny").card.hash == hashes[1] != hashes[0]
    made(model="tiny", model_hash=hashes[0], way="zero-shot").fit(dataset()).save(tmp_path)
    assert json.loads((tmp_path / STATE).read_text("utf-8"))["hash"] == hashes[0]
    assert made(model="nowhere").options.model_hash == ""


@pytest.mark.parametrize("damage", ["{", '{"format": 7}'])
def test_a_damaged_state_is_refused(tmp_path: Path, damage: str) -> None:
    made(way="zero-shot").fit(dataset()).save(tmp_path)
    (tmp_path / STATE).write_text(damage, "utf-8")
    with pytest.raises(DamagedError):
        UnderstoodDecoder.load(tmp_path)


def test_the_model_has_the_word_where_it_is_sure_and_the_rules_elsewhere() -> None:
    ranker = made(way="zero-shot").fit(dataset())
    category = "Home > Dining > Tableware"
    assert category in ranker.values.categories
    by_rules = Understanding(query="skillet", filters=Filters(category="Home", price_max=900))
    form = Form.of(ranker.values, tuned=False, wording=0, reads="category", sure=0.5)

    def said(probability_log: float) -> Filters:
        text = json.dumps({"category": category}, separators=(",", ":"))
        return form.understood(Answer([], text, 1, probability_log, 0.0, False), "skillet", by_rules).filters

    assert said(-0.1) == Filters(category=category, price_max=900)
    assert said(-2.0) == by_rules.filters


def test_names_are_category_and_brand() -> None:
    ranker = made(way="zero-shot").fit(dataset())
    form = Form.of(ranker.values, tuned=False, wording=0, reads="names", sure=0.5)
    brand = ranker.values.brands[0]
    by_rules = Understanding(query="skillet", filters=Filters(category="Home", price_max=900))

    def said(probability_log: float) -> Filters:
        text = json.dumps({"brand": brand}, separators=(",", ":"))
        return form.understood(Answer([], text, 1, probability_log, 0.0, False), "skillet", by_rules).filters

    assert form.grammar.accepts(json.dumps({"brand": brand}, separators=(",", ":"), ensure_ascii=False))
    assert not form.grammar.accepts('{"intent":"gift"}')
    assert said(-0.1) == Filters(category="Home", brand=brand, price_max=900)
    assert said(-2.0) == by_rules.filters


def test_a_catalogue_without_what_the_model_is_to_read_is_refused_before_anything_is_tuned() -> None:
    bare = replace(dataset(), items=dataset().items.assign(category=""))
    with pytest.raises(DataError, match="nothing of what the model is to read"):
        made(**TUNED).fit(bare)
    assert made(way="zero-shot", reads="names").fit(bare).values.categories == ()
