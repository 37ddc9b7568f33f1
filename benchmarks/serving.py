"""One recommendation over HTTP against the same call in process, as a ratio of medians in one run.

    python benchmarks/serving.py [--items 2000] [--users 1000] [--requests 300]

In process: look up the person, rank the whole catalogue under the serving rules, log the exposure.
Over HTTP: the same through uvicorn on the loopback in a process of its own, with key, JSON and validation.
"""

from __future__ import annotations

import argparse
import multiprocessing
import socket
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import pandas as pd

from mercer.brief import Brief
from mercer.compliance import CaseStore
from mercer.contracts import Dataset, Vocabulary, plugins
from mercer.recommend import ItemKnn
from mercer.release import ReleasedModel, build, histories, load
from mercer.serving import OnlineState, Settings, build_app
from mercer.serving.calls import RecommendCall
from mercer.serving.state import SCOPES, Event

DAY = 86_400_000_000
START = 1_767_225_600_000_000
BRIEF = """
schema: 1
name: bench
question: How long does an answer take?
decision: {date: 2026-07-20, target: next-item}
data: {events: {source: events.parquet}}
packs_date: 2026-07-20
targets: {next-item: {task: recommend, repeats: false}}
"""


def make(folder: Path, n_items: int, n_users: int) -> str:
    """A release, and a state that knows its customers; returns an API key."""
    rng = np.random.default_rng(1)
    vocabulary = Vocabulary([f"item-{n:05d}" for n in range(n_items)])
    zeros = {"available_from": 0, "available_until": 0, "min_age": 0, "price_minor": 999, "currency": "EUR"}
    texts = {"title": "A thing", "text": "", "category": "", "brand": ""}
    items = pd.DataFrame({"item": vocabulary.ids, **texts, **zeros})
    row = np.repeat(np.arange(n_users), 25)
    bought = (rng.zipf(1.3, len(row)) % n_items).tolist()
    time_ = (START + rng.integers(0, 180 * DAY, len(row))).tolist()
    columns = {"item": vocabulary.decode(bought), "time": time_}
    users = [f"user-{n}" for n in range(n_users)]
    log = histories(columns, row=row.tolist(), users=users, items=vocabulary)
    train = Dataset(vocabulary=vocabulary, items=items, as_of=START + 181 * DAY, interactions=log)
    (folder / "model").mkdir()
    ItemKnn().fit(train).save(folder / "model")
    model = ReleasedModel(
        model_name="item-knn", group=plugins.RANKERS, model_folder=folder / "model", seed=1, fit_on="train"
    )
    build(
        folder / "release",
        brief=Brief.parse(BRIEF),
        targets={"next-item": model},
        vocabulary=vocabulary,
        items=items,
        features_hash="",
        evidence={},
        created=datetime(2026, 7, 20, tzinfo=UTC),
    )
    state = OnlineState(url_of(folder))
    state.events.add(
        [
            Event(event=str(n), user=users[u], item=item, time=when, known_at=when, kind="purchase")
            for n, (u, item, when) in enumerate(zip(row, columns["item"], time_, strict=True))
        ]
    )
    return state.keys.create("bench", SCOPES, time=0)


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder}/mercer.db"


def settings(folder: Path) -> Settings:
    url = url_of(folder)
    return Settings(release=load(folder / "release"), state=OnlineState(url), cases=CaseStore(url))


def serve(folder: Path, port: int) -> None:
    import uvicorn

    uvicorn.run(build_app(settings(folder)), port=port, log_level="error", access_log=False)


def median_ms(call: Callable[[int], object], n: int) -> float:
    for number in range(20):
        call(number)
    times = []
    for number in range(20, 20 + n):
        begin = time.perf_counter()
        call(number)
        times.append(time.perf_counter() - begin)
    return 1e3 * statistics.median(times)


def over_http(folder: Path, key: str, n_users: int, n: int) -> float:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(folder, port), daemon=True)
    server.start()
    try:
        client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Authorization": f"Bearer {key}"},
            trust_env=False,
            timeout=30,
        )
        for _ in range(300):
            try:
                client.get("/readyz").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)

        def ask(number: int) -> None:
            client.post("/v1/recommend", json={"user": f"user-{number % n_users}"}).raise_for_status()

        return median_ms(ask, n)
    finally:
        server.terminate()
        server.join()


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--items", type=int, default=2_000)
    options.add_argument("--users", type=int, default=1_000)
    options.add_argument("--requests", type=int, default=300)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = make(folder, chosen.items, chosen.users)
        answering = settings(folder).answering()

        def call(number: int) -> None:
            answering.rank(RecommendCall(user=f"user-{number % chosen.users}"), f"in-process-{number}")

        inside = median_ms(call, chosen.requests)
        outside = over_http(folder, key, chosen.users, chosen.requests)
    print(f"in process {inside:.2f} ms, over HTTP {outside:.2f} ms a request: ratio {outside / inside:.2f}")


if __name__ == "__main__":
    main()
