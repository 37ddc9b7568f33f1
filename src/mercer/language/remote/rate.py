"""At most so many requests and tokens a minute: a token bucket for each, shared by all threads.

A bucket of size b that fills at r a second lets through at most b + r * 60 in a minute. Both are chosen so that
this is the limit: a burst of a sixth, and the rest evenly. A caller takes its turn at once and then waits until
it is paid for, so turns are kept in order. One request that asks for more tokens than a minute has waits longer.
"""

from __future__ import annotations

import threading

from mercer.language.remote.clock import Clock

MINUTE = 60.0


class Bucket:
    """One token bucket. `per_minute` None lets everything through."""

    def __init__(self, per_minute: int | None, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._limited = per_minute is not None
        limit = float(per_minute or 1)
        self._size = max(1.0, limit / 6)
        # A bucket of one unit fills a unit every 60 / limit seconds: the unit it starts with is the first.
        self._speed = (limit - self._size + (1.0 if self._size == 1.0 else 0.0)) / MINUTE
        self._level = self._size
        self._filled = clock.now()

    def take(self, amount: float) -> float:
        """Take `amount` and return the seconds to wait until it is paid for."""
        if not self._limited:
            return 0.0
        with self._lock:
            now = self._clock.now()
            self._level = min(self._size, self._level + (now - self._filled) * self._speed)
            self._filled = now
            self._level -= amount
            return max(0.0, -self._level / self._speed)

    def give_back(self, amount: float) -> None:
        """Return what was taken and not used."""
        with self._lock:
            self._level = min(self._size, self._level + amount)


class Rate:
    """Requests and tokens a minute together."""

    def __init__(self, requests: int | None, tokens: int | None, clock: Clock) -> None:
        self._clock = clock
        self._requests = Bucket(requests, clock)
        self._tokens = Bucket(tokens, clock)

    def wait(self, tokens: int) -> float:
        """Wait for the turn of one request of at most `tokens`; returns the seconds waited."""
        seconds = max(self._requests.take(1), self._tokens.take(tokens))
        if seconds > 0:
            self._clock.sleep(seconds)
        return seconds

    def give_back(self, tokens: int) -> None:
        """Tokens of the worst case that were not used."""
        self._tokens.give_back(tokens)
