"""Each feature's name, its meaning in plain words, its unit, and its value where nothing is known.

The declarations are the contract between training, serving and the people who read reasons: a feature that
is computed but not declared, or the other way round, fails the tests of this room. DECLARED holds them in the
order of the computed frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["days", "count", "share", "minor units", "minor units a day", "ratio", "as given"]

ZERO = "0 without any such event"
ABSENT = "missing without any such event"
FEW = "missing with fewer than two"


@dataclass(frozen=True, slots=True)
class Feature:
    """One declared feature.

    meaning: a noun phrase that reads well in a list of reasons. missing: what the value is where there is
    nothing to measure. clock: whether it needs days; in a log with an order but no clock it is missing.
    Spend is in minor units of the log's currency.
    """

    name: str
    meaning: str
    unit: Unit
    missing: str = ZERO
    clock: bool = True


WINDOWS = (30, 90, 180, 365)
"""Days of the windows that end at the cut: an event of age < d days lies in the window of d days."""

RECENCY = (
    Feature("days_since_purchase", "Days since the last purchase", "days", ABSENT),
    Feature("days_since_first_purchase", "Days since the first purchase", "days", ABSENT),
    Feature("days_since_return", "Days since the last return", "days", ABSENT),
    Feature("days_since_cart", "Days since something was last put into the cart", "days", ABSENT),
    Feature("days_since_view", "Days since an item was last looked at", "days", ABSENT),
    Feature("days_since_event", "Days since the last activity of any kind", "days", ABSENT),
)

FREQUENCY = (
    Feature("purchase_days", "Number of days with a purchase", "count"),
    *(Feature(f"purchase_days_{d}d", f"Days with a purchase in the last {d} days", "count") for d in WINDOWS),
    Feature("purchase_days_recent", "Days with a purchase, weighted by recency (half each 30 days)", "count"),
    Feature(
        "purchase_days_same_season",
        "Days with a purchase in the 90 days that follow this date a year earlier",
        "count",
        "missing where the first purchase is less than a year old",
    ),
    Feature("orders", "Number of orders", "count", clock=False),
    Feature("units_bought", "Number of units bought", "count", clock=False),
    Feature("items_bought", "Number of different items bought", "count", clock=False),
    Feature("lines_per_order", "Lines in an average order", "count", ABSENT, clock=False),
    Feature(
        "bought_again_share", "Share of order lines for an item bought before", "share", ABSENT, clock=False
    ),
)

MONETARY = (
    Feature("net_spend", "Spend so far, less returns", "minor units", clock=False),
    *(
        Feature(f"net_spend_{d}d", f"Spend in the last {d} days, less what was returned of it", "minor units")
        for d in WINDOWS
    ),
    Feature("net_spend_recent", "Spend less returns, weighted by recency (half each 90 days)", "minor units"),
    Feature(
        "net_spend_same_season",
        "Spend less returns in the 90 days that follow this date a year earlier",
        "minor units",
        "missing where the first purchase is less than a year old",
    ),
    Feature(
        "spend_rate",
        "Spend less returns for each day since the first purchase (90 at least)",
        "minor units a day",
        ABSENT,
    ),
    Feature(
        "order_value_mean", "Value of an average order, less returns", "minor units", ABSENT, clock=False
    ),
    Feature(
        "order_value_max", "Value of the largest order, less returns", "minor units", ABSENT, clock=False
    ),
    Feature("order_value_last", "Value of the last order, less returns", "minor units", ABSENT, clock=False),
    Feature("order_value_spread", "How much order values differ from one another", "ratio", FEW, clock=False),
    Feature("unit_price_mean", "Average price paid for one unit", "minor units", ABSENT, clock=False),
    Feature("returns", "Number of returned lines", "count", clock=False),
    Feature("returns_90d", "Returned lines in the last 90 days", "count"),
    Feature("returned_share", "Share of the value bought that was returned", "share", ABSENT, clock=False),
)

RHYTHM = (
    Feature("gap_mean", "Average number of days between purchases", "days", FEW),
    Feature("gap_last", "Days between the last two purchases", "days", FEW),
    Feature("gap_longest", "Longest pause between purchases", "days", FEW),
    Feature(
        "gap_spread",
        "How irregular the pauses between purchases are",
        "ratio",
        "missing with fewer than three",
    ),
    Feature("overdue", "Current pause compared with the usual pause between purchases", "ratio", FEW),
    Feature(
        "activity_index",
        "How likely the customer is still active, from purchase dates alone",
        "share",
        ABSENT,
    ),
    Feature(
        "purchase_trend",
        "Share of the last 180 days' purchase days that fell in the last 90 days",
        "share",
        "missing without a purchase in 180 days",
    ),
)

BROWSING = (
    Feature("views_7d", "Items looked at in the last 7 days", "count"),
    Feature("views_30d", "Items looked at in the last 30 days", "count"),
    Feature("views_since_purchase", "Items looked at since the last purchase", "count", clock=False),
    Feature("carts_7d", "Items put into the cart in the last 7 days", "count"),
    Feature("carts_30d", "Items put into the cart in the last 30 days", "count"),
    Feature("carts_since_purchase", "Items put into the cart since the last purchase", "count", clock=False),
    Feature("sessions_30d", "Visits in the last 30 days", "count"),
    Feature("active_days_30d", "Days with any activity in the last 30 days", "count"),
    Feature("other_events_90d", "Other activity in the last 90 days", "count"),
)

DECLARED: tuple[Feature, ...] = (*RECENCY, *FREQUENCY, *MONETARY, *RHYTHM, *BROWSING)
