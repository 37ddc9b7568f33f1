"""Days and microseconds."""

from __future__ import annotations

from datetime import UTC, date, datetime

DAY = 86_400_000_000
"""Microseconds in a day."""


def start_of(day: date) -> int:
    """The first microsecond of a day, UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000


def day_of(instant: int) -> date:
    """The day, UTC, of an instant in microseconds."""
    return datetime.fromtimestamp(instant // 1_000_000, UTC).date()
