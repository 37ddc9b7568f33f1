"""A real merchant's log, every row accounted for: UCI Online Retail, which the repository holds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from mercer.brief import Brief
from mercer.data import Tables, build_interactions

from .made import Cleaned, clean

ROWS = 541_909


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory: pytest.TempPathFactory) -> Cleaned:
    brief = Brief.load(ROOT / "briefs" / "online-retail.yaml")
    return clean(brief, ROOT / "briefs" / "data", tmp_path_factory.mktemp("retail"))


def test_every_row_is_kept_quarantined_or_merged(cleaned: Cleaned) -> None:
    for name, expected in (("events", (399_572, 142_337, 0)), ("items", (3_927, 3_684, 534_298))):
        count = cleaned.accounting.tables[name]
        assert count.read == ROWS
        assert (count.kept, count.quarantined, count.merged) == expected
        assert sum(expected) == ROWS
        assert len(cleaned.kept(name)) == count.kept
        assert len(cleaned.quarantined(name)) == count.quarantined


def test_the_rules_that_acted(cleaned: Cleaned) -> None:
    assert cleaned.rules() == {
        "missing-user": 135_080, "repeated-row": 5_227, "cancellation": 8_872, "non-product": 1_995, "zero-price": 33,
        "impossible-price": 2, "matched-return": 7_339,
    }  # fmt: skip
    assert cleaned.rules("items") == {
        "adjustment": 542,
        "non-product": 3_029,
        "repeated-item": 534_298,
        "item-without-title": 113,
    }


def test_missing_users_are_those_of_the_source(cleaned: Cleaned) -> None:
    raw = pd.read_parquet(ROOT / "briefs" / "data" / "online_retail.parquet")
    nobody = raw["CustomerID"].isna() if raw["CustomerID"].isna().any() else raw["CustomerID"] == 0
    found = cleaned.quarantined()
    rows = found.loc[found["rule"] == "missing-user", "row"]
    assert nobody.iloc[rows].all()
    assert len(rows) == int(nobody.sum())


def test_the_greatest_return_undoes_its_order_of_twelve_minutes_before(cleaned: Cleaned) -> None:
    log = cleaned.kept()
    back = log.loc[log["amount_minor"].idxmin()]
    order = log.set_index("event").loc[back["origin"]]
    assert (back["kind"], back["amount_minor"], order["amount_minor"]) == ("return", -16_846_960, 16_846_960)
    assert (order["user"], order["item"], order["quantity"]) == (back["user"], back["item"], back["quantity"])
    assert back["time"] - order["time"] == pd.Timedelta(minutes=12)


def test_no_purchase_is_undone_beyond_what_it_was(cleaned: Cleaned) -> None:
    log = cleaned.kept()
    back = log.loc[log["origin"].notna()].groupby("origin")[["quantity", "amount_minor"]].sum()
    orders = log.set_index("event").loc[back.index]
    assert (orders["kind"] == "purchase").all()
    assert (back["quantity"] <= orders["quantity"]).all()
    assert (-back["amount_minor"] <= orders["amount_minor"]).all()


def test_fees_and_corrections_are_not_in_the_catalogue(cleaned: Cleaned) -> None:
    assert not set(cleaned.kept("items")["item"]) & {
        "POST",
        "DOT",
        "M",
        "m",
        "BANK CHARGES",
        "B",
        "gift_0001_20",
        "23444",
    }, "a fee is in the catalogue"
    assert not set(cleaned.kept("items")["title"]) & {"damaged", "check", "?", "Next Day Carriage"}


def test_local_times_became_utc(cleaned: Cleaned) -> None:
    raw = pd.read_parquet(
        ROOT / "briefs" / "data" / "online_retail.parquet", columns=["InvoiceNo", "InvoiceDate"]
    )
    local = raw.drop_duplicates("InvoiceNo").set_index("InvoiceNo")["InvoiceDate"]
    log = cleaned.kept().drop_duplicates("basket")
    gap = local.loc[log["basket"]].to_numpy() - log["time"].to_numpy()
    ahead = pd.Series(gap, index=pd.DatetimeIndex(log["time"])).sort_index()
    # The lines of one invoice may lie a minute apart.
    ahead = ahead.dt.round("h")
    assert set(ahead["2011-04":"2011-09"]) == {pd.Timedelta(hours=1)}
    assert set(ahead["2010-12":"2011-02"]) == {pd.Timedelta(0)}


def test_the_log_in_memory_holds_the_same_events(cleaned: Cleaned) -> None:
    brief = Brief.load(ROOT / "briefs" / "online-retail.yaml")
    log = build_interactions(Tables.load(cleaned.out), brief)
    kept = cleaned.kept()
    assert log.n_events == len(kept)
    assert int(log.amount_minor.sum()) == int(kept["amount_minor"].sum())
    assert log.n_users == kept["user"].nunique()
    assert np.all(np.diff(log.time)[np.diff(log.user_of) == 0] >= 0)
    assert Path(cleaned.out / "events.parquet").stat().st_size < 20_000_000


def test_a_price_of_a_whole_basket_is_not_the_price_of_one_piece(cleaned: Cleaned) -> None:
    """60 pieces at £649.50, where the item costs £5.95; the customer got the money back five minutes later."""
    found = cleaned.quarantined()
    rows = found.loc[found["rule"] == "impossible-price", "content"].map(json.loads)
    assert [(row["InvoiceNo"], row["Quantity"], row["UnitPrice"]) for row in rows] == [
        ("556444", 60, 649.5), ("556446", 1, 649.5),
    ]  # fmt: skip


def test_codes_that_differ_in_capitals_alone_are_folded_where_the_brief_asks_for_it(
    tmp_path: Path, cleaned: Cleaned
) -> None:
    brief = Brief.load(ROOT / "briefs" / "online-retail.yaml")
    asked = brief.model_copy(
        update={"data": brief.data.model_copy(update={"rules_on": ["near-duplicate-item"]})}
    )
    folded = clean(asked, ROOT / "briefs" / "data", tmp_path)
    evidence = pd.read_parquet(folded.out / "near-duplicate-items.parquet")
    assert len(evidence) == 107
    assert (evidence["item"].str.upper() == evidence["kept"].str.upper()).all()
    assert (folded.rules("items")["near-duplicate-item"], folded.rules()["folded-item"]) == (107, 43)
    for name in ("events", "items"):
        count, before = folded.accounting.tables[name], cleaned.accounting.tables[name]
        assert count.kept + count.quarantined + count.merged == count.read == ROWS
        assert count.quarantined == before.quarantined
    gone = set(evidence["item"])
    assert not gone & (set(folded.kept("items")["item"]) | set(folded.kept()["item"]))
    assert set(cleaned.kept()["item"]) - set(folded.kept()["item"]) <= gone
