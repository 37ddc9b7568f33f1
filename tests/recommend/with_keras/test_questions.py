"""What a log asks: every event after the first step, after the last event of the step before."""

from __future__ import annotations

import numpy as np

from mercer.contracts import Interactions, Vocabulary
from mercer.recommend.with_keras import Questions
from recommend.with_keras.test_windows import DAY_US, ITEMS, shop


def asked(log: Interactions, *, repeats: bool = True, width: int = 3) -> Questions:
    return Questions.of(log, np.arange(1.0, log.n_events + 1), width=width, repeats=repeats)


def test_the_next_step_answers() -> None:
    found = asked(shop())
    assert list(zip(found.at.tolist(), found.answer.tolist(), strict=True)) == [(1, 4), (3, 5)]
    assert found.weight.tolist() == [3, 5]
    assert found.lengths().tolist() == [2, 1]
    assert found.windows(found.at).item.tolist() == [[-1, 3, 1], [-1, -1, 5]]


def test_all_of_a_basket_answer_and_none_explains_another() -> None:
    log = shop([(0, 3, 0, 0, 1), (0, 1, DAY_US, 0, 2), (0, 2, DAY_US, 0, 2)], 1)
    found = asked(log)
    assert list(zip(found.at.tolist(), found.answer.tolist(), strict=True)) == [(0, 1), (0, 2)]


def test_without_repeats_an_item_answers_once() -> None:
    assert asked(shop(), repeats=False).answer.tolist() == [4]


def test_a_history_is_read_up_to_the_width() -> None:
    log = shop([(0, item, item * DAY_US, 0, -1) for item in range(9)], 1)
    found = asked(log, width=3)
    assert found.answer.tolist() == list(range(1, 9))
    assert found.lengths().tolist() == [1, 2, 3, 3, 3, 3, 3, 3]
    assert found.windows(found.at).item[-1].tolist() == [5, 6, 7]


def test_a_log_may_ask_nothing() -> None:
    assert len(asked(Interactions.empty(Vocabulary(["u"]), ITEMS))) == 0
    assert len(asked(shop([(0, 1, 0, 0, -1), (1, 2, 0, 0, -1)], 2))) == 0
