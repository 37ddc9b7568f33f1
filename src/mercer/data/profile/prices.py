"""Prices: what a unit costs, and how unequal customers' spend is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mercer.brief import BehaviorTarget, Brief
from mercer.data.profile import charts
from mercer.data.profile.baskets import steps
from mercer.data.profile.log import Log
from mercer.data.profile.section import Section
from mercer.data.profile.words import share

_LEAST = 2
"""Prices an item needs to say whether its price moves."""


def section(log: Log, brief: Brief) -> Section | None:
    """Unit prices of purchases and spend by customer; None for a log without money."""
    rows = log.is_purchase & np.isfinite(log.unit_price)
    if not log.has_money or not rows.any():
        return None
    price = log.unit_price[rows]
    low, middle, high = np.quantile(price, [0.05, 0.5, 0.95])
    finding = (
        f"A unit costs {log.say(middle)} in the middle; nine in ten purchases lie between {log.say(low)} and "
        f"{log.say(high)}, and the dearest unit is {log.say(float(price.max()))}."
    )
    ranges = pd.DataFrame({"item": log.item[rows], "price": price.round()}).groupby("item")["price"].nunique()
    moving = float((ranges >= _LEAST).mean())
    finding += f" {share(moving)} of the items sold at more than one price."
    unit = log.currency or "money"
    drawn = charts.chart(
        charts.columns(steps(log.major(price), f"price of a unit, {unit}", "share of purchases"),
                       f"price of a unit, {unit}", "share of purchases", form=".0%"),
        "Price of a unit", label=finding, wide=charts.HALF,
    )  # fmt: skip
    spend = _spend(log)
    top = max(1, round(0.1 * len(spend)))
    part = float(np.sort(spend)[::-1][:top].sum() / spend.sum()) if spend.sum() > 0 else 0.0
    bars = charts.chart(
        charts.columns(steps(log.major(spend), f"net spend of a customer, {unit}", "share of customers"),
                       f"net spend of a customer, {unit}", "share of customers", form=".0%"),
        "What a customer spent in all", label="Net spend by customer", wide=charts.HALF,
    )  # fmt: skip
    return Section(
        id="prices",
        title="Prices and spend",
        finding=finding,
        meaning=f"A tenth of the customers bring {share(part)} of the net revenue. " + _meaning(brief, part),
        charts=(drawn, bars),
    )


def _spend(log: Log) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Net spend of each customer, minor units, at least 0."""
    rows = log.is_net & (log.user >= 0)
    return np.maximum(np.bincount(log.user[rows], weights=log.amount[rows]), 0.0)


def _meaning(brief: Brief, part: float) -> str:
    amounts = [
        name for name, t in brief.targets.items() if isinstance(t, BehaviorTarget) and t.kind == "amount"
    ]
    if not amounts:
        return (
            "No target predicts amounts; a ranking that ignores prices treats a cheap and a dear sale alike."
        )
    if part > 0.4:
        return (
            f"The errors of {', '.join(amounts)} will be made by few large customers: judge it by the total and by rank, "
            "and expect wide intervals for them."
        )
    return f"Spend is spread widely, which makes {', '.join(amounts)} the easier to predict."
