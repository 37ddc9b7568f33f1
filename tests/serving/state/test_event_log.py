from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from mercer.errors import ConflictError
from mercer.serving import OnlineState
from mercer.serving.state import Added, Event

BOUGHT = Event(event="e1", user="u", item="a", time=10, known_at=12, kind="purchase", amount_minor=500)


def test_the_same_event_twice_is_kept_once(state: OnlineState) -> None:
    assert state.events.add([BOUGHT]) == Added(1, 0)
    assert state.events.add([BOUGHT, BOUGHT]) == Added(0, 2)
    assert state.events.history("u", 100)["item"] == ["a"]


def test_a_repeat_that_is_known_later_is_a_repeat(state: OnlineState) -> None:
    state.events.add([BOUGHT])
    assert state.events.add([replace(BOUGHT, known_at=99)]) == Added(0, 1)


@pytest.mark.parametrize("change", [{"amount_minor": 501}, {"user": "v"}, {"time": 11}, {"kind": "view"}])
def test_the_same_id_with_other_content_is_a_conflict(state: OnlineState, change: dict) -> None:
    state.events.add([BOUGHT])
    with pytest.raises(ConflictError, match="'e1'"):
        state.events.add([replace(BOUGHT, event="e0"), replace(BOUGHT, **change)])
    assert state.events.history("u", 100)["event"] == ["e1"]


def test_a_conflict_within_one_batch_adds_nothing(state: OnlineState) -> None:
    with pytest.raises(ConflictError):
        state.events.add([BOUGHT, replace(BOUGHT, item="b")])
    assert state.events.history("u", 100)["item"] == []


def test_history_is_by_time_then_id_and_ends_with_what_was_known(state: OnlineState) -> None:
    rows = [("e1", 20, 20), ("e2", 10, 30), ("e3", 10, 10), ("e4", 20, 20), ("e5", 10, 41)]
    state.events.add([replace(BOUGHT, event=e, time=t, known_at=k) for e, t, k in rows])
    assert state.events.history("u", 40)["event"] == ["e2", "e3", "e1", "e4"]
    assert state.events.history("u", 10)["event"] == ["e3"]
    assert state.events.history("stranger", 40)["event"] == []


def test_a_return_knows_when_what_it_undoes_was_bought(state: OnlineState) -> None:
    back = replace(BOUGHT, event="e2", time=30, known_at=30, kind="return", origin="e1")
    state.events.add([BOUGHT, back, replace(back, event="e3", origin="never-heard-of")])
    assert state.events.history("u", 40)["origin_time"] == [None, 10, None]


def test_batches_larger_than_one_statement_are_whole(state: OnlineState) -> None:
    many = [replace(BOUGHT, event=f"e{n}", time=n, known_at=n) for n in range(1_201)]
    assert state.events.add(many) == Added(1_201, 0)
    assert len(state.events.history("u", 5_000)["item"]) == 1_201
    assert state.events.add(many) == Added(0, 1_201)


def test_two_writers_with_the_same_event_at_once_add_it_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/mercer.db"
    writers = [OnlineState(url), OnlineState(url)]
    batches = [[replace(BOUGHT, event=f"e{n}") for n in range(at, at + 20)] for at in range(0, 200, 10)]
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(w.events.add, b) for b in batches for w in writers]
        added = [job.result() for job in jobs]
    assert sum(a.accepted for a in added) == 210
    assert sum(a.accepted + a.repeated for a in added) == 2 * 20 * 20
    assert len(writers[0].events.history("u", 100)["event"]) == 210


def test_of_two_conflicting_writers_one_wins_and_one_hears_of_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/mercer.db"
    writers = [OnlineState(url), OnlineState(url)]

    def write(number: int) -> str:
        try:
            writers[number % 2].events.add([replace(BOUGHT, amount_minor=number)])
        except ConflictError:
            return "conflict"
        return "added"

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(write, range(16)))
    assert said.count("added") == 1
