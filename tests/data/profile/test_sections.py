from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from mercer.brief import Brief
from mercer.data.profile import (
    baskets,
    concentration,
    flat,
    growth,
    histories,
    missing,
    personal,
    prices,
    repeats,
    seasonality,
)
from mercer.data.profile.accounts import load_accounts
from mercer.data.profile.log import Log, load_log

from .corner_shop import ROWS, events_table


def test_orders_are_baskets_else_days(log: Log) -> None:
    assert log.orders[["user", "n_items", "amount"]].to_numpy().tolist() == [
        [0, 2, 1000],
        [0, 1, 300],
        [1, 2, 750],
    ]


def test_growth_counts_events_buyers_and_net_revenue(log: Log) -> None:
    table = growth.monthly(log)
    assert table["month"].tolist() == ["Jan ’26", "Feb ’26"]
    assert table["events"].tolist() == [3, 3]
    assert table["buyers"].tolist() == [1, 1]
    assert table["revenue"].tolist() == [13.0, 3.5]


def test_a_month_that_the_log_does_not_hold_whole_is_marked(log: Log) -> None:
    assert growth.monthly(log)["partial"].tolist() == [True, True]


def test_growth_says_how_much_of_the_log_the_test_holds(log: Log, brief: Brief) -> None:
    assert (
        "50 % of the events come before it and can train, 50 % come after"
        in growth.section(log, brief).meaning
    )


def test_the_week_follows_the_shops_clock(log: Log) -> None:
    counts = seasonality.week(log)
    # 23:30 UTC on Monday 5 January is half past midnight on Tuesday in Berlin.
    assert counts[1, 0] == 2
    assert counts[0].sum() == 0
    assert counts.sum() == log.n


def test_days_without_hours_get_no_heat_map(tmp_path: Path, brief: Brief) -> None:
    rows = [(*row[:2], row[2][:10], *row[3:]) for row in ROWS]
    pq.write_table(events_table(rows), tmp_path / "events.parquet")
    log = load_log(tmp_path, "UTC")
    assert log is not None
    assert "days without hours" in seasonality.section(log, brief).finding


def test_basket_sizes_are_shares_of_orders() -> None:
    frame = baskets.sizes(np.array([1, 1, 2, 5]))
    assert frame["share of orders"].tolist() == [0.5, 0.25, 0.0, 0.25]


def test_customers_by_orders_add_up_and_gather_the_many() -> None:
    frame = repeats.customers_by_orders(np.array([1, 1, 2, 40]))
    assert frame["share of customers"].tolist() == [0.5, 0.25, 0, 0, 0, 0, 0, 0, 0, 0, 0.25]


def test_gaps_are_days_between_orders_of_one_customer(log: Log) -> None:
    assert repeats.gaps(log) == pytest.approx([9 + 10.5 / 24])


def test_items_bought_again_are_counted_once_an_order(log: Log) -> None:
    assert repeats.items_again(log) == pytest.approx(1 / 5)


@pytest.mark.parametrize(
    ("counts", "expected"), [([3, 3, 3], 0.0), ([0, 0, 0, 8], 0.75), ([1, 3], 0.25), ([0], 0.0)]
)
def test_gini_by_hand(counts: list[int], expected: float) -> None:
    assert concentration.gini(np.array(counts)) == pytest.approx(expected)


def test_the_lorenz_curve_runs_from_nothing_to_everything_under_the_diagonal() -> None:
    curve = concentration.lorenz(np.arange(1, 1000))
    assert curve.iloc[0].tolist() == [0, 0]
    assert curve.iloc[-1].tolist() == [1, 1]
    assert len(curve) <= 200
    assert (curve["y"] <= curve["x"] + 1e-12).all()
    area = float(np.trapezoid(curve["x"] - curve["y"], curve["x"]))
    assert 2 * area == pytest.approx(concentration.gini(np.arange(1, 1000)), abs=0.01)


def test_net_spend_takes_returns_off(log: Log) -> None:
    assert prices.net_spend(log).tolist() == [1300, 350]


def test_prices_are_of_a_unit_and_those_that_move_are_counted(log: Log, brief: Brief) -> None:
    found = prices.section(log, brief)
    assert found is not None
    # Tea sold at 3.00 and 3.50, jam always at 4.00.
    assert "the dearest unit is €4.00. 50 % of the items" in found.finding


def test_amounts_in_another_currency_are_no_revenue(tmp_path: Path) -> None:
    table = events_table(ROWS).to_pandas()
    table.loc[0, "currency"] = "USD"
    table.to_parquet(tmp_path / "events.parquet")
    log = load_log(tmp_path, "UTC")
    assert log is not None
    assert (log.currency, log.n_foreign) == ("EUR", 1)
    assert log.amount.tolist()[0] == 0


def test_a_log_without_money_has_no_prices(tmp_path: Path, brief: Brief) -> None:
    table = events_table(ROWS).to_pandas().assign(amount_minor=pd.array([None] * 6, "Int64"), currency=None)
    table.to_parquet(tmp_path / "events.parquet")
    log = load_log(tmp_path, "UTC")
    assert log is not None
    assert prices.section(log, brief) is None
    assert growth.section(log, brief).charts[0].title == "Events and buyers by month"


def test_missing_values_ask_returns_only_for_an_origin(shop: Path) -> None:
    gaps = {(table, column): (n, of) for table, column, n, of in missing.missing_values(shop)}
    assert gaps["events", "origin"] == (1, 1)
    assert gaps["events", "basket"] == (3, 6)
    assert gaps["items", "text"] == (2, 2)
    assert gaps["events", "user"] == (0, 6)


def test_personal_data_left_in_a_text_is_named_by_place_not_by_content(shop: Path, brief: Brief) -> None:
    found = personal.section(shop, load_accounts(shop), brief)
    assert found is not None
    assert found.watch == "Texts still look as if they held personal data: items.title (1 e-mail address)."
    assert "The rules found 2 texts" in found.finding
    assert "a@b.example" not in repr(found)


def test_consents_count_the_latest_word(shop: Path, brief: Brief) -> None:
    entries = [("ann", True, 1), ("ann", False, 2), ("bob", True, 1)]
    frame = pd.DataFrame(entries, columns=["user", "given", "time"]).assign(purpose="recommendation")
    frame["time"] = pd.to_datetime(frame["time"], unit="D").astype("datetime64[us]")
    frame.to_parquet(shop / "consents.parquet")
    found = personal.section(shop, {}, brief)
    assert found is not None
    assert "1 of the 2 persons who were asked consent" in found.meaning


def test_a_log_without_a_clock_shows_histories_and_no_season(shop: Path, brief: Brief) -> None:
    rows = [(f"u{n}", item, f"1970-01-01 00:00:0{at}", "purchase", 1, None, None)
            for n in range(9) for at, item in enumerate(("a", "b", "c", "d"))]  # fmt: skip
    pq.write_table(events_table(rows), shop / "events.parquet")
    log = load_log(shop, "UTC", has_clock=False)
    assert log is not None
    assert histories.ascending(log) == 1
    found = histories.section(log)
    assert "100 % of neighbours ascend by item id" in found.watch
    assert "the shortest history holds 4 events" in found.finding


def test_examples_of_a_run_show_the_outcome_under_its_own_name(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"unit": [f"e{n}" for n in range(200)], "as_of": None, "label": [1.0, 0.0] * 100, "x": range(200)}
    )
    frame.to_parquet(tmp_path / "examples.parquet")
    brief = Brief.parse(
        "schema: 1\nname: n\nquestion: q?\ndecision: {date: 2026-03-01, target: buys, metric: auc}\n"
        "data: {examples: {source: e.csv, label: Revenue}}\n"
        "targets: {buys: {task: behavior, label: examples, split: {kind: folds}}}\n"
    )
    shown = [one for one in flat.sections(tmp_path, brief) if one is not None]
    assert [one.id for one in shown] == ["outcome", "quantiles", "shapes"]
    assert "Revenue is 1 in 100 of 200 rows (50 %)" in shown[0].finding
    assert "e17" not in repr(shown)
