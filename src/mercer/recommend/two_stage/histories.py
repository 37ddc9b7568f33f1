"""What the histories of a batch of requests say, in plain arrays: the one place where a person is read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.contracts import Interactions, Requests
from mercer.recommend.signals import SignalOptions, signals
from mercer.recommend.steps import ages

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

RECENT = 10
"""Latest events that are looked at one by one."""

MEMORY = 400
"""Latest events of a person that are read: it bounds the time of an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Histories:
    """n histories, oldest event first; N events that count and M others (views, carts).

    row, item, age (steps before the last step), weight, time, amount a piece (0 unknown): of each event that
    counts, shape (N,). now: the time of each request, shape (n,). recent: items of the last RECENT events,
    newest first, -1 where there are fewer, shape (n, RECENT).
    other_row, other_item, other_back: of each event that does not count, and how many of those came after it.
    """

    n: int
    now: Ints
    row: Ints
    item: Ints
    age: Ints
    weight: Floats
    time: Ints
    recent: Ints
    recent_age: Ints
    other_row: Ints
    other_item: Ints
    other_back: Ints
    has_clock: bool

    @classmethod
    def of(cls, requests: Requests, options: SignalOptions) -> Histories:
        """Read the histories of requests (blank ones where a person is not profiled)."""
        log, weight = signals(requests.history, options)
        back = _back(log)
        if back.max(initial=0) >= MEMORY:
            late = back < MEMORY
            log, weight, back = log.where(late), weight[late], back[late]
        age, row = ages(log), log.user_of
        recent = np.full((len(requests), RECENT), -1, np.int64)
        recent_age = np.zeros((len(requests), RECENT), np.int64)
        near = back < RECENT
        recent[row[near], back[near]] = log.item[near]
        recent_age[row[near], back[near]] = age[near]
        other = _others(requests.history, options)
        return cls(
            n=len(requests),
            now=np.asarray(requests.time, np.int64),
            row=row,
            item=log.item.astype(np.int64),
            age=age,
            weight=weight,
            time=np.asarray(log.time, np.int64),
            recent=recent,
            recent_age=recent_age,
            other_row=other.user_of,
            other_item=other.item.astype(np.int64),
            other_back=_back(other),
            has_clock=log.has_clock,
        )


def _others(log: Interactions, options: SignalOptions) -> Interactions:
    """Events of the kinds that do not count and undo nothing: what was looked at or put in a cart."""
    kinds = [k for k in log.kinds if k not in options.kinds and k != "return"]
    if not kinds or not log.n_events:
        return log.where(np.zeros(log.n_events, bool))
    other = log.only(kinds)
    return other.where(_back(other) < MEMORY)


def _back(log: Interactions) -> Ints:
    """How many events of the same history came after each event, shape (N,)."""
    return np.asarray(np.repeat(log.indptr[1:], log.lengths) - 1 - np.arange(log.n_events), np.int64)
