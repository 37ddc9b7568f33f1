"""Consents over time: given or refused on joining, withdrawn, given again; objections; browser opt-outs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.simulate.people import PLACES, People
from mercer.simulate.season import DAY_US, Calendar, Floats, Ints

PURPOSES = ("recommendation", "analytics", "objection", "opt-out")
_GIVEN = {"EU": 0.88, "UK": 0.91, "US": 0.97, "US-CA": 0.94, "US-CO": 0.95, "US-NY": 0.96}


@dataclass(frozen=True)
class Consents:
    """One row an entry, ordered by time, then user and purpose. purpose: position in PURPOSES."""

    user: Ints
    purpose: Ints
    given: npt.NDArray[np.bool_]
    time: Ints


def draw_consents(people: People, calendar: Calendar, rng: np.random.Generator) -> Consents:
    """Entries of all customers up to the end of the log."""
    n = len(people)
    everyone = np.arange(n)
    # Founders were asked in the year before the log begins; the others as they joined, before their first visit.
    joined = np.where(people.rates.founder, -rng.uniform(1, 365, n), np.floor(people.rates.joined))
    share = np.array([_GIVEN[jurisdiction] for jurisdiction, *_ in PLACES])[people.place]
    agreed = rng.random(n) < share
    entries: list[tuple[Ints, int, bool | npt.NDArray[np.bool_], Floats]] = [
        (everyone, 0, agreed, joined),
        (everyone, 1, rng.random(n) < 0.85, joined),
    ]
    since = np.maximum(joined, 0.0)
    later = since + rng.random(n) * (calendar.length_days - since)
    withdrew = np.flatnonzero(agreed & (rng.random(n) < 0.04))
    entries.append((withdrew, 0, False, later[withdrew]))
    back = withdrew[rng.random(len(withdrew)) < 0.25]
    entries.append(
        (back, 0, True, later[back] + rng.random(len(back)) * (calendar.length_days - later[back]))
    )
    objects = np.flatnonzero(rng.random(n) < 0.015)
    entries.append((objects, 2, True, later[objects]))
    american = np.array([place[1] == "US" for place in PLACES])[people.place]
    opts_out = np.flatnonzero(american & (rng.random(n) < 0.05))
    entries.append((opts_out, 3, True, later[opts_out]))
    user = np.concatenate([e[0] for e in entries])
    purpose = np.concatenate([np.full(len(e[0]), e[1]) for e in entries])
    given = np.concatenate([np.broadcast_to(e[2], len(e[0])) for e in entries])
    days = np.concatenate([e[3] for e in entries])
    time = calendar.start_us + np.floor(days * 86_400).astype(np.int64) * (DAY_US // 86_400)
    order = np.lexsort((purpose, user, time))
    return Consents(user[order], purpose[order], given[order], time[order])
