from __future__ import annotations

from release.small_shop import CUT
from starlette.testclient import TestClient

from mercer.serving import OnlineState
from serving.test_answers import ask, bought, iso


def test_an_objection_holds_from_the_next_request_on(client: TestClient, state: OnlineState) -> None:
    bought(state, "i-07")
    assert ask(client, user="u")["basis"] == "history"
    body = {"user": "u", "purpose": "objection", "given": True}
    assert client.post("/v1/consents", json=body).json()["recorded"] is True
    assert ask(client, user="u")["basis"] == "not-profiled"
    client.post("/v1/consents", json={**body, "given": False, "time": iso(CUT)})
    assert ask(client, user="u", time=iso(CUT))["basis"] == "history"
    assert ask(client, user="u")["basis"] == "not-profiled"


def test_given_must_be_yes_or_no(client: TestClient) -> None:
    for given in (1, "true", None):
        reply = client.post("/v1/consents", json={"user": "u", "purpose": "objection", "given": given})
        assert [entry["field"] for entry in reply.json()["fields"]] == ["given"]
