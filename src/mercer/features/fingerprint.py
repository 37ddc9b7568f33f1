"""A hash that changes when a feature's definition changes, and only then.

It covers the declarations and the values computed on a small fixed log, so that a comment or a rename inside
this room leaves releases valid while a change of meaning does not. Values count to nine significant digits:
the last bits of exp2 and sqrt may differ between machines.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from functools import cache

import numpy as np

from mercer.contracts import NEVER, Interactions, Snapshots, Vocabulary
from mercer.features.compute import compute
from mercer.features.definitions import DECLARED
from mercer.features.timeline import DAY_US

_KINDS = ("purchase", "return", "view", "cart", "search")
_USERS, _EVENTS, _ITEMS = 24, 40, 17


@cache
def definitions_hash() -> str:
    """SHA-256 (hex) of the declared features and of their values on the fixed log."""
    frame = compute(_probe())
    values = [[f"{value:.9g}" for value in row] for row in frame.to_numpy()]
    content = {"declared": [asdict(feature) for feature in DECLARED], "values": values}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _probe() -> Snapshots:
    """A log with every kind, returns with and without their purchase, late events and an empty history."""
    number = np.arange((_USERS - 1) * _EVENTS, dtype=np.int64)
    # Residues of small primes stand in for chance, so that no generator's stream is part of the definition.
    user, turn = number // _EVENTS, number % _EVENTS
    kind = np.array([0, 2, 3, 0, 2, 1, 4, 2], np.int8)[(number * 5 + user) % 8]
    pace = (1 + 2 * (np.arange(_USERS, dtype=np.int64) % 12)) * DAY_US
    time = turn * pace[user] + (number * 7919 % 86_399) * 1_000_000
    order = np.lexsort((time, user))
    kind, time = kind[order], time[order]
    price = 100 + number * 37 % 900
    quantity = 1 + number * 11 % 7
    undone = np.where(number % 3 == 0, NEVER, np.roll(time, 2))
    history = Interactions(
        users=Vocabulary(f"u{i}" for i in range(_USERS)),
        items=Vocabulary(f"i{i}" for i in range(_ITEMS)),
        kinds=_KINDS,
        indptr=np.append(np.arange(_USERS, dtype=np.int64) * _EVENTS, (_USERS - 1) * _EVENTS),
        item=(number * 13 % _ITEMS).astype(np.int32),
        time=time,
        known_at=time + (number % 5 == 0) * 3 * DAY_US,
        kind=kind,
        quantity=quantity.astype(np.float32),
        amount_minor=np.where(kind == 0, price * quantity, np.where(kind == 1, -price, 0)),
        basket=np.where(kind == 0, user * 1000 + turn // 2, -1),
        session=np.where(number % 4 == 0, -1, user * 1000 + turn // 3),
        origin_time=np.where(kind == 1, undone, time),
    )
    as_of = _EVENTS * pace * (5 + np.arange(_USERS) // 6) // 8
    return Snapshots(entities=history.users.ids, as_of=as_of, history=history)
