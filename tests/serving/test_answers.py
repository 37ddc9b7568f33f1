from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from release.small_shop import CUT, Shop, requests_at
from starlette.testclient import TestClient

from mercer.contracts import Context
from mercer.release import Release
from mercer.serving import OnlineState, Settings
from mercer.serving.state import Consent, Event
from serving.conftest import NOW


def iso(micros: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).isoformat()


def history_of(shop: Shop, user: str) -> list[dict]:
    own = shop.events[shop.events["user"] == user]
    return [
        {
            "item": row.item,
            "time": iso(row.time),
            "kind": row.kind,
            "basket": row.basket,
            "quantity": row.quantity,
        }
        for row in own.itertuples()
    ]


def ask(client: TestClient, path: str = "/v1/recommend", **body: object) -> dict:
    response = client.post(path, json={"target": "next-item", **body})
    assert response.status_code == 200, response.text
    return response.json()


def bought(state: OnlineState, item: str, user: str = "u", event: str = "e1", time: int = CUT) -> None:
    state.events.add(
        [Event(event=event, user=user, item=item, time=time, known_at=time, kind="purchase", quantity=1.0)]
    )


def shown(answer: dict) -> list[str]:
    return [item["item"] for item in answer["items"]]


def test_two_hundred_users_get_over_http_what_offline_ranking_gives(
    client: TestClient, shop: Shop, release: Release
) -> None:
    rows = np.arange(200)
    expected = release.recommend("next-item", requests_at(shop.log, rows), 10)
    for row, user in zip(rows, shop.log.users.ids, strict=False):
        answer = ask(client, history=history_of(shop, user), time=iso(CUT))
        listed = expected.items[row][expected.items[row] >= 0]
        assert shown(answer) == shop.vocabulary.decode(listed)
        scores = np.array([item["score"] for item in answer["items"]], np.float32)
        assert np.array_equal(scores, expected.scores[row][: len(listed)])


def test_a_known_user_gets_what_the_same_history_gets(
    client: TestClient, shop: Shop, state: OnlineState
) -> None:
    own = shop.events[shop.events["user"] == "customer-007"]
    state.events.add(
        [
            Event(
                event=row.event,
                user="customer-007",
                item=row.item,
                time=row.time,
                known_at=row.known_at,
                kind="purchase",
                basket=row.basket,
                quantity=row.quantity,
            )
            for row in own.itertuples()
        ]
    )
    kept = ask(client, user="customer-007", time=iso(CUT))
    given = ask(client, history=history_of(shop, "customer-007"), time=iso(CUT))
    assert kept["items"] == given["items"]
    assert kept["basis"] == given["basis"] == "history"


def test_an_unknown_user_is_answered_as_a_stranger_and_told_so(client: TestClient) -> None:
    stranger, nobody = ask(client, user="never-seen"), ask(client)
    assert stranger["items"] == nobody["items"]
    assert stranger["basis"] == "stranger"
    assert stranger["notes"] == ["Nothing is known of this user: answered as for a stranger."]


def test_what_was_known_only_later_is_not_used(client: TestClient, state: OnlineState) -> None:
    bought(state, "i-07", time=CUT)
    assert ask(client, user="u", time=iso(CUT - 1))["basis"] == "stranger"
    assert ask(client, user="u", time=iso(CUT))["basis"] == "history"
    later = {"item": "i-07", "time": iso(CUT), "known_at": iso(CUT + 5)}
    assert ask(client, history=[later], time=iso(CUT + 4))["basis"] == "stranger"


def test_an_objection_ends_profiling_whatever_history_is_given(
    client: TestClient, state: OnlineState, shop: Shop
) -> None:
    bought(state, "i-07")
    state.people.say([Consent("u", "objection", given=True, time=CUT)])
    stranger = ask(client)
    for body in ({}, {"history": history_of(shop, "customer-007")}):
        answer = ask(client, user="u", **body)
        assert answer["basis"] == "not-profiled"
        assert answer["items"] == stranger["items"]


@pytest.mark.parametrize("signal", ["opt-out", "objection", "not-profiled"])
def test_each_signal_of_a_request_ends_profiling(client: TestClient, shop: Shop, signal: str) -> None:
    history = history_of(shop, "customer-007")
    answer = ask(client, history=history, context={"signals": [signal]})
    assert answer["basis"] == "not-profiled"
    assert answer["items"] == ask(client)["items"] != ask(client, history=history)["items"]


def test_the_browsers_opt_out_signal_ends_profiling(client: TestClient, shop: Shop) -> None:
    body = {"target": "next-item", "history": history_of(shop, "customer-007")}
    sent = client.post("/v1/recommend", json=body, headers={"Sec-GPC": "1"}).json()
    assert sent["basis"] == "not-profiled"
    assert client.post("/v1/recommend", json=body, headers={"Sec-GPC": "0"}).json()["basis"] == "history"


def test_where_consent_is_recorded_only_what_it_covered_is_used(
    client: TestClient, state: OnlineState
) -> None:
    bought(state, "i-07", event="e1", time=CUT - 10)
    bought(state, "i-12", event="e2", time=CUT)
    state.people.say([Consent("v", "recommendation", given=True, time=1)])
    assert ask(client, user="u")["basis"] == "not-profiled"
    state.people.say([Consent("u", "recommendation", given=True, time=CUT)])
    after = ask(client, user="u")
    assert after["items"] == ask(client, history=[{"item": "i-12", "time": iso(CUT)}])["items"]


def test_of_two_ages_the_lower_one_holds(client: TestClient, state: OnlineState, settings: Settings) -> None:
    with state.database.write() as connection:
        from mercer.serving.state.schema import people

        connection.execute(people.insert(), {"user": "teen", "jurisdiction": "EU", "age": 16})
    ages = [({}, False), ({"age": 17}, False), ({"age": 18}, True)]
    for context, allowed in ages:
        answer = ask(client, target="again", k=60, context=context)
        assert ("i-03" in shown(answer)) is allowed
    assert "i-03" not in shown(ask(client, target="again", user="teen", k=60, context={"age": 44}))


def test_a_child_is_not_profiled(client: TestClient, shop: Shop) -> None:
    history = history_of(shop, "customer-007")
    assert ask(client, history=history, context={"age": 12})["basis"] == "not-profiled"
    assert ask(client, history=history, context={"age": 13})["basis"] == "history"


def test_allow_deny_and_pin_are_obeyed(client: TestClient) -> None:
    plain = shown(ask(client, k=5))
    assert plain[0] not in shown(ask(client, k=5, rules={"deny": [plain[0]]}))
    assert shown(ask(client, rules={"allow": ["i-20", "i-03", "i-10"]})) == sorted(
        ["i-10", "i-20"], key=lambda i: shown(ask(client, k=60)).index(i)
    )
    pinned = shown(ask(client, k=5, rules={"pin": ["i-20", "i-03", "i-10"]}))
    assert pinned[:2] == ["i-20", "i-10"]
    assert "i-03" not in pinned


def test_the_answer_says_what_it_rests_on(client: TestClient, release: Release) -> None:
    answer = ask(client, k=2)
    assert answer["policy"] == "next-item/item-knn"
    assert answer["release"] == release.hash
    assert answer["time"] == "2026-08-19T00:00:00Z"
    first = answer["items"][0]
    assert first["position"] == 1
    assert " chair no. " in first["title"]
    assert (first["currency"], first["propensity"]) == ("EUR", 1.0)


def test_every_answer_is_logged_with_what_could_have_been_shown(
    client: TestClient, state: OnlineState, shop: Shop, release: Release
) -> None:
    history = history_of(shop, "customer-007")
    answer = ask(
        client,
        user="u",
        history=history,
        time=iso(CUT),
        k=3,
        session="s-1",
        context={"jurisdiction": "EU", "age": 34, "signals": []},
    )
    tables = state.exposures.tables()
    [asked] = tables["requests"].to_pylist()
    assert asked["request"] == answer["request_id"]
    assert (asked["user"], asked["session"], asked["policy"]) == ("u", "s-1", "next-item/item-knn")
    assert '"age_band": "18 or over"' in asked["context"]
    row = list(shop.log.users.ids).index("customer-007")
    context = replace(Context.unknown(1), age=np.array([34], np.int16))
    expected = release.answer("next-item", requests_at(shop.log, np.array([row]), context=context), 3)
    assert asked["eligible"] == shop.vocabulary.decode(np.flatnonzero(expected.requests.eligible()[0]))
    impressions = tables["impressions"].to_pylist()
    assert [(i["position"], i["item"], i["propensity"]) for i in impressions] == [
        (at, item, 1.0) for at, item in enumerate(shown(answer), start=1)
    ]


def test_a_search_is_answered_and_logged_with_its_query(client: TestClient, state: OnlineState) -> None:
    answer = client.post("/v1/search", json={"query": "walnut chair", "k": 3, "user": "u"}).json()
    assert (answer["target"], answer["policy"]) == ("find", "find/bm25")
    assert all(item["title"].startswith("Walnut") for item in answer["items"])
    [asked] = state.exposures.tables()["requests"].to_pylist()
    assert (asked["query"], asked["user"]) == ("walnut chair", "u")


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("gift for someone@example.org", "gift for ‹email›"),
        ("chair 4111 1111 1111 1111", "‹card›"),
        ("call +44 20 7946 0958", "call ‹phone›"),
        ("chair no. 12", "chair no. 12"),
    ],
)
def test_what_is_personal_in_a_query_is_not_kept(
    client: TestClient, state: OnlineState, query: str, kept: str
) -> None:
    assert client.post("/v1/search", json={"query": query}).status_code == 200
    assert state.exposures.tables()["requests"].column("query").to_pylist() == [kept]


def test_a_search_obeys_withdrawals_age_limits_and_rules(client: TestClient) -> None:
    def search(**body: object) -> list[str]:
        return shown(client.post("/v1/search", json={"query": "elm chair", "k": 60, **body}).json())

    assert "i-03" not in search()
    assert "i-03" in search(context={"age": 18})
    first = search()[0]
    assert first not in search(rules={"deny": [first]})
    client.delete(f"/v1/items/{first}")
    assert first not in search(rules={"pin": [first]})


def test_a_query_that_means_nothing_is_answered_with_nothing_or_anything(client: TestClient) -> None:
    for query in ("zzzz", 'AND OR ( " *', "+-!", "a" * 500):
        assert client.post("/v1/search", json={"query": query}).status_code == 200
    for query in ("", "x" * 501, "nul\u0000"):
        assert client.post("/v1/search", json={"query": query}).status_code == 422


def test_the_target_must_be_named_when_several_could_be_meant(client: TestClient) -> None:
    response = client.post("/v1/recommend", json={})
    assert response.status_code == 422
    assert "next-item, again" in response.json()["remedy"]
    unknown = client.post("/v1/recommend", json={"target": "next-itm"})
    assert (unknown.status_code, unknown.json()["remedy"]) == (404, "Did you mean 'next-item'?")


@pytest.mark.parametrize(
    "body",
    [
        {"history": [{"item": "i-99", "time": iso(CUT)}]},
        {"rules": {"pin": ["i-99"]}},
        {"rules": {"allow": ["i-01", "i-99"]}},
        {"rules": {"deny": ["i-99"]}},
    ],
)
def test_an_unknown_item_is_named_wherever_it_stands(client: TestClient, body: dict) -> None:
    response = client.post("/v1/recommend", json={"target": "next-item", **body})
    assert response.status_code == 422
    assert response.json()["type"] == "unknown-item"
    assert "'i-99'" in response.json()["message"]


def test_the_clock_is_asked_when_no_time_is_given(client: TestClient) -> None:
    assert ask(client)["time"] == iso(NOW).replace("+00:00", "Z")
