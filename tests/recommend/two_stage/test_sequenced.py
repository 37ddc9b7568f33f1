"""The two-stage ranker with a sequence ranker inside."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from mercer.contracts import Budget, Dataset, Runtime
from mercer.errors import DamagedError
from mercer.recommend.signals import signals
from mercer.recommend.tail import popularity
from mercer.recommend.two_stage import GROUPS, SOURCES, TwoStage, TwoStageSequence, features
from mercer.recommend.two_stage.knowledge import Knowledge
from mercer.recommend.two_stage.labels import Lesson, greatest_depth, known_to_all, lessons
from mercer.recommend.two_stage.lists import Lists
from mercer.recommend.two_stage.sequential import one_by_one
from mercer.testing.rankers import RankerContract
from mercer.testing.small_shop import small_dataset, small_requests
from recommend.two_stage.shops import loyal_shop

SMALL = {"width": 16, "epochs": 2, "negatives": 8, "window": 10, "content": ["brand"], "estimate_steps": 0}
FEW = {"label_cuts": 3, "min_rows_per_leaf": 5, "rounds": 30, "text": False}
TRAIN, VALIDATION, TEST = loyal_shop()
CLOCK = small_dataset()
ONE = Runtime(threads=1)


class TestWithSasrec(RankerContract):
    ranker = TwoStageSequence
    options = MappingProxyType({**FEW, "sequence": {"sasrec": SMALL}})


class TestTheSequenceAloneIsASourceAndAFeature(RankerContract):
    ranker = TwoStageSequence
    options = MappingProxyType(
        {
            **FEW,
            "sequence": {"ligr": {**SMALL, "kinds": ["view", "purchase"]}},
            "sources": ("sequence",),
            "groups": ("sequence",),
            "lesson_fits": 3,
        }
    )


def quick(**changes: Any) -> TwoStageSequence.Options:
    return TwoStageSequence.Options(**{**FEW, "sequence": {"sasrec": SMALL}, **changes})


class Remembering(TwoStageSequence):
    """Keeps what it knew at each lesson and the lists it learned from."""

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.at_lessons: list[tuple[Lesson, Knowledge]] = []
        self.lists: list[Lists] = []

    def _known_then(self, lesson: Lesson, facts: Any) -> Knowledge:
        self.at_lessons.append((lesson, super()._known_then(lesson, facts)))
        return self.at_lessons[-1][1]

    def _listed(self, *args: Any, **more: Any) -> Lists:
        self.lists.append(super()._listed(*args, **more))
        return self.lists[-1]


@pytest.fixture(scope="module")
def fitted() -> Remembering:
    return Remembering(quick()).fit(TRAIN, validation=VALIDATION, seed=1, runtime=ONE)


# No sequence ranker was shown what its lesson asks


def labels(lesson: Lesson) -> set[tuple[str, int]]:
    return {
        (question.requests.history.users.ids[row], int(item))
        for question in lesson.questions
        for row, item in zip(question.wanted.row_of, question.wanted.values, strict=True)
    }


def events(data: Dataset) -> set[tuple[str, int, int]]:
    log = data.interactions
    assert log is not None
    place = np.arange(log.n_events) - np.repeat(log.indptr[:-1], log.lengths)
    users = [log.users.ids[user] for user in log.user_of]
    return set(zip(users, place.tolist(), log.item.tolist(), strict=True))


@pytest.mark.parametrize("data", [TRAIN, CLOCK], ids=["order", "clock"])
@pytest.mark.parametrize("depth", [1, 2])
def test_what_is_known_to_all_lessons_holds_no_label_of_them(data: Dataset, depth: int) -> None:
    options = quick(label_places=2, label_cuts=2, label_days=20.0)
    assert greatest_depth(data, options) == 2
    known = events(known_to_all(data, options, depth))
    found = [lesson for lesson in lessons(data, options, seed=1) if lesson.depth <= depth]
    assert found
    for lesson in found:
        there = events(replace(data, interactions=lesson.known))
        assert known <= there, "it knows what a lesson does not"
        if not data.interactions.has_clock:
            # Nothing is bought twice in this shop, so a label is known by user and item.
            assert not labels(lesson) & {(user, item) for user, _, item in known}
    if not data.interactions.has_clock:
        lost = np.minimum(depth, np.maximum(data.interactions.lengths - 1, 0)).sum()
        assert len(known) == data.interactions.n_events - lost, "it knows no less than it must"
    else:
        deepest = known_to_all(data, options, depth)
        assert deepest.as_of == min(lesson.as_of for lesson in found)
        assert deepest.interactions.known_at.max() <= deepest.as_of


def test_without_a_lesson_there_is_no_depth() -> None:
    empty = small_dataset(empty=True)
    assert greatest_depth(empty, quick()) == greatest_depth(replace(empty, interactions=None), quick()) == 0
    assert greatest_depth(TRAIN, quick(label_places=10)) == 2, "five purchases, two of them held out"


def test_lessons_hear_another_fit_than_answers_do(fitted: Remembering) -> None:
    """Popularity tells on what a sequence ranker was fitted."""
    shown = known_to_all(TRAIN, fitted.options, 1).interactions
    then = popularity(*signals(shown, fitted.options))
    now = popularity(*signals(TRAIN.interactions, fitted.options))
    assert not np.array_equal(then, now)
    assert len(fitted.at_lessons) == fitted.options.label_folds
    for _, known in fitted.at_lessons:
        assert np.array_equal(known.sequence.state["share"], then)  # type: ignore[union-attr]
    assert np.array_equal(fitted._known.sequence.state["share"], now)  # type: ignore[union-attr]
    assert len(fitted.records) == 2
    assert (
        fitted.records[0].rows > fitted.records[1].rows or fitted.records[0].tokens > fitted.records[1].tokens
    )


def test_more_fits_are_each_as_new_as_their_lessons_allow() -> None:
    ranker = Remembering(quick(label_days=20.0, lesson_fits=3)).fit(CLOCK, seed=1, runtime=ONE)
    assert len(ranker.records) == 1 + 3
    for lesson, known in ranker.at_lessons:
        shown = known_to_all(CLOCK, ranker.options, lesson.depth).interactions
        assert np.array_equal(
            known.sequence.state["share"],  # type: ignore[union-attr]
            popularity(*signals(shown, ranker.options)),
        )


def test_a_leak_would_be_seen_in_the_lists() -> None:
    """Where purchases are pure chance, a network that learned them by heart puts labels first only if it was shown
    them: those of lessons it was not, so they lie in the middle of their lists."""
    rng = np.random.default_rng(0)
    log = TRAIN.interactions
    chance = replace(log, item=rng.integers(0, 600, log.n_events).astype(np.int32))
    train = replace(TRAIN, interactions=chance)
    by_heart = {"width": 64, "heads": 2, "epochs": 60, "learning_rate": 0.01, "content": [], "dropout": 0.0,
                "embedding_dropout": 0.0, "id_dropout": 0.0, "estimate_steps": 0, "loss": "softmax"}  # fmt: skip
    options = quick(sequence={"sasrec": by_heart}, rounds=2, negatives=1000, sources=("sequence", "popular"))

    class Leaking(Remembering):
        def _known_then(self, lesson: Lesson, facts: Any) -> Knowledge:
            return replace(super()._known_then(lesson, facts), sequence=self._known.sequence)

    place = {
        kind: _place_of_labels(kind(options).fit(train, seed=1, runtime=ONE))
        for kind in (Remembering, Leaking)
    }
    assert place[Leaking] < 0.1
    assert 0.3 < place[Remembering] < 0.7


def _place_of_labels(ranker: Remembering) -> float:
    """Mean place of what was bought by the sequence's score, as a share of its list."""
    column = features.names(ranker.options.groups).index("sequence_place")
    found = []
    for lists in ranker.lists:
        place = np.concatenate(lists.features)[:, column]
        found.append(place[lists.bought] / np.repeat(lists.sizes, lists.sizes)[lists.bought])
    return float(np.concatenate(found).mean())


# Source and features


def test_the_best_of_the_sequence_are_candidates_and_the_trees_read_its_score(fitted: Remembering) -> None:
    asked = TEST.requests.take(np.arange(40))
    sequence = one_by_one(fitted._known.sequence, asked)  # type: ignore[arg-type]
    best = np.argsort(-np.where(asked.eligible(), sequence, -np.inf), axis=1)[:, :90]
    pool = fitted._asked(asked, fitted._known).pool
    assert np.isin(np.arange(40)[:, None] * 600 + best, pool.cell).all()
    names = np.array(features.names(fitted.options.groups))
    gains = fitted._trees.gains()  # type: ignore[union-attr]
    assert gains[np.char.startswith(names, "sequence")].sum() > 0.01


def test_features_are_those_of_the_scores(fitted: Remembering) -> None:
    asked = fitted._asked(TEST.requests.take(np.arange(5)), fitted._known)
    columns = features.FEATURES["sequence"][1](asked)
    scores = asked.sequence.astype(np.float64)  # type: ignore[union-attr]
    chance = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    own = chance.ravel()[asked.pool.cell]
    assert np.exp(columns["sequence_log"]) == pytest.approx(own)
    for row in range(5):
        mine = asked.pool.row == row
        assert columns["sequence_share"][mine] == pytest.approx(own[mine] / own[mine].max())
        greater = (own[mine][None, :] > own[mine][:, None]).sum(axis=1)
        assert columns["sequence_place"][mine].tolist() == greater.tolist()


def test_without_source_and_features_it_is_the_two_stage_ranker_to_the_bit() -> None:
    plain = TwoStage(TwoStage.Options(**FEW)).fit(TRAIN, validation=VALIDATION, seed=1, runtime=ONE)
    deaf = TwoStageSequence(quick(sources=SOURCES, groups=GROUPS)).fit(
        TRAIN, validation=VALIDATION, seed=1, runtime=ONE
    )
    codes = np.arange(600, dtype=np.int32)
    assert np.array_equal(plain.score(TEST.requests, codes), deaf.score(TEST.requests, codes))
    with pytest.raises(ValidationError, match="'sequence' is not among"):
        TwoStage.Options(groups=("sequence",))


def test_an_odd_batch_changes_no_bit(fitted: Remembering) -> None:
    codes = np.arange(600, dtype=np.int32)
    whole, some = fitted.score(TEST.requests, codes), np.array([399, 3, 77, 250])
    assert np.array_equal(fitted.score(TEST.requests.take(some), codes), whole[some])


# What it says, keeps and costs


def test_it_says_which_ranker_it_hears() -> None:
    heard = TwoStageSequence(quick(sequence="ligr"))
    assert heard.parts == (*TwoStage.parts, "ligr")
    assert (heard.composition, heard.trains, heard.holds_users) == ("rerank", True, False)
    known = TwoStageSequence(quick(sequence="user-knn"))
    assert (known.trains, known.holds_users) == (False, True)
    with pytest.raises(ValidationError, match="at most 1"):
        quick(sequence=["sasrec", "ligr"])


def test_it_costs_one_two_stage_and_its_fits() -> None:
    heard, plain = (
        TwoStageSequence(quick(sequence="item-knn", lesson_fits=2)),
        TwoStage(TwoStage.Options(**FEW)),
    )
    own = TwoStageSequence(quick(sequence="item-knn"))._unfitted().estimate(CLOCK).seconds
    assert heard.estimate(CLOCK).seconds == pytest.approx(plain.estimate(CLOCK).seconds + 3 * own)


def test_its_parameters_name_those_of_both_once(fitted: Remembering) -> None:
    names = [name for name, _ in fitted.parameters()]
    assert "The order of what you bought" in names
    assert len(names) == len(set(names))


def test_a_budget_that_is_spent_is_said_and_answers_come_all_the_same() -> None:
    ranker = TwoStageSequence(quick(sequence={"sasrec": {**SMALL, "epochs": 200}}))
    ranker.fit(TRAIN, validation=VALIDATION, budget=Budget(0.0), seed=1, runtime=ONE)
    assert any(note.startswith("sasrec: ") for note in ranker.notes)
    assert any(note.startswith("sasrec, for lessons down to 1: ") for note in ranker.notes)
    assert (ranker.rank(TEST.requests.take(np.arange(3)), 10).items >= 0).all()


def test_where_nothing_can_be_held_out_candidates_keep_the_order_of_neighbours() -> None:
    train = small_dataset(empty=True)
    ranker = TwoStageSequence(quick()).fit(train, runtime=ONE)
    assert any("No purchase could be held out" in note for note in ranker.notes)
    assert (ranker.rank(small_requests(train, "recommend"), 5).items >= 0).all()


def test_a_sequence_ranker_of_another_fit_is_refused(fitted: Remembering, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    assert TwoStageSequence.load(tmp_path).training.losses == fitted.records[0].losses  # type: ignore[union-attr]
    shutil.rmtree(tmp_path / "sequence")
    with pytest.raises(DamagedError, match="sasrec that belongs to this fit"):
        TwoStageSequence.load(tmp_path)
    (tmp_path / "sequence").mkdir()
    fitted._unfitted().fit(TRAIN, seed=9, runtime=ONE).save(tmp_path / "sequence")
    with pytest.raises(DamagedError, match="sasrec that belongs to this fit"):
        TwoStageSequence.load(tmp_path)


ASK = """
import json, sys
from pathlib import Path
import numpy as np
from mercer.contracts import plugins
from mercer.testing.small_shop import small_dataset, small_requests
ranker = plugins.load(plugins.RANKERS, "two-stage-sequence").load(Path(sys.argv[1]))
answer = ranker.score(small_requests(small_dataset(), "recommend"), np.arange(24, dtype=np.int32))
print(json.dumps({"torch": "torch" in sys.modules, "scores": answer.tolist()}))
"""


def test_it_serves_without_torch(tmp_path: Path) -> None:
    ranker = TwoStageSequence(quick()).fit(CLOCK, seed=1, runtime=ONE)
    ranker.save(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120
    )
    said = json.loads(done.stdout)
    assert said["torch"] is False
    mine = ranker.score(small_requests(CLOCK, "recommend"), np.arange(24, dtype=np.int32))
    assert np.array_equal(np.array(said["scores"], np.float32), mine)
