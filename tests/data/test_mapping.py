from __future__ import annotations

from pathlib import Path

import pytest

from mercer.errors import BriefError, DataError

from .made import EVENT, brief_of, clean, events, table, written

OWN = {
    "CustomerID": 17850.0,
    "StockCode": 22423,
    "InvoiceDate": "2026-03-01 10:00",
    "Quantity": 3,
    "UnitPrice": 1.15,
}
MAP = {
    "user": "CustomerID", "item": "StockCode", "time": "InvoiceDate", "quantity": "Quantity", "price": "UnitPrice",
}  # fmt: skip


def test_own_columns_become_canonical_ones(tmp_path: Path) -> None:
    cleaned = events(
        tmp_path, {}, {"CustomerID": None}, defaults=OWN, map=MAP, timezone="Europe/Berlin", currency="EUR"
    )
    row = cleaned.kept().iloc[0]
    assert row[["user", "item", "kind", "quantity", "amount_minor", "currency"]].tolist() == [
        "17850", "22423", "purchase", 3.0, 345, "EUR",
    ]  # fmt: skip
    assert str(row["time"]) == str(row["known_at"]) == "2026-03-01 09:00:00"
    assert len(row["event"]) == 18


@pytest.mark.parametrize(("currency", "minor"), [("JPY", 300), ("GBP", 30_000), ("KWD", 300_000)])
def test_minor_units_are_those_of_the_currency(tmp_path: Path, currency: str, minor: int) -> None:
    own = {**OWN, "UnitPrice": 100}
    cleaned = events(tmp_path, {}, defaults=own, map=MAP, timezone="UTC", currency=currency)
    assert cleaned.kept()["amount_minor"].tolist() == [minor]


def test_a_currency_column_decides_row_by_row(tmp_path: Path) -> None:
    plain = {name: value for name, value in EVENT.items() if name != "amount_minor"}
    rows = [{"amount": 5, "currency": code} for code in ("JPY", "EUR", None)]
    cleaned = events(tmp_path, *rows, defaults=plain, currency="GBP")
    assert cleaned.kept()["amount_minor"].tolist() == [5, 500, 500]
    assert cleaned.kept()["currency"].tolist() == ["JPY", "EUR", "GBP"]


def test_a_log_may_say_when_a_row_was_known_and_of_which_kind_all_its_rows_are(tmp_path: Path) -> None:
    plain = {name: value for name, value in EVENT.items() if name != "kind"}
    cleaned = events(tmp_path, {"known_at": "2026-03-05T00:00:00Z"}, {}, defaults=plain, kind="view")
    assert cleaned.kept()["known_at"].astype(str).tolist() == ["2026-03-05 00:00:00", "2026-03-01 10:00:00"]
    assert cleaned.kept()["kind"].tolist() == ["view", "view"]


def test_a_column_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"log\.parquet has no column 'CustomerId'\. Did you mean 'CustomerID'"
    ):
        events(tmp_path, {}, defaults=OWN, map={**MAP, "user": "CustomerId"}, timezone="UTC")
    with pytest.raises(
        DataError, match=r"data\.events\.map: 'usr' is no column of events\. Did you mean 'user'"
    ):
        events(tmp_path, {}, defaults=OWN, map={"usr": "CustomerID"}, timezone="UTC")
    with pytest.raises(
        DataError, match=r"log\.parquet: nothing is mapped to events\.user .*Add it to data\.events\.map"
    ):
        events(tmp_path, {}, defaults=OWN, map={"item": "StockCode", "time": "InvoiceDate"}, timezone="UTC")


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        (
            "quantity",
            "many",
            r"log\.parquet, column 'quantity': no value can be read as a number\. Map another",
        ),
        ("time", "noon", r"log\.parquet, column 'time': no value can be read as a time\. Map another"),
        ("amount_minor", "2,50", r"column 'amount_minor': no value can be read as a number.*give `decimal`"),
    ],
)
def test_a_column_of_the_wrong_type_is_refused_whole(
    tmp_path: Path, column: str, value: str, says: str
) -> None:
    with pytest.raises(DataError, match=says):
        events(tmp_path, {column: value}, {column: value})


def test_zone_and_currency_are_checked(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'time': its times carry no zone\. Give `timezone`"):
        events(tmp_path, {"time": "2026-03-01 10:00:00"})
    with pytest.raises(BriefError, match=r"data\.events\.currency: 'pounds' is no currency"):
        events(tmp_path, {}, currency="pounds")


def test_a_decimal_comma_is_read_where_the_brief_says_so(tmp_path: Path) -> None:
    plain = {name: value for name, value in EVENT.items() if name != "amount_minor"}
    rows = [{"amount": text} for text in ("2,50", "1.002,5", "1.5")]
    cleaned = events(tmp_path, *rows, defaults=plain, decimal=",")
    assert cleaned.kept()["amount_minor"].tolist() == [250, 100_250]
    assert cleaned.reasons() == {2: "bad-amount"}


def test_columns_of_the_data_dictionary_are_carried_along(tmp_path: Path) -> None:
    rows = [{**EVENT, "weather": "rain", "secret": "x"}]
    brief = brief_of(
        {"events": {"source": written(tmp_path, "log", rows)}}, columns={"weather": {"means": "outside"}}
    )
    kept = clean(brief, tmp_path).kept()
    assert kept["weather"].tolist() == ["rain"]
    assert "secret" not in kept


def test_a_catalogue_may_give_prices_in_major_units(tmp_path: Path) -> None:
    cleaned = table(tmp_path, "items", {"item": "mug", "title": "Mug", "price": "2.5"}, currency="JPY")
    assert cleaned.kept("items")["price_minor"].tolist() == [2]
