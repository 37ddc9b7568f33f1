from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.data.casts import to_flag, to_number, to_text


def number(text: str | None, decimal: str = ".") -> float | str | None:
    """The number, None where nothing is said, "bad" where what is said is no number."""
    value, bad = to_number(pd.Series([text], dtype="string"), decimal)
    if bad[0]:
        assert math.isnan(value[0])
        return "bad"
    return None if math.isnan(value[0]) else float(value[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", 12.0), (" 3.50 ", 3.5), (".5", 0.5), ("7.", 7.0), ("-4", -4.0), ("+4", 4.0), ("1e3", 1000.0),
        ("2.5E-1", 0.25), ("inf", math.inf), ("-Infinity", -math.inf), ("nan", None), ("", None), ("   ", None),
        (None, None), ("1_000", "bad"), ("1.5f", "bad"), ("0x1F", "bad"), ("1,5", "bad"), ("1,234", "bad"),
        ("1e9999", "bad"), ("twelve", "bad"), ("£3", "bad"), ("1 000", "bad"), ("--1", "bad"), ("٣", "bad"),
    ],
)  # fmt: skip
def test_a_number_is_read_only_where_it_can_mean_one_thing(text: str | None, expected: object) -> None:
    assert number(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,5", 1.5), ("-0,25", -0.25), (",5", 0.5), ("1.234,5", 1234.5), ("1.234.567", 1_234_567.0), ("12", 12.0),
        ("1.234", 1234.0), ("inf", math.inf), ("1.5", "bad"), ("12.34,5", "bad"), ("1,234,5", "bad"), ("1e3", "bad"),
    ],
)  # fmt: skip
def test_with_a_decimal_comma_points_stand_between_thousands_or_are_wrong(
    text: str, expected: object
) -> None:
    assert number(text, ",") == expected


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_that_python_writes_is_read_back(value: float) -> None:
    assert number(repr(value)) == value


def test_numbers_pass_as_they_are() -> None:
    value, bad = to_number(pd.Series([1, None, 3], dtype="Int64"))
    assert value.tolist()[::2] == [1.0, 3.0]
    assert math.isnan(value[1])
    assert not bad.any()


def test_codes_that_a_null_turned_into_floats_are_whole_again() -> None:
    assert to_text(pd.Series([17850.0, np.nan, 1.5])).tolist() == ["17850", None, "1.5"]


def test_text_is_trimmed_and_blank_is_nothing() -> None:
    assert to_text(pd.Series([" a ", "", "  ", None, "b c"])).tolist() == ["a", None, None, None, "b c"]


def test_flags() -> None:
    value, bad = to_flag(pd.Series(["TRUE", "no", "1", "0.0", " y ", "maybe", "", None]))
    assert value.tolist()[:5] == [True, False, True, False, True]
    assert value.isna().tolist()[5:] == [True, True, True]
    assert bad.tolist() == [False] * 5 + [True, False, False]
