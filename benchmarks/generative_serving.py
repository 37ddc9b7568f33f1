"""One recommendation of the generative ranker: how long it takes, how many a batch gives, and what a deadline does.

    python benchmarks/generative_serving.py [--items 12101] [--history 10] [--requests 200] [--beams 10 20 50]
                                            [--threads 2] [--deadline-ms 100 200 400]

In process: requests one by one, p50 and p99, for each number of beams and each family; then 256 at once, requests a
second. Over HTTP: the same ranker through uvicorn on the loopback in a process of its own, with item-knn as fallback:
p50 and p99 of the whole answer under each deadline, and the share that the fallback answered. Weights are drawn: a
decoder takes as long untrained as trained. Catalogue, paths and histories are made from the seed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import socket
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import pandas as pd

from mercer.brief import Brief
from mercer.compliance import CaseStore
from mercer.contracts import Context, Dataset, Interactions, Requests, Vocabulary, plugins
from mercer.recommend import ItemKnn
from mercer.recommend.generative import Generative
from mercer.recommend.generative.catalogue import drawn
from mercer.recommend.generative.parts import Parts
from mercer.release import ReleasedModel, build, histories, load
from mercer.serving import OnlineState, Settings, build_app
from mercer.serving.state import SCOPES

DAY = 86_400_000_000
START = 1_767_225_600_000_000
BRIEF = """
schema: 1
name: bench
question: How long does an answer take?
decision: {date: 2026-07-20, target: next-item}
data: {events: {source: events.parquet}}
packs_date: 2026-07-20
targets: {next-item: {task: recommend, repeats: false, models: [generative, item-knn], fallback: item-knn}}
"""


def shop(n_items: int, n_users: int, length: int, seed: int = 1) -> Dataset:
    """People with `length` purchases each, drawn by popularity."""
    rng = np.random.default_rng(seed)
    vocabulary = Vocabulary([f"item-{n:06d}" for n in range(n_items)])
    known = {"available_from": 0, "available_until": 0, "min_age": 0, "price_minor": 999, "currency": "EUR"}
    texts = {"title": "", "text": "", "category": "", "brand": ""}
    items = pd.DataFrame({"item": vocabulary.ids, **texts, **known})
    row = np.repeat(np.arange(n_users), length)
    bought = (rng.zipf(1.2, len(row)) % n_items).tolist()
    when = (START + np.sort(rng.integers(0, 180 * DAY, (n_users, length)), axis=1).ravel()).tolist()
    log = histories(
        {"item": vocabulary.decode(bought), "time": when},
        row=row.tolist(),
        users=[f"user-{n}" for n in range(n_users)],
        items=vocabulary,
    )
    return Dataset(
        vocabulary=vocabulary, items=items, as_of=START + 181 * DAY, interactions=log, repeats=False
    )


def untrained(train: Dataset, **options: object) -> Generative:
    """A generative ranker with drawn paths and drawn weights."""
    made = Generative(Generative.Options(**options))
    log = train.interactions
    assert isinstance(log, Interactions)
    catalogue = drawn(len(train.items), train.vocabulary, made.options, seed=1)
    made.state = {"share": np.zeros(len(train.vocabulary), np.float32)}
    made._catalogue = train.vocabulary.fingerprint
    made._count(train, log)
    made.parts_ = Parts.new(catalogue, train, made.options, seed=1)
    return made


def asked(train: Dataset, rows: np.ndarray) -> Requests:
    """Requests of some people."""
    log = train.interactions
    assert isinstance(log, Interactions)
    n = len(rows)
    return Requests(
        users=(None,) * n,
        history=log.take(rows),
        time=np.full(n, train.as_of, np.int64),
        context=Context.unknown(n),
        repeats=False,
    )


def one_by_one(ranker: Generative, train: Dataset, n: int) -> np.ndarray:
    """Milliseconds of each of n requests alone, after ten that do not count."""
    took = []
    for row in range(n + 10):
        request = asked(train, np.array([row % 1000]))
        begun = time.perf_counter()
        ranker.rank(request, 10)
        took.append(1e3 * (time.perf_counter() - begun))
    return np.array(took[10:])


def in_process(train: Dataset, args: argparse.Namespace) -> None:
    print(
        f"{'family':8} {'beams':>5} {'weights':>10} {'p50 ms':>8} {'p99 ms':>8} {'batch of 256, requests/s':>26}"
    )
    for family in ("gpt2", "llama", "mistral"):
        for beams in args.beams:
            ranker = untrained(train, shape={"family": family}, beams=beams)
            took = one_by_one(ranker, train, args.requests)
            begun = time.perf_counter()
            ranker.rank(asked(train, np.arange(256)), 10)
            rate = 256 / (time.perf_counter() - begun)
            assert ranker.parts_ is not None
            weights = ranker.parts_.decoder.n_weights
            middle, high = np.quantile(took, [0.5, 0.99])
            print(f"{family:8} {beams:5} {weights:10,} {middle:8.1f} {high:8.1f} {rate:26.1f}", flush=True)


def release(train: Dataset, folder: Path, beams: int) -> None:
    """A release of the untrained ranker with item-knn as its fallback."""
    made = {"generative": untrained(train, beams=beams), "item-knn": ItemKnn().fit(train)}
    models = {}
    for name, ranker in made.items():
        (folder / name).mkdir()
        ranker.save(folder / name)
        models[name] = ReleasedModel(
            model_name=name,
            group=plugins.RANKERS,
            model_folder=folder / name,
            options=ranker.options.model_dump(mode="json"),
            seed=1,
            fit_on="train",
        )
    build(
        folder / "release",
        brief=Brief.parse(BRIEF),
        targets={"next-item": models["generative"]},
        fallbacks={"next-item": models["item-knn"]},
        vocabulary=train.vocabulary,
        items=train.items,
        features_hash="",
        evidence={},
        created=datetime(2026, 7, 20, tzinfo=UTC),
    )


def serve(folder: Path, port: int, threads: int) -> None:
    """Serve the release until killed."""
    import torch
    import uvicorn

    torch.set_num_threads(threads)
    url = f"sqlite:///{folder}/mercer.db"
    settings = Settings(
        release=load(folder / "release"),
        state=OnlineState(url),
        cases=CaseStore(url),
        clock=lambda: START + 181 * DAY,
    )
    uvicorn.run(build_app(settings), host="127.0.0.1", port=port, log_level="error", access_log=False)


def over_http(train: Dataset, args: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        release(train, folder, args.beams[0])
        state = OnlineState(f"sqlite:///{folder}/mercer.db")
        key = state.keys.create("bench", tuple(SCOPES), time=START)
        state.close()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = multiprocessing.get_context("spawn").Process(
            target=serve, args=(folder, port, args.threads), daemon=True
        )
        server.start()
        try:
            ask_all(train, args, port, key)
        finally:
            server.terminate()
            server.join(10)


def ask_all(train: Dataset, args: argparse.Namespace, port: int, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    log = train.interactions
    assert isinstance(log, Interactions)
    print(f"\nOver HTTP, {args.beams[0]} beams, one call at a time; after the deadline item-knn answers")
    print(f"{'deadline ms':>11} {'p50 ms':>8} {'p99 ms':>8} {'by the fallback':>16}")
    with httpx.Client(
        base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False, timeout=60
    ) as client:
        for _ in range(600):
            try:
                if client.get("/healthz").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.2)
        for deadline in args.deadline_ms:
            took, late = [], 0
            for row in range(args.requests + 5):
                events = log.take(np.array([row % 1000]))
                times = [pd.Timestamp(when, unit="us", tz="UTC").isoformat() for when in events.time.tolist()]
                items = train.vocabulary.decode(events.item.tolist())
                history = [{"item": item, "time": when} for item, when in zip(items, times, strict=True)]
                begun = time.perf_counter()
                reply = client.post(
                    "/v1/recommend", json={"history": history, "k": 10, "deadline_ms": deadline}
                )
                took.append(1e3 * (time.perf_counter() - begun))
                reply.raise_for_status()
                late += row >= 5 and reply.json()["answered"]["how"] == "late"
            middle, high = np.quantile(took[5:], [0.5, 0.99])
            print(f"{deadline:11} {middle:8.1f} {high:8.1f} {late / args.requests:16.1%}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=12_101)
    parser.add_argument("--history", type=int, default=10)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--beams", type=int, nargs="+", default=[10, 20, 50])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--deadline-ms", type=int, nargs="+", default=[50, 100, 200, 400])
    args = parser.parse_args()
    import torch

    torch.set_num_threads(args.threads)
    train = shop(args.items, 1000, args.history)
    in_process(train, args)
    over_http(train, args)


if __name__ == "__main__":
    main()
