"""A pandas frame from Python: nanosecond times, time zones, currencies, and whatever types columns have there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mercer.brief import Brief
from mercer.errors import BriefError, DataError
from mercer.pipeline.sources import opened

from .made import Cleaned, brief_of, clean

NANO = pd.to_datetime(["2026-03-01 10:00:00.123456789", "2026-03-29 01:30:00.000000000", None])


def cleaned(frame: pd.DataFrame, folder: Path, **source: Any) -> Cleaned:
    brief = brief_of({"events": {"source": "log", **source}})
    with opened(brief, {"events": frame}) as (loaded, folders):
        return clean(loaded, folders[0], folder)


def log(**columns: Any) -> pd.DataFrame:
    plain = {
        "event": ["a", "b"],
        "user": ["ann", "bob"],
        "item": ["mug", "mug"],
        "time": NANO[:2].tz_localize("UTC"),
    }
    return pd.DataFrame({**plain, **columns})


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu"])
def test_an_instant_is_the_same_in_any_zone_and_resolution(tmp_path: Path, unit: str, zone: str) -> None:
    instants = pd.Series(NANO[:2].tz_localize("UTC")).dt.tz_convert(zone).dt.as_unit(unit)
    kept = cleaned(log(time=instants), tmp_path).kept().set_index("event")
    expected = pd.Series(NANO[:2]).dt.as_unit(unit).dt.floor("us").astype("datetime64[us]")
    assert kept["time"].tolist() == expected.tolist()


def test_a_time_without_a_zone_is_local_in_the_zone_of_the_brief(tmp_path: Path) -> None:
    frame = log(time=NANO[:2])
    with pytest.raises(DataError, match=r"'time': its times carry no zone\. Give `timezone`"):
        cleaned(frame, tmp_path)
    kept = cleaned(frame, tmp_path, timezone="Europe/Berlin").kept()
    assert kept["time"].astype(str).tolist() == ["2026-03-01 09:00:00.123456", "2026-03-29 00:30:00.000000"]


@pytest.mark.parametrize(
    "times",
    [
        [pd.Timestamp("2026-03-01T10:00:00Z"), pd.Timestamp("2026-03-01T05:00:00-05:00")],
        ["2026-03-01T10:00:00Z", "2026-03-01T11:00:00+01:00"],
        [1_772_359_200, 1_772_359_200_000_000_000],
        [1_772_359_200.0, 1_772_359_200.0],
    ],
)
def test_times_as_objects_text_and_numbers(tmp_path: Path, times: list[Any]) -> None:
    kept = cleaned(log(time=times), tmp_path).kept()
    assert kept["time"].astype(str).tolist() == ["2026-03-01 10:00:00"] * 2


def test_a_missing_time_goes_to_quarantine(tmp_path: Path) -> None:
    found = cleaned(log(time=[NANO[0].tz_localize("UTC"), pd.NaT]), tmp_path)
    assert found.reasons() == {1: "unreadable-time"}


def test_the_index_and_categories_of_a_frame_do_not_matter(tmp_path: Path) -> None:
    frame = log(
        item=pd.Categorical(["mug", "lamp"]),
        amount=pd.array([2.5, None], "Float64"),
        quantity=pd.array([1, 2], "Int8"),
    )
    plain = cleaned(frame, tmp_path / "plain", currency="EUR").kept()
    turned = cleaned(frame.set_index(pd.Index([7, 7])), tmp_path / "turned", currency="EUR").kept()
    pd.testing.assert_frame_equal(plain, turned)
    assert plain["amount_minor"].astype("Int64").tolist() == [250, pd.NA]


@pytest.mark.parametrize(("currency", "minor"), [("EUR", 1250), ("JPY", 12), ("KWD", 12_500)])
def test_a_declared_currency_decides_the_minor_units(tmp_path: Path, currency: str, minor: int) -> None:
    frame = log(amount=[12.5, 12.5] if currency != "JPY" else [12.0, 12.0])
    kept = cleaned(frame, tmp_path, currency=currency).kept()
    assert kept["amount_minor"].tolist() == [minor] * 2
    assert kept["currency"].tolist() == [currency] * 2


def test_amounts_in_several_currencies_are_kept_apart_and_it_says_so(tmp_path: Path) -> None:
    found = cleaned(log(amount=[5, 5], currency=["EUR", "JPY"]), tmp_path)
    assert found.kept()["amount_minor"].tolist() == [500, 5]
    assert found.accounting.tables["events"].notes == (
        "amounts are in EUR and JPY; sums over them add minor units as if they were of one currency, so convert them "
        "in the source where money is to be predicted",
    )
    assert (
        cleaned(log(amount=[5, 5]), tmp_path / "one", currency="EUR").accounting.tables["events"].notes == ()
    )


def test_a_currency_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BriefError, match=r"data\.events\.currency: 'euro' is no currency"):
        cleaned(log(), tmp_path, currency="euro")


def test_a_column_of_mixed_types_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\['events'\]: a column mixes types that no file can hold"):
        cleaned(log(item=["mug", {"a": 1}]), tmp_path)


def test_frames_stand_for_files_and_leave_nothing_behind(tmp_path: Path) -> None:
    brief: Brief = brief_of({"events": {"source": "log.csv"}})
    with opened(brief, {"events": log()}) as (loaded, folders):
        place = folders[0]
        assert (place / "events.parquet").is_file()
        assert loaded.data.events is not None
        assert loaded.data.events.source == "events.parquet"
    assert not place.exists()


def test_text_that_no_file_can_hold_is_refused(tmp_path: Path) -> None:
    """As where bytes were read with errors="surrogateescape"."""
    frame = log(item=pd.Series(["caf\udce9", "mug"], dtype=object))
    with pytest.raises(DataError, match=r"data\['events'\] holds text that no UTF-8 can hold") as refused:
        cleaned(frame, tmp_path)
    assert "own encoding" in refused.value.remedy
