"""What the state knows of a person besides events: age, jurisdiction, consents, objections."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import exists, select

from mercer.serving.state.database import Database
from mercer.serving.state.schema import consents, people

RECOMMENDATION, OBJECTION, OPT_OUT = "recommendation", "objection", "opt-out"
CHILD_AGE = 13
"""Nobody known to be younger is profiled."""


@dataclass(frozen=True, slots=True)
class Consent:
    """An entry of the consents table. time: microseconds, from when it holds."""

    user: str
    purpose: str
    given: bool
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person as the state knows them.

    age: years, None where unknown. consents: in order of time. asks_consent: whether the shop records consent
    to recommendation at all; where it does, nobody is profiled without it.
    """

    jurisdiction: str = ""
    age: int | None = None
    consents: tuple[Consent, ...] = field(default=(), repr=False)
    asks_consent: bool = False

    def latest(self, purpose: str, at: int) -> bool | None:
        """What the latest entry for a purpose at or before `at` says; None where there is none.

        Where two entries carry the same time, the one that protects the person holds.
        """
        protects = purpose in (OBJECTION, OPT_OUT)
        said = [(c.time, c.given == protects) for c in self.consents if c.purpose == purpose and c.time <= at]
        return None if not said else max(said)[1] == protects

    def objects(self, at: int) -> bool:
        """Whether an objection to profiling, or an opt-out, holds at `at`."""
        return bool(self.latest(OBJECTION, at)) or bool(self.latest(OPT_OUT, at))

    def may_be_profiled(self, at: int) -> bool:
        """Whether age and consent allow profiling at `at`."""
        if self.age is not None and self.age < CHILD_AGE:
            return False
        return not self.asks_consent or self.latest(RECOMMENDATION, at) is True

    def may_use(self, times: Sequence[int]) -> list[bool]:
        """Which events of these times may be used: those that consent covered when they happened."""
        if not self.asks_consent:
            return [True] * len(times)
        said = sorted((c.time, not c.given) for c in self.consents if c.purpose == RECOMMENDATION)
        # (t, True) is the last entry of a time t, so that a bisection counts every entry at or before t.
        places = [bisect_right(said, (time, True)) for time in times]
        return [place > 0 and not said[place - 1][1] for place in places]


class Register:
    """People and their consents in the online state."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def person(self, user: str) -> Person:
        """What is known of a user; an empty Person for a stranger."""
        with self._database.read() as connection:
            row = connection.execute(
                select(people.c.jurisdiction, people.c.age).where(people.c.user == user)
            ).first()
            said = connection.execute(
                select(consents.c.purpose, consents.c.given, consents.c.time)
                .where(consents.c.user == user)
                .order_by(consents.c.time, consents.c.number)
            ).all()
            asked = connection.execute(select(exists().where(consents.c.purpose == RECOMMENDATION))).scalar()
        return Person(
            jurisdiction=(row.jurisdiction or "") if row else "",
            age=row.age if row else None,
            consents=tuple(Consent(user, *entry) for entry in said),
            asks_consent=bool(asked),
        )

    def say(self, entries: Sequence[Consent]) -> None:
        """Add entries; they hold from their time on, and earlier ones stay for the record."""
        rows = [
            {"user": entry.user, "purpose": entry.purpose, "given": entry.given, "time": entry.time}
            for entry in entries
        ]
        if rows:
            with self._database.write() as connection:
                connection.execute(consents.insert(), rows)
