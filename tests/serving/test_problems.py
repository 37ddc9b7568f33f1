from __future__ import annotations

import json
import logging

import pytest
from starlette.testclient import TestClient

from mercer.serving import Answering, Settings, build_app
from mercer.serving.problems import Problem


def checked(response) -> Problem:
    """The one body of errors, whole, with the id of the request's header."""
    assert response.status_code >= 400
    assert response.headers["content-type"] == "application/problem+json"
    body = Problem.model_validate(response.json(), extra="forbid")
    assert body.status == response.status_code
    assert body.message
    assert body.request_id == response.headers["x-request-id"]
    return body


@pytest.mark.parametrize(
    ("send", "status", "kind"),
    [
        (lambda c: c.get("/nowhere"), 404, "not-found"),
        (lambda c: c.get("/v1/recommend"), 405, "wrong-method"),
        (lambda c: c.post("/v1/recommend"), 422, "invalid-request"),
        (lambda c: c.post("/v1/recommend", json=[]), 422, "invalid-request"),
        (lambda c: c.post("/v1/recommend", json="text"), 422, "invalid-request"),
        (lambda c: c.post("/v1/recommend", content=b'{"k": 1'), 422, "invalid-request"),
        (lambda c: c.post("/v1/recommend", json={"k": "5"}), 422, "invalid-request"),
        (lambda c: c.post("/v1/recommend", json={"k": 101}), 422, "invalid-request"),
        (lambda c: c.post("/v1/recommend", json={"hstory": []}), 422, "invalid-request"),
        (lambda c: c.post("/v1/recommend", json={"context": {"age": "x"}}), 422, "invalid-request"),
        (lambda c: c.post("/v1/search", json={"query": "x" * 501}), 422, "invalid-request"),
        (lambda c: c.post("/v1/recommend", json={"target": "none"}), 404, "not-found"),
        (lambda c: c.delete("/v1/items/none"), 404, "unknown-item"),
        (lambda c: c.post("/v1/recommend", json={"session": "x" * 100_001}), 413, "body-too-large"),
        (lambda c: c.post("/v1/recommend", headers={"Authorization": ""}), 401, "no-key"),
        (lambda c: c.post("/v1/recommend", headers={"Authorization": "Bearer x"}), 401, "wrong-key"),
    ],
)
def test_every_error_has_the_one_body(client: TestClient, send, status: int, kind: str) -> None:
    body = checked(send(client))
    assert (body.status, body.type) == (status, kind)
    assert body.remedy


def test_broken_json_is_told_as_such(client: TestClient) -> None:
    reply = client.post("/v1/recommend", content=b'{"k": 1', headers={"Content-Type": "application/json"})
    assert checked(reply).type == "invalid-json"


def test_a_body_without_a_length_is_limited_too(client: TestClient) -> None:
    def pieces():
        for _ in range(30):
            yield b" " * 10_000

    reply = client.post("/v1/recommend", content=pieces(), headers={"Content-Type": "application/json"})
    assert checked(reply).type == "body-too-large"


def test_no_error_repeats_what_was_sent(client: TestClient) -> None:
    secret = "someone@example.org"
    for body in ({"user": 5, "session": [secret]}, {"time": secret}, {"context": {"jurisdiction": secret}}):
        reply = client.post("/v1/recommend", json=body)
        assert reply.status_code == 422
        assert secret not in reply.text


def test_a_fault_says_nothing_of_its_cause(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("customer-17 has card 4111")

    monkeypatch.setattr(Answering, "rank", broken)
    key = settings.state.keys.create("t", ["answer"], time=1)
    client = TestClient(build_app(settings), raise_server_exceptions=False)
    with caplog.at_level(logging.INFO, "mercer"):
        reply = client.post(
            "/v1/recommend", json={"target": "again"}, headers={"Authorization": f"Bearer {key}"}
        )
    assert checked(reply).type == "fault"
    assert "customer-17" not in reply.text
    assert "customer-17" not in caplog.text
    assert "RuntimeError" in caplog.text
    assert checked(reply).request_id in caplog.text


def test_deep_nesting_is_refused_and_not_a_fault(client: TestClient) -> None:
    deep = '{"history": ' + "[" * 20_000 + "]" * 20_000 + "}"
    reply = client.post("/v1/recommend", content=deep, headers={"Content-Type": "application/json"})
    assert checked(reply).type == "invalid-body"


def test_numbers_that_json_does_not_have_are_refused(client: TestClient) -> None:
    event = {"event": "e", "user": "u", "item": "i-07", "time": "2026-05-01T00:00:00Z", "kind": "view"}
    text = json.dumps({**event, "quantity": float("inf")})
    reply = client.post("/v1/events", content=text, headers={"Content-Type": "application/json"})
    assert checked(reply).status == 422
