from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mercer.language.remote.rate import Bucket


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        return self.at


@given(limit=st.integers(1, 500), gaps=st.lists(st.floats(0, 30), min_size=1, max_size=300))
def test_no_minute_has_more_requests_than_allowed(limit: int, gaps: list[float]) -> None:
    clock = Clock()
    bucket = Bucket(limit, clock)
    times = []
    for gap in gaps:
        clock.at += gap
        times.append(clock.at + bucket.take(1))
    times.sort()
    for first, time in enumerate(times):
        within = sum(time <= other < time + 60 - 1e-6 for other in times[first:])
        assert within <= limit


def test_nothing_waits_where_no_rate_is_set() -> None:
    bucket = Bucket(None, Clock())
    assert [bucket.take(10**9) for _ in range(3)] == [0.0] * 3


def test_a_request_of_more_tokens_than_the_bucket_waits_its_share() -> None:
    clock = Clock()
    bucket = Bucket(600, clock)
    assert bucket.take(100) == 0.0
    assert 59 < bucket.take(500) <= 61


def test_what_was_not_used_is_given_back() -> None:
    bucket = Bucket(600, Clock())
    bucket.take(600)
    bucket.give_back(550)
    assert bucket.take(50) == 0.0
