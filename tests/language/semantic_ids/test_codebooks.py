"""What every codebook promises: codes within sizes, the same again, itself from its arrays, and no bad input let in."""

from __future__ import annotations

import numpy as np
import pytest

from language.semantic_ids.small import options, vectors
from mercer.contracts import Floats32
from mercer.errors import BriefError, DataError, UsageError
from mercer.language.semantic_ids import report
from mercer.language.semantic_ids.codebook import Codebook
from mercer.language.semantic_ids.kinds import KINDS, make_codebook

every = pytest.mark.parametrize("kind", KINDS)


def fitted(kind: str, rows: Floats32 | None = None, *, seed: int = 1, **changes: object) -> Codebook:
    return make_codebook(options(kind, **changes)).fit(vectors() if rows is None else rows, seed=seed)


@every
def test_codes_have_the_declared_form(kind: str) -> None:
    codebook = fitted(kind)
    codes = codebook.encode(vectors())
    assert codes.dtype == np.int32
    assert codes.shape == (40, 2)
    assert codebook.sizes == (4, 4)
    assert (codes >= 0).all()
    assert (codes < codebook.sizes).all()
    made = codebook.decode(codes)
    assert made.dtype == np.float32
    assert made.shape == vectors().shape
    assert codebook.encode(vectors()[:0]).shape == (0, 2)


@every
def test_the_same_seed_gives_the_same_codebook_and_another_another(kind: str) -> None:
    assert fitted(kind).fingerprint == fitted(kind).fingerprint
    assert fitted(kind).fingerprint != fitted(kind, seed=2).fingerprint


@every
def test_from_its_arrays_it_is_itself(kind: str) -> None:
    codebook = fitted(kind)
    again = type(codebook).of(codebook.arrays(), codebook.options)
    assert again.fingerprint == codebook.fingerprint
    assert np.array_equal(again.encode(vectors(seed=5)), codebook.encode(vectors(seed=5)))


@every
def test_an_item_has_the_codes_it_has_alone(kind: str) -> None:
    codebook = fitted(kind)
    alone = np.concatenate([codebook.encode(row[None]) for row in vectors()])
    assert np.array_equal(alone, codebook.encode(vectors()))


@pytest.mark.parametrize("kind", ["residual-kmeans", "rqvae"])
def test_near_items_share_their_first_code_and_more_levels_tell_more(kind: str) -> None:
    codebook = fitted(kind, epochs=100, learning_rate=0.01) if kind == "rqvae" else fitted(kind)
    first = codebook.encode(vectors())[:, 0]
    assert all(len(set(first[group::4].tolist())) == 1 for group in range(4))
    assert len(set(first[:4].tolist())) == 4
    assert report(codebook, vectors()).r2 > 0.6


@every
def test_what_is_no_number_is_refused_with_its_row(kind: str) -> None:
    rows = vectors()
    rows[7, 2] = np.nan
    with pytest.raises(DataError, match="item 7 "):
        fitted(kind, rows)
    with pytest.raises(DataError, match="one item or more"):
        fitted(kind, rows[:0])


@every
def test_one_item_few_items_and_equal_items_have_codes(kind: str) -> None:
    for rows in (vectors(1), vectors(3), np.ones((9, 6), np.float32), np.zeros((5, 6), np.float32)):
        codebook = fitted(kind, rows)
        codes = codebook.encode(rows)
        assert (codes < codebook.sizes).all()
        assert np.isfinite(codebook.decode(codes)).all()
        assert len(np.unique(codes, axis=0)) <= len(np.unique(rows, axis=0))


@pytest.mark.parametrize("kind", ["residual-kmeans", "rqvae"])
def test_before_the_fit_it_says_what_to_do(kind: str) -> None:
    with pytest.raises(UsageError, match="fit"):
        make_codebook(options(kind)).encode(vectors())


def test_an_unknown_option_names_the_nearest() -> None:
    with pytest.raises(BriefError, match="'codes'"):
        make_codebook(options("residual-kmeans", kodes=3))
    with pytest.raises(BriefError, match="levels"):
        make_codebook(options("residual-kmeans", levels=0))
