"""Where a table comes from, and its raw rows as they are."""

from __future__ import annotations

import codecs
import csv
import io
import re
import sqlite3
from collections import Counter
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mercer.brief import Source
from mercer.data.engine import Engine, csv_fault, faults
from mercer.errors import DataError, UnsupportedError, nearest

_URL = re.compile(r"^[a-z][a-z0-9+]*://")
_SQLITE = "sqlite:///"

READABLE = (".csv", ".tsv", ".txt", ".parquet")
_EXACT = 2**53
_LONGEST_HEADER = 1_000_000
_PIECE = 1 << 20


def find_source(source: Source, folders: tuple[Path, ...]) -> Path | str:
    """The source's file in the first folder that has it, or its database URL.

    Raises DataError naming the folders searched and the nearest file there.
    """
    if _URL.match(source.source):
        return source.source
    return _find(source.source, folders)


def _find(name: str, folders: tuple[Path, ...]) -> Path:
    for folder in folders:
        place = folder / name
        if place.is_file():
            return place
    there = [
        file.name for folder in folders if folder.is_dir() for file in folder.iterdir() if file.is_file()
    ]
    looked = ", ".join(str(folder) for folder in folders) or "no folder"
    raise DataError(
        f"{name}: no such file in {looked}.",
        remedy=nearest(name, there) if there else "Give the folder with --data.",
    )


def read_frame(source: Source, folders: tuple[Path, ...], engine: Engine | None = None) -> pd.DataFrame:
    """The raw rows of a source, in its own columns. CSV columns are all text: cleaning casts them with guards.

    engine: one that is open already; left out, one is opened for this file.
    Raises DataError for an empty, truncated or unreadable file, naming it (and the line where one is at fault), and
    for two columns of one name; UnsupportedError for other files and for databases other than SQLite.
    """
    place = find_source(source, folders)
    if isinstance(place, str):
        return _filled(_database(source, folders), source.source)
    if place.stat().st_size == 0:
        raise DataError(f"{place.name} is empty.", remedy="Export it again; a table needs a header and rows.")
    suffix = place.suffix.lower()
    if suffix not in READABLE:
        raise UnsupportedError(
            f"{place.name}: {suffix or 'no suffix'} can't be read.",
            remedy=f"Give one of: {', '.join(READABLE)}.",
        )
    with Engine.scratch() if engine is None else nullcontext(engine) as at_work:
        table = _parquet(place, at_work) if suffix == ".parquet" else _csv(place, source, at_work)
    return _filled(_frame(table, place.name), place.name)


def _filled(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    if frame.empty:
        raise DataError(f"{name} has a header but no row.", remedy="Export it again with its rows.")
    return frame


def _frame(table: pa.Table, name: str) -> pd.DataFrame:
    """As pandas, without what it would change: long whole numbers beside nulls, and text stored as bytes."""
    for at, field in enumerate(table.schema):
        column = table.column(at)
        if pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
            try:
                table = table.set_column(at, field.name, column.cast(pa.string()))
            except pa.ArrowInvalid as fault:
                raise DataError(
                    f"{name}, column {field.name!r} holds bytes that are no text.",
                    remedy="Drop the column or store it as text.",
                ) from fault
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    for at, field in enumerate(table.schema):
        if pa.types.is_integer(field.type) and table.column(at).null_count:
            exact = table.column(at).to_pandas(types_mapper={field.type: pd.Int64Dtype()}.get)
            if (exact.abs() > _EXACT).any():
                frame[field.name] = exact
    return frame


def _once(names: list[str], place: Path) -> None:
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise DataError(f"{place.name}: column {twice[0]!r} is there twice.", remedy="Rename one of them.")


def _parquet(place: Path, engine: Engine) -> pa.Table:
    try:
        names = pq.read_schema(place).names
        _once(names, place)
        # The engine tells names apart by more than their case; positions keep them as they are.
        return engine.arrow(engine.read(place)).rename_columns(names)
    except faults() as fault:
        raise DataError(
            f"{place.name} is no whole Parquet file.", remedy="It may be truncated: copy or export it again."
        ) from fault


def _csv(place: Path, source: Source, engine: Engine) -> pa.Table:
    """Every column as text: cleaning casts with guards and says which rows it could not read."""
    place = _utf8(place, source, engine.folder)
    with place.open(encoding="utf-8-sig", errors="replace", newline="") as handle:
        head = handle.read(_LONGEST_HEADER)
    delimiter = source.delimiter or _delimiter(head)
    names = _header(head, delimiter)
    _once(names, place)
    try:
        return engine.arrow(engine.read_csv(place, len(names), delimiter)).rename_columns(names)
    except faults() as fault:
        what = csv_fault(fault)
        raise DataError(
            f"{place.name} can't be read as CSV{what}.",
            remedy="Mend that row, or give the file's delimiter and encoding in the brief.",
        ) from fault


def _utf8(place: Path, source: Source, scratch: Path) -> Path:
    """The file itself when it is UTF-8, else a copy in UTF-8 under the same name."""
    try:
        encoding = codecs.lookup(source.encoding).name
    except LookupError as fault:
        raise DataError(
            f"{place.name}: no encoding is called {source.encoding!r}.",
            remedy="Use utf-8, latin-1, cp1252 or utf-16.",
        ) from fault
    if encoding in ("utf-8", "utf-8-sig", "ascii"):
        return place
    copy = scratch / place.name
    try:
        with (
            place.open(encoding=encoding, newline="") as inside,
            copy.open("w", encoding="utf-8", newline="") as out,
        ):
            while piece := inside.read(_PIECE):
                out.write(piece)
    except UnicodeError as fault:
        raise DataError(
            f"{place.name} is not written in {source.encoding}.", remedy="Give its `encoding` in the brief."
        ) from fault
    return copy


def _delimiter(head: str) -> str:
    """What separates the names of the header: of comma, semicolon, tab and bar the most frequent there."""
    line = head.split("\n", 1)[0]
    return max(",;\t|", key=line.count)


def _header(head: str, delimiter: str) -> list[str]:
    """The names in the first record."""
    return [name.strip() for name in next(csv.reader(io.StringIO(head), delimiter=delimiter))]


def _database(source: Source, folders: tuple[Path, ...]) -> pd.DataFrame:
    """The rows that a query finds in a SQLite file, which is opened for reading only."""
    if not source.source.startswith(_SQLITE):
        raise UnsupportedError(
            f"Databases of this kind can't be read yet ({source.source.split('://')[0]}).",
            remedy="Export the table to Parquet or CSV and name the file.",
        )
    name = source.source.removeprefix(_SQLITE)
    if not source.query:
        raise DataError(
            f"{source.source} has no query.", remedy="Give `query`: the SQL that selects the table."
        )
    place = _find(name, folders)
    try:
        with closing(sqlite3.connect(f"{place.resolve().as_uri()}?mode=ro", uri=True)) as database:
            cursor = database.execute(source.query)
            names = [column[0] for column in cursor.description or ()]
            _once(names, place)
            rows: list[Any] = cursor.fetchall()
    except sqlite3.Error as fault:
        raise DataError(
            f"{name}: SQLite says: {fault}.", remedy="Check the file, and the query in the brief."
        ) from fault
    return pd.DataFrame(rows, columns=names)
