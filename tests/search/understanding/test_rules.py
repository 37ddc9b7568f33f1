"""The rule parser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.search.understanding.contract import Maker, Understanding
from mercer.search.understanding.facts import ItemFacts
from mercer.search.understanding.rules import RuleMaker, RuleOptions
from mercer.search.understanding.values import CatalogueValues
from mercer.testing.understanding import MakerContract

from .shop import rules


class TestRules(MakerContract):
    def build(self, items: pd.DataFrame, values: CatalogueValues, facts: ItemFacts) -> Maker:
        return RuleMaker.build(items, values, facts)

    def saved(self, maker: Maker, folder: Path, values: CatalogueValues, facts: ItemFacts) -> Maker:
        assert isinstance(maker, RuleMaker)
        maker.save(folder)
        return RuleMaker.load(folder, values, facts, RuleOptions())


def filters(query: str) -> dict[str, Any]:
    return rules().understand(query).filters.to_json()


TABLEWARE, KNIVES = "Home > Dining > Tableware", "Home > Kitchen > Boards & Knives"


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("mug", {"category": TABLEWARE}),
        ("moss green mugs", {"category": TABLEWARE, "attributes": {"colour": "Moss Green"}}),
        ("a mug in blue", {"category": TABLEWARE, "attributes": {"colour": "Sea Blue"}}),
        ("glass teapot", {"category": "Home > Kitchen > Coffee & Tea", "attributes": {"variety": "Glass"}}),
        ("wine glass", {"category": "Home > Dining > Glassware"}),
        ("tarnbeck kettle", {"category": "Home > Kitchen > Coffee & Tea", "brand": "Tarnbeck"}),
        ("tarnbck ketle", {"category": "Home > Kitchen > Coffee & Tea", "brand": "Tarnbeck"}),
        ("frying pan 28cm", {"category": "Home > Kitchen > Cookware", "attributes": {"size": "28 cm"}}),
        ("something for searing and sautéing", {"category": "Home > Kitchen > Cookware"}),
        ("oak chopping board under 30 quid",
         {"category": KNIVES, "attributes": {"variety": "Oak"}, "price_max": 3000}),
        ("knife for my son (7)", {"age": 7}),
    ],
)  # fmt: skip
def test_filters_are_read(query: str, wanted: dict[str, Any]) -> None:
    found = filters(query)
    assert {name: found.get(name) for name in wanted} == wanted
    assert set(found) <= {*wanted, "category"}


@pytest.mark.parametrize(
    "query",
    [
        "coffee table",
        "laptop stand",
        "phone case",
        "bowl",
        "CK-11820",
        "something comfortable",
        "cheap",
        "trampoline",
    ],
)
def test_what_could_be_two_things_or_none_gives_no_filter(query: str) -> None:
    assert filters(query) == {}


@pytest.mark.parametrize(
    "query", ["wine glass not crystal", "wine glass without crystal", "wine glass other than crystal"]
)
def test_what_is_denied_gives_no_filter_and_is_not_searched(query: str) -> None:
    found = rules().understand(query)
    assert found.filters.to_json() == {"category": "Home > Dining > Glassware"}
    assert found.query == "wine glass"


def test_two_values_of_one_attribute_give_none() -> None:
    assert "attributes" not in filters("linen or cotton tea towel")


@pytest.mark.parametrize(
    ("query", "intent"),
    [
        ("where is my order", "service"), ("can i return a mug", "service"), ("opening hours", "service"),
        ("gift for my mum", "gift"), ("mug for a girl of nine", "gift"), ("birthday present", "gift"),
        ("gift hamper", "product"), ("gift wrap", "product"), ("i am 15 and want a mug", "product"),
        ("contact lens case", "product"), ("delivery box", "product"), ("mug", "product"),
    ],
)  # fmt: skip
def test_the_intent_is_read(query: str, intent: str) -> None:
    assert rules().understand(query).intent == intent


def test_service_gives_no_filter_and_the_whole_query() -> None:
    query = "where is my red mug order for 20 euros"
    assert rules().understand(query) == Understanding(query=query, intent="service")


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("I'm looking for a blue mug under 20 euros, please", "blue mug"),
        ("present for my mum who loves tea", "tea"),
        ("gift under 40", "gift under 40"),
        ("Moka Pot", "Moka Pot"),
    ],
)
def test_what_is_left_is_searched_for(query: str, left: str) -> None:
    assert rules().understand(query).query == left


@given(st.text(max_size=60))
def test_every_answer_is_legal(query: str) -> None:
    found = rules().understand(query)
    assert rules().values.holds(found.filters)
    assert found == rules().understand(query)
