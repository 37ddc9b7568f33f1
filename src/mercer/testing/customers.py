"""A small made-up log of customers with labels, for tests of predictors: every kind of event, some late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from mercer.contracts import Interactions, Labelled, Snapshots, Vocabulary

DAY = 86_400_000_000
KINDS = ("purchase", "return", "view", "cart")
DAYS = 400
ORIGINS = (200, 260)
HORIZON = 60

Ints = npt.NDArray[np.int64]


def customer_log(users: int = 120, seed: int = 7) -> Interactions:
    """Customers who buy at their own rates until they drop out; the last one never did anything.

    Some events become known only days after they happened; some purchases are returned.
    """
    rng = np.random.default_rng(seed)
    rows: list[Ints] = []
    for user in range(users - 1):
        rows.extend(_life(rng, user))
    table = np.array(rows, np.int64)
    table = table[np.lexsort((table[:, 1], table[:, 0]))]
    user, time, kind, item, amount, basket, late, origin = table.T
    indptr = np.zeros(users + 1, np.int64)
    np.cumsum(np.bincount(user, minlength=users), out=indptr[1:])
    return Interactions(
        users=Vocabulary(f"customer-{number:04d}" for number in range(users)),
        items=Vocabulary(f"item-{number:02d}" for number in range(30)),
        kinds=KINDS,
        indptr=indptr,
        item=item.astype(np.int32),
        time=time,
        known_at=time + late * 3 * DAY,
        kind=kind.astype(np.int8),
        quantity=np.ones(len(time), np.float32),
        amount_minor=amount,
        basket=basket,
        session=np.full(len(time), -1, np.int64),
        origin_time=origin,
    )


def snapshots_at(log: Interactions, rows: Sequence[int] | Ints, day: int, *, cut: bool = True) -> Snapshots:
    """The rows named as of the end of a day; `cut=False` leaves later events in, to tempt a predictor."""
    picked = np.asarray(rows, np.int64)
    as_of = np.full(len(picked), day * DAY - 1, np.int64)
    history = log.take(picked)
    return Snapshots(
        entities=tuple(log.users.ids[row] for row in picked),
        as_of=as_of,
        history=history.as_of(as_of) if cut else history,
    )


def labelled_customers(log: Interactions, kind: Literal["probability", "amount"]) -> Labelled:
    """Every customer at every origin, with a purchase (0 or 1) or the spend in the 60 days after it."""
    rows = np.tile(np.arange(log.n_users), len(ORIGINS))
    as_of = np.repeat(np.array(ORIGINS, np.int64) * DAY - 1, log.n_users)
    bought = log.only(["purchase"])
    outcome = np.zeros(len(rows))
    for at, day in enumerate(ORIGINS):
        inside = (bought.time >= day * DAY) & (bought.time < (day + HORIZON) * DAY)
        spend = np.bincount(bought.user_of[inside], bought.amount_minor[inside], log.n_users)
        outcome[at * log.n_users : (at + 1) * log.n_users] = spend > 0 if kind == "probability" else spend
    snapshots = Snapshots(
        entities=tuple(log.users.ids[row] for row in rows), as_of=as_of, history=log.take(rows).as_of(as_of)
    )
    return Labelled(snapshots=snapshots, outcome=outcome, label_known_at=as_of + HORIZON * DAY)


def with_other_future(log: Interactions, day: int) -> Interactions:
    """The same past and another future: what is known from `day` on has other items, amounts and kinds."""
    later = log.known_at >= day * DAY
    return replace(
        log,
        kind=np.where(later, 0, log.kind).astype(np.int8),
        item=np.where(later, 0, log.item).astype(np.int32),
        amount_minor=np.where(later, 9_999_999, log.amount_minor),
        basket=np.where(later, 1_000_000 + np.arange(log.n_events), log.basket),
    )


def _life(rng: np.random.Generator, user: int) -> list[Ints]:
    gap, price = rng.gamma(2.0, 15.0) + 2, int(rng.integers(500, 5000))
    until, day = rng.uniform(30, DAYS), rng.uniform(0, 150)
    rows: list[list[Any]] = []
    while day < until:
        time = int(day * DAY)
        basket = user * 1000 + len(rows)
        rows.append([user, time - 3_600_000_000, 2, rng.integers(30), 0, -1, 0, time - 3_600_000_000])
        if rng.random() < 0.5:
            rows.append([user, time - 60_000_000, 3, rng.integers(30), 0, -1, 0, time - 60_000_000])
        rows.extend(
            [user, time, 0, rng.integers(30), price, basket, int(rng.random() < 0.05), time]
            for _ in range(int(rng.integers(1, 3)))
        )
        if rng.random() < 0.1:
            back = time + 5 * DAY
            rows.append([user, back, 1, rows[-1][3], -price, -1, 0, time])
        day += rng.exponential(gap) + 1
    return [np.array(row, np.int64) for row in rows]
