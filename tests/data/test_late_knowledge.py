"""What is known late counts from the day it was known: before it, everything is as if it had never been.

A row of a raw log (a purchase, a return, a chargeback) is moved over a cut by its `known_at` alone. The whole way is
walked: cleaning, the log in memory, features as of a cut, and the labels of every part of a split.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.brief import BehaviorTarget, RecommendTarget, Source
from mercer.contracts import Interactions, Labelled
from mercer.data import Tables, build_interactions, split_behavior, split_recommend
from mercer.data.cleaning import Facts
from mercer.data.ingest import canonical, clean
from mercer.data.mapping import mapped
from mercer.data.splits.behavior import snapshots_of
from mercer.data.training import end_of
from mercer.features import compute

from .made import brief_of

DAY = 86_400_000_000
START = datetime(2026, 1, 1)  # noqa: DTZ001  times at rest are UTC without zone
DECIDED = date(2026, 3, 20)
BRIEF = brief_of({"events": {"source": "log.parquet", "timezone": "UTC"}}).model_copy(
    update={"decision": brief_of({"events": {"source": "x"}}).decision.model_copy(update={"day": DECIDED})}
)
CUT = 50.0
"""Day of the cut: the origin of the test."""

Row = Mapping[str, Any]


def at(day: float) -> datetime:
    return START + timedelta(days=day)


def row(
    user: str, item: str, day: float, quantity: float = 1, *, known: float | None = None, **more: Any
) -> Row:
    """A purchase of units at 1.00 each, a return where the quantity is negative."""
    return {
        "user": user, "item": item, "time": at(day), "known_at": at(day if known is None else known),
        "kind": "purchase", "quantity": quantity, "amount_minor": 100 * quantity, **more,
    }  # fmt: skip


def log_of(rows: list[Row], folder: Path) -> Interactions:
    """The log in memory of raw rows, cleaned on the way."""
    raw = pd.DataFrame([{"event": f"e{number:03d}", **one} for number, one in enumerate(rows) if one])
    sheet = mapped("events", Source(source="log.parquet", timezone="UTC"), raw, BRIEF)
    rules = clean(sheet, BRIEF, Facts(end=end_of(BRIEF)))
    frames = {"events": canonical(sheet, rules).to_pandas()}
    return build_interactions(Tables(folder, ("events",), frames), BRIEF)


def features(log: Interactions, day: float) -> pd.DataFrame:
    """The features of every user known then, as of a day; a row a user."""
    cut = day_micros(day)
    known = np.flatnonzero(log.as_of(cut).lengths > 0)
    frame = compute(snapshots_of(log, known, np.full(len(known), cut, np.int64)))
    return frame.set_axis([log.users.ids[user] for user in known])


def day_micros(day: float) -> int:
    return int(np.datetime64(at(day), "us").astype(np.int64))


def changed(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, set[str]]:
    """User -> features that differ."""
    assert before.index.tolist() == after.index.tolist()
    differs = ~((before == after) | (before.isna() & after.isna()))
    return {str(user): set(differs.columns[line]) for user, line in differs.iterrows() if line.any()}


SHOP = [
    row("ann", "mug", 2, 4), row("ann", "lamp", 12), row("bob", "mug", 3, 2), row("bob", "mug", 44, 2),
    row("ann", "mug", 30, 3), row("cy", "vase", 5), row("cy", "vase", 40), row("ann", "lamp", 52),
    row("bob", "mug", 53),
]  # fmt: skip


def test_a_return_that_becomes_known_after_the_cut_changes_what_returns_say_and_nothing_else(
    tmp_path: Path,
) -> None:
    def with_return(known: float) -> pd.DataFrame:
        return features(log_of([*SHOP, row("ann", "mug", 35, -3, known=known)], tmp_path), CUT)

    assert changed(with_return(35), with_return(CUT)) == {}
    found = changed(with_return(CUT), with_return(CUT + 0.001))
    assert found.keys() == {"ann"}
    assert found["ann"] == {
        "days_since_return", "days_since_event", "net_spend", "net_spend_30d", "net_spend_90d", "net_spend_180d",
        "net_spend_365d", "net_spend_recent", "spend_rate", "order_value_mean", "order_value_last",
        "order_value_spread", "returns", "returns_90d", "returned_share", "active_days_30d",
        "sessions_30d",
    }  # fmt: skip
    assert changed(with_return(CUT + 0.001), features(log_of(SHOP, tmp_path), CUT)) == {}


@pytest.mark.parametrize("kind", ["chargeback", "purchase", "view"])
def test_an_event_of_any_kind_is_absent_until_it_is_known(tmp_path: Path, kind: str) -> None:
    def with_event(known: float) -> pd.DataFrame:
        event = row("bob", "mug", 20, known=known, kind=kind)
        return features(log_of([*SHOP, event], tmp_path), CUT)

    found = changed(with_event(CUT), with_event(CUT + 0.001))
    assert found.keys() == {"bob"}
    assert (
        changed(
            with_event(CUT + 0.001),
            features(log_of([*SHOP, row("dee", "mug", 60, kind=kind)], tmp_path), CUT),
        )
        == {}
    )


TARGETS = {
    "spend": BehaviorTarget(task="behavior", kind="amount", horizon_days=7, origins=[date(2026, 2, 20)]),
    "gross": BehaviorTarget(
        task="behavior", kind="amount", net=False, horizon_days=7, origins=[date(2026, 2, 20)]
    ),
    "again": BehaviorTarget(task="behavior", horizon_days=7, origins=[date(2026, 2, 20)]),
    "chargeback": BehaviorTarget(
        task="behavior", event="chargeback", horizon_days=7, origins=[date(2026, 2, 20)]
    ),
}
"""Test from day 50; its window ends on day 57, validation's on day 50, train's on day 43."""

USED = {"train": 43.0, "validation": 50.0, "refit": 50.0, "test": 79.0}
"""The day by which the labels of a part are used: the next cut, and the end of the decision day."""


def labels(log: Interactions, target: str) -> dict[str, dict[tuple[str, int], float]]:
    split = split_behavior(log, TARGETS[target], DECIDED)
    parts: dict[str, Labelled] = {name: getattr(split, name) for name in USED}
    return {
        name: dict(
            zip(
                zip(part.snapshots.entities, part.snapshots.as_of.tolist(), strict=True),
                part.outcome.tolist(), strict=True,
            )
        )
        for name, part in parts.items()
    }  # fmt: skip


@pytest.mark.parametrize(("part", "bought"), [("train", 37.0), ("validation", 44.0), ("test", 51.0)])
def test_a_return_reaches_the_label_of_its_window_only_if_it_was_known_when_the_label_is_used(
    tmp_path: Path, part: str, bought: float
) -> None:
    rows = [*SHOP, row("bob", "cup", bought, 5)]

    def spend(known: float | None) -> dict[str, dict[tuple[str, int], float]]:
        back = [] if known is None else [row("bob", "cup", bought + 1, -5, known=known)]
        return labels(log_of([*rows, *back], tmp_path), "spend")

    in_time, late, never = spend(USED[part] - 0.001), spend(USED[part]), spend(None)
    differs = {unit for unit in never[part] if in_time[part][unit] != never[part][unit]}
    assert [user for user, _ in differs] == ["bob"]
    assert [never[part][unit] - in_time[part][unit] for unit in differs] == [500.0]
    assert late[part] == never[part]
    assert labels(log_of(rows, tmp_path), "gross")[part] == never[part]


def test_a_chargeback_label_counts_from_the_day_it_was_known(tmp_path: Path) -> None:
    def found(known: float | None) -> dict[str, dict[tuple[str, int], float]]:
        first = [row(user, "mug", 1, kind="chargeback") for user in ("ann", "bob", "cy")]
        late = [] if known is None else [row("bob", "mug", 46, kind="chargeback", known=known)]
        return labels(log_of([*SHOP, *first, *late], tmp_path), "chargeback")

    before, after, never = found(49.9), found(50.0), found(None)
    assert sum(before["validation"].values()) == 1
    assert after["validation"] == never["validation"]
    assert sum(after["validation"].values()) == 0


def test_a_purchase_known_after_the_cut_is_neither_history_nor_answer(tmp_path: Path) -> None:
    target = RecommendTarget.model_validate(
        {"task": "recommend", "repeats": True, "split": {"test_from": "2026-02-20", "validation_days": 10}}
    )

    def split(known: float | None) -> Any:
        late = [] if known is None else [row("ann", "cup", 45, known=known)]
        return split_recommend(log_of([*SHOP, row("ann", "cup", 1), *late], tmp_path), None, target, DECIDED)  # type: ignore[arg-type]

    def seen(known: float | None) -> tuple[list[int], list[int]]:
        made = split(known)
        history = made.test.requests.history
        return history.lengths.tolist(), made.test.relevant.values.tolist()

    in_time, late, never = seen(49.9), seen(50.1), seen(None)
    assert late == never
    assert sum(in_time[0]) == sum(never[0]) + 1
    assert in_time[1] == never[1]
    assert len(split(49.9).validation) == len(split(None).validation) + 1, (
        "bought in validation's window, known by its end"
    )


events = st.lists(
    st.builds(
        lambda user, item, day, units, lag: row(user, item, day, units, known=day + lag),
        st.sampled_from("ab"), st.sampled_from("xy"), st.integers(1, 70).map(float),
        st.sampled_from([1, 2, 3, -1, -2, -3]), st.sampled_from([0.0, 0.0, 0.0, 2.5, 20.0]),
    ),
    min_size=4, max_size=14,
)  # fmt: skip
"""Purchases and returns of two users and two items; every second row or so became known late."""

FOUNDATION = [row(user, "z", day) for user in "ab" for day in (0.5, 10, 45, 55)]
"""So that every part of a split holds both users."""


@settings(max_examples=50, deadline=None)
@given(rows=events, cut=st.integers(20, 70).map(lambda day: day + 0.3))
def test_features_know_nothing_that_was_not_known(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], cut: float
) -> None:
    """As of a cut, a log with rows known later equals the log without them, returns matched anew."""
    folder = tmp_path_factory.getbasetemp()
    numbered = [{"event": f"n{number:02d}", **one} for number, one in enumerate(rows)]
    known = [one for one in numbered if one["known_at"] <= at(cut)]
    assert (
        changed(
            features(log_of([*FOUNDATION, *numbered], folder), cut),
            features(log_of([*FOUNDATION, *known], folder), cut),
        )
        == {}
    )


@settings(max_examples=25, deadline=None)
@given(rows=events, target=st.sampled_from(["spend", "gross", "again"]))
def test_labels_know_nothing_that_was_not_known(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], target: str
) -> None:
    """The labels of a part equal those of the log without what became known after they are used."""
    folder = tmp_path_factory.getbasetemp()
    numbered = [{"event": f"n{number:02d}", **one} for number, one in enumerate(rows)]
    whole = labels(log_of([*FOUNDATION, *numbered], folder), target)
    for part, day in USED.items():
        known = [one for one in numbered if one["known_at"] < at(day)]
        assert labels(log_of([*FOUNDATION, *known], folder), target)[part] == whole[part], part
