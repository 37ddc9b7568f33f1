"""Which questions a log asks, worked out by hand; and that none is lost in cutting long histories."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.contracts import Interactions
from mercer.recommend.sequence.lessons import Lessons
from mercer.testing.handmade import BUY, VIEW, log


def lessons(events: Interactions, **changes) -> Lessons:
    chosen = {"window": 50, "asked": "step", "answers": ("purchase",), "repeats": True, **changes}
    return Lessons.of(events, np.ones(events.n_events), **chosen)


def questions(events: Interactions, found: Lessons) -> list[tuple[list[int], int]]:
    """(items read, answer) of each question."""
    asked = []
    for row in range(len(found)):
        for number in range(found.indptr[row], found.indptr[row + 1]):
            first = found.spans.first[row]
            read = events.item[first : first + found.place[number] + 1]
            asked.append((read.tolist(), int(found.answer[number])))
    return asked


def test_every_position_asks_for_the_next() -> None:
    events = log([(0, 1), (1, 2), (2, 3)], [(4, 1)], [], n_items=5, clock=False)
    assert questions(events, lessons(events)) == [([0], 1), ([0, 1], 2)]


def test_a_basket_is_asked_for_as_a_whole_after_what_came_before() -> None:
    events = log([(0, 1), (1, 1), (2, 5), (3, 5), (4, 9)], n_items=5)
    assert questions(events, lessons(events)) == [([0, 1], 2), ([0, 1], 3), ([0, 1, 2, 3], 4)]


def test_asked_by_event_the_basket_explains_itself() -> None:
    events = log([(0, 1), (1, 1), (2, 5)], n_items=5)
    assert questions(events, lessons(events, asked="event")) == [([0], 1), ([0, 1], 2)]


def test_an_item_that_one_had_is_no_answer_without_repeats() -> None:
    events = log([(0, 1), (1, 2), (0, 3), (2, 4)], n_items=3, clock=False)
    assert questions(events, lessons(events, repeats=False)) == [([0], 1), ([0, 1, 0], 2)]


def test_what_was_viewed_before_may_still_be_foretold() -> None:
    events = log([(0, 1, BUY), (1, 2, VIEW), (1, 3, BUY)], n_items=3)
    assert questions(events, lessons(events, repeats=False)) == [([0, 1], 1)]


def test_long_histories_are_cut_from_the_end() -> None:
    events = log([(item, item) for item in range(6)], n_items=6, clock=False)
    found = lessons(events, window=2)
    assert questions(events, found) == [([0], 1), ([1], 2), ([1, 2], 3), ([3], 4), ([3, 4], 5)]
    assert found.spans.length.tolist() == [1, 2, 2]


histories = st.lists(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), max_size=9).map(
        lambda events: sorted(events, key=lambda event: event[1])
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(histories, st.integers(1, 5), st.sampled_from(("event", "step")), st.booleans())
def test_no_question_is_lost_and_none_sees_its_answer(rows, window, asked, repeats) -> None:
    events = log(*rows, n_items=6)
    whole, cut = (lessons(events, window=w, asked=asked, repeats=repeats) for w in (100, window))
    assert len(cut.answer) == len(whole.answer)
    assert sorted(cut.answer.tolist()) == sorted(whole.answer.tolist())
    assert (cut.spans.length >= 1).all()
    assert (cut.spans.length <= window).all()
    assert (np.diff(cut.indptr) >= 1).all()
    row = np.repeat(np.arange(len(cut)), np.diff(cut.indptr))
    assert (cut.place >= 0).all()
    assert (cut.place < cut.spans.length[row]).all()
    stop = cut.spans.first + cut.spans.length
    users = events.user_of
    for at in range(len(cut)):
        assert len(set(users[cut.spans.first[at] : stop[at]].tolist())) == 1
