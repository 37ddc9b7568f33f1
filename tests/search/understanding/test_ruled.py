"""Ranker `understood-rules`, and what rankers that understand queries share."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from mercer.errors import UsageError
from mercer.search.understanding.contract import Filters, Understanding
from mercer.search.understanding.ranking import Lifts, placed
from mercer.search.understanding.ruled import UnderstoodRules
from mercer.testing.rankers import RankerContract

from ..small_catalogue import asked
from .shop import dataset, items


class TestUnderstoodRules(RankerContract):
    ranker = UnderstoodRules
    options: ClassVar[dict[str, Any]] = {"base": "bm25-fields"}


class TestUnderstoodRulesOnly(RankerContract):
    ranker = UnderstoodRules
    options: ClassVar[dict[str, Any]] = {"base": "bm25-fields", "filters": "only"}


@pytest.fixture(scope="module")
def ranker() -> UnderstoodRules:
    return UnderstoodRules(UnderstoodRules.Options(base="bm25-fields")).fit(dataset())


def test_what_meets_the_filters_comes_first(ranker: UnderstoodRules) -> None:
    found = ranker.rank(asked(dataset(), "mug under 12 euros"), 300).items[0]
    prices = items()["price_minor"].to_numpy()[found[found >= 0]]
    mugs = items()["category"].to_numpy()[found[found >= 0]] == "Home > Dining > Tableware"
    cheap = prices <= 1200
    assert cheap.any()
    assert not cheap.all()
    assert (np.diff(cheap.astype(int)) <= 0).all(), "the price parts the answers"
    assert mugs[:5].all(), "the category lifts them"


def test_with_only_nothing_else_is_an_answer() -> None:
    only = UnderstoodRules(UnderstoodRules.Options(base="bm25-fields", filters="only")).fit(dataset())
    found = only.rank(asked(dataset(), "mug under 12 euros"), 300).items[0]
    assert (items()["price_minor"].to_numpy()[found[found >= 0]] <= 1200).all()


def test_what_is_not_for_the_age_is_never_an_answer(ranker: UnderstoodRules) -> None:
    found = ranker.rank(asked(dataset(), "knife for a boy of eight"), 1500).items[0]
    ages = items()["min_age"].to_numpy()
    assert (ages[found[found >= 0]] <= 8).all()
    assert (ages[ranker.rank(asked(dataset(), "knife"), 1500).items[0]] > 8).any()


def test_a_plain_query_is_answered_by_the_base_to_the_bit(ranker: UnderstoodRules) -> None:
    requests = asked(dataset(), "zzxxq", "where is my order", "CK-11820", "trampoline")
    mine, base = ranker.rank(requests, 20), ranker.base.rank(requests, 20)
    assert np.array_equal(mine.items, base.items)
    assert np.array_equal(mine.scores, base.scores)


def test_a_filter_can_be_taken_back(ranker: UnderstoodRules) -> None:
    requests = asked(dataset(), "mug under 12 euros")
    understood = ranker.understand("mug under 12 euros")
    assert understood.filters.price_max == 1200
    whole, corrected = (
        ranker.rank_understood(requests, [one], 60).items[0]
        for one in (understood, understood.without("price_max"))
    )
    assert np.array_equal(whole, ranker.rank(requests, 60).items[0])
    assert not np.array_equal(whole, corrected)


def test_the_plain_query_can_be_handed_over(ranker: UnderstoodRules) -> None:
    requests = asked(dataset(), "mug under 12 euros")
    plain = ranker.rank_understood(requests, [Understanding(query="mug under 12 euros")], 20)
    assert np.array_equal(plain.items, ranker.base.rank(requests, 20).items)


@pytest.mark.parametrize(
    "given",
    [
        [],
        [Understanding(query="mug", filters=Filters(brand="Nobody"))],
        [Understanding(query="mug", filters=Filters(price_min=5, price_max=1))],
    ],
)
def test_what_is_handed_over_must_be_legal(ranker: UnderstoodRules, given: list[Understanding]) -> None:
    with pytest.raises(UsageError):
        ranker.rank_understood(asked(dataset(), "mug"), given, 5)


@pytest.mark.parametrize("options", [{"base": "item-knn"}, {"base": "bm25", "base_options": {"no_such": 1}}])
def test_a_base_that_can_not_be_used_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        UnderstoodRules(UnderstoodRules.Options(**options))


def test_places_keep_the_order_of_the_base(ranker: UnderstoodRules) -> None:
    scores = np.linspace(0, 1, len(items()), dtype=np.float32)
    scores[:10] = -np.inf
    found = placed(scores, ranker.facts, Filters(price_max=2000), only=False)
    met = ranker.facts.matches(Filters(price_max=2000))
    answers = scores > -np.inf
    assert (found[~answers] == -np.inf).all()
    assert found[met & answers].min() > found[~met & answers].max()
    for part in (met & answers, ~met & answers):
        assert (np.diff(found[part]) > 0).all()


def test_brand_and_properties_lift_and_limits_part(ranker: UnderstoodRules) -> None:
    scores = np.linspace(1, 0.5, len(items()), dtype=np.float32)
    brand = str(items()["brand"].iloc[-1])
    has = ranker.facts.matches(Filters(brand=brand))
    assert has.any()
    assert not has.all()
    plain = placed(scores, ranker.facts, Filters(brand=brand), only=False, lifts=Lifts())
    lifted = placed(scores, ranker.facts, Filters(brand=brand), only=False, lifts=Lifts(properties=0.2))
    above = placed(scores, ranker.facts, Filters(brand=brand), only=False, lifts=Lifts(properties=1.0))
    for part in (has, ~has):
        for found in (plain, lifted, above):
            assert (np.diff(found[part]) < 0).all(), "the base's order holds among equals"
    assert (lifted[has] >= plain[has]).all()
    assert (lifted[has] > plain[has]).any()
    assert above[has].min() > above[~has].max()
    both = placed(
        scores, ranker.facts, Filters(brand=brand, price_max=2000), only=False, lifts=Lifts(properties=1.0)
    )
    within = ranker.facts.matches(Filters(price_max=2000))
    assert both[within].min() > both[~within].max(), "no preference outweighs a limit"


def test_a_category_lifts_and_hides_nothing(ranker: UnderstoodRules) -> None:
    scores = np.linspace(1, 0.5, len(items()), dtype=np.float32)
    asked_for = Filters(category="Home > Dining > Tableware")
    inside = ranker.facts.matches(asked_for)
    a_little = placed(scores, ranker.facts, asked_for, only=False, lifts=Lifts(category=0.2))
    fully = placed(scores, ranker.facts, asked_for, only=False, lifts=Lifts(category=1.0))
    assert fully[inside].min() > fully[~inside].max()
    assert a_little[~inside].max() > a_little[inside].min(), "what the words find first may stay before it"
    plain = placed(scores, ranker.facts, asked_for, only=False)
    assert (a_little[inside] >= plain[inside]).all()
    assert (a_little[inside] > plain[inside]).any()
