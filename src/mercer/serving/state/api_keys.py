"""API keys: stored hashed, compared in constant time, each with the scopes it opens.

A key is `mercer_ID_SECRET`. The secret has 256 random bits, so a plain SHA-256 of it can't be searched; a
slow password hash would only slow down every request.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time as clock
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from mercer.errors import UsageError, nearest
from mercer.serving.state.database import Database
from mercer.serving.state.schema import keys

SCOPES: Mapping[str, str] = {
    "answer": "ask for recommendations, search results and predictions",
    "events": "add events",
    "items": "change and withdraw items",
    "consents": "record consents and objections",
    "cases": "read and close cases",
    "metrics": "read metrics",
}
"""What a key may open."""

_PREFIX = "mercer"
_FRESH_SECONDS = 2.0
_NOBODY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Whom a key stands for. name: as given when it was made."""

    id: str
    name: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Stored:
    holder: KeyHolder
    hash: str


class ApiKeys:
    """Keys in the database, kept in memory for two seconds: a revoked key ends within that time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._known: dict[str, _Stored] = {}
        self._read_at = float("-inf")

    def create(self, name: str, scopes: Collection[str], *, time: int) -> str:
        """Make a key and return it, the only time it can be seen. time: microseconds.

        Raises UsageError for an unknown scope.
        """
        for scope in scopes:
            if scope not in SCOPES:
                raise UsageError(f"There is no scope {scope!r}.", remedy=nearest(scope, SCOPES))
        identifier, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        row = {
            "id": identifier,
            "name": name,
            "hash": _hash(secret),
            "scopes": " ".join(sorted(scopes)),
            "created": time,
        }
        with self._database.write() as connection:
            connection.execute(keys.insert(), row)
        self._forget_memory()
        return f"{_PREFIX}_{identifier}_{secret}"

    def revoke(self, name: str, *, time: int) -> int:
        """End every key of a name. Returns how many were ended."""
        statement = keys.update().where(keys.c.name == name, keys.c.revoked.is_(None)).values(revoked=time)
        with self._database.write() as connection:
            ended = connection.execute(statement).rowcount
        self._forget_memory()
        return int(ended)

    def check(self, presented: str) -> KeyHolder | None:
        """Whom a presented key stands for; None when it opens nothing."""
        prefix, _, rest = presented.partition("_")
        identifier, _, secret = rest.partition("_")
        stored = self._stored().get(identifier) if prefix == _PREFIX else None
        # The comparison is made for unknown ids too, so that the time taken tells nothing.
        right = hmac.compare_digest(_hash(secret), stored.hash if stored else _NOBODY)
        return stored.holder if stored and right else None

    def _forget_memory(self) -> None:
        with self._lock:
            self._read_at = float("-inf")

    def _stored(self) -> dict[str, _Stored]:
        now = clock.monotonic()
        if now - self._read_at < _FRESH_SECONDS:
            return self._known
        with self._lock:
            with self._database.read() as connection:
                rows = connection.execute(select(keys).where(keys.c.revoked.is_(None))).all()
            self._known = {
                row.id: _Stored(KeyHolder(row.id, row.name, frozenset(row.scopes.split())), row.hash)
                for row in rows
            }
            self._read_at = now
        return self._known


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
