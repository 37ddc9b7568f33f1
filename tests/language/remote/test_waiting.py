from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.language.remote.waiting import LONGEST, LONGEST_ASKED, Jitter, asked_wait

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None), ("7", 7.0), (" 0.5 ", 0.5), ("0", 0.0), ("99999", LONGEST_ASKED), ("-1", None), ("soon", None),
        ("", None), ("1e9", None), ("inf", None), ("٣", None),
        (format_datetime(NOW + timedelta(seconds=9), usegmt=True), 9.0),
        (format_datetime(NOW - timedelta(days=9), usegmt=True), 0.0),
        (format_datetime(NOW + timedelta(days=9), usegmt=True), LONGEST_ASKED),
    ],
)  # fmt: skip
def test_what_a_server_asks_for(header: str | None, seconds: float | None) -> None:
    assert asked_wait(header, NOW) == seconds


@given(st.text(max_size=60))
def test_no_header_breaks_it(header: str) -> None:
    seconds = asked_wait(header, NOW)
    assert seconds is None or 0 <= seconds <= LONGEST_ASKED


@given(seed=st.integers(), attempt=st.integers(1, 1_000), asked=st.none() | st.floats(0, LONGEST_ASKED))
def test_waits_are_within_their_bounds(seed: int, attempt: int, asked: float | None) -> None:
    seconds = Jitter(seed).wait(attempt, asked)
    assert (asked or 0) <= seconds <= (asked or 0) + min(LONGEST, 0.5 * 2.0 ** (attempt - 1))


def test_equal_seeds_wait_alike_and_others_do_not() -> None:
    waits = [[Jitter(seed).wait(6, None) for _ in range(1)] for seed in (1, 1, 2)]
    assert waits[0] == waits[1] != waits[2]
    drawn = [Jitter(seed).wait(6, None) for seed in range(400)]
    assert min(drawn) < 1.6, "full jitter: a wait may be short"
    assert max(drawn) > 14.4
