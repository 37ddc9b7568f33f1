"""Which text goes where."""

from __future__ import annotations

import pandas as pd
import pytest

from mercer.search.documents import documents, passages
from mercer.search.identifiers import COLUMNS


def one(**columns: object) -> pd.DataFrame:
    return pd.DataFrame([{"item": "A-1", "title": "Mug", "text": "", **columns}])


def test_every_text_has_its_field() -> None:
    frame = one(text="Holds tea", category="Kitchen > Mugs", brand="Harbour")
    (document,) = documents(frame, COLUMNS)
    assert document.texts == {
        "title": "Mug", "text": "Holds tea", "category": "Kitchen > Mugs", "brand": "Harbour", "attributes": ""
    }  # fmt: skip
    assert document.identifiers == ("a1",)


def test_attributes_give_values_and_identifiers() -> None:
    frame = one(
        attributes='{"Colour": "Blue", "litres": 0.3, "safe": true, "EAN": "0012345678905", "tags": ["a", 2]}'
    )
    (document,) = documents(frame, COLUMNS)
    assert document.texts["attributes"].split() == ["Blue", "0.3", "0012345678905", "a", "2"]
    assert document.identifiers == ("a1", "12345678905")


@pytest.mark.parametrize("text", ["not json", "[1]", '"x"', "{", "[" * 100_000])
def test_attributes_of_another_form_are_text(text: str) -> None:
    (document,) = documents(one(attributes=text), COLUMNS)
    assert document.identifiers == ("a1",)


def test_identifier_columns_are_read_where_the_catalogue_has_them() -> None:
    (document,) = documents(one(SKU="X-9", colour="blue-1"), COLUMNS)
    assert document.identifiers == ("a1", "x9")


def test_unknown_values_are_empty() -> None:
    (document,) = documents(one(text=None, brand=float("nan")), COLUMNS)
    assert document.texts["text"] == document.texts["brand"] == ""


def test_a_passage_is_title_and_description() -> None:
    assert passages(one(text="Holds tea")) == ["Mug. Holds tea"]
    assert passages(one()) == ["Mug"]
