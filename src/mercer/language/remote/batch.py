"""Many calls at once: bounded, in order, and ended by the first error without losing what is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from mercer.contracts import Progress
from mercer.errors import SpentError

T = TypeVar("T")


class SpentPartwayError(SpentError):
    """A budget that ended in the middle of many calls.

    results: an answer for each call that was finished, None for the others, in the order of the calls.
    """

    def __init__(self, fault: SpentError, results: Sequence[Any]) -> None:
        self.results = tuple(results)
        done = sum(one is not None for one in self.results)
        super().__init__(
            f"{done} of {len(self.results)} answers are there. {fault.message}", remedy=fault.remedy
        )


def run_batch(call: Callable[[int], T], n: int, most: int, progress: Progress) -> list[T]:
    """`call(0)` to `call(n - 1)`, at most `most` at once, results in order.

    The first error ends it: nothing new is begun, and what is under way is waited for. A SpentError is raised as
    SpentPartwayError; with several errors that one wins, else the first.
    """
    results: list[T | None] = [None] * n
    faults: list[BaseException] = []
    pending: dict[Future[T], int] = {}
    begun = done = 0
    with ThreadPoolExecutor(max_workers=most, thread_name_prefix="remote") as pool:
        while pending or (begun < n and not faults):
            while begun < n and len(pending) < most and not faults:
                pending[pool.submit(call, begun)] = begun
                begun += 1
            finished, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in finished:
                at = pending.pop(future)
                fault = future.exception()
                if fault is None:
                    results[at] = future.result()
                    done += 1
                    progress.advance(done, n)
                else:
                    faults.append(fault)
    spent = next((fault for fault in faults if isinstance(fault, SpentError)), None)
    if spent is not None:
        raise SpentPartwayError(spent, results) from None
    if faults:
        raise faults[0]
    return [one for one in results if one is not None]
