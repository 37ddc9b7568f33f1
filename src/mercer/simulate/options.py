"""What can be chosen about the simulated shop, and the seeded streams of chance that it draws from."""

from __future__ import annotations

import zlib
from datetime import date

import numpy as np
from pydantic import Field, field_validator

from mercer.contracts import Options


class ShopOptions(Options):
    """Size, span and seed of a simulated shop. Equal options give equal files, byte for byte."""

    users: int = Field(5000, ge=50, le=200_000, description="registered customers")
    items: int = Field(2000, ge=60, le=20_000, description="items of the catalogue")
    months: int = Field(12, ge=3, le=36, description="calendar months of the log, the last one whole")
    last_day: date = Field(date(2026, 9, 30), description="the last day of the log; the last of its month")
    seed: int = Field(7, ge=0, description="seed of everything random")
    judged_queries: int = Field(300, ge=10, le=3000, description="queries with graded judgments")
    origins: tuple[date, ...] = Field(
        (date(2026, 8, 1),), description="days at which the truth of repurchase is written beside the data"
    )
    horizon_days: int = Field(60, ge=1, le=365, description="look-ahead of that truth")
    faults: bool = Field(True, description="plant faulty rows and personal data among the raw rows")

    @field_validator("last_day")
    @classmethod
    def _whole_month(cls, day: date) -> date:
        if (np.datetime64(day) + 1).astype("datetime64[M]") == np.datetime64(day, "M"):
            raise ValueError(f"last_day {day} is not the last day of its month")
        return day


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """A generator of its own for each purpose, so that a change in one leaves the others as they were."""
    return np.random.default_rng([seed, *(zlib.crc32(str(name).encode()) for name in names)])
