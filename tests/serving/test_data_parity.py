"""What serving sees equals what the data step gave to evaluation, and what serving logs is data again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from release.small_shop import CUT, START, Shop
from starlette.testclient import TestClient

from mercer.brief import Brief
from mercer.contracts import Context, Requests, Snapshots
from mercer.data import Tables, build_interactions, ingest, training_rows
from mercer.release import load
from mercer.serving import Answering, OnlineState, prepare
from mercer.serving.answering import now
from mercer.serving.asking import Asking, asker
from mercer.serving.calls import ContextIn, PredictCall, RecommendCall
from mercer.serving.wire import as_time
from serving.shop_run import brief_of, make_run
from serving.test_answers import iso

ROW_ARRAYS = ("item", "time", "known_at", "kind", "quantity", "amount_minor", "origin_time")


@pytest.fixture(scope="module")
def run(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parity")
    returned = shop.events.iloc[::9].assign(
        kind="return",
        origin=lambda frame: frame["event"],
        event=lambda frame: "r-" + frame["event"],
        time=lambda frame: frame["time"] + 5,
        amount_minor=lambda frame: -frame["amount_minor"],
    )
    returned["known_at"] = returned["time"] + 10
    import pandas as pd

    viewed = shop.events.iloc[::7].assign(kind="view", event=lambda frame: "v-" + frame["event"], basket=None)
    events = pd.concat([viewed, returned, shop.events], ignore_index=True)
    make_run(replace(shop, events=events), folder / "source", folder / "run", folder / "cache")
    return folder / "run"


@pytest.fixture(scope="module")
def answering(run: Path) -> Answering:
    served = prepare(run, host="127.0.0.1", dev=True)
    return Answering(release=served.release, state=served.state)


def test_every_history_equals_the_data_steps(run: Path, shop: Shop, answering: Answering) -> None:
    tables = Tables.load(run / "data")
    log = build_interactions(tables, brief_of(shop), mask=training_rows(tables, brief_of(shop))).as_of(CUT)
    assert log.n_events > 1_000
    asking = Asking(answering.release, answering.state)
    for row, user in enumerate(log.users.ids):
        call = RecommendCall(target="next-item", user=user)
        who = asker(answering.state, user, ContextIn(), opted_out=False, at=CUT)
        assert who.is_hidden == (user in ("customer-002", "customer-004"))
        mine = asking.requests(call, who, CUT).visible_history
        theirs = log.take(np.array([row]))
        assert mine.kinds[: len(theirs.kinds)] == theirs.kinds
        for name in ROW_ARRAYS:
            assert np.array_equal(getattr(mine, name), getattr(theirs, name)), (user, name)
        assert np.array_equal(_partition(mine.basket), _partition(theirs.basket))


def _partition(groups: np.ndarray) -> np.ndarray:
    """Which events share a group, whatever its number."""
    return (groups[:, None] == groups[None, :]) & (groups[:, None] >= 0)


def test_users_by_id_get_what_offline_ranking_and_prediction_give(
    run: Path, shop: Shop, answering: Answering
) -> None:
    tables = Tables.load(run / "data")
    log = build_interactions(tables, brief_of(shop), mask=training_rows(tables, brief_of(shop))).as_of(CUT)
    release = load(run)
    rows = np.arange(200)
    requests = Requests(
        users=tuple(log.users.ids[row] for row in rows),
        history=log.take(rows),
        time=np.full(200, CUT, np.int64),
        context=replace(Context.unknown(200), age=np.full(200, 40, np.int16)),
    )
    ranked = release.recommend("next-item", requests, 10)
    snapshots = Snapshots(entities=requests.users, as_of=requests.time, history=requests.history)
    values = {name: release.predict(name, snapshots).value for name in ("repurchase", "spend")}
    for row, user in enumerate(requests.users):
        call = RecommendCall(target="next-item", user=user, time=as_time(CUT))
        items = [shown.item for shown in answering.rank(call, f"r-{row}").items]
        assert items == shop.vocabulary.decode(ranked.items[row][ranked.items[row] >= 0])
        if user in ("customer-002", "customer-004"):
            continue
        for name, value in values.items():
            made = answering.predict(PredictCall(target=name, user=user, time=as_time(CUT)), f"{name}-{row}")
            assert made.value == value[row]


SECOND = """
schema: 1
name: second-look
question: What did the policy show?
decision: {date: 2026-12-31, target: next-item}
packs_date: 2026-07-20
data:
  events: {source: events.parquet, timezone: UTC}
  requests: {source: requests.parquet, timezone: UTC}
  impressions: {source: impressions.parquet}
  outcomes: {source: outcomes.parquet, timezone: UTC}
targets: {next-item: {task: recommend}}
"""


def test_a_second_brief_reads_the_exposure_log_as_data(
    client: TestClient, state: OnlineState, tmp_path: Path
) -> None:
    shown = {}
    for number in range(4):
        answer = client.post(
            "/v1/recommend", json={"target": "next-item", "user": f"u-{number}", "k": 3}
        ).json()
        shown[answer["request_id"]] = [item["item"] for item in answer["items"]]
        event = {
            "event": f"e-{number}",
            "user": f"u-{number}",
            "item": "i-07",
            "time": iso(START),
            "kind": "purchase",
        }
        sent = {
            **event,
            "quantity": 1,
            "amount_minor": 900,
            "currency": "EUR",
            "request": answer["request_id"],
        }
        assert client.post("/v1/events", json=sent).status_code == 200
    counts = state.exposures.export(tmp_path / "log")
    assert counts == {"requests": 4, "impressions": 12, "outcomes": 4, "events": 4}
    accounting = ingest(Brief.parse(SECOND), data_folders=(tmp_path / "log",), out=tmp_path / "data")
    assert accounting.to_json()
    tables = Tables.load(tmp_path / "data")
    read = tables.get("impressions")
    assert read is not None
    assert read.groupby("request")["item"].apply(list).to_dict() == shown
    assert (read["propensity"] == 1).all()
    asked = tables.get("requests")
    assert asked is not None
    assert set(asked["request"]) == set(shown)
    assert set(asked["policy"]) == {"next-item/item-knn"}
    assert all("i-03" not in eligible and "i-07" in eligible for eligible in asked["eligible"])
    outcomes = tables.get("outcomes")
    assert outcomes is not None
    assert set(outcomes["request"]) == set(shown)
    assert tables.events() is not None


def test_the_clock_is_the_systems(answering: Answering) -> None:
    assert abs(answering.clock() - now()) < 10_000_000
