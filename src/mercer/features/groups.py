"""The five groups of features, one function each: a Timeline in, a mapping of names to float64 (n,) out."""

from __future__ import annotations

import numpy as np

from mercer.features.definitions import WINDOWS
from mercer.features.orders import Orders, orders
from mercer.features.timeline import Bools, Events, Floats, Ints, Timeline, divide, sums

Columns = dict[str, Floats]

YEAR = 365
SEASON = 90


def recency(line: Timeline) -> Columns:
    """Ages of the last event of each kind and of the first purchase, in days."""
    return {
        "days_since_purchase": line.purchases.last(line.purchases.age),
        "days_since_first_purchase": line.purchases.first(line.purchases.age),
        "days_since_return": line.returns.last(line.returns.age),
        "days_since_cart": line.carts.last(line.carts.age),
        "days_since_view": line.views.last(line.views.age),
        "days_since_event": line.every.last(line.every.age),
    }


def frequency(line: Timeline, bought: Orders) -> Columns:
    """How often and how broadly an entity buys."""
    purchases, days = line.purchases, line.purchases.days()
    first = purchases.first(purchases.age)
    columns = {"purchase_days": days.count()}
    for window in WINDOWS:
        columns[f"purchase_days_{window}d"] = days.count(days.age < window)
    columns["purchase_days_recent"] = days.total(np.exp2(-days.age / 30))
    columns["purchase_days_same_season"] = _if_older(first, days.count(_same_season(days.age)))
    columns["orders"] = bought.count()
    columns["units_bought"] = purchases.total(purchases.quantity)
    columns["items_bought"] = _distinct_items(purchases)
    lines = purchases.count()
    columns["lines_per_order"] = divide(lines, columns["orders"])
    columns["bought_again_share"] = divide(lines - columns["items_bought"], lines)
    return columns


def monetary(line: Timeline, bought: Orders) -> Columns:
    """Spend net of returns (dated to the purchase they undo), order values and returns."""
    purchases, returns = line.purchases, line.returns
    first = purchases.first(purchases.age)
    columns = {"net_spend": _net(line)}
    for window in WINDOWS:
        columns[f"net_spend_{window}d"] = _net(line, window)
    columns["net_spend_recent"] = purchases.total(
        purchases.amount * np.exp2(-purchases.age / 90)
    ) + returns.total(returns.amount * np.exp2(-returns.net_age / 90))
    season = purchases.total(purchases.amount, _same_season(purchases.age))
    season = season + returns.total(returns.amount, _same_season(returns.net_age))
    columns["net_spend_same_season"] = _if_older(first, season)
    # A first purchase of today would make any rate infinite: a season is the least time it is spread over.
    spent = np.maximum(columns["net_spend"], 0.0)
    columns["spend_rate"] = divide(spent, np.maximum(first, float(SEASON)))
    columns |= _order_values(bought)
    gross = purchases.total(purchases.amount)
    columns["unit_price_mean"] = divide(gross, purchases.total(purchases.quantity))
    columns["returns"] = returns.count()
    columns["returns_90d"] = returns.count(returns.age < 90)
    columns["returned_share"] = divide(returns.total(np.abs(returns.amount)), gross)
    return columns


def rhythm(line: Timeline) -> Columns:
    """Pauses between days with a purchase, and what the current pause says."""
    days = line.purchases.days()
    same = np.diff(days.row) == 0
    gap, row = np.diff(days.day)[same].astype(np.float64), days.row[1:][same]
    gaps = np.bincount(row, minlength=line.n).astype(np.float64)
    mean = divide(sums(row, gap, line.n), gaps)
    spread = divide(sums(row, (gap - mean[row]) ** 2, line.n), gaps)
    longest = np.full(line.n, np.nan)
    np.fmax.at(longest, row, gap)
    last = np.full(line.n, np.nan)
    last[row] = gap  # the last gap of a row is written last
    recent, first = line.purchases.last(line.purchases.age), line.purchases.first(line.purchases.age)
    half = days.count(days.age < 90)
    return {
        "gap_mean": mean,
        "gap_last": last,
        "gap_longest": longest,
        "gap_spread": np.where(gaps >= 2, divide(np.sqrt(spread), mean), np.nan),
        "overdue": divide(recent, mean),
        "activity_index": _activity(recent, first, days.count()),
        "purchase_trend": divide(half, days.count(days.age < 180)),
    }


def browsing(line: Timeline) -> Columns:
    """What is looked at and put into the cart, and how active an entity is."""
    since = np.nan_to_num(line.purchases.last(line.purchases.age), nan=np.inf)
    columns: Columns = {}
    for name, events in (("views", line.views), ("carts", line.carts)):
        for window in (7, 30):
            columns[f"{name}_{window}d"] = events.count(events.age < window)
        columns[f"{name}_since_purchase"] = events.count(events.age < since[events.row])
    month = line.every.where(line.every.age < 30)
    columns["sessions_30d"] = _distinct_sessions(month)
    columns["active_days_30d"] = month.days().count()
    columns["other_events_90d"] = line.others.count(line.others.age < 90)
    return columns


def every_group(line: Timeline) -> Columns:
    """All groups together."""
    bought = orders(line.purchases, line.returns)
    return {
        **recency(line),
        **frequency(line, bought),
        **monetary(line, bought),
        **rhythm(line),
        **browsing(line),
    }


def _same_season(age: Floats) -> Bools:
    return (age <= YEAR) & (age > YEAR - SEASON)


def _if_older(first: Floats, values: Floats) -> Floats:
    return np.where(first >= YEAR, values, np.nan)


def _net(line: Timeline, window: int | None = None) -> Floats:
    purchases, returns = line.purchases, line.returns
    if window is None:
        return purchases.total(purchases.amount) + returns.total(returns.amount)
    return purchases.total(purchases.amount, purchases.age < window) + returns.total(
        returns.amount, returns.net_age < window
    )


def _order_values(bought: Orders) -> Columns:
    count = bought.count()
    mean = divide(sums(bought.row, bought.value, bought.n), count)
    spread = divide(sums(bought.row, (bought.value - mean[bought.row]) ** 2, bought.n), count)
    largest = np.full(bought.n, np.nan)
    np.fmax.at(largest, bought.row, bought.value)
    last = np.full(bought.n, np.nan)
    last[bought.row] = bought.value  # orders are in time order: the last one is written last
    return {
        "order_value_mean": mean,
        "order_value_max": largest,
        "order_value_last": last,
        "order_value_spread": np.where(count >= 2, divide(np.sqrt(spread), mean), np.nan),
    }


def _activity(recent: Floats, first: Floats, purchase_days: Floats) -> Floats:
    """((first - recent) / first) ** repeat purchases, in [0, 1]; 1 right after a first purchase.

    A closed form of the idea behind Schmittlein, Morrison and Colombo (Management Science 1987): a long
    silence says little of a rare buyer and much of a frequent one.
    """
    span = np.clip(divide(first - recent, first), 0.0, 1.0)
    repeats = np.maximum(purchase_days - 1, 0.0)
    return np.where(np.isnan(recent), np.nan, np.where(repeats == 0, 1.0, np.nan_to_num(span) ** repeats))


def _distinct_items(events: Events) -> Floats:
    return _distinct(events, events.item)


def _distinct_sessions(events: Events) -> Floats:
    """Sessions a row; an event without a session counts with its day."""
    return _distinct(events, np.where(events.session >= 0, events.session, -1 - events.day))


def _distinct(events: Events, key: Ints) -> Floats:
    if not len(key):
        return np.zeros(events.n)
    key = key - key.min()
    width = int(key.max()) + 1
    if width < (1 << 62) // max(events.n, 1):
        found = np.unique(events.row * width + key) // width
    else:
        order = np.lexsort((key, events.row))
        row, sorted_key = events.row[order], key[order]
        new = np.ones(len(order), bool)
        new[1:] = (np.diff(row) != 0) | (np.diff(sorted_key) != 0)
        found = row[new]
    return np.bincount(found, minlength=events.n).astype(np.float64)
