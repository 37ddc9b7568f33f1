"""Work with a deadline: threads that can't pile up, and a memory of what came of it.

Work that is late goes on in its thread. A thread that hangs is never ended; when every thread is held by work that is
late, no further one is started and the caller is told at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

log = logging.getLogger("mercer.serving")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What came of work in time. value: None unless `how` is `done`. seconds: the caller's wait."""

    how: Literal["done", "late", "failed"]
    value: T | None
    seconds: float


@dataclass(slots=True, eq=False)
class _Job(Generic[T]):
    """Work that goes on. due: when whoever asked last stops waiting, seconds of the monotonic clock."""

    due: float
    done: threading.Event = field(default_factory=threading.Event)
    value: T | None = None
    refused: Exception | None = None


class Crew(Generic[T]):
    """Works in at most `threads` threads, and keeps the latest `kept` results, in memory alone.

    doing: what it does, for the log and its threads' names. refusals: kinds of faults that are the caller's and are
    raised again; any other is logged by its kind alone. Safe to use from several threads.
    """

    def __init__(
        self, doing: str, *, threads: int, kept: int = 0, refusals: tuple[type[Exception], ...] = ()
    ) -> None:
        self._doing = doing
        self._threads = threads
        self._most = kept
        self._refusals = refusals
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._jobs: dict[Hashable, _Job[T]] = {}
        self._changed = threading.Condition()

    @property
    def at_work(self) -> int:
        """Pieces of work that go on now, late ones included."""
        return len(self._jobs)

    def ask(
        self, key: Hashable, target: str, work: Callable[[], T], seconds: float, *, keep: bool = False
    ) -> Outcome[T]:
        """What `work` gives within `seconds`; who asks for the same `key` shares it. target: for the log.

        keep: whether the result may stay in memory for the next call. Raises what `work` refused.
        """
        begun = time.monotonic()
        due = begun + seconds
        found = self._found_or_begun(key, target, work, due, keep=keep)
        if not isinstance(found, _Job):
            return Outcome("late" if found is None else "done", found, time.monotonic() - begun)
        finished = found.done.wait(max(0.0, due - time.monotonic()))
        waited = time.monotonic() - begun
        if not finished:
            return Outcome("late", None, waited)
        if found.refused is not None:
            raise found.refused
        return Outcome("failed" if found.value is None else "done", found.value, waited)

    def _found_or_begun(
        self, key: Hashable, target: str, work: Callable[[], T], due: float, *, keep: bool
    ) -> T | _Job[T] | None:
        """What is kept, or the work, begun as soon as a thread is free; None when none will be in time."""
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
                    return self._begin(key, target, work, due, keep=keep)
                now = time.monotonic()
                hoped = min(due, max(job.due for job in self._jobs.values()))
                if now >= hoped:
                    return None
                self._changed.wait(hoped - now)

    def _begin(self, key: Hashable, target: str, work: Callable[[], T], due: float, *, keep: bool) -> _Job[T]:
        job: _Job[T] = _Job(due)
        self._jobs[key] = job
        threading.Thread(
            target=self._work, args=(key, target, job, work, keep), name=self._doing, daemon=True
        ).start()
        return job

    def _work(self, key: Hashable, target: str, job: _Job[T], work: Callable[[], T], keep: bool) -> None:
        try:
            job.value = work()
        except self._refusals as fault:
            job.refused = fault
        except Exception as fault:  # noqa: BLE001  (a shop must outlive its models; the answer says that one failed)
            # The message of a fault may quote a query or a history: the log gets its kind alone.
            log.error("%s for %s: %s", self._doing, target, type(fault).__name__)
        finally:
            with self._changed:
                del self._jobs[key]
                if keep and job.value is not None:
                    self._kept[key] = job.value
                    while len(self._kept) > self._most:
                        self._kept.popitem(last=False)
                self._changed.notify_all()
            job.done.set()
