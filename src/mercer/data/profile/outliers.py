"""Outliers: orders, customers and days that are far from the rest, and how much of the total they carry."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.data.profile.log import Log
from mercer.data.profile.section import Column, Grid, Section
from mercer.data.profile.words import DAY_US, count, day, plural, share

FAR = 3.0
"""Interquartile ranges beyond the quartiles, of the logarithm, from which a value lies far out (Tukey, 1977)."""
_SHOWN = 5
_LEAST = 20
_BACK = 0.9
_WEIGHTY = 0.02
"""Share of all purchases in one order that a reader should know of."""


def far_out(values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which positive values lie FAR beyond the quartiles of their logarithm, on either side."""
    there = np.isfinite(values) & (values > 0)
    found = np.zeros(len(values), bool)
    if there.sum() < _LEAST:
        return found
    logs = np.log(values[there])
    low, high = np.quantile(logs, [0.25, 0.75])
    if high == low:
        return found  # half of the values are one value: no width to measure a distance by
    reach = FAR * (high - low)
    found[there] = (logs < low - reach) | (logs > high + reach)
    return found


def section(log: Log) -> Section | None:
    """The largest orders, the largest customer, the busiest day; None for a log without money or orders."""
    orders = log.orders
    amounts = orders["amount"].to_numpy(np.float64) if len(orders) else np.zeros(0)
    total = float(amounts[amounts > 0].sum())
    if not log.has_money or len(amounts) < _LEAST or total <= 0:
        return None
    far = far_out(amounts)
    top = orders.iloc[np.argsort(-amounts, kind="stable")[:_SHOWN]]
    undone = [_undone(log, row) for row in top.itertuples()]
    first, part = top.iloc[0], float(top.iloc[0]["amount"]) / total
    finding = (
        f"{plural(int(far.sum()), 'order')} of {count(len(orders))} {'lies' if far.sum() == 1 else 'lie'} far from the "
        f"rest and {'carries' if far.sum() == 1 else 'carry'} {share(float(amounts[far].sum()), total)} of what was "
        f"bought. The largest, {log.say(float(first['amount']))} on {day(int(first['time']))}, is {share(part)} of it"
        + (f"; it was {undone[0]}." if undone[0] else ".")
    )
    finding += f" {_customer(log)} {_day(log)}"
    return Section(
        id="outliers",
        title="Outliers",
        finding=finding,
        meaning="A sum or a mean of money hangs on these few: judge amounts by rank too, count returns from the day "
        "they were known, and look at each of these orders once.",
        watch=_watch(log.say(float(first["amount"])), part, undone),
        grids=(_grid(log, top, undone, total),),
        notes=(
            f"Far from the rest: more than {FAR:g} times the middle half's width beyond it, on a scale of factors.",
        ),
    )  # fmt: skip


def _watch(worth: str, part: float, undone: list[str]) -> str:
    said = []
    if undone[0]:
        said.append(f"The largest order, {worth}, was {undone[0]}.")
    if part > _WEIGHTY:
        said.append(
            f"It is {share(part)} of all that was bought."
            if said
            else f"One order, {worth}, is {share(part)} of all that was bought."
        )
    if sum(map(bool, undone)) > 1:
        said.append(f"{sum(map(bool, undone))} of the {len(undone)} largest were taken back.")
    return " ".join(said)


def _undone(log: Log, order: object) -> str:
    """In words how soon a customer's returns took back nearly all of an order; nothing where they did not."""
    user, time, amount = (getattr(order, name) for name in ("user", "time", "amount"))
    if user < 0:
        return ""
    back = (log.user == user) & (log.kind == "return") & (log.time >= time) & (log.time <= time + 30 * DAY_US)
    when, worth = log.time[back], -log.amount[back]
    if worth.sum() < _BACK * amount:
        return ""
    by_time = np.argsort(when, kind="stable")
    at = int(np.flatnonzero(np.cumsum(worth[by_time]) >= _BACK * amount)[0])
    minutes = int(when[by_time][at] - time) // 60_000_000
    if minutes < 120:
        return f"taken back {plural(minutes, 'minute')} later"
    return (
        f"taken back {plural(minutes // 60, 'hour')} later"
        if minutes < 2880
        else f"taken back {plural(minutes // 1440, 'day')} later"
    )


def _customer(log: Log) -> str:
    rows = log.is_net & (log.user >= 0)
    spent = np.bincount(log.user[rows], weights=log.amount[rows])
    total = float(np.maximum(spent, 0).sum())
    return (
        f"The largest customer makes {share(float(spent.max()), total)} of the net revenue."
        if total > 0
        else ""
    )


def _day(log: Log) -> str:
    """The busiest day against the day in the middle."""
    days = pd.Series(np.asarray(log.local.normalize())).value_counts()
    times = float(days.max() / days.median())
    if times < 3 or len(days) < _LEAST:
        return ""
    return f"The busiest day, {days.idxmax():%-d %B %Y}, has {times:.0f} times the events of the day in the middle."


def _grid(log: Log, top: pd.DataFrame, undone: list[str], total: float) -> Grid:
    return Grid(
        title="The largest orders",
        columns=(
            Column(name="day"), Column(name="worth", align="right"), Column(name="of all bought", align="right"),
            Column(name="different items", align="right"), Column(name="afterwards"),
        ),
        rows=tuple(
            (
                day(int(row["time"])), log.say(float(row["amount"])), share(float(row["amount"]), total),
                count(int(row["n_items"])), word or "kept",
            )
            for (_, row), word in zip(top.iterrows(), undone, strict=True)
        ),
    )  # fmt: skip
