"""How long to wait before the next attempt: full jitter, or what the server asks for.

Source: Brooker, Exponential Backoff and Jitter (AWS Architecture Blog, 2015); RFC 9110 section 10.2.3.
"""

from __future__ import annotations

import random
import re
import threading
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST = 0.5
"""Seconds: the first wait is drawn between 0 and this; each later one between 0 and twice the last bound."""
LONGEST = 30.0
"""Seconds that a drawn wait never passes."""
LONGEST_ASKED = 120.0
"""Seconds that a wait asked for by the server (Retry-After) never passes."""


def asked_wait(header: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for, within [0, LONGEST_ASKED]; None where it says nothing legal."""
    if header is None:
        return None
    header = header.strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", header):
        return min(float(header), LONGEST_ASKED)
    try:
        until = parsedate_to_datetime(header)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max(0.0, (until - now).total_seconds()), LONGEST_ASKED)


class Jitter:
    """Waits drawn from one generator; equal seeds draw equal waits."""

    def __init__(self, seed: int | None = None) -> None:
        """seed: None draws one from the machine, so that clients that failed together do not return together."""
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def wait(self, attempt: int, asked: float | None) -> float:
        """Seconds before the next attempt, `attempt` failed ones (from 1) after the start; never under `asked`."""
        bound = min(LONGEST, FIRST * 2.0 ** min(attempt - 1, 16))
        with self._lock:
            drawn = self._random.uniform(0.0, bound)
        return drawn if asked is None else asked + drawn
