"""What the two-stage ranker promises beyond the contract of every ranker."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mercer.contracts import Budget, Holdout, Ragged, Rankings, Runtime, search_space
from mercer.errors import DamagedError
from mercer.evaluation import compare, score_ranking, value
from mercer.evaluation.scored import Scored
from mercer.recommend import ItemKnn, ScoringRanker
from mercer.recommend.two_stage import TwoStage
from mercer.testing.small_shop import small_dataset, small_requests
from recommend.two_stage.shops import loyal_shop

TRAIN, VALIDATION, TEST = loyal_shop()
QUICK = TwoStage.Options(text=False, min_rows_per_leaf=20, rounds=60, patience=20)


@pytest.fixture(scope="module")
def fitted() -> TwoStage:
    return TwoStage(QUICK).fit(TRAIN, validation=VALIDATION, seed=1)


def scored(ranker: ScoringRanker, holdout: Holdout) -> Scored:
    codes = np.arange(len(TRAIN.vocabulary), dtype=np.int32)
    return score_ranking(holdout, score=lambda block: ranker.score(block, codes))


def test_it_learns_what_neighbours_do_not_know(fitted: TwoStage) -> None:
    """In a shop where brand says much and pairs say little, the learned order is better than item-knn."""
    ours, theirs = scored(fitted, TEST), scored(ItemKnn().fit(TRAIN), TEST)
    found = compare(
        ours, theirs, "ndcg@10", names=("two-stage", "item-knn"), task="recommend", target="next-item"
    )
    assert found.verdict == "better"
    assert value(ours, "ndcg@10") > 1.5 * value(theirs, "ndcg@10")


def test_without_content_and_sources_of_it_that_gain_is_gone(fitted: TwoStage) -> None:
    plain = replace_options(
        sources=("neighbours", "chains", "popular"), groups=("neighbours", "chains", "popularity")
    )
    without = TwoStage(plain).fit(TRAIN, validation=VALIDATION, seed=1)
    assert value(scored(without, TEST), "ndcg@10") < 0.8 * value(scored(fitted, TEST), "ndcg@10")


def replace_options(**changes: object) -> TwoStage.Options:
    return TwoStage.Options(**{**QUICK.model_dump(), **changes})


def test_candidates_lie_above_all_other_items(fitted: TwoStage) -> None:
    some = TEST.requests.take(np.arange(20))
    scores = fitted.score(some, np.arange(len(TRAIN.vocabulary)))
    pool = fitted._asked(some, fitted._known).pool
    inside = np.zeros(scores.shape, bool)
    inside[pool.row, pool.item] = True
    assert inside.any(axis=1).all()
    assert not inside.all(axis=1).any()
    least = np.where(inside, scores, np.inf).min(axis=1)
    best_other = np.where(inside, -np.inf, scores).max(axis=1)
    assert (least > best_other).all()
    assert (scores >= 0).all()


@pytest.mark.parametrize("k", [1, 10, 500])
@pytest.mark.parametrize("rules", ["none", "allow", "deny", "pin"])
def test_ranking_is_the_order_of_the_scores(fitted: TwoStage, k: int, rules: str) -> None:
    """With few places only candidates are looked at; with many, with rules or pins the answer is the same."""
    some = TEST.requests.take(np.arange(12))
    codes = np.arange(len(TRAIN.vocabulary), dtype=np.int32)
    best = fitted.rank(some, 3).items
    changes = {
        "none": {},
        "allow": {"allow": Ragged.from_rows([codes[row::7] for row in range(12)])},
        "deny": {"deny": Ragged.from_rows(list(best))},
        "pin": {"pin": Ragged.from_rows(list(best[:, ::-1]))},
    }[rules]
    asked = replace(some, **changes)
    scores = fitted.score(asked, codes)
    wanted = Rankings.top_k(scores, k, eligible=asked.eligible(), pin=asked.pin)
    got = fitted.rank(asked, k)
    assert np.array_equal(got.items, wanted.items)
    assert np.array_equal(got.scores, wanted.scores)
    if rules == "pin" and k > 1:
        assert got.items[:, 0].tolist() == best[:, 2].tolist()


def test_nothing_bought_is_a_candidate_where_repeats_are_unwanted(fitted: TwoStage) -> None:
    some = TEST.requests.take(np.arange(50))
    pool = fitted._asked(some, fitted._known).pool
    history = some.history
    assert not np.isin(pool.cell, history.user_of * pool.n_items + history.item).any()


def test_a_budget_that_is_spent_is_said_and_answers_come_all_the_same() -> None:
    ranker = TwoStage(QUICK).fit(TRAIN, validation=VALIDATION, budget=Budget(0.0), seed=1)
    assert any("budget was short" in note for note in ranker.notes)
    assert any("boosting stopped" in note for note in ranker.notes)
    assert (ranker.rank(TEST.requests.take(np.arange(3)), 10).items >= 0).all()


def test_progress_is_reported_from_lessons_to_trees() -> None:
    class Heard:
        notes: list[str] = []  # noqa: RUF012 - read by the test alone

        def advance(self, done: int, total: int, note: str = "") -> None:
            assert 0 < done <= total
            self.notes.append(note)

    TwoStage(replace_options(rounds=3)).fit(TRAIN, seed=1, runtime=Runtime(progress=Heard()))
    assert any("held-out purchases" in note for note in Heard.notes)
    assert any("trees" in note for note in Heard.notes)


def test_validation_only_stops_the_boosting(fitted: TwoStage) -> None:
    """Other validation answers may change the number of trees and nothing that is known of items."""
    rng = np.random.default_rng(0)
    shuffled = replace(VALIDATION, relevant=VALIDATION.relevant.take(rng.permutation(len(VALIDATION))))
    other = TwoStage(QUICK).fit(TRAIN, validation=shuffled, seed=1)
    for name, array in fitted.state.items():
        if name != "trees":
            assert np.array_equal(array, other.state[name], equal_nan=array.dtype.kind == "f"), name


def test_what_is_known_of_items_holds_no_person(fitted: TwoStage) -> None:
    assert not TwoStage.holds_users
    n_users = len(TRAIN.interactions.users)
    n_items = len(TRAIN.vocabulary)
    assert n_users != n_items
    for name, array in fitted.state.items():
        assert n_users not in array.shape, f"{name} has a row a user"


def test_where_nothing_can_be_held_out_candidates_keep_the_order_of_neighbours() -> None:
    train = small_dataset(empty=True)
    ranker = TwoStage(QUICK).fit(train)
    assert any("No purchase could be held out" in note for note in ranker.notes)
    answer = ranker.rank(small_requests(train, "recommend"), 5)
    assert (answer.items >= 0).all()


def test_a_history_of_any_length_is_answered_and_its_end_counts(fitted: TwoStage) -> None:
    row = TEST.requests.take([0])
    repeated = row.history.take(np.zeros(1, np.int64))
    many = 2_000
    index = np.tile(np.arange(repeated.n_events), many)
    longer = repeated._pick(np.array([0, len(index)]), index, repeated.users)
    answer = fitted.rank(replace(row, history=longer), 10)
    assert (answer.items >= 0).all()


def test_trees_that_were_cut_or_lost_are_refused(fitted: TwoStage, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    text = (tmp_path / "trees.0.txt").read_text()
    (tmp_path / "trees.0.txt").write_text(text[: len(text) // 2])
    with pytest.raises(DamagedError, match="differs"):
        TwoStage.load(tmp_path)
    (tmp_path / "trees.0.txt").unlink()
    with pytest.raises(DamagedError, match="missing"):
        TwoStage.load(tmp_path)


def test_equal_fits_write_equal_bytes(fitted: TwoStage, tmp_path: Path) -> None:
    again = TwoStage(QUICK).fit(TRAIN, validation=VALIDATION, seed=1)
    for ranker, name in ((fitted, "a"), (again, "b")):
        (tmp_path / name).mkdir()
        ranker.save(tmp_path / name)
    names = {path.name for path in (tmp_path / "a").iterdir()}
    assert names == {"options.yaml", "weights.safetensors", "trees.0.txt"}
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_an_odd_batch_changes_no_bit(fitted: TwoStage) -> None:
    codes = np.arange(len(TRAIN.vocabulary))
    whole = fitted.score(TEST.requests, codes)
    some = np.array([399, 3, 77, 3 + 100, 250])
    assert np.array_equal(fitted.score(TEST.requests.take(some), codes), whole[some])


def test_unknown_sources_and_groups_are_named() -> None:
    with pytest.raises(ValueError, match="Did you mean 'titles'"):
        TwoStage.Options(sources=("title",))
    with pytest.raises(ValueError, match="brand"):
        TwoStage.Options(groups=("brnd",))


def test_some_options_are_worth_searching() -> None:
    space = search_space(TwoStage.Options)
    assert {"learning_rate", "leaves", "decay", "breadth"} <= space.keys()


def test_without_the_encoder_make_setup_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mercer.errors import MissingExtraError

    monkeypatch.setenv("MERCER_ENCODERS", str(tmp_path))
    train = replace(TRAIN, items=TRAIN.items.assign(title="a title"))
    with pytest.raises(MissingExtraError, match="make setup"):
        TwoStage(replace_options(text=True)).fit(train)
    assert TwoStage(replace_options(text=True)).estimate(train).seconds > 0
