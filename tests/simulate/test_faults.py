"""Planted rows: the sound table is what is left without them, and cleaning catches each under its rule."""

from pathlib import Path

import pandas as pd
import phonenumbers
import pyarrow.parquet as pq
import pytest
from stdnum import luhn

from mercer.brief import Brief
from mercer.simulate import ShopOptions, Truth, demo_brief, write_shop
from mercer.simulate.faults import FAULTS, LONG_TEXT
from mercer.simulate.personal import card_number, email, phone

RULES = {
    "unreadable-time", "future-time", "missing-user", "missing-item", "bad-quantity", "bad-amount",
    "duplicate-event", "conflicting-event", "nul-bytes", "text-too-long", "card-number-in-text", "unknown-item",
    "item-without-title", "zero-price",
}  # fmt: skip


@pytest.fixture(scope="module")
def planted(small: Path) -> pd.DataFrame:
    return Truth.load(small).planted()


def test_every_rule_has_rows_that_it_must_catch(planted: pd.DataFrame) -> None:
    assert set(planted["rule"]) == RULES == {fault.rule for fault in FAULTS}
    assert not planted.duplicated(["table", "row"]).any()


def test_without_planted_rows_the_sound_table_is_left(
    small: Path, planted: pd.DataFrame, tmp_path: Path
) -> None:
    options = ShopOptions(users=300, items=120, months=6, judged_queries=40, seed=1, faults=False)
    write_shop(tmp_path, options)
    for name in ("events", "items", "judgments"):
        raw = pq.read_table(small / f"{name}.parquet").to_pandas()
        rows = planted.loc[planted["table"] == name, "row"]
        kept = raw.drop(index=rows).reset_index(drop=True)
        sound = pq.read_table(tmp_path / f"{name}.parquet").to_pandas()
        if name == "events":
            kept["time"] = (
                pd.to_datetime(kept["time"], utc=True).dt.tz_localize(None).astype("datetime64[us]")
            )
            kept["amount_minor"] = kept["amount_minor"].astype("int64")
        pd.testing.assert_frame_equal(kept, sound)


def test_each_planted_event_has_its_fault(small: Path, planted: pd.DataFrame) -> None:
    events = pq.read_table(small / "events.parquet").to_pandas()
    rule = planted[planted["table"] == "events"].set_index("row")["rule"]
    rows = events.loc[rule.index].assign(rule=rule)
    assert rows.loc[rows["rule"] == "missing-user", "user"].fillna("").str.strip().eq("").all()
    assert (rows.loc[rows["rule"] == "future-time", "time"] > "2026-10-02").all()
    assert rows.loc[rows["rule"] == "nul-bytes", "channel"].str.contains("\0").all()
    first = events.drop_duplicates("event").set_index("event")
    for row in rows.index[rows["rule"].isin(["duplicate-event", "conflicting-event"])]:
        same = events.loc[row].drop("event").equals(first.loc[events.loc[row, "event"]])
        assert same == (rows.loc[row, "rule"] == "duplicate-event")
        assert events.loc[row, "event"] in set(events.loc[: row - 1, "event"])


def test_ingest_catches_every_planted_row_under_its_rule_and_no_other(
    small: Path, planted: pd.DataFrame, tmp_path: Path
) -> None:
    from mercer.data import ingest

    accounting = ingest(Brief.load(demo_brief()), data_folders=(small,), out=tmp_path)
    caught = pd.concat(
        [
            pd.read_parquet(tmp_path / "quarantine" / f"{name}.parquet")[["row", "rule"]].assign(table=name)
            for name in accounting.tables
        ]
    )
    found = caught.sort_values(["table", "row"])[["table", "row", "rule"]].reset_index(drop=True)
    expected = planted.sort_values(["table", "row"])[["table", "row", "rule"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_personal_data_are_gone_from_cleaned_queries(small: Path, tmp_path: Path) -> None:
    from mercer.data import ingest

    ingest(Brief.load(demo_brief()), data_folders=(small,), out=tmp_path)
    typed = Truth.load(small).personal()
    query = pd.read_parquet(tmp_path / "requests.parquet").set_index("request")["query"]
    raw = pd.read_parquet(small / "requests.parquet").set_index("request")["query"]
    assert set(typed["kind"]) == {"email", "phone"}
    for request, kind in typed[["request", "kind"]].to_numpy().tolist():
        assert ("@" if kind == "email" else "+") in raw[request]
        assert "@" not in query[request]
        assert not any(letter.isdigit() for letter in query[request].split("order ")[-1][-8:])


def test_ingest_mends_the_rows_recorded_for_it_and_keeps_them(small: Path, tmp_path: Path) -> None:
    from mercer.data import ingest

    accounting = ingest(Brief.load(demo_brief()), data_folders=(small,), out=tmp_path)
    mended = Truth.load(small).mended()
    counted = {
        (name, one.rule): one.count
        for name, table in accounting.tables.items()
        for one in table.rules
        if one.rule in ("age-out-of-range", "email-in-text", "phone-in-text") and one.count
    }
    assert counted == mended.groupby(["table", "rule"]).size().to_dict()
    assert set(mended["rule"]) == {"age-out-of-range", "email-in-text", "phone-in-text"}
    raw = pd.read_parquet(small / "users.parquet")
    odd = mended.loc[mended["table"] == "users", "row"]
    assert not raw.loc[odd, "age"].between(0, 120).any()
    clean = pd.read_parquet(tmp_path / "users.parquet").set_index("user")
    assert clean.loc[raw.loc[odd, "user"], "age"].isna().all()
    assert raw.drop(index=odd)["age"].dropna().between(0, 120).all()
    queries = pd.read_parquet(small / "requests.parquet")["query"]
    typed = mended[mended["table"] == "requests"].set_index("row")["rule"]
    assert queries[typed.index].str.contains("@").eq(typed == "email-in-text").all()


@pytest.mark.parametrize("n", range(21))
def test_made_up_card_numbers_have_a_right_check_digit(n: int) -> None:
    digits = card_number(n).replace(" ", "").replace("-", "")
    assert luhn.is_valid(digits)
    assert len(digits) in (15, 16)


def test_phone_numbers_can_be_recognised_and_addresses_are_examples() -> None:
    for n in range(6):
        assert list(phonenumbers.PhoneNumberMatcher(f"call {phone(n)} now", "GB"))
        assert email(n).rpartition("@")[2].removeprefix("mail.").startswith("example.")


def test_the_long_text_is_of_a_million_characters() -> None:
    assert len(LONG_TEXT) >= 1_000_000
