"""Prices: what a unit costs, and how unequal customers' spend is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.brief import BehaviorTarget, Brief
from mercer.data.profile import charts
from mercer.data.profile.log import Log
from mercer.data.profile.section import Chart, Section
from mercer.data.profile.spread import bins
from mercer.data.profile.words import share

_MUCH = 0.4
"""Share of the revenue from a tenth of the customers that makes means say little."""


def section(log: Log, brief: Brief) -> Section | None:
    """Unit prices of purchases and spend by customer; None for a log without money."""
    rows = log.is_purchase & np.isfinite(log.unit_price)
    if not log.has_money or not rows.any():
        return None
    price, spend = log.unit_price[rows], net_spend(log)
    low, middle, high = np.quantile(price, [0.05, 0.5, 0.95])
    ranges = pd.DataFrame({"item": log.item[rows], "price": price.round()}).groupby("item")["price"].nunique()
    moving = float((ranges > 1).mean())
    finding = (
        f"A unit costs {log.say(middle)} in the middle; nine in ten purchases lie between {log.say(low)} and "
        f"{log.say(high)}, and the dearest unit is {log.say(float(price.max()))}. "
        + (f"{share(moving)} of the items" if moving else "No item")
        + " sold at more than one price."
    )
    top = max(1, round(0.1 * len(spend)))
    part = float(np.sort(spend)[::-1][:top].sum() / spend.sum()) if spend.sum() > 0 else 0.0
    return Section(
        id="prices",
        title="Prices and spend",
        finding=finding,
        meaning=f"A tenth of the customers bring {share(part)} of the net revenue. {_meaning(brief, part)}",
        watch=f"A tenth of the customers bring {share(part)} of the net revenue: means of spend say little."
        if part > _MUCH
        else "",
        charts=(
            _histogram(log.major(price), f"price of a unit, {log.unit}", "share of purchases", "Price of a unit"),
            _histogram(
                log.major(spend[spend > 0]), f"net spend of a customer, {log.unit}", "share of customers",
                "What a customer spent in all",
            ),
        ),
    )  # fmt: skip


def net_spend(log: Log) -> npt.NDArray[np.float64]:
    """Purchases less returns of each customer who has either, minor units, at least 0."""
    rows = log.is_net & (log.user >= 0)
    there = np.bincount(log.user[rows]) > 0
    return np.maximum(np.bincount(log.user[rows], weights=log.amount[rows])[there], 0.0)


def _histogram(values: npt.NDArray[np.float64], x: str, y: str, title: str) -> Chart:
    frame, equal_factors = bins(values)
    draw = charts.histogram(frame, x, y, log=equal_factors)
    caption = "Equal steps to the right are equal factors." if equal_factors else ""
    return charts.chart(draw, title, label=f"{title}, as a histogram", wide=charts.HALF, caption=caption)


def _meaning(brief: Brief, part: float) -> str:
    amounts = [
        name for name, t in brief.targets.items() if isinstance(t, BehaviorTarget) and t.kind == "amount"
    ]
    if not amounts:
        return (
            "No target predicts amounts; a ranking that ignores prices treats a cheap and a dear sale alike."
        )
    named = ", ".join(amounts)
    if part > _MUCH:
        return (
            f"The errors of {named} will be made by few large customers: judge it by the total and by rank, and expect "
            "wide intervals for them."
        )
    return f"Spend is spread widely, which makes {named} the easier to predict."
