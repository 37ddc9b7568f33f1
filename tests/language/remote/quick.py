"""A clock whose waits take no time, and remembers them."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta


class QuickClock:
    """The machine's clock plus what was slept."""

    def __init__(self, start: datetime | None = None) -> None:
        self.slept: list[float] = []
        self._ahead = 0.0
        self._shift = (start - datetime.now(UTC)) if start else timedelta()
        self._lock = threading.Lock()

    def now(self) -> float:
        return time.monotonic() + self._ahead

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self._ahead += seconds

    def time(self) -> datetime:
        return datetime.now(UTC) + self._shift + timedelta(seconds=self._ahead)
