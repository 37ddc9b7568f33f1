"""A target's own ranker within a deadline, and its fallback after it. What comes of a late answer is thrown away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from mercer.errors import UsageError
from mercer.release import Answer
from mercer.serving.crew import Crew

DEADLINE_MS = 200
"""How long a target's own ranker may take where a fallback stands by and neither the call nor the server says."""
THREADS = 4

How = Literal["ranker", "late", "failed"]


@dataclass(frozen=True, slots=True)
class Hurried:
    """An answer, and how it came about. seconds: what the caller waited for the target's own ranker."""

    answer: Answer
    how: How
    seconds: float


class DeadlineRanker:
    """Answers in at most `threads` threads. Safe to use from several threads."""

    def __init__(self, *, threads: int = THREADS) -> None:
        self._crew: Crew[Answer] = Crew("ranking", threads=threads, refusals=(UsageError,))

    @property
    def at_work(self) -> int:
        """Answers of targets' own rankers that are being made now, late ones included."""
        return self._crew.at_work

    def answer(
        self, target: str, own: Callable[[], Answer], stand_in: Callable[[], Answer], seconds: float
    ) -> Hurried:
        """What `own` answers within `seconds`, else what `stand_in` does.

        Raises what `stand_in` raises, and a UsageError of `own`: that is the caller's, and no reason to answer
        otherwise.
        """
        # No two answers are the same work: who asks, and the catalogue, may differ.
        found = self._crew.ask(object(), target, own, seconds)
        if found.value is None:
            return Hurried(stand_in(), "late" if found.how == "late" else "failed", found.seconds)
        return Hurried(found.value, "ranker", found.seconds)
