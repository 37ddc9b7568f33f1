"""Recommendation: hold out the next basket after a cut, or the last item of every user."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.brief import RecommendTarget
from mercer.contracts import Context, Dataset, Holdout, Interactions, Ragged, Requests
from mercer.data.splits.days import DAY, day_of, start_of
from mercer.errors import BriefError, DataError

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendSplit:
    """train ends before validation, validation before test. Histories of the test hold the validation events.

    refit: what was known before the test, train and validation together; made when it is asked for.
    """

    train: Dataset
    validation: Holdout
    test: Holdout
    before_test: Callable[[], Dataset]
    protocol: Mapping[str, Any] = field(default_factory=dict)

    @property
    def refit(self) -> Dataset:
        """Train and validation together."""
        return self.before_test()


def split_recommend(
    interactions: Interactions, items: pd.DataFrame, target: RecommendTarget, decision_day: date
) -> RecommendSplit:
    """Divide the log for a recommend target.

    temporal: with T the first test day and V = T - validation_days, train is what was known before V; a held-out
    unit is a user with a relevant event before the cut, relevant is the user's first basket (else session, else
    event) of the target's kinds in [V, T) or from T on (to T + test_days, or the end of the decision day).
    Relevance must be known, too: by T for validation, by the end of the decision day for the test.
    leave-last-out: test is every user's last relevant event, validation the one before, train the rest.
    Without repeats, items that the history holds an event of `kinds` with are not relevant (an item that was only
    viewed is), and requests mask exactly those; a user left with none drops out.
    Raises BriefError for a kind of split that does not fit, DataError when a part would be empty.
    """
    kind = target.split.kind
    if kind == "temporal":
        split = _temporal(interactions, items, target, decision_day)
    elif kind == "leave-last-out":
        split = _leave_last_out(interactions, items, target)
    else:
        raise BriefError(
            f"split.kind {kind!r} does not fit a recommend target.", remedy="Use temporal or leave-last-out."
        )
    for name, part in (("validation", split.validation), ("test", split.test)):
        if not len(part):
            raise DataError(
                f"The {name} part of a recommend target holds no user.",
                remedy="Move test_from, or lengthen validation_days, so that known users buy in it.",
            )
    return split


def _temporal(
    log: Interactions, items: pd.DataFrame, target: RecommendTarget, decision_day: date
) -> RecommendSplit:
    if not log.has_clock:
        raise BriefError(
            "A temporal split needs times; this log has only an order.", remedy="Use leave-last-out."
        )
    decided = end = start_of(decision_day) + DAY
    test_from = start_of(target.split.test_from) if target.split.test_from else _last_fifth(log)
    if target.split.test_days is not None:
        end = min(end, test_from + target.split.test_days * DAY)
    valid_from = test_from - target.split.validation_days * DAY
    train = Dataset(
        vocabulary=log.items,
        items=items,
        as_of=valid_from - 1,
        interactions=log.as_of(valid_from - 1),
        repeats=target.repeats,
    )
    if train.interactions is None or not train.interactions.n_events:
        raise DataError(
            f"No event was known before {day_of(valid_from)}, so there is nothing to train on.",
            remedy="Move split.test_from to a later day.",
        )

    def before_test() -> Dataset:
        return replace(train, as_of=test_from - 1, interactions=log.as_of(test_from - 1))

    return RecommendSplit(
        train=train,
        before_test=before_test,
        validation=_window(log, target, valid_from, test_from, test_from),
        test=_window(log, target, test_from, end, decided),
        protocol={
            "split": "temporal",
            "validation_from": str(day_of(valid_from)),
            "test_from": str(day_of(test_from)),
            "history": "visible" if target.repeats else "masked",
        },
    )


def _last_fifth(log: Interactions) -> int:
    """Midnight before the last fifth of the log's time."""
    if not log.n_events:
        raise DataError("There is no event to divide.", remedy="Check the source and the quarantine.")
    first, last = int(log.time.min()), int(log.time.max())
    return (first + (last - first) * 4 // 5) // DAY * DAY


def _window(log: Interactions, target: RecommendTarget, start: int, end: int, known_before: int) -> Holdout:
    """The first basket of every known user in [start, end), of what was known before `known_before`."""
    history = log.as_of(start - 1)
    is_relevant = np.isin(log.kind, log.kind_codes(target.kinds))
    known = history.only(target.kinds).lengths > 0
    inside = is_relevant & (log.time >= start) & (log.time < end) & (log.known_at < known_before)
    later = log.where(inside & np.repeat(known, log.lengths))
    return _holdout(history, later, _first_group(later), target, start)


def _first_group(log: Interactions) -> Bools:
    """Events of each user's first basket; where there is none, of its first session; else its first event."""
    first = np.zeros(log.n_events, bool)
    has = log.lengths > 0
    heads = log.indptr[:-1][has]
    lead = np.repeat(heads, log.lengths[has])
    first[heads] = True
    same_basket = (log.basket == log.basket[lead]) & (log.basket[lead] >= 0)
    same_session = (log.session == log.session[lead]) & (log.session[lead] >= 0) & (log.basket[lead] < 0)
    chosen: Bools = first | same_basket | same_session
    return chosen


def _holdout(
    history: Interactions, later: Interactions, chosen: Bools, target: RecommendTarget, at: int | None
) -> Holdout:
    """Users with the distinct items of their chosen events, less known ones where repeats are not wanted."""
    picked = later.where(chosen)
    n_items = len(history.items)
    pairs = np.unique(picked.user_of * n_items + picked.item)
    if not target.repeats:
        had = history.only(target.kinds)
        pairs = pairs[~np.isin(pairs, np.unique(had.user_of * n_items + had.item))]
    user, item = pairs // n_items, (pairs % n_items).astype(np.int32)
    rows = np.unique(user)
    indptr = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(np.bincount(np.searchsorted(rows, user), minlength=len(rows)), out=indptr[1:])
    seen = history.take(rows)
    time = np.full(len(rows), at, np.int64) if at is not None else _after_last(seen)
    requests = Requests(
        users=tuple(seen.users.ids),
        history=seen,
        time=time,
        context=Context.unknown(len(rows)),
        repeats=target.repeats,
        mask_kinds=tuple(target.kinds),
    )
    return Holdout(
        requests=requests,
        relevant=Ragged(indptr, item),
        grades=np.ones(len(item)),
        units=tuple(seen.users.ids),
        clusters=tuple(seen.users.ids),
    )


def _after_last(seen: Interactions) -> npt.NDArray[np.int64]:
    """The instant after the last known event of each user (0 without any)."""
    last = np.zeros(seen.n_users, np.int64)
    np.maximum.at(last, seen.user_of, seen.known_at + 1)
    return last


def _leave_last_out(log: Interactions, items: pd.DataFrame, target: RecommendTarget) -> RecommendSplit:
    """Position from the end of each user's relevant events: 0 is test, 1 is validation, users with fewer than
    three relevant events only train."""
    place = np.full(log.n_events, -1, np.int64)
    relevant = np.flatnonzero(np.isin(log.kind, log.kind_codes(target.kinds)))
    user = log.user_of[relevant]
    counts = np.bincount(user, minlength=log.n_users)
    ends = np.cumsum(counts)
    place[relevant] = ends[user] - 1 - np.arange(len(relevant))
    enough = np.repeat(counts >= 3, log.lengths)
    position = np.arange(log.n_events)
    test_at, valid_at = enough & (place == 0), enough & (place == 1)
    before_valid = _before(log, position, valid_at, position)
    before_test = _before(log, position, test_at, position)
    train_log = log.where(before_valid)
    as_of = int(train_log.known_at.max(initial=0))
    train = Dataset(
        vocabulary=log.items, items=items, as_of=as_of, interactions=train_log, repeats=target.repeats
    )

    last = int(log.known_at[before_test].max(initial=0))

    def refit() -> Dataset:
        return replace(train, as_of=last, interactions=log.where(before_test))

    return RecommendSplit(
        train=train,
        before_test=refit,
        validation=_timed(_holdout(train_log, log.where(valid_at), _all(log, valid_at), target, None), as_of),
        test=_timed(
            _holdout(log.where(before_test), log.where(test_at), _all(log, test_at), target, None), last
        ),
        protocol={"split": "leave-last-out", "history": "visible" if target.repeats else "masked"},
    )


def _before(
    log: Interactions, position: npt.NDArray[np.int64], at: Bools, default: npt.NDArray[np.int64]
) -> Bools:
    """Events before each user's event `at`; all events of a user without one."""
    limit = np.full(log.n_users, np.iinfo(np.int64).max)
    limit[log.user_of[at]] = default[at]
    return position < np.repeat(limit, log.lengths)


def _all(log: Interactions, chosen: Bools) -> Bools:
    return np.ones(log.where(chosen).n_events, bool)


def _timed(held: Holdout, as_of: int) -> Holdout:
    """Requests lie after everything that trained: leave-last-out cuts by position, so users overlap in time."""
    time = np.maximum(held.requests.time, as_of + 1)
    return replace(held, requests=replace(held.requests, time=time))
