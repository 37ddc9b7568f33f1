"""The online state as one object: what serving reads and writes besides the release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, select

from mercer.serving.state.api_keys import ApiKeys
from mercer.serving.state.catalogue import CatalogueState
from mercer.serving.state.database import Database
from mercer.serving.state.event_log import EventLog
from mercer.serving.state.exposures import ExposureLog
from mercer.serving.state.person import Register
from mercer.serving.state.schema import PERSONAL, impressions, meta, requests


class OnlineState:
    """Events, people, catalogue overlay, exposures and keys in one database. Implements `contracts.Erasable`.

    url: as for `Database`. Safe to use from several threads and processes. Stability: callers stable.
    """

    store = "online state"

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self.events = EventLog(self.database)
        self.people = Register(self.database)
        self.catalogue = CatalogueState(self.database)
        self.exposures = ExposureLog(self.database)
        self.keys = ApiKeys(self.database)

    def knows(self, user: str) -> bool:
        """Whether anything is kept of a user."""
        return bool(self.find(user))

    def find(self, user: str) -> list[str]:
        """Where the user is found, one line a table with the number of rows."""
        with self.database.read() as connection:
            counts = {
                table.name: connection.execute(
                    select(func.count()).select_from(table).where(table.c.user == user)
                ).scalar_one()
                for table in PERSONAL
            }
        return [f"{name}, {count} rows" for name, count in counts.items() if count]

    def erase(self, user: str) -> int:
        """Remove every row of the user, answers shown included; returns how many rows went."""
        removed = 0
        with self.database.write() as connection:
            asked = select(requests.c.request).where(requests.c.user == user)
            removed += connection.execute(
                delete(impressions).where(impressions.c.request.in_(asked))
            ).rowcount
            for table in PERSONAL:
                removed += connection.execute(delete(table).where(table.c.user == user)).rowcount
        self.database.scrub()
        return removed

    def held(self, user: str) -> dict[str, list[Mapping[str, Any]]]:
        """Every row kept of the user by table, impressions of their requests included."""
        found: dict[str, list[Mapping[str, Any]]] = {}
        with self.database.read() as connection:
            for table in PERSONAL:
                columns = [c for c in table.c if c.name not in ("number", "digest", "eligible")]
                rows = connection.execute(select(*columns).where(table.c.user == user))
                found[table.name] = [dict(row._mapping) for row in rows]
            asked = select(requests.c.request).where(requests.c.user == user)
            shown = connection.execute(select(impressions).where(impressions.c.request.in_(asked)))
            found["impressions"] = [dict(row._mapping) for row in shown]
        return found

    def remembers(self, name: str) -> str | None:
        """A remark kept under a name, such as the runs that were seeded."""
        with self.database.read() as connection:
            return connection.execute(select(meta.c.value).where(meta.c.name == name)).scalar()

    def close(self) -> None:
        """Close the database's connections."""
        self.database.close()
