"""Where a table comes from, and its raw rows as they are."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mercer.brief import Source
from mercer.errors import DataError, UnsupportedError, nearest

_URL = re.compile(r"^[a-z][a-z0-9+]*://")

READABLE = (".csv", ".tsv", ".txt", ".parquet")


def find_source(source: Source, folders: tuple[Path, ...]) -> Path | str:
    """The source's file in the first folder that has it, or its database URL.

    Raises DataError naming the folders searched and the nearest file there.
    """
    if _URL.match(source.source):
        return source.source
    for folder in folders:
        place = folder / source.source
        if place.is_file():
            return place
    there = [
        file.name for folder in folders if folder.is_dir() for file in folder.iterdir() if file.is_file()
    ]
    looked = ", ".join(str(folder) for folder in folders) or "no folder"
    raise DataError(
        f"{source.source}: no such file in {looked}.",
        remedy=nearest(source.source, there) if there else "Give the folder with --data.",
    )


def read_frame(source: Source, folders: tuple[Path, ...]) -> pd.DataFrame:
    """The raw rows of a source, in its own columns. CSV columns are all text: cleaning casts them with guards.

    Raises DataError for an empty, truncated or unreadable file, naming it; UnsupportedError for a database whose
    driver DuckDB would have to download.
    """
    place = find_source(source, folders)
    if isinstance(place, str):
        raise UnsupportedError(
            f"Databases can't be read yet ({place.split('://')[0]}).",
            remedy="Export the table to Parquet or CSV and name the file.",
        )
    if place.stat().st_size == 0:
        raise DataError(f"{place.name} is empty.", remedy="Export it again; a table needs a header and rows.")
    suffix = place.suffix.lower()
    if suffix == ".parquet":
        frame = _parquet(place)
    elif suffix in READABLE:
        frame = _csv(place, source)
    else:
        raise UnsupportedError(
            f"{place.name}: {suffix or 'no suffix'} can't be read.",
            remedy=f"Give one of: {', '.join(READABLE)}.",
        )
    if frame.empty:
        raise DataError(f"{place.name} has a header but no row.", remedy="Export it again with its rows.")
    return frame


def _parquet(place: Path) -> pd.DataFrame:
    try:
        table = pq.read_table(place)
    except (OSError, pa.ArrowException) as fault:
        raise DataError(
            f"{place.name} is no whole Parquet file.", remedy="It may be truncated: copy or export it again."
        ) from fault
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _csv(place: Path, source: Source) -> pd.DataFrame:
    """Every column as text: cleaning casts with guards and says which rows it could not read."""
    from pyarrow import csv

    options = csv.ParseOptions(
        delimiter=source.delimiter or _delimiter(place, source.encoding), newlines_in_values=True
    )
    reading = csv.ReadOptions(encoding=source.encoding)
    try:
        header = csv.open_csv(place, reading, options).schema.names
        twice = {name for name in header if header.count(name) > 1}
        if twice:
            raise DataError(
                f"{place.name}: column {min(twice)!r} is there twice.", remedy="Rename one of them."
            )
        converting = csv.ConvertOptions(
            column_types={name: pa.string() for name in header}, strings_can_be_null=True, null_values=[""]
        )
        table = csv.read_csv(place, reading, options, converting)
    except (pa.ArrowInvalid, UnicodeError, OSError) as fault:
        raise DataError(
            f"{place.name} can't be read as CSV: {str(fault).splitlines()[0][:200]}",
            remedy="Give its delimiter and encoding in the brief, and mend ragged rows.",
        ) from fault
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _delimiter(place: Path, encoding: str) -> str:
    """What separates the names of the header: of comma, semicolon, tab and bar the most frequent there."""
    with place.open(encoding=encoding, errors="replace") as handle:
        header = handle.readline()
    return max(",;\t|", key=header.count)
