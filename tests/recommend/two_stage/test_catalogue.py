"""What is read of items: brands and paths as codes, prices, and titles as small whole vectors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mercer.contracts import Runtime
from mercer.environment import encoder_folder
from mercer.language.exported import MODEL
from mercer.recommend.two_stage.catalogue import DEPTH, Catalogue
from mercer.recommend.two_stage.titles import SCALE, WIDTH, Titles, nearest, small


def items(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_brands_are_equal_whatever_their_case() -> None:
    found = Catalogue.of(items(item=["a", "b", "c"], brand=["Moor", "MOOR", ""], title=["x", "y", "z"]))
    assert found.brand.tolist() == [0, 0, -1]


def test_without_any_brand_the_first_word_of_the_title_stands_for_it() -> None:
    found = Catalogue.of(items(item=["a", "b", "c"], brand=["", "", ""], title=["OPI, red", "opi blue", ""]))
    assert found.brand.tolist() == [0, 0, -1]


def test_paths_are_told_apart_at_every_level() -> None:
    found = Catalogue.of(items(item=["a", "b", "c"], category=["Home > Lamps", "Home > Rugs", None]))
    assert found.leaf.tolist() == [0, 1, -1]
    assert found.nodes[:, :2].tolist() == [[0, 0], [0, 1], [-1, -1]]
    assert found.nodes.shape == (3, DEPTH)


def test_a_level_of_one_name_under_two_parents_is_two() -> None:
    found = Catalogue.of(items(item=["a", "b"], category=["Men > Shoes", "Women > Shoes"]))
    assert found.nodes[:, 1].tolist() == [0, 1]


def test_columns_that_are_absent_are_unknown() -> None:
    found = Catalogue.of(items(item=["a", "b"]))
    assert found.brand.tolist() == found.leaf.tolist() == [-1, -1]
    assert np.isnan(found.price).all()


def test_a_price_that_is_not_above_zero_is_unknown() -> None:
    found = Catalogue.of(items(item=["a", "b", "c"], price_minor=[-1, 0, 250]))
    assert np.isnan(found.price[:2]).all()
    assert found.price[2] == 250


def unit(seed: int, n: int, width: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_small_vectors_keep_cosines_and_multiply_without_rounding() -> None:
    vectors = unit(0, 60, 32)
    whole = small(vectors)
    assert whole.dtype == np.int8
    as_floats = whole.astype(np.float32)
    np.testing.assert_allclose(as_floats @ as_floats.T / SCALE**2, vectors @ vectors.T, atol=0.02)
    exact = whole.astype(np.int64) @ whole.astype(np.int64).T
    assert np.array_equal(as_floats @ as_floats.T, exact)
    assert np.array_equal(as_floats[:1] @ as_floats.T, exact[:1])


def test_small_vectors_are_cut_to_the_main_directions() -> None:
    assert small(unit(0, 300, 200)).shape == (300, WIDTH)


def test_an_item_without_a_vector_stays_zero_and_is_near_to_nothing() -> None:
    vectors = unit(1, 8, 16)
    vectors[3] = 0
    whole = small(vectors)
    assert not whole[3].any()
    near, cosines = nearest(whole, 7)
    assert (near[3] == -1).all()
    assert not (near == 3).any()
    assert (cosines[near == -1] == 0).all()


def test_nearest_are_those_of_greatest_cosine() -> None:
    whole = small(unit(2, 40, 16))
    near, cosines = nearest(whole, 5)
    as_floats = whole.astype(np.float64)
    as_floats /= np.linalg.norm(as_floats, axis=1, keepdims=True)
    every = as_floats @ as_floats.T
    np.fill_diagonal(every, -2)
    np.testing.assert_allclose(cosines, np.sort(every, axis=1)[:, ::-1][:, :5], atol=1e-5)
    assert not (near == np.arange(40)[:, None]).any()


def test_one_item_has_no_neighbour() -> None:
    near, cosines = nearest(small(unit(0, 1, 8)), 5)
    assert near.shape == cosines.shape == (1, 0)


def test_titles_that_are_all_empty_need_no_encoder() -> None:
    assert Titles.read(["", ""], 10.0, Runtime()).vectors.shape == (2, 0)


@pytest.mark.encoder
@pytest.mark.skipif(
    not (encoder_folder() / MODEL).is_dir(), reason="the encoder is not exported; run: make setup"
)
def test_titles_of_like_meaning_are_near() -> None:
    titles = ["red lipstick", "crimson lip colour", "garden hose", "hose pipe for gardens", ""]
    read = Titles.read(titles, 60.0, Runtime())
    assert read.near[0, 0] == 1
    assert read.near[2, 0] == 3
    assert not read.vectors[4].any()


@pytest.mark.encoder
@pytest.mark.skipif(
    not (encoder_folder() / MODEL).is_dir(), reason="the encoder is not exported; run: make setup"
)
def test_what_there_was_no_time_to_encode_is_unknown_and_said(caplog: pytest.LogCaptureFixture) -> None:
    read = Titles.read(["red lipstick", "garden hose"], -1.0, Runtime())
    assert not read.vectors.any()
    assert "not encoded in time" in caplog.text
