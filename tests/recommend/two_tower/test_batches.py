"""What a step of training sees: places that lead back to items, every question once, and chances that are true."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mercer.recommend.two_tower.batches import Batch, Dealer
from mercer.recommend.with_keras import PADDING, Questions
from mercer.testing.small_shop import small_dataset


def small_questions() -> Questions:
    log = small_dataset().interactions
    assert log is not None
    bought = log.only(["purchase"])
    return Questions.of(bought, np.ones(bought.n_events), width=7, repeats=True)


def test_every_question_comes_once_in_an_epoch() -> None:
    questions = small_questions()
    dealer = Dealer(questions, size=16, drawn=5)
    batches = list(dealer.epoch(np.random.default_rng(1)))
    assert len(batches) == len(dealer)
    answers = np.concatenate([b.item[b.candidate[b.answer]] for b in batches])
    assert np.bincount(answers, minlength=24).tolist() == np.bincount(questions.answer, minlength=24).tolist()
    assert max(len(b.answer) for b in batches) == 16


def test_places_lead_back_to_the_items() -> None:
    questions = small_questions()
    rows = np.array([3, 40, 41, 7])
    batch = Batch.of(questions, rows, np.full(24, 1 / 24), np.array([2, 2, 19], np.int32))
    assert batch.item[batch.candidate].tolist() == sorted({*questions.answer[rows].tolist(), 2, 19})
    assert batch.item[batch.candidate[batch.answer]].tolist() == questions.answer[rows].tolist()
    whole = questions.windows(questions.at[rows])
    place = batch.window.item[batch.state]
    read = np.where(place == PADDING, PADDING, batch.item[place])
    wide = whole.item[:, whole.item.shape[1] - read.shape[1] :]
    assert read.tolist() == wide.tolist()
    assert (whole.item[:, : whole.item.shape[1] - read.shape[1]] == PADDING).all()


def test_histories_of_a_batch_are_of_like_length() -> None:
    for batch in Dealer(small_questions(), size=8, drawn=0).epoch(np.random.default_rng(2)):
        held = (batch.window.item != PADDING).sum(axis=1)
        assert held.max() < 2 * held.min() or held.max() == 1


def test_the_chance_of_an_item_is_how_often_it_is_a_candidate() -> None:
    """Questions drawn with replacement from a log in which all are alike: 4,000 batches against the formula."""
    rng, questions = np.random.default_rng(3), small_questions()
    share = np.bincount(questions.answer, minlength=24) / len(questions)
    seen, told = np.zeros(24), np.full(24, np.nan)
    for _ in range(4_000):
        rows = rng.integers(0, len(questions), 12)
        batch = Batch.of(questions, rows, share, rng.integers(0, 24, 6, np.int32))
        seen[batch.item[batch.candidate]] += 1
        told[batch.item[batch.candidate]] = np.exp(batch.log_chance)
    np.testing.assert_allclose(seen / 4_000, told, atol=0.03)


def test_a_sampled_sum_is_on_average_the_sum_over_the_catalogue() -> None:
    rng, questions = np.random.default_rng(4), small_questions()
    share = np.bincount(questions.answer, minlength=24) / len(questions)
    terms = rng.gamma(1.0, size=24)
    sums = []
    for _ in range(4_000):
        rows = rng.integers(0, len(questions), 12)
        batch = Batch.of(questions, rows, share, rng.integers(0, 24, 6, np.int32))
        sums.append((terms[batch.item[batch.candidate]] / np.exp(batch.log_chance)).sum())
    assert np.mean(sums) == pytest.approx(terms.sum(), rel=0.02)


def test_one_item_and_no_draws_are_legal() -> None:
    questions = small_questions()
    alone = replace(questions, answer=np.zeros_like(questions.answer))
    batch = Batch.of(alone, np.arange(4), np.eye(24)[0], np.zeros(0, np.int32))
    assert batch.log_chance.tolist() == [0.0]
