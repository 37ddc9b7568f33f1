"""Baskets: how many different items an order holds, and what it is worth."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.brief import Brief
from mercer.data.profile import charts
from mercer.data.profile.log import Log
from mercer.data.profile.section import Section
from mercer.data.profile.words import plural, share

_SIZES = ((1, 1), (2, 2), (3, 3), (4, 5), (6, 10), (11, 20), (21, 50), (51, 100), (101, None))


def sizes(n_items: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Share of orders by number of different items. Columns: items, share."""
    rows = []
    for low, high in _SIZES:
        name = f"{low}" if low == high else (f"{low}–{high}" if high else f"over {low - 1}")
        rows.append((name, float(((n_items >= low) & (n_items <= (high or np.inf))).mean())))
    frame = pd.DataFrame(rows, columns=["different items in the order", "share of orders"])
    last = int(np.flatnonzero(frame["share of orders"].to_numpy())[-1]) if len(n_items) else 0
    return frame.iloc[: last + 1]


def section(log: Log, brief: Brief) -> Section | None:
    """Sizes and values of orders; None when nothing was bought."""
    orders = log.orders
    if orders.empty:
        return None
    n_items = orders["n_items"].to_numpy(np.int64)
    single, middle = float((n_items == 1).mean()), float(np.median(n_items))
    finding = (
        f"A typical order holds {middle:g} different {'item' if middle == 1 else 'items'} (mean {n_items.mean():.1f}); "
        f"{share(single)} of the {plural(len(orders), 'order')} hold one only and {share(float((n_items > 20).mean()))} "
        "more than 20."
    )
    drawn = [
        charts.chart(
            charts.columns(sizes(n_items), "different items in the order", "share of orders", form=".0%"),
            "Items in an order", label=finding, wide=charts.HALF if log.has_money else charts.WIDE,
        )
    ]  # fmt: skip
    if log.has_money:
        amounts = orders["amount"].to_numpy(np.float64)
        worth = (
            f"The typical order is worth {log.say(float(np.median(amounts)))}; one in ten is worth "
            f"{log.say(float(np.quantile(amounts, 0.9)))} or more."
        )
        finding += " " + worth
        drawn.append(
            charts.chart(
                charts.columns(
                    steps(log.major(amounts), f"worth of the order, {log.currency or 'money'}", "share of orders"),
                    f"worth of the order, {log.currency or 'money'}", "share of orders", form=".0%",
                ),
                "What an order is worth", label=worth, wide=charts.HALF,
            )
        )  # fmt: skip
    return Section(
        id="baskets",
        title="Baskets",
        finding=finding,
        meaning=_meaning(brief, middle, single, n_items),
        charts=tuple(drawn),
    )


def steps(values: npt.NDArray[Any], x: str, y: str) -> pd.DataFrame:
    """Share of positive values in steps of 1, 2, 5, 10, 20, ... that hold at least 1 in 200. Columns: x, y."""
    values = values[np.isfinite(values) & (values > 0)]
    if not len(values):
        return pd.DataFrame({x: ["0"], y: [0.0]})
    edges = np.array([m * 10.0**e for e in range(-3, 10) for m in (1, 2, 5)])
    low, high = np.quantile(values, [0.005, 0.995])
    edges = edges[(edges > low) & (edges < high)]
    if not len(edges):
        edges = np.array([float(np.median(values))])
    at = np.searchsorted(edges, values, side="right")
    names = [f"under {edges[0]:,g}", *(f"{a:,g}–" for a in edges)]
    return pd.DataFrame({x: names, y: np.bincount(at, minlength=len(names)) / len(values)})


def _meaning(brief: Brief, middle: float, single: float, n_items: npt.NDArray[np.int64]) -> str:
    found = re.search(r"@(\d+)$", brief.decision.metric)
    if found and brief.targets[brief.decision.target].task == "recommend":
        k = int(found.group(1))
        over = float((n_items > k).mean())
        said = (
            f"{brief.decision.metric} judges {k} places. {share(over)} of the orders hold more different items than that, "
            "so even a perfect list can't name all of them."
        )
    else:
        said = f"Half of the orders hold {middle:g} different items or fewer."
    if single > 0.5:
        return said + " Most orders hold one item: what is bought together says little here."
    return (
        said
        + f" {share(1 - single)} of the orders show items bought together, which co-occurrence can learn from."
    )
