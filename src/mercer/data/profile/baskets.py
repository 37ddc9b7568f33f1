"""Baskets: how many different items an order holds, and what it is worth."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.brief import Brief
from mercer.data.profile import charts
from mercer.data.profile.log import Log
from mercer.data.profile.section import Chart, Section
from mercer.data.profile.spread import bins
from mercer.data.profile.words import plural, share

_SIZES = ((1, 1), (2, 2), (3, 3), (4, 5), (6, 10), (11, 20), (21, 50), (51, 100), (101, None))


def sizes(n_items: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Share of orders by number of different items, up to the largest there is. Columns: number, share."""
    rows = []
    for low, high in _SIZES:
        name = f"{low}" if low == high else (f"{low}–{high}" if high else f"{low}+")
        rows.append((name, float(((n_items >= low) & (n_items <= (high or np.inf))).mean())))
    frame = pd.DataFrame(rows, columns=["different items in the order", "share of orders"])
    last = int(np.flatnonzero(frame["share of orders"].to_numpy())[-1])
    return frame.iloc[: last + 1]


def section(log: Log, brief: Brief) -> Section | None:
    """Sizes and values of orders; None when nothing was bought."""
    orders = log.orders
    if orders.empty:
        return None
    n_items = orders["n_items"].to_numpy(np.int64)
    single, middle = float((n_items == 1).mean()), float(np.median(n_items))
    finding = (
        f"A typical order holds {middle:g} different {'item' if middle == 1 else 'items'} "
        f"(mean {n_items.mean():.1f}); {share(single)} of the {plural(len(orders), 'order')} hold one only and "
        f"{share(float((n_items > 20).mean()))} more than 20."
    )
    wide = charts.HALF if log.has_money else charts.WIDE
    drawn = [
        charts.chart(
            charts.columns(sizes(n_items), share=True), "Items in an order", label=finding, wide=wide
        )
    ]
    if log.has_money:
        worth, histogram = _worth(log)
        finding += f" {worth}"
        drawn.append(histogram)
    return Section(
        id="baskets",
        title="Baskets",
        finding=finding,
        meaning=_meaning(brief, middle, single, n_items),
        watch=f"{share(single)} of the orders hold one item, so few show what goes together."
        if single > 0.5
        else "",
        charts=tuple(drawn),
    )


def _worth(log: Log) -> tuple[str, Chart]:
    amounts = log.orders["amount"].to_numpy(np.float64)
    said = (
        f"The typical order is worth {log.say(float(np.median(amounts)))}; one in ten is worth "
        f"{log.say(float(np.quantile(amounts, 0.9)))} or more."
    )
    frame, equal_factors = bins(log.major(amounts))
    draw = charts.histogram(frame, f"worth of the order, {log.unit}", "share of orders", log=equal_factors)
    return said, charts.chart(draw, "What an order is worth", label=said, wide=charts.HALF)


def _meaning(brief: Brief, middle: float, single: float, n_items: npt.NDArray[np.int64]) -> str:
    found = re.search(r"@(\d+)$", brief.decision.metric)
    if found and brief.targets[brief.decision.target].task == "recommend":
        k = int(found.group(1))
        over = float((n_items > k).mean())
        said = f"{brief.decision.metric} judges {k} places. "
        said += (
            f"{share(over)} of the orders hold more different items than that: even a perfect list can't name them all."
            if over > 0.1
            else "Nearly every order fits into them."
        )
    else:
        said = f"Half of the orders hold {middle:g} different items or fewer."
    if single > 0.5:
        return said + " Most orders hold one item: what is bought together says little here."
    return (
        said
        + f" {share(1 - single)} of the orders show items bought together, which co-occurrence can learn from."
    )
