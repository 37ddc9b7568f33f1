"""Rows that a query finds in SQLite or PostgreSQL, copied into a CSV file that is then read like any other.

One reading of the database a run: every later step reads the copy, so what was hashed is what was cleaned. The copy
is UTF-8 with a header, commas and doubled quotes. Nothing is written to the database, and no message holds a password
or what a row holds.
"""

from __future__ import annotations

import csv
import hashlib
import re
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from mercer.brief import Source
from mercer.data.files import find_file
from mercer.environment import variable
from mercer.errors import BriefError, DataError, MissingExtraError, UnsupportedError

DIALECT = Source(source="", delimiter=",")
"""How a copy is written, whatever the source says of its files."""

_URL = re.compile(r"^(?:[a-z][a-z0-9+]*://|\$\{\w+\}$)")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql", "postgres", "postgresql+psycopg")
_SETTINGS = (
    "SET TRANSACTION READ ONLY",
    "SET LOCAL DateStyle TO 'ISO, YMD'",
    "SET LOCAL TimeZone TO 'UTC'",
    "SET LOCAL extra_float_digits TO 1",
    # A table that did not change comes in the same order, so that its copy has the same hash.
    "SET LOCAL synchronize_seqscans TO off",
    "SET LOCAL max_parallel_workers_per_gather TO 0",
)
_TELLABLE = ("42", "25", "0A", "54", "57", "53")
"""Classes of SQLSTATE whose message names tables, columns or limits, and never a value."""


def is_database(name: str) -> bool:
    """Whether a source is a database URL, or a variable that holds one."""
    return bool(_URL.match(name))


def copy_name(source: Source) -> str:
    """The file name of a query's copy: of the URL as the brief writes it and the query."""
    said = f"{source.source}\0{source.query}"
    return f"query-{hashlib.sha256(said.encode()).hexdigest()[:32]}.csv"


def copy_rows(source: Source, folders: tuple[Path, ...], into: Path) -> Path:
    """Write what the query finds as a CSV file into a folder; returns the file.

    folders: where a SQLite file is looked for. `${NAME}` in the URL is the environment variable of that name.
    Raises DataError for a source without a query, a server that can't be reached and a query that it refuses;
    BriefError for a variable that is not set; UnsupportedError for other databases; MissingExtraError without psycopg.
    """
    url = expanded(source.source)
    kind = url.split("://")[0]
    if kind not in ("sqlite", *_POSTGRES):
        raise UnsupportedError(
            f"Databases of the kind {kind} can't be read.",
            remedy="Give sqlite:///FILE or postgresql://…, or export the table to Parquet or CSV.",
        )
    query = (source.query or "").strip().rstrip(";")
    if not query:
        raise DataError(
            f"{shown(source.source)} has no query.", remedy="Give `query`: the SQL that selects the table."
        )
    place = into / copy_name(source)
    draft = place.with_suffix(".part")
    if kind == "sqlite":
        _from_sqlite(url.removeprefix(_SQLITE), query, folders, draft)
    else:
        _from_postgres(url, query, draft, shown(source.source))
    return draft.replace(place)


def shown(url: str) -> str:
    """The URL as a message may hold it: without user, password and options."""
    if _VARIABLE.fullmatch(url):
        return url
    parts = urlsplit(_VARIABLE.sub("", url))
    if parts.scheme == "sqlite":
        return url
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def expanded(url: str) -> str:
    """The URL with the value of each variable that it names, quoted as a part of a URL needs.

    A URL that is one variable and nothing else is the variable's value as it is. Raises BriefError.
    """
    whole = _VARIABLE.fullmatch(url)
    if whole is None:
        return _VARIABLE.sub(lambda found: quote(_value(found[1]), safe=""), url)
    value = _value(whole[1])
    if not re.match(r"[a-z][a-z0-9+]*://", value):
        raise BriefError(f"{url} holds no database URL.", remedy="Set it to one such as postgresql://…")
    return value


def _value(name: str) -> str:
    value = variable(name)
    if value is None:
        raise BriefError(
            f"The brief names ${{{name}}}, which is not set.", remedy=f"Set the environment variable {name}."
        )
    return value


def _once(names: list[str], where: str) -> None:
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise DataError(
            f"{where}: the query gives two columns {twice[0]!r}.", remedy="Rename one of them with AS."
        )


def _from_sqlite(name: str, query: str, folders: tuple[Path, ...], place: Path) -> None:
    """Copy from a file, which is opened for reading only."""
    file = find_file(name, folders)
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as database:
            cursor = database.execute(query)
            names = [column[0] for column in cursor.description or ()]
            _once(names, name)
            with place.open("w", encoding="utf-8", newline="") as handle:
                writer = csv.writer(handle, lineterminator="\n")
                writer.writerow(names)
                writer.writerows([_plain(value, name) for value in row] for row in cursor)
    except sqlite3.Error as fault:
        raise DataError(
            f"{name}: SQLite says: {fault}.", remedy="Check the file, and the query in the brief."
        ) from fault


def _plain(value: Any, name: str) -> Any:
    """Text for bytes; a real number that is whole as a whole number, for SQLite makes 17850.0 of such a code."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as fault:
            raise DataError(
                f"{name}: the query gives bytes that are no text.", remedy="Leave the column out."
            ) from fault
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _from_postgres(url: str, query: str, place: Path, where: str) -> None:
    """Copy with COPY, which streams: one statement, so one state of the database, in a transaction that only reads."""
    try:
        import psycopg
    except ImportError as fault:
        raise MissingExtraError("psycopg", "postgres") from fault
    try:
        connection = psycopg.connect(re.sub(r"^[a-z+]+://", "postgresql://", url), connect_timeout=20)
    except psycopg.Error as fault:
        # Not `from fault`: libpq quotes what it could not read, and that may be a piece of a password.
        raise DataError(f"{where}: {_refusal(str(fault))}.", remedy=_REACH) from None
    try:
        with connection, connection.cursor() as cursor, place.open("wb") as handle:
            for setting in _SETTINGS:
                cursor.execute(setting)
            # Asked in the binary protocol, which takes one statement and no more: what follows can only be a query.
            asked = f"SELECT * FROM (\n{query}\n) AS asked LIMIT 0"  # noqa: S608 - the brief's query is what is wanted
            cursor.execute(asked, binary=True)
            _once([column.name for column in cursor.description or ()], where)
            with cursor.copy(f"COPY (\n{query}\n) TO STDOUT (FORMAT csv, HEADER, ENCODING 'UTF8')") as rows:
                for piece in rows:
                    handle.write(piece)
    except psycopg.Error as fault:
        code = fault.sqlstate or ""
        told = fault.diag.message_primary if code[:2] in _TELLABLE else None
        raise DataError(
            f"{where}: PostgreSQL says: {told or 'error ' + (code or 'of the connection')}.",
            remedy="Check the query in the brief: one SELECT, which only reads.",
        ) from None


_REACH = "Check host, port, database and user of the URL; write a password as ${NAME}."


def _refusal(said: str) -> str:
    """Why there is no connection, told without the server's own words."""
    for sign, meaning in (
        ("password authentication failed", "user or password is refused"),
        ("no password supplied", "a password is needed"),
        ("does not exist", "there is no such database or user"),
        ("pg_hba.conf", "the server lets this user or machine in nowhere"),
        ("could not translate host name", "there is no such host"),
        ("failed to resolve host", "there is no such host"),
        ("timeout", "the server does not answer"),
        ("Connection refused", "nobody listens there"),
        ("No such file or directory", "nobody listens there"),
    ):
        if sign in said:
            return meaning
    return "the server can't be reached"
