from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from mercer.data.zones import find_zone, pieces
from mercer.errors import BriefError

HOUR = 3_600_000_000
YEAR_2011, YEAR_2012 = 1_293_840_000_000_000, 1_325_376_000_000_000


def test_a_year_in_london_has_three_pieces() -> None:
    found = pieces(ZoneInfo("Europe/London"), YEAR_2011, YEAR_2012)
    assert [piece.offset for piece in found] == [0, HOUR, 0]
    # 27 March 02:00 and 30 October 02:00, local.
    assert [piece.start for piece in found[1:]] == [1_301_191_200_000_000, 1_319_940_000_000_000]


def test_utc_is_one_piece() -> None:
    assert [piece.offset for piece in pieces(ZoneInfo("UTC"), YEAR_2011, YEAR_2012)] == [0]


def test_absurd_years_do_not_hold_it_up() -> None:
    assert pieces(ZoneInfo("Europe/London"), -(2**62), 2**62)[-1].offset in (0, HOUR)


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(BriefError, match=r"timezone: no time zone is called 'Mars'"):
        find_zone("Mars", "timezone")
