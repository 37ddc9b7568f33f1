from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from mercer.contracts import TABLES
from mercer.serving import OnlineState
from mercer.serving.state import Event, Exposure

IDS = [f"i-{n}" for n in range(11)]
SHOWN = Exposure(
    request="r1",
    user="u",
    time=1_700_000_000_000_000,
    query=None,
    session="s",
    policy="next/knn",
    release="abc",
    context={"jurisdiction": "EU"},
    eligible=np.arange(11) % 3 != 0,
    items=["i-1", "i-2"],
    propensity=[1.0, 0.25],
)


def test_what_was_logged_is_exported_in_canonical_form(state: OnlineState, tmp_path: Path) -> None:
    state.exposures.name_items("abc", IDS)
    state.exposures.record(SHOWN)
    state.exposures.record(
        replace(SHOWN, request="r0", user=None, eligible=np.ones(11, bool), items=[], propensity=[])
    )
    counts = state.exposures.export(tmp_path / "log")
    assert counts == {"requests": 2, "impressions": 2, "outcomes": 0, "events": 0}
    asked = pq.read_table(tmp_path / "log" / "requests.parquet")
    assert TABLES["requests"].conform(asked).schema == asked.schema
    first, second = asked.to_pylist()
    assert first["request"] == "r1"
    assert first["eligible"] == ["i-1", "i-2", "i-4", "i-5", "i-7", "i-8", "i-10"]
    assert (second["user"], second["eligible"]) == (None, None)
    shown = pq.read_table(tmp_path / "log" / "impressions.parquet").to_pylist()
    assert [(s["request"], s["item"], s["position"], s["propensity"]) for s in shown] == [
        ("r1", "i-1", 1, 1.0),
        ("r1", "i-2", 2, 0.25),
    ]


def test_an_event_that_names_an_answer_is_an_outcome(state: OnlineState) -> None:
    state.events.add(
        [
            Event(event="e1", user="u", item="i-1", time=5, known_at=5, kind="click", request="r1"),
            Event(event="e2", user="u", item="i-1", time=6, known_at=6, kind="purchase"),
        ]
    )
    tables = state.exposures.tables()
    assert tables["outcomes"].select(["request", "item", "kind"]).to_pylist() == [
        {"request": "r1", "item": "i-1", "kind": "click"}
    ]
    assert tables["events"].num_rows == 2
