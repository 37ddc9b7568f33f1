"""The event log: idempotent by event id, and the history of a person as columns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from mercer.errors import ConflictError
from mercer.serving.state.database import Database
from mercer.serving.state.schema import events

_CHUNK = 500
_WRITERS_LOCK = 0x6D657263
_HISTORY = (
    "item",
    "time",
    "known_at",
    "kind",
    "quantity",
    "amount_minor",
    "basket",
    "session",
    "event",
    "origin",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event in the form of the canonical table; times in microseconds, None where unknown.

    known_at: when the shop could know it. request: the answer that it followed from.
    """

    event: str
    user: str
    item: str
    time: int
    known_at: int
    kind: str
    quantity: float | None = 1.0
    amount_minor: int | None = None
    currency: str | None = None
    basket: str | None = None
    session: str | None = None
    channel: str | None = None
    country: str | None = None
    origin: str | None = None
    request: str | None = None

    @property
    def row(self) -> dict[str, Any]:
        """The event as a row of the table, digest included."""
        content = {name: getattr(self, name) for name in FIELDS}
        return {**content, "digest": digest_of(content)}


FIELDS = tuple(Event.__slots__)
_CONTENT = tuple(name for name in FIELDS if name != "known_at")


def digest_of(row: Mapping[str, Any]) -> bytes:
    """16 bytes over an event's content; the time of knowing is left out, for a repeat is known later."""
    content = ascii([row[name] for name in _CONTENT])
    return hashlib.blake2b(content.encode("ascii"), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class Added:
    """How many events were new and how many had been there with the same content."""

    accepted: int
    repeated: int


class EventLog:
    """Events of the online state."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, batch: Sequence[Event]) -> Added:
        """Add a batch, all or none; an event that is there with the same content is not added again.

        Raises ConflictError naming the event whose id is there with other content.
        """
        with self._database.write() as connection:
            return self.add_within(connection, batch)

    def add_within(self, connection: Connection, batch: Sequence[Event]) -> Added:
        """`add` as part of a transaction."""
        if not self._database.is_sqlite:
            # Two batches that share events in another order would wait for each other for ever. SQLite has
            # one writer anyway.
            connection.execute(select(func.pg_advisory_xact_lock(_WRITERS_LOCK)))
        unique: dict[str, dict[str, Any]] = {}
        for row in (event.row for event in batch):
            if unique.setdefault(row["event"], row)["digest"] != row["digest"]:
                raise _conflict(row["event"])
        accepted = 0
        for rows in _chunks(list(unique.values())):
            statement = self._database.insert(events).on_conflict_do_nothing(index_elements=["event"])
            accepted += len(connection.execute(statement.returning(events.c.event), rows).all())
            found = connection.execute(
                select(events.c.event, events.c.digest).where(events.c.event.in_([r["event"] for r in rows]))
            )
            for name, digest in found:
                if bytes(digest) != unique[name]["digest"]:
                    raise _conflict(name)
        return Added(accepted, len(batch) - accepted)

    def history(self, user: str, known_by: int) -> dict[str, list[Any]]:
        """The person's events known at `known_by` (microseconds) as columns, by time and event id.

        `origin_time` is when what a return undoes was bought, None where that is not known.
        """
        statement = (
            select(*(events.c[name] for name in _HISTORY))
            .where(events.c.user == user, events.c.known_at <= known_by)
            .order_by(events.c.time, events.c.event)
        )
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        values = list(zip(*rows, strict=True)) if rows else [()] * len(_HISTORY)
        columns = {name: list(column) for name, column in zip(_HISTORY, values, strict=True)}
        time_of = dict(zip(columns["event"], columns["time"], strict=True))
        return {**columns, "origin_time": [time_of.get(origin) for origin in columns["origin"]]}


def _conflict(event: str) -> ConflictError:
    return ConflictError(
        f"Event {event!r} is there already with other content.",
        remedy="Send a correction under a new id, or the same content again.",
    )


def _chunks(rows: list[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    return (rows[at : at + _CHUNK] for at in range(0, len(rows), _CHUNK))
