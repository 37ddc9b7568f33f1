"""Features of one customer, worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from features.written import DAY, event, snapshots
from mercer.contracts import NEVER
from mercer.features import compute

ANNA = [
    event(10, item=1, amount=1000, basket=1, quantity=2),
    event(10, item=2, amount=500, basket=1),
    event(40, "view", item=5),
    event(70, item=1, amount=3000, basket=2),
    event(72, "return", item=2, amount=-500, origin=10),
    event(80, item=3, amount=2000, basket=3),
    event(95, "view", item=4, session=8),
    event(96, "cart", item=4, session=8),
    event(97, "search"),
]


@pytest.fixture(scope="module")
def anna() -> pd.Series:
    return compute(snapshots(ANNA)).iloc[0]


def test_recency_is_the_age_of_the_last_event_of_each_kind(anna):
    assert anna.days_since_purchase == 20
    assert anna.days_since_first_purchase == 90
    assert anna.days_since_return == 28
    assert anna.days_since_cart == 4
    assert anna.days_since_view == 5
    assert anna.days_since_event == 3


def test_frequency_counts_days_orders_units_and_items(anna):
    assert anna.purchase_days == 3
    assert anna.purchase_days_30d == 1  # day 70 is exactly 30 days old and outside
    assert anna.purchase_days_90d == 2
    assert anna.purchase_days_365d == 3
    assert anna.purchase_days_recent == pytest.approx(2**-3 + 2**-1 + 2 ** (-20 / 30))
    assert anna.orders == 3
    assert anna.units_bought == 5
    assert anna.items_bought == 3
    assert anna.lines_per_order == pytest.approx(4 / 3)
    assert anna.bought_again_share == pytest.approx(1 / 4)


def test_spend_is_net_of_returns_dated_to_their_purchase(anna):
    assert anna.net_spend == 6000
    assert anna.net_spend_30d == 2000
    assert anna.net_spend_90d == 5000  # the return undoes a purchase before the window
    assert anna.net_spend_180d == 6000
    assert anna.spend_rate == pytest.approx(6000 / 90)
    assert anna.net_spend_recent == pytest.approx(1000 / 2 + 3000 * 2 ** (-1 / 3) + 2000 * 2 ** (-20 / 90))


def test_order_values_are_less_what_was_returned_of_them(anna):
    assert anna.order_value_mean == 2000
    assert anna.order_value_max == 3000
    assert anna.order_value_last == 2000
    assert anna.order_value_spread == pytest.approx(np.std([1000, 3000, 2000]) / 2000)
    assert anna.unit_price_mean == 6500 / 5
    assert anna.returns == 1
    assert anna.returns_90d == 1
    assert anna.returned_share == pytest.approx(500 / 6500)


def test_rhythm_describes_the_pauses(anna):
    assert anna.gap_mean == 35
    assert anna.gap_last == 10
    assert anna.gap_longest == 60
    assert anna.gap_spread == pytest.approx(25 / 35)
    assert anna.overdue == pytest.approx(20 / 35)
    assert anna.activity_index == pytest.approx((70 / 90) ** 2)
    assert anna.purchase_trend == pytest.approx(2 / 3)


def test_browsing_is_told_apart_from_buying(anna):
    assert anna.views_7d == 1
    assert anna.views_30d == 1
    assert anna.views_since_purchase == 1
    assert anna.carts_7d == 1
    assert anna.carts_since_purchase == 1
    assert anna.sessions_30d == 4  # session 8, and the days of return, purchase and search
    assert anna.active_days_30d == 5
    assert anna.other_events_90d == 1


def test_a_return_without_its_purchase_counts_when_it_happened():
    lone = snapshots([event(1, amount=900), event(95, "return", amount=-400)])
    history = replace(lone.history, origin_time=np.array([DAY, NEVER]))
    lone = replace(lone, history=history)
    row = compute(lone).iloc[0]
    assert row.net_spend_30d == -400
    assert row.order_value_max == 900


def test_an_order_that_was_returned_whole_is_worth_nothing():
    row = compute(
        snapshots(
            [
                event(5, amount=7000, basket=1),
                event(6, "return", amount=-7000, origin=5),
                event(9, amount=100),
            ]
        )
    ).iloc[0]
    assert row.order_value_max == 100
    assert row.net_spend == 100
    assert row.spend_rate == pytest.approx(100 / 95)


def test_lines_without_a_basket_are_one_order_a_day():
    row = compute(snapshots([event(5.1, amount=1), event(5.7, amount=2), event(6, amount=4)])).iloc[0]
    assert row.orders == 2
    assert row.order_value_mean == 3.5


def test_interleaved_baskets_stay_apart():
    lines = [event(5, amount=1, basket=7), event(5, amount=10, basket=8), event(5, amount=100, basket=7)]
    row = compute(snapshots(lines)).iloc[0]
    assert row.orders == 2
    assert row.order_value_max == 101


def test_last_years_season_needs_a_year_of_history():
    old, new = [event(100), event(150)], [event(150)]
    rows = compute(snapshots(old, new, as_of=500))
    assert rows.purchase_days_same_season[0] == 1  # 350 days old, and so in the 90 days after this date
    assert np.isnan(rows.purchase_days_same_season[1])


def test_a_purchase_of_this_moment_has_no_infinite_rate():
    row = compute(snapshots([event(100, amount=900)], as_of=100)).iloc[0]
    assert row.days_since_purchase == 0
    assert row.spend_rate == 10
    assert row.activity_index == 1


def test_times_before_1970_are_times():
    shifted = snapshots([event(-400, amount=5), event(-390, amount=5)], as_of=-380)
    row = compute(shifted).iloc[0]
    assert shifted.history.time[0] == -400 * DAY
    assert row.gap_mean == 10
    assert row.orders == 2
