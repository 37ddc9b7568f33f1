"""Local times to UTC: the pieces of constant offset of a time zone, so that any engine can apply them.

Computed from the IANA database that Python ships, not from the engine's own, so that two engines, and two
versions of one, agree. A local time that comes twice (clocks go back) is the first of the two; one that never
comes (clocks go forward) is read with the offset before the change (both as PEP 495's fold 0).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from mercer.errors import BriefError, nearest

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
_STEP = timedelta(days=7)
"""No zone changes its clocks twice within a week and back to the same offset."""


@dataclass(frozen=True, slots=True)
class Piece:
    """From local microseconds `start` on, local time is UTC plus `offset` microseconds."""

    start: int
    offset: int


def find_zone(name: str, where: str) -> ZoneInfo:
    """The zone called `name`. Raises BriefError naming the key `where` and the nearest zone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as fault:
        raise BriefError(
            f"{where}: no time zone is called {name!r}.", remedy=nearest(name, available_timezones())
        ) from fault


def pieces(zone: ZoneInfo, low: int, high: int) -> list[Piece]:
    """Pieces that cover the local times `low` to `high` (microseconds), in order; the first has no bound."""
    at = _instant(low) - timedelta(days=2)
    end = _instant(high) + timedelta(days=2)
    found = [Piece(low, _offset(zone, at))]
    while at < end:
        after = min(at + _STEP, end)
        before_offset, after_offset = _offset(zone, at), _offset(zone, after)
        if before_offset != after_offset:
            change = _micros(_change(zone, at, after))
            found.append(Piece(change + max(before_offset, after_offset), after_offset))
        at = after
    return found


def _change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The first instant, to the second, with the offset of `high`."""
    old = _offset(zone, low)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds() / 2))
        low, high = (middle, high) if _offset(zone, middle) == old else (low, middle)
    return high


def _offset(zone: ZoneInfo, instant: datetime) -> int:
    return (instant.astimezone(zone).utcoffset() or timedelta()) // _MICRO


def _instant(micros: int) -> datetime:
    """The instant, kept within what datetime can hold and rounded down to a second."""
    low, high = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
    seconds = micros // 1_000_000
    if seconds <= _micros(low) // 1_000_000:
        return low
    return min(high, _EPOCH + timedelta(seconds=min(seconds, 7_300_000_000)))


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICRO
