"""From the canonical event log to the compressed rows that models read, and the catalogue beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.brief import Brief
from mercer.contracts import ITEM_COLUMNS, NEVER, Interactions, Times, Vocabulary
from mercer.data.tables import Tables
from mercer.errors import DataError

KINDS = ("view", "cart", "purchase", "return")
"""The kinds every log may hold, first and in this order; further kinds follow by name."""

CARRIED = ("country", "channel")
"""Text columns of the event log that histories carry along."""


def micros(times: pd.Series[Any]) -> Times:
    """Times of a canonical table as int64 microseconds since 1970 in UTC; a missing one is the least integer."""
    return times.to_numpy("datetime64[us]").astype(np.int64)


def build_interactions(
    tables: Tables, brief: Brief, *, mask: npt.NDArray[np.bool_] | None = None
) -> Interactions:
    """The event log, or its rows where `mask` (shape (n_events,)) is true, a row a user.

    Users are all users of the whole log and items the whole catalogue, so that codes do not depend on the mask.
    A source that maps `order` and no `time` makes a log without a clock.
    Raises DataError when the brief has no event log.
    """
    events = tables.events()
    if events is None:
        raise DataError("There is no event log.", remedy="Name data.events in the brief.")
    users = Vocabulary(sorted(set(events["user"])))
    items = catalogue(tables)
    origin = _origin_times(events)
    if mask is not None:
        events, origin = events.loc[mask], origin[mask]
    kinds = (*KINDS, *sorted(set(events["kind"]) - set(KINDS)))
    user = pd.Index(users.ids).get_indexer(pd.Index(events["user"]))
    time = micros(events["time"])
    known = micros(events["known_at"])
    # The event id breaks ties of time, so that the order of the source file does not matter.
    order = np.lexsort((pd.factorize(events["event"], sort=True)[0], time, user))
    indptr = np.zeros(len(users) + 1, np.int64)
    np.cumsum(np.bincount(user, minlength=len(users)), out=indptr[1:])
    extras = {
        name: events[name].fillna("").to_numpy(str)[order]
        for name in CARRIED
        if name in events.columns and events[name].notna().any()
    }
    return Interactions(
        users=users,
        items=items,
        kinds=kinds,
        indptr=indptr,
        item=pd.Index(items.ids).get_indexer(pd.Index(events["item"]))[order].astype(np.int32),
        time=time[order],
        known_at=np.maximum(known, time)[order],
        kind=pd.Index(kinds).get_indexer(pd.Index(events["kind"]))[order].astype(np.int8),
        quantity=events["quantity"].fillna(1).to_numpy(np.float32)[order],
        amount_minor=events["amount_minor"].fillna(0).to_numpy(np.int64)[order],
        basket=_groups(events["basket"])[order],
        session=_groups(events["session"])[order],
        origin_time=origin[order],
        extras=extras,
        has_clock=brief.data.events is None or brief.data.events.has_clock,
    )


def _groups(column: pd.Series[Any]) -> npt.NDArray[np.int64]:
    """Group numbers in the order of the group ids; -1 where there is none."""
    return pd.factorize(column, sort=True)[0].astype(np.int64)


def _origin_times(events: pd.DataFrame) -> Times:
    """When what an event belongs to was bought: its own time, but for a return that of the purchase it undoes."""
    time = micros(events["time"])
    is_return = (events["kind"] == "return").to_numpy()
    if not is_return.any():
        return time
    place = pd.Index(events["event"]).get_indexer(pd.Index(events.loc[is_return, "origin"]))
    found = np.where(place >= 0, time[np.maximum(place, 0)], NEVER)
    origin = time.copy()
    origin[is_return] = found
    return origin


def catalogue(tables: Tables) -> Vocabulary:
    """Every item of the items table and of the event log, sorted by id."""
    ids: set[str] = set()
    for frame in (tables.items(), tables.events()):
        if frame is not None:
            ids |= set(frame["item"])
    if not ids:
        raise DataError("There is no item.", remedy="Name data.items or data.events in the brief.")
    return Vocabulary(sorted(ids))


_BLANK: dict[str, Any] = {"price_minor": -1, "min_age": 0}


def item_frame(tables: Tables, vocabulary: Vocabulary) -> pd.DataFrame:
    """ITEM_COLUMNS, `attributes` and extras as text, with a row an item code: "" and -1 where unknown."""
    items = tables.items()
    known = pd.DataFrame({"item": pd.Series([], dtype=str)}) if items is None else items
    frame = known.set_index("item").reindex(list(vocabulary.ids)).rename_axis("item").reset_index()
    for column in (*ITEM_COLUMNS[1:], "attributes"):
        if column.startswith("available"):
            values = frame[column] if column in frame else pd.Series(pd.NaT, index=frame.index)
            frame[column] = pd.to_datetime(values).astype("datetime64[us]")
        elif column in _BLANK:
            values = frame[column] if column in frame else pd.Series(_BLANK[column], index=frame.index)
            frame[column] = values.fillna(_BLANK[column]).astype(np.int64)
        else:
            values = frame[column] if column in frame else pd.Series("", index=frame.index)
            frame[column] = values.fillna("").astype(str)
    extras = [str(c) for c in frame.columns if c not in (*ITEM_COLUMNS, "attributes")]
    for column in extras:
        frame[column] = frame[column].astype("string").fillna("").astype(str)
    return frame[[*ITEM_COLUMNS, "attributes", *extras]]
