"""What a release showed is data again: the exposure log of a run is read by a second brief."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import yaml
from starlette.testclient import TestClient

import mercer
from flow.house import House
from mercer.brief import Brief
from mercer.data import Tables
from mercer.pipeline import check
from mercer.serving import prepare

N = 20


def test_a_second_brief_reads_what_the_release_showed(house: House, tmp_path: Path) -> None:
    log = tmp_path / "log"
    shown = serve_and_export(house, log)
    events = pd.read_parquet(house.folder / "data" / "events.parquet")
    events.to_parquet(log / "events.parquet")
    run = mercer.run(second_brief(), tmp_path / "second", data=log, until="data")
    tables = Tables.load(run.path / "data")
    asked, impressions, outcomes = (tables.get(name) for name in ("requests", "impressions", "outcomes"))
    assert asked is not None
    assert impressions is not None
    assert outcomes is not None
    assert impressions.groupby("request")["item"].apply(list).to_dict() == shown
    assert set(impressions["propensity"]) == {1.0}
    assert set(asked["request"]) == set(shown)
    assert set(asked["release"]) == {mercer.load(house.folder).release.hash}
    assert set(outcomes["request"]) == set(shown)
    read = tables.events()
    assert read is not None
    assert len(read) == len(events)
    report = check(second_brief(), data=log)
    assert report.targets[0].test_units > 0


def serve_and_export(house: House, log: Path) -> dict[str, list[str]]:
    """Ask for N lists, act on each, export the log; returns the items shown by request."""
    served = prepare(house.folder, host="127.0.0.1", state_url=f"sqlite:///{log.parent}/state.db", dev=True)
    client = TestClient(served.app, headers={"X-API-Key": str(served.dev_key)})
    users = pd.read_parquet(house.folder / "data" / "users.parquet")["user"].head(N)
    shown = {}
    for number, user in enumerate(users):
        answer = client.post("/v1/recommend", json={"target": "next-item", "user": user, "k": 5}).json()
        shown[answer["request_id"]] = [item["item"] for item in answer["items"]]
        event = {
            "event": f"click-{number}",
            "user": user,
            "item": answer["items"][0]["item"],
            "time": answer["time"],
            "kind": "view",
            "request": answer["request_id"],
        }
        assert client.post("/v1/events", json=event).status_code == 200
    counts = served.state.exposures.export(log)
    served.state.close()
    assert counts["requests"] == N
    assert counts["impressions"] == 5 * N
    assert counts["outcomes"] == N
    return shown


def second_brief() -> Brief:
    tables = ("events", "requests", "impressions", "outcomes")
    content = {
        "schema": 1,
        "name": "second-look",
        "question": "What did the policy show, and what came of it?",
        "decision": {"date": "2026-12-31", "target": "next-item"},
        "packs_date": "2026-11-24",
        "data": {name: {"source": f"{name}.parquet", "timezone": "UTC"} for name in tables},
        "targets": {"next-item": {"task": "recommend", "split": {"test_from": "2026-08-01"}}},
    }
    return Brief.parse(yaml.safe_dump(content))
