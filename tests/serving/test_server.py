"""End to end over real sockets: what TestClient can't show."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from release.small_shop import CUT, Shop

from mercer.errors import DamagedError, GateError, OutputError, UsageError
from mercer.release import finalize
from mercer.serving import OnlineState, Settings, build_app
from mercer.serving.server import create_key, prepare, serve, state_url_of
from mercer.serving.state import SCOPES
from serving.conftest import NOW
from serving.live import live
from serving.state.test_seed import write_run
from serving.test_answers import iso


@pytest.fixture
def session(settings: Settings) -> Iterator[httpx.Client]:
    key = settings.state.keys.create("test", SCOPES, time=NOW)
    with (
        live(build_app(settings)) as url,
        httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, trust_env=False) as client,
    ):
        yield client


def test_a_customers_day(session: httpx.Client, state: OnlineState) -> None:
    """Asked, shown, bought, shown another thing; a withdrawal and an objection act at once; all is logged."""
    body = {"target": "next-item", "user": "u", "k": 5}
    first = session.post("/v1/recommend", json=body).json()
    assert first["basis"] == "stranger"
    item = first["items"][0]["item"]
    event = {"event": "e-1", "user": "u", "item": item, "time": iso(CUT), "kind": "purchase"}
    bought = {**event, "amount_minor": 999, "request": first["request_id"]}
    reply = session.post("/v1/events", json=bought)
    assert reply.json()["accepted"] == 1
    second = session.post("/v1/recommend", json=body).json()
    assert second["basis"] == "history"
    assert item not in [shown["item"] for shown in second["items"]]
    gone = second["items"][0]["item"]
    session.delete(f"/v1/items/{gone}")
    third = session.post("/v1/recommend", json=body).json()
    assert gone not in [shown["item"] for shown in third["items"]]
    value = session.post("/v1/predict", json={"target": "spend", "user": "u"}).json()["value"]
    assert value > 0
    session.post("/v1/consents", json={"user": "u", "purpose": "objection", "given": True})
    assert session.post("/v1/recommend", json=body).json()["basis"] == "not-profiled"
    tables = state.exposures.tables()
    assert tables["requests"].num_rows == 4
    assert tables["impressions"].num_rows == 20
    assert tables["outcomes"].column("request").to_pylist() == [first["request_id"]]


def test_many_clients_at_once_are_all_answered_and_logged(session: httpx.Client, state: OnlineState) -> None:
    def one(number: int) -> str:
        event = {"event": f"e-{number % 10}", "user": "u", "item": "i-07", "time": iso(CUT), "kind": "view"}
        assert session.post("/v1/events", json=event).status_code == 200
        reply = session.post("/v1/recommend", json={"target": "again", "user": "u"})
        assert reply.status_code == 200
        return str(reply.json()["request_id"])

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(one, range(40)))
    assert len(ids) == 40
    assert set(state.exposures.tables()["requests"].column("request").to_pylist()) == ids
    assert len(state.events.history("u", NOW)["event"]) == 10


def test_a_huge_body_is_refused_before_it_is_sent_whole(session: httpx.Client) -> None:
    host, port = session.base_url.host, session.base_url.port
    with socket.create_connection((host, port), timeout=10) as raw:
        head = f"POST /v1/recommend HTTP/1.1\r\nHost: {host}\r\nContent-Length: 999999999999\r\n\r\n"
        raw.sendall(head.encode())
        assert raw.recv(100).startswith(b"HTTP/1.1 413")


@pytest.fixture
def run(shop: Shop, tmp_path: Path) -> Path:
    shop.build(tmp_path / "run" / "release")
    write_run(tmp_path / "run", shop.events)
    return tmp_path / "run"


def test_an_undecided_release_is_served_for_a_look_only(run: Path) -> None:
    with pytest.raises(GateError, match="not judged"):
        prepare(run, host="127.0.0.1")
    assert prepare(run, host="127.0.0.1", dev=True).notes[0].startswith("This release was not judged")
    finalize(run / "release", {}, decision="do-not-ship")
    with pytest.raises(GateError, match="not to be shipped"):
        prepare(run, host="127.0.0.1")
    finalize(run / "release", {}, decision="need-more-data")
    assert prepare(run, host="127.0.0.1").notes == ("The decision on this release is: need more data.",)
    finalize(run / "release", {}, decision="ship")
    assert prepare(run, host="127.0.0.1").notes == ()


def test_the_key_of_dev_mode_is_for_the_loopback_and_replaces_the_last(run: Path) -> None:
    with pytest.raises(UsageError, match="this machine alone"):
        prepare(run, host="0.0.0.0", dev=True)
    first = prepare(run, host="127.0.0.1", dev=True)
    second = prepare(run, host="127.0.0.1", dev=True)
    assert first.dev_key is not None
    assert second.dev_key is not None
    assert second.state.keys.check(first.dev_key) is None
    assert second.state.keys.check(second.dev_key) is not None


def test_the_state_of_a_run_lies_in_its_folder_and_knows_its_customers(run: Path) -> None:
    served = prepare(run, host="127.0.0.1", dev=True)
    assert (run / "state" / "mercer.db").is_file()
    assert state_url_of(run) == state_url_of(run / "release")
    assert served.state.find("customer-003")
    assert "Loaded 1404 events" in served.notes[1]


def test_a_key_made_beforehand_opens_its_scopes(run: Path) -> None:
    key = create_key(state_url_of(run), "shop", ["answer"])
    holder = OnlineState(state_url_of(run)).keys.check(key)
    assert holder is not None
    assert holder.scopes == {"answer"}


def test_a_damaged_release_is_not_served(run: Path) -> None:
    file = run / "release" / "models" / "spend" / "predictor.json"
    file.write_text(file.read_text() + " ")
    with pytest.raises(DamagedError, match=r"models/spend/predictor\.json was changed"):
        prepare(run, host="127.0.0.1", dev=True)


def test_a_port_in_use_is_told(run: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OutputError, match=f"127.0.0.1:{port} can't be listened on"):
            serve(run, port=port, dev=True, announce=lambda _: None)


def test_serve_announces_where_it_is(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import uvicorn

    said: list[str] = []
    answered: list[int] = []

    class Once(uvicorn.Server):
        def run(self, sockets: list[socket.socket] | None = None) -> None:
            thread = threading.Thread(target=super().run, args=(sockets,), daemon=True)
            thread.start()
            url = said[-1].split(" on ")[1].split(" ")[0]
            key = next(line for line in said if line.startswith("Key")).rsplit(" ", 1)[1]
            with httpx.Client(trust_env=False, transport=httpx.HTTPTransport(retries=20)) as client:
                reply = client.get(f"{url}/v1/release", headers={"X-API-Key": key}, timeout=20)
            answered.append(reply.status_code)
            self.should_exit = True
            thread.join(20)

    monkeypatch.setattr(uvicorn, "Server", Once)
    serve(run, port=0, dev=True, announce=said.append)
    assert answered == [200]
