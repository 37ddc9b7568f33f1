"""Who was forgotten stays forgotten, by a list that names nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.data import SuppressionList
from mercer.errors import DamagedError, OutputError


def test_who_was_added_is_contained_and_nobody_else(tmp_path: Path) -> None:
    forgotten = SuppressionList(tmp_path)
    assert forgotten.contains(["ann", "bob"]).tolist() == [False, False]
    forgotten.add("ann")
    forgotten.add(" 17850 ")
    assert SuppressionList(tmp_path).contains(["ann", "an", "ann1", "bob", "17850", ""]).tolist() == [
        True, False, False, False, True, False,
    ]  # fmt: skip


def test_the_file_tells_nobody_who_is_on_it(tmp_path: Path) -> None:
    first, second = SuppressionList(tmp_path / "a"), SuppressionList(tmp_path / "b")
    for forgotten in (first, second):
        forgotten.add("ann")
    assert "ann" not in first.file.read_text()
    assert first.file.read_text() != second.file.read_text(), "the hash does not depend on a key"
    assert first.key_file.stat().st_mode & 0o777 == 0o600


def test_the_state_changes_exactly_when_the_list_does(tmp_path: Path) -> None:
    forgotten = SuppressionList(tmp_path)
    states = [forgotten.state()]
    for user in ("ann", "ann", "bob"):
        forgotten.add(user)
        states.append(forgotten.state())
    assert states[0] != states[1] == states[2] != states[3]


def test_a_torn_line_loses_nobody_who_comes_after_it(tmp_path: Path) -> None:
    forgotten = SuppressionList(tmp_path)
    forgotten.add("ann")
    with forgotten.file.open("a") as handle:
        handle.write("0123abc")
    forgotten.add("bob")
    assert forgotten.contains(["ann", "bob"]).all()


def test_without_its_key_the_list_lets_nobody_in(tmp_path: Path) -> None:
    forgotten = SuppressionList(tmp_path)
    forgotten.add("ann")
    forgotten.key_file.unlink()
    with pytest.raises(DamagedError, match=r"key is gone.*Put suppression\.key back"):
        forgotten.contains(["ann"])
    with pytest.raises(DamagedError):
        forgotten.add("bob")


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="can't be written"):
        SuppressionList(tmp_path / "file").add("ann")


def test_nobody_is_on_a_list_that_does_not_exist_and_asking_makes_none(tmp_path: Path) -> None:
    forgotten = SuppressionList(tmp_path / "cache")
    assert forgotten.contains(["ann", "bob"]).tolist() == [False, False]
    assert forgotten.contains([]).shape == (0,)
    assert not (tmp_path / "cache").exists()


def test_adding_somebody_again_changes_neither_the_list_nor_the_key(tmp_path: Path) -> None:
    forgotten = SuppressionList(tmp_path)
    forgotten.add("ann")
    before = forgotten.file.read_bytes(), forgotten.key_file.read_bytes()
    forgotten.add("ann")
    SuppressionList(tmp_path).add(" ann")
    assert (forgotten.file.read_bytes(), forgotten.key_file.read_bytes()) == before
    assert len(before[1]) == 32


def test_the_state_does_not_depend_on_the_order(tmp_path: Path) -> None:
    forgotten = SuppressionList(tmp_path)
    for user in ("ann", "bob"):
        forgotten.add(user)
    state, lines = forgotten.state(), forgotten.file.read_text("ascii").splitlines()
    forgotten.file.write_text("\n".join(lines[::-1]) + "\n", "ascii")
    assert forgotten.state() == state


def test_a_lost_key_is_not_replaced(tmp_path: Path) -> None:
    forgotten = SuppressionList(tmp_path)
    forgotten.add("ann")
    forgotten.key_file.unlink()
    with pytest.raises(DamagedError):
        forgotten.add("ann")
    assert not forgotten.key_file.exists()


@given(st.lists(st.text(min_size=1), max_size=6), st.lists(st.text(), max_size=6))
def test_any_text_may_be_an_id(
    tmp_path_factory: pytest.TempPathFactory, added: list[str], others: list[str]
) -> None:
    forgotten = SuppressionList(tmp_path_factory.mktemp("list"))
    for user in added:
        forgotten.add(user)
    on_it = {user.strip() for user in added}
    asked = [*added, *others]
    assert forgotten.contains(asked).tolist() == [user.strip() in on_it for user in asked]
