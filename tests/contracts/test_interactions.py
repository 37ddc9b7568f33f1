from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.contracts import Interactions, Vocabulary, same_interactions
from mercer.errors import DamagedError
from mercer.testing.small_shop import log_of, small_catalogue, small_log

ITEMS = Vocabulary(["i0", "i1", "i2", "i3"])
USERS = Vocabulary(["u0", "u1", "u2"])


@pytest.fixture
def log() -> Interactions:
    """u0: i0 viewed at 1, bought at 2; u1: nothing; u2: i3 bought at 1, i1 at 4, i1 again at 6."""
    rows = [(0, 0, 1, 0, -1), (0, 0, 2, 1, 0), (2, 3, 1, 1, 1), (2, 1, 4, 1, 2), (2, 1, 6, 1, 3)]
    return replace(log_of(rows, USERS, ITEMS), extras={"merchant": np.arange(5)})


def test_counts(log: Interactions) -> None:
    assert (log.n_users, log.n_events) == (3, 5)
    assert log.lengths.tolist() == [2, 0, 3]
    assert log.user_of.tolist() == [0, 0, 2, 2, 2]
    assert log.item_rows[2].tolist() == [3, 1, 1]


def test_where_keeps_users_without_events(log: Interactions) -> None:
    kept = log.where(log.item == 1)
    assert kept.lengths.tolist() == [0, 0, 2]
    assert kept.users == USERS
    assert kept.extras["merchant"].tolist() == [3, 4]


def test_only_names_kinds_and_ignores_unknown_ones(log: Interactions) -> None:
    assert log.only(["view", "never-seen"]).time.tolist() == [1]
    assert log.only([]).n_events == 0


def test_a_cut_is_on_known_at_and_includes_its_instant(log: Interactions) -> None:
    late = replace(log, known_at=np.array([1, 9, 1, 4, 6]))
    assert late.as_of(4).time.tolist() == [1, 1, 4]


def test_each_user_can_have_an_own_cut(log: Interactions) -> None:
    assert log.as_of(np.array([1, 0, 5])).time.tolist() == [1, 1, 4]


def test_take_reorders_and_numbers_users_named_twice(log: Interactions) -> None:
    taken = log.take(np.array([2, 0, 2]))
    assert taken.lengths.tolist() == [3, 2, 3]
    assert taken.users.ids == ("0:u2", "1:u0", "2:u2")
    assert log.take(np.array([2, 0])).users.ids == ("u2", "u0")


@pytest.mark.parametrize("row", [-1, 3])
def test_take_refuses_rows_that_are_not_there(log: Interactions, row: int) -> None:
    with pytest.raises(IndexError):
        log.take(np.array([row]))


def test_blank_empties_the_rows_named(log: Interactions) -> None:
    assert log.blank(np.array([False, False, True])).lengths.tolist() == [2, 0, 0]


@given(st.integers(0, 50), st.integers(0, 10**9))
def test_events_known_later_change_nothing_before(seed: int, cut: int) -> None:
    vocabulary, _ = small_catalogue()
    whole = small_log(vocabulary, n_users=4, seed=seed)
    limit = int(whole.known_at.min()) + cut * 10_000
    early = whole.where(whole.known_at <= limit)
    assert same_interactions(whole.as_of(limit), early.as_of(limit))


def test_saved_and_loaded_it_is_the_same(log: Interactions, tmp_path: Path) -> None:
    log.save(tmp_path / "log")
    assert same_interactions(Interactions.load(tmp_path / "log"), log)


def test_without_users_or_events_it_is_saved_too(tmp_path: Path) -> None:
    empty = Interactions.empty(Vocabulary([]), ITEMS)
    empty.save(tmp_path / "log")
    assert same_interactions(Interactions.load(tmp_path / "log"), empty)


@pytest.mark.parametrize("damage", ["remove", "truncate", "shorten", "header"])
def test_damage_is_found(log: Interactions, tmp_path: Path, damage: str) -> None:
    log.save(tmp_path / "log")
    item, header = tmp_path / "log" / "item.npy", tmp_path / "log" / "interactions.json"
    if damage == "remove":
        item.unlink()
    elif damage == "truncate":
        item.write_bytes(item.read_bytes()[:-3])
    elif damage == "shorten":
        np.save(item, log.item[:-1])
    else:
        header.write_text(json.dumps(["purchase"]))
    with pytest.raises(DamagedError, match="whole interactions"):
        Interactions.load(tmp_path / "log")


def test_every_difference_counts(log: Interactions) -> None:
    assert same_interactions(log, replace(log))
    for change in (
        {"item": log.item[::-1]},
        {"users": Vocabulary(["a", "b", "c"])},
        {"has_clock": False},
        {"extras": {}},
        {"extras": {"merchant": np.zeros(5, int)}},
    ):
        assert not same_interactions(log, replace(log, **change))
