"""Days and microseconds: a day begins at midnight UTC, and its last microsecond still belongs to it."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from mercer.data.splits.days import DAY, day_of, start_of


def test_a_day_begins_at_midnight_utc() -> None:
    assert start_of(date(1970, 1, 1)) == 0
    assert start_of(date(1970, 1, 3)) == 2 * 24 * 60 * 60 * 1_000_000
    # 2026-01-01T00:00:00Z is 1,767,225,600 seconds after the epoch.
    assert start_of(date(2026, 1, 1)) == 1_767_225_600_000_000


@given(
    st.dates(date(1900, 1, 1), date(2200, 1, 1)),
    st.one_of(st.just(0), st.just(DAY - 1), st.integers(0, DAY - 1)),
)
def test_every_instant_of_a_day_belongs_to_it_and_no_other_does(when: date, offset: int) -> None:
    assert day_of(start_of(when) + offset) == when
    assert day_of(start_of(when) - 1) < when < day_of(start_of(when) + DAY)
