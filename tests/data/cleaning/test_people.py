from __future__ import annotations

from pathlib import Path

import pandas as pd

from mercer.data import SuppressionList

from ..made import EVENT, brief_of, clean, table, written


def test_forgotten_people_are_not_taken_in_again_and_leave_only_a_row_number(tmp_path: Path) -> None:
    suppressed = SuppressionList(tmp_path / "cache")
    suppressed.add("17850")
    rows = [{**EVENT, "event": str(at), "user": user} for at, user in enumerate([17850.0, 178500.0, None])]
    cleaned = clean(
        brief_of({"events": {"source": written(tmp_path, "log", rows)}}), tmp_path, None, suppressed
    )
    assert cleaned.reasons() == {0: "suppressed", 2: "missing-user"}
    first = cleaned.quarantined().iloc[0]
    assert first["content"] == ""
    assert pd.isna(first["user"])
    assert b"17850\x00" not in (cleaned.out / "quarantine" / "events.parquet").read_bytes()
    assert cleaned.kept()["user"].tolist() == ["178500"]


def test_forgotten_payers_too(tmp_path: Path) -> None:
    suppressed = SuppressionList(tmp_path / "cache")
    suppressed.add("ann")
    row = {"payment": "1", "payer": "ann", "payee": "shop", "amount_minor": 5, "time": EVENT["time"]}
    name = written(tmp_path, "payments", [row, {**row, "payment": "2", "payer": "bob"}])
    cleaned = clean(brief_of({"payments": {"source": name}}), tmp_path, None, suppressed)
    assert cleaned.reasons("payments") == {0: "suppressed"}


def test_an_impossible_age_is_unknown(tmp_path: Path) -> None:
    rows = [
        {"user": str(at), "age": age} for at, age in enumerate(["30", "-1", "121", "old", "", "12.5", "0"])
    ]
    cleaned = table(tmp_path, "users", *rows)
    assert cleaned.rules("users") == {"age-out-of-range": 4}
    assert cleaned.kept("users")["age"].isna().tolist() == [False, True, True, True, True, True, False]
