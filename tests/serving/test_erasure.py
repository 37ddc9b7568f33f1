from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from release.small_shop import Shop
from starlette.testclient import TestClient

from mercer.compliance import CaseStore, NewCase, Pseudonyms
from mercer.data import SuppressionList
from mercer.errors import MercerError, NotFoundError
from mercer.language.remote.answers import Kept, RemoteAnswers
from mercer.release import load
from mercer.release.files import sha256
from mercer.serving import prepare
from mercer.serving.erasure import altered, export, find, forget
from serving.shop_run import clean, make_run

USER, OTHER = "customer-007", "customer-008"
AT = datetime(2026, 8, 1, 9, 30, tzinfo=UTC)


@dataclass(frozen=True)
class House:
    """A run that was served for a while."""

    source: Path
    run: Path
    cache: Path

    @property
    def places(self) -> Mapping[str, Any]:
        return {"runs": [self.run], "cache": self.cache}


@pytest.fixture
def house(shop: Shop, tmp_path: Path) -> House:
    made = House(tmp_path / "source", tmp_path / "run", tmp_path / "cache")
    make_run(shop, made.source, made.run, made.cache)
    step = made.cache / "steps" / "data" / "abc"
    step.mkdir(parents=True)
    (step / "events.parquet").write_bytes((made.run / "data" / "events.parquet").read_bytes())
    served = prepare(made.run, host="127.0.0.1", dev=True)
    client = TestClient(served.app, headers={"X-API-Key": str(served.dev_key)})
    for user in (USER, OTHER):
        body = {"target": "next-item", "user": user, "k": 3}
        assert client.post("/v1/recommend", json=body).json()["basis"] == "history"
        client.post("/v1/predict", json={"target": "repurchase", "user": user, "reasons": 2})
        case = NewCase(kind="alert", subject=user, opened=AT, rule="spend", occasion="today", score=0.5)
        CaseStore(f"sqlite:///{made.run}/state/mercer.db").open(case)
    served.state.close()
    return made


def files_with(text: str, *folders: Path) -> list[str]:
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    assert files
    return [path.name for path in files if text.encode() in path.read_bytes()]


def test_a_person_is_found_in_every_store(house: House) -> None:
    found = find(USER, **house.places)
    for place in (
        "run run: data/events.parquet",
        "run run: data/users.parquet",
        "run run: data/consents.parquet",
        "run run: scores/spend/past-rate.test.train.parquet",
        "cache: steps/data/abc/events.parquet",
        "online state: events, ",
        "online state: requests, 1 rows",
        "online state: predictions, 1 rows",
        "cases: case",
    ):
        assert [line for line in found if line.startswith(place)], place
    assert find("nobody", **house.places) == []


def test_after_forgetting_nothing_is_found_in_any_file(house: House) -> None:
    others = find(OTHER, **house.places)
    report = forget(USER, **house.places, at=AT)
    assert all(rows > 0 for rows in report.removed.values())
    assert set(report.removed) == {"run run", "cache", "online state", "cases"}
    assert find(USER, **house.places) == []
    assert files_with(USER, house.run, house.cache) == []
    assert find(OTHER, **house.places) == others


def test_forget_run_again_and_nothing_is_found(house: House, shop: Shop) -> None:
    forget(USER, **house.places, at=AT)
    accounting = clean(shop, house.source, house.run, house.cache)
    assert accounting.to_json()
    assert find(USER, **house.places) == []
    assert files_with(USER, house.run, house.cache) == []
    prepare(house.run, host="127.0.0.1", dev=True).state.close()
    assert find(USER, **house.places) == []
    assert find(OTHER, **house.places)


def test_the_release_that_the_person_had_trained_is_named(house: House) -> None:
    [trained] = forget(USER, **house.places, at=AT).releases
    assert trained.hash == load(house.run).hash
    assert trained.name == "small-shop"


@pytest.mark.parametrize("user", ["customer-002", "customer-004", "nobody"])
def test_who_trained_nothing_has_no_release_named(house: House, user: str) -> None:
    assert forget(user, **house.places, at=AT).releases == ()


def test_altered_files_still_verify_through_their_tombstones(house: House) -> None:
    files = [path for path in house.run.rglob("*.parquet") if "release" not in path.parts]
    known = {path.relative_to(house.run).as_posix(): sha256(path) for path in files}
    assert altered(house.run, known) == []
    first = forget(USER, **house.places, at=AT)
    forget(OTHER, **house.places, at=AT)
    assert first.tombstones >= 5
    assert altered(house.run, known) == []
    entries = [json.loads(line) for line in (house.run / "tombstones.jsonl").read_text().splitlines()]
    assert {"file", "before", "after", "reason", "at"} == set(entries[0])
    assert USER not in (house.run / "tombstones.jsonl").read_text()
    changed = house.run / "data" / "events.parquet"
    changed.write_bytes(changed.read_bytes() + b" ")
    assert altered(house.run, known) == ["data/events.parquet"]


def test_the_release_is_left_as_it_is(house: House) -> None:
    before = load(house.run).hash
    forget(USER, **house.places, at=AT)
    assert load(house.run).hash == before


def test_forgetting_twice_finds_nothing_the_second_time(house: House) -> None:
    forget(USER, **house.places, at=AT)
    again = forget(USER, **house.places, at=AT)
    assert not any(again.removed.values())
    assert again.tombstones == 0
    assert again.lines()[0] == "Nothing was held."
    assert SuppressionList(house.cache).contains([USER, OTHER]).tolist() == [True, False]


def test_no_report_names_the_person(house: House) -> None:
    report = forget(USER, **house.places, at=AT)
    assert USER not in json.dumps(report.to_json())
    assert USER not in "\n".join(report.lines())


def test_what_is_left_is_a_fault_and_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CaseStore, "erase", lambda self, user: 0)
    with pytest.raises(MercerError, match="left in: cases"):
        forget(USER, **house.places, at=AT)


def test_a_run_that_was_never_served_gets_no_database(shop: Shop, tmp_path: Path) -> None:
    make_run(shop, tmp_path / "source", tmp_path / "run", tmp_path / "cache")
    assert forget(USER, runs=[tmp_path / "run"], cache=tmp_path / "cache", at=AT).removed["run run"] > 0
    assert not (tmp_path / "run" / "state").exists()


def test_a_folder_that_is_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="not a run folder"):
        find(USER, runs=[tmp_path / "nowhere"], cache=tmp_path)


def test_an_export_tells_what_is_held_shown_and_why(house: House, shop: Shop) -> None:
    told = json.loads(json.dumps(export(USER, **house.places)))
    own = shop.events[shop.events["user"] == USER]
    held = told["held"]["run run"]
    assert {row["event"] for row in held["events"]} == set(own["event"])
    assert held["consents"][0]["given"] is True
    assert {row["event"] for row in told["held"]["online state"]["events"]} == set(own["event"])
    [shown] = told["shown"]
    assert [item["position"] for item in shown["items"]] == [1, 2, 3]
    assert (shown["policy"], shown["context"]["basis"]) == ("next-item/item-knn", "history")
    [predicted] = told["predicted"]
    assert len(predicted["reasons"]) == 2
    assert [case["subject"] for case in told["cases"]] == [USER]
    policies = {policy["policy"]: policy for policy in told["policies"]}
    assert policies[shown["policy"]]["main_parameters"]
    assert policies[shown["policy"]]["release"] == shown["release"]
    assert OTHER not in json.dumps(told)


def test_answers_of_a_remote_model_about_a_person_go_with_the_person(house: House) -> None:
    kept = Kept(
        text="what was said",
        finish_reason="stop",
        tokens_in=9,
        tokens_out=4,
        fingerprint="m",
        structured="none",
    )
    answers = RemoteAnswers(house.cache / "remote" / "answers", Pseudonyms.load(house.cache / "keys").of)
    answers.put("a1" * 32, kept, answers.marks([USER]))
    answers.put("b2" * 32, kept, answers.marks([OTHER]))
    assert any(line.startswith("remote-answers") for line in find(USER, **house.places))
    assert forget(USER, **house.places, at=AT).removed["remote-answers"] == 1
    assert find(USER, **house.places) == []
    assert answers.get("b2" * 32) == kept
