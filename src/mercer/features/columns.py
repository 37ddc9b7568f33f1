"""Columns of flat examples as features: numbers as float64, everything else as categories of text."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

from mercer.errors import DataError


def flat_features(columns: pd.DataFrame, taken: Collection[str]) -> pd.DataFrame:
    """One feature a column, in the columns' order, rows numbered from 0.

    Numbers and booleans become float64 (infinite values are missing); any other column becomes text, None
    where missing. Raises DataError for a column that has a declared feature's name, that appears twice, or
    that holds times (a time is no feature; its distance to the cut would be).
    """
    names = [str(name) for name in columns.columns]
    for name in names:
        if name in taken or names.count(name) > 1:
            raise DataError(
                f"Column {name!r} has the name of another feature.",
                remedy="Rename it in the brief's mapping.",
            )
    ready = {name: _column(name, columns.iloc[:, at].reset_index(drop=True)) for at, name in enumerate(names)}
    return pd.DataFrame(ready, index=pd.RangeIndex(len(columns)))


def _column(name: str, column: pd.Series) -> pd.Series:
    if is_datetime64_any_dtype(column.dtype):
        raise DataError(
            f"Column {name!r} holds times.",
            remedy="Give a number instead, such as days before the cut, or exclude the column.",
        )
    if is_bool_dtype(column.dtype) or is_numeric_dtype(column.dtype):
        numbers = column.to_numpy(np.float64, na_value=np.nan, copy=True)
        numbers[~np.isfinite(numbers)] = np.nan
        return pd.Series(numbers)
    return pd.Series([None if pd.isna(v) else str(v) for v in column], dtype=object)
