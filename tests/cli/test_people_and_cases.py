"""cases, forget, export: what a compliance officer types."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from flow.house import House, linked_copy

from cli.typed import Typed


@pytest.fixture
def run(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run folder and a cache that a test may change."""
    monkeypatch.setenv("MERCER_CACHE", str(linked_copy(house.cache, tmp_path / "own-cache")))
    return linked_copy(house.folder, tmp_path / "run")


def test_a_case_is_listed_shown_and_closed(mercer: Typed, run: Path) -> None:
    opened = json.loads(mercer("cases", "list", "--run", run, "--open", "--json").out)
    assert opened
    case = opened[0]["case"]
    assert case in mercer("cases", "list", "--run", run).out
    shown = json.loads(mercer("cases", "show", case, "--run", run, "--json").out)
    assert shown["subject"] == opened[0]["subject"]
    assert shown["rule"]
    closing = ("cases", "close", case, "--run", run, "--as", "dismissed", "--role", "risk-officer")
    said = mercer(*closing, "--note", "Known customer.")
    assert (said.code, said.err) == (0, "")
    assert "closed as dismissed by risk-officer" in said.out
    still_open = json.loads(mercer("cases", "list", "--run", run, "--open", "--json").out)
    assert case not in {one["case"] for one in still_open}
    after = json.loads(mercer("cases", "show", case, "--run", run, "--json").out)
    assert (after["disposition"], after["reviewer_role"]) == ("dismissed", "risk-officer")
    again = mercer(*closing)
    assert again.code == 2
    assert "Traceback" not in again.err


@pytest.mark.parametrize(
    "words", [["show", "no-such"], ["close", "no-such", "--as", "dismissed", "--role", "x"]]
)
def test_an_unknown_case(mercer: Typed, run: Path, words: list[str]) -> None:
    said = mercer("cases", *words, "--run", run)
    assert said.code == 2
    assert "no-such" in said.sentence


def test_a_disposition_that_does_not_exist(mercer: Typed, run: Path) -> None:
    case = json.loads(mercer("cases", "list", "--run", run, "--json").out)[0]["case"]
    said = mercer("cases", "close", case, "--run", run, "--as", "whatever", "--role", "x")
    assert said.code == 2
    assert "whatever" in said.sentence


def test_a_person_is_exported_then_forgotten(mercer: Typed, run: Path) -> None:
    user = str(pd.read_parquet(run / "data" / "events.parquet", columns=["user"])["user"].iloc[0])
    told = json.loads(mercer("export", user, "--run", run).out)
    assert told["held"]["run run"]["events"]
    said = mercer("forget", user, "--run", run)
    assert said.code == 0, said.err
    assert "removed" in said.out
    assert "suppression list" in said.out
    assert user not in said.out
    after = json.loads(mercer("export", user, "--run", run).out)
    assert not any(rows for store in after["held"].values() for rows in store.values())
    assert after["places"] == []
    again = json.loads(mercer("forget", user, "--run", run, "--json").out)
    assert again["tombstones"] == 0
