"""From a source's own columns to canonical ones, cast with guards."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from mercer.brief import Brief, Source
from mercer.contracts import TABLES
from mercer.contracts.tables import FLAG, TEXT, TIME
from mercer.data.casts import to_number, to_text, to_time
from mercer.data.cleaning import Sheet
from mercer.data.cleaning.repeats import DERIVED
from mercer.errors import DataError, nearest

MINOR_PER_MAJOR = 100

ALSO = {"events": ("price", "amount")}
"""Columns a map may name besides the canonical ones: unit price and amount in major units."""


def mapped(table: str, source: Source, raw: pd.DataFrame, brief: Brief) -> Sheet:
    """The source's rows under canonical names and types; values that can't be read are marked, never guessed.

    Raises DataError naming file, column and the nearest column for a mapped column that is not there, for a needed
    one that nothing maps, and for times without a zone.
    """
    names = _names(table, source, raw)
    sheet = Sheet(table, pd.DataFrame(index=pd.RangeIndex(len(raw))), raw)
    columns: dict[str, Any] = {}
    for canonical, own in names.items():
        columns[canonical] = _cast(table, canonical, own, source, raw[own], sheet)
    for extra in _extras(brief, source, raw, names):
        columns[extra] = raw[extra].to_numpy()
    sheet.frame = pd.DataFrame(columns, index=sheet.frame.index)
    if table == "events":
        _complete_events(sheet, source)
    if "currency" not in sheet.frame and source.currency and "currency" in TABLES[table].column_names:
        sheet.frame["currency"] = source.currency
    return sheet


def _names(table: str, source: Source, raw: pd.DataFrame) -> dict[str, str]:
    """Canonical column -> column of the source."""
    legal = (*TABLES[table].column_names, *ALSO.get(table, ()))
    for canonical, own in source.map.items():
        if canonical not in legal:
            raise DataError(
                f"data.{table}.map: {canonical!r} is no column of {table}.", remedy=nearest(canonical, legal)
            )
        if own not in raw.columns:
            raise DataError(
                f"{source.source} has no column {own!r}.", remedy=nearest(own, map(str, raw.columns))
            )
    names = {name: name for name in legal if name in raw.columns} if not source.map else {}
    names |= source.map
    for column in TABLES[table].columns:
        filled = column.name in ("event", "known_at", "kind")
        if column.required and not column.nullable and column.name not in names and not filled:
            raise DataError(
                f"{source.source}: nothing is mapped to {table}.{column.name} ({column.meaning}).",
                remedy=f"Add it to data.{table}.map. Columns there: {', '.join(map(str, raw.columns))}.",
            )
    return names


def _cast(
    table: str, canonical: str, own: str, source: Source, column: pd.Series[Any], sheet: Sheet
) -> pd.Series[Any]:
    types = {c.name: c.type for c in TABLES[table].columns}
    kind = types.get(canonical, pa.float64())
    if kind == TEXT:
        return to_text(column)
    if kind == TIME:
        value, bad = to_time(column, source.timezone, own)
    elif kind == FLAG:
        value, bad = _flag(column)
    elif pa.types.is_list(kind):
        return column
    else:
        value, bad = to_number(column, source.decimal)
        if bad.all() and len(column):
            raise DataError(
                f"{source.source}, column {own!r}: no value can be read as a number.",
                remedy=f"Map another column to {table}.{canonical}, or give `decimal`.",
            )
        if pa.types.is_integer(kind):
            bad = bad | (value.notna() & np.isfinite(value) & (value != value.round())).to_numpy(bool)
    sheet.unreadable[canonical] = bad
    return value


def _flag(column: pd.Series[Any]) -> tuple[pd.Series[Any], Any]:
    """Booleans from bool, 0/1 or true/false, yes/no, t/f, y/n."""
    text = column.astype("string").str.strip().str.lower()
    true, false = ["true", "1", "1.0", "yes", "y", "t"], ["false", "0", "0.0", "no", "n", "f"]
    value = pd.Series(pd.NA, index=column.index, dtype="boolean")
    value[text.isin(true).fillna(value=False)] = True
    value[text.isin(false).fillna(value=False)] = False
    return value, (text.notna() & (text != "") & value.isna()).to_numpy(bool)


def _extras(brief: Brief, source: Source, raw: pd.DataFrame, names: dict[str, str]) -> list[str]:
    """Columns that the data dictionary names and nothing maps: carried along under their own names."""
    return [
        str(c) for c in raw.columns if str(c) in brief.columns and c not in names.values() and c not in names
    ]


def _complete_events(sheet: Sheet, source: Source) -> None:
    """Fill what a log may leave out: event id, kind, when it was known, and the amount in minor units."""
    frame = sheet.frame
    if "kind" not in frame:
        frame["kind"] = source.kind or "purchase"
    frame["kind"] = frame["kind"].fillna(source.kind or "purchase")
    frame["known_at"] = frame["known_at"].fillna(frame["time"]) if "known_at" in frame else frame["time"]
    if "amount_minor" in frame:
        frame["amount"] = frame["amount_minor"].astype("float64")
        sheet.unreadable.setdefault("amount", sheet.unreadable["amount_minor"])
    elif "price" in frame:
        quantity = frame["quantity"] if "quantity" in frame else 1.0
        frame["amount"] = (frame["price"] * quantity * MINOR_PER_MAJOR).round()
    elif "amount" in frame:
        frame["amount"] = (frame["amount"] * MINOR_PER_MAJOR).round()
    if "event" not in frame:
        frame["event"] = _event_ids(frame)
        frame[DERIVED] = True


def _event_ids(frame: pd.DataFrame) -> pd.Series[Any]:
    """The same id for the same row whatever its place in the file: a hash of its content and, among equal rows,
    its number."""
    content = frame.astype("string").fillna("\x1f")
    joined = content.iloc[:, 0].str.cat([content[c] for c in content.columns[1:]], sep="\x1e")
    digests = [hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=9).hexdigest() for text in joined]
    numbered = pd.Series(digests, index=frame.index)
    occurrence = numbered.groupby(numbered).cumcount()
    return numbered.where(occurrence == 0, numbered + "." + occurrence.astype(str))
