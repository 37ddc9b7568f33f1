"""What is read of the catalogue, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mercer.contracts import Runtime
from mercer.errors import DataError
from mercer.recommend.sequence import SequenceOptions
from mercer.recommend.sequence.content import PRICE_LEVELS, UNKNOWN, Content, principal
from mercer.testing.small_shop import small_catalogue


def read(items: pd.DataFrame, *content: str) -> Content:
    return Content.read(items, SequenceOptions(content=content), 1.0, Runtime())


def test_columns_that_tell_items_apart_are_read() -> None:
    found = read(small_catalogue()[1].assign(category="Everything"), "brand", "category", "price")
    assert found.names == ("brand", "price")
    assert found.codes.shape == (24, 2)
    assert found.sizes[0] == 5
    assert found.text.shape == (24, 0)


def test_unknown_prices_have_a_code_of_their_own() -> None:
    items = pd.DataFrame({"item": list("abc"), "price_minor": [-1, 100, 900]})
    assert read(items, "price").codes[:, 0].tolist()[0] == UNKNOWN
    many = pd.DataFrame({"item": range(1000), "price_minor": range(1, 1001)})
    counts = np.bincount(read(many, "price").codes[:, 0])
    assert len(counts) == PRICE_LEVELS + 1
    assert counts[1:].min() > 50


@pytest.mark.parametrize("price", [float("nan"), float("inf")])
def test_a_price_that_is_no_number_is_refused(price: float) -> None:
    items = pd.DataFrame({"item": list("abc"), "price_minor": [100.0, price, 900.0]})
    with pytest.raises(DataError, match=r"price_minor .* row 1 .*Write -1"):
        read(items, "price")
    assert read(items, "brand").codes.shape == (3, 0)


def test_vectors_that_are_no_numbers_are_refused() -> None:
    vectors = np.ones((3, 4), np.float32)
    vectors[2, 1] = np.nan
    with pytest.raises(DataError, match="title of row 2"):
        principal(vectors, 2)


def test_text_vectors_are_of_unit_length_about_their_mean() -> None:
    vectors = np.random.default_rng(1).normal(size=(50, 8)).astype(np.float32) + 10
    vectors[7] = 0
    found = principal(vectors, 8)
    assert np.allclose(np.linalg.norm(found, axis=1), np.arange(50) != 7, atol=1e-5)
    held = np.delete(vectors, 7, axis=0).astype(np.float64)
    held -= held.mean(axis=0)
    held /= np.linalg.norm(held, axis=1, keepdims=True)
    got = np.delete(found, 7, axis=0)
    np.testing.assert_allclose(got @ got.T, held @ held.T, atol=1e-4)


def test_equal_titles_have_nothing_that_tells_them_apart() -> None:
    assert not principal(np.ones((4, 6), np.float32), 3).any()


def test_an_unknown_kind_of_content_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="Did you mean 'title'"):
        SequenceOptions(content=("titles",))
