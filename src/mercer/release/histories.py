"""Histories from columns of events: how the API and Python make the `Interactions` that models read.

The same events give the same arrays as the data step's log: rows ordered by time and then by event id (by
arrival where an event has none), baskets and sessions as group numbers, a return bound to what it undoes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from mercer.contracts import NEVER, Interactions, Vocabulary
from mercer.errors import DataError

Columns = Mapping[str, Sequence[Any]]

KINDS = ("view", "cart", "purchase", "return")
"""Event kinds that always have a code; others follow in alphabetical order."""


def histories(
    columns: Columns,
    *,
    row: Sequence[int],
    users: Sequence[str],
    items: Vocabulary,
    unknown: Literal["drop", "extend"] = "drop",
) -> Interactions:
    """Interactions of `users`; event i belongs to user number row[i].

    columns: sequences of equal length. item and time (int, microseconds) are needed; optional are known_at
    (default: time), kind ("purchase"), quantity (1), amount_minor (0), basket, session, event and origin
    (ids, None where unknown), origin_time (microseconds; else found by origin among the events given).
    items: the catalogue. unknown: what becomes of events with an item outside it: left out, or kept under a
    vocabulary that grows at its end (for predictions, where the money counts and the item's code does not).
    Raises DataError when columns differ in length.
    """
    n = len(row)
    for name, column in columns.items():
        if len(column) != n:
            raise DataError(
                f"Column {name!r} has {len(column)} values for {n} events.",
                remedy="Give every column one value an event.",
            )
    if unknown == "extend":
        new = sorted({item for item in columns["item"] if items.code(item) < 0}) if n else []
        items = Vocabulary([*items.ids, *new]) if new else items
    codes = items.encode(columns["item"]) if n else np.zeros(0, np.int32)
    time = np.asarray(columns["time"] if n else (), np.int64)
    row_of = np.asarray(row, np.int64)
    order = np.lexsort((_ties(columns.get("event"), n), time, row_of))
    order = order[codes[order] >= 0]
    kinds, kind = _kinds(columns.get("kind"), n)
    arrays: dict[str, Any] = {
        "item": codes,
        "time": time,
        "known_at": np.asarray(columns.get("known_at", time), np.int64),
        "kind": kind,
        "quantity": _numbers(columns.get("quantity"), n, 1.0, np.float32),
        "amount_minor": _numbers(columns.get("amount_minor"), n, 0, np.int64),
        "basket": _groups(columns.get("basket"), row_of),
        "session": _groups(columns.get("session"), row_of),
        "origin_time": _origins(columns, time, kind == kinds.index("return")),
    }
    indptr = np.zeros(len(users) + 1, np.int64)
    np.cumsum(np.bincount(row_of[order], minlength=len(users)), out=indptr[1:])
    return Interactions(
        users=Vocabulary(users),
        items=items,
        kinds=kinds,
        indptr=indptr,
        **{name: array[order] for name, array in arrays.items()},
    )


def _ties(events: Sequence[str | None] | None, n: int) -> npt.NDArray[np.int64]:
    """What orders events of one time: their ids, so that the order of arrival does not matter."""
    if events is None or any(event is None for event in events):
        return np.arange(n, dtype=np.int64)
    rank = {event: place for place, event in enumerate(sorted(set(events), key=str))}
    return np.fromiter((rank[event] for event in events), np.int64, n)


def _kinds(names: Sequence[str] | None, n: int) -> tuple[tuple[str, ...], npt.NDArray[np.int8]]:
    if names is None:
        return KINDS, np.full(n, KINDS.index("purchase"), np.int8)
    kinds = (*KINDS, *sorted(set(names) - set(KINDS)))
    code_of = {name: code for code, name in enumerate(kinds)}
    return kinds, np.fromiter((code_of[name] for name in names), np.int8, n)


def _numbers(
    values: Sequence[float | None] | None, n: int, default: float, dtype: type[np.generic]
) -> npt.NDArray[Any]:
    if values is None:
        return np.full(n, default, dtype)
    return np.array([default if value is None or value != value else value for value in values], dtype)


def _groups(ids: Sequence[str | None] | None, row_of: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Group numbers of (user, id) in order of appearance; -1 where there is no id."""
    if ids is None:
        return np.full(len(row_of), -1, np.int64)
    numbers: dict[tuple[int, str], int] = {}
    return np.fromiter(
        (
            -1 if group is None else numbers.setdefault((user, group), len(numbers))
            for user, group in zip(row_of.tolist(), ids, strict=True)
        ),
        np.int64,
        len(row_of),
    )


def _origins(
    columns: Columns, time: npt.NDArray[np.int64], returned: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """For a return the time of the purchase it undoes (NEVER if not found), else the event's own time."""
    given = columns.get("origin_time")
    if given is not None:
        found = np.array([NEVER if value is None else value for value in given], np.int64)
        return np.where(returned, found, time)
    if not returned.any():
        return time
    events, origins = columns.get("event"), columns.get("origin")
    if events is None or origins is None:
        return np.where(returned, NEVER, time)
    time_of = dict(zip(events, time.tolist(), strict=True))
    found = np.array([time_of.get(origin, NEVER) for origin in origins], np.int64)
    return np.where(returned, found, time)
