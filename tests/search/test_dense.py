"""The matrix: exact similarities, equal texts tie, a damaged file is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mercer.errors import DamagedError
from mercer.search.dense import FILE, DenseIndex


def index() -> DenseIndex:
    vectors = np.array([[1, 0], [0.6, 0.8]], np.float32)
    return DenseIndex(vectors, np.array([0, 1, 0, -1], np.int32), "made-by")


def test_similarity_is_the_dot_product_and_equal_texts_tie() -> None:
    got = index().similarities(np.array([0.6, 0.8], np.float32))
    assert got.tolist() == pytest.approx([0.6, 1.0, 0.6, -np.inf])
    assert got[0] == got[2]
    assert got.dtype == np.float32


def test_the_saved_one_is_the_same(tmp_path: Path) -> None:
    index().save(tmp_path)
    loaded = DenseIndex.open(tmp_path)
    assert np.array_equal(loaded.vectors, index().vectors)
    assert np.array_equal(loaded.row_of, index().row_of)
    assert loaded.fingerprint == "made-by"
    assert isinstance(loaded.vectors, np.memmap)


def test_nothing_encoded(tmp_path: Path) -> None:
    none = DenseIndex(np.zeros((0, 2), np.float32), np.array([-1, -1], np.int32), "made-by")
    none.save(tmp_path)
    for held in (none, DenseIndex.open(tmp_path)):
        assert np.isneginf(held.similarities(np.ones(2, np.float32))).all()


@pytest.mark.parametrize("damage", [b"", b"\xff" * 100, b"\x02\0\0\0\0\0\0\0[]"])
def test_a_damaged_file_is_refused(tmp_path: Path, damage: bytes) -> None:
    with pytest.raises(DamagedError):
        DenseIndex.open(tmp_path)
    (tmp_path / FILE).write_bytes(damage)
    with pytest.raises(DamagedError):
        DenseIndex.open(tmp_path)


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    index().save(tmp_path)
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[:-8])
    with pytest.raises(DamagedError):
        DenseIndex.open(tmp_path)
