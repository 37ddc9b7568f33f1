"""Payments: one an order, and fraud in three patterns whose labels come weeks later or not at all.

card-testing: many small payments on one account within minutes. takeover: a few dear ones at night with a new
instrument. bad-payee: one payee's terminal is compromised for three weeks and a share of what passes there is fraud.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.simulate.events import PURCHASE, Events
from mercer.simulate.season import DAY_US, Calendar, Floats, Ints

N_PAYEES = 40
_SECOND = 1_000_000
_TESTED, _TAKEN, _BAD_SHARE = 0.0022, 0.003, 0.25


@dataclass(frozen=True)
class Payments:
    """P payments ordered by time. user: row of the payer. payee: 0..N_PAYEES-1. instrument: number of a token.

    label_known_at: microseconds, -1 where the label is not known by the end of the log.
    """

    user: Ints
    payee: Ints
    instrument: Ints
    amount_minor: Ints
    time: Ints
    declined: npt.NDArray[np.bool_]
    fraud: npt.NDArray[np.bool_]
    label_known_at: Ints


def draw_payments(events: Events, n_users: int, calendar: Calendar, rng: np.random.Generator) -> Payments:
    """The payments of all orders, with fraud among them and beside them."""
    bought = np.flatnonzero(events.kind == PURCHASE)
    _, first, place = np.unique(events.order[bought], return_index=True, return_inverse=True)
    amount = np.bincount(place, events.amount_minor[bought]).astype(np.int64)
    user, time = events.user[bought[first]], events.time[bought[first]] + 20 * _SECOND
    payee = np.minimum(rng.geometric(0.09, len(user)) - 1, N_PAYEES - 1)
    instrument = user * 10 + (rng.random(len(user)) < 0.08)
    fraud = _compromised(payee, time, calendar, rng)
    parts = [
        (user, payee, instrument, amount, time, fraud),
        _card_testing(n_users, calendar, rng),
        _takeovers(user, calendar, rng),
    ]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.lexsort((columns[0], columns[4]))
    user, payee, instrument, amount, time, fraud = (column[order] for column in columns)
    n = len(user)
    delay = np.where(fraud, rng.gamma(3.0, 8.0, n) + 2, rng.uniform(45, 60, n))
    known = time + (delay * 86_400).astype(np.int64) * _SECOND
    declined = rng.random(n) < np.where(fraud, 0.18, 0.015)
    return Payments(
        user,
        payee,
        instrument,
        amount,
        time,
        declined,
        fraud.astype(bool),
        np.where(known < calendar.end_us, known, -1),
    )


def _compromised(
    payee: Ints, time: Ints, calendar: Calendar, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Some payments at a few payees during three weeks each."""
    fraud = np.zeros(len(payee), bool)
    for bad in rng.choice(N_PAYEES // 2, 3, replace=False):
        begin = calendar.start_us + int(rng.uniform(0.1, 0.85) * calendar.length_days) * DAY_US
        inside = (payee == bad) & (time >= begin) & (time < begin + 21 * DAY_US)
        fraud |= inside & (rng.random(len(payee)) < _BAD_SHARE)
    return fraud


def _card_testing(
    n_users: int, calendar: Calendar, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], ...]:
    """Bursts of six to fourteen payments of one to five euros, seconds apart."""
    n = max(1, round(n_users * _TESTED))
    size = rng.integers(6, 15, n)
    burst = np.repeat(np.arange(n), size)
    begin = (
        calendar.start_us + (rng.random(n) * (calendar.length_days - 1) * 86_400).astype(np.int64) * _SECOND
    )
    user = rng.integers(0, n_users, n)
    step = rng.integers(4, 40, len(burst))
    total = np.cumsum(step)
    first = np.cumsum(size) - size
    within = total - np.repeat(total[first], size)
    return (
        user[burst],
        rng.integers(0, N_PAYEES, n)[burst],
        user[burst] * 10 + 7,
        rng.integers(100, 500, len(burst)),
        begin[burst] + within * _SECOND,
        np.ones(len(burst), bool),
    )


def _takeovers(
    payers: Ints, calendar: Calendar, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], ...]:
    """Two or three payments of 250 to 1,400 euros between one and five at night, from an instrument never seen."""
    known = np.unique(payers)
    n = max(1, round(len(known) * _TAKEN))
    size = rng.integers(2, 4, n)
    night = np.repeat(rng.integers(0, int(calendar.length_days), n), size)
    user = np.repeat(rng.choice(known, n), size)
    hours: Floats = rng.uniform(1, 5, len(user))
    return (
        user,
        rng.integers(0, N_PAYEES, len(user)),
        user * 10 + 8,
        rng.integers(25_000, 140_000, len(user)),
        calendar.start_us + night * DAY_US + (hours * 3600).astype(np.int64) * _SECOND,
        np.ones(len(user), bool),
    )
