"""Histories of a log that has an order and no clock: how long they are, and whether their order means anything."""

from __future__ import annotations

import numpy as np

from mercer.data.profile import charts
from mercer.data.profile.baskets import sizes
from mercer.data.profile.log import Log
from mercer.data.profile.section import Section
from mercer.data.profile.words import plural, share

_SORTED = 0.6
"""Share of neighbours in ascending order of their ids from which a history looks sorted and not lived."""


def ascending(log: Log) -> float:
    """Share of neighbours in a customer's history whose item ids ascend; a half where the order is that of taste."""
    place = np.argsort(np.argsort(np.array(log.items, object)))
    rows = np.lexsort((log.time, log.user))
    rows = rows[(log.user[rows] >= 0) & (log.item[rows] >= 0)]
    user, item = log.user[rows], place[log.item[rows]]
    beside = (np.diff(user) == 0) & (np.diff(item) != 0)
    return float((np.diff(item)[beside] > 0).mean()) if beside.any() else 0.5


def section(log: Log) -> Section:
    """Items a customer, and how much of their order looks sorted."""
    counts = np.bincount(log.user[log.user >= 0])
    counts = counts[counts > 0].astype(np.int64)
    up = ascending(log)
    finding = (
        f"The log knows what came after what, and not when. A customer in the middle has "
        f"{plural(int(np.median(counts)), 'event')}; the shortest history holds {plural(int(counts.min()), 'event')}, "
        f"the longest {plural(int(counts.max()), 'event')}. {share(up)} of neighbours in a history ascend by item id."
    )
    frame = sizes(counts).set_axis(["events of a customer", "share of customers"], axis=1)
    return Section(
        id="histories",
        title="Histories",
        finding=finding,
        meaning="Seasons, growth, gaps and drift can't be told without a clock, and no test can begin on a day: the "
        "last events of each customer are held out instead, so a model may know what another customer did later."
        + (
            f" A shortest history of {int(counts.min())} says that rarer customers were left out."
            if counts.min() > 1
            else ""
        ),
        watch=f"{share(up)} of neighbours ascend by item id: much of the order is how the file was sorted, and a model "
        "that predicts the next id upwards would look better than it is."
        if up > _SORTED
        else "",
        charts=(charts.chart(charts.columns(frame, share=True), "Events of a customer", label=finding),),
    )
