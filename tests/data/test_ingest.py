from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mercer.data import Tables, ingest
from mercer.data.ingest import sources_of
from mercer.errors import DataError, OutputError

from .made import EVENT, brief_of, clean, events, written

DIRTY: dict[str, list[Any]] = {
    "event": ["a", "b", "c", None, "d"],
    "user": ["u1", "u2", None, " ", "u\0"],
    "item": ["mug", "lamp", None, "POST", "22423"],
    "time": ["2026-03-01T10:00:00Z", "2026-03-02 09:00+01:00", "2031-01-01T00:00:00Z", "soon", None],
    "kind": ["purchase", "view", "return", None, "rent"],
    "quantity": ["1", "2", "-2", "0", "inf", "x", None],
    "amount_minor": ["250", "-250", "0", "2.5", "inf", None],
    "basket": ["1", "C1", None],
}


ROW = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in DIRTY.items()})


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, max_size=12), ids=st.booleans())
def test_every_row_is_kept_or_quarantined_whatever_it_holds(
    tmp_path: Path, rows: list[dict[str, Any]], ids: bool
) -> None:
    sound = {name: values[0] for name, values in DIRTY.items()}
    raw = [{**sound, "event": "sound"}, *rows]
    if not ids:
        raw = [{name: value for name, value in row.items() if name != "event"} for row in raw]
    brief = brief_of({"events": {"source": written(tmp_path, "log", raw)}})
    cleaned = clean(brief, tmp_path)
    count = cleaned.accounting.tables["events"]
    quarantined = cleaned.quarantined()
    assert count.kept + count.quarantined + count.merged == count.read == len(raw)
    assert len(cleaned.kept()) == count.kept
    assert (
        len(quarantined) == count.quarantined == sum(r.count for r in count.rules if r.action == "quarantine")
    )
    assert quarantined["row"].is_unique
    kept = cleaned.kept()
    assert kept["event"].is_unique
    assert (kept.loc[kept["kind"] == "return", "amount_minor"].fillna(0) <= 0).all()
    assert (kept.loc[kept["kind"] != "return", "amount_minor"].fillna(0) >= 0).all()


def test_the_same_source_gives_the_same_bytes_in_any_order_of_its_rows(tmp_path: Path) -> None:
    rows = [{**EVENT, "event": f"e{at:04d}", "user": f"u{at % 7}", "quantity": at % 5} for at in range(3_000)]
    found = []
    for name, order in (("a", rows), ("b", rows), ("c", rows[::-1])):
        folder = tmp_path / name
        folder.mkdir()
        cleaned = clean(brief_of({"events": {"source": written(folder, "log", order)}}), folder)
        found.append((cleaned.out / "events.parquet").read_bytes())
        accounts = json.loads((cleaned.out / "accounting.json").read_text())
        assert accounts == json.loads(json.dumps(cleaned.accounting.to_json()))
    assert found[0] == found[1] == found[2]


def test_quarantine_keeps_row_rule_reason_person_and_the_source_row(tmp_path: Path) -> None:
    cleaned = events(tmp_path, {}, {"user": "ann", "quantity": float("inf"), "channel": 'say "hi"\n'})
    (row,) = cleaned.quarantined().to_dict("records")
    assert (row["row"], row["rule"], row["user"]) == (1, "bad-quantity", "ann")
    assert row["reason"] == "zero, negative, not finite or over 1,000,000 units"
    content = json.loads(row["content"])
    assert content["quantity"] == "inf"
    assert content["channel"] == 'say "hi"\n'


def test_accounting_names_every_rule_also_those_that_found_nothing(tmp_path: Path) -> None:
    accounts = events(tmp_path, {}).accounting.to_json()
    rules = accounts["tables"]["events"]["rules"]
    assert accounts["schema"] == 1
    assert {rule["rule"] for rule in rules} >= {"future-time", "bad-amount", "cancellation"}
    assert all(rule["sentence"] and rule["count"] == 0 for rule in rules)


def test_a_log_of_which_nothing_is_left_names_the_rule(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"Every row of events was quarantined, 2 of 2 by future-time\..*decision day"
    ):
        events(tmp_path, {"time": "2031-01-01T00:00:00Z"}, {"time": "2031-01-02T00:00:00Z"})


def test_a_user_with_one_event_is_a_user(tmp_path: Path) -> None:
    assert events(tmp_path, {}).kept()["user"].tolist() == ["u1"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    brief = brief_of({"events": {"source": written(tmp_path, "log", [EVENT])}})
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=r"file.* can't be written \(.*\)\. Choose another folder"):
        ingest(brief, data_folders=(tmp_path,), out=tmp_path / "file")
    if os.geteuid():
        (tmp_path / "closed").mkdir(mode=0o500)
        with pytest.raises(OutputError, match="closed"):
            ingest(brief, data_folders=(tmp_path,), out=tmp_path / "closed")


def test_a_failed_ingest_leaves_no_half_written_table(tmp_path: Path) -> None:
    brief = brief_of(
        {"events": {"source": written(tmp_path, "log", [{**EVENT, "time": "2031-01-01T00:00:00Z"}])}}
    )
    with pytest.raises(DataError):
        clean(brief, tmp_path)
    assert [file.name for file in (tmp_path / "out").rglob("*") if file.is_file()] == []


def test_a_simulated_shop_is_every_canonical_table_of_its_folder(tmp_path: Path) -> None:
    for name in ("events", "items", "truth"):
        (tmp_path / f"{name}.parquet").touch()
    sources = sources_of(brief_of({"simulate": {}}), (tmp_path,))
    assert sorted(sources) == ["events", "items"]
    assert sources["events"].timezone == "UTC"


def test_ingest_writes_tables_quarantine_accounting_and_profile(tmp_path: Path) -> None:
    rows = [{**EVENT, "event": f"e{at}", "user": f"u{at % 3}"} for at in range(9)]
    brief = brief_of({"events": {"source": written(tmp_path, "log", rows)}})
    accounting = ingest(brief, data_folders=(tmp_path,), out=tmp_path / "out")
    assert accounting.tables["events"].kept == 9
    assert sorted(str(file.relative_to(tmp_path / "out")) for file in (tmp_path / "out").rglob("*.*")) == [
        "accounting.json", "events.parquet", "profile.html", "quarantine/events.parquet",
    ]  # fmt: skip
    assert Tables.load(tmp_path / "out").names == ("events",)
    assert pq.read_table(tmp_path / "out" / "quarantine" / "events.parquet").num_rows == 0


def test_csv_with_day_month_year_and_decimal_commas_goes_the_whole_way(tmp_path: Path) -> None:
    content = """CustomerID;StockCode;InvoiceDate;Quantity;UnitPrice
1;café;13/03/2026 10:00;2;1,25
2;mug;01/04/2026 10:00;1;2,50
"""
    (tmp_path / "log.csv").write_text(content, "cp1252")
    own = {
        "user": "CustomerID", "item": "StockCode", "time": "InvoiceDate", "quantity": "Quantity", "price": "UnitPrice",
    }  # fmt: skip
    source = {
        "source": "log.csv", "map": own, "timezone": "Europe/Berlin", "currency": "EUR", "decimal": ",",
        "encoding": "cp1252",
    }  # fmt: skip
    kept = clean(brief_of({"events": source}), tmp_path).kept().sort_values("user")
    assert kept["item"].tolist() == ["café", "mug"]
    assert kept["amount_minor"].tolist() == [250, 250]
    assert kept["time"].astype(str).tolist() == ["2026-03-13 09:00:00", "2026-04-01 08:00:00"]
