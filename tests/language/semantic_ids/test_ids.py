"""Paths: one an item, the same after new items came, bound to codebook and catalogue."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.semantic_ids.small import SMALL, vectors
from mercer.contracts import Codes
from mercer.errors import ConflictError, DamagedError, DataError, TooLargeError
from mercer.language.semantic_ids import ResidualKmeans, SemanticIds, random_ids


def assigned(codes: list[list[int]] | Codes, sizes: tuple[int, ...] = (4, 4), **more: object) -> SemanticIds:
    return SemanticIds.assign(np.asarray(codes, np.int32), sizes, codebook="book", catalogue="shop", **more)


def kmeans() -> ResidualKmeans:
    return ResidualKmeans(ResidualKmeans.Options(**SMALL["residual-kmeans"])).fit(vectors(), seed=1)


def given_by(codebook: ResidualKmeans) -> SemanticIds:
    codes = codebook.encode(vectors())
    return SemanticIds.assign(codes, codebook.sizes, codebook=codebook.fingerprint, catalogue="shop")


def test_equal_codes_are_told_apart_in_the_order_of_items() -> None:
    ids = assigned([[1, 2], [0, 0], [1, 2], [1, 2]])
    assert ids.codes.tolist() == [[1, 2, 0], [0, 0, 0], [1, 2, 1], [1, 2, 2]]
    assert ids.sizes == (4, 4, 8)
    assert ids.depth == 3


def test_the_one_with_more_comes_first() -> None:
    ids = assigned([[1, 2], [1, 2], [1, 2]], first=np.array([1, 9, 5]))
    assert ids.codes[:, 2].tolist() == [2, 0, 1]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_every_item_has_its_own_path_of_one_length(codes: list[tuple[int, int]]) -> None:
    ids = assigned([list(one) for one in codes])
    assert len({tuple(path) for path in ids.codes.tolist()}) == len(codes)
    assert np.array_equal(ids.codes[:, :2], np.array(codes))
    assert (ids.codes < ids.sizes).all()
    assert ids.sizes[-1] >= 2 * (1 + ids.codes[:, -1].max())


@given(st.integers(1, 12), st.integers(0, 5))
def test_new_items_get_paths_and_old_ones_keep_theirs(n: int, seed: int) -> None:
    codebook = kmeans()
    ids = given_by(codebook)
    longer = ids.extended(vectors(n, seed=seed), codebook, catalogue="larger shop")
    assert np.array_equal(longer.codes[:40], ids.codes)
    assert len(longer) == 40 + n
    assert longer.sizes == ids.sizes
    assert longer.base == ids.base
    assert longer.fingerprint != ids.fingerprint


def test_items_may_come_one_by_one_or_together() -> None:
    codebook = kmeans()
    ids = given_by(codebook)
    together = ids.extended(vectors(9, seed=3), codebook, catalogue="larger shop")
    for row in vectors(9, seed=3):
        ids = ids.extended(row[None], codebook, catalogue="larger shop")
    assert ids.fingerprint == together.fingerprint


def test_where_codes_are_all_taken_the_nearest_last_code_is_used() -> None:
    codebook = kmeans()
    ids = given_by(codebook)
    many = np.repeat(vectors()[:1], 4 * ids.sizes[-1], axis=0)
    first, last = codebook.encode(many[:1])[0]
    longer = ids.extended(many[: ids.sizes[-1] + 1], codebook, catalogue="larger shop")
    assert (longer.codes[40:, 0] == first).all()
    beside = np.array([[first, code] for code in range(4)], np.int32)
    apart = ((codebook.decode(beside) - many[0]) ** 2).sum(axis=1)
    spilled = longer.codes[longer.codes[:, 1] != last][-1]
    assert spilled[1] == np.argsort(apart)[1]
    with pytest.raises(TooLargeError, match="again"):
        ids.extended(many, codebook, catalogue="larger shop")


def test_another_codebook_is_refused() -> None:
    other = ResidualKmeans(ResidualKmeans.Options(levels=2, codes=4)).fit(vectors(seed=9), seed=1)
    with pytest.raises(ConflictError, match="codebook"):
        given_by(kmeans()).extended(vectors(2), other, catalogue="larger shop")


def test_saved_and_loaded_it_is_itself(tmp_path: Path) -> None:
    ids = given_by(kmeans())
    longer = ids.extended(vectors(5, seed=2), kmeans(), catalogue="larger shop")
    longer.save(tmp_path)
    again = SemanticIds.load(tmp_path, codebook=ids.codebook, catalogue="larger shop")
    assert again.fingerprint == longer.fingerprint
    assert again.base == ids.base
    written = [path.read_bytes() for path in sorted(tmp_path.iterdir())]
    again.save(tmp_path)
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == written


def test_another_codebook_or_catalogue_at_load_is_refused(tmp_path: Path) -> None:
    assigned([[1, 2]]).save(tmp_path)
    with pytest.raises(ConflictError, match="codebook book, not other"):
        SemanticIds.load(tmp_path, codebook="other")
    with pytest.raises(ConflictError, match="catalogue shop, not mine"):
        SemanticIds.load(tmp_path, catalogue="mine")


@pytest.mark.parametrize("name", ["ids.safetensors", "ids.json"])
def test_damage_is_refused(name: str, tmp_path: Path) -> None:
    assigned([[1, 2], [3, 0]]).save(tmp_path)
    content = bytearray((tmp_path / name).read_bytes())
    content[-3] ^= 1
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DamagedError):
        SemanticIds.load(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(DamagedError):
        SemanticIds.load(tmp_path)


def test_a_description_that_does_not_go_with_the_paths_is_refused(tmp_path: Path) -> None:
    assigned([[1, 2], [3, 0]]).save(tmp_path)
    head = json.loads((tmp_path / "ids.json").read_text())
    head["facts"]["sizes"] = [2, 2, 8]
    (tmp_path / "ids.json").write_text(json.dumps(head))
    with pytest.raises(DamagedError, match="SHA-256"):
        SemanticIds.load(tmp_path)


@pytest.mark.parametrize("codes", [[[0, 0], [0, 0]], [[0, 4]], [[-1, 0]], [[0, 0, 0]]])
def test_paths_of_another_form_are_refused(codes: list[list[int]]) -> None:
    with pytest.raises(DataError):
        SemanticIds(
            codes=np.array(codes, np.int32), sizes=(4, 4), codebook="", catalogue="", n_base=len(codes)
        )


def test_random_paths_are_a_function_of_the_seed() -> None:
    one = random_ids(50, (8, 8), seed=1)
    assert one.fingerprint == random_ids(50, (8, 8), seed=1).fingerprint
    assert one.base != random_ids(50, (8, 8), seed=2).base
    assert one.sizes[:2] == (8, 8)
    assert len(set(one.codes[:, 0].tolist())) == 8
