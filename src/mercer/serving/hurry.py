"""A target's own ranker within a deadline, and its fallback after it: threads that can't pile up.

An answer that is late goes on in its thread and is then thrown away. When every thread is held by an answer that is
late, no further one is started and the fallback answers at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from mercer.errors import UsageError
from mercer.release import Answer

log = logging.getLogger("mercer.serving")

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


@dataclass(slots=True, eq=False)
class _Job:
    """An answer at work. due: when its caller stops waiting, seconds of the monotonic clock."""

    due: float
    done: threading.Event = field(default_factory=threading.Event)
    answer: Answer | None = None
    refused: UsageError | None = None


class DeadlineRanker:
    """Answers in at most `threads` threads. Safe to use from several threads."""

    def __init__(self, *, threads: int = THREADS) -> None:
        self._threads = threads
        self._jobs: list[_Job] = []
        self._changed = threading.Condition()

    @property
    def at_work(self) -> int:
        """Answers of targets' own rankers that are being made now, late ones included."""
        return len(self._jobs)

    def answer(
        self, target: str, own: Callable[[], Answer], stand_in: Callable[[], Answer], seconds: float
    ) -> Hurried:
        """What `own` answers within `seconds`, else what `stand_in` does.

        Raises what `stand_in` raises, and a UsageError of `own`: that is the caller's, and no reason to answer
        otherwise.
        """
        begun = time.monotonic()
        job = self._begun(target, own, begun + seconds)
        finished = job is not None and job.done.wait(max(0.0, begun + seconds - time.monotonic()))
        waited = time.monotonic() - begun
        if job is None or not finished:
            return Hurried(stand_in(), "late", waited)
        if job.refused is not None:
            raise job.refused
        if job.answer is None:
            return Hurried(stand_in(), "failed", waited)
        return Hurried(job.answer, "ranker", waited)

    def _begun(self, target: str, own: Callable[[], Answer], due: float) -> _Job | None:
        """The answer at work, begun as soon as a thread is free; None when none will be in time."""
        with self._changed:
            while len(self._jobs) >= self._threads:
                now = time.monotonic()
                hoped = min(due, max(job.due for job in self._jobs))
                if now >= hoped:
                    return None
                self._changed.wait(hoped - now)
            job = _Job(due)
            self._jobs.append(job)
        threading.Thread(target=self._work, args=(target, job, own), name="rank", daemon=True).start()
        return job

    def _work(self, target: str, job: _Job, own: Callable[[], Answer]) -> None:
        try:
            job.answer = own()
        except UsageError as fault:
            job.refused = fault
        except Exception as fault:  # noqa: BLE001  (a shop must outlive its ranker; the answer says that it failed)
            # The message of a fault may quote a history: the log gets its kind alone.
            log.error("ranking for %s: %s", target, type(fault).__name__)
        finally:
            with self._changed:
                self._jobs.remove(job)
                self._changed.notify_all()
            job.done.set()
