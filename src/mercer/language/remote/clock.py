"""Time as the remote client sees it: one object, so that a test waits for minutes in no time."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What is asked of time."""

    def now(self) -> float:
        """Seconds that only grow, from any start."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def time(self) -> datetime:
        """The instant, with its zone (UTC)."""
        ...


class SystemClock:
    """The machine's own."""

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def time(self) -> datetime:
        """The instant in UTC."""
        return datetime.now(UTC)
