from __future__ import annotations

import json

import numpy as np
import pytest
from release.small_shop import CUT, Shop, snapshots_at
from starlette.testclient import TestClient

from mercer.release import Release
from mercer.serving import OnlineState
from mercer.serving.state import Consent, Event
from serving.test_answers import bought, iso


def full_history(shop: Shop, user: str) -> list[dict]:
    own = shop.events[shop.events["user"] == user]
    return [
        {
            "item": row.item,
            "time": iso(row.time),
            "kind": row.kind,
            "basket": row.basket,
            "quantity": row.quantity,
            "amount_minor": row.amount_minor,
        }
        for row in own.itertuples()
    ]


@pytest.mark.parametrize("target", ["repurchase", "spend"])
def test_users_get_over_http_what_offline_prediction_gives(
    client: TestClient, shop: Shop, release: Release, target: str
) -> None:
    rows = np.arange(200)
    made = release.predict(target, snapshots_at(shop.log, rows, CUT))
    for row, user in zip(rows, shop.log.users.ids, strict=False):
        body = {"target": target, "history": full_history(shop, user), "time": iso(CUT)}
        answer = client.post("/v1/predict", json=body).json()
        assert (answer["value"], answer["low"], answer["high"]) == (
            made.value[row],
            made.low[row],
            made.high[row],
        )


def test_a_known_user_gets_what_the_same_history_gets(
    client: TestClient, shop: Shop, state: OnlineState
) -> None:
    own = shop.events[shop.events["user"] == "customer-007"]
    fields = ("event", "user", "item", "time", "known_at", "kind", "quantity", "amount_minor", "basket")
    state.events.add([Event(**{name: getattr(row, name) for name in fields}) for row in own.itertuples()])
    body = {"target": "spend", "time": iso(CUT)}
    kept = client.post("/v1/predict", json={**body, "user": "customer-007"}).json()
    given = client.post("/v1/predict", json={**body, "history": full_history(shop, "customer-007")}).json()
    assert kept["value"] == given["value"] > 0


def test_reasons_come_on_request(client: TestClient, shop: Shop) -> None:
    body = {"target": "repurchase", "history": full_history(shop, "customer-007"), "time": iso(CUT)}
    assert client.post("/v1/predict", json=body).json()["reasons"] is None
    reasons = client.post("/v1/predict", json={**body, "reasons": 3}).json()["reasons"]
    assert len(reasons) == 3
    assert all(reason["meaning"] for reason in reasons)


def test_money_spent_on_an_item_outside_the_release_counts(client: TestClient) -> None:
    client.put("/v1/items/new-1", json={"title": "Ash stool"})
    event = {"time": iso(CUT), "kind": "purchase", "amount_minor": 90_000}
    body = {"target": "spend", "time": iso(CUT + 1)}
    old = client.post("/v1/predict", json={**body, "history": [{**event, "item": "i-07"}]}).json()
    new = client.post("/v1/predict", json={**body, "history": [{**event, "item": "new-1"}]}).json()
    assert old["value"] == new["value"] > 0


def test_an_unknown_user_is_not_found(client: TestClient) -> None:
    reply = client.post("/v1/predict", json={"target": "spend", "user": "never-seen"})
    assert (reply.status_code, reply.json()["type"]) == (404, "unknown-user")


def test_no_prediction_is_made_of_who_objects(client: TestClient, state: OnlineState) -> None:
    bought(state, "i-07")
    body = {"target": "spend", "user": "u"}
    assert client.post("/v1/predict", json=body).status_code == 200
    refused = client.post("/v1/predict", json=body, headers={"Sec-GPC": "1"})
    assert (refused.status_code, refused.json()["type"]) == (403, "profiling-refused")
    state.people.say([Consent("u", "opt-out", given=True, time=CUT)])
    assert client.post("/v1/predict", json=body).status_code == 403


def test_a_prediction_needs_somebody(client: TestClient) -> None:
    reply = client.post("/v1/predict", json={"target": "spend"})
    assert reply.json()["message"] == "Neither `user` nor `history` is given."


def test_every_prediction_is_logged(client: TestClient, state: OnlineState) -> None:
    bought(state, "i-07")
    answer = client.post("/v1/predict", json={"target": "repurchase", "user": "u", "reasons": 1}).json()
    [row] = state.held("u")["predictions"]
    assert row["request"] == answer["request_id"]
    assert (row["value"], row["policy"]) == (answer["value"], "repurchase/lightgbm")
    assert json.loads(row["reasons"])[0]["feature"] == answer["reasons"][0]["feature"]
