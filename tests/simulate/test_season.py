from datetime import date

import numpy as np
import pytest

from mercer.simulate.options import ShopOptions, stream
from mercer.simulate.season import BUSY_BY_MONTH, Calendar, microseconds

YEAR = Calendar.ending(date(2026, 9, 30), 12)


def test_a_log_of_whole_months_ends_with_the_last_day() -> None:
    assert YEAR.start_us == microseconds(date(2025, 10, 1))
    assert YEAR.end_us == microseconds(date(2026, 10, 1))
    assert YEAR.length_days == 365


def test_business_of_the_first_month_is_its_days_times_how_busy_it_is() -> None:
    october = BUSY_BY_MONTH[9]
    np.testing.assert_allclose(YEAR.business(np.array([0.0, 10.0, 31.0])), [0, 10 * october, 31 * october])


def test_clock_undoes_business() -> None:
    days = np.linspace(0, 700, 501)
    np.testing.assert_allclose(YEAR.clock(YEAR.business(days)), days, atol=1e-9)


def test_months_are_counted_from_the_first_day() -> None:
    assert YEAR.month(np.array([0.0, 30.99, 31.0, 364.9])).tolist() == [0, 0, 1, 11]
    assert YEAR.month_of_year[:4].tolist() == [9, 10, 11, 0]


def test_the_last_day_must_end_its_month() -> None:
    with pytest.raises(ValueError, match="not the last day of its month"):
        ShopOptions(last_day=date(2026, 9, 29))


def test_streams_with_other_names_differ_and_equal_ones_agree() -> None:
    first, same, other = (stream(3, *names).random(4) for names in (("a", 1), ("a", 1), ("a", 2)))
    assert first.tolist() == same.tolist()
    assert not np.isin(first, other).any()
