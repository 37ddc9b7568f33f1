"""What is learned from: positions inside train whose answers nothing has seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mercer.contracts import Dataset
from mercer.recommend.two_stage import TwoStageOptions
from mercer.recommend.two_stage.labels import Lesson, Question, lessons
from mercer.testing.handmade import dataset, log
from mercer.testing.small_shop import DAY_US, small_dataset


def taught(train: Dataset, **options: object) -> list[Lesson]:
    return list(lessons(train, TwoStageOptions(**options), seed=3))


def asked(lesson: Lesson) -> list[tuple[list[int], list[int]]]:
    """(history, wanted) of each request of a lesson's only question."""
    [question] = lesson.questions
    return pairs(question)


def pairs(question: Question) -> list[tuple[list[int], list[int]]]:
    rows = question.requests.history.item_rows
    return [(rows[at].tolist(), question.wanted[at].tolist()) for at in range(len(rows))]


def test_without_a_clock_the_last_events_are_labels_one_at_a_time() -> None:
    events = log([(0, 1), (1, 2), (2, 3)], [(3, 1), (4, 2)], [(5, 1)], n_items=6, clock=False)
    first, second = taught(dataset(events), label_folds=1, label_places=2)
    assert asked(first) == [([0, 1], [2]), ([3], [4])]
    assert asked(second) == [([0], [1])]
    assert first.known.item.tolist() == [0, 1, 3, 5]
    assert second.known.item.tolist() == [0, 3, 4, 5]


def test_every_user_is_asked_in_exactly_one_fold() -> None:
    events = log(*[[(u % 5, 1), ((u + 1) % 5, 2)] for u in range(20)], n_items=5, clock=False)
    found = taught(dataset(events), label_folds=4, label_places=1)
    names = [name for lesson in found for name in lesson.questions[0].requests.history.users.ids]
    assert len(found) == 4
    assert sorted(names) == sorted(events.users.ids)


@pytest.mark.parametrize("clock", [True, False])
def test_no_lesson_knows_an_event_that_it_asks_for(clock: bool) -> None:
    train = small_dataset(repeats=False)
    assert train.interactions is not None
    if not clock:
        train = replace(train, interactions=replace(train.interactions, has_clock=False))
    whole = train.interactions
    found = taught(train, label_cuts=4, label_places=3, label_folds=2)
    assert len(found) >= 4
    n_asked = 0
    for lesson in found:
        assert (lesson.known.known_at <= lesson.as_of).all()
        for question in lesson.questions:
            history, now = question.requests.history, question.requests.time
            assert (now > lesson.as_of).all()
            for at, name in enumerate(history.users.ids):
                row = whole.users.code(name)
                mine = whole.take(np.array([row]))
                seen = lesson.known.take(np.array([row])).n_events
                # What is known of a person is the start of what happened, and the history is no shorter.
                past = history.item_rows[at].tolist()
                assert mine.item[: len(past)].tolist() == past
                assert seen <= len(past) < mine.n_events
                left = (
                    mine.known_at[len(past) :] >= now[at]
                    if clock
                    else np.ones(mine.n_events - len(past), bool)
                )
                assert left.all()
                assert set(question.wanted[at].tolist()) <= set(mine.item[len(past) :].tolist())
                n_asked += len(question.wanted[at])
    assert n_asked > 50


def test_with_a_clock_the_first_basket_after_a_cut_is_asked() -> None:
    events = log(
        [(0, 1), (1, 40), (2, 85), (3, 85), (4, 90)],
        [(5, 2), (5, 92)],
        [(1, 95)],
        n_items=6,
    )
    [lesson] = taught(dataset(events, as_of_day=100), label_cuts=1, label_days=14.0)
    assert lesson.as_of == 81 * DAY_US
    assert asked(lesson) == [([0, 1], [2, 3]), ([5], [5])]


def test_where_repeats_are_unwanted_what_was_bought_is_not_asked() -> None:
    events = log([(0, 1), (0, 90), (1, 90)], [(2, 2), (2, 92)], [(3, 95)], n_items=4)
    [lesson] = taught(dataset(events, repeats=False), label_cuts=1, label_days=14.0)
    assert asked(lesson) == [([0], [1])]


def test_a_cut_is_asked_again_later_with_newer_histories_and_the_same_knowledge() -> None:
    events = log([(0, 1), (1, 60), (2, 75), (3, 90)], [(4, 1), (4, 90)], n_items=5)
    first, second = taught(dataset(events), label_cuts=2, label_days=20.0, label_lags=3)
    assert [pairs(one) for one in first.questions] == [[([0, 1], [2]), ([4], [4])]]
    assert second.as_of == 50 * DAY_US
    assert [pairs(one) for one in second.questions] == [[([0], [1])], [([0, 1], [2]), ([4], [4])]]
    assert second.known.item.tolist() == [0, 4]


def test_cuts_stop_where_too_little_lies_before_them() -> None:
    events = log(*[[(0, 0), (1, 50), (0, 99)] for _ in range(3)], n_items=2)
    found = taught(dataset(events), label_cuts=50, label_days=10.0)
    assert min(lesson.as_of for lesson in found) >= 0.25 * 99 * DAY_US


def test_no_more_histories_than_asked_for() -> None:
    train = small_dataset()
    found = taught(train, label_cuts=3, lists=30)
    assert sum(len(one.requests) for lesson in found for one in lesson.questions) <= 30


def test_a_shop_without_events_teaches_nothing() -> None:
    assert taught(small_dataset(empty=True)) == []
    assert taught(replace(small_dataset(empty=True), interactions=None)) == []
