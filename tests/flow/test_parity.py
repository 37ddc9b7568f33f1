"""For the same history the API, over real sockets, and the frames return what the run scored, to the last bit.

Over folds the run scored other fits than the one that ships; that one is asked itself.

The run ranks the whole catalogue; serving also leaves out what is not on sale or not for the asker's age. So every
item is put on sale in the overlay, and the asker is old enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from serving.live import live

import mercer
from flow.house import House, cache_at
from mercer.contracts import NEVER, Interactions, Silent
from mercer.pipeline.material import Material
from mercer.pipeline.models import load_model, score_model
from mercer.release import Overlay
from mercer.serving import prepare
from mercer.serving.wire import as_time

MOST = 200
"""Users who are compared, where the test has as many."""
GROWN_UP = 99
ON_SALE = {"available_from": "2000-01-01T00:00:00Z", "available_until": "2100-01-01T00:00:00Z"}


@pytest.fixture(scope="module")
def api(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    database = f"sqlite:///{tmp_path_factory.mktemp('state')}/mercer.db"
    with cache_at(house.cache):
        served = prepare(house.folder, host="127.0.0.1", state_url=database, dev=True)
        key = {"Authorization": f"Bearer {served.dev_key}"}
        with (
            live(served.app) as url,
            httpx.Client(base_url=url, headers=key, trust_env=False, timeout=30) as client,
        ):
            for item in limited(house):
                assert client.put(f"/v1/items/{item}", json=ON_SALE).status_code == 200
            yield client
        served.state.close()


@pytest.fixture(scope="module")
def material(house: House) -> Material:
    return Material(house.folder / "data", house.brief)


def test_recommended_lists_equal_the_scored_ones(house: House, material: Material, api: httpx.Client) -> None:
    requests = material.split("next-item").test.requests
    expected = scored_lists(house, "next-item")
    assert len(requests) >= 50
    for row in range(min(MOST, len(requests))):
        body = {
            "target": "next-item",
            "history": past_events(requests.history, row),
            "time": as_time(int(requests.time[row])).isoformat(),
            "k": 10,
            "context": {"age": GROWN_UP},
        }
        answer = api.post("/v1/recommend", json=body)
        assert answer.status_code == 200, answer.text
        shown = [(item["item"], np.float32(item["score"])) for item in answer.json()["items"]]
        assert shown == expected[requests.users[row]]


def test_searched_lists_equal_the_scored_ones(house: House, material: Material, api: httpx.Client) -> None:
    held = material.split("find").test
    requests = held.requests
    model = house.run.manifest["selected"]["find"]["model"]
    target = house.brief.targets["find"]
    shipped = load_model(target, model, house.folder / "models" / "find" / model)
    lists = score_model(target, shipped, held, Silent()).lists
    assert lists is not None
    expected = by_unit(lists.sort_values(["unit", "position"]))
    for query in requests.query or ():
        body = {
            "target": "find",
            "query": query,
            "k": 10,
            "context": {"age": GROWN_UP},
        }
        answer = api.post("/v1/search", json=body)
        assert answer.status_code == 200, answer.text
        shown = [(item["item"], np.float32(item["score"])) for item in answer.json()["items"]]
        assert shown == expected[query], query


@pytest.mark.parametrize("target", ["repurchase", "spend"])
def test_predictions_equal_the_scored_rows(
    house: House, material: Material, api: httpx.Client, target: str
) -> None:
    snapshots = material.split(target).test.snapshots
    expected = scored_rows(house, target)
    assert len(snapshots.entities) >= MOST
    for row in range(MOST):
        as_of = as_time(int(snapshots.as_of[row])).isoformat()
        body = {"target": target, "history": past_events(snapshots.history, row), "time": as_of}
        answer = api.post("/v1/predict", json=body)
        assert answer.status_code == 200, answer.text
        made = answer.json()
        scored = expected.loc[snapshots.entities[row]]
        assert [made[name] for name in ("value", "low", "high")] == list(scored), row


def test_frames_give_the_same_lists_and_predictions(house: House, material: Material) -> None:
    release = mercer.load(house.folder)
    release.overlay = Overlay(availability=dict.fromkeys(limited(house), (None, None)))
    requests = material.split("next-item").test.requests
    [time] = set(requests.time.tolist())
    histories = material.training_events()
    assert histories is not None
    listed = release.recommend(
        histories,
        users=requests.users,
        at=time,
        context=pd.DataFrame({"user": requests.users, "age": GROWN_UP}),
        target="next-item",
    )
    expected = scored_lists(house, "next-item")
    for user, rows in listed.groupby("user"):
        assert list(zip(rows["item"], rows["score"].astype(np.float32), strict=True)) == expected[str(user)]
    assert set(listed["user"]) == {user for user, shown in expected.items() if shown}
    for target in ("repurchase", "spend"):
        snapshots = material.split(target).test.snapshots
        [as_of] = set(snapshots.as_of.tolist())
        made = release.predict(histories, as_of, entities=snapshots.entities, target=target)
        scored = scored_rows(house, target).loc[made["entity"]]
        for name in ("value", "low", "high"):
            assert made[name].tolist() == scored[name].tolist(), (target, name)


def limited(house: House) -> list[str]:
    """Items that are not on sale all the time."""
    items = pd.read_parquet(house.folder / "data" / "items.parquet")
    return list(items.loc[items["available_from"].notna() | items["available_until"].notna(), "item"])


def scored_lists(house: House, target: str) -> dict[str, list[tuple[str, np.float32]]]:
    """Items and scores by unit, as the run's selected model ranked them on the test set."""
    return by_unit(
        pd.read_parquet(scored_file(house, target, "train.lists")).sort_values(["unit", "position"])
    )


def by_unit(lists: pd.DataFrame) -> dict[str, list[tuple[str, np.float32]]]:
    return {
        str(unit): list(zip(rows["item"], rows["score"].astype(np.float32), strict=True))
        for unit, rows in lists.groupby("unit")
    }


def scored_rows(house: House, target: str) -> pd.DataFrame:
    """Value, low and high by unit, as the run's selected model predicted them in the fit that ships."""
    rows = pd.read_parquet(scored_file(house, target, "train-validation"))
    return rows.set_index("unit")[["value", "low", "high"]]


def scored_file(house: House, target: str, fit_on: str) -> Path:
    model = house.run.manifest["selected"][target]["model"]
    return house.folder / "scores" / target / f"{model}.test.{fit_on}.parquet"


def past_events(log: Interactions, row: int) -> list[dict[str, Any]]:
    """A history as a caller of the API writes it."""
    begin, end = int(log.indptr[row]), int(log.indptr[row + 1])
    events = []
    for place in range(begin, end):
        event = {
            "item": log.items.ids[log.item[place]],
            "time": as_time(int(log.time[place])).isoformat(),
            "known_at": as_time(int(log.known_at[place])).isoformat(),
            "kind": log.kinds[log.kind[place]],
            "quantity": float(log.quantity[place]),
            "amount_minor": int(log.amount_minor[place]),
        }
        for name in ("basket", "session"):
            if (code := int(getattr(log, name)[place])) >= 0:
                event[name] = str(code)
        if log.origin_time[place] not in (log.time[place], NEVER):
            event["origin_time"] = as_time(int(log.origin_time[place])).isoformat()
        events.append(event)
    return events
