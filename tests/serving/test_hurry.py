"""A deadline on a target's own ranker: its fallback answers, the answer says so, and rules hold for both."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from release.small_shop import CUT, DAY, Shop

from mercer.compliance import CaseStore
from mercer.contracts import Rankings, Requests
from mercer.release import Release
from mercer.serving import OnlineState, Settings, build_app
from mercer.serving.hurry import DeadlineRanker
from mercer.serving.state import SCOPES
from serving.live import live

NOW = CUT + 30 * DAY
AMPLE = 20_000
THREADS = 2


class Held:
    """A ranker that works once `go` is set; counts what it is asked."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.go, self.asked = inner, threading.Event(), 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def rank(self, requests: Requests, k: int) -> Rankings:
        """What the inner ranker answers, later."""
        self.asked += 1
        self.go.wait(20)
        return self.inner.rank(requests, k)


class Broken(Held):
    """A ranker that fails."""

    def rank(self, requests: Requests, k: int) -> Rankings:
        """Fail, quoting the person."""
        raise RuntimeError(str(requests.users))


@dataclass(frozen=True)
class Server:
    """A live server: a client whose key opens everything, and its settings."""

    client: httpx.Client
    settings: Settings

    def recommend(self, status: int = 200, **body: Any) -> dict[str, Any]:
        """POST /v1/recommend."""
        reply = self.client.post("/v1/recommend", json={"target": "next-item", "k": 5, **body})
        assert reply.status_code == status, reply.text
        return reply.json()


@contextmanager
def served(release: Release, folder: Path, **settings: Any) -> Iterator[Server]:
    url = f"sqlite:///{folder}/state/mercer.db"
    state = OnlineState(url)
    key = state.keys.create("test", SCOPES, time=NOW)
    made = Settings(release=release, state=state, cases=CaseStore(url), clock=lambda: NOW, **settings)
    headers = {"Authorization": f"Bearer {key}"}
    with (
        live(build_app(made)) as address,
        httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=30) as client,
    ):
        yield Server(client, made)
    state.close()


@pytest.fixture(scope="module")
def release(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Release:
    """`next-item` is answered by item-knn, and by most-popular where that is late."""
    return shop.build_with_fallback(tmp_path_factory.mktemp("built") / "release")


def with_ranker(release: Release, ranker: Any) -> Release:
    return replace(release, rankers={**release.rankers, "next-item": ranker})


@pytest.fixture
def held(release: Release) -> Iterator[Held]:
    made = Held(copy.copy(release.rankers["next-item"]))
    yield made
    made.go.set()


PERSON = {"user": None, "history": [{"item": "i-10", "time": "2026-05-01T00:00:00Z"}]}


def items(answer: dict[str, Any]) -> list[str]:
    return [one["item"] for one in answer["items"]]


def test_in_time_the_targets_own_ranker_answers(release: Release, tmp_path: Path) -> None:
    with served(release, tmp_path, answer_deadline_ms=AMPLE) as server:
        answer = server.recommend(history=PERSON["history"])
    told = answer["answered"]
    assert (told["by"], told["how"], told["deadline_ms"]) == ("item-knn", "ranker", AMPLE)
    assert answer["policy"] == "next-item/item-knn"
    assert answer["notes"] == []


def test_after_the_deadline_the_fallback_answers_and_says_so(
    release: Release, held: Held, tmp_path: Path
) -> None:
    with served(with_ranker(release, held), tmp_path, answer_deadline_ms=60) as server:
        begun = time.monotonic()
        answer = server.recommend(history=PERSON["history"])
        took = time.monotonic() - begun
        held.go.set()
        popular = server.recommend(target="again", history=PERSON["history"], rules={"deny": ["i-10"]})
    told = answer["answered"]
    assert (told["by"], told["how"], told["deadline_ms"]) == ("most-popular", "late", 60)
    assert told["milliseconds"] >= 60
    assert took < 10
    assert answer["policy"] == "next-item/most-popular"
    assert answer["notes"] == ["The target's own ranker took longer than 60 ms: most-popular answered."]
    assert answer["basis"] == "history"
    assert items(answer) == items(popular)
    assert popular["answered"] is None


def test_a_call_may_name_its_deadline(release: Release, held: Held, tmp_path: Path) -> None:
    with served(with_ranker(release, held), tmp_path, answer_deadline_ms=AMPLE) as server:
        answer = server.recommend(history=PERSON["history"], deadline_ms=40)
        assert answer["answered"]["how"] == "late"
        refused = server.recommend(422, target="again", deadline_ms=40)
    assert refused["type"] == "no-fallback"
    assert [one["field"] for one in refused["fields"]] == ["deadline_ms"]


def test_a_ranker_that_breaks_is_stood_in_for(
    release: Release, held: Held, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Broken(held.inner)
    with served(with_ranker(release, broken), tmp_path, answer_deadline_ms=AMPLE) as server:
        answer = server.recommend(user="customer-001")
    assert answer["answered"]["how"] == "failed"
    assert answer["notes"][-1] == "The target's own ranker failed: most-popular answered."
    assert "RuntimeError" in caplog.text
    assert "customer-001" not in caplog.text


def test_what_is_withdrawn_is_answered_by_neither(release: Release, held: Held, tmp_path: Path) -> None:
    with served(with_ranker(release, held), tmp_path, answer_deadline_ms=60) as server:
        first = items(server.recommend(history=PERSON["history"]))[0]
        assert server.client.delete(f"/v1/items/{first}").status_code == 200
        late = server.recommend(history=PERSON["history"])
        held.go.set()
        timely = server.recommend(history=PERSON["history"], deadline_ms=AMPLE)
    assert (late["answered"]["how"], timely["answered"]["how"]) == ("late", "ranker")
    for answer in (late, timely):
        assert not {first, "i-03", "i-04", "i-05", "i-10"} & set(items(answer))


def test_who_is_not_to_be_profiled_is_a_stranger_to_the_fallback_too(
    release: Release, held: Held, tmp_path: Path
) -> None:
    with served(with_ranker(release, held), tmp_path, answer_deadline_ms=40) as server:
        hidden = server.recommend(history=PERSON["history"], context={"signals": ["not-profiled"]})
        stranger = server.recommend()
    assert (hidden["basis"], stranger["basis"]) == ("not-profiled", "stranger")
    assert items(hidden) == items(stranger)


def test_answers_that_hang_hold_so_many_threads_and_no_more(
    release: Release, held: Held, tmp_path: Path
) -> None:
    settings = {"answer_deadline_ms": 40, "answer_threads": THREADS}
    with served(with_ranker(release, held), tmp_path, **settings) as server:
        for _ in range(THREADS + 3):
            assert server.recommend()["answered"]["how"] == "late"
        assert held.asked == THREADS
        assert f"mercer_ranking_at_work {THREADS}.0" in server.client.get("/metrics").text
        held.go.set()
        assert server.recommend(deadline_ms=AMPLE)["answered"]["how"] == "ranker"
        seen = server.client.get("/metrics").text
    assert f'mercer_answered_total{{how="late",target="next-item"}} {THREADS + 3}.0' in seen
    assert 'mercer_answered_total{how="ranker",target="next-item"} 1.0' in seen


def test_the_release_says_what_stands_by(release: Release, tmp_path: Path) -> None:
    with served(release, tmp_path) as server:
        told = {one["target"]: one for one in server.client.get("/v1/release").json()["targets"]}
    assert told["next-item"]["fallback"]["model"] == "most-popular"
    assert told["next-item"]["fallback"]["parameters"]
    assert told["again"]["fallback"] is None


def test_the_log_names_the_policy_that_answered(release: Release, held: Held, tmp_path: Path) -> None:
    with served(with_ranker(release, held), tmp_path, answer_deadline_ms=40) as server:
        server.recommend()
        server.settings.state.exposures.export(tmp_path / "log")
    import pandas as pd

    assert pd.read_parquet(tmp_path / "log" / "requests.parquet")["policy"].tolist() == [
        "next-item/most-popular"
    ]


def test_a_callers_mistake_is_no_reason_for_a_fallback() -> None:
    from mercer.errors import UsageError

    def wrong() -> Any:
        raise UsageError("no")

    with pytest.raises(UsageError):
        DeadlineRanker().answer("t", wrong, lambda: pytest.fail("stood in"), 5.0)
