"""Growth: events, buyers and revenue, month by month."""

from __future__ import annotations

import calendar

import numpy as np
import pandas as pd

from mercer.brief import BehaviorTarget, Brief, RecommendTarget
from mercer.data.profile import charts
from mercer.data.profile.log import Log
from mercer.data.profile.section import Section
from mercer.data.profile.words import count, day, plural, share

_MUCH = 0.25
"""Change between quarters that a reader should know of."""


def monthly(log: Log) -> pd.DataFrame:
    """One row a month of the log's span: month, events, buyers, revenue (major units), partial (not whole)."""
    local = log.local
    first, last = local.min(), local.max()
    at = np.asarray((local.year - first.year) * 12 + (local.month - first.month))
    n = int(at.max()) + 1
    bought = log.is_purchase & (log.user >= 0)
    pairs = np.unique(at[bought].astype(np.int64) << 32 | log.user[bought])
    starts = pd.period_range(first.to_period("M"), periods=n, freq="M")
    partial = np.zeros(n, bool)
    # A shop may not sell on the first of a month: a few days' grace at either end.
    partial[0] = first.day > 3
    partial[-1] |= last.day < calendar.monthrange(last.year, last.month)[1] - 2
    return pd.DataFrame(
        {
            "month": [f"{p.to_timestamp():%b} ’{p.year % 100:02d}" for p in starts],
            "name": [f"{p.to_timestamp():%B %Y}" for p in starts],
            "events": np.bincount(at, minlength=n),
            "buyers": np.bincount(pairs >> 32, minlength=n),
            "revenue": log.major(np.bincount(at[log.is_net], weights=log.amount[log.is_net], minlength=n)),
            "partial": partial,
        }
    )


def section(log: Log, brief: Brief) -> Section:
    """Events, buyers and net revenue by month, and what of it the test would hold."""
    table = monthly(log)
    measure = "revenue" if log.has_money else "events"
    what = "Net revenue" if log.has_money else "The number of events"
    whole = table[~table["partial"]]
    finding = (
        f"{plural(log.n, 'event')} lie between {day(int(log.time.min()))} and {day(int(log.time.max()))}. "
    )
    if len(whole):
        best = whole.iloc[int(whole[measure].to_numpy().argmax())]
        finding += f"{what} peaks in {best['name']} at {_said(log, measure, best[measure])}"
        finding += _trend(whole, measure) + "."
    measures = [("events", "events"), ("buyers", "buyers")]
    if log.has_money:
        measures.append(("revenue", f"revenue, {log.unit}"))
    drawn = charts.chart(
        charts.months(table, measures),
        "Events, buyers and revenue by month" if log.has_money else "Events and buyers by month",
        label=finding,
        caption="Revenue is purchases less returns. " * log.has_money
        + "Pale bars are months that the log does not hold whole." * bool(table["partial"].any()),
    )
    note = f"{plural(log.n_foreign, 'event')} in other currencies than {log.currency} count as events, not as revenue."
    return Section(
        id="growth",
        title="Growth",
        finding=finding.strip(),
        meaning=_meaning(log, brief),
        watch=_watch(whole, measure),
        charts=(drawn,),
        notes=(note,) if log.n_foreign else (),
    )


def _watch(whole: pd.DataFrame, measure: str) -> str:
    """A word of care where the months at the end are unlike those before."""
    change = _change(whole, measure)
    if change is None or abs(change) < _MUCH:
        return ""
    return (
        f"The last three whole months lie {share(abs(change))} {_side(change)} the three before: the months that "
        "test are unlike those that train."
    )


def _said(log: Log, measure: str, value: float) -> str:
    return log.say(value * log.per_major) if measure == "revenue" else count(value)


def _change(whole: pd.DataFrame, measure: str) -> float | None:
    """The last three whole months against the three before them, 0.1 is 10 % more; None where there are too few."""
    if len(whole) < 6:
        return None
    late, early = float(whole[measure].iloc[-3:].sum()), float(whole[measure].iloc[-6:-3].sum())
    return late / early - 1 if early > 0 else None


def _side(change: float) -> str:
    return "above" if change > 0 else "below"


def _trend(whole: pd.DataFrame, measure: str) -> str:
    change = _change(whole, measure)
    if change is None:
        return ""
    if abs(change) < 0.02:
        return "; its last three whole months are much like the three before"
    return f"; its last three whole months lie {share(abs(change))} {_side(change)} the three before"


def _meaning(log: Log, brief: Brief) -> str:
    """How much of the log the decision's test holds."""
    target = brief.targets[brief.decision.target]
    cuts = []
    if isinstance(target, RecommendTarget) and target.split.test_from:
        cuts = [target.split.test_from]
    elif isinstance(target, BehaviorTarget):
        cuts = sorted(target.origins)
    if not cuts:
        return (
            "A model learns from the months before its cut and is tested on those after: a trend or a season that "
            "lies only in the test is one it has never seen."
        )
    cut = int(pd.Timestamp(cuts[0], tz="UTC").value // 1000)
    after = int((log.time >= cut).sum())
    return (
        f"The test of {brief.decision.target} begins on {day(cut)}: {share(log.n - after, log.n)} of the events come "
        f"before it and can train, {share(after, log.n)} come after. What happens only after that day, no model has "
        "seen."
    )
