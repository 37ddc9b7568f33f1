"""In training the counts are those of everybody's events but the person's own later ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.contracts import Interactions
from mercer.recommend import ItemKnn
from mercer.recommend.history import faded
from mercer.recommend.neighbours import unpacked
from mercer.recommend.sequence import Sasrec
from mercer.recommend.sequence.lessons import Lessons
from mercer.recommend.sequence.neighbourhood import Neighbourhood, counted, lifted
from mercer.recommend.signals import SignalOptions, signals
from mercer.testing.handmade import dataset, log, requests, scores

N = 8
KINDS = SignalOptions()


def term_of(events: Interactions, asked: str):
    """The term of all questions and all items, and the questions."""
    heard, weights = signals(events, KINDS)
    lessons = Lessons.of(heard, weights, window=50, asked=asked, answers=("purchase",), repeats=False)
    counts = counted(dataset(heard, repeats=False), heard, KINDS)
    made = Neighbourhood.of(counts, heard, weights, KINDS, share=1.5)
    near = made.near(lessons, np.arange(len(lessons)), np.arange(N))
    whole = near.block(0, len(lessons.answer))
    for cut in range(len(lessons.answer)):
        assert np.array_equal(near.block(cut, cut + 1), whole[cut : cut + 1])
    return whole, lessons


def without_the_future(events: Interactions, at: int) -> Interactions:
    """The log without what the person of event `at` did after it."""
    user = events.user_of
    return events.where((user != user[at]) | (np.arange(events.n_events) <= at))


people = st.lists(
    st.lists(st.integers(0, N - 1), min_size=1, max_size=6, unique=True).flatmap(
        lambda items: st.lists(st.integers(0, 3), min_size=len(items), max_size=len(items)).map(
            lambda gaps: list(zip(items, np.cumsum(gaps).tolist(), strict=True))
        )
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(people, st.sampled_from(("event", "step")))
def test_the_term_is_that_of_a_log_without_the_persons_future(rows, asked: str) -> None:
    events = log(*rows, n_items=N)
    if not any(len({day for _, day in row}) > 1 for row in rows):
        return
    whole, lessons = term_of(events, asked)
    first = np.repeat(lessons.spans.first, np.diff(lessons.indptr))
    for question, at in enumerate(first + lessons.place):
        past = without_the_future(events, at)
        knn = unpacked(ItemKnn().learn(dataset(past, repeats=False), past, 0))
        read = events.where((np.arange(events.n_events) <= at) & (events.user_of == events.user_of[at]))
        rows_of = read.take(np.array([events.user_of[at]]))
        want = lifted((faded(requests(rows_of), KINDS, decay=0.75) @ knn).toarray()[0], 1.5)
        np.testing.assert_allclose(whole[question], want, rtol=1e-4, atol=1e-5)


def test_the_answer_adds_the_term_of_item_knn() -> None:
    rows = [[(user % 3, 0), (3 + user % 3, 1), (6, 2)] for user in range(30)]
    train = dataset(log(*rows, n_items=N, clock=False))
    quick = {"width": 8, "epochs": 1, "content": (), "estimate_steps": 0}
    with_term = Sasrec(Sasrec.Options(**quick, neighbours=1.2)).fit(train, seed=1)
    asked = requests(log([(0, 0), (3, 1)], [(2, 0)], n_items=N, clock=False))
    alone = Sasrec(with_term.options.model_copy(update={"neighbours": 0.0}))
    alone.state = {
        name: one for name, one in with_term.state.items() if name not in ("indptr", "indices", "data")
    }
    alone._catalogue = with_term._catalogue
    alone.restored()
    knn = ItemKnn().fit(train)
    found = (faded(asked, KINDS, decay=0.75) @ unpacked(knn.state)).toarray()
    np.testing.assert_allclose(scores(with_term, asked) - scores(alone, asked), lifted(found, 1.2), atol=1e-5)


def test_the_term_is_off_at_zero() -> None:
    train = dataset(log([(0, 0), (1, 1)], n_items=2, clock=False))
    made = Sasrec(Sasrec.Options(width=8, epochs=1, content=(), estimate_steps=0, neighbours=0)).fit(
        train, seed=1
    )
    assert "indptr" not in made.state


@pytest.mark.parametrize("loss", ["sampled-softmax", "softmax", "bce"])
def test_every_loss_takes_the_term(loss: str) -> None:
    rows = [[((user + place) % N, place) for place in range(4)] for user in range(16)]
    train = dataset(log(*rows, n_items=N, clock=False))
    chosen = Sasrec.Options(
        width=8, epochs=1, content=(), estimate_steps=0, loss=loss, negatives=4, neighbours=3
    )
    one = Sasrec(chosen).fit(train, seed=1)
    other = Sasrec(chosen.model_copy(update={"neighbours": 0.1})).fit(train, seed=1)
    assert one.training.losses[0] != other.training.losses[0]
