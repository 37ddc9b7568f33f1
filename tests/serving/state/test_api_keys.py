from __future__ import annotations

from pathlib import Path

import pytest

from mercer.errors import UsageError
from mercer.serving import OnlineState


def test_a_key_opens_its_scopes_and_nothing_else(state: OnlineState) -> None:
    key = state.keys.create("shop", ["answer", "events"], time=1)
    holder = state.keys.check(key)
    assert holder is not None
    assert (holder.name, holder.scopes) == ("shop", {"answer", "events"})


@pytest.mark.parametrize("wrong", ["", "x", "mercer_", "mercer_a_b", "mercer__", "_", "mercer_ä_ö"])
def test_what_is_no_key_opens_nothing(state: OnlineState, wrong: str) -> None:
    state.keys.create("shop", ["answer"], time=1)
    assert state.keys.check(wrong) is None


def test_one_changed_letter_opens_nothing(state: OnlineState) -> None:
    key = state.keys.create("shop", ["answer"], time=1)
    assert state.keys.check(key[:-1] + ("A" if key[-1] != "A" else "B")) is None
    assert state.keys.check("other" + key) is None


def test_a_revoked_key_opens_nothing(state: OnlineState) -> None:
    key = state.keys.create("shop", ["answer"], time=1)
    assert state.keys.check(key)
    assert state.keys.revoke("shop", time=2) == 1
    assert state.keys.check(key) is None
    assert state.keys.revoke("shop", time=3) == 0


def test_the_database_holds_no_secret(state: OnlineState, tmp_path: Path) -> None:
    secret = state.keys.create("shop", ["answer"], time=1).split("_", 2)[2].encode()
    state.database.scrub()
    assert all(secret not in path.read_bytes() for path in tmp_path.rglob("*.db*"))


def test_an_unknown_scope_is_named_with_the_nearest(state: OnlineState) -> None:
    with pytest.raises(UsageError, match="Did you mean 'events'"):
        state.keys.create("shop", ["event"], time=1)
