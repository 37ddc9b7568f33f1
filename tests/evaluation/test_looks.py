from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mercer.environment import cache_folder
from mercer.errors import OutputError
from mercer.evaluation import TestLooks

NOW = datetime(2026, 10, 1, tzinfo=UTC)


def test_looks_are_counted_by_key_across_ledger_objects(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "test-looks.jsonl"
    assert TestLooks(path).add("k1", at=NOW, target="next", model="item-knn") == 1
    assert TestLooks(path).add("k1", at=NOW, target="next", model="buy-again") == 2
    assert TestLooks(path).add("k2", at=NOW) == 1
    assert [look["model"] for look in TestLooks(path).looks() if "model" in look] == ["item-knn", "buy-again"]


def test_a_torn_last_line_loses_itself_alone(tmp_path: Path) -> None:
    path = tmp_path / "test-looks.jsonl"
    ledger = TestLooks(path)
    ledger.add("k", at=NOW)
    path.write_bytes(path.read_bytes() + b'{"key": "k", "at": "20')
    assert ledger.count("k") == 1
    assert ledger.add("k", at=NOW) == 2


def test_what_was_written_is_never_changed(tmp_path: Path) -> None:
    path = tmp_path / "test-looks.jsonl"
    TestLooks(path).add("k", at=NOW)
    before = path.read_bytes()
    TestLooks(path).add("k", at=NOW)
    assert path.read_bytes().startswith(before)


def test_the_ledger_lives_in_the_cache_and_an_absent_one_counts_nothing() -> None:
    assert TestLooks().path == cache_folder() / "test-looks.jsonl"
    assert TestLooks().count("k") == 0


def test_an_unwritable_ledger_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="can't be written"):
        TestLooks(tmp_path / "file" / "test-looks.jsonl").add("k", at=NOW)
