"""The audit counts what it looked at and refuses each kind of leak, by small splits that leak one thing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data.splits import Event, at, day, log
from mercer.brief import BehaviorTarget, RecommendTarget, SearchTarget, Split
from mercer.contracts import Interactions, Ragged, Vocabulary
from mercer.data.audit import audit_leakage
from mercer.data.splits import (
    BehaviorSplit,
    FoldSplit,
    RecommendSplit,
    split_behavior,
    split_recommend,
    split_search,
)
from mercer.errors import GateError, LeakageError

EVENTS = log(
    Event("ann", "tea", 1),
    Event("ann", "mug", 12),
    Event("ann", "jam", 22),
    Event("bob", "tea", 3),
    Event("bob", "pan", 5, kind="view"),
    Event("bob", "mug", 25),
)


@pytest.fixture
def recommended() -> RecommendSplit:
    """Trains on three events; ann validates with one event of history, ann and bob test with two each."""
    cut = Split(test_from=day(20), validation_days=10)
    target = RecommendTarget(task="recommend", repeats=False, split=cut)
    return split_recommend(EVENTS, pd.DataFrame({"item": EVENTS.items.ids}), target, day(29))


@pytest.fixture
def labelled() -> BehaviorSplit:
    """One person, three events long ago: one row a cut-off."""
    events = log(Event("ann", "tea", 0), Event("ann", "mug", 1), Event("ann", "cup", 2))
    target = BehaviorTarget(task="behavior", horizon_days=28, origins=[day(120)])
    return split_behavior(events, target, day(200))


@pytest.fixture
def searched() -> FoldSplit:
    judged = pd.DataFrame(
        {
            "query": ["tea", "blue mug", "blue mug", "wedding gift", "pan"],
            "item": ["i0", "i0", "i1", "i0", "i0"],
            "grade": [1.0, 1, 0, 1, 1],
        }
    )
    target = SearchTarget(task="search", split=Split(kind="folds", folds=3, by="query"))
    return split_search(pd.DataFrame({"item": ["i0", "i1"]}), Vocabulary(["i0", "i1"]), judged, target)


def late(log_: Interactions, when: int, *places: int) -> Interactions:
    known = log_.known_at.copy()
    known[list(places)] = when
    return replace(log_, known_at=known)


def test_recommend_counts_training_events_histories_and_requests(recommended: RecommendSplit) -> None:
    # 3 training events and 4 with validation; validation: 1 event and 1 request; test: 2 + 2 events and 2 requests.
    assert audit_leakage(recommended) == 3 + 4 + (1 + 1) + (4 + 2)


def test_behavior_counts_histories_and_labels(labelled: BehaviorSplit) -> None:
    # Cut-offs: train 36 and 64, validation 92, refit both and 92, test 120. Three events and a label each.
    assert audit_leakage(labelled) == (2 + 1 + 3 + 1) * (3 + 1)


def test_search_counts_the_queries(searched: FoldSplit) -> None:
    assert audit_leakage(searched) == 4


def test_a_training_event_known_after_the_cut_is_a_leak(recommended: RecommendSplit) -> None:
    train = recommended.train
    assert train.interactions is not None
    two = late(train.interactions, at(11), 0, 2)
    with pytest.raises(LeakageError) as caught:
        audit_leakage(replace(recommended, train=replace(train, interactions=two)))
    assert "2 of 3 training events" in str(caught.value)
    assert "2026-01-12T00:00:00" in str(caught.value)
    assert "ann" not in str(caught.value)
    at_the_cut = late(train.interactions, train.as_of, 0)
    assert audit_leakage(replace(recommended, train=replace(train, interactions=at_the_cut)))


def test_a_refit_event_known_after_the_test_began_is_a_leak(recommended: RecommendSplit) -> None:
    refit = recommended.refit
    assert refit.interactions is not None
    ahead = replace(refit, interactions=late(refit.interactions, at(21), 1))
    with pytest.raises(LeakageError, match="1 of 4 training events"):
        audit_leakage(replace(recommended, before_test=lambda: ahead))


@pytest.mark.parametrize("part", ["validation", "test"])
def test_a_history_that_knows_what_came_after_the_request_is_a_leak(
    recommended: RecommendSplit, part: str
) -> None:
    held = getattr(recommended, part)
    ahead = late(held.requests.history, int(held.requests.time[0]) + 1, 0)
    requests = replace(held.requests, history=ahead)
    with pytest.raises(LeakageError, match=f"1 of . events in {part} histories"):
        audit_leakage(replace(recommended, **{part: replace(held, requests=requests)}))


@pytest.mark.parametrize("part", ["validation", "test"])
def test_a_request_before_the_training_cut_is_a_leak(recommended: RecommendSplit, part: str) -> None:
    held = getattr(recommended, part)
    early = np.full(len(held), recommended.train.as_of)
    past = held.requests.history.where(np.zeros(held.requests.history.n_events, bool))
    requests = replace(held.requests, time=early, history=past)
    with pytest.raises(LeakageError, match=f"{part} requests lie before the training cut"):
        audit_leakage(replace(recommended, **{part: replace(held, requests=requests)}))


def test_a_masked_item_among_the_answers_is_a_leak(recommended: RecommendSplit) -> None:
    held = recommended.test  # ann's answer is jam, bob's is mug; bob bought tea and looked at a pan
    tea, pan = (EVENTS.items.ids.index(name) for name in ("tea", "pan"))
    jam = EVENTS.items.ids.index("jam")
    bought = replace(held, relevant=Ragged.from_rows([[jam], [tea]]))
    with pytest.raises(LeakageError, match="1 of 2 test answers are masked"):
        audit_leakage(replace(recommended, test=bought))
    looked_at = replace(held, relevant=Ragged.from_rows([[jam], [pan]]))
    assert audit_leakage(replace(recommended, test=looked_at)) == 15
    again = replace(bought, requests=replace(held.requests, repeats=True))
    assert audit_leakage(replace(recommended, test=again)) == 15


def test_a_training_judgment_of_a_held_out_query_is_a_leak(searched: FoldSplit) -> None:
    everything = searched.everything()
    leaking = replace(searched, training=lambda rows: everything)
    with pytest.raises(LeakageError, match=r"of 4 training units of fold 1.1 are held out") as caught:
        audit_leakage(leaking)
    assert "tea" not in caught.value.message
    nothing = replace(searched, training=lambda rows: replace(everything, judgments=None))
    assert audit_leakage(nothing) == 4


def test_a_unit_that_two_folds_or_none_test_is_a_leak(searched: FoldSplit) -> None:
    outside = searched.number.copy()
    outside[0, 0] = searched.folds
    with pytest.raises(LeakageError, match="1 of 4 units are not tested exactly once"):
        audit_leakage(replace(searched, number=outside))


@pytest.mark.parametrize("part", ["train", "validation", "refit", "test"])
def test_a_snapshot_that_knows_what_came_after_it_is_a_leak(labelled: BehaviorSplit, part: str) -> None:
    rows = getattr(labelled, part)
    ahead = late(rows.snapshots.history, int(rows.snapshots.as_of.max()) + 1, 1)
    snapshots = replace(rows.snapshots, history=ahead)
    with pytest.raises(LeakageError, match=f"1 of . events in {part} histories"):
        audit_leakage(replace(labelled, **{part: replace(rows, snapshots=snapshots)}))


@pytest.mark.parametrize(("part", "cut"), [("train", 92), ("validation", 120), ("refit", 120)])
def test_a_label_known_only_after_the_next_cut_is_a_leak(
    labelled: BehaviorSplit, part: str, cut: int
) -> None:
    rows = getattr(labelled, part)

    def with_label_known(when: int) -> Any:
        known = rows.label_known_at.copy()
        known[0] = when
        return replace(labelled, **{part: replace(rows, label_known_at=known)})

    assert audit_leakage(with_label_known(at(cut) - 1)) > 0
    with pytest.raises(LeakageError, match=f"1 of . {part} labels"):
        audit_leakage(with_label_known(at(cut)))


def test_a_split_with_nothing_to_examine_does_not_pass(searched: FoldSplit) -> None:
    none = np.zeros(0, np.int64)
    empty = replace(searched, test=searched.test.take(none), number=searched.number[:, :0])
    with pytest.raises(LeakageError, match="nothing to examine"):
        audit_leakage(replace(empty, training=lambda rows: searched.training(none)))


def test_a_leak_is_a_failed_gate() -> None:
    assert issubclass(LeakageError, GateError)
    assert LeakageError.exit_code == 1
