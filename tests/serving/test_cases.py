from __future__ import annotations

from starlette.testclient import TestClient

CASE = {
    "kind": "alert",
    "subject": "customer-17",
    "rule": "repurchase",
    "occasion": "2026-08-19",
    "score": 0.9,
}


def test_a_case_is_opened_once_listed_and_closed(client: TestClient) -> None:
    opened = client.post("/v1/cases", json=CASE).json()["case"]
    assert client.post("/v1/cases", json=CASE).json()["case"]["case"] == opened["case"]
    [listed] = client.get("/v1/cases", params={"status": "open"}).json()["cases"]
    assert (listed["case"], listed["status"], listed["score"]) == (opened["case"], "open", 0.9)
    body = {"disposition": "confirmed", "role": "fraud-analyst", "note": "Seen on three days."}
    closed = client.post(f"/v1/cases/{opened['case']}/close", json=body).json()["case"]
    assert (closed["disposition"], closed["reviewer_role"]) == ("confirmed", "fraud-analyst")
    assert [line["action"] for line in closed["history"]] == ["opened", "closed"]
    assert client.get("/v1/cases", params={"status": "open"}).json()["cases"] == []
    again = client.post(f"/v1/cases/{opened['case']}/close", json=body)
    assert (again.status_code, again.json()["type"]) == (409, "conflict")


def test_an_unknown_case_is_not_found(client: TestClient) -> None:
    body = {"disposition": "confirmed", "role": "fraud-analyst"}
    for reply in (client.get("/v1/cases/case-000009"), client.post("/v1/cases/x/close", json=body)):
        assert (reply.status_code, reply.json()["type"]) == (404, "not-found")


def test_wrong_parameters_are_named(client: TestClient) -> None:
    reply = client.get("/v1/cases", params={"status": "closd", "limit": 0})
    assert {entry["field"] for entry in reply.json()["fields"]} == {"status", "limit"}
    assert client.post("/v1/cases", json={**CASE, "score": "high"}).status_code == 422
