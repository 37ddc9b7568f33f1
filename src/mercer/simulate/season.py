"""The shop's calendar: months, how busy each is, and time measured by business instead of by clocks.

`busy(t)` is a step function of the calendar month with mean near 1. Its integral turns a Poisson process of
varying rate into one of constant rate, which makes both drawing visits and integrating over them exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DAY_US = 86_400_000_000
BUSY_BY_MONTH = (0.80, 0.80, 0.90, 0.95, 1.02, 0.96, 0.92, 0.90, 1.05, 1.10, 1.35, 1.25)
"""How busy the shop is, January to December."""


def microseconds(day: date) -> int:
    """Midnight (UTC) that begins a day, in microseconds since 1970."""
    return int(np.datetime64(day).astype("datetime64[us]").astype(np.int64))


@dataclass(frozen=True)
class Calendar:
    """Months from the first day of the log to three years past its end, so that futures can be integrated.

    edges_days: days since the start at which months begin, shape (n_months + 1,). busy: shape (n_months,).
    length_days: of the log. start_us: its first instant.
    """

    start_us: int
    length_days: float
    edges_days: Floats
    busy: Floats
    month_of_year: Ints

    @classmethod
    def ending(cls, last_day: date, months: int) -> Calendar:
        """A log of whole months that ends with `last_day`."""
        end = np.datetime64(last_day, "M") + 1
        first = end - months
        begins = np.arange(first, end + 37, dtype="datetime64[M]")
        days = (begins.astype("datetime64[D]") - first.astype("datetime64[D]")).astype(np.float64)
        month = begins[:-1].astype(np.int64) % 12
        return cls(
            start_us=int(first.astype("datetime64[us]").astype(np.int64)),
            length_days=float(days[months]),
            edges_days=days,
            busy=np.array(BUSY_BY_MONTH)[month],
            month_of_year=month,
        )

    @property
    def end_us(self) -> int:
        """The first instant after the log."""
        return self.start_us + int(self.length_days) * DAY_US

    def days(self, instant_us: int) -> float:
        """Days since the start of the log."""
        return (instant_us - self.start_us) / DAY_US

    def month(self, days: Floats) -> Ints:
        """Index of the month (into `busy`) in which each time lies."""
        return np.searchsorted(self.edges_days, days, side="right").astype(np.int64) - 1

    def business(self, days: Floats) -> Floats:
        """The integral of `busy` from the start of the log."""
        return np.asarray(np.interp(days, self.edges_days, self._grown), np.float64)

    def clock(self, business: Floats) -> Floats:
        """Days since the start at which that much business has passed: the inverse of `business`."""
        return np.asarray(np.interp(business, self._grown, self.edges_days), np.float64)

    @cached_property
    def _grown(self) -> Floats:
        return np.concatenate([[0.0], np.cumsum(self.busy * np.diff(self.edges_days))])
