"""A search over HTTP that understands queries, beside the same search of the plain query: p50 and p99 of one run.

    python benchmarks/understood_serving.py [--items 2000] [--requests 400] [--base fields-minilm]

The catalogue of the demo, `understood-rules` over its default base search, served by uvicorn on the loopback in a
process of its own, with key, JSON, validation and log. Every query is another one, so none is answered from memory;
understood and plain calls take turns.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
from serving import serve, url_of

from mercer.brief import Brief
from mercer.contracts import Dataset, Runtime, Vocabulary, plugins
from mercer.release import ReleasedModel, build, histories
from mercer.search.understanding.ruled import UnderstoodRules
from mercer.serving import OnlineState
from mercer.serving.state import SCOPES
from mercer.simulate.catalogue import make_catalogue
from mercer.simulate.kinds import assortment
from mercer.simulate.options import ShopOptions, stream
from mercer.simulate.season import Calendar
from mercer.simulate.tables import items_table

BRIEF = """
schema: 1
name: bench
question: How long does a search take that understands queries?
decision: {date: 2026-07-20, target: find}
data: {events: {source: events.parquet}}
packs_date: 2026-07-20
targets: {find: {task: search}}
"""
WARM = 40
"""Requests that are answered first and not counted."""


def catalogue(n_items: int) -> pd.DataFrame:
    """Items of the simulated shop."""
    options = ShopOptions(items=n_items, seed=7)
    calendar = Calendar.ending(options.last_day, options.months)
    made = make_catalogue(assortment().part(n_items), n_items, calendar, stream(options.seed, "catalogue"))
    frame = items_table(made, calendar).to_pandas()
    return frame.fillna({"min_age": 0}).astype({"price_minor": "int64", "min_age": "int64"})


def make(folder: Path, items: pd.DataFrame, base: str) -> str:
    """A release whose search understands queries; returns an API key."""
    vocabulary = Vocabulary(items["item"].tolist())
    log = histories({"item": (), "time": ()}, row=(), users=["nobody"], items=vocabulary)
    (folder / "model").mkdir()
    ranker = UnderstoodRules(UnderstoodRules.Options(base=base))
    ranker.fit(
        Dataset(vocabulary=vocabulary, items=items, as_of=0, interactions=log), runtime=Runtime(threads=2)
    )
    ranker.save(folder / "model")
    build(
        folder / "release",
        brief=Brief.parse(BRIEF),
        targets={
            "find": ReleasedModel(
                model_name=ranker.name,
                group=plugins.RANKERS,
                model_folder=folder / "model",
                options=ranker.options.model_dump(mode="json"),
                seed=0,
                fit_on="train",
            )
        },
        vocabulary=vocabulary,
        items=items,
        features_hash="",
        evidence={},
        created=datetime(2026, 7, 20, tzinfo=UTC),
    )
    return OnlineState(url_of(folder)).keys.create("bench", SCOPES, time=0)


def queries(items: pd.DataFrame, n: int) -> list[str]:
    """Wishes with a title of the catalogue and a limit of price; every third is for somebody of an age."""
    rng = np.random.default_rng(3)
    rows = items.iloc[rng.permutation(len(items))[:n]]
    limits = rng.integers(5, 95, n)
    ends = ["", f" for my {rng.integers(3, 14)} year old", " please"]
    return [
        f"{title.lower()} under {limit}.{at % 100:02d} euros{ends[at % 3]}"
        for at, (title, limit) in enumerate(zip(rows["title"], limits, strict=True))
    ]


def ask(client: httpx.Client, body: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    """Milliseconds of one request, and what it says of its understanding."""
    begun = time.perf_counter()
    reply = client.post("/v1/search", json={"deadline_ms": 60_000, **body})
    took = 1e3 * (time.perf_counter() - begun)
    return took, reply.raise_for_status().json()["understood"]


def measured(folder: Path, key: str, asked: list[str], port: int) -> dict[str, list[float]]:
    """Milliseconds by what was asked for: the whole request, and understanding alone as the server measured it."""
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(folder, port), daemon=True)
    server.start()
    took: dict[str, list[float]] = {"plain": [], "understood": [], "understanding alone": []}
    filters = 0
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Authorization": f"Bearer {key}"},
            trust_env=False,
            timeout=120,
        ) as client:
            wait_for(client)
            for at, query in enumerate(asked):
                plain, _ = ask(client, {"query": query, "understand": False})
                whole, told = ask(client, {"query": query})
                if at < WARM:
                    continue
                filters += any(told["filters"].values())
                took["plain"].append(plain)
                took["understood"].append(whole)
                took["understanding alone"].append(told["milliseconds"])
    finally:
        server.terminate()
        server.join()
    print(f"  {filters} of {len(took['plain'])} queries gave a filter")
    return took


def wait_for(client: httpx.Client) -> None:
    """Until the server is ready; fails after a minute."""
    for _ in range(600):
        try:
            client.get("/readyz").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the server did not start")


def main() -> None:
    """Build, serve, ask, print."""
    options = argparse.ArgumentParser()
    options.add_argument("--items", type=int, default=2_000)
    options.add_argument("--requests", type=int, default=400)
    options.add_argument("--base", default="fields-minilm")
    options.add_argument("--port", type=int, default=8765)
    chosen = options.parse_args()
    items = catalogue(chosen.items)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = make(folder, items, chosen.base)
        took = measured(folder, key, queries(items, chosen.requests + WARM), chosen.port)
    for what, times in took.items():
        p50, p99 = np.percentile(times, [50, 99])
        print(f"  {what}: p50 {p50:.1f} ms, p99 {p99:.1f} ms of {len(times)} requests")


if __name__ == "__main__":
    main()
