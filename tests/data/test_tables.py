"""The tables of a cleaned folder: read when asked for, absent ones None, damaged ones said to be so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data.written import consent, event, tables, write
from mercer.data.tables import Tables
from mercer.errors import DamagedError, NotFoundError


def test_a_table_is_what_was_written(tmp_path: Path) -> None:
    loaded = tables(tmp_path, events=[event("e1", "ann", "tea", 1), event("e2", "bob", "mug", 2)])
    events = loaded.events()
    assert events is not None
    assert events["user"].tolist() == ["ann", "bob"]
    assert str(events["time"].iloc[0]) == "2026-01-02 00:00:00"


def test_a_table_that_the_folder_lacks_is_none(tmp_path: Path) -> None:
    loaded = tables(tmp_path, events=[event("e1", "ann", "tea", 1)])
    assert loaded.names == ("events",)
    assert loaded.items() is loaded.users() is loaded.consents() is loaded.judgments() is None
    assert loaded.get("no-such-table") is None


def test_each_name_reads_its_own_table(tmp_path: Path) -> None:
    loaded = tables(
        tmp_path,
        items=[{"item": "tea", "title": "Tea"}],
        users=[{"user": "ann", "age": 30}],
        consents=[consent("ann", 1, given=True)],
        judgments=[{"query": "tea", "item": "tea", "grade": 1.0, "judge": "editor"}],
    )
    found = {name: getattr(loaded, name)() for name in ("items", "users", "consents", "judgments")}
    assert {name: frame.columns[1] for name, frame in found.items()} == {
        "items": "title",
        "users": "jurisdiction",
        "consents": "purpose",
        "judgments": "item",
    }
    assert set(loaded.names) == set(found)


def test_a_table_is_read_once(tmp_path: Path) -> None:
    loaded = tables(tmp_path, events=[event("e1", "ann", "tea", 1)])
    first = loaded.events()
    (tmp_path / "events.parquet").unlink()
    assert loaded.events() is first


def test_a_folder_without_tables_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "notes.parquet").write_bytes(b"not a canonical name")
    for folder in (tmp_path, tmp_path / "not-there"):
        with pytest.raises(NotFoundError, match="no canonical tables") as caught:
            Tables.load(folder)
        assert "mercer data clean" in caught.value.remedy


@pytest.mark.parametrize("kept", [0, 40, -20])
def test_a_damaged_file_is_named(tmp_path: Path, kept: int) -> None:
    write(tmp_path, "events", [event("e1", "ann", "tea", 1)])
    file = tmp_path / "events.parquet"
    file.write_bytes(file.read_bytes()[:kept])
    loaded = Tables.load(tmp_path)
    with pytest.raises(DamagedError, match=r"events\.parquet") as caught:
        loaded.events()
    assert "Clean the data again" in caught.value.remedy


def test_the_accounting_is_read_from_beside_the_tables(tmp_path: Path) -> None:
    loaded = tables(tmp_path, events=[event("e1", "ann", "tea", 1)])
    (tmp_path / "accounting.json").write_text(json.dumps({"events": {"read": 7}}), "utf-8")
    assert loaded.accounting() == {"events": {"read": 7}}
