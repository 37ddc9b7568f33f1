"""What a served app is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mercer.compliance import CaseStore
from mercer.release import Release
from mercer.serving import hurry
from mercer.serving.answering import Answering, now
from mercer.serving.deadline import DEADLINE_MS, KEPT, THREADS, DeadlineReader
from mercer.serving.state import OnlineState


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The parts of an app.

    release: what answers. state: what it knows of people and catalogue. cases: what people are to decide.
    max_body_bytes: larger bodies are refused. clock: the present, microseconds since 1970 in UTC.
    understand_deadline_ms: how long understanding a query may take where the call does not say. understand_threads:
    queries that are understood at the same time, ones that hang included. understandings_kept: the latest results that
    stay in memory. answer_deadline_ms: how long a recommend target's own ranker may take, where a fallback stands by
    and the call does not say. answer_threads: answers of such targets at the same time, ones that hang included.
    """

    release: Release
    state: OnlineState
    cases: CaseStore
    max_body_bytes: int = 2_000_000
    clock: Callable[[], int] = field(default=now)
    understand_deadline_ms: int = DEADLINE_MS
    understand_threads: int = THREADS
    understandings_kept: int = KEPT
    answer_deadline_ms: int = hurry.DEADLINE_MS
    answer_threads: int = hurry.THREADS

    def answering(self) -> Answering:
        """What turns calls into answers."""
        return Answering(
            release=self.release,
            state=self.state,
            clock=self.clock,
            reader=DeadlineReader(threads=self.understand_threads, kept=self.understandings_kept),
            understand_deadline_ms=self.understand_deadline_ms,
            hurry=hurry.DeadlineRanker(threads=self.answer_threads),
            answer_deadline_ms=self.answer_deadline_ms,
        )
