"""A row that trains although it was known only after its cut stops the run, whatever the kind of split."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from flow.house import House
from mercer.brief import BehaviorTarget, RecommendTarget, Split
from mercer.contracts import Interactions
from mercer.data import audit_leakage
from mercer.data.splits import BehaviorSplit, FoldSplit, RecommendSplit, split_recommend
from mercer.errors import LeakageError
from mercer.pipeline.material import Material


@pytest.fixture(scope="module")
def material(house: House) -> Material:
    return Material(house.folder / "data", house.brief)


@pytest.fixture(params=["temporal", "leave-last-out"])
def recommended(request: pytest.FixtureRequest, material: Material) -> RecommendSplit:
    target = material.brief.targets["next-item"]
    assert isinstance(target, RecommendTarget)
    split = target.split if request.param == "temporal" else Split(kind="leave-last-out")
    chosen = target.model_copy(update={"split": split})
    return split_recommend(material.interactions, material.items, chosen, material.brief.decision.day)


def test_sound_splits_pass(material: Material, recommended: RecommendSplit) -> None:
    assert audit_leakage(recommended) > 1_000
    for name in ("find", "repurchase", "spend"):
        assert audit_leakage(material.split(name)) > 0


def test_a_training_event_of_the_future_is_caught(recommended: RecommendSplit) -> None:
    log = recommended.train.interactions
    assert log is not None
    late = late_event(log, recommended.train.as_of + 1)
    with pytest.raises(LeakageError, match=r"1 of .* training events"):
        audit_leakage(replace(recommended, train=replace(recommended.train, interactions=late)))


@pytest.mark.parametrize("part", ["validation", "test"])
def test_a_held_out_history_of_the_future_is_caught(recommended: RecommendSplit, part: str) -> None:
    held = getattr(recommended, part)
    late = late_event(held.requests.history, int(held.requests.time.max()) + 1)
    leaking = replace(held, requests=replace(held.requests, history=late))
    with pytest.raises(LeakageError, match=f"1 of .* {part} histories"):
        audit_leakage(replace(recommended, **{part: leaking}))


def test_a_judgment_of_a_held_out_query_is_caught(material: Material) -> None:
    split: FoldSplit = material.split("find")
    everything = split.everything()
    with pytest.raises(LeakageError, match=r"of .* training units of fold 1.1"):
        audit_leakage(replace(split, training=lambda rows: everything))


@pytest.mark.parametrize("name", ["repurchase", "spend"])
@pytest.mark.parametrize("part", ["train", "validation", "refit", "test"])
def test_a_snapshot_that_knows_the_future_is_caught(material: Material, name: str, part: str) -> None:
    assert isinstance(material.brief.targets[name], BehaviorTarget)
    split: BehaviorSplit = material.split(name)
    labelled = getattr(split, part)
    late = late_event(labelled.snapshots.history, int(labelled.snapshots.as_of.max()) + 1)
    leaking = replace(labelled, snapshots=replace(labelled.snapshots, history=late))
    with pytest.raises(LeakageError, match=f"1 of .* {part} histories"):
        audit_leakage(replace(split, **{part: leaking}))


@pytest.mark.parametrize("part", ["train", "validation", "refit"])
def test_a_label_known_too_late_is_caught(material: Material, part: str) -> None:
    split: BehaviorSplit = material.split("repurchase")
    labelled = getattr(split, part)
    known: Any = labelled.label_known_at.copy()
    known[0] = split.test.snapshots.as_of.max() + 1
    with pytest.raises(LeakageError, match=f"1 of .* {part} labels"):
        audit_leakage(replace(split, **{part: replace(labelled, label_known_at=known)}))


def late_event(log: Interactions, when: int) -> Interactions:
    """The log with one event that became known at `when`, and is otherwise as it was."""
    known = np.array(log.known_at)
    known[0] = when
    return replace(log, known_at=known)
