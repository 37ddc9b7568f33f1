from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.contracts import Vocabulary
from mercer.errors import DamagedError, DataError

ids = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), unique=True, max_size=8)


def test_codes_follow_the_order_given() -> None:
    vocabulary = Vocabulary(["b", "a"])
    assert vocabulary.encode(["a", "b", "c"]).tolist() == [1, 0, -1]
    assert vocabulary.code("a") == 1
    assert vocabulary.code("c") == -1
    assert vocabulary.decode([1, 0]) == ["a", "b"]


def test_an_id_given_twice_is_refused() -> None:
    with pytest.raises(DataError, match="same id twice"):
        Vocabulary(["a", "a"])


@pytest.mark.parametrize("code", [-1, 2])
def test_a_code_that_stands_for_nothing_is_refused(code: int) -> None:
    with pytest.raises(IndexError):
        Vocabulary(["a", "b"]).decode([code])


@given(ids)
def test_encode_undoes_decode(names: list[str]) -> None:
    vocabulary = Vocabulary(names)
    assert vocabulary.decode(vocabulary.encode(names)) == names


@given(ids, ids)
def test_fingerprints_are_equal_exactly_for_equal_vocabularies(one: list[str], other: list[str]) -> None:
    same = Vocabulary(one) == Vocabulary(other)
    assert (Vocabulary(one).fingerprint == Vocabulary(other).fingerprint) == same


def test_a_separator_inside_an_id_is_no_boundary() -> None:
    assert Vocabulary(["a\0b"]).fingerprint != Vocabulary(["a", "b"]).fingerprint


@pytest.mark.parametrize("names", [[], ["a", "ü", "a\0b", ""]])
def test_saved_and_loaded_it_is_equal(names: list[str], tmp_path: Path) -> None:
    Vocabulary(names).save(tmp_path / "v.parquet")
    loaded = Vocabulary.load(tmp_path / "v.parquet")
    assert loaded == Vocabulary(names)
    assert hash(loaded) == hash(Vocabulary(names))


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "v.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(DamagedError, match=r"v\.parquet is not a vocabulary"):
        Vocabulary.load(tmp_path / "v.parquet")
    with pytest.raises(DamagedError):
        Vocabulary.load(tmp_path / "absent.parquet")
