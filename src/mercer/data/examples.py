"""Flat labelled examples as they come: the label in its own spelling, and a type for every column.

What a column is follows from its values, unless the data dictionary says it: numbers, yes or no, or categories.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from mercer.brief import ColumnNote, Source
from mercer.data.casts import to_flag, to_number, to_text
from mercer.errors import DataError, nearest

Bools = npt.NDArray[np.bool_]

MISSING = frozenset({"?", "na", "n/a", "nan", "null", "#n/a"})
"""How exports write that a value is not known, in small letters; an empty cell says it too."""

RARE = 0.01
"""A spelling of the label in fewer rows than this share, beside two common ones, is an error of entry."""

MOSTLY = 0.95
"""A column is of numbers when at least this share of its values are; the rest can't be read."""


def to_label(column: pd.Series[Any], source: Source, own: str) -> tuple[pd.Series[Any], Bools]:
    """1.0 where the label is the positive one, 0.0 where it is the other; and which present values were neither.

    `positive` of the source says which it is; without it only spellings of yes and no are read. Case and blanks around
    do not matter. Raises DataError naming the spellings found when they can't be told apart.
    """
    text = to_text(column).astype("string").str.casefold()
    counts = text[text.notna()].value_counts()
    spellings = [str(value) for value in counts.index]
    shown = ", ".join(repr(value) for value in spellings[:6])
    if source.positive is None:
        value, bad = to_flag(column)
        if value.nunique() < 2 or bad.mean() > RARE:
            raise DataError(
                f"{source.source}, column {own!r}: the label is spelled {shown}; which one is positive is not said.",
                remedy="Name it in the brief: data.examples.positive.",
            )
        return value.astype("float64"), bad
    positive = source.positive.strip().casefold()
    if positive not in spellings:
        raise DataError(
            f"{source.source}, column {own!r} never holds the positive label {source.positive!r}.",
            remedy=nearest(positive, spellings),
        )
    others = [value for value in spellings if value != positive]
    common = [value for value in others if counts[value] > RARE * counts.sum()] or others[:1]
    if len(common) != 1:
        raise DataError(
            f"{source.source}, column {own!r}: a label has two spellings, this one has {shown}.",
            remedy="Map the label to two values in the source.",
        )
    label = pd.Series(np.nan, index=column.index)
    label[(text == positive).fillna(value=False)] = 1.0
    label[(text == common[0]).fillna(value=False)] = 0.0
    return label, (text.notna() & label.isna()).fillna(value=False).to_numpy(bool)


def to_column(
    column: pd.Series[Any], note: ColumnNote | None, decimal: str = ".", thousands: str | None = None
) -> tuple[pd.Series[Any], Bools]:
    """A column with one type, float64, boolean or text, and which present values were not of it.

    Left to its values a column of numbers is numeric and one of true and false is boolean (0 and 1 stay numbers);
    everything else is categories.
    """
    text = to_text(column)
    text = text.where(~text.astype("string").str.casefold().isin(MISSING).fillna(value=False), None)
    wanted = None if note is None else note.type
    present = int(text.notna().sum())
    # What is stored as numbers has no decimal mark to mistake.
    stored = is_numeric_dtype(column.dtype) and not is_bool_dtype(column.dtype)
    numbers, _ = to_number(column if stored else text, decimal, thousands)
    numbers = numbers.where(np.isfinite(numbers))
    no_number = text.notna().to_numpy() & numbers.isna().to_numpy()
    if wanted == "number" or (wanted is None and present and no_number.sum() <= (1 - MOSTLY) * present):
        return numbers, no_number
    flags, no_flag = to_flag(text)
    if wanted == "boolean" or (wanted is None and present and not no_flag.any()):
        return flags, no_flag
    return text, np.zeros(len(text), bool)
