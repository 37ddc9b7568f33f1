"""Sections of a brief that has a catalogue and judgments, and no log."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mercer.brief import Brief
from mercer.data.profile import catalogue, judged
from mercer.errors import DamagedError

ITEMS = pd.DataFrame(
    {
        "item": list("abcd"),
        "title": ["Lamp", "Lamp", "Chair", "Table"],
        "brand": ["Lux", "Lux", "Sit", None],
        "price_minor": pd.array([1000, 2000, 4000, None], "Int64"),
        "currency": ["EUR", "EUR", "EUR", None],
    }
)
JUDGMENTS = pd.DataFrame(
    {
        "query": ["lamp", "lamp", "lamp", "red chair"],
        "item": ["a", "a", "b", "c"],
        "grade": [3.0, 1.0, 0.0, 0.0],
        "judge": ["x", "y", "x", "x"],
    }
)


@pytest.fixture
def shelves(tmp_path: Path) -> Path:
    ITEMS.to_parquet(tmp_path / "items.parquet")
    JUDGMENTS.to_parquet(tmp_path / "judgments.parquet")
    return tmp_path


def test_the_catalogue_tells_brands_prices_and_titles_that_are_shared(shelves: Path) -> None:
    section = catalogue.section(shelves)
    assert section is not None
    assert section.finding == (
        "4 items. 2 brands; 2 of them make 75 % of it. The list price is €20.00 in the middle, and nine in ten lie "
        "between €11.00 and €38.00; 1 have none. 2 share their title with another."
    )
    assert [chart.title for chart in section.charts] == ["Brands with the most items", "List prices"]


def test_a_catalogue_of_titles_alone_has_no_section(tmp_path: Path) -> None:
    ITEMS.assign(brand=None, price_minor=pd.array([None] * 4, "Int64")).to_parquet(tmp_path / "items.parquet")
    assert catalogue.section(tmp_path) is None


def test_judgments_are_counted_by_query_and_product(shelves: Path, brief: Brief) -> None:
    section = judged.section(shelves, brief)
    assert section is not None
    assert section.finding == (
        "2 queries with 3 judged products, 2 for a query in the middle. 1 have a product of grade 1 or better; for the "
        "other 1 nothing in the catalogue was found fit. 50 % of the queries are one word."
    )
    assert "judged in part only" in section.watch


def test_no_judgments_no_section(tmp_path: Path, brief: Brief) -> None:
    assert judged.section(tmp_path, brief) is None


@pytest.mark.parametrize("name", ["items", "judgments"])
def test_a_damaged_table_is_named(shelves: Path, brief: Brief, name: str) -> None:
    (shelves / f"{name}.parquet").write_bytes(b"no table")
    with pytest.raises(DamagedError, match=f"{name}.parquet"):
        catalogue.section(shelves) if name == "items" else judged.section(shelves, brief)
