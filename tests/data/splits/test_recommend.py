"""The two splits of a recommend target, on logs small enough to divide by hand.

Unless a test says otherwise the log runs from day 0, validation begins on day 10, the test on day 20, and the
decision is taken on day 29.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.splits import Event, answers, at, day, histories, log
from mercer.brief import RecommendTarget, Split
from mercer.contracts import Interactions
from mercer.data.audit import audit_leakage
from mercer.data.splits import RecommendSplit, split_recommend
from mercer.errors import BriefError, DataError


def target(*, repeats: bool = True, kinds: tuple[str, ...] = ("purchase",), **split: Any) -> RecommendTarget:
    cut = Split(**{"test_from": day(20), "validation_days": 10, **split})
    return RecommendTarget(task="recommend", repeats=repeats, kinds=list(kinds), split=cut)


def divided(
    events: Interactions | list[Event], asked: RecommendTarget | None = None, decided: int = 29
) -> RecommendSplit:
    whole = events if isinstance(events, Interactions) else log(*events)
    items = pd.DataFrame({"item": whole.items.ids})
    return split_recommend(whole, items, asked or target(), day(decided))


BACKGROUND = [
    Event("zoe", "tea", 1, basket=900),
    Event("zoe", "mug", 12, basket=901),
    Event("zoe", "jam", 22, basket=902),
]
"""A shopper who keeps every part from being empty."""


def test_each_part_holds_what_its_days_hold() -> None:
    split = divided(BACKGROUND)
    assert split.train.interactions is not None
    assert split.train.interactions.n_events == 1
    assert split.train.as_of == at(10) - 1
    assert answers(split.validation) == {"zoe": {"mug"}}
    assert answers(split.test) == {"zoe": {"jam"}}
    assert histories(split.validation) == {"zoe": ["tea"]}
    assert histories(split.test) == {"zoe": ["tea", "mug"]}
    assert split.test.requests.time.tolist() == [at(20)]
    assert split.protocol["test_from"] == "2026-01-21"
    assert split.protocol["validation_from"] == "2026-01-11"
    refit = split.refit
    assert refit.interactions is not None
    assert refit.interactions.n_events == 2
    assert refit.as_of == at(20) - 1


def test_relevant_is_the_whole_first_basket_after_the_cut_and_nothing_later() -> None:
    events = [
        Event("ann", "tea", 2, basket=1),
        Event("ann", "mug", 21, basket=2),
        Event("ann", "cup", 21.2, basket=2),
        Event("ann", "jam", 21.4, basket=3),
        Event("ann", "pan", 23, basket=2),  # a late line of the same basket still belongs to it
    ]
    assert answers(divided(BACKGROUND + events).test)["ann"] == {"mug", "cup", "pan"}


def test_without_baskets_the_first_session_is_relevant() -> None:
    events = [
        Event("ann", "tea", 2, session=1),
        Event("ann", "mug", 21, session=2),
        Event("ann", "cup", 21.2, session=2),
        Event("ann", "jam", 21.4, session=3),
    ]
    assert answers(divided(BACKGROUND + events).test)["ann"] == {"mug", "cup"}


def test_a_basket_wins_over_the_session_that_it_was_filled_in() -> None:
    events = [
        Event("ann", "tea", 2),
        Event("ann", "mug", 21, basket=5, session=2),
        Event("ann", "cup", 21.2, basket=6, session=2),
    ]
    assert answers(divided(BACKGROUND + events).test)["ann"] == {"mug"}


def test_without_baskets_and_sessions_the_first_event_is_relevant() -> None:
    events = [Event("ann", "tea", 2), Event("ann", "mug", 21), Event("ann", "cup", 21.2)]
    assert answers(divided(BACKGROUND + events).test)["ann"] == {"mug"}


def test_the_groups_of_one_user_do_not_reach_into_another() -> None:
    events = [
        Event("ann", "tea", 2),
        Event("ann", "mug", 21),
        Event("bob", "tea", 2),
        Event("bob", "cup", 22),
    ]
    found = answers(divided(BACKGROUND + events).test)
    assert found == {"ann": {"mug"}, "bob": {"cup"}, "zoe": {"jam"}}


def test_only_events_of_the_kinds_asked_for_are_relevant() -> None:
    events = [
        Event("ann", "tea", 2),
        Event("ann", "mug", 21, kind="view", session=7),
        Event("ann", "cup", 21.2, session=7),
    ]
    assert answers(divided(BACKGROUND + events).test)["ann"] == {"cup"}
    both = divided(BACKGROUND + events, target(kinds=("view", "purchase"))).test
    assert answers(both)["ann"] == {"mug", "cup"}


def test_without_repeats_what_was_bought_before_is_no_answer() -> None:
    events = [
        Event("ann", "tea", 2, basket=1),
        Event("ann", "pan", 3, kind="view"),
        Event("ann", "tea", 21, basket=2),
        Event("ann", "pan", 21, basket=2),  # only looked at before: it may still be the answer
        Event("bob", "tea", 2, basket=3),
        Event("bob", "tea", 22, basket=4),  # nothing new: bob drops out
    ]
    masked = divided(BACKGROUND + events, target(repeats=False))
    assert answers(masked.test) == {"ann": {"pan"}, "zoe": {"jam"}}
    assert not masked.test.requests.repeats
    assert masked.protocol["history"] == "masked"
    shown = divided(BACKGROUND + events)
    assert answers(shown.test) == {"ann": {"tea", "pan"}, "bob": {"tea"}, "zoe": {"jam"}}
    assert shown.protocol["history"] == "visible"


def test_the_request_masks_exactly_what_the_answers_leave_out() -> None:
    events = [Event("ann", "tea", 2), Event("ann", "pan", 3, kind="view"), Event("ann", "mug", 21)]
    held = divided(BACKGROUND + events, target(repeats=False)).test
    may = held.requests.eligible()[held.units.index("ann")]
    ids = held.requests.items.ids
    assert {name for name, allowed in zip(ids, may, strict=True) if not allowed} == {"tea"}


def test_what_became_known_after_the_cut_is_in_no_history() -> None:
    events = [
        Event("ann", "tea", 2),
        Event("ann", "pan", 9, known=10),  # happened before validation, known in it
        Event("ann", "cup", 19, known=20),  # happened before the test, known in it
        Event("ann", "mug", 21),
        Event("ann", "jam", 11),
    ]
    split = divided(BACKGROUND + events)
    assert split.train.interactions is not None
    assert split.train.interactions.known_at.max() < at(10)
    assert histories(split.validation)["ann"] == ["tea"]
    assert histories(split.test)["ann"] == ["tea", "pan", "jam"]
    assert audit_leakage(split) > 0


def test_a_purchase_that_validation_did_not_know_in_time_selects_nothing() -> None:
    events = [Event("ann", "tea", 2), Event("ann", "mug", 15, known=20), Event("ann", "jam", 16)]
    assert answers(divided(BACKGROUND + events).validation)["ann"] == {"jam"}


def test_a_purchase_that_the_decision_day_did_not_know_tests_nothing() -> None:
    events = [Event("ann", "tea", 2), Event("ann", "mug", 25, known=30), Event("ann", "jam", 26, known=29.9)]
    assert answers(divided(BACKGROUND + events).test)["ann"] == {"jam"}
    assert answers(divided(BACKGROUND + events, decided=30).test)["ann"] == {"mug"}


def test_users_without_history_drop_out() -> None:
    events = [
        Event("new", "mug", 21),
        Event("looker", "tea", 2, kind="view"),  # a look is no event of the target's kinds
        Event("looker", "mug", 21),
        Event("late", "tea", 19, known=20),  # history that nobody knew of
        Event("late", "mug", 21),
    ]
    assert set(answers(divided(BACKGROUND + events).test)) == {"zoe"}


def test_the_days_of_the_test_end_it() -> None:
    events = [
        Event("ann", "tea", 2),
        Event("ann", "mug", 24.999),
        Event("bob", "tea", 2),
        Event("bob", "mug", 25),
    ]
    assert set(answers(divided(BACKGROUND + events, target(test_days=5)).test)) == {"ann", "zoe"}
    assert set(answers(divided(BACKGROUND + events).test)) == {"ann", "bob", "zoe"}


def test_the_last_fifth_of_the_log_is_the_test_where_no_day_is_named() -> None:
    events = [
        Event("ann", "tea", 0),
        Event("ann", "mug", 65),
        Event("ann", "cup", 81),
        Event("ann", "jam", 100),
    ]
    asked = RecommendTarget(task="recommend")
    split = divided(events, asked, decided=101)
    assert split.protocol["test_from"] == str(day(80))
    assert split.protocol["validation_from"] == str(day(52))
    assert answers(split.test) == {"ann": {"cup"}}
    assert answers(split.validation) == {"ann": {"mug"}}


@pytest.mark.parametrize(("left_out", "part"), [(1, "validation"), (2, "test")])
def test_an_empty_part_is_an_error_that_says_what_to_do(left_out: int, part: str) -> None:
    with pytest.raises(DataError, match=part) as caught:
        divided([event for n, event in enumerate(BACKGROUND) if n != left_out])
    assert "test_from" in caught.value.remedy


def test_a_cut_before_the_log_leaves_nothing_to_train_on() -> None:
    with pytest.raises(DataError, match="before 2026-01-01") as caught:
        divided(BACKGROUND, target(test_from=day(10)))
    assert "later day" in caught.value.remedy


def test_a_log_without_a_clock_is_refused_for_a_temporal_split() -> None:
    ordered = replace(log(*BACKGROUND), has_clock=False)
    with pytest.raises(BriefError, match="only an order") as caught:
        divided(ordered)
    assert "leave-last-out" in caught.value.remedy


def test_folds_do_not_divide_a_recommend_target() -> None:
    with pytest.raises(BriefError, match="folds"):
        divided(BACKGROUND, target(kind="folds"))


LAST_OUT = target(kind="leave-last-out")


def test_the_last_item_tests_and_the_one_before_selects() -> None:
    ann = [Event("ann", item, n) for n, item in enumerate(["tea", "mug", "cup", "jam"])]
    split = divided(log(*ann, clock=False), LAST_OUT)
    assert split.train.interactions is not None
    assert split.train.interactions.items.decode(split.train.interactions.item) == ["tea", "mug"]
    assert answers(split.validation) == {"ann": {"cup"}}
    assert histories(split.validation) == {"ann": ["tea", "mug"]}
    assert answers(split.test) == {"ann": {"jam"}}
    assert histories(split.test) == {"ann": ["tea", "mug", "cup"]}
    refit = split.refit.interactions
    assert refit is not None
    assert refit.items.decode(refit.item) == ["tea", "mug", "cup"]


def test_users_with_fewer_than_three_events_only_train() -> None:
    three = [Event("ann", item, n) for n, item in enumerate(["tea", "mug", "cup"])]
    two = [Event("bob", "pan", 1), Event("bob", "jam", 9)]
    split = divided([*three, *two], LAST_OUT)
    assert set(answers(split.test)) == set(answers(split.validation)) == {"ann"}
    assert split.train.interactions is not None
    assert split.train.interactions.lengths.tolist() == [1, 2]


def test_looks_between_the_last_purchases_are_history_of_the_test_only() -> None:
    events = [
        Event("ann", "tea", 1),
        Event("ann", "mug", 2),
        Event("ann", "pan", 3, kind="view"),
        Event("ann", "cup", 4),
        Event("ann", "jam", 5, kind="view"),  # after the answer: it is in nothing
    ]
    split = divided(events, LAST_OUT)
    assert answers(split.validation) == {"ann": {"mug"}}
    assert answers(split.test) == {"ann": {"cup"}}
    assert histories(split.validation) == {"ann": ["tea"]}
    assert histories(split.test) == {"ann": ["tea", "mug", "pan"]}


def test_a_last_item_that_was_bought_before_drops_out_without_repeats() -> None:
    ann = [Event("ann", item, n) for n, item in enumerate(["tea", "mug", "cup", "tea"])]
    bob = [Event("bob", item, n) for n, item in enumerate(["tea", "mug", "jam"])]
    asked = target(kind="leave-last-out", repeats=False)
    split = divided([*ann, *bob], asked)
    assert answers(split.test) == {"bob": {"jam"}}
    assert answers(split.validation) == {"ann": {"cup"}, "bob": {"mug"}}


rows = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "cas"]),
        st.sampled_from(["tea", "mug", "cup", "jam"]),
        st.integers(0, 28),
        st.sampled_from([0, 0, 1, 6]),
        st.sampled_from(["purchase", "purchase", "view"]),
    ),
    max_size=25,
)


@given(rows, st.booleans(), st.sampled_from(["temporal", "leave-last-out"]))
def test_no_part_ever_knows_what_came_after_it(
    drawn: list[tuple[str, str, int, int, str]], repeats: bool, kind: str
) -> None:
    events = [Event(user, item, when, what, when + late) for user, item, when, late, what in drawn]
    zoe = [replace(event, basket=-1) for event in BACKGROUND]
    split = divided([*events, *zoe], target(kind=kind, repeats=repeats))
    assert audit_leakage(split) > 0
    for part in (split.validation, split.test):
        past = part.requests.history
        assert (part.requests.time > split.train.as_of).all()
        assert (part.relevant.lengths > 0).all()
        assert (past.known_at <= np.repeat(part.requests.time, past.lengths)).all()
        if not repeats:
            assert part.requests.eligible()[part.relevant.row_of, part.relevant.values].all()
    assert split.train.interactions is not None
    assert (split.train.interactions.known_at <= split.train.as_of).all()
