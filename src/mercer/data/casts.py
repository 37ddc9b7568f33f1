"""Guarded casts: text or numbers to canonical types, with a mask of what could not be read."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.errors import DataError

Bools = npt.NDArray[np.bool_]


def to_text(column: pd.Series[Any]) -> pd.Series[Any]:
    """Text without surrounding blanks; whole numbers without a decimal point; empty text and nulls are null."""
    if pd.api.types.is_float_dtype(column):
        whole = column.notna() & (column == np.floor(column)) & (column.abs() < 2**53)
        text = column.astype("string")
        text[whole] = column[whole].astype("int64").astype("string")
    else:
        text = column.astype("string")
    text = text.str.strip()
    return text.mask(text == "").astype(object).where(text.notna() & (text != ""), None)


def to_number(column: pd.Series[Any], decimal: str = ".") -> tuple[pd.Series[Any], Bools]:
    """float64 and which present values were no number. "1,5" is read with decimal=",", "1e3" and "1_000" are not."""
    if pd.api.types.is_numeric_dtype(column):
        return column.astype("Float64").astype("float64"), np.zeros(len(column), bool)
    text = column.astype("string").str.strip()
    if decimal != ".":
        text = text.str.replace(".", "", regex=False).str.replace(decimal, ".", regex=False)
    plain = text.str.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)").fillna(value=False)
    special = (
        text.str.lower().isin(["inf", "-inf", "+inf", "infinity", "-infinity", "nan"]).fillna(value=False)
    )
    value = pd.to_numeric(text.where(plain | special), errors="coerce").astype("float64")
    present = text.notna() & (text != "")
    return value, (present & ~plain & ~special).to_numpy(bool)


def to_time(column: pd.Series[Any], zone: str | None, name: str) -> tuple[pd.Series[Any], Bools]:
    """datetime64[us] in UTC without zone, and which present values were no time.

    zone: where the column carries none ("UTC", "Europe/London"). A time that a change of clocks makes ambiguous is
    read as the later one, a skipped one as the first after it.
    Raises DataError when the column carries no zone and none is given.
    """
    if pd.api.types.is_datetime64_any_dtype(column):
        return _in_utc(column, zone, name), np.zeros(len(column), bool)
    text = column.astype("string").str.strip()
    present = (text.notna() & (text != "")).to_numpy(bool)
    zoned = text.str.contains(r"(?:Z|[+-]\d{2}:?\d{2})$", regex=True).fillna(value=False).to_numpy(bool)
    parsed = pd.Series(pd.NaT, index=column.index, dtype="datetime64[us]")
    if zoned.any():
        aware = pd.to_datetime(text[zoned], errors="coerce", utc=True, format="mixed")
        parsed[zoned] = aware.dt.tz_convert(None).astype("datetime64[us]")
    naive = ~zoned & present
    if naive.any():
        moment = pd.to_datetime(text[naive], errors="coerce", format="mixed")
        parsed[naive] = _in_utc(moment, zone, name)
    return parsed, present & parsed.isna().to_numpy()


def _in_utc(column: pd.Series[Any], zone: str | None, name: str) -> pd.Series[Any]:
    if getattr(column.dt, "tz", None) is not None:
        return column.dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]")
    if zone is None:
        raise DataError(
            f"Column {name!r}: its times carry no zone.",
            remedy="Give `timezone` in the brief, such as Europe/London or UTC.",
        )
    local = column.dt.tz_localize(
        ZoneInfo(zone), ambiguous=np.zeros(len(column), bool), nonexistent="shift_forward"
    )
    return local.dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]")
