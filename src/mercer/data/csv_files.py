"""CSV as it comes: its encoding, its delimiter, its header, and its rows with every column as text."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections import Counter
from pathlib import Path

import pyarrow as pa

from mercer.brief import Source
from mercer.data.encodings import Found, find_encoding
from mercer.data.engine import Engine, csv_fault, faults
from mercer.errors import DataError

_LONGEST_HEADER = 1_000_000
_PIECE = 1 << 20
_SAMPLE = 65_536
_LOOKED_AT = 20
_DELIMITERS = ",;\t|"
_DECLARED = re.compile(r"sep=(.)\r?\n?")
"""A first line that Excel writes and reads: which character separates."""


def read_csv_file(place: Path, source: Source, engine: Engine, notes: list[str]) -> pa.Table:
    """Every column as text: cleaning casts with guards and says which rows it could not read.

    notes: gets a sentence for what the file did not say and its content told.
    Raises DataError naming the file, and the line where one is at fault.
    """
    name = place.name
    place, declared = _utf8(place, source, engine.folder, notes)
    with place.open(encoding="utf-8-sig", errors="replace", newline="") as handle:
        head = handle.read(_LONGEST_HEADER)
    delimiter = source.delimiter or declared or find_delimiter(head)
    names = _header(head, delimiter)
    refuse_twins(names, name)
    try:
        return engine.arrow(engine.read_csv(place, len(names), delimiter)).rename_columns(names)
    except faults() as fault:
        raise DataError(
            f"{name} can't be read as CSV{csv_fault(fault)}.",
            remedy="Mend that row, or give the file's delimiter and encoding in the brief.",
        ) from fault


def refuse_twins(names: list[str], file: str) -> None:
    """Raises DataError for two columns of one name."""
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise DataError(f"{file}: column {twice[0]!r} is there twice.", remedy="Rename one of them.")


def _utf8(place: Path, source: Source, scratch: Path, notes: list[str]) -> tuple[Path, str | None]:
    """The file itself where it is UTF-8 from its header on, else a copy that is; and the delimiter that its first
    line declares."""
    found = _encoding(place, source)
    if found.note:
        notes.append(found.note)
    encoding = found.encoding
    try:
        with place.open(encoding=encoding, newline="") as inside:
            first = inside.read(len("sep=;\r\n"))
            declared = _DECLARED.match(first)
            if declared is None and encoding in ("utf-8", "utf-8-sig", "ascii"):
                return place, None
            copy = scratch / place.name
            with copy.open("w", encoding="utf-8", newline="") as out:
                out.write(first[declared.end() :] if declared else first)
                while piece := inside.read(_PIECE):
                    out.write(piece)
    except UnicodeError as fault:
        raise DataError(
            f"{place.name} is not written in {source.encoding}.", remedy="Give its `encoding` in the brief."
        ) from fault
    return copy, declared[1] if declared else None


def _encoding(place: Path, source: Source) -> Found:
    """As the brief says; where it says no more than UTF-8, as the file shows."""
    try:
        encoding = codecs.lookup(source.encoding).name
    except LookupError as fault:
        raise DataError(
            f"{place.name}: no encoding is called {source.encoding!r}.",
            remedy="Use utf-8, latin-1, cp1252 or utf-16.",
        ) from fault
    return find_encoding(place) if encoding in ("utf-8", "utf-8-sig", "ascii") else Found(encoding)


def find_delimiter(head: str) -> str:
    """Of comma, semicolon, tab and bar the one that divides the first rows into equally many columns, and into most.

    Where none divides them equally, the one that divides the header into most: a row is then at fault.
    """

    sample = head[:_SAMPLE]

    def fit(delimiter: str) -> tuple[bool, int]:
        rows = csv.reader(io.StringIO(sample), delimiter=delimiter)
        widths = [len(row) for row in itertools.islice(rows, _LOOKED_AT) if row]
        whole = widths[:-1] if len(head) > _SAMPLE else widths
        return widths[0] > 1 and len(set(whole)) == 1, widths[0]

    return max(_DELIMITERS, key=fit)


def _header(head: str, delimiter: str) -> list[str]:
    """The names in the first record."""
    return [name.strip() for name in next(csv.reader(io.StringIO(head), delimiter=delimiter))]
