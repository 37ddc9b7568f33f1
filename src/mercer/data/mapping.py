"""From a source's own columns to canonical ones, cast with guards."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mercer.brief import Brief, Source
from mercer.contracts import TABLES
from mercer.contracts.tables import FLAG, TEXT, TIME
from mercer.data.casts import to_flag, to_number, to_path, to_text
from mercer.data.cleaning import Sheet
from mercer.data.cleaning.repeats import DERIVED
from mercer.data.cleaning.sheet import AMOUNT, MONEY
from mercer.data.examples import to_column, to_label
from mercer.data.marks import Marks, find_marks
from mercer.data.moments import to_time
from mercer.data.money import CURRENCY, decimals, signs, unsigned
from mercer.errors import BriefError, DataError, nearest

_MOST = 2.0**62
"""Beyond this a real number is no whole number of 64 bits that anything here counts."""

ALSO: Mapping[str, tuple[str, ...]] = {
    "events": ("price", "amount", "order"),
    "items": ("price",),
    "outcomes": ("amount",),
    "payments": ("amount",),
}
"""Columns a map may name besides the canonical ones: unit price and amount in major units, such as pounds; and
`order`, a whole number that grows along a user's history, for a log that has no times."""

_MINOR = {"events": "amount", "outcomes": "amount", "payments": "amount", "items": "price"}
"""The column in major units that fills a table's minor units."""


def mapped(table: str, source: Source, raw: pd.DataFrame, brief: Brief) -> Sheet:
    """The source's rows under canonical names and types; values that can't be read are marked, never guessed.

    Raises DataError naming file, column and the nearest column for a mapped column that is not there, for a needed
    one that nothing maps, for a column of which no value can be read, and for times without a zone; BriefError for a
    zone or a currency that is not known.
    """
    if source.currency is not None and not re.fullmatch(CURRENCY, source.currency):
        raise BriefError(
            f"data.{table}.currency: {source.currency!r} is no currency.",
            remedy="Use a code of ISO 4217 such as GBP.",
        )
    names = _names(table, source, raw)
    sheet = Sheet(table, pd.DataFrame(index=pd.RangeIndex(len(raw))), raw, own=names)
    numbers = _numbers(table, names, source, raw)
    marks, note = find_marks(numbers, source)
    sheet.notes += [note] if note else []
    columns: dict[str, Any] = {}
    for canonical, own in names.items():
        columns[canonical] = _cast(table, canonical, own, source, marks, numbers.get(own, raw[own]), sheet)
    for extra in _extras(table, brief, raw, names):
        if table == "examples":
            columns[extra], sheet.unreadable[extra] = to_column(
                raw[extra], brief.columns.get(extra), source.decimal, source.thousands
            )
        else:
            columns[extra] = raw[extra].to_numpy()
    sheet.frame = pd.DataFrame(columns, index=sheet.frame.index)
    if table == "events":
        _complete_events(sheet, source)
    if source.currency and "currency" in TABLES[table].column_names:
        sheet.frame["currency"] = _or(sheet.frame.get("currency"), source.currency)
    if table in _MINOR:
        _note_currencies(sheet)
        _minor_units(sheet)
    if table == "events" and "event" not in sheet.frame:
        sheet.frame["event"] = _event_ids(sheet.frame)
        sheet.frame[DERIVED] = True
    if table == "examples" and "unit" not in sheet.frame:
        # By content and not by row number, so that another order of the file names and divides the rows alike.
        sheet.frame["unit"] = _event_ids(sheet.frame)
    sheet.start = sheet.frame
    return sheet


def _names(table: str, source: Source, raw: pd.DataFrame) -> dict[str, str]:
    """Canonical column -> column of the source."""
    legal = (*TABLES[table].column_names, *ALSO.get(table, ()))
    if {"order", "time"} <= source.map.keys():
        raise BriefError(
            f"data.{table}.map names both order and time.",
            remedy="Keep time; order is for logs without times.",
        )
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
    if table == "examples" and source.label is not None:
        if source.label not in raw.columns:
            raise DataError(
                f"{source.source} has no column {source.label!r}.",
                remedy=nearest(source.label, map(str, raw.columns)),
            )
        names["label"] = source.label
    for column in TABLES[table].columns:
        filled = column.name in ("event", "known_at", "kind")
        filled |= table == "events" and column.name == "time" and "order" in names
        filled |= table == "examples" and column.name == "unit"
        filled |= column.name in MONEY and not names.keys().isdisjoint(ALSO.get(table, ()))
        if column.required and not column.nullable and column.name not in names and not filled:
            raise DataError(
                f"{source.source}: nothing is mapped to {table}.{column.name} ({column.meaning}).",
                remedy=f"Add it to data.{table}.map. Columns there: {', '.join(map(str, raw.columns))}.",
            )
    return names


def _kind(table: str, canonical: str) -> pa.DataType:
    """The type of a canonical column, or of one of ALSO."""
    types = {c.name: c.type for c in TABLES[table].columns}
    return types.get(canonical, pa.float64())


def _numbers(
    table: str, names: dict[str, str], source: Source, raw: pd.DataFrame
) -> dict[str, pd.Series[Any]]:
    """The columns of the source that hold numbers, without signs of the source's currency."""
    return {
        own: _unsigned(raw[own], source)
        for canonical, own in names.items()
        if (kind := _kind(table, canonical)) not in (TEXT, TIME, FLAG)
        and not pa.types.is_list(kind)
        and (table, canonical) != ("examples", "label")
    }


def _unsigned(column: pd.Series[Any], source: Source) -> pd.Series[Any]:
    """Numbers without the sign or code of the currency that the source declares, at either end."""
    marks = signs(source.currency)
    if not marks or pd.api.types.is_numeric_dtype(column):
        return column
    codes, distinct = pd.factorize(column.astype("string").str.strip())
    text = unsigned(pd.Series(distinct, dtype="string"), marks)
    return pd.Series(np.array([*text, None], object)[codes], index=column.index)


def _cast(
    table: str,
    canonical: str,
    own: str,
    source: Source,
    marks: Marks,
    column: pd.Series[Any],
    sheet: Sheet,
) -> pd.Series[Any]:
    kind = _kind(table, canonical)
    if kind == TEXT:
        return to_path(column) if canonical == "category" else to_text(column)
    if pa.types.is_list(kind):
        return column
    if (table, canonical) == ("examples", "label"):
        value, sheet.unreadable[canonical] = to_label(column, source, own)
        return value
    if kind == TIME:
        value, bad = to_time(column, source.timezone, own, day_first=source.day_first, notes=sheet.notes)
    elif kind == FLAG:
        value, bad = to_flag(column)
    else:
        value, bad = to_number(column, marks.decimal, marks.thousands)
    if pa.types.is_integer(kind):
        whole = (value == value.round()) & (value.abs() < _MOST)
        bad = bad | (value.notna() & ~whole).to_numpy(bool)
        value = value.where(whole)
    if bad.any() and value.isna().all():
        what = "time" if kind == TIME else "true or false" if kind == FLAG else "number"
        remedy = f"Map another column to {table}.{canonical}"
        raise DataError(
            f"{source.source}, column {own!r}: no value can be read as a {what}.".replace("a true", "true"),
            remedy=f"{remedy}, or give `decimal`, or the `currency` whose sign its values carry."
            if what == "number"
            else f"{remedy}.",
        )
    sheet.unreadable[canonical] = bad
    return value


def _extras(table: str, brief: Brief, raw: pd.DataFrame, names: dict[str, str]) -> list[str]:
    """Columns carried along under their own names: of examples all that nothing maps, else those of them that the data
    dictionary names. Raises DataError where one has the name of a canonical column that another one fills."""
    free = [str(c) for c in raw.columns if c not in names.values() and c not in names]
    if table != "examples":
        return [c for c in free if c in brief.columns]
    taken = [str(c) for c in raw.columns if c in names and c not in names.values()]
    if taken:
        raise DataError(
            f"data.examples: the column {taken[0]!r} has the name that {names[taken[0]]!r} is mapped to.",
            remedy="Rename it in the source.",
        )
    return free


def _complete_events(sheet: Sheet, source: Source) -> None:
    """Fill what a log may leave out: event id, kind, when it was known, and the amount in minor units."""
    frame = sheet.frame
    if "order" in frame:
        # Tables have a time: place n of an order is n microseconds after 1970 began.
        place = frame["order"].where(frame["order"] == frame["order"].round())
        frame["time"] = pd.to_datetime(place, unit="us").astype("datetime64[us]")
        sheet.frame = frame = frame.drop(columns="order")
    if "kind" not in frame:
        frame["kind"] = source.kind or "purchase"
    frame["kind"] = frame["kind"].fillna(source.kind or "purchase")
    frame["known_at"] = frame["known_at"].fillna(frame["time"]) if "known_at" in frame else frame["time"]


def _or(column: pd.Series[Any] | None, value: str) -> Any:
    return value if column is None else column.fillna(value)


def _minor_units(sheet: Sheet) -> None:
    """`amount` in minor units, as the cleaning rules read it: of the column in minor units, else of unit price times
    quantity or of the amount in major units, by the decimals of each row's currency (a yen has none)."""
    frame, major = sheet.frame, _MINOR[sheet.table]
    minor = f"{major}_minor"
    if minor in frame:
        amount = frame[minor]
        sheet.unreadable[AMOUNT] = sheet.unreadable[minor]
    elif "price" in frame:
        amount = frame["price"] * frame.get("quantity", 1.0) * _minor_per_major(frame)
        sheet.unreadable[AMOUNT] = sheet.unreadable["price"]
    elif "amount" in frame:
        amount = frame["amount"] * _minor_per_major(frame)
    else:
        return
    frame[AMOUNT] = amount.round()
    sheet.frame = frame.drop(columns=[c for c in (minor, "price") if c in frame])


def _note_currencies(sheet: Sheet) -> None:
    """Say that amounts of several currencies stand in one table."""
    found = sorted(sheet.frame["currency"].dropna().unique()) if "currency" in sheet.frame else []
    if len(found) > 1:
        named = f"{', '.join(found[:-1][:5])} and {found[-1]}"
        sheet.notes.append(
            f"amounts are in {named}; sums over them add minor units as if they were of one currency, so convert them "
            "in the source where money is to be predicted"
        )


def _minor_per_major(frame: pd.DataFrame) -> Any:
    if "currency" not in frame:
        return 100.0
    known = {code: 10.0 ** decimals(code) for code in frame["currency"].dropna().unique()}
    return frame["currency"].map(known).fillna(100.0).astype("float64")


def _event_ids(frame: pd.DataFrame) -> pd.Series[Any]:
    """The same id for the same row whatever its place in the file: a hash of its content and, among equal rows,
    its number."""
    parts = [_written(frame[name]) for name in frame.columns]
    joined = pc.binary_join_element_wise(*parts, "\x1e", null_handling="replace", null_replacement="\x1f")
    digests = [
        hashlib.blake2b(text.encode("utf-8"), digest_size=9).hexdigest() for text in joined.to_pylist()
    ]
    numbered = pd.Series(digests, index=frame.index)
    again = numbered.duplicated()
    if again.any():
        place = numbered.groupby(numbered).cumcount()
        numbered[again] += "." + place[again].astype(str)
    return numbered


def _written(column: pd.Series[Any]) -> pa.Array:
    try:
        return pa.array(column, from_pandas=True).cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return pa.array(column.astype("string"), pa.string())
