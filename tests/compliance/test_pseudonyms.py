"""Pseudonyms hide ids from all but the holder of the key."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from mercer.compliance import Pseudonyms
from mercer.compliance.pseudonyms import write_secret
from mercer.errors import DamagedError, OutputError


def test_same_key_gives_the_same_pseudonym_and_another_key_another(tmp_path: Path) -> None:
    first, again = Pseudonyms.load(tmp_path / "keys"), Pseudonyms.load(tmp_path / "keys")
    other = Pseudonyms.load(tmp_path / "other")

    assert first.of("ann") == again.of("ann")
    assert first.of("ann") != other.of("ann")
    assert first.of("ann") != first.of("bob")
    assert first.of("ann").startswith("p:")
    assert len(first.of("ann")) == 14


def test_holder_of_the_key_finds_the_person(tmp_path: Path) -> None:
    pseudonyms = Pseudonyms.load(tmp_path)

    assert pseudonyms.resolve(pseudonyms.of("bob"), ["ann", "bob", "cid"]) == ["bob"]


def test_key_is_its_owners_alone(tmp_path: Path) -> None:
    Pseudonyms.load(tmp_path / "keys")

    (key,) = (tmp_path / "keys").iterdir()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_secret_is_never_written_over(tmp_path: Path) -> None:
    write_secret(tmp_path / "a.key", b"first")

    with pytest.raises(FileExistsError):
        write_secret(tmp_path / "a.key", b"second")
    assert (tmp_path / "a.key").read_bytes() == b"first"
    assert len(list(tmp_path.iterdir())) == 1


def test_damaged_key_and_unusable_folder_are_told(tmp_path: Path) -> None:
    (tmp_path / "pseudonyms.key").write_bytes(b"short")
    with pytest.raises(DamagedError, match="32 bytes"):
        Pseudonyms.load(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="key folder"):
        Pseudonyms.load(tmp_path / "file" / "keys")
    with pytest.raises(DamagedError, match="16 bytes"):
        Pseudonyms(b"short")
