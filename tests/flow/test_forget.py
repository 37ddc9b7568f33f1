"""A person of the run is exported, forgotten everywhere, and does not come back with the next run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

import mercer
from flow.house import House, cache_at, linked_copy
from mercer.serving import OnlineState, erasure, prepare
from mercer.serving.answering import now

AT = datetime(2026, 10, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Forgotten:
    """What a served run said of a person before, during and after forgetting."""

    user: str
    run: mercer.Run
    cache: Path
    before: dict[str, str]
    exported: dict[str, Any]
    report: erasure.ForgetReport
    found: list[str]
    again: mercer.Run

    @property
    def places(self) -> dict[str, Any]:
        return {"runs": [self.run.path], "cache": self.cache}


@pytest.fixture(scope="module")
def forgotten(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forgotten]:
    """Run elsewhere from a copy of the shared cache, serve, export, forget, and run again."""
    folder = tmp_path_factory.mktemp("forget")
    cache = linked_copy(house.cache, folder / "cache")
    with cache_at(cache):
        run = mercer.run(house.brief_file, folder / "run")
        user = ask_for_someone(run)
        places: dict[str, Any] = {"runs": [run.path], "cache": cache}
        before = run.manifest["files"]
        exported = erasure.export(user, **places)
        report = erasure.forget(user, **places, at=AT)
        found = erasure.find(user, **places)
        unverified = erasure.altered(run.path, before)
        assert unverified == []
        again = mercer.run(house.brief_file, folder / "again")
        yield Forgotten(user, run, cache, before, exported, report, found, again)


def ask_for_someone(run: mercer.Run) -> str:
    """Show a busy customer a list and predict for them, as a day of serving would; returns who it was."""
    served = prepare(run.path, host="127.0.0.1", dev=True)
    try:
        client = TestClient(served.app, headers={"X-API-Key": str(served.dev_key)})
        user = profiled_customer(run, served.state)
        shown = client.post("/v1/recommend", json={"target": "next-item", "user": user, "k": 3})
        assert shown.json()["basis"] == "history"
        predicted = client.post("/v1/predict", json={"target": "repurchase", "user": user, "reasons": 2})
        assert predicted.status_code == 200
    finally:
        served.state.close()
    return user


def profiled_customer(run: mercer.Run, state: OnlineState) -> str:
    """The busiest tested customer who may be profiled."""
    chosen = run.manifest["selected"]["repurchase"]["model"]
    rows = pd.read_parquet(run.path / "scores" / "repurchase" / f"{chosen}.test.train-validation.parquet")
    events = pd.read_parquet(run.path / "data" / "events.parquet", columns=["user"])
    tested = events.loc[events["user"].isin(rows["unit"]), "user"].value_counts()
    at = now()
    return next(
        str(user)
        for user in tested.index
        if (person := state.people.person(str(user))).may_be_profiled(at) and not person.objects(at)
    )


def test_an_export_tells_what_was_held_shown_and_why(forgotten: Forgotten) -> None:
    told = json.loads(json.dumps(forgotten.exported))
    held = told["held"]["run run"]
    assert held["events"]
    assert held["users"][0]["user"] == forgotten.user
    [shown] = told["shown"]
    assert [item["position"] for item in shown["items"]] == [1, 2, 3]
    [predicted] = told["predicted"]
    assert len(predicted["reasons"]) == 2
    assert {policy["policy"] for policy in told["policies"]} >= {shown["policy"]}
    assert told["places"]


def test_after_forgetting_nothing_is_found(forgotten: Forgotten) -> None:
    assert forgotten.found == []
    assert forgotten.report.removed["run run"] > 0
    assert forgotten.report.removed["cache"] > 0
    assert forgotten.report.removed["online state"] > 0
    assert forgotten.report.tombstones > 0


def test_the_release_that_the_person_had_trained_is_named(forgotten: Forgotten) -> None:
    [trained] = forgotten.report.releases
    assert trained.name == "small-shop"
    assert trained.hash == mercer.load(forgotten.run.path).release.hash


def test_no_file_of_the_run_names_the_person(forgotten: Forgotten) -> None:
    assert naming(forgotten.user, forgotten.run.path) == []


def test_running_again_from_the_same_source_does_not_bring_the_person_back(forgotten: Forgotten) -> None:
    assert forgotten.again.exit_code == 0
    both = {"runs": [forgotten.run.path, forgotten.again.path], "cache": forgotten.cache}
    assert erasure.find(forgotten.user, **both) == []
    assert naming(forgotten.user, forgotten.again.path) == []
    events = pd.read_parquet(forgotten.again.path / "data" / "events.parquet", columns=["user"])
    assert forgotten.user not in set(events["user"])


def test_suppressed_rows_are_counted_and_hold_nothing(forgotten: Forgotten) -> None:
    quarantine = forgotten.again.path / "data" / "quarantine"
    put_aside = pd.read_parquet(quarantine / "events.parquet")
    suppressed = put_aside[put_aside["rule"] == "suppressed"]
    held = len(forgotten.exported["held"]["run run"]["events"])
    assert len(suppressed) >= held > 0
    assert set(suppressed["content"].fillna("")) <= {"", "{}"}
    accounting = json.loads((forgotten.again.path / "data" / "accounting.json").read_text("utf-8"))
    for name, count in accounting["tables"].items():
        assert count["kept"] + count["quarantined"] + count["merged"] == count["read"], name


def test_the_gate_that_looks_for_forgotten_people_passes_again(forgotten: Forgotten) -> None:
    assert forgotten.again.gates is not None
    [finding] = [one for one in forgotten.again.gates["findings"] if one["rule"] == "gdpr-erase"]
    assert finding["status"] == "PASS"


def naming(user: str, folder: Path) -> list[str]:
    """Files that hold the id in plain sight: in their bytes, or in a text column of a Parquet file."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    assert files
    return [
        path.relative_to(folder).as_posix()
        for path in files
        if user.encode() in path.read_bytes() or in_table(user, path)
    ]


def in_table(user: str, path: Path) -> bool:
    if path.suffix != ".parquet":
        return False
    return any(user in column.to_pylist() for column in pq.read_table(path).columns)
