"""Drift: what is different from the first test on, so that a model meets it untaught."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq

from mercer.brief import Brief
from mercer.data.profile import charts
from mercer.data.profile.cut import first_test
from mercer.data.profile.log import Log, codes
from mercer.data.profile.seasonality import DAYS
from mercer.data.profile.section import Column, Grid, Section
from mercer.data.profile.words import count, day, listed, measure, share

SOME, MUCH = 0.1, 0.25
"""Stability index from which a shift is worth a look, and from which a model built before it is in doubt
(Siddiqi, Credit Risk Scorecards, 2006)."""
_LEAST_ROWS = 50
_RARE = 0.005
_PARTS = 10
_NEW = 0.2
"""Share of events on things never seen before that a reader should know of."""

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One measure before and from the test on, as texts. index: its stability index."""

    what: str
    before: str
    after: str
    index: float


def stability(before: npt.NDArray[np.int64], after: npt.NDArray[np.int64], n: int) -> float:
    """Population stability index of two lots of codes in 0..n-1: the sum of (q - p) ln(q / p), 0 where they are alike.

    Codes under half a percent of both lots count together: what is rare anyway is no shift.
    """
    p, q = (np.bincount(part, minlength=n) / max(len(part), 1) for part in (before, after))
    rare = (p < _RARE) & (q < _RARE)
    p, q = (np.maximum(np.append(part[~rare], part[rare].sum()), 1e-4) for part in (p, q))
    return float(((q - p) * np.log(q / p)).sum())


def spread(before: npt.NDArray[np.float64], after: npt.NDArray[np.float64]) -> float:
    """Population stability index of numbers, in the tenths of those before."""
    edges = np.unique(np.quantile(before, np.arange(1, _PARTS) / _PARTS))
    lots = [np.searchsorted(edges, part, side="left").astype(np.int64) for part in (before, after)]
    return stability(lots[0], lots[1], len(edges) + 1)


def section(log: Log, brief: Brief, folder: Path) -> Section | None:
    """Before the first test against from then on; None where either side holds next to nothing."""
    cut, said = first_test(brief, log)
    late = log.time >= cut
    if min(int(late.sum()), int((~late).sum())) < _LEAST_ROWS:
        return None
    new_items, new_users = _unseen(log.item, late), _unseen(log.user, late)
    shifts = sorted(_shifts(log, late, folder), key=lambda one: -one.index)
    where = f"the first test ({day(cut)})" if said else f"{day(cut)}, the last fifth of the log,"
    finding = (
        f"From {where} on, {share(new_items)} of the events are on items that nobody had met before, and "
        f"{share(new_users)} are of customers without a past. "
    )
    moved = [one.what for one in shifts if one.index >= MUCH]
    stirred = [one.what for one in shifts if SOME <= one.index < MUCH]
    finding += (
        f"Much has shifted: {listed(moved)}."
        if moved
        else (f"Some has shifted: {listed(stirred)}." if stirred else "What they hold is spread as before.")
    )
    price = _price_change(log, late)
    if price is not None:
        finding += f" {price}"
    watch = []
    if moved:
        watch.append(f"From the test on, {listed(moved)} {'is' if len(moved) == 1 else 'are'} unlike before.")
    if new_items > _NEW:
        watch.append(f"{share(new_items)} of the test's events are on items without a past.")
    return Section(
        id="drift",
        title="Drift between train and test",
        finding=finding,
        meaning="What was never seen can't be ranked by who bought it, and a stranger gets what everybody gets: these "
        "shares are the most that a model of histories must leave to others. A shift in a column that a model reads "
        "makes its past a poorer teacher.",
        watch=" ".join(watch),
        charts=(
            charts.chart(
                charts.columns(_new_by_month(log), share=True),
                "Events on items that no earlier month had",
                label="Share of events on new items by month",
                caption="The first month is left out: in it everything is new.",
            ),
        )
        if len(_new_by_month(log)) > 1
        else (),
        grids=(_grid(shifts),) if shifts else (),
        notes=(
            f"The index is 0 where both sides are spread alike; from {SOME} on look at it, from {MUCH} on it is much.",
        ),
    )


def _unseen(code: npt.NDArray[np.int64], late: Bools) -> float:
    """Share of the late rows whose code no earlier row has; rows without one don't count."""
    there = code >= 0
    known = np.zeros(int(code.max(initial=-1)) + 1, bool)
    known[code[there & ~late]] = True
    rows = code[there & late]
    return float((~known[rows]).mean()) if len(rows) else 0.0


def _new_by_month(log: Log) -> pd.DataFrame:
    """Share of events on items of which no earlier month had one, from the second month on. Columns: month, share."""
    local = log.local
    month = np.asarray((local.year - local.year.min()) * 12 + local.month)
    there = log.item >= 0
    first = pd.Series(month[there]).groupby(log.item[there]).transform("min").to_numpy()
    frame = pd.DataFrame({"month": month[there], "new": first == month[there], "at": local[there]})
    table = frame.groupby("month").agg(share=("new", "mean"), at=("at", "min"))
    names = [f"{at:%b} ’{at.year % 100:02d}" for at in table["at"]]
    return pd.DataFrame({"month": names, "share of events": table["share"].to_numpy()}).iloc[1:]


def _shifts(log: Log, late: Bools, folder: Path) -> list[Shift]:
    found = []
    local = log.local
    weekday = np.asarray(local.day_of_week, np.int64)
    found.append(_coded("the day of the week", weekday, list(DAYS), late))
    hour = np.asarray(local.hour, np.int64)
    if hour.any():
        found.append(_coded("the hour of the day", hour, [f"{h}:00" for h in range(24)], late))
    table = pq.read_table(folder / "events.parquet", columns=_columns(folder))
    for name in table.column_names:
        code, names = codes(table, name)
        if len(names) > 1:
            found.append(_coded(f"the {name}", code, names, late))
    rows = log.is_purchase & np.isfinite(log.unit_price)
    if log.has_money and rows.any():
        found.append(_measured("the price of a unit", log.unit_price, rows, late, log.say))
    orders = log.orders
    if len(orders):
        after = orders["time"].to_numpy() >= log.time[late].min()
        every = np.ones(len(orders), bool)
        items = orders["n_items"].to_numpy(np.float64)
        found.append(_measured("different items in an order", items, every, after, measure))
        if log.has_money:
            worth = orders["amount"].to_numpy(np.float64)
            found.append(_measured("the worth of an order", worth, every, after, log.say))
    return [one for one in found if one is not None]


def _columns(folder: Path) -> list[str]:
    there = pq.read_schema(folder / "events.parquet").names
    return [name for name in ("kind", "channel", "country", "currency") if name in there]


def _coded(what: str, code: npt.NDArray[np.int64], names: list[str], late: Bools) -> Shift | None:
    """A category: its most frequent value on either side."""
    lots = [code[(code >= 0) & side] for side in (~late, late)]
    if min(map(len, lots)) < _LEAST_ROWS:
        return None
    tops = []
    for lot in lots:
        counts = np.bincount(lot, minlength=len(names))
        tops.append(f"{names[int(counts.argmax())]} {share(float(counts.max()), len(lot))}")
    return Shift(what=what, before=tops[0], after=tops[1], index=stability(lots[0], lots[1], len(names)))


def _measured(what: str, values: npt.NDArray[np.float64], rows: Bools, late: Bools, say: Any) -> Shift | None:
    """A number: its median on either side."""
    before, after = values[rows & ~late], values[rows & late]
    if min(len(before), len(after)) < _LEAST_ROWS:
        return None
    return Shift(
        what=what,
        before=f"median {say(float(np.median(before)))}",
        after=f"median {say(float(np.median(after)))}",
        index=spread(before, after),
    )


def _price_change(log: Log, late: Bools) -> str | None:
    """How the price of the items that sold on both sides changed, by their medians."""
    rows = log.is_purchase & np.isfinite(log.unit_price) & (log.unit_price > 0)
    frame = pd.DataFrame({"item": log.item[rows], "late": late[rows], "price": log.unit_price[rows]})
    medians = frame.groupby(["item", "late"])["price"].median().unstack()
    if medians.shape[1] < 2:
        return None
    ratio = (medians[True] / medians[False]).dropna()
    if len(ratio) < _LEAST_ROWS:
        return None
    dearer, cheaper = float((ratio > 1.05).mean()), float((ratio < 0.95).mean())
    return (
        f"Of the {count(len(ratio))} items sold on both sides, {share(dearer)} became dearer by more than 5 % and "
        f"{share(cheaper)} cheaper."
    )


def _grid(shifts: list[Shift]) -> Grid:
    words = {0: "alike", 1: "some", 2: "much"}
    return Grid(
        title="Before the test and from then on",
        columns=(
            Column(name="what"), Column(name="before"), Column(name="from the test on"),
            Column(name="index", align="right"), Column(name="shift"),
        ),
        rows=tuple(
            (s.what, s.before, s.after, f"{s.index:.2f}", words[(s.index >= SOME) + (s.index >= MUCH)])
            for s in shifts
        ),
    )  # fmt: skip
