"""Repeat behaviour: how many orders a customer has, how long until the next, and whether items come again."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.brief import BehaviorTarget, Brief, RecommendTarget
from mercer.data.profile import charts
from mercer.data.profile.log import Log
from mercer.data.profile.section import Section
from mercer.data.profile.words import DAY_US, plural, share

_MOST = 10
_MANY = 0.5
"""Share of customers with one order that a reader should know of."""
_GAPS = (0, 1, 7, 14, 30, 60, 90, 180, 365)
_GAP_NAMES = ("under 1", "1–6", "7–13", "14–29", "30–59", "60–89", "90–179", "180–364", "365+")


def customers_by_orders(n_orders: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Share of customers with 1, 2, ... 10, 11 or more orders. Columns: orders, share of customers."""
    counts = np.bincount(np.minimum(n_orders, _MOST + 1), minlength=_MOST + 2)[1:]
    names = [*(str(n) for n in range(1, _MOST + 1)), f"{_MOST + 1}+"]
    return pd.DataFrame({"orders": names, "share of customers": counts / max(counts.sum(), 1)})


def gaps(log: Log) -> npt.NDArray[np.float64]:
    """Days from each order of a customer to the next one."""
    user, time = log.orders["user"].to_numpy(), log.orders["time"].to_numpy(np.int64)
    closed: npt.NDArray[np.float64] = np.diff(time)[np.diff(user) == 0] / DAY_US
    return closed


def gap_lengths(between: npt.NDArray[np.float64]) -> pd.DataFrame:
    """Share of gaps by length, up to the longest there is. Columns: days, share."""
    at = np.searchsorted(np.array(_GAPS[1:]), between, side="right")
    shares = np.bincount(at, minlength=len(_GAPS)) / len(between)
    frame = pd.DataFrame({"days to the next order": _GAP_NAMES, "share of gaps": shares})
    return frame.iloc[: int(at.max()) + 1]


def items_again(log: Log) -> float:
    """Share of the different items of an order that its customer had in an earlier one."""
    rows = np.flatnonzero(log.is_purchase)
    lines = pd.DataFrame({"user": log.user[rows], "item": log.item[rows], "time": log.time[rows]})
    lines = lines.sort_values("time", kind="stable").drop_duplicates(["user", "item", "time"])
    return float(lines.duplicated(["user", "item"]).mean()) if len(lines) else 0.0


def section(log: Log, brief: Brief) -> Section | None:
    """Orders a customer and gaps between them; None when nothing was bought."""
    orders = log.orders.loc[log.orders["user"] >= 0]
    if orders.empty:
        return None
    n_orders = orders.groupby("user").size().to_numpy().astype(np.int64)
    once, between = float((n_orders == 1).mean()), gaps(log)
    finding = (
        f"{share(once)} of the {plural(len(n_orders), 'customer')} ordered once, "
        f"{share(float((n_orders == 2).mean()))} twice and {share(float((n_orders > 2).mean()))} three times or more"
    )
    counted = charts.columns(customers_by_orders(n_orders), share=True)
    wide = charts.HALF if len(between) else charts.WIDE
    drawn = [charts.chart(counted, "Orders a customer", label=finding, wide=wide)]
    if len(between):
        finding += f"; half of the next orders come within {max(np.median(between), 1):.0f} days"
        draw = charts.columns(gap_lengths(between), share=True)
        drawn.append(charts.chart(draw, "Time to the next order", label=finding, wide=charts.HALF))
    again = items_again(log)
    return Section(
        id="repeats",
        title="Repeat behaviour",
        finding=f"{finding}. {share(again)} of what customers bought they had bought before.",
        meaning=" ".join([*_horizons(brief, between), *_repeats(brief, again)]),
        watch=f"{share(once)} of the customers have one order: their taste must be told from one basket."
        if once > _MANY
        else "",
        charts=tuple(drawn),
        notes=("Gaps are those that closed within the log: customers who did not come back have none.",)
        if len(between)
        else (),
    )


def _horizons(brief: Brief, between: npt.NDArray[np.float64]) -> list[str]:
    by_days: dict[int, list[str]] = {}
    for name, target in brief.targets.items():
        if isinstance(target, BehaviorTarget) and target.label == "events" and len(between):
            by_days.setdefault(target.horizon_days, []).append(name)
    return [
        f"The horizon of {days} days ({', '.join(names)}) takes in {share(float((between <= days).mean()))} of the "
        "gaps that closed."
        for days, names in by_days.items()
    ]


def _repeats(brief: Brief, again: float) -> list[str]:
    name = brief.decision.target
    target = brief.targets[name]
    if not isinstance(target, RecommendTarget):
        return []
    if target.repeats:
        return [
            f"The target {name} counts repeats: a list of earlier purchases is an opponent to be taken seriously."
        ]
    said = f"The target {name} counts only items new to the customer"
    return [f"{said}, so {share(again)} of the purchases can't be its answers."]
