"""Seasonality: the week of the shop, weekday by hour."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mercer.brief import BehaviorTarget, Brief
from mercer.data.profile import charts
from mercer.data.profile.log import Log
from mercer.data.profile.section import Section
from mercer.data.profile.words import listed, share

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def week(log: Log) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Events by weekday (Monday first) and hour of the shop's clock, shape (7, 24)."""
    slot = np.asarray(log.local.day_of_week) * 24 + np.asarray(log.local.hour)
    return np.bincount(slot, minlength=168).reshape(7, 24)


def section(log: Log, brief: Brief) -> Section:
    """The heat map, its busiest hours, and days and hours without anything."""
    counts = week(log)
    by_day, total = counts.sum(1), int(counts.sum())
    if counts[:, 0].sum() == total:
        return _dates_only(by_day, total)
    peak_day, peak_hour = np.unravel_index(int(counts.argmax()), counts.shape)
    start = _busiest(counts.sum(0))
    finding = (
        f"{DAYS[int(by_day.argmax())]} is the busiest day with {share(by_day.max(), total)} of the events; the four "
        f"hours from {start}:00 hold {share(counts[:, start : start + 4].sum(), total)}, and the peak is "
        f"{DAYS[peak_day]} between {peak_hour}:00 and {peak_hour + 1}:00."
    )
    quiet = [DAYS[at] for at in np.flatnonzero(by_day == 0)]
    if quiet:
        finding += f" Nothing happens on {listed([f'{name}s' for name in quiet])}."
    frame = pd.DataFrame(
        {"day": np.repeat(DAYS, 24), "hour": np.tile(np.arange(24), 7), "events": counts.ravel()}
    )
    return Section(
        id="seasonality",
        title="Seasonality",
        finding=finding,
        meaning=_meaning(by_day, brief),
        charts=(
            charts.chart(
                charts.heat(frame, DAYS), "The week, by weekday and hour", label=finding,
                caption=f"Hours are those of the clock in {log.zone}.",
            ),
        ),
    )  # fmt: skip


def _busiest(by_hour: np.ndarray[tuple[int], np.dtype[np.int64]]) -> int:
    """First of the four hours in a row with the most events."""
    return int(np.convolve(by_hour, np.ones(4, np.int64), "valid").argmax())


def _dates_only(by_day: np.ndarray[tuple[int], np.dtype[np.int64]], total: int) -> Section:
    frame = pd.DataFrame({"weekday": [name[:3] for name in DAYS], "events": by_day})
    finding = (
        f"The log holds days without hours. {DAYS[int(by_day.argmax())]} is the busiest with "
        f"{share(by_day.max(), total)} of the events."
    )
    return Section(
        id="seasonality",
        title="Seasonality",
        finding=finding,
        meaning="Events of one day have no order: nothing may be learned from which came first.",
        charts=(charts.chart(charts.columns(frame), "Events by weekday", label=finding),),
    )


def _meaning(by_day: np.ndarray[tuple[int], np.dtype[np.int64]], brief: Brief) -> str:
    horizons = sorted({t.horizon_days for t in brief.targets.values() if isinstance(t, BehaviorTarget)})
    uneven = by_day.max() > 1.5 * max(int(by_day.min()), 1)
    if not horizons:
        return (
            "Windows that are compared should hold whole weeks, or the weekday makes part of the difference."
            if uneven
            else "The weekdays are much alike: a window need not hold whole weeks."
        )
    odd = [n for n in horizons if n % 7]
    said = listed([f"{n} days" for n in horizons])
    if not uneven:
        return f"The weekdays are much alike, so the {said} of the horizon may begin on any of them."
    if odd and min(odd) < 28:
        return f"The horizon of {said} holds no whole weeks: the weekdays it happens to hold sway the labels."
    return (
        f"The horizon of {said} spans some {horizons[0] / 7:.0f} weeks, so the rhythm of the week averages out in the "
        "labels; shorter windows should hold whole weeks."
    )
