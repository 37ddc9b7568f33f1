from __future__ import annotations

from pathlib import Path

from mercer.release import NO_OVERLAY
from mercer.serving import OnlineState
from mercer.serving.state import ItemChange


def test_without_changes_there_is_no_overlay(state: OnlineState) -> None:
    assert state.catalogue.overlay() is NO_OVERLAY
    assert not state.catalogue.has("a")


def test_the_latest_change_of_an_item_holds(state: OnlineState) -> None:
    state.catalogue.put("a", ItemChange(price_minor=5, title="Old"), time=1)
    state.catalogue.put("b", ItemChange(min_age=18, available_until=9), time=2)
    version = state.catalogue.put("a", ItemChange(title="New"), time=3)
    overlay = state.catalogue.overlay()
    assert overlay.version == version
    assert (overlay.title, overlay.price) == ({"a": "New"}, {})
    assert (overlay.min_age, overlay.availability) == ({"b": 18}, {"b": (None, 9)})


def test_a_withdrawal_is_ended_by_a_change(state: OnlineState) -> None:
    state.catalogue.withdraw("a", time=1)
    assert state.catalogue.overlay().withdrawn == {"a"}
    state.catalogue.put("a", ItemChange(), time=2)
    assert state.catalogue.overlay().withdrawn == frozenset()
    assert state.catalogue.has("a")


def test_the_overlay_is_the_same_object_until_it_changes(state: OnlineState) -> None:
    state.catalogue.withdraw("a", time=1)
    first = state.catalogue.overlay()
    assert state.catalogue.overlay() is first
    state.catalogue.withdraw("b", time=2)
    assert state.catalogue.overlay() is not first


def test_another_process_sees_a_change_at_once(tmp_path: Path) -> None:
    here, there = (OnlineState(f"sqlite:///{tmp_path}/mercer.db") for _ in range(2))
    assert there.catalogue.overlay().version == 0
    here.catalogue.withdraw("a", time=1)
    assert there.catalogue.overlay().withdrawn == {"a"}
