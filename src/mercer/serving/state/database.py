"""A database of the online state: SQLite in WAL mode by default, PostgreSQL where a URL says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.pool import QueuePool

from mercer.errors import DamagedError, MissingExtraError, OutputError, UsageError
from mercer.serving.state.schema import SCHEMA, meta, metadata

_BUSY_MS = 10_000


class Database:
    """An engine with the state's tables. Safe to use from several threads and processes.

    url: SQLAlchemy URL, such as `sqlite:///runs/a/state/mercer.db` or `postgresql+psycopg://…`.
    Raises UsageError for a URL that is none, MissingExtraError without PostgreSQL's driver, OutputError when
    the database can't be opened, DamagedError when it is no database or holds another schema.
    """

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        try:
            self._prepare()
        except (OperationalError, OSError) as fault:
            raise OutputError(
                "The state database can't be opened or written.",
                remedy="Check the state URL, and that its folder exists and can be written.",
            ) from fault
        except DatabaseError as fault:
            raise DamagedError(
                "The state file is no database, or is damaged.", remedy="Restore it, or name another file."
            ) from fault

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads, of one moment."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes; in SQLite it takes the writer's lock at once, so it can't deadlock."""
        with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    def insert(self, table: Any) -> Any:
        """An INSERT of the dialect that knows ON CONFLICT."""
        return (sqlite if self.is_sqlite else postgresql).insert(table)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite."""
        return self.engine.dialect.name == "sqlite"

    def scrub(self) -> None:
        """After an erasure: leave no copy of deleted rows in SQLite's write-ahead log."""
        if self.is_sqlite:
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def _prepare(self) -> None:
        if self.is_sqlite and self.engine.url.database not in (None, "", ":memory:"):
            Path(str(self.engine.url.database)).parent.mkdir(parents=True, exist_ok=True)
        with self.write() as connection:
            metadata.create_all(connection)
            known = connection.execute(select(meta.c.value).where(meta.c.name == "schema")).scalar()
            if known is None:
                statement = self.insert(meta).values(name="schema", value=str(SCHEMA))
                connection.execute(statement.on_conflict_do_nothing())
            elif known != str(SCHEMA):
                raise DamagedError(
                    f"The state database has schema {known}; this mercer reads {SCHEMA}.",
                    remedy="Use the mercer that made it, or name another file.",
                )


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() != "sqlite":
            return create_engine(parsed, pool_pre_ping=True)
    except ArgumentError as fault:
        raise UsageError(
            "The state URL can't be read.", remedy="Give one such as sqlite:///FILE or postgresql+psycopg://…"
        ) from fault
    except ModuleNotFoundError as fault:
        raise MissingExtraError(fault.name or "The database driver", "postgres") from fault
    engine = create_engine(
        parsed, poolclass=QueuePool, pool_size=16, max_overflow=48, connect_args={"check_same_thread": False}
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions of its own: `_on_begin` says which kind.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={_BUSY_MS}",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "secure_delete=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
