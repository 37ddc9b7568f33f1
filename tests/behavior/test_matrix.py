"""Frames as matrices."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mercer.behavior.matrix import Encoding
from mercer.contracts.columns import MOST_CATEGORIES
from mercer.errors import DataError


def frame(**columns):
    return pd.DataFrame(
        {k: pd.Series(v, dtype=object if isinstance(v[0], str) else float) for k, v in columns.items()}
    )


def test_columns_that_do_not_vary_are_left_out():
    encoding = Encoding.learn(frame(a=[1, 1], b=[1, np.nan], c=[1, 2], d=["x", "x"]))
    assert encoding.names == ("b", "c")


def test_categories_are_numbered_and_unknown_ones_are_missing():
    encoding = Encoding.learn(frame(shop=["b", "a", "b"] * 5))
    assert encoding.categorical == [0]
    matrix = encoding.matrix(pd.DataFrame({"shop": ["a", "b", "new", None]}))
    assert matrix[:2, 0].tolist() == [0, 1]
    assert np.isnan(matrix[2:, 0]).all()
    assert encoding.text("shop", 1.0) == "b"
    assert encoding.text("shop", np.nan) is None


def test_the_most_frequent_categories_are_kept():
    values = [f"c{number:03d}" for number in range(MOST_CATEGORIES + 5)]
    encoding = Encoding.learn(pd.DataFrame({"c": pd.Series([*values * 5, *values[5:]], dtype=object)}))
    assert encoding.categories["c"] == tuple(values[5:])


def test_a_column_of_ids_is_neither_read_nor_stored():
    encoding = Encoding.learn(frame(a=[1, 2, 3, 4], account=["k1", "k2", "k3", "k4"]))
    assert encoding.names == ("a",)
    assert encoding.categories == {}


def test_a_missing_column_is_named():
    encoding = Encoding.learn(frame(a=[1, 2]))
    with pytest.raises(DataError, match="'a'"):
        encoding.matrix(frame(b=[1, 2]))


def test_it_survives_json():
    encoding = Encoding.learn(frame(a=[1, 2] * 5, s=["x", "y"] * 5))
    assert Encoding.parse(encoding.dump()) == encoding
