"""Which events may train: consent at the time of the event, withdrawals that stand, and nobody under 13.

Every log holds one event of ann on each of the days 1, 5 and 9 and one of bob on day 5; the decision is taken on
day 30.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.written import BRIEF, Row, consent, event, moment, tables
from mercer.data.interactions import micros
from mercer.data.tables import Tables
from mercer.data.training import end_of, training_rows
from mercer.errors import DataError

MICRO = 1 / 86_400_000_000
EVENTS = [
    event("e1", "ann", "tea", 1),
    event("e2", "bob", "tea", 5),
    event("e3", "ann", "mug", 5),
    event("e4", "ann", "cup", 9),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def trained(folder: Path, *consents: Row, users: list[Row] | None = None) -> set[str]:
    """The ids of the events that may train."""
    more = ({"consents": list(consents)} if consents else {}) | ({"users": users} if users else {})
    loaded = tables(folder, events=EVENTS, **more)
    events = loaded.events()
    assert events is not None
    keep = training_rows(loaded, BRIEF)
    assert keep.shape == (len(EVENTS),)
    return set(events.loc[keep, "event"])


def test_without_a_consents_table_everything_trains(folder: Path) -> None:
    assert trained(folder) == {"e1", "e2", "e3", "e4"}


def test_only_what_happened_after_consent_trains(folder: Path) -> None:
    assert trained(folder, consent("ann", 3, given=True)) == {"e3", "e4"}


def test_consent_at_the_instant_of_the_event_counts_and_a_moment_later_does_not(folder: Path) -> None:
    assert trained(folder, consent("ann", 5, given=True)) == {"e3", "e4"}
    assert trained(folder, consent("ann", 5 + MICRO, given=True)) == {"e4"}


def test_after_consent_was_withdrawn_nothing_trains_until_it_is_given_again(folder: Path) -> None:
    given_then_taken = [consent("ann", 0, given=True), consent("ann", 4, given=False)]
    assert trained(folder, *given_then_taken) == {"e1"}
    assert trained(folder, *given_then_taken, consent("ann", 8, given=True)) == {"e1", "e4"}


def test_the_order_of_the_consents_table_does_not_matter(folder: Path) -> None:
    rows = [consent("ann", 8, given=True), consent("ann", 0, given=True), consent("ann", 4, given=False)]
    assert trained(folder, *rows) == {"e1", "e4"}


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_entries_at_the_same_time_the_refusal_counts(folder: Path, order: int) -> None:
    rows = [consent("ann", 4, given=True), consent("ann", 4, given=False), consent("bob", 1, given=True)]
    assert trained(folder, *rows[::order]) == {"e2"}


def test_consent_for_another_purpose_is_none_for_recommendation(folder: Path) -> None:
    rows = [consent("bob", 0, given=True, purpose="analytics"), consent("ann", 0, given=True)]
    assert trained(folder, *rows) == {"e1", "e3", "e4"}


def test_a_table_that_never_asked_for_consent_excludes_only_withdrawals(folder: Path) -> None:
    assert trained(folder, consent("ann", 20, given=True, purpose="objection")) == {"e2"}
    assert trained(folder, consent("ann", 20, given=True, purpose="analytics")) == {"e1", "e2", "e3", "e4"}


@pytest.mark.parametrize("purpose", ["objection", "opt-out"])
def test_an_objection_takes_out_earlier_events_too(folder: Path, purpose: str) -> None:
    both = [consent("ann", 0, given=True), consent("bob", 0, given=True)]
    assert trained(folder, *both, consent("ann", 20, given=True, purpose=purpose)) == {"e2"}


def test_an_objection_counts_until_the_last_moment_of_the_decision_day(folder: Path) -> None:
    assert end_of(BRIEF) == micros(pd.Series([moment(31)]))[0] - 1
    assert trained(folder, consent("ann", 31 - MICRO, given=True, purpose="objection")) == {"e2"}
    assert "e1" in trained(folder, consent("ann", 31, given=True, purpose="objection"))


def test_an_objection_that_was_taken_back_does_not_count(folder: Path) -> None:
    raised = consent("ann", 2, given=True, purpose="objection")
    taken_back = consent("ann", 3, given=False, purpose="objection")
    assert trained(folder, raised, taken_back) == {"e1", "e2", "e3", "e4"}
    other = consent("ann", 2, given=True, purpose="opt-out")
    assert trained(folder, raised, taken_back, other) == {"e2"}
    # Taken back only after the decision: on the day of the decision it stands.
    assert trained(folder, raised, consent("ann", 31, given=False, purpose="objection")) == {"e2"}


@pytest.mark.parametrize("order", [1, -1])
def test_of_an_objection_and_its_withdrawal_at_the_same_time_the_objection_counts(
    folder: Path, order: int
) -> None:
    rows = [consent("ann", 2, given=given_, purpose="objection") for given_ in (True, False)]
    assert trained(folder, *rows[::order]) == {"e2"}


def test_children_do_not_train(folder: Path) -> None:
    users: list[Row] = [{"user": "ann", "age": 12}, {"user": "bob", "age": 13}]
    assert trained(folder, users=users) == {"e2"}
    unknown: list[Row] = [{"user": "ann", "age": None}, {"user": "bob", "age": 12}]
    assert trained(folder, users=unknown) == {"e1", "e3", "e4"}


def test_consent_of_a_child_does_not_help(folder: Path) -> None:
    rows = [consent("ann", 0, given=True), consent("bob", 0, given=True)]
    assert trained(folder, *rows, users=[{"user": "ann", "age": 9}]) == {"e2"}


def test_without_an_event_log_it_is_an_error(folder: Path) -> None:
    only = tables(folder, items=[{"item": "tea", "title": "Tea"}])
    with pytest.raises(DataError, match="no event log") as caught:
        training_rows(only, BRIEF)
    assert "data.events" in caught.value.remedy


entries = st.lists(
    st.tuples(st.sampled_from(["ann", "bob"]), st.integers(0, 9), st.booleans()), min_size=1, max_size=12
)


@given(entries)
def test_consent_is_the_latest_entry_at_or_before_the_event(drawn: list[tuple[str, int, bool]]) -> None:
    consents = pd.DataFrame([consent(*entry) for entry in drawn])
    events = pd.DataFrame(EVENTS)
    loaded = Tables(Path(), ("events", "consents"), {"events": events, "consents": consents})
    keep = dict(zip(events["event"], training_rows(loaded, BRIEF).tolist(), strict=True))
    for row in EVENTS:
        before = [
            (when, not given_)
            for user, when, given_ in drawn
            if user == row["user"] and moment(when) <= row["time"]
        ]
        # The greatest pair is the latest entry, and of equal times the refusal.
        assert keep[row["event"]] == (bool(before) and not max(before)[1])
