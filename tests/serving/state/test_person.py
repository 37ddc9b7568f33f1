from __future__ import annotations

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.compliance.signals import signals_for
from mercer.serving import OnlineState
from mercer.serving.state import Consent, Person


def said(*entries: tuple[str, bool, int], **more: object) -> Person:
    return Person(consents=tuple(Consent("u", *entry) for entry in entries), **more)  # type: ignore[arg-type]


def test_the_latest_entry_at_or_before_the_time_holds() -> None:
    person = said(("objection", True, 10), ("objection", False, 20))
    assert [person.objects(at) for at in (9, 10, 19, 20)] == [False, True, True, False]


def test_of_two_entries_at_one_time_the_withdrawal_of_consent_wins() -> None:
    assert (
        said(("recommendation", False, 5), ("recommendation", True, 5)).latest("recommendation", 5) is False
    )


def test_of_two_entries_at_one_time_the_objection_wins() -> None:
    assert said(("objection", False, 5), ("objection", True, 5)).objects(5)
    assert said(("opt-out", True, 5), ("opt-out", False, 5)).objects(5)


def test_where_consent_is_asked_nobody_is_profiled_without_it() -> None:
    assert said().may_be_profiled(5)
    assert not said(asks_consent=True).may_be_profiled(5)
    person = said(("recommendation", True, 3), ("recommendation", False, 8), asks_consent=True)
    assert [person.may_be_profiled(at) for at in (2, 3, 7, 8)] == [False, True, True, False]
    assert person.may_use([2, 3, 7, 8]) == [False, True, True, False]


def test_a_known_child_is_not_profiled() -> None:
    assert [Person(age=age).may_be_profiled(0) for age in (None, 12, 13)] == [True, False, True]


def test_the_register_returns_what_was_said(state: OnlineState) -> None:
    assert state.people.person("u") == Person()
    state.people.say([Consent("u", "recommendation", given=True, time=5)])
    assert state.people.person("u").consents == (Consent("u", "recommendation", True, 5),)
    assert state.people.person("v") == Person(asks_consent=True)


entry = st.tuples(
    st.sampled_from(["recommendation", "objection", "opt-out"]), st.booleans(), st.integers(0, 8)
)


@settings(max_examples=100, deadline=None)
@given(st.lists(entry, max_size=8, unique_by=lambda e: (e[0], e[2])), st.integers(0, 9))
def test_signals_equal_those_of_the_gates(entries: list[tuple[str, bool, int]], at: int) -> None:
    table = pd.DataFrame(entries, columns=["purpose", "given", "time"]).assign(user="u")
    table["time"] = pd.to_datetime(table["time"].astype("int64"), unit="us").astype("datetime64[us]")
    gate = signals_for(["u"], table, at)
    person = said(*entries)
    assert person.objects(at) == bool(gate.objected[0] or gate.opted_out[0])
    assert (person.latest("recommendation", at) is True) == bool(gate.consented[0])
    assert (person.latest("recommendation", at) is not None) == bool(gate.recorded[0])
