"""Prices and ages."""

from __future__ import annotations

import pytest

from mercer.search.understanding.amounts import Line, amounts
from mercer.search.understanding.tokens import tokens


def read(query: str) -> tuple[float | None, float | None, int | None]:
    found = amounts(Line.of(tokens(query)))
    return found.least, found.most, found.age


@pytest.mark.parametrize(
    ("query", "least", "most"),
    [
        ("mug under 40 pounds", None, 40),
        ("less than €25.50", None, 25.5),
        ("less than 25,50 €", None, 25.5),
        ("up to 1,000 euros", None, 1000),
        ("between 10 and 20", 10, 20),
        ("40-60 eur", 40, 60),
        ("£20 - £30", 20, 30),
        ("14.95 - 34.95 quid", 14.95, 34.95),
        ("in the 5 to £7 range", 5, 7),
        ("at least 50", 50, None),
        ("not under 20 euros", 20, None),
        ("no more than thirty five euro", None, 35),
        ("must not cost more than $9", None, 9),
        ("nothing over 12", None, 12),
        ("30 quid max", None, 30),
        ("under a tenner", None, 10),
        ("laptop under 1.5k", None, 1500),
        ("60 to 50 euros", None, None),
    ],
)  # fmt: skip
def test_a_price_is_read(query: str, least: float | None, most: float | None) -> None:
    assert read(query) == (least, most, None)


@pytest.mark.parametrize(
    "query",
    [
        "under 500 g flour", "500g flour", "set of 4 mugs", "rtx 2060", "lamp 40-60", "2 x 500 ml", "cheap mug",
        "around 30 euros", "CK-11820", "under 5 kg", "mug", "pan 28 cm", "within 3 days", "over 2 years warranty",
    ],
)  # fmt: skip
def test_what_is_no_price_gives_no_limit(query: str) -> None:
    assert read(query) == (None, None, None)


@pytest.mark.parametrize(
    ("query", "age"),
    [
        ("for a boy of eight", 8), ("8 year old", 8), ("my 12-year-old", 12), ("8yo girl", 8), ("son (7)", 7),
        ("her 18th birthday", 18), ("aged 10", 10), ("my daughter who is nine", 9), ("i am 15", 15),
        ("a 6 month old baby", 0), ("he is three $30 at most", 3), ("aged 400", None), ("boy of 8 euros", None),
    ],
)  # fmt: skip
def test_an_age_is_read(query: str, age: int | None) -> None:
    assert read(query)[2] == age


def test_an_age_before_a_product_is_the_product_s() -> None:
    line = Line.of(tokens("12 year old whisky"))
    assert amounts(line, products=frozenset({3})).age is None
    assert amounts(line).age == 12


def test_a_price_and_an_age_do_not_disturb_each_other() -> None:
    assert read("something warm for a boy of eight under 40 pounds") == (None, 40, 8)
