"""The data of a run in the online state, loaded once, so that a served release knows its customers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, select

from mercer.errors import DamagedError
from mercer.serving.state.event_log import FIELDS, digest_of
from mercer.serving.state.online import OnlineState
from mercer.serving.state.schema import consents, events, meta, people

_TABLES = ("events", "users", "consents")
_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Seeded:
    """Rows that were new. again: this data had been loaded before, and nothing was done."""

    events: int = 0
    people: int = 0
    consents: int = 0
    again: bool = False


def seed_from_run(state: OnlineState, run: Path) -> Seeded:
    """Load `run/data/{events,users,consents}.parquet` into the state.

    What the state has already stays as it is: it is newer. Loading the same data again does nothing.
    Raises DamagedError when a table can't be read.
    """
    files = {name: run / "data" / f"{name}.parquet" for name in _TABLES}
    present = {name: file for name, file in files.items() if file.is_file()}
    if not present:
        return Seeded()
    digest = hashlib.sha256()
    for name, file in present.items():
        digest.update(name.encode() + hashlib.sha256(file.read_bytes()).digest())
    mark = f"seed:{digest.hexdigest()}"
    if state.remembers(mark) is not None:
        return Seeded(again=True)
    with state.database.write() as connection:
        counts = {name: _LOADERS[name](state, connection, file) for name, file in present.items()}
        done = state.database.insert(meta).values(name=mark, value="done").on_conflict_do_nothing()
        connection.execute(done)
    return Seeded(counts.get("events", 0), counts.get("users", 0), counts.get("consents", 0))


def _batches(file: Path) -> Iterator[dict[str, list[Any]]]:
    """Rows in columns, times as microseconds."""
    try:
        for batch in pq.ParquetFile(file).iter_batches(_ROWS):
            columns = {}
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                timed = pa.types.is_timestamp(column.type)
                columns[name] = (
                    column.cast(pa.timestamp("us")).cast(pa.int64()) if timed else column
                ).to_pylist()
            yield columns
    except (OSError, pa.ArrowException) as fault:
        raise DamagedError(f"{file.name} can't be read.", remedy="Run mercer again.") from fault


def _load_events(state: OnlineState, connection: Connection, file: Path) -> int:
    added = 0
    statement = state.database.insert(events).on_conflict_do_nothing(index_elements=["event"])
    for columns in _batches(file):
        blank = [None] * len(columns["event"])
        ordered = [columns.get(name, blank) for name in FIELDS]
        rows = [dict(zip(FIELDS, values, strict=True)) for values in zip(*ordered, strict=True)]
        for row in rows:
            row["digest"] = digest_of(row)
        added += _inserted(connection, statement, rows)
    return added


def _load_users(state: OnlineState, connection: Connection, file: Path) -> int:
    added = 0
    for columns in _batches(file):
        blank = [None] * len(columns["user"])
        rows = [
            {"user": user, "jurisdiction": place, "age": age}
            for user, place, age in zip(
                columns["user"], columns.get("jurisdiction", blank), columns.get("age", blank), strict=True
            )
        ]
        statement = state.database.insert(people).on_conflict_do_nothing(index_elements=["user"])
        added += _inserted(connection, statement, rows)
    return added


def _load_consents(_: OnlineState, connection: Connection, file: Path) -> int:
    had = {
        tuple(row)
        for row in connection.execute(
            select(consents.c.user, consents.c.purpose, consents.c.given, consents.c.time)
        )
    }
    added = 0
    for columns in _batches(file):
        entries = zip(columns["user"], columns["purpose"], columns["given"], columns["time"], strict=True)
        rows = [
            dict(zip(("user", "purpose", "given", "time"), entry, strict=True))
            for entry in entries
            if entry not in had
        ]
        if rows:
            connection.execute(consents.insert(), rows)
        added += len(rows)
    return added


_LOADERS = {"events": _load_events, "users": _load_users, "consents": _load_consents}


def _inserted(connection: Connection, statement: Any, rows: list[dict[str, Any]]) -> int:
    if not rows:
        return 0
    # Compiled once and handed to the driver as it is: SQLAlchemy's work a row would take half of the time.
    compiled = statement.compile(dialect=connection.dialect, column_keys=list(rows[0]))
    names = compiled.positiontup
    values: Any = rows if names is None else [tuple(row[name] for name in names) for row in rows]
    return max(0, int(connection.exec_driver_sql(str(compiled), values).rowcount))
