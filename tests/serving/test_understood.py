from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from release.wording_shop import WordingShop, make_wording_shop

from mercer.cli import serve as cli_serve
from mercer.serving.deadline import DEADLINE_MS
from serving.wording import AMPLE, Broken, Held, Server, served, with_maker

ASKED = "red jacket under 36 euros for a boy of eight"
THREADS = 3


@pytest.fixture(scope="module")
def wording(tmp_path_factory: pytest.TempPathFactory) -> WordingShop:
    return make_wording_shop(tmp_path_factory.mktemp("wording"))


@pytest.fixture
def server(wording: WordingShop, tmp_path: Path) -> Iterator[Server]:
    with served(wording.release, tmp_path, understand_deadline_ms=int(1000 * AMPLE)) as made:
        yield made


@pytest.fixture
def held(wording: WordingShop) -> Held:
    return Held(wording.release.reader("find").maker)


@pytest.fixture
def slow(wording: WordingShop, held: Held, tmp_path: Path) -> Iterator[Server]:
    """A server whose maker works when it is let go."""
    release = with_maker(wording.release, held)
    with served(release, tmp_path, understand_deadline_ms=50, understand_threads=THREADS) as made:
        yield made
    held.go.set()


def shown(answer: dict) -> list[str]:
    return [item["item"] for item in answer["items"]]


def fields(problem: dict) -> dict[str, str]:
    return {one["field"]: one["message"] for one in problem["fields"]}


def test_an_answer_says_what_was_understood(server: Server) -> None:
    answer = server.search(ASKED, k=4)
    told = answer["understood"]
    assert told["query"] == "red jacket"
    assert (told["intent"], told["how"], told["maker"], told["currency"]) == (
        "gift",
        "understood",
        "rules",
        "EUR",
    )
    assert told["filters"] == {
        "category": "Clothing > Jackets",
        "brand": None,
        "price_min": None,
        "price_max": 3600,
        "attributes": {"colour": "Red"},
        "age": 8,
    }
    assert 0 <= told["milliseconds"] < 1000 * AMPLE
    assert all(item.startswith("jacket-") and item[8] == "r" for item in shown(answer))
    assert answer["notes"] == []


def test_what_was_understood_can_be_sent_back_as_filters(server: Server) -> None:
    first = server.search(ASKED)
    again = server.search(first["understood"]["query"], filters=first["understood"]["filters"])
    assert shown(again) == shown(first)
    assert again["understood"]["how"] == "given"
    assert again["understood"]["filters"] == first["understood"]["filters"]
    assert (again["understood"]["intent"], again["understood"]["milliseconds"]) == (None, 0)


def test_any_filter_can_be_taken_back(server: Server) -> None:
    whole = server.search(ASKED)["understood"]["filters"]
    for name in ("category", "price_max", "age"):
        assert server.search(ASKED, without=[name])["understood"]["filters"] == {**whole, name: None}
    for names in (["attributes.colour"], ["attributes"], ["attributes.colour", "attributes.colour", "brand"]):
        assert server.search(ASKED, without=names)["understood"]["filters"] == {**whole, "attributes": {}}
    everything = server.search(ASKED, k=9, without=["category", "price_max", "age", "attributes"])
    assert shown(everything) == shown(server.search("red jacket", k=9, understand=False))


def test_each_item_tells_whether_it_meets_the_filters(server: Server) -> None:
    items = server.search("red jacket under 36 euros", k=9)["items"]
    met, cheap = [item["meets"] for item in items], [item["price_minor"] <= 3600 for item in items]
    assert any(met)
    assert not all(met)
    assert all(within for within, meets in zip(cheap, met, strict=True) if meets)
    assert cheap == sorted(cheap, reverse=True), "what is within the price comes first"
    assert {item["meets"] for item in server.search("mug", target="words")["items"]} == {None}


def test_the_plain_query_is_used_where_the_caller_wants_it(server: Server) -> None:
    told = server.search("red jacket under 36 euros", understand=False)["understood"]
    assert (told["query"], told["how"], told["intent"]) == ("red jacket under 36 euros", "plain", None)
    assert not any(told["filters"].values())


def test_given_filters_must_be_the_catalogues_own(server: Server) -> None:
    wrong = {
        "category": "kitchen > mug",
        "brand": "ashdwn",
        "attributes": {"colour": "Redd", "collar": "Red"},
        "price_min": 900,
        "price_max": 800,
    }
    problem = server.search("mug", 422, filters=wrong)
    assert problem["type"] == "unknown-value"
    told = fields(problem)
    places = ("category", "brand", "attributes.colour", "attributes.collar", "price_max")
    assert list(told) == [f"filters.{place}" for place in places]
    assert "Did you mean 'Kitchen > Mugs'?" in told["filters.category"]
    assert "Did you mean 'Ashdown'?" in told["filters.brand"]
    assert "Did you mean 'Red'?" in told["filters.attributes.colour"]
    assert "Did you mean 'colour'?" in told["filters.attributes.collar"]
    assert "ashdwn" not in str(problem)
    assert (
        "Valid: Ashdown, Northbrook, Tidewell."
        in fields(server.search("mug", 422, filters={"brand": "?"}))["filters.brand"]
    )
    assert server.search("mug", filters={})["understood"]["how"] == "given"


@pytest.mark.parametrize(
    ("filters", "field"),
    [
        ({"price_max": -1}, "price_max"),
        ({"age": 131}, "age"),
        ({"colour": "Red"}, "colour"),
        ({"brand": ""}, "brand"),
    ],
)
def test_filters_of_another_form_are_refused(server: Server, filters: dict, field: str) -> None:
    problem = server.search("mug", 422, filters=filters)
    assert (problem["type"], list(fields(problem))) == ("invalid-request", [f"filters.{field}"])


def test_what_is_no_filter_can_not_be_taken_back(server: Server) -> None:
    problem = server.search("mug", 422, without=["brand", "attributes.color", "prize_max"])
    assert problem["type"] == "unknown-value"
    told = fields(problem)
    assert set(told) == {"without.1", "without.2"}
    assert "'attributes.colour'" in told["without.1"]
    assert "'price_max'" in told["without.2"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"filters": {}, "understand": True}, "filters"),
        ({"filters": {}, "without": ["brand"]}, "without"),
        ({"understand": False, "without": ["brand"]}, "without"),
        ({"deadline_ms": 0}, "deadline_ms"),
        ({"deadline_ms": 60_001}, "deadline_ms"),
    ],
)
def test_a_call_that_contradicts_itself_is_refused(server: Server, body: dict, field: str) -> None:
    problem = server.search("mug", 422, **body)
    assert (problem["type"], list(fields(problem))) == ("invalid-request", [field])


@pytest.mark.parametrize(
    "body",
    [{"understand": True}, {"understand": False}, {"filters": {}}, {"without": []}, {"deadline_ms": 5}],
)
def test_a_search_that_does_not_understand_says_so(server: Server, body: dict) -> None:
    problem = server.search("mug", 422, target="words", **body)
    assert (problem["type"], list(fields(problem))) == ("no-understanding", list(body))
    assert server.search("mug", target="words")["understood"] is None


def test_the_release_tells_which_search_understands(server: Server) -> None:
    told = server.client.get("/v1/release").json()["targets"]
    assert {one["target"]: one["maker"] for one in told} == {"find": "rules", "words": None}


def test_an_age_that_is_typed_shows_nothing_more(server: Server) -> None:
    query = "knife for a 40 year old"
    assert server.search(query)["understood"]["filters"]["age"] == 40
    for context in ({}, {"age": 12}):
        assert not any(
            item.startswith("knife") for item in shown(server.search(query, k=100, context=context))
        )
        given = server.search(
            "knife", k=100, context=context, filters={"age": 40, "category": "Kitchen > Knives"}
        )
        assert not any(item.startswith("knife") for item in shown(given))
    assert shown(server.search(query, k=3, context={"age": 18}))[0].startswith("knife")
    for_child = server.search("knife for a boy of eight", k=100, context={"age": 40})
    assert not any(item.startswith("knife") for item in shown(for_child))


def test_filters_bring_back_nothing_that_is_denied(server: Server) -> None:
    wanted = {"category": "Clothing > Jackets", "brand": "Ashdown", "attributes": {"colour": "Red"}}
    assert sorted(shown(server.search("jacket", k=3, filters=wanted))) == [
        "jacket-ar0",
        "jacket-ar1",
        "jacket-ar2",
    ]
    server.client.delete("/v1/items/jacket-ar0")
    left = server.search(
        "jacket", k=100, filters=wanted, rules={"deny": ["jacket-ar1"], "pin": ["jacket-ar0"]}
    )
    assert "jacket-ar2" in shown(left)
    assert not {"jacket-ar0", "jacket-ar1"} & set(shown(left))


def test_a_price_that_changes_is_the_one_a_limit_means(server: Server) -> None:
    wanted = {"category": "Kitchen > Mugs", "price_max": 700}
    server.client.put("/v1/items/mug-tg2", json={"price_minor": 650})
    first = server.search("mug", k=1, filters=wanted)["items"][0]
    assert (first["item"], first["price_minor"]) == ("mug-tg2", 650)


def test_the_log_keeps_what_it_kept_before(server: Server) -> None:
    plain = server.search("red jacket", understand=False, k=3)
    clever = server.search("red jacket for someone@example.org", k=3, user="u", without=["category"])
    tables = server.settings.state.exposures.tables()
    rows = {row["request"]: row for row in tables["requests"].to_pylist()}
    before, after = rows[plain["request_id"]], rows[clever["request_id"]]
    assert after["query"] == "red jacket for ‹email›"
    assert (after["user"], after["policy"]) == ("u", before["policy"])
    assert json.loads(after["context"]) == json.loads(before["context"])
    assert set(after["eligible"]) == set(before["eligible"])
    assert {row["propensity"] for row in tables["impressions"].to_pylist()} == {1.0}


def test_a_query_that_is_late_is_searched_plainly_and_understood_by_the_next_call(
    slow: Server, held: Held
) -> None:
    late = slow.search(ASKED, k=5, deadline_ms=30)
    assert (late["understood"]["how"], late["understood"]["query"]) == ("late", ASKED)
    assert late["notes"] == ["Understanding the query took longer than 30 ms: the plain query was used."]
    assert late["understood"]["milliseconds"] >= 30
    assert shown(late) == shown(slow.search(ASKED, k=5, understand=False))
    assert slow.search(ASKED)["notes"] == [
        "Understanding the query took longer than 50 ms: the plain query was used."
    ]
    held.go.set()
    _wait_for_the_maker(slow)
    after = slow.search(ASKED, deadline_ms=1)
    assert (after["understood"]["how"], after["notes"]) == ("understood", [])
    assert held.asked == [ASKED]


def test_taking_back_asks_the_maker_no_second_time(slow: Server, held: Held) -> None:
    held.go.set()
    slow.search(ASKED, deadline_ms=20_000)
    assert slow.search(ASKED, without=["age"])["understood"]["filters"]["age"] is None
    assert held.asked == [ASKED]


def test_twenty_calls_with_a_maker_that_hangs_are_answered_and_hold_few_threads(
    slow: Server, held: Held
) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: slow.search(f"red jacket {n}", deadline_ms=100), range(20)))
    # The maker is still hanging here: nobody waited for it.
    assert not held.go.is_set()
    assert {answer["understood"]["how"] for answer in answers} == {"late"}
    assert len(held.asked) == held.most == THREADS
    text = slow.client.get("/metrics").text
    assert f"mercer_understanding_at_work {THREADS}.0" in text
    assert 'mercer_understood_total{how="late",target="find"} 20.0' in text
    assert 'mercer_understand_seconds_count{target="find"} 20.0' in text
    assert "jacket" not in text


def test_a_query_with_personal_data_is_not_kept_in_memory(slow: Server, held: Held) -> None:
    held.go.set()
    for query in ("mug for someone@example.org", "mug for someone@example.org", "mug", "mug"):
        assert slow.search(query, deadline_ms=20_000)["understood"]["how"] == "understood"
    assert held.asked == ["mug for someone@example.org", "mug for someone@example.org", "mug"]


def test_a_maker_that_breaks_leaves_the_plain_query(
    wording: WordingShop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR), served(with_maker(wording.release, Broken()), tmp_path) as server:
        answer = server.search("secret mug", k=5)
        assert answer["understood"]["how"] == "failed"
        assert answer["notes"] == ["The query could not be understood: the plain query was used."]
        assert shown(answer) == shown(server.search("secret mug", k=5, understand=False))
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


def test_the_command_and_the_app_have_one_deadline() -> None:
    from inspect import signature

    assert signature(cli_serve.serve).parameters["understand_deadline_ms"].default == DEADLINE_MS


def _wait_for_the_maker(server: Server) -> None:
    end = time.monotonic() + AMPLE
    while "mercer_understanding_at_work 0.0" not in server.client.get("/metrics").text:
        assert time.monotonic() < end
        time.sleep(0.01)
