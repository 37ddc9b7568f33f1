from __future__ import annotations

from pathlib import Path

from ..made import EVENT, events, table


def test_the_same_event_counts_once(tmp_path: Path) -> None:
    cleaned = events(tmp_path, {"event": "a"}, {"event": "b"}, {"event": "a"}, {"event": "a"})
    assert cleaned.reasons() == {2: "duplicate-event", 3: "duplicate-event"}


def test_of_one_id_with_different_contents_the_first_counts(tmp_path: Path) -> None:
    cleaned = events(
        tmp_path,
        {"event": "a"},
        {"event": "a", "amount_minor": 300},
        {"event": "a", "amount_minor": 300},
        {"event": "a"},
        {"event": "b"},
    )
    assert cleaned.reasons() == {1: "conflicting-event", 2: "duplicate-event", 3: "duplicate-event"}
    assert cleaned.kept()["amount_minor"].tolist() == [250, 250]


def test_without_ids_equal_rows_are_one_export_twice(tmp_path: Path) -> None:
    plain = {name: value for name, value in EVENT.items() if name != "event"}
    cleaned = events(tmp_path, {}, {"quantity": 2}, {}, defaults=plain)
    assert cleaned.reasons() == {2: "repeated-row"}
    assert cleaned.kept()["event"].is_unique


def test_switched_off_equal_rows_without_ids_are_events_of_their_own(tmp_path: Path) -> None:
    plain = {name: value for name, value in EVENT.items() if name != "event"}
    cleaned = events(tmp_path, {}, {}, {"quantity": 2}, defaults=plain, rules_off=["repeated-row"])
    assert cleaned.rules() == {}
    assert cleaned.kept()["event"].nunique() == 3


def test_made_ids_depend_on_the_row_and_not_on_its_place(tmp_path: Path) -> None:
    plain = {name: value for name, value in EVENT.items() if name != "event"}
    places = [tmp_path / "a", tmp_path / "b"]
    for place in places:
        place.mkdir()
    one = events(places[0], {}, {"quantity": 2}, defaults=plain).kept()
    other = events(places[1], {"quantity": 2}, {"user": "u9"}, {}, defaults=plain).kept()
    assert set(one["event"]) < set(other["event"])


def test_users_and_requests_with_lists_are_told_apart_too(tmp_path: Path) -> None:
    row = {"request": "r1", "user": "u1", "time": "2026-03-01T10:00:00Z", "eligible": ["mug", "lamp"]}
    cleaned = table(tmp_path, "requests", row, row, {**row, "eligible": ["mug"]}, {**row, "request": "r2"})
    assert cleaned.reasons("requests") == {1: "duplicate-request", 2: "conflicting-request"}
    assert cleaned.kept("requests")["eligible"][0].tolist() == ["mug", "lamp"]
    people = table(
        tmp_path, "users", {"user": "a", "age": 30}, {"user": "a", "age": 31}, {"user": "b", "age": 9}
    )
    assert people.reasons("users") == {1: "conflicting-user"}


def test_of_two_versions_of_an_event_the_one_known_first_counts_wherever_it_stands(tmp_path: Path) -> None:
    early, late = ({"event": "1", "quantity": n, "known_at": f"2026-03-0{n}T12:00:00Z"} for n in (2, 5))
    for number, rows in enumerate([(early, late), (late, early)]):
        (tmp_path / str(number)).mkdir()
        cleaned = events(tmp_path / str(number), *rows)
        assert cleaned.kept()["quantity"].tolist() == [2]
        assert list(cleaned.reasons().values()) == ["conflicting-event"]
