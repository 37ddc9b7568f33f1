"""The answer as JSON."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from mercer.search.understanding.contract import Filters, Understanding
from mercer.search.understanding.schema import schema, to_parsed, to_understanding

from .shop import rules


def test_keys_stand_in_a_fixed_order_and_none_is_required() -> None:
    found = schema(rules().values, with_query=True)
    assert list(found["properties"]) == [
        "category", "brand", "attributes.colour", "attributes.size", "attributes.variety", "price_min", "price_max",
        "age", "intent", "query",
    ]  # fmt: skip
    assert "required" not in found
    assert "query" not in schema(rules().values)["properties"]


def test_there_and_back() -> None:
    values = rules().values
    understood = Understanding(
        query="mug",
        filters=Filters(
            category=values.leaves[0], brand=values.brands[0], price_min=1000, price_max=2000, age=8,
            attributes=MappingProxyType({"colour": values.attributes["colour"][0]}),
        ),
        intent="gift",
    )  # fmt: skip
    parsed = to_parsed(understood, unit=100, with_query=True)
    assert list(parsed) == [key for key in schema(values, with_query=True)["properties"] if key in parsed]
    assert to_understanding(parsed, "typed", values, unit=100) == understood


@pytest.mark.parametrize(
    "parsed",
    [
        {}, {"category": "Nowhere"}, {"brand": 3}, {"price_min": 9, "price_max": 1}, {"age": -1}, {"age": True},
        {"intent": "theft"}, {"attributes.colour": ["Oat"]}, {"query": "  "}, {"price_max": "12"},
    ],
)  # fmt: skip
def test_what_is_illegal_is_left_out(parsed: dict[str, Any]) -> None:
    assert to_understanding(parsed, "typed", rules().values, unit=100) == Understanding(query="typed")
