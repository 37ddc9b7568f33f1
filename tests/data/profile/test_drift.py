"""Drift, outliers: what is planted is found, what is alike is left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.brief import Brief
from mercer.data.profile import drift, outliers
from mercer.data.profile.log import Log, load_log
from mercer.data.profile.outliers import far_out

from .corner_shop import events_table

DAYS = pd.date_range("2026-01-01", "2026-02-27")


def _shop(
    folder: Path, *, late_item: str = "tea", late_price: int = 300, extra: tuple[object, ...] = ()
) -> Log:
    """Ten orders a day; from February on, the test, the item and the price may be others."""
    rows = []
    for day in DAYS:
        late = day >= pd.Timestamp("2026-02-01")
        for at in range(10):
            price = 300 + at % 3
            rows.append(
                (
                    f"u{at}",
                    late_item if late else "tea",
                    f"{day:%Y-%m-%d} {8 + at}:00",
                    "purchase",
                    1,
                    late_price + at % 3 if late else price,
                    None,
                )
            )
    pq.write_table(events_table([*rows, *extra]), folder / "events.parquet")
    log = load_log(folder, "UTC")
    assert log is not None
    return log


def test_a_log_that_stays_itself_has_not_shifted(tmp_path: Path, brief: Brief) -> None:
    found = drift.section(_shop(tmp_path), brief, tmp_path)
    assert found is not None
    assert "From the first test (1 February 2026) on, 0 % of the events are on items" in found.finding
    assert "What they hold is spread as before." in found.finding
    assert found.watch == ""


def test_new_items_and_other_prices_are_named(tmp_path: Path, brief: Brief) -> None:
    found = drift.section(_shop(tmp_path, late_item="coffee", late_price=900), brief, tmp_path)
    assert found is not None
    assert "100 % of the events are on items that nobody had met before" in found.finding
    assert "the price of a unit" in found.watch
    prices = next(row for row in found.grids[0].rows if row[0] == "the price of a unit")
    assert prices[1:3] == ("median €3.01", "median €9.01")
    assert prices[4] == "much"


def test_a_side_that_holds_next_to_nothing_is_not_compared(tmp_path: Path, brief: Brief, log: Log) -> None:
    assert drift.section(log, brief, tmp_path) is None


def test_the_index_is_that_of_a_hand_worked_case() -> None:
    before, after = np.repeat([0, 1], [50, 50]), np.repeat([0, 1], [25, 75])
    by_hand = (0.25 - 0.5) * np.log(0.5) + (0.75 - 0.5) * np.log(1.5)
    assert drift.stability(before, after, 2) == pytest.approx(by_hand)


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=80), st.lists(st.integers(0, 4), min_size=1, max_size=80)
)
def test_the_index_is_never_negative_and_nothing_for_the_same(a: list[int], b: list[int]) -> None:
    first, second = np.array(a), np.array(b)
    assert drift.stability(first, second, 5) >= 0
    assert drift.stability(first, first, 5) == pytest.approx(0)


def test_the_largest_order_is_shown_with_how_soon_it_was_taken_back(tmp_path: Path) -> None:
    huge = ("u1", "gold", "2026-02-20 09:01", "purchase", 1, 9_000_000, "huge")
    back = ("u1", "gold", "2026-02-20 09:13", "return", 1, -9_000_000, "back")
    found = outliers.section(_shop(tmp_path, extra=(huge, back)))
    assert found is not None
    assert "The largest, €90,000 on 20 February 2026" in found.finding
    assert "1 order of 581 lies far from the rest" in found.finding
    assert "was taken back 12 minutes later" in found.watch
    assert found.grids[0].rows[0][-1] == "taken back 12 minutes later"
    assert found.grids[0].rows[1][-1] == "kept"


def test_orders_that_are_alike_have_no_outlier(tmp_path: Path) -> None:
    found = outliers.section(_shop(tmp_path))
    assert found is not None
    assert found.finding.startswith("0 orders of 580 lie far from the rest")
    assert found.watch == ""


def test_far_is_told_on_a_scale_of_factors() -> None:
    values = np.array([*np.geomspace(1, 100, 60), 1e9, 1e-9, np.nan, -5.0])
    assert np.flatnonzero(far_out(values)).tolist() == [60, 61]
