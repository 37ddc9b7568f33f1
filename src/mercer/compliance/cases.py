"""Cases in a database: opened once, disposed of once by a role, with a history that only grows.

SQLite (WAL) by default, PostgreSQL by URL. What was disposed is a label that became known when the case was
closed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa

from mercer.compliance.case_records import (
    DISPOSITIONS,
    Case,
    HistoryLine,
    NewCase,
    Status,
    to_datetime,
    to_micros,
)
from mercer.errors import ConflictError, NotFoundError, OutputError, UsageError, nearest

_META = sa.MetaData()

_CASES = sa.Table(
    "cases",
    _META,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(80), nullable=False, unique=True),
    sa.Column("kind", sa.String(40), nullable=False, index=True),
    sa.Column("subject", sa.Text, nullable=False, index=True),
    sa.Column("opened", sa.BigInteger, nullable=False),
    sa.Column("score", sa.Float),
    sa.Column("reasons", sa.Text, nullable=False),
    sa.Column("rule", sa.String(120), nullable=False, index=True),
    sa.Column("disposition", sa.String(40)),
    sa.Column("reviewer_role", sa.String(120)),
    sa.Column("closed", sa.BigInteger),
)

_HISTORY = sa.Table(
    "case_history",
    _META,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("case_number", sa.ForeignKey("cases.number"), nullable=False, index=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("action", sa.String(20), nullable=False),
    sa.Column("disposition", sa.String(40)),
    sa.Column("reviewer_role", sa.String(120)),
    sa.Column("note", sa.Text, nullable=False),
)

ERASED = "erased"
LABEL_COLUMNS = (
    "case", "subject", "rule", "kind", "opened", "score", "disposition", "label", "label_known_at",
    "reviewer_role",
)  # fmt: skip

Lines = list[str]


class CaseStore:
    """Cases at a database URL. Implements `contracts.Erasable`. Stability: callers stable."""

    store = "cases"

    def __init__(self, url: str) -> None:
        """Connect and make the tables where they are missing. url: sqlite:///PATH or postgresql+psycopg://…

        Raises OutputError when the database can't be opened; the message holds no password.
        """
        self._engine = _engine(url)
        try:
            _META.create_all(self._engine)
        except sa.exc.SQLAlchemyError as fault:
            where = self._engine.url.render_as_string(hide_password=True)
            raise OutputError(
                f"The case store {where} can't be opened.", remedy="Check the path or the server."
            ) from fault

    def open(self, cases: Iterable[NewCase] | NewCase) -> list[str]:
        """Open cases; one that is there already (same key) is left as it is. Returns their ids in order."""
        wanted = [cases] if isinstance(cases, NewCase) else list(cases)
        with self._engine.begin() as connection:
            return [self._open(connection, new) for new in wanted]

    def _open(self, connection: sa.Connection, new: NewCase) -> str:
        there = connection.scalar(sa.select(_CASES.c.number).where(_CASES.c.key == new.key))
        if there is not None:
            return _case_id(int(there))
        opened = to_micros(new.opened)
        row = {
            "key": new.key,
            "kind": new.kind,
            "subject": new.subject,
            "opened": opened,
            "score": new.score,
            "reasons": json.dumps([dict(reason) for reason in new.reasons], ensure_ascii=False),
            "rule": new.rule,
        }
        try:
            with connection.begin_nested():
                number = connection.execute(
                    _CASES.insert().values(row).returning(_CASES.c.number)
                ).scalar_one()
        except sa.exc.IntegrityError:
            # Another process opened it since we looked.
            return self._open(connection, new)
        self._note(connection, number, opened, "opened")
        return _case_id(int(number))

    def list(
        self,
        *,
        status: Status | None = None,
        kind: str | None = None,
        rule: str | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Case]:
        """Cases without their history, newest first; every argument narrows the list."""
        query = sa.select(_CASES).order_by(_CASES.c.opened.desc(), _CASES.c.number.desc())
        if status is not None:
            query = query.where(
                _CASES.c.closed.is_(None) if status == "open" else _CASES.c.closed.isnot(None)
            )
        if kind is not None:
            query = query.where(_CASES.c.kind == kind)
        if rule is not None:
            query = query.where(_CASES.c.rule == rule)
        query = query.offset(offset) if limit is None else query.limit(limit).offset(offset)
        with self._engine.connect() as connection:
            return [_case(row) for row in connection.execute(query).mappings()]

    def show(self, case: str) -> Case:
        """One case with its history. Raises NotFoundError."""
        with self._engine.connect() as connection:
            row = self._row(connection, case)
            lines = connection.execute(
                sa.select(_HISTORY).where(_HISTORY.c.case_number == row["number"]).order_by(_HISTORY.c.id)
            ).mappings()
            return _case(row, [_line(line) for line in lines])

    def close(
        self, case: str, disposition: str, reviewer_role: str, at: datetime | int, note: str = ""
    ) -> Case:
        """Dispose of an open case, for good. Returns it with its history.

        Raises NotFoundError for an unknown case, ConflictError for one that is closed, UsageError for a
        disposition that is none of DISPOSITIONS, an empty role, or a time before the case was opened.
        """
        if disposition not in DISPOSITIONS:
            raise UsageError(
                f"{disposition!r} is no disposition.", remedy=nearest(disposition, list(DISPOSITIONS))
            )
        if not reviewer_role.strip():
            raise UsageError("A case is closed by a role.", remedy="Name the role, never a person.")
        closed = to_micros(at)
        with self._engine.begin() as connection:
            row = self._row(connection, case)
            if closed < row["opened"]:
                raise UsageError(f"Case {case} was opened later than that.", remedy="Check the clock.")
            changed = connection.execute(
                _CASES.update()
                .where(_CASES.c.number == row["number"], _CASES.c.closed.is_(None))
                .values(disposition=disposition, reviewer_role=reviewer_role, closed=closed)
            )
            if changed.rowcount != 1:
                raise ConflictError(
                    f"Case {case} is closed already, as {row['disposition']}.",
                    remedy="A disposition is final; open another case.",
                )
            self._note(connection, row["number"], closed, "closed", disposition, reviewer_role, note)
        return self.show(case)

    def labels(self) -> pd.DataFrame:
        """Dispositions as late labels: LABEL_COLUMNS, a row a closed case, ordered by when it was closed.

        label: 1, 0 or missing (DISPOSITIONS). label_known_at: when the case was closed. Erased people are
        left out.
        """
        query = (
            sa.select(_CASES)
            .where(_CASES.c.closed.isnot(None), _CASES.c.subject != ERASED)
            .order_by(_CASES.c.closed, _CASES.c.number)
        )
        with self._engine.connect() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
        frame = pd.DataFrame(
            [
                {**row, "case": _case_id(row["number"]), "label": DISPOSITIONS[row["disposition"]]}
                for row in rows
            ],
            columns=[*LABEL_COLUMNS[:-2], "closed", "reviewer_role"],
        ).rename(columns={"closed": "label_known_at"})
        for column in ("opened", "label_known_at"):
            frame[column] = pd.to_datetime(frame[column].astype("int64"), unit="us").astype("datetime64[us]")
        return frame.astype({"score": "float64", "label": "float64"})[list(LABEL_COLUMNS)]

    def find(self, user: str) -> Lines:
        """Where the person is named: as a subject, or as a word in reasons or notes; one line a place."""
        with self._engine.connect() as connection:
            named = self._named(connection, user)
        return [f"case {_case_id(number)}: {place}" for number, place in named]

    def erase(self, user: str) -> int:
        """Take the person out of every case; returns how many cases were changed.

        What stays is a tombstone: kind, rule, score and dates, subject `erased`, no reasons and no notes.
        """
        with self._engine.begin() as connection:
            numbers = sorted({number for number, _ in self._named(connection, user)})
            for number in numbers:
                connection.execute(
                    _CASES.update()
                    .where(_CASES.c.number == number)
                    .values(subject=ERASED, reasons="[]", key=f"{ERASED}:{_case_id(number)}")
                )
                connection.execute(_HISTORY.update().where(_HISTORY.c.case_number == number).values(note=""))
                self._note(connection, number, to_micros(datetime.now(UTC)), ERASED)
        if numbers:
            self._empty_journal()
        return len(numbers)

    def _empty_journal(self) -> None:
        """What was erased must not stay readable in SQLite's write-ahead log either."""
        if self._engine.dialect.name == "sqlite":
            with self._engine.connect() as connection:
                connection.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))

    def dispose(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _named(self, connection: sa.Connection, user: str) -> Sequence[tuple[int, str]]:
        """(case number, place) of every mention. The word is searched for in Python: ids hold any sign."""
        word = re.compile(rf"(?<!\w){re.escape(user)}(?!\w)")
        found = [
            (int(row.number), "subject")
            for row in connection.execute(sa.select(_CASES.c.number).where(_CASES.c.subject == user))
        ]
        texts = sa.select(_CASES.c.number, _CASES.c.reasons).where(
            _CASES.c.reasons.contains(user, autoescape=True)
        )
        found += [(int(n), "reasons") for n, text in connection.execute(texts) if word.search(text)]
        notes = sa.select(_HISTORY.c.case_number, _HISTORY.c.note).where(
            _HISTORY.c.note.contains(user, autoescape=True)
        )
        found += [(int(n), "a note") for n, text in connection.execute(notes) if word.search(text)]
        return found

    def _row(self, connection: sa.Connection, case: str) -> Any:
        number = case.removeprefix("case-")
        row = None
        if number.isdecimal() and case == _case_id(int(number)):
            query = sa.select(_CASES).where(_CASES.c.number == int(number))
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise NotFoundError(f"No case is called {case!r}.", remedy="List them with: mercer cases list")
        return row

    @staticmethod
    def _note(
        connection: sa.Connection,
        number: int,
        at: int,
        action: str,
        disposition: str | None = None,
        reviewer_role: str | None = None,
        note: str = "",
    ) -> None:
        connection.execute(
            _HISTORY.insert().values(
                case_number=number, at=at, action=action, disposition=disposition,
                reviewer_role=reviewer_role, note=note,
            )
        )  # fmt: skip


def _engine(url: str) -> sa.Engine:
    try:
        parsed = sa.engine.make_url(url)
    except sa.exc.ArgumentError as fault:
        raise UsageError(
            "The case store's URL can't be read.",
            remedy="Write it as sqlite:///PATH or postgresql+psycopg://…",
        ) from fault
    if parsed.get_backend_name() != "sqlite":
        return sa.create_engine(parsed, pool_pre_ping=True)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(parsed, connect_args={"timeout": 30})

    @sa.event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        # What is erased must not stay readable in the file's free pages.
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.close()

    return engine


def _case_id(number: int) -> str:
    return f"case-{number:06d}"


def _case(row: Any, history: Sequence[HistoryLine] = ()) -> Case:
    return Case(
        case=_case_id(row["number"]),
        kind=row["kind"],
        subject=row["subject"],
        opened=to_datetime(row["opened"]),
        score=row["score"],
        reasons=tuple(json.loads(row["reasons"])),
        rule=row["rule"],
        disposition=row["disposition"],
        reviewer_role=row["reviewer_role"],
        closed=None if row["closed"] is None else to_datetime(row["closed"]),
        history=tuple(history),
    )


def _line(row: Any) -> HistoryLine:
    return HistoryLine(
        at=to_datetime(row["at"]),
        action=row["action"],
        disposition=row["disposition"],
        reviewer_role=row["reviewer_role"],
        note=row["note"],
    )
