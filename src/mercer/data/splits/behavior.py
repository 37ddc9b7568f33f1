"""Behaviour: cut-offs with a horizon. A label counts from the day it was known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from mercer.brief import BehaviorTarget
from mercer.contracts import Interactions, Labelled, Snapshots, Vocabulary
from mercer.data.splits.days import DAY, day_of, start_of
from mercer.errors import BriefError, DataError

LEAST_STEP_DAYS = 28
"""Training cut-offs lie at least this far apart: closer ones repeat the same people in the same state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BehaviorSplit:
    """Labels of `train` were known at the validation cut-off, those of `refit` (train and validation) at the
    first test cut-off."""

    train: Labelled
    validation: Labelled
    refit: Labelled
    test: Labelled
    protocol: Mapping[str, Any] = field(default_factory=dict)


def split_behavior(log: Interactions, target: BehaviorTarget, decision_day: date) -> BehaviorSplit:
    """Divide the log for a behavior target.

    An origin o is the first instant after what may be known (as_of = o - 1 µs). Population: users with an event of
    the target's kind known by then. Label window (as_of, as_of + horizon]; the label is known label_delay_days later.
    probability: 1 if an event of the kind falls into it. amount: the sum of amounts whose purchase falls into it,
    less what returns undid (`net`), not below 0, in minor units. A label counts what was known by the time it is
    used: in train before the validation cut-off, in validation and refit before the first test cut-off, in the
    test by the end of the decision day. So a return that came after a cut does not reach a label before it.
    Raises BriefError for labels that do not come from events, DataError when the log is too short.
    """
    if target.label != "events" or target.entity != "user":
        raise BriefError(
            f"label: {target.label}, entity: {target.entity} is not supported yet.",
            remedy="Use label: events with entity: user.",
        )
    if not log.n_events or not len(log.kind_codes([target.event])):
        raise DataError(
            f"The log holds no event of kind {target.event!r}.", remedy="Name another event kind."
        )
    horizon, delay = target.horizon_days * DAY, target.label_delay_days * DAY
    end = start_of(decision_day) + DAY
    tests = [start_of(day) for day in target.origins] or [end - horizon - delay]
    closed = min(tests)
    if max(tests) + horizon + delay > end:
        raise DataError(
            f"The labels of the origin {day_of(max(tests))} are known only after the decision day {decision_day}.",
            remedy=f"Give origins up to {day_of(end - horizon - delay)}, or a shorter horizon_days.",
        )
    first = int(log.time[np.isin(log.kind, log.kind_codes([target.event]))].min())
    step = max(LEAST_STEP_DAYS * DAY, horizon // 3)
    validation = closed - horizon - delay
    trains = _origins(validation - horizon - delay, first, step)
    if not trains:
        raise DataError(
            f"The log starts on {day_of(first)}: too late for training, validation and test windows of "
            f"{target.horizon_days} days before {day_of(closed)}.",
            remedy="Use a shorter horizon_days, later origins, or a longer log.",
        )
    train = _labelled(log, target, trains, validation)
    held = _labelled(log, target, [validation], closed)
    return BehaviorSplit(
        train=train,
        validation=held,
        refit=_labelled(log, target, [*trains, *_between(validation, closed, horizon + delay, step)], closed),
        test=_labelled(log, target, tests, end),
        protocol={
            "split": "temporal",
            "origins": {
                "train": [str(day_of(o)) for o in trains],
                "validation": [str(day_of(validation))],
                "test": [str(day_of(o)) for o in tests],
            },
            "horizon_days": target.horizon_days,
        },
    )


def _origins(last: int, first: int, step: int) -> list[int]:
    """Cut-offs stepping back from `last` while at least one step of log lies before them, oldest first."""
    origins = []
    at = last
    while at - first >= step:
        origins.append(at)
        at -= step
    return origins[::-1]


def _between(validation: int, closed: int, lag: int, step: int) -> list[int]:
    """Cut-offs from the first whose labels the validation cut-off did not know to the last that `closed` knows."""
    origins = []
    at = closed - lag
    while at > validation - lag:
        origins.append(at)
        at -= step
    return origins[::-1]


def _labelled(
    log: Interactions, target: BehaviorTarget, origins: Sequence[int], known_before: int
) -> Labelled:
    """Everyone in the population at each origin, labelled by what was known before `known_before`."""
    horizon, delay = target.horizon_days * DAY, target.label_delay_days * DAY
    rows, cuts, outcomes = [], [], []
    for origin in origins:
        as_of = origin - 1
        population = np.flatnonzero(log.as_of(as_of).only([target.event]).lengths > 0)
        rows.append(population)
        cuts.append(np.full(len(population), as_of, np.int64))
        outcomes.append(_outcome(log, target, as_of, as_of + horizon, known_before)[population])
    row, cut = np.concatenate(rows), np.concatenate(cuts)
    snapshots = snapshots_of(log, row, cut)
    return Labelled(
        snapshots=snapshots,
        outcome=np.concatenate(outcomes),
        label_known_at=cut + horizon + delay,
    )


def snapshots_of(log: Interactions, row: npt.NDArray[np.int64], as_of: npt.NDArray[np.int64]) -> Snapshots:
    """Users (row numbers of the log) as of given times; each history holds what was known by then."""
    entities = tuple(log.users.ids[r] for r in row)
    history = log.take(row)
    numbered = Vocabulary([f"{number}" for number in range(len(row))])
    cut = history.as_of(as_of)
    return Snapshots(
        entities=entities,
        as_of=as_of,
        history=Interactions(
            users=numbered, items=cut.items, kinds=cut.kinds, indptr=cut.indptr, item=cut.item, time=cut.time,
            known_at=cut.known_at, kind=cut.kind, quantity=cut.quantity, amount_minor=cut.amount_minor,
            basket=cut.basket, session=cut.session, origin_time=cut.origin_time, extras=cut.extras,
            has_clock=cut.has_clock,
        ),
    )  # fmt: skip


def _outcome(
    log: Interactions, target: BehaviorTarget, start: int, stop: int, known_before: int
) -> npt.NDArray[np.float64]:
    """The label of every user of the log for the window (start, stop], shape (U,)."""
    inside = (log.origin_time > start) & (log.origin_time <= stop) & (log.known_at < known_before)
    bought = inside & np.isin(log.kind, log.kind_codes([target.event]))
    if target.kind == "probability":
        return (np.bincount(log.user_of[bought], minlength=log.n_users) > 0).astype(np.float64)
    if target.net:
        bought |= inside & np.isin(log.kind, log.kind_codes(["return"]))
    total = np.bincount(
        log.user_of[bought], log.amount_minor[bought].astype(np.float64), minlength=log.n_users
    )
    return np.maximum(total, 0.0)
