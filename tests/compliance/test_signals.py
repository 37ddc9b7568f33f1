"""Consent, objection and opt-out as of a time."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.compliance import signals_for
from mercer.data.training import consented, standing_withdrawals


def table(rows: list[tuple[str, str, bool, int]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["user", "purpose", "given", "time"])
    return frame.assign(
        time=frame["time"].to_numpy(np.int64).astype("datetime64[us]"), given=frame["given"].astype(bool)
    )


def test_latest_entry_at_or_before_the_time_decides() -> None:
    consents = table(
        [
            ("ann", "recommendation", True, 10),
            ("ann", "recommendation", False, 20),
            ("ann", "recommendation", True, 30),
            ("bob", "objection", True, 15),
            ("bob", "objection", False, 25),
            ("bob", "opt-out", True, 5),
        ]
    )

    signals = signals_for(["ann"] * 5, consents, np.array([9, 10, 19, 20, 30]))
    assert signals.consented.tolist() == [False, True, True, False, True]
    assert signals.recorded.tolist() == [False, True, True, True, True]

    signals = signals_for(["bob"] * 4, consents, np.array([14, 15, 24, 25]))
    assert signals.objected.tolist() == [False, True, True, False]
    assert signals.opted_out.tolist() == [True] * 4
    assert not signals.consented.any()


def test_what_protects_wins_at_the_same_instant() -> None:
    for order in ([True, False], [False, True]):
        for purpose in ("recommendation", "objection", "opt-out"):
            consents = table([("ann", purpose, given, 10) for given in order])

            signals = signals_for(["ann"], consents, 10)
            assert not signals.consented[0]
            assert signals.objected[0] == (purpose == "objection")
            assert signals.opted_out[0] == (purpose == "opt-out")


def test_unknown_people_and_absent_tables_say_nothing() -> None:
    consents = table([("ann", "recommendation", True, 10)])

    assert not signals_for(["zoe"], consents, 99).recorded[0]
    assert not signals_for(["ann"], None, 99).recorded[0]
    assert len(signals_for([], consents, 99).consented) == 0


def test_other_purposes_are_other_consents() -> None:
    consents = table([("ann", "analytics", True, 10)])

    assert not signals_for(["ann"], consents, 99).consented[0]
    assert signals_for(["ann"], consents, 99, purpose="analytics").consented[0]


ENTRIES = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from(["recommendation", "objection", "opt-out"]),
        st.booleans(),
        st.integers(0, 6),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(entries=ENTRIES, asked=st.lists(st.tuples(st.sampled_from("abcd"), st.integers(-1, 7)), max_size=8))
def test_vectorised_answer_is_the_plain_one(
    entries: list[tuple[str, str, bool, int]], asked: list[tuple[str, int]]
) -> None:
    def plain(user: str, purpose: str, time: int) -> bool:
        consent = purpose == "recommendation"
        held = [(t, g != consent, g) for u, p, g, t in entries if (u, p) == (user, purpose) and t <= time]
        return bool(held) and max(held)[2]

    users, times = [user for user, _ in asked], np.array([time for _, time in asked], np.int64)
    signals = signals_for(users, table(entries), times)

    for row, (user, time) in enumerate(asked):
        assert signals.consented[row] == plain(user, "recommendation", time)
        assert signals.objected[row] == plain(user, "objection", time)
        assert signals.opted_out[row] == plain(user, "opt-out", time)


@settings(max_examples=100, deadline=None)
@given(
    entries=ENTRIES,
    events=st.lists(st.tuples(st.sampled_from("abcd"), st.integers(-1, 7)), min_size=1, max_size=8),
)
def test_training_reads_consents_as_the_gates_do(
    entries: list[tuple[str, str, bool, int]], events: list[tuple[str, int]]
) -> None:
    consents = table(entries)
    users = [user for user, _ in events]
    when = np.array([moment for _, moment in events], np.int64)
    held = signals_for(users, consents, when)
    assert consented(pd.Series(users), when, consents, "recommendation").tolist() == held.consented.tolist()
    withdrawn = signals_for(users, consents, 7)
    assert [user in standing_withdrawals(consents, 7) for user in users] == (
        withdrawn.objected | withdrawn.opted_out
    ).tolist()
