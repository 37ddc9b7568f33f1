"""Which mark stands before decimals and which between thousands, told by a table's own numbers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.brief import Source
from mercer.data.casts import to_number
from mercer.data.marks import STYLES, Marks, find_marks
from mercer.errors import DataError

from .made import EVENT, brief_of, clean, events


def marks(*texts: str, **source: str) -> Marks:
    return find_marks({"price": pd.Series(list(texts))}, Source(source="log.csv", **source))[0]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["12", "1.5", "1.234"], Marks()),
        (["12,99", "5"], Marks(",", ".")),
        (["1.234,5"], Marks(",", ".")),
        (["1,234", "12.50"], Marks(".", ",")),
        (["1,234,567"], Marks(".", ",")),
        (["1,234", "0,5", "1.000"], Marks(",", ".")),
        (["1 234,50"], Marks(",", " ")),
        (["1\u202f234", "1\u00a0234.5"], Marks(".", " ")),
        (["1'234.50", "7"], Marks(".", "'")),
        (["12,99", "n/a", "free"], Marks(",", ".")),
        (["two", "three"], Marks()),
        (["12,99", "12.50"], Marks()),
        ([""], Marks()),
    ],
)
def test_one_number_tells_for_all(texts: list[str], expected: Marks) -> None:
    assert marks(*texts) == expected


@pytest.mark.parametrize("texts", [["1,234"], ["1,234", "5"], ["1,234", "5.678"]])
def test_numbers_that_could_be_two_things_are_refused(texts: list[str]) -> None:
    with pytest.raises(DataError, match=r"log\.csv, column 'price': a mark .* Give `decimal` or `thousands`"):
        marks(*texts)


def test_what_the_brief_says_holds() -> None:
    assert marks("1,234", thousands=",") == Marks(".", ",")
    assert marks("1,234", decimal=",") == Marks(",", None)
    assert marks("1 234,5", decimal=",") == Marks(",", " ")


def test_another_column_of_the_table_tells() -> None:
    columns = {"quantity": pd.Series(["1,234", "5"]), "price": pd.Series(["12.99"])}
    assert find_marks(columns, Source(source="log.csv")) == (
        Marks(".", ","),
        "numbers of 'quantity' are read with `.` before decimals and `,` between thousands, as they show",
    )


def test_numbers_that_are_numbers_are_not_looked_at() -> None:
    columns = {
        "quantity": pd.Series([1, 2]),
        "price": pd.Series([1.5, None]),
        "flag": pd.Series([True, False]),
    }
    assert find_marks(columns, Source(source="log.parquet")) == (Marks(), None)


def written(value: int, style: Marks) -> str:
    """Cents as a person writes the amount."""
    text = f"{value / 100:,.2f}"
    return text.replace(",", "\0").replace(".", style.decimal).replace("\0", style.thousands or "")


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=20), st.sampled_from(STYLES))
def test_amounts_are_read_back_however_they_are_written(values: list[int], style: Marks) -> None:
    column = pd.Series([written(value, style) for value in values])
    found, _ = find_marks({"amount": column}, Source(source="log.csv"))
    number, bad = to_number(column, found.decimal, found.thousands)
    assert not bad.any()
    assert (number * 100).round().astype("int64").tolist() == values


def test_a_log_is_cleaned_by_the_marks_that_it_shows_and_says_so(tmp_path: Path) -> None:
    rows = "".join(f"u{n},mug,2026-03-0{n}T10:00:00Z,1,{price}\n" for n, price in enumerate(["7", "8"], 1))
    (tmp_path / "log.csv").write_text(
        "user;item;time;quantity;amount\n"
        + rows.replace(",", ";")
        + "u3;lamp;2026-03-05T10:00:00Z;1.200;1.499,50\n"
    )
    cleaned = clean(brief_of({"events": {"source": "log.csv"}}), tmp_path)
    kept = cleaned.kept().set_index("user").sort_index()
    assert kept["amount_minor"].tolist() == [700, 800, 149_950]
    assert kept["quantity"].tolist() == [1, 1, 1200]
    assert cleaned.accounting.tables["events"].notes == (
        "numbers of 'amount' are read with `,` before decimals and `.` between thousands, as they show",
    )
    assert cleaned.accounting.to_json()["tables"]["events"]["notes"]


@pytest.mark.parametrize("amount", ["£2.50", "2.50 £", "GBP 2.50", "2.50GBP", "-£2.50", "£ -2.50"])
def test_the_sign_of_the_declared_currency_is_no_part_of_the_number(tmp_path: Path, amount: str) -> None:
    plain = {name: value for name, value in EVENT.items() if name != "amount_minor"}
    cleaned = events(
        tmp_path, {"amount": amount, "kind": "return"}, {"amount": "€2.50"}, defaults=plain, currency="GBP"
    )
    assert cleaned.kept()["amount_minor"].abs().tolist() == [250]
    assert cleaned.reasons() == {1: "bad-amount"}, "an amount in another currency was taken for one in pounds"
