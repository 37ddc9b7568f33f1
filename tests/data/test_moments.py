from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.data.moments import to_time
from mercer.errors import BriefError, DataError


def read(texts: list[object], zone: str | None = "UTC") -> list[str]:
    """ISO text in UTC; "" where nothing was said, "bad" where it is no time."""
    value, bad = to_time(pd.Series(texts), zone, "InvoiceDate")
    return [
        "bad" if wrong else "" if pd.isna(time) else time.isoformat()
        for time, wrong in zip(value, bad, strict=True)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T10:20:30Z", "2026-03-01T10:20:30"), ("2026-03-01 10:20:30.25", "2026-03-01T10:20:30.250000"),
        ("2026-03-01", "2026-03-01T00:00:00"), ("2026-03-01 8:05", "2026-03-01T08:05:00"),
        ("2026-03-01T10:20:30+02:00", "2026-03-01T08:20:30"), ("2026-03-01 10:20 -0530", "2026-03-01T15:50:00"),
        ("20260301", "2026-03-01T00:00:00"), ("1 Mar 2026 10:20", "2026-03-01T10:20:00"),
        ("March 1, 2026 1:20 PM", "2026-03-01T13:20:00"), ("Sun, 01 Mar 2026 10:20:30 GMT", "2026-03-01T10:20:30"),
        ("13/03/2026 10:20", "2026-03-13T10:20:00"), ("3/13/2026 12:05 AM", "2026-03-13T00:05:00"),
        ("1772360430", "2026-03-01T10:20:30"), ("1772360430250", "2026-03-01T10:20:30.250000"),
        ("1772360430250000", "2026-03-01T10:20:30.250000"), ("1772360430250000000", "2026-03-01T10:20:30.250000"),
        ("", ""), ("  ", ""), (None, ""),
        ("yesterday", "bad"), ("12:30", "bad"), ("5", "bad"), ("2026", "bad"), ("2026-13-45T99:00:00Z", "bad"),
        ("0000-00-00 00:00:00", "bad"), ("2026-02-30", "bad"), ("2026-03-01T24:00:00", "bad"), ("31/31/2026", "bad"),
        ("01/03/26", "bad"), ("1 Foo 2026", "bad"), ("13:99", "bad"), ("2026-03-01 13:20 PM", "bad"),
    ],
)  # fmt: skip
def test_a_time_is_read_only_where_it_can_mean_one_thing(text: str | None, expected: str) -> None:
    assert read([text, "2026-01-01T00:00:00Z"])[0] == expected


def test_one_date_tells_whether_the_day_comes_first_for_the_whole_column() -> None:
    assert read(["03/04/2011 08:26", "12/31/2010 09:00"]) == ["2011-03-04T08:26:00", "2010-12-31T09:00:00"]
    assert read(["03/04/2011 08:26", "31/12/2010 09:00"]) == ["2011-04-03T08:26:00", "2010-12-31T09:00:00"]
    assert read(["04/04/2011"]) == ["2011-04-04T00:00:00"]


def test_dates_that_could_be_two_days_are_refused() -> None:
    with pytest.raises(DataError, match=r"'InvoiceDate': day and month can't be told apart\. Say `day_first"):
        read(["03/04/2011", "05/06/2011"])
    with pytest.raises(DataError, match="some dates begin with the day, others with the month"):
        read(["13/04/2011", "04/13/2011"])


def test_a_few_such_dates_among_clear_ones_are_unreadable_and_it_says_so() -> None:
    texts = ["03/04/2011", "2011-04-03", "2011-04-04", "4 Apr 2011"]
    assert read(texts)[0] == "bad"
    notes: list[str] = []
    to_time(pd.Series(texts), "UTC", "when", notes=notes)
    assert notes == [
        "dates of 'when': day and month can't be told apart, so 1 different ones are unreadable, unless the brief says "
        "`day_first`"
    ]


@pytest.mark.parametrize(("day_first", "expected"), [(True, "2011-04-03"), (False, "2011-03-04")])
def test_the_brief_may_say_which_comes_first(day_first: bool, expected: str) -> None:
    notes: list[str] = []
    value, bad = to_time(
        pd.Series(["03/04/2011", "2011-05-06", "13/04/2011", "04/13/2011"]), "UTC", "when", day_first=day_first,
        notes=notes,
    )  # fmt: skip
    assert str(value[0].date()) == expected
    assert bad.tolist() == [False, False, not day_first, day_first]
    assert notes == []


def test_what_the_column_shows_is_said() -> None:
    notes: list[str] = []
    value, _ = to_time(pd.Series(["03/04/2011", "13/04/2011", "01/02/2011"]), "UTC", "when", notes=notes)
    assert [str(one.date()) for one in value] == ["2011-04-03", "2011-04-13", "2011-02-01"]
    assert notes == [
        "dates of 'when' such as 03/04 are read with the day first, as 1 of its 3 different ones show"
    ]
    to_time(pd.Series(["13/04/2011", "14/04/2011"]), "UTC", "when", notes=notes)
    assert len(notes) == 1, "dates that can only be one day need no word"


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.dates(min_value=date(1990, 1, 1)), min_size=1, max_size=30).filter(
        lambda days: any(day.day > 12 for day in days)
    ),
    st.booleans(),
)
def test_one_day_beyond_the_twelfth_tells_for_all(days: list[date], day_first: bool) -> None:
    texts = [day.strftime("%d/%m/%Y" if day_first else "%m/%d/%Y") for day in days]
    assert read(list(texts)) == [f"{day.isoformat()}T00:00:00" for day in days]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_any_resolution_are_read_to_the_microsecond(unit: str) -> None:
    instant = pd.Timestamp("2026-03-01T10:20:30.123456789Z").as_unit("ns")
    plain = pd.Series([instant.tz_localize(None), pd.NaT]).astype(f"datetime64[{unit}]")
    step = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 1}[unit]
    expected = instant.value // 1_000 // step * step
    for column in (
        plain,
        plain.dt.tz_localize("UTC"),
        plain.dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"),
    ):
        value, bad = to_time(column, "UTC", "t")
        assert value.dtype == "datetime64[us]"
        assert int(value.astype("int64")[0]) == expected
        assert pd.isna(value[1])
        assert not bad.any()


def test_times_without_a_zone_need_one() -> None:
    for column in (["2026-03-01 10:00"], pd.Series(["2026-03-01 10:00"]).astype("datetime64[us]")):
        with pytest.raises(DataError, match=r"'time': its times carry no zone\. Give `timezone`"):
            to_time(pd.Series(column), None, "time")
    assert read(["2026-03-01T10:00:00Z"], None) == ["2026-03-01T10:00:00"]
    assert read([1772360430], None) == ["2026-03-01T10:20:30"]


def test_an_unknown_zone_names_the_nearest() -> None:
    with pytest.raises(BriefError, match="Europe/London"):
        read(["2026-03-01 10:00"], "Europe/Londn")


def test_when_clocks_change_the_first_reading_counts() -> None:
    # London 2011: 01:00 to 02:00 was skipped on 27 March and came twice on 30 October.
    spring = ["2011-03-27 00:59:59", "2011-03-27 01:30:00", "2011-03-27 02:00:00"]
    assert read(spring, "Europe/London") == [
        "2011-03-27T00:59:59", "2011-03-27T01:30:00", "2011-03-27T01:00:00",
    ]  # fmt: skip
    autumn = ["2011-10-30 00:30:00", "2011-10-30 01:30:00", "2011-10-30 02:00:00"]
    assert read(autumn, "Europe/London") == [
        "2011-10-29T23:30:00", "2011-10-30T00:30:00", "2011-10-30T02:00:00",
    ]  # fmt: skip
    naive = pd.Series(autumn).astype("datetime64[us]")
    assert to_time(naive, "Europe/London", "t")[0].astype(str).tolist()[1] == "2011-10-30 00:30:00"


@settings(max_examples=50, deadline=None)
@given(
    st.datetimes(*map(datetime.fromisoformat, ("1975-01-01", "2037-01-01"))),
    st.sampled_from(["Europe/London", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]),
)
def test_local_times_are_those_of_the_zone_database(local: datetime, zone: str) -> None:
    expected = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)
    value, bad = to_time(pd.Series([local.isoformat(" ")]), zone, "t")
    assert not bad[0]
    assert value[0].to_pydatetime() == expected


@settings(max_examples=40, deadline=None)
@given(
    st.datetimes(*map(datetime.fromisoformat, ("1900-01-01", "2100-01-01"))), st.integers(-14 * 60, 14 * 60)
)
def test_a_time_with_an_offset_is_read_whatever_the_zone(local: datetime, minutes: int) -> None:
    aware = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    value, _ = to_time(pd.Series([aware.isoformat()]), "Asia/Tokyo", "t")
    assert value[0].to_pydatetime() == aware.astimezone(UTC).replace(tzinfo=None)


def test_zoned_columns_keep_the_instant() -> None:
    column = pd.Series(pd.to_datetime(["2026-03-01T10:00:00+02:00"]))
    assert to_time(column, None, "t")[0].astype(str).tolist() == ["2026-03-01 08:00:00"]
