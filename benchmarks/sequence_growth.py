"""How time and memory of a sequence ranker grow with items and events, on simulated logs.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/sequence_growth.py [--keep points.json] [--draw growth.svg]
    … --model ligr   … --items 100000 --events 1000000       one point alone

10,000 to a million items at a million events, and 100,000 to ten million events at 100,000 items, each point in a
process of its own. Histories have 4 to 16 events, ten in the mean; six in ten events are near the one before
(neighbours by code), the rest drawn by popularity (Zipf). Items are IDs; titles are left out. CPU seconds of one
thread: what comes before the first step (reading the log, counting pairs, building), an epoch, from some of its
batches, and the ten best items of 1,000 requests. Memory is the highest of the process, the log and the state for an
answer counted.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mercer.contracts import Context, Dataset, Interactions, Requests, Vocabulary
from mercer.testing.handmade import dataset

POINTS = (
    (10_000, 1_000_000),
    (100_000, 1_000_000),
    (1_000_000, 1_000_000),
    (100_000, 100_000),
    (100_000, 10_000_000),
)
"""Items and events."""

PARTS = {"before": "before the first step", "epoch": "an epoch", "answers": "1,000 requests"}
MEAN, REQUESTS, BLOCK = 10, 1_000, 50


def shop(n_items: int, n_events: int, seed: int = 1) -> Dataset:
    """A log without a clock and its catalogue."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(4, 17, n_events // MEAN)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    # Codes are shuffled ranks of popularity, so that neighbours by code differ in it.
    code_of = rng.permutation(n_items)
    item = np.zeros(indptr[-1], np.int64)
    for place in range(lengths.max()):
        at = indptr[:-1][lengths > place] + place
        popular = code_of[(n_items ** rng.random(len(at))).astype(np.int64) - 1]
        near = (item[at - 1] + rng.integers(1, 20, len(at))) % n_items
        item[at] = np.where((rng.random(len(at)) < 0.6) & (place > 0), near, popular)
    n = len(item)
    time_of = np.arange(n) - np.repeat(indptr[:-1], lengths)
    unknown = np.full(n, -1)
    log = Interactions(
        users=Vocabulary([f"u{number}" for number in range(len(lengths))]),
        items=Vocabulary([f"i{number}" for number in range(n_items)]),
        kinds=("purchase",),
        indptr=indptr,
        item=item.astype(np.int32),
        time=time_of,
        known_at=time_of,
        kind=np.zeros(n, np.int8),
        quantity=np.ones(n, np.float32),
        amount_minor=np.zeros(n, np.int64),
        basket=unknown,
        session=unknown,
        origin_time=time_of,
        has_clock=False,
    )
    return dataset(log, repeats=False)


def asked(train: Dataset) -> Requests:
    log = train.interactions
    assert log is not None
    history = log.take(np.arange(REQUESTS))
    none = Context.unknown(REQUESTS)
    return Requests(
        users=history.users.ids, history=history, time=np.full(REQUESTS, 10**6), context=none, repeats=False
    )


def measured(model: str, n_items: int, n_events: int, batches: int) -> dict[str, Any]:
    """One point: seconds of each part, and MiB."""
    import torch
    from recommend_quality import make
    from sequence import Epoch

    torch.set_num_threads(1)
    train = shop(n_items, n_events)
    requests = asked(train)
    whole = highest()
    ranker = make(model, {"content": []})
    begun = time.process_time()
    epoch = Epoch(ranker, train)
    before = time.process_time() - begun
    seconds = epoch.seconds(batches)
    fitted = highest()
    ranker._catalogue = train.vocabulary.fingerprint
    ranker.state = {**ranker.state, **epoch.trainee.arrays(), "factor": np.ones(1, np.float32)}
    ranker.restored()
    begun = time.process_time()
    for block in requests.blocks(BLOCK):
        ranker.rank(block, 10)
    answers = time.process_time() - begun
    return {
        "items": n_items, "events": n_events, "before": before, "epoch": seconds, "answers": answers,
        "batches": len(epoch.plan), "timed": batches, "log_mib": whole, "fit_mib": fitted, "mib": highest(),
    }  # fmt: skip


def highest() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def drawn(points: list[dict[str, Any]]) -> str:
    """Two plots side by side as SVG: seconds of each part, MiB."""
    import altair as alt

    from mercer.data.profile.svg import FONT, GRID, INK, SOFT, svg

    rows = []
    for series, other in (("items", "events"), ("events", "items")):
        fixed = 1_000_000 if other == "events" else 100_000
        for point in (one for one in points if one[other] == fixed):
            what = f"{series}, at {fixed:,} {other}"
            rows += [{"n": point[series], "series": what, "part": words, "value": point[name], "of": "s"}
                     for name, words in PARTS.items()]  # fmt: skip
            rows.append(
                {"n": point[series], "series": what, "part": "memory", "value": point["mib"], "of": "MiB"}
            )
    frame = pd.DataFrame(rows)

    def decades(field: str, title: str, low: int, high: int, **more: Any) -> Any:
        values = [float(f"1e{power}") for power in range(low, high + 1)]
        axis = alt.Axis(values=values, **more)
        return {"field": field, "type": "quantitative", "title": title, "axis": axis.to_dict(),
                "scale": {"type": "log", "domain": [values[0], values[-1]]}}  # fmt: skip

    def plot(of: str, title: str, low: int, high: int) -> Any:
        legend = alt.Legend(title=None, orient="right", symbolType="stroke", symbolStrokeWidth=2)
        base = alt.Chart(frame[frame["of"] == of]).encode(
            x=alt.X.from_dict(decades("n", "items or events", 4, 7, format="~s")),
            y=alt.Y.from_dict(decades("value", title, low, high, format=",~f")),
        )
        colour = alt.Color("part:N", legend=legend, scale=alt.Scale(
            domain=[*PARTS.values(), "memory"], range=["#b3541e", "#0b6e4f", "#3b6ea5", INK]))  # fmt: skip
        line = base.mark_line().encode(color=colour, strokeDash=alt.StrokeDash("series:N", legend=legend))
        points = base.mark_point(size=24, filled=True, opacity=1).encode(
            color=alt.Color("part:N", legend=None)
        )
        return (line + points).properties(width=300, height=260)

    both = plot("s", "CPU seconds", -1, 3) | plot("MiB", "highest memory, MiB", 2, 4)
    axis = {
        "labelColor": SOFT,
        "titleColor": SOFT,
        "gridColor": GRID,
        "domainColor": GRID,
        "titleFontWeight": "normal",
    }
    config = {"background": "white", "font": FONT, "view": {"stroke": None}, "axis": axis}
    label = "Time and memory of a sequence ranker against the number of items and of events, both axes logarithmic."
    return svg(both.to_dict(), label, config)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="sasrec", choices=("sasrec", "ligr"))
    parser.add_argument("--items", type=int)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--batches", type=int, default=20, help="batches of an epoch that are timed")
    parser.add_argument("--keep", type=Path, help="points that are there are not measured again")
    parser.add_argument("--draw", type=Path)
    chosen = parser.parse_args()
    if chosen.items:
        print(json.dumps(measured(chosen.model, chosen.items, chosen.events, chosen.batches)))
        return
    points = json.loads(chosen.keep.read_text()) if chosen.keep and chosen.keep.is_file() else []
    there = {(one["items"], one["events"]) for one in points}
    for items, events in POINTS:
        if (items, events) not in there:
            command = [sys.executable, __file__, "--model", chosen.model, "--batches", str(chosen.batches)]
            command += ["--items", str(items), "--events", str(events)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            points.append(json.loads(done.stdout))
            if chosen.keep:
                chosen.keep.write_text(json.dumps(points))
    for one in points:
        print(
            f"{one['items']:>9,} items, {one['events']:>10,} events: before {one['before']:.1f} CPU s, an epoch "
            f"{one['epoch']:.0f} (from {one['timed']} of {one['batches']} batches), 1,000 requests "
            f"{one['answers']:.1f}; {one['mib']:,.0f} MiB, the log alone {one['log_mib']:,.0f}"
        )
    if chosen.draw:
        chosen.draw.write_text(drawn(points), "utf-8")


if __name__ == "__main__":
    main()
