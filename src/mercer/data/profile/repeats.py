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
_GAPS = (0, 1, 7, 14, 30, 60, 90, 180, 365)
_GAP_NAMES = ("same day", "1–6", "7–13", "14–29", "30–59", "60–89", "90–179", "180–364", "365 and over")


def customers_by_orders(n_orders: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Share of customers with 1, 2, ... 10, over 10 orders. Columns: orders, share of customers."""
    counts = np.bincount(np.minimum(n_orders, _MOST + 1), minlength=_MOST + 2)[1:]
    names = [*(str(n) for n in range(1, _MOST + 1)), f"over {_MOST}"]
    return pd.DataFrame({"orders": names, "share of customers": counts / max(counts.sum(), 1)})


def gaps(log: Log) -> npt.NDArray[np.float64]:
    """Days from each order of a customer to the next one."""
    user, time = log.orders["user"].to_numpy(), log.orders["time"].to_numpy(np.int64)
    return np.diff(time)[np.diff(user) == 0] / DAY_US


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
    n_orders = orders.groupby("user").size().to_numpy(np.int64)
    once, between = float((n_orders == 1).mean()), gaps(log)
    finding = (
        f"{share(once)} of the {plural(len(n_orders), 'customer')} ordered once, {share(float((n_orders == 2).mean()))} "
        f"twice and {share(float((n_orders >= 3).mean()))} three times or more"
    )
    drawn = [
        charts.chart(
            charts.columns(customers_by_orders(n_orders), "orders", "share of customers", form=".0%"),
            "Orders a customer", label=finding, wide=charts.HALF if len(between) else charts.WIDE,
        )
    ]  # fmt: skip
    if len(between):
        at = np.searchsorted(np.array(_GAPS[1:]), between, side="right")
        frame = pd.DataFrame(
            {
                "days to the next order": _GAP_NAMES,
                "share of gaps": np.bincount(at, minlength=len(_GAPS)) / len(between),
            }
        )
        finding += f"; half of the next orders come within {max(np.median(between), 1):.0f} days"
        drawn.append(
            charts.chart(
                charts.columns(frame, "days to the next order", "share of gaps", form=".0%"),
                "Time to the next order", label=finding, wide=charts.HALF,
            )
        )  # fmt: skip
    again = items_again(log)
    return Section(
        id="repeats",
        title="Repeat behaviour",
        finding=f"{finding}. {share(again)} of what customers bought they had bought before.",
        meaning=" ".join([*_horizons(brief, between, once), *_repeats(brief, again)]),
        charts=tuple(drawn),
        notes=("Gaps are those that closed within the log: customers who did not come back have none.",)
        if len(between)
        else (),
    )


def _horizons(brief: Brief, between: npt.NDArray[np.float64], once: float) -> list[str]:
    said = []
    for name, target in brief.targets.items():
        if isinstance(target, BehaviorTarget) and target.label == "events" and len(between):
            inside = float((between <= target.horizon_days).mean())
            said.append((target.horizon_days, inside, name))
    by_days: dict[int, tuple[float, list[str]]] = {}
    for days, inside, name in said:
        by_days.setdefault(days, (inside, []))[1].append(name)
    sentences = [
        f"The horizon of {days} days ({', '.join(names)}) takes in {share(inside)} of the gaps that closed."
        for days, (inside, names) in by_days.items()
    ]
    if once > 0.5:
        sentences.append(
            "Most customers have one order: the history a model can learn a person's taste from is short."
        )
    return sentences


def _repeats(brief: Brief, again: float) -> list[str]:
    name = brief.decision.target
    target = brief.targets[name]
    if not isinstance(target, RecommendTarget):
        return []
    if target.repeats:
        return [f"{name} counts repeats: a list of earlier purchases is an opponent to be taken seriously."]
    return [
        f"{name} counts only items new to the customer, so {share(again)} of the purchases can't be its answers."
    ]
