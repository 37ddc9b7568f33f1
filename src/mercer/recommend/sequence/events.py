"""Histories as a network reads them: flat events, oldest first, and spans over them.

The same reading serves training (spans of the log) and answers (the end of each request's history), so that nothing
can differ between the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import Interactions

Ints = npt.NDArray[np.int64]

_MINUTE_US = 60_000_000
GAPS = 24
"""Sizes of a span of time that are told apart: up to 1, 2, 4 ... minutes; 2 ** 22 minutes are eight years."""

EDGES = 2 ** np.arange(GAPS - 1, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """N events of a log that were heard; every array has shape (N,).

    item: item code. kind: code of the kind among those heard. minute: time in minutes, 0 without a clock.
    gap: size (0 to GAPS - 1) of the time since the user's event before; 0 for the first one and without a clock.
    """

    item: Ints
    kind: Ints
    minute: Ints
    gap: Ints

    @classmethod
    def of(cls, log: Interactions, kinds: tuple[str, ...]) -> Self:
        """Read a log that holds events of `kinds` alone."""
        place = {name: code for code, name in enumerate(kinds)}
        kind = np.array([place.get(name, 0) for name in log.kinds] or [0], np.int64)[log.kind]
        minute = log.time // _MINUTE_US if log.has_clock else np.zeros(log.n_events, np.int64)
        since = np.diff(minute, prepend=minute[:1])
        since[log.indptr[:-1][log.lengths > 0]] = 0
        return cls(item=log.item.astype(np.int64), kind=kind, minute=minute, gap=sizes(since))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """n sequences: events first[i] to first[i] + length[i] - 1. int64, shape (n,)."""

    first: Ints
    length: Ints

    def __len__(self) -> int:
        return len(self.first)

    @classmethod
    def ends(cls, log: Interactions, window: int) -> Self:
        """The last `window` events of each row of a log, or fewer."""
        length = np.minimum(log.lengths, window)
        return cls(first=log.indptr[1:] - length, length=length)


def sizes(minutes: Ints) -> Ints:
    """Size of spans of time: 0 below one minute, then one more with every doubling."""
    return np.searchsorted(EDGES, minutes, side="right")
