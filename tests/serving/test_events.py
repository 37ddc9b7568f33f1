from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from release.small_shop import CUT
from starlette.testclient import TestClient

from mercer.serving import OnlineState
from serving.conftest import NOW
from serving.test_answers import ask, iso

EVENT = {"event": "e-1", "user": "u", "item": "i-07", "time": iso(CUT), "kind": "purchase"}


def test_a_new_event_changes_the_next_answer(client: TestClient) -> None:
    before = ask(client, user="u")
    reply = client.post("/v1/events", json=EVENT)
    assert (reply.status_code, reply.json()["accepted"], reply.json()["repeated"]) == (200, 1, 0)
    after = ask(client, user="u")
    assert (before["basis"], after["basis"]) == ("stranger", "history")
    assert before["items"] != after["items"]


def test_the_same_event_twice_counts_once(client: TestClient, state: OnlineState) -> None:
    client.post("/v1/events", json=EVENT)
    reply = client.post("/v1/events", json={"events": [EVENT, EVENT, {**EVENT, "event": "e-2"}]}).json()
    assert (reply["accepted"], reply["repeated"]) == (1, 2)
    assert state.events.history("u", NOW)["event"] == ["e-1", "e-2"]


def test_the_same_id_with_other_content_is_a_conflict(client: TestClient, state: OnlineState) -> None:
    client.post("/v1/events", json=EVENT)
    reply = client.post("/v1/events", json={"events": [{**EVENT, "event": "e-0"}, {**EVENT, "item": "i-08"}]})
    assert (reply.status_code, reply.json()["type"]) == (409, "conflict")
    assert state.events.history("u", NOW)["event"] == ["e-1"]


def test_an_event_of_an_unknown_item_is_refused_with_its_batch(
    client: TestClient, state: OnlineState
) -> None:
    reply = client.post("/v1/events", json={"events": [EVENT, {**EVENT, "event": "e-2", "item": "i-99"}]})
    assert (reply.status_code, reply.json()["type"]) == (422, "unknown-item")
    assert state.events.history("u", NOW)["event"] == []


@pytest.mark.parametrize("field", ["time", "known_at"])
def test_a_time_in_the_future_is_refused(client: TestClient, field: str) -> None:
    reply = client.post("/v1/events", json={**EVENT, field: iso(NOW + 301_000_000)})
    assert (reply.status_code, reply.json()["type"]) == (422, "future-time")
    assert client.post("/v1/events", json={**EVENT, field: iso(NOW + 299_000_000)}).status_code == 200


def test_an_event_is_known_on_arrival_unless_it_says_when(client: TestClient, state: OnlineState) -> None:
    client.post("/v1/events", json=EVENT)
    client.post("/v1/events", json={**EVENT, "event": "e-2", "known_at": iso(CUT + 7)})
    assert state.events.history("u", NOW)["known_at"] == [NOW, CUT + 7]


def test_an_event_may_name_the_answer_it_followed_from(client: TestClient, state: OnlineState) -> None:
    request_id = ask(client, user="u")["request_id"]
    client.post("/v1/events", json={**EVENT, "kind": "click", "request": request_id})
    [outcome] = state.exposures.tables()["outcomes"].to_pylist()
    assert (outcome["request"], outcome["kind"]) == (request_id, "click")


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": 0},
        {"quantity": -1},
        {"quantity": "2"},
        {"amount_minor": 1.5},
        {"amount_minor": True},
        {"time": "2026-05-01T00:00:00"},
        {"time": 1777593600},
        {"time": "yesterday"},
        {"kind": "Bought It"},
        {"currency": "euro"},
        {"user": ""},
        {"user": 17},
        {"event": "x" * 201},
        {"item": "i-07\u0000"},
        {"colour": "red"},
    ],
)
def test_wrong_fields_are_named(client: TestClient, change: dict) -> None:
    reply = client.post("/v1/events", json={**EVENT, **change})
    assert reply.status_code == 422, reply.text
    assert [entry["field"] for entry in reply.json()["fields"]] == list(change)
    bulk = client.post("/v1/events", json={"events": [EVENT, {**EVENT, **change}]})
    assert [entry["field"] for entry in bulk.json()["fields"]] == [f"events.1.{name}" for name in change]


def test_many_writers_at_once_lose_and_double_nothing(client: TestClient, state: OnlineState) -> None:
    def send(number: int) -> int:
        return client.post("/v1/events", json={**EVENT, "event": f"e-{number % 12}"}).json()["accepted"]

    with ThreadPoolExecutor(6) as pool:
        accepted = list(pool.map(send, range(36)))
    assert sum(accepted) == 12
    assert len(state.events.history("u", NOW)["event"]) == 12
