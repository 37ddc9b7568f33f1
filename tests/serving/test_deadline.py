from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from mercer.search.understanding import Understanding
from mercer.serving.deadline import DeadlineReader, Read

AMPLE = 20.0
SHORT = 0.05


class Maker:
    """Understands a query once `go` is set; remembers what it was asked and how many were at work at once."""

    def __init__(self, *, at_once: bool = True) -> None:
        self.go = threading.Event()
        self.asked: list[str] = []
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()
        if at_once:
            self.go.set()

    def understand(self, query: str) -> Understanding:
        with self._lock:
            self.asked.append(query)
            self._now += 1
            self.most = max(self.most, self._now)
        self.go.wait(AMPLE)
        with self._lock:
            self._now -= 1
        return Understanding(query=query.upper())


def reader_of(threads: int = 2, kept: int = 3) -> DeadlineReader:
    return DeadlineReader(threads=threads, kept=kept)


def asked(
    reader: DeadlineReader,
    understand: Callable[[str], Understanding],
    query: str = "mug",
    seconds: float = AMPLE,
    **changes: bool,
) -> Read:
    return reader.read("find", query, understand, seconds, keep=changes.get("keep", True))


def finished(reader: DeadlineReader) -> None:
    """Wait until nothing is at work."""
    end = time.monotonic() + AMPLE
    while reader.at_work:
        assert time.monotonic() < end
        time.sleep(0.005)


def test_what_is_in_time_is_understood_and_not_asked_for_again() -> None:
    maker, reader = Maker(), reader_of()
    first, second = asked(reader, maker.understand), asked(reader, maker.understand)
    assert first.how == second.how == "understood"
    assert first.understanding == second.understanding == Understanding(query="MUG")
    assert maker.asked == ["mug"]


def test_a_late_query_goes_on_and_is_there_for_the_next_call() -> None:
    maker, reader = Maker(at_once=False), reader_of()
    late = asked(reader, maker.understand, seconds=SHORT)
    assert (late.how, late.understanding) == ("late", None)
    assert late.seconds >= SHORT
    maker.go.set()
    finished(reader)
    assert asked(reader, maker.understand, seconds=SHORT).how == "understood"
    assert maker.asked == ["mug"]


def test_the_same_query_is_at_work_once_however_many_ask() -> None:
    maker, reader = Maker(at_once=False), reader_of()
    with ThreadPoolExecutor(8) as pool:
        reads = [pool.submit(asked, reader, maker.understand) for _ in range(8)]
        time.sleep(SHORT)
        maker.go.set()
        assert {read.result().how for read in reads} == {"understood"}
    assert maker.asked == ["mug"]


def test_queries_of_two_targets_are_apart() -> None:
    maker, reader = Maker(), reader_of()
    for target in ("find", "other"):
        reader.read(target, "mug", maker.understand, AMPLE, keep=True)
    assert maker.asked == ["mug", "mug"]


def test_a_busy_maker_is_waited_for_while_it_may_still_be_in_time() -> None:
    maker, reader = Maker(), reader_of(threads=1)
    with ThreadPoolExecutor(12) as pool:
        reads = [pool.submit(asked, reader, maker.understand, f"mug {n}") for n in range(12)]
        assert {read.result().how for read in reads} == {"understood"}
    assert maker.most == 1


def test_hanging_queries_hold_no_more_threads_than_there_are_and_others_are_told_at_once() -> None:
    maker, reader = Maker(at_once=False), reader_of(threads=2)
    before = threading.active_count()
    for query in ("one", "two"):
        assert asked(reader, maker.understand, query, SHORT).how == "late"
    assert threading.active_count() - before <= 2
    assert reader.at_work == 2
    refused = asked(reader, maker.understand, "three", AMPLE)
    assert refused.how == "late"
    assert refused.seconds < AMPLE / 2
    assert maker.asked == ["one", "two"]
    maker.go.set()
    finished(reader)
    assert asked(reader, maker.understand, "three").how == "understood"


def test_the_longest_unused_result_goes_first() -> None:
    maker, reader = Maker(), reader_of(kept=2)
    for query in ("a", "b", "a", "c", "a", "b"):
        asked(reader, maker.understand, query)
    assert maker.asked == ["a", "b", "c", "b"]


def test_what_is_not_to_be_kept_is_not_kept() -> None:
    maker, reader = Maker(), reader_of()
    for _ in range(2):
        assert asked(reader, maker.understand, keep=False).how == "understood"
    assert maker.asked == ["mug", "mug"]


def test_a_maker_that_breaks_is_told_of_and_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    reader = reader_of()

    def broken(query: str) -> Understanding:
        raise RuntimeError(query)

    with caplog.at_level(logging.ERROR, "mercer.serving"):
        read = asked(reader, broken, "secret wish")
    assert (read.how, read.understanding) == ("failed", None)
    assert "RuntimeError" in caplog.text
    assert "secret wish" not in caplog.text
    assert asked(reader, Maker().understand, "secret wish").how == "understood"
