"""Finding and erasing a person in a folder of files: run folders and the cache."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mercer.errors import DamagedError

Bools = npt.NDArray[np.bool_]

PEOPLE = ("user", "payer", "unit", "cluster", "subject", "entity")
"""Columns of Parquet files that may name a person."""


@dataclass(frozen=True, slots=True)
class Change:
    """A file that erasure changed: its path under the folder, SHA-256 before, and after ("" when it is gone)."""

    path: str
    before: str
    after: str


class FolderStore:
    """An Erasable over every Parquet and JSON file of a folder tree, quarantine included.

    Files are rewritten beside themselves and renamed, so a crash leaves the old file or the new one. Models are
    searched: one that keeps people (`holds_users`) keeps them in such a file. A release refuses it, holds nobody and is
    not searched.
    """

    def __init__(self, folder: Path, store: str) -> None:
        """folder: the tree. store: what it is called in reports."""
        self.folder = folder
        self.store = store
        self.changes: list[Change] = []

    def find(self, user: str) -> list[str]:
        """One line a file that names the user. Raises DamagedError naming a file that can't be read."""
        found: list[str] = []
        if not user.strip():
            return found
        for path in self._parquet():
            hits = int(_hits(_read(path), user).sum())
            if hits:
                found.append(f"{path.relative_to(self.folder)}: {hits} rows")
        for path in self._json():
            hits = sum(_names(entry, user) for entry in _entries(path))
            if hits:
                found.append(f"{path.relative_to(self.folder)}: {hits} entries")
        return found

    def erase(self, user: str) -> int:
        """Remove the user's rows; returns how many. What changed is added to `changes`.

        Raises DamagedError naming a file that can't be read: it may hold the user.
        """
        removed = 0
        if not user.strip():
            return removed
        for path in self._parquet():
            table = _read(path)
            hits = _hits(table, user)
            if hits.any():
                removed += int(hits.sum())
                self._rewrite_table(path, table.filter(pa.array(~hits)))
        for path in self._json():
            entries = _entries(path)
            kept = [entry for entry in entries if not _names(entry, user)]
            if len(kept) < len(entries):
                removed += len(entries) - len(kept)
                self._rewrite_text(path, json.dumps(kept, indent=1))
        return removed

    def _parquet(self) -> Iterator[Path]:
        for path in sorted(self.folder.rglob("*.parquet")):
            if not _skipped(path.relative_to(self.folder)):
                yield path

    def _json(self) -> Iterator[Path]:
        """Lists of entries with a subject, such as the cases of a run."""
        for path in sorted(self.folder.rglob("cases.json")):
            if not _skipped(path.relative_to(self.folder)):
                yield path

    def _rewrite_table(self, path: Path, table: pa.Table) -> None:
        before = _hash(path)
        draft = path.with_name(f".{path.name}.part")
        pq.write_table(table, draft)
        draft.replace(path)
        self._changed(path, before)

    def _rewrite_text(self, path: Path, text: str) -> None:
        before = _hash(path)
        draft = path.with_name(f".{path.name}.part")
        draft.write_text(text, "utf-8")
        draft.replace(path)
        self._changed(path, before)

    def _changed(self, path: Path, before: str) -> None:
        self.changes.append(Change(str(path.relative_to(self.folder)), before, _hash(path)))


_NOT_SEARCHED = frozenset({"release", "encoders", "simulate"})
"""Folders that hold nobody, and the simulated shop's raw files: a source, as a merchant's own files are, which the
suppression list keeps from coming in again."""


def _skipped(path: Path) -> bool:
    return not _NOT_SEARCHED.isdisjoint(path.parts)


def _read(path: Path) -> pa.Table:
    try:
        return _plain_columns(pq.ParquetFile(path).read())
    except (OSError, pa.ArrowException) as fault:
        raise DamagedError(
            f"{path.name} can't be read, so nobody can tell whom it holds.",
            remedy="Remove the file or the run that it belongs to, then forget the person again.",
        ) from fault


def _plain_columns(table: pa.Table) -> pa.Table:
    """Without dictionaries: they would keep the ids of rows that are gone."""
    for at, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(at, field.name, table.column(at).cast(field.type.value_type))
    return table


def _hits(table: pa.Table, user: str) -> Bools:
    """Rows that name the user in a column of people, or, where a quarantined row tells no user, in its source row."""
    hit = np.zeros(table.num_rows, bool)
    for name in PEOPLE:
        if name in table.column_names:
            hit |= _true(pc.equal(_text(table.column(name)), user.strip()))
    if "content" in table.column_names:
        content = _text(table.column("content"))
        quoted = json.dumps(user.strip(), ensure_ascii=False)[1:-1]
        maybe = _true(pc.match_substring(pc.replace_substring(content, "\\/", "/"), quoted))
        if "user" in table.column_names:
            maybe &= ~_true(pc.is_valid(table.column("user")))
        for row in np.flatnonzero(maybe):
            hit[row] |= _content_names(content[int(row)].as_py(), user.strip())
    return hit


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_trim_whitespace(column.cast(pa.string()))


def _true(mask: pa.ChunkedArray) -> Bools:
    return np.asarray(pc.fill_null(mask, fill_value=False).to_numpy(), bool)


def _content_names(text: str, user: str) -> bool:
    try:
        values = json.loads(text).values()
    except (ValueError, AttributeError):
        return user in text
    return any(_plain(value) == user for value in values)


def _plain(value: object) -> str:
    """A value as an id is written: 17850 and 17850.0 are "17850"."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _entries(path: Path) -> list[dict[str, object]]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except ValueError:
        return []
    return [entry for entry in content if isinstance(entry, dict)] if isinstance(content, list) else []


def _names(entry: dict[str, object], user: str) -> bool:
    return any(entry.get(name) == user for name in PEOPLE)


def _hash(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
