"""What a catalogue holds, and which items meet filters."""

from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.errors import DamagedError
from mercer.search.understanding.contract import Filters
from mercer.search.understanding.facts import ItemFacts
from mercer.search.understanding.values import CatalogueValues, Range

from ..small_catalogue import catalogue
from .shop import items


def frame(*rows: dict[str, Any]) -> pd.DataFrame:
    return catalogue([{"item": str(number), **row} for number, row in enumerate(rows)]).items


def coloured(colour: str) -> dict[str, Any]:
    return {
        "attributes": json.dumps({"attr_t_product_colour": colour, "attr_n_weight": "80.0", "wifi": "Yes"})
    }


def test_names_are_readable_and_lists_are_split() -> None:
    found = frame(coloured("Black,Silver"), coloured("black"), coloured("Silver"), coloured("Black"))
    values = CatalogueValues.of(found)
    assert values.attributes == {"product colour": ("Black", "Silver")}
    facts = ItemFacts.of(found, values)
    assert facts.codes("product colour", "Black").tolist() == [0, 1, 3]
    assert facts.codes("product colour", "Silver").tolist() == [0, 2]


def test_categories_hold_their_first_parts() -> None:
    values = CatalogueValues.of(frame({"category": "Home > Kitchen > Mugs"}, {"category": "Home > Lamps"}))
    assert values.categories == ("Home", "Home > Kitchen", "Home > Kitchen > Mugs", "Home > Lamps")
    assert values.leaves == ("Home > Kitchen > Mugs", "Home > Lamps")


def test_prices_are_of_the_main_currency() -> None:
    rows = frame(
        {"price_minor": 500, "currency": "EUR"}, {"price_minor": 900, "currency": "EUR"},
        {"price_minor": 1, "currency": "USD"}, {"price_minor": -1, "currency": "EUR"},
    )  # fmt: skip
    values = CatalogueValues.of(rows)
    assert (values.prices, values.currency) == (Range(500, 900), "EUR")
    matches = ItemFacts.of(rows, values).matches(Filters(price_max=600))
    assert matches.tolist() == [True, False, False, False]


def test_an_item_of_a_greater_least_age_is_out() -> None:
    rows = frame({"min_age": 18}, {"min_age": 0}, {"min_age": 12})
    facts = ItemFacts.of(rows, CatalogueValues.of(rows))
    assert facts.matches(Filters(age=12)).tolist() == [False, True, True]


@given(data=st.data())
def test_matches_are_those_of_a_plain_loop(data: st.DataObject) -> None:
    values, facts = shop_values()
    category = data.draw(st.sampled_from(["", *values.categories]))
    brand = data.draw(st.sampled_from(["", *values.brands]))
    name = data.draw(st.sampled_from(["", *values.attributes]))
    value = data.draw(st.sampled_from(values.attributes[name])) if name else ""
    least, most = data.draw(st.tuples(*2 * [st.none() | st.integers(0, 9000)]))
    attributes = MappingProxyType({name: value} if name else {})
    filters = Filters(category=category, brand=brand, attributes=attributes, price_min=least, price_max=most)
    wanted = [
        (not category or row.category == category or row.category.startswith(category + " > "))
        and (not brand or row.brand == brand)
        and (not name or json.loads(row.attributes).get(name) == value)
        and (least is None or row.price_minor >= least)
        and (most is None or row.price_minor <= most)
        for row in items().head(300).itertuples()
    ]
    assert facts.matches(filters)[:300].tolist() == wanted


def shop_values() -> tuple[CatalogueValues, ItemFacts]:
    from .shop import rules

    maker = rules()
    return maker.values, maker.facts


def test_values_and_facts_are_read_as_they_were_written(tmp_path: Path) -> None:
    values, facts = shop_values()
    values.save(tmp_path)
    facts.save(tmp_path)
    assert CatalogueValues.load(tmp_path) == values
    assert CatalogueValues.load(tmp_path).fingerprint == values.fingerprint
    loaded = ItemFacts.load(tmp_path)
    filters = Filters(category=values.leaves[3], price_max=3000)
    assert loaded.matches(filters).tolist() == facts.matches(filters).tolist()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"categories": 3}'])
def test_damaged_values_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "values.json").write_text(text)
    (tmp_path / "facts.safetensors").write_text(text)
    for kind in (CatalogueValues, ItemFacts):
        with pytest.raises(DamagedError):
            kind.load(tmp_path)


def test_the_values_of_another_catalogue_have_another_fingerprint() -> None:
    one, other = (CatalogueValues.of(frame({"brand": brand})) for brand in ("Acme", "Volt"))
    assert one.fingerprint != other.fingerprint
