"""The contract of every store that holds personal data (`contracts.Erasable`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from mercer.contracts import Erasable


class ErasableContract:
    """Inherit it, name two people, and make a store that holds both.

        class TestMyStore(ErasableContract):
            user, other = "customer-1", "customer-11"

            @pytest.fixture
            def store(self, tmp_path): ...

    `other` should begin with `user`, so that a store which looks for parts of ids is found out. Where the
    store keeps files, return their folder from `files`: they are searched for the id, byte by byte.
    Stability: implementers may see further checks.
    """

    user: str = "customer-1"
    other: str = "customer-11"

    @pytest.fixture
    def store(self, tmp_path: Path) -> Erasable:
        """A store that holds something of `user` and of `other`."""
        raise NotImplementedError

    @pytest.fixture
    def files(self) -> Path | None:
        """The folder of the store's files, or None where it has none."""
        return None

    def test_it_is_erasable(self, store: Erasable) -> None:
        """It has the protocol's members and a name."""
        assert isinstance(store, Erasable)
        assert store.store

    def test_both_people_are_found(self, store: Erasable) -> None:
        """The fixture holds something to erase; the lines tell places, not content."""
        for person in (self.user, self.other):
            assert store.find(person)
            assert all(isinstance(line, str) and line for line in store.find(person))

    def test_what_is_found_names_nobody(self, store: Erasable) -> None:
        """A place is told without the id, for the lines are printed and logged."""
        assert not any(self.user in line for line in store.find(self.user))

    def test_a_stranger_is_not_found(self, store: Erasable) -> None:
        """Neither another id nor the beginning of one is found, and erasing it removes nothing."""
        for stranger in ("nobody-at-all", self.user[:-1], ""):
            assert store.find(stranger) == []
            assert store.erase(stranger) == 0
        assert store.find(self.user)
        assert store.find(self.other)

    def test_erasing_removes_the_user(self, store: Erasable) -> None:
        """Rows go, `find` finds nothing, and a second time there is nothing left to remove."""
        assert store.erase(self.user) > 0
        assert store.find(self.user) == []
        assert store.erase(self.user) == 0

    def test_erasing_leaves_others_as_they_were(self, store: Erasable) -> None:
        """Another person's rows are the same before and after."""
        before = store.find(self.other)
        store.erase(self.user)
        assert store.find(self.other) == before

    def test_no_file_holds_the_id_afterwards(self, store: Erasable, files: Path | None) -> None:
        """The bytes are gone from every file, also from logs and free pages."""
        if files is None:
            pytest.skip("this store keeps no files")
        store.erase(self.other)
        store.erase(self.user)
        searched = [path for path in files.rglob("*") if path.is_file()]
        assert searched
        for path in searched:
            assert self.user.encode() not in path.read_bytes(), path.name
