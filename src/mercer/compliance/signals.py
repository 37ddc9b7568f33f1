"""What the consents table says of people at given times: consent, objection, opt-out.

The latest entry of a person and purpose at or before the time decides; where two entries carry the same
time, the one that protects the person wins: a refused consent, a standing objection or opt-out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.compliance.evidence import micros

Bools = npt.NDArray[np.bool_]
Times = npt.NDArray[np.int64]

CONSENT, OBJECTION, OPT_OUT = "recommendation", "objection", "opt-out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """Per person or event, shape (n,).

    consented: consent to the purpose was given and holds. recorded: the table has any entry of this purpose
    at or before the time (False: nobody asked). objected, opted_out: the person withdrew from profiling.
    """

    consented: Bools
    recorded: Bools
    objected: Bools
    opted_out: Bools


def signals_for(
    users: Sequence[str] | npt.NDArray[np.object_],
    consents: pd.DataFrame | None,
    time: int | Times,
    *,
    purpose: str = CONSENT,
) -> Signals:
    """Signals of `users` as of `time` (int64 microseconds, one for all or one each), vectorised.

    consents: the canonical table, or None: then nothing is recorded and nobody objected.
    """
    moments = np.broadcast_to(np.asarray(time, np.int64), (len(users),))
    given = _latest(users, consents, moments, purpose)
    return Signals(
        consented=given == 1,
        recorded=given != -1,
        objected=_latest(users, consents, moments, OBJECTION) == 1,
        opted_out=_latest(users, consents, moments, OPT_OUT) == 1,
    )


def _latest(
    users: Sequence[str] | npt.NDArray[np.object_],
    consents: pd.DataFrame | None,
    moments: Times,
    purpose: str,
) -> npt.NDArray[np.int8]:
    """1 given, 0 withdrawn, -1 no entry, shape (len(users),)."""
    answer = np.full(len(users), -1, np.int8)
    if consents is None or not len(users):
        return answer
    entries = consents.loc[(consents["purpose"] == purpose).to_numpy(bool)]
    if entries.empty:
        return answer
    people = pd.Index(entries["user"].unique())
    who = people.get_indexer(pd.Index(entries["user"]))
    when, given = micros(entries["time"]), entries["given"].to_numpy(bool)
    # At the same instant the entry that protects sorts last: a refused consent, a standing objection.
    protects = given if purpose in (OBJECTION, OPT_OUT) else ~given
    order = np.lexsort((protects, when, who))
    who, when, given = who[order], when[order], given[order]
    instants = np.unique(when)
    span = len(instants) + 1
    keys = who.astype(np.int64) * span + np.searchsorted(instants, when, side="right")
    asked = people.get_indexer(pd.Index(np.asarray(users, dtype=object)))
    wanted = asked.astype(np.int64) * span + np.searchsorted(instants, moments, side="right")
    place = np.searchsorted(keys, wanted, side="right") - 1
    found = (asked >= 0) & (place >= 0)
    found[found] &= who[place[found]] == asked[found]
    answer[found] = given[place[found]]
    return answer
