"""Where a table comes from, and its raw rows as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mercer.brief import Source
from mercer.data.csv_files import read_csv_file, refuse_twins
from mercer.data.databases import DIALECT, copy_name, copy_rows, is_database, shown
from mercer.data.engine import Engine, faults
from mercer.data.files import find_file
from mercer.errors import DataError, UnsupportedError

READABLE = (".csv", ".tsv", ".txt", ".parquet")
_EXACT = 2**53


def find_source(source: Source, folders: tuple[Path, ...]) -> Path | str:
    """The source's file in the first folder that has it; of a database the copy of its rows there, else its URL.

    Raises DataError naming the folders searched and the nearest file there.
    """
    if not is_database(source.source):
        return find_file(source.source, folders)
    copies = (folder / copy_name(source) for folder in folders)
    return next((copy for copy in copies if copy.is_file()), source.source)


def read_frame(
    source: Source,
    folders: tuple[Path, ...],
    engine: Engine | None = None,
    *,
    notes: list[str] | None = None,
) -> pd.DataFrame:
    """The raw rows of a source, in its own columns. CSV and database columns are all text: cleaning casts them with
    guards.

    engine: one that is open already; left out, one is opened for this file. notes: gets a sentence for whatever was
    read off the content because nothing said it, such as the encoding.
    Raises DataError for an empty, truncated or unreadable file, naming it (and the line where one is at fault), and
    for two columns of one name; UnsupportedError for other files and databases; and what databases.copy_rows raises.
    """
    said = notes if notes is not None else []
    with Engine.scratch() if engine is None else nullcontext(engine) as at_work:
        place = find_source(source, folders)
        if is_database(source.source):
            copy = place if isinstance(place, Path) else copy_rows(source, folders, at_work.folder)
            table, name = read_csv_file(copy, DIALECT, at_work, said), shown(source.source)
        else:
            table, name = _file(Path(place), source, at_work, said), Path(place).name
    frame = _frame(table, name)
    if frame.empty:
        raise DataError(f"{name} has a header but no row.", remedy="Export it again with its rows.")
    return frame


class RawRows:
    """Reads the sources of tables in turn, and keeps the rows of one that several tables are taken from until the last
    of them has had it: a catalogue is often taken from the log itself."""

    def __init__(
        self, tables: Sequence[str], sources: Mapping[str, Source], folders: tuple[Path, ...]
    ) -> None:
        self._sources = sources
        self._folders = folders
        self._left = Counter(self._key(table) for table in tables)
        self._kept: dict[tuple[str | None, ...], tuple[pd.DataFrame, tuple[str, ...]]] = {}

    def _key(self, table: str) -> tuple[str | None, ...]:
        source = self._sources[table]
        return source.source, source.query, source.delimiter, source.encoding

    def read(self, table: str, engine: Engine) -> tuple[pd.DataFrame, tuple[str, ...]]:
        """The raw rows of a table's source, not to be changed, and what was read off their content."""
        key = self._key(table)
        self._left[key] -= 1
        found = self._kept.pop(key, None)
        if found is None:
            notes: list[str] = []
            frame = read_frame(self._sources[table], self._folders, engine, notes=notes)
            found = frame.reset_index(drop=True), tuple(notes)
        if self._left[key] > 0:
            self._kept[key] = found
        return found


def _file(place: Path, source: Source, engine: Engine, notes: list[str]) -> pa.Table:
    if place.stat().st_size == 0:
        raise DataError(f"{place.name} is empty.", remedy="Export it again; a table needs a header and rows.")
    suffix = place.suffix.lower()
    if suffix not in READABLE:
        raise UnsupportedError(
            f"{place.name}: {suffix or 'no suffix'} can't be read.",
            remedy=f"Give one of: {', '.join(READABLE)}.",
        )
    return _parquet(place, engine) if suffix == ".parquet" else read_csv_file(place, source, engine, notes)


def _parquet(place: Path, engine: Engine) -> pa.Table:
    try:
        names = pq.read_schema(place).names
        refuse_twins(names, place.name)
        # The engine tells names apart by more than their case; positions keep them as they are.
        return engine.arrow(engine.read(place)).rename_columns(names)
    except faults() as fault:
        if "not valid UTF8" in str(fault):
            # What the engine says holds the value, which may be personal.
            raise DataError(
                f"{place.name} holds text that is not UTF-8.",
                remedy="Export it again with its text as UTF-8, as Parquet wants it.",
            ) from None
        raise DataError(
            f"{place.name} is no whole Parquet file.", remedy="It may be truncated: copy or export it again."
        ) from fault


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
