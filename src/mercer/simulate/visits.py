"""What a visit looks like from outside: when it was, through which channel, and what was looked at.

Lines that are bought are looked at or put into the cart first only some of the time: many come from lists.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercer.simulate.activity import Visits
from mercer.simulate.catalogue import Catalogue
from mercer.simulate.season import DAY_US, Calendar, Floats, Ints
from mercer.simulate.tastes import Block

CHANNELS = ("web", "app", "store")
_HOURS = (2, 1, 1, 1, 1, 2, 4, 7, 9, 10, 11, 11, 12, 11, 10, 10, 11, 12, 14, 17, 18, 15, 9, 4)
_STORE = 0.08


@dataclass(frozen=True)
class Browsing:
    """Items looked at without being bought, ordered by visit. cart: put into the cart and left there."""

    visit: Ints
    item: Ints
    cart: npt.NDArray[np.bool_]

    @classmethod
    def join(cls, parts: list[Browsing]) -> Browsing:
        """Blocks one after the other."""
        return cls(*(np.concatenate([getattr(p, name) for p in parts]) for name in cls.__dataclass_fields__))


def wall_time(visits: Visits, calendar: Calendar) -> Ints:
    """When each visit begins, microseconds, whole seconds: the process's day, an hour at which people shop.

    Later in the process's day is later on the clock, so the order of a person's visits is kept.
    """
    day = np.floor(visits.clock)
    grown = np.concatenate([[0.0], np.cumsum(_HOURS)]) / sum(_HOURS)
    second = np.asarray(np.interp(visits.clock - day, grown, np.arange(25) * 3600.0), np.float64)
    # The last quarter hour is left free, so that a visit ends on the day on which it began.
    whole: Ints = np.floor(second * (1 - 900 / 86400)).astype(np.int64)
    midnight: Ints = calendar.start_us + day.astype(np.int64) * DAY_US
    return midnight + whole * 1_000_000


def draw_channels(visits: Visits, n_users: int, rng: np.random.Generator) -> Ints:
    """Channel of each visit: most people keep to web or app, and some orders are made in the store."""
    prefers_app = rng.random(n_users) < 0.4
    other = rng.random(len(visits.user)) < 0.12
    channel = (prefers_app[visits.user] ^ other).astype(np.int64)
    return np.where(visits.order & (rng.random(len(visits.user)) < _STORE), 2, channel)


def draw_browsing(
    block: Block,
    visits: Visits,
    channel: Ints,
    catalogue: Catalogue,
    calendar: Calendar,
    rng: np.random.Generator,
) -> Browsing:
    """What a block's customers look at by taste and leave."""
    low, high = np.searchsorted(visits.user, [block.begin, block.end])
    visit = np.arange(low, high)
    looks = rng.poisson(np.where(visits.order[visit], 1.0, 2.6)) + ~visits.order[visit]
    visit = np.repeat(visit, np.where(channel[visit] == 2, 0, looks))
    days: Floats = visits.clock[visit]
    month = calendar.month_of_year[calendar.month(days)]
    item = block.sampler.draw(visits.user[visit] - block.begin, month, days, rng)
    _, kept = np.unique(visit * len(catalogue) + item, return_index=True)
    return Browsing(visit[kept], item[kept], rng.random(len(kept)) < 0.14)
