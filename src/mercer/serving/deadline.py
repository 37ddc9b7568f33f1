"""Understanding a query within a deadline: threads that can't pile up, and a memory of what was understood.

A query that is late goes on in its thread, and what comes of it is kept for the next call with the same query. A thread
that hangs is never ended; when every thread is held by a query that is late, no further one is started and the caller
is told at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from mercer.search.understanding import Understanding

log = logging.getLogger("mercer.serving")

DEADLINE_MS = 300
"""How long understanding may take where neither the call nor the server says."""
THREADS = 4
KEPT = 4096

Key = tuple[str, str]
"""A target and a query."""


@dataclass(frozen=True, slots=True)
class Read:
    """What came of a query in time. understanding: None unless `how` is `understood`. seconds: the caller's wait."""

    how: Literal["understood", "late", "failed"]
    understanding: Understanding | None
    seconds: float


@dataclass(slots=True)
class _Job:
    """A query at work. due: when whoever asked last stops waiting, seconds of the monotonic clock."""

    due: float
    done: threading.Event = field(default_factory=threading.Event)
    found: Understanding | None = None


class DeadlineReader:
    """Understands queries in at most `threads` threads and keeps the latest `kept` results, in memory alone.

    Safe to use from several threads.
    """

    def __init__(self, *, threads: int = THREADS, kept: int = KEPT) -> None:
        self._threads = threads
        self._most = kept
        self._kept: OrderedDict[Key, Understanding] = OrderedDict()
        self._jobs: dict[Key, _Job] = {}
        self._changed = threading.Condition()

    @property
    def at_work(self) -> int:
        """Queries that are being understood now, late ones included."""
        return len(self._jobs)

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
        begun = time.monotonic()
        due = begun + seconds
        held = self._found_or_begun((target, query), understand, due, keep=keep)
        found = self._waited(held, due) if isinstance(held, _Job) else held
        seconds = time.monotonic() - begun
        if isinstance(found, Understanding):
            return Read("understood", found, seconds)
        return Read(found, None, seconds)

    def _found_or_begun(
        self, key: Key, understand: Callable[[str], Understanding], due: float, *, keep: bool
    ) -> Understanding | _Job | Literal["late"]:
        """What is kept, or the query at work, begun as soon as a thread is free; late when none will be in time."""
        with self._changed:
            while True:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    return self._kept[key]
                if key in self._jobs:
                    job = self._jobs[key]
                    job.due = max(job.due, due)
                    return job
                if len(self._jobs) < self._threads:
                    return self._begin(key, understand, due, keep=keep)
                now = time.monotonic()
                hoped = min(due, max(job.due for job in self._jobs.values()))
                if now >= hoped:
                    return "late"
                self._changed.wait(hoped - now)

    def _begin(self, key: Key, understand: Callable[[str], Understanding], due: float, *, keep: bool) -> _Job:
        job = self._jobs[key] = _Job(due)
        threading.Thread(
            target=self._work, args=(key, job, understand, keep), name="understand", daemon=True
        ).start()
        return job

    def _work(self, key: Key, job: _Job, understand: Callable[[str], Understanding], keep: bool) -> None:
        try:
            job.found = understand(key[1])
        except Exception as error:  # noqa: BLE001  (a search must outlive its maker; the answer says that it failed)
            # The message of a fault may quote the query: the log gets its kind alone.
            log.error("understanding for %s: %s", key[0], type(error).__name__)
        finally:
            with self._changed:
                del self._jobs[key]
                if keep and job.found is not None:
                    self._kept[key] = job.found
                    while len(self._kept) > self._most:
                        self._kept.popitem(last=False)
                self._changed.notify_all()
            job.done.set()

    @staticmethod
    def _waited(job: _Job, due: float) -> Understanding | Literal["late", "failed"]:
        if not job.done.wait(max(0.0, due - time.monotonic())):
            return "late"
        return "failed" if job.found is None else job.found
