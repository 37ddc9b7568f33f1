"""`search-ltr`: trees learn an order from judged pairs, the fusion orders the rest, numbers come first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from mercer.contracts import NO_ITEM, Dataset
from mercer.environment import encoder_folder
from mercer.errors import DamagedError
from mercer.language.exported import MODEL
from mercer.search import FieldsMinilm, SearchLtr
from mercer.search.features import FEATURES
from mercer.search.ltr import LEARNED
from mercer.search.trees import FEWEST_QUERIES, FILE, _labels
from mercer.testing.rankers import RankerContract
from mercer.testing.small_shop import small_dataset

from .small_catalogue import asked, catalogue

pytestmark = [
    pytest.mark.encoder,
    pytest.mark.skipif(
        not (encoder_folder() / MODEL).is_dir(), reason="the encoder is not exported; run: make setup"
    ),
]

BARE = {"bundle_encoder": False}
GOODS = (
    "desk",
    "lamp",
    "chair",
    "table",
    "mirror",
    "shelf",
    "carpet",
    "clock",
    "vase",
    "bench",
    "stool",
    "rack",
)


def judged_by_price(*, cheap_is_good: bool) -> Dataset:
    """Twelve goods in six prices; judges like the cheap ones, or the dear ones, of what they asked for."""
    rows = [
        {"item": f"{good}-{n}", "title": f"oak {good}", "text": f"A {good}.", "price_minor": 1000 * 4**n}
        for good in GOODS
        for n in range(6)
    ]
    train = catalogue(rows)
    pairs = [
        (good, 6 * at + n, float((n < 3) == cheap_is_good) * 3)
        for at, good in enumerate(GOODS)
        for n in range(6)
    ]
    return replace(train, judgments=pd.DataFrame(pairs, columns=["query", "item", "grade"]))


def options(**changes: Any) -> SearchLtr.Options:
    return SearchLtr.Options(**{**BARE, "min_pairs_per_leaf": 5, **changes})


TRAIN = judged_by_price(cheap_is_good=True)
ALL = np.arange(len(TRAIN.vocabulary), dtype=np.int32)


@pytest.fixture(scope="module")
def fitted() -> SearchLtr:
    return SearchLtr(options()).fit(TRAIN)


class TestContractWithoutTrees(RankerContract):
    ranker = SearchLtr
    options: ClassVar[Mapping[str, Any]] = BARE


class TestContract(RankerContract):
    ranker = SearchLtr
    options: ClassVar[Mapping[str, Any]] = {**BARE, "min_pairs_per_leaf": 2, "candidates": 7}

    @property
    def train(self) -> Dataset:
        train = small_dataset()
        rows = [
            (f"{colour} {good}", 6 * at + n, float(3 - abs(n - m)) if n <= m else 0.0)
            for at, good in enumerate(("mug", "lamp", "scarf"))
            for m, colour in enumerate(("blue", "red", "green", "white"))
            for n in range(6)
        ]
        return replace(train, judgments=pd.DataFrame(rows, columns=["query", "item", "grade"]))

    def test_there_are_trees(self) -> None:
        assert self.fitted._trees is not None  # type: ignore[attr-defined]


@pytest.mark.parametrize("cheap_is_good", [True, False])
def test_an_order_is_learned_that_no_text_tells(cheap_is_good: bool) -> None:
    train = judged_by_price(cheap_is_good=cheap_is_good)
    ranker = SearchLtr(options()).fit(replace(train, judgments=train.judgments.query("query != 'rack'")))
    best = ranker.rank(asked(train, "rack"), 3).items[0]
    assert {TRAIN.vocabulary.ids[code].split("-")[0] for code in best} == {"rack"}
    cheap = {int(TRAIN.vocabulary.ids[code].split("-")[1]) < 3 for code in best}
    assert cheap == {cheap_is_good}


def test_trees_of_no_weight_leave_the_fusion(fitted: SearchLtr) -> None:
    ranker = SearchLtr(options(trees_weight=0.0)).fit(TRAIN)
    plain = FieldsMinilm(FieldsMinilm.Options(**BARE, rank_constant=20.0, meaning_share=0.4)).fit(TRAIN)
    request = asked(TRAIN, "oak desk", "clock")
    assert np.array_equal(ranker.rank(request, 20).items, plain.rank(request, 20).items)
    assert not np.array_equal(fitted.rank(request, 20).items, plain.rank(request, 20).items)


def test_items_behind_the_candidates_keep_the_order_of_the_fusion() -> None:
    ranker = SearchLtr(options(candidates=4)).fit(TRAIN)
    plain = FieldsMinilm(FieldsMinilm.Options(**BARE, rank_constant=20.0, meaning_share=0.4)).fit(TRAIN)
    request = asked(TRAIN, "vase")
    got, fused = ranker.rank(request, 30).items[0], plain.rank(request, 30).items[0]
    assert got[4:].tolist() == fused[4:].tolist()
    assert set(got[:4]) == set(fused[:4])


def test_too_few_judged_queries_leave_the_fusion_and_say_so() -> None:
    few = TRAIN.judgments[TRAIN.judgments["query"].isin(GOODS[: FEWEST_QUERIES - 1])]
    alike = TRAIN.judgments.assign(grade=1.0)
    for judgments in (few, alike, few.iloc[:0], None):
        ranker = SearchLtr(options()).fit(replace(TRAIN, judgments=judgments))
        assert ranker._trees is None
        assert "no trees" in ranker.notes[0]


def test_an_article_number_comes_first_wherever_the_trees_put_it() -> None:
    items = TRAIN.items.assign(ean=[f"40000000{n:05d}" for n in range(len(ALL))])
    ranker = SearchLtr(options(candidates=3)).fit(replace(TRAIN, items=items))
    for code in (5, 47, 71):
        answer = ranker.rank(asked(TRAIN, f"oak desk 40000000{code:05d}", f"40000000{code:05d}"), 2)
        assert answer.items[:, 0].tolist() == [code, code]


def test_another_seed_may_give_another_order_and_the_same_one_never() -> None:
    request = asked(TRAIN, "mirror")
    one, same = (SearchLtr(options()).fit(TRAIN, seed=3).score(request, ALL) for _ in range(2))
    assert np.array_equal(one, same)


def test_judgments_of_other_scales_keep_their_order_and_gain() -> None:
    label, gains = _labels(np.array([0.0, 2.5, 1.0, -1.0, 2.5]))
    assert label.tolist() == [0, 2, 1, 0, 2]
    assert gains == pytest.approx([0.0, 1.0, 2**2.5 - 1])
    label, gains = _labels(np.linspace(0, 100, 200))
    assert len(gains) <= 31
    assert (np.diff(label) >= 0).all()
    assert label.max() == len(gains) - 1


def test_a_description_has_a_number_for_each_feature(fitted: SearchLtr) -> None:
    found = fitted._find("oak desk")
    rows = fitted._describe(found, np.array([0, 7, 0]))
    named = dict(zip([feature.name for feature in FEATURES], rows[0], strict=True))
    other = dict(zip([feature.name for feature in FEATURES], rows[1], strict=True))
    assert rows.shape == (3, len(FEATURES))
    assert np.array_equal(rows[0], rows[2], equal_nan=True)
    assert (named["title begins"], named["title holds"], named["share in title"]) == (1.0, 1.0, 1.0)
    assert (other["title begins"], other["title holds"], other["share in title"]) == (0.0, 0.0, 0.5)
    assert (named["first place"], named["last place"]) == (0.0, 1.0)
    assert (other["first place"], other["last place"]) == (0.0, 0.5)
    assert named["words"] == named["fields"] == 1.0
    assert named["meaning gap"] == 0.0
    assert named["price"] == pytest.approx(np.log(1000))
    assert named["query terms"] == 2.0
    assert named["popularity"] == named["article number"] == 0.0


def test_an_item_sold_more_is_more_popular() -> None:
    train = small_dataset()
    assert train.interactions is not None
    ranker = SearchLtr(SearchLtr.Options(**BARE)).fit(train)
    counts = np.bincount(train.interactions.item, minlength=len(train.vocabulary))
    codes = np.arange(len(train.vocabulary))
    column = [feature.name for feature in FEATURES].index("popularity")
    rows = ranker._describe(ranker._find("mug"), codes)
    assert rows[:, column] == pytest.approx(np.log1p(counts), rel=1e-6)


def test_what_is_misspelt_is_found(fitted: SearchLtr) -> None:
    assert np.array_equal(
        fitted.rank(asked(TRAIN, "mirorr"), 6).items, fitted.rank(asked(TRAIN, "mirror"), 6).items
    )


@pytest.mark.parametrize("query", ["", "  ", "\0", "?!", "\ud800"])
def test_nothing_to_look_for_gives_an_empty_list(fitted: SearchLtr, query: str) -> None:
    assert (fitted.rank(asked(TRAIN, query), 3).items == NO_ITEM).all()


@pytest.mark.parametrize("query", ["title:oak", "oak\0desk", "x" * 100_000, "無線 マウス", "zzxxq"])
def test_strange_queries_are_answered(fitted: SearchLtr, query: str) -> None:
    assert (fitted.rank(asked(TRAIN, query), 3).items != NO_ITEM).all()


def test_main_parameters_name_what_was_learned(fitted: SearchLtr) -> None:
    assert any("price" in reason for _, reason in fitted.parameters())


@pytest.mark.parametrize("name", [FILE, LEARNED, "titles.txt", "facts.safetensors"])
def test_a_damaged_folder_is_refused(fitted: SearchLtr, tmp_path: Path, name: str) -> None:
    fitted.save(tmp_path)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(DamagedError):
        SearchLtr.load(tmp_path)


def test_other_features_are_refused(fitted: SearchLtr, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    learned = json.loads((tmp_path / LEARNED).read_text())
    (tmp_path / LEARNED).write_text(json.dumps({**learned, "features": ["other"]}))
    with pytest.raises(DamagedError, match="other features"):
        SearchLtr.load(tmp_path)
