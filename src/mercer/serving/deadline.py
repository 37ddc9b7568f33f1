"""Understanding a query within a deadline; what comes of a late query is kept for the next call with the same one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from mercer.search.understanding import Understanding
from mercer.serving.crew import Crew

DEADLINE_MS = 300
"""How long understanding may take where neither the call nor the server says."""
THREADS = 4
KEPT = 4096


@dataclass(frozen=True, slots=True)
class Read:
    """What came of a query in time. understanding: None unless `how` is `understood`. seconds: the caller's wait."""

    how: Literal["understood", "late", "failed"]
    understanding: Understanding | None
    seconds: float


class DeadlineReader:
    """Understands queries in at most `threads` threads and keeps the latest `kept` results, in memory alone.

    Safe to use from several threads.
    """

    def __init__(self, *, threads: int = THREADS, kept: int = KEPT) -> None:
        self._crew: Crew[Understanding] = Crew("understanding", threads=threads, kept=kept)

    @property
    def at_work(self) -> int:
        """Queries that are being understood now, late ones included."""
        return self._crew.at_work

    def read(
        self,
        target: str,
        query: str,
        understand: Callable[[str], Understanding],
        seconds: float,
        *,
        keep: bool,
    ) -> Read:
        """Understand a query within `seconds`. keep: whether the result may stay in memory for the next call."""
        found = self._crew.ask((target, query), target, lambda: understand(query), seconds, keep=keep)
        return Read("understood" if found.how == "done" else found.how, found.value, found.seconds)
