"""Guarded casts: text or numbers to canonical types, with a mask of what could not be read.

Nothing is guessed: a value that can mean two things is not read. Times are read by moments.py.
"""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Bools = npt.NDArray[np.bool_]

PLAIN_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
"""A number with a decimal point; engine.py reads by the same pattern."""

_INFINITE = ("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity")
_TRUE = ["true", "1", "1.0", "yes", "y", "t"]
_FALSE = ["false", "0", "0.0", "no", "n", "f"]
_EXACT = 2**53
_ALIKE = (" \u00a0\u202f\u2009", "'\u2019")
"""Characters that one mark between thousands is written with."""


def to_text(column: pd.Series[Any]) -> pd.Series[Any]:
    """Text without surrounding blanks; whole numbers without a decimal point; empty text and nulls are null."""
    if pd.api.types.is_float_dtype(column):
        whole = (column.notna() & (column == np.floor(column)) & (column.abs() < _EXACT)).fillna(value=False)
        text = column.astype("string")
        text[whole] = column[whole].astype("int64").astype("string")
    else:
        text = column.astype("string")
    text = text.str.strip()
    return text.astype(object).where((text.notna() & (text != "")).fillna(value=False), None)


def to_path(column: pd.Series[Any]) -> pd.Series[Any]:
    """Text of a path, levels joined by " > ". JSON lists of levels, or of such lists, are read: of several paths the
    one with the most levels, the first of equals."""
    text = to_text(column)
    listed = text.notna() & text.astype("string").str.startswith("[").fillna(value=False)
    known = {value: _path(value) for value in text[listed].unique()}
    text[listed] = pd.Series([known[value] for value in text[listed]], index=text.index[listed], dtype=object)
    return text


def _path(value: str) -> str | None:
    try:
        found = json.loads(value)
    except ValueError:
        return value
    paths = [one if isinstance(one, list) else found for one in found]
    levels = max(paths, key=len, default=[])
    return " > ".join(str(level).strip() for level in levels) or None


def to_number(
    column: pd.Series[Any], decimal: str = ".", thousands: str | None = None
) -> tuple[pd.Series[Any], Bools]:
    """float64 and which present values were no number.

    "1e3" is 1000 and "inf" infinite; "1_000", "1.5f" and "0x1F" are no numbers. thousands: the mark between them;
    left out it is the point where decimal is "," (so "1.234,5" is 1234.5 and "1.5" no number, for its point stands
    where no thousands end), and else there is none (so "1,234" is no number, for it could be either).
    """
    if pd.api.types.is_numeric_dtype(column):
        return column.astype("Float64").astype("float64"), np.zeros(len(column), bool)
    codes, distinct = pd.factorize(column.astype("string").str.strip())
    text = pd.Series([*distinct, None], dtype="string")
    fits = text.str.fullmatch(number_pattern(decimal, thousands)).fillna(value=False)
    plain = text
    for mark in between(decimal, thousands):
        plain = plain.str.replace(mark, "", regex=False)
    plain = plain.str.replace(decimal, ".", regex=False)
    special = text.str.lower().isin([*_INFINITE, "nan"]).fillna(value=False)
    value = (
        pd.to_numeric(plain.where(fits).where(~special, text), errors="coerce").astype("float64").to_numpy()
    )
    bad = (text.notna() & (text != "") & ~fits & ~special).fillna(value=False).to_numpy(bool)
    return pd.Series(value[codes], index=column.index), bad[codes]


def between(decimal: str, thousands: str | None) -> str:
    """The characters that may stand between thousands: all spaces for a space, both apostrophes for one."""
    mark = ("." if decimal != "." else "") if thousands is None else thousands
    return next((kind for kind in _ALIKE if mark and mark in kind), mark)


def number_pattern(decimal: str, thousands: str | None = None) -> str:
    """The pattern of numbers with these marks; groups between thousands have three digits, and one mark throughout."""
    point, marks = re.escape(decimal), between(decimal, thousands)
    plain = PLAIN_NUMBER if decimal == "." else rf"[+-]?(?:[0-9]+{point}?[0-9]*|{point}[0-9]+)"
    grouped = [rf"[+-]?[0-9]{{1,3}}(?:{re.escape(mark)}[0-9]{{3}})+(?:{point}[0-9]*)?" for mark in marks]
    return "|".join([*grouped, plain])


def to_flag(column: pd.Series[Any]) -> tuple[pd.Series[Any], Bools]:
    """Booleans from bool, 0/1 or true/false, yes/no, t/f, y/n, and which present values were none."""
    text = column.astype("string").str.strip().str.lower()
    value = pd.Series(pd.NA, index=column.index, dtype="boolean")
    value[text.isin(_TRUE).fillna(value=False)] = True
    value[text.isin(_FALSE).fillna(value=False)] = False
    return value, (text.notna() & (text != "") & value.isna()).fillna(value=False).to_numpy(bool)
