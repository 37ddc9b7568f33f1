"""The first guess of `mercer init`: which columns mean what, how sure it is, and what no file can tell."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mercer.data.guess import Guess, guess_mapping
from mercer.errors import DataError

RETAIL = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,WHITE HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom
536366,71053,WHITE LANTERN,-1,2010-12-09 08:28:00,3.39,13047,France
C536379,D,Discount,-1,2010-12-03 09:41:00,27.5,,United Kingdom
"""


def guessed(folder: Path, text: str, name: str = "file.csv") -> Guess:
    (folder / name).write_text(text, "utf-8")
    return guess_mapping(folder / name)


def test_a_retailers_export_is_an_event_log(tmp_path: Path) -> None:
    guess = guessed(tmp_path, RETAIL)
    assert guess.table == "events"
    assert guess.map == {
        "user": "CustomerID",
        "item": "StockCode",
        "time": "InvoiceDate",
        "quantity": "Quantity",
        "price": "UnitPrice",
        "basket": "InvoiceNo",
        "country": "Country",
        "title": "Description",
    }
    assert guess.n_rows == 3
    assert guess.columns == tuple(RETAIL.splitlines()[0].split(","))
    assert (guess.first, guess.last) == ("2010-12-01", "2010-12-09")


def test_a_whole_name_is_surer_than_a_part_of_one(tmp_path: Path) -> None:
    confidence = guessed(tmp_path, RETAIL).confidence
    assert confidence.keys() == guessed(tmp_path, RETAIL).map.keys()
    assert confidence["item"] == confidence["country"] == 1
    # "customer" is 8 of the 10 letters of CustomerID: 0.6 + 0.4 * 0.8.
    assert confidence["user"] == 0.92
    assert all(0.5 <= value <= 1 for value in confidence.values())


@pytest.mark.parametrize(
    ("header", "row", "unknown"),
    [
        ("user,item,date", "ann,tea,2026-01-01", ("timezone", "jurisdictions")),
        ("user,item,date,price", "ann,tea,2026-01-01,2.50", ("timezone", "currency", "jurisdictions")),
        ("user,item,date", "ann,tea,2026-01-01T10:00:00+01:00", ("jurisdictions",)),
        ("sku,title,price", "tea,Tea,2.50", ("currency", "jurisdictions")),
        ("sku,title", "tea,Tea", ("jurisdictions",)),
    ],
)
def test_what_the_file_cannot_tell_is_asked(
    tmp_path: Path, header: str, row: str, unknown: tuple[str, ...]
) -> None:
    assert guessed(tmp_path, f"{header}\n{row}\n").unknown == unknown


def test_items_with_titles_and_no_users_are_a_catalogue(tmp_path: Path) -> None:
    guess = guessed(tmp_path, "sku,name,price\ntea-1,Green tea,3.50\n")
    assert guess.table == "items"
    assert guess.map == {"item": "sku", "title": "name", "price": "price"}
    assert (guess.first, guess.last) == ("", "")


def test_anything_else_is_a_set_of_examples(tmp_path: Path) -> None:
    guess = guessed(tmp_path, "balance,limit,default_label\n10,20,0\n")
    assert guess.table == "examples"
    assert guess.map == {"label": "default_label"}
    assert guessed(tmp_path, "a,b\n1,2\n").map == {}


def test_a_column_of_that_name_without_such_values_is_not_taken(tmp_path: Path) -> None:
    guess = guessed(
        tmp_path, "user,item,date,quantity,price\nann,tea,soon,some,free\nbob,mug,later,many,dear\n"
    )
    assert guess.map == {"user": "user", "item": "item"}
    assert guess.table == "examples"


def test_a_few_bad_values_do_not_hide_a_column(tmp_path: Path) -> None:
    rows = "".join(f"ann,tea,2026-01-{day:02},1\n" for day in range(1, 30))
    guess = guessed(tmp_path, f"user,item,date,quantity\n{rows}ann,tea,soon,\n")
    assert {"time", "quantity"} <= guess.map.keys()
    assert (guess.first, guess.last) == ("2026-01-01", "2026-01-29")


def test_no_column_is_taken_twice(tmp_path: Path) -> None:
    for text in (RETAIL, "order_date,order,user,item,total\n2026-01-01,b1,ann,tea,5\n"):
        guess = guessed(tmp_path, text)
        assert len(set(guess.map.values())) == len(guess.map)
    # "item_name" fits an item as well as a title.
    assert guessed(tmp_path, "user,item_name,date\nann,tea,2026-01-01\n").map["item"] == "item_name"
    assert "title" not in guessed(tmp_path, "user,item_name,date\nann,tea,2026-01-01\n").map
    assert guess.map["basket"] == "order"
    assert guess.map["time"] == "order_date"


def test_a_parquet_file_with_real_times_is_guessed_too(tmp_path: Path) -> None:
    times = pd.to_datetime(["2026-03-01T10:00", "2026-03-09T12:00"])
    table = pa.table({"client_id": ["ann", "bob"], "product": ["tea", "mug"], "created_at": pa.array(times)})
    pq.write_table(table, tmp_path / "log.parquet")
    guess = guess_mapping(tmp_path / "log.parquet")
    assert guess.table == "events"
    assert guess.map == {"user": "client_id", "item": "product", "time": "created_at"}
    assert (guess.first, guess.last) == ("2026-03-01", "2026-03-09")
    assert "timezone" in guess.unknown


def test_dates_written_in_two_ways_span_the_log(tmp_path: Path) -> None:
    guess = guessed(tmp_path, "user,item,time\nann,tea,2026-01-01\nann,mug,2026-02-03 10:00:00\n")
    assert (guess.first, guess.last) == ("2026-01-01", "2026-02-03")


@pytest.mark.parametrize("text", ["", "user,item,time\n"])
def test_a_file_without_rows_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=r"file\.csv"):
        guessed(tmp_path, text)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv"):
        guess_mapping(tmp_path / "none.csv")


def test_prices_with_decimal_commas_are_prices(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(
        "customer;sku;date;price\nu1;mug;2026-03-01;12,99\nu2;lamp;2026-03-02;1.499,00\n"
    )
    assert guess_mapping(tmp_path / "log.csv").map["price"] == "price"


def test_prices_with_a_sign_are_prices(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(
        "customer;sku;date;price\nu1;mug;2026-03-01;€ 12,99\nu2;lamp;2026-03-02;5 €\n"
    )
    guess = guess_mapping(tmp_path / "log.csv")
    assert guess.map["price"] == "price"
    assert "currency" in guess.unknown
