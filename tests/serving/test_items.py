from __future__ import annotations

from release.small_shop import CUT
from starlette.testclient import TestClient

from serving.test_answers import ask, iso, shown


def test_a_withdrawn_item_is_gone_from_the_next_answer_on(client: TestClient) -> None:
    first = shown(ask(client))[0]
    reply = client.delete(f"/v1/items/{first}").json()
    assert (reply["withdrawn"], reply["catalogue_version"]) == (True, 1)
    after = ask(client, k=60, rules={"pin": [first]})
    assert first not in shown(after)
    assert after["catalogue_version"] == 1
    client.put(f"/v1/items/{first}", json={})
    assert first in shown(ask(client, k=60))


def test_title_price_and_age_limit_act_at_once(client: TestClient) -> None:
    first = shown(ask(client))[0]
    client.put(f"/v1/items/{first}", json={"title": "Ash stool", "price_minor": 75})
    item = ask(client)["items"][0]
    assert (item["title"], item["price_minor"]) == ("Ash stool", 75)
    client.put(f"/v1/items/{first}", json={"min_age": 18})
    assert first not in shown(ask(client, k=60))
    assert first in shown(ask(client, k=60, context={"age": 18}))


def test_availability_acts_at_the_time_of_the_request(client: TestClient) -> None:
    client.put("/v1/items/i-20", json={"available_until": iso(CUT)})
    assert "i-20" in shown(ask(client, k=60, time=iso(CUT)))
    assert "i-20" not in shown(ask(client, k=60, time=iso(CUT + 1)))


def test_a_new_item_takes_events_and_waits_for_the_next_release(client: TestClient) -> None:
    assert client.put("/v1/items/new-1", json={"price_minor": 5}).json()["type"] == "missing-title"
    reply = client.put("/v1/items/new-1", json={"title": "Ash stool", "text": "Low."}).json()
    assert reply["served"] is False
    event = {"event": "e", "user": "u", "item": "new-1", "time": iso(CUT), "kind": "view"}
    assert client.post("/v1/events", json=event).status_code == 200
    answer = ask(client, user="u", k=60, rules={"pin": ["new-1"]})
    assert "new-1" not in shown(answer)


def test_withdrawing_what_is_not_there_is_not_found(client: TestClient) -> None:
    reply = client.delete("/v1/items/i-99")
    assert (reply.status_code, reply.json()["type"]) == (404, "unknown-item")


def test_wrong_fields_of_an_item_are_named(client: TestClient) -> None:
    for body in ({"price_minor": -1}, {"price_minor": 1.5}, {"min_age": 200}, {"title": ""}, {"sale": True}):
        reply = client.put("/v1/items/i-01", json=body)
        assert reply.status_code == 422
        assert [entry["field"] for entry in reply.json()["fields"]] == list(body)
