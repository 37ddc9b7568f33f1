"""What was spent, and the limits: the worst case is reserved before a request, the real usage booked after it.

One ledger may serve several generators and any number of threads; a limit holds for all of them together.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from mercer.errors import SpentError


@dataclass(frozen=True, slots=True)
class Usage:
    """Requests sent, tokens in and out together, and money."""

    requests: int = 0
    tokens: int = 0
    money: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.requests + other.requests, self.tokens + other.tokens, self.money + other.money)

    def __sub__(self, other: Usage) -> Usage:
        return Usage(self.requests - other.requests, self.tokens - other.tokens, self.money - other.money)


class Ledger:
    """Limits on requests, tokens and money; None is no limit.

    A server that takes more tokens than it was allowed is booked as it says, so `spent` can pass a limit by
    what the server overdrew; the next request is then refused.
    """

    def __init__(
        self,
        *,
        max_requests: int | None = None,
        max_tokens: int | None = None,
        max_money: float | None = None,
        spent: Usage | None = None,
    ) -> None:
        """spent: what earlier processes spent of the same limits."""
        self._limits = {"requests": max_requests, "tokens": max_tokens, "money": max_money}
        self._lock = threading.Lock()
        self._spent = spent or Usage()
        self._reserved = Usage()

    @property
    def spent(self) -> Usage:
        """What was booked until now."""
        with self._lock:
            return self._spent

    def reserve(self, most: Usage) -> None:
        """Hold the worst case of one request. Raises SpentError, holding nothing, where a limit would be passed."""
        with self._lock:
            after = self._spent + self._reserved + most
            for what, limit in self._limits.items():
                # Sums of prices differ in the last bits by their order.
                if limit is not None and getattr(after, what) > limit * (1 + 1e-12):
                    raise SpentError(
                        f"The budget of {limit} {what} would be passed: {getattr(self._spent, what):.6g} are spent, "
                        f"{getattr(self._reserved, what):.6g} reserved, and the next request takes "
                        f"{getattr(most, what):.6g} at most.",
                        remedy=f"Raise max_{what} and call again; answers already in the cache cost nothing.",
                    )
            self._reserved += most

    def settle(self, most: Usage, real: Usage) -> None:
        """Give the reserved worst case back and book the real usage."""
        with self._lock:
            self._reserved -= most
            self._spent += real
