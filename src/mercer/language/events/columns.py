"""Events as the columns that fields read: those of a log, and those that are asked for and have not happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import Interactions, Times

Ints = npt.NDArray[np.int64]

FIRST = -1
"""Time since the event before where there is none, or no clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """n events; every array has shape (n,).

    kind: place in `kinds`. time: int64 microseconds. since: microseconds since the user's event before, FIRST where
    there is none. item: code. amount: minor units, 0 where unknown. extras: named columns of the log.
    Of an event that is asked for, only kind, time and since are known; the others are empty.
    """

    kinds: tuple[str, ...]
    kind: Ints
    time: Times
    since: Times
    item: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    amount: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    extras: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.kind)

    @classmethod
    def of(cls, log: Interactions) -> Self:
        """All events of a log."""
        since = np.diff(log.time, prepend=log.time[:1]).astype(np.int64)
        since[log.indptr[:-1][log.lengths > 0]] = FIRST
        return cls(
            kinds=log.kinds,
            kind=log.kind.astype(np.int64),
            time=np.asarray(log.time),
            since=since if log.has_clock else np.full(log.n_events, FIRST),
            item=log.item.astype(np.int64),
            amount=np.asarray(log.amount_minor),
            extras=log.extras,
        )

    @classmethod
    def asked(cls, history: Interactions, time: Times, kind: str) -> Self:
        """The event that is asked for after each row of `history`, at `time`, shape (rows,)."""
        n, since = history.n_users, np.full(history.n_users, FIRST, np.int64)
        some = history.lengths > 0
        if history.has_clock and some.any():
            # Clocks differ: an event may have been logged a moment after the request.
            since[some] = np.maximum(0, time[some] - history.time[history.indptr[1:][some] - 1])
        return cls(kinds=(kind,), kind=np.zeros(n, np.int64), time=np.asarray(time), since=since)
