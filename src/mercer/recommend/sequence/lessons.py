"""What a log teaches: after these events, this item was next.

A question stands after an event and has one item as its answer. Two ways to ask:
    event   the next event answers, whatever its basket
    step    every event of the next step (basket or instant) answers, asked after the last event before it: what was
            bought at once has no order, and never explains itself
Without a clock every position is a step, and both are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from mercer.contracts import Interactions
from mercer.recommend.sequence.events import Ints, Spans
from mercer.recommend.steps import steps

Floats32 = npt.NDArray[np.float32]
Asked = Literal["event", "step"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """Spans of the log with the questions that fall into each.

    spans: n sequences of at most `window` events; together they hold every event after which is asked, once.
    indptr: int64, shape (n + 1,): the questions of span i are indptr[i] to indptr[i + 1] - 1.
    place: int64, shape (q,): after which event of its span is asked, from 0.
    event, answer: int64, shape (q,): the event that answers, and its item. weight: float32, shape (q,), above 0.
    """

    spans: Spans
    indptr: Ints
    place: Ints
    event: Ints
    answer: Ints
    weight: Floats32

    def __len__(self) -> int:
        return len(self.spans)

    def questions(self, rows: Ints) -> tuple[Ints, Ints]:
        """Numbers of the questions of some rows, in the rows' order, and for each the place of its row in `rows`."""
        first, count = self.indptr[rows], self.indptr[rows + 1] - self.indptr[rows]
        stop = np.cumsum(count)
        number = np.arange(stop[-1]) + np.repeat(first - (stop - count), count)
        return number, np.repeat(np.arange(len(rows)), count)

    @classmethod
    def of(
        cls,
        log: Interactions,
        weights: npt.NDArray[np.float64],
        *,
        window: int,
        asked: Asked,
        answers: tuple[str, ...],
        repeats: bool,
    ) -> Self:
        """All questions of a log.

        weights: of the log's events, shape (N,). answers: kinds of events that can answer. repeats: whether an item
        that the person had before, by an event of those kinds, can.
        """
        right = np.isin(log.kind, log.kind_codes(answers))
        if not repeats:
            right &= first_times(log, right)
        before = _before(log, asked)
        event = np.flatnonzero(right & (before >= 0))
        at = before[event]
        # Spans are counted back from the user's last question, so that only the oldest one can be short.
        user = log.user_of[event]
        last = np.full(log.n_users, -1, np.int64)
        np.maximum.at(last, user, at)
        back = (last[user] - at) // window
        order = np.lexsort((at, -back, user))
        event, at, user, back = event[order], at[order], user[order], back[order]
        new = np.ones(len(event), bool)
        new[1:] = (user[1:] != user[:-1]) | (back[1:] != back[:-1])
        starts = np.flatnonzero(new)
        stop = last[user[starts]] - back[starts] * window
        first = np.maximum(log.indptr[user[starts]], stop - window + 1)
        span = np.cumsum(new) - 1
        return cls(
            spans=Spans(first=first, length=stop - first + 1),
            indptr=np.append(starts, len(event)).astype(np.int64),
            place=at - first[span],
            event=event,
            answer=log.item[event].astype(np.int64),
            weight=weights[event].astype(np.float32),
        )


def _before(log: Interactions, asked: Asked) -> Ints:
    """The event after which each event is asked for, shape (N,); -1 where there is none."""
    place = np.arange(log.n_events)
    first = np.repeat(log.indptr[:-1], log.lengths)
    if asked == "event":
        before = place - 1
    else:
        step = steps(log)
        new = np.ones(log.n_events, bool)
        new[1:] = step[1:] != step[:-1]
        new[log.indptr[:-1][log.lengths > 0]] = True
        before = np.maximum.accumulate(np.where(new, place, 0)) - 1
    return np.where(before >= first, before, -1)


def first_times(log: Interactions, among: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Whether an event is its user's first with its item among the events given, shape (N,)."""
    rows = np.flatnonzero(among)
    pair = log.user_of[rows] * len(log.items) + log.item[rows]
    first = np.zeros(log.n_events, bool)
    first[rows[np.unique(pair, return_index=True)[1]]] = True
    return first
