"""The profile of one file, without a brief."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd

from mercer.brief import Source
from mercer.data.profile import outcome
from mercer.data.profile.columns import LEAST_ROWS, ColumnFacts, facts_of, quantiles, shapes
from mercer.data.profile.meaning import as_typed
from mercer.data.profile.page import write
from mercer.data.profile.section import Column, Grid, Page, Section, Tile
from mercer.data.profile.texts import FIRM, said
from mercer.data.profile.texts import grid as finds_grid
from mercer.data.profile.words import count, listed, plural, share
from mercer.data.sources import read_frame
from mercer.errors import DataError

_SQLITE = (".sqlite", ".sqlite3", ".db")


def profile_file(path: Path, out: Path, *, label: str = "", table: str = "") -> None:
    """Write a page about any CSV, Parquet or SQLite file to `out`: types, gaps, quantiles, histograms, likely meaning,
    and what goes with the outcome where there is one.

    label: the column that holds the outcome (left out: guessed). table: which table of a SQLite file (left out: its
    only one). The same file gives the same bytes. Raises DataError for a file that is absent, empty or unreadable,
    UnsupportedError for another kind of file, OutputError when the page can't be written.
    """
    frame = read_frame(source_of(path, table), (path.parent,))
    facts = [facts_of(str(name), frame.iloc[:, at]) for at, name in enumerate(frame.columns)]
    repeated = int(_texts(frame).duplicated().sum())
    page = Page(
        kicker="Profile of a file",
        title=path.name,
        lead=f"{plural(len(frame), 'row')} in {plural(len(facts), 'column')}. What each column could mean is a "
        "guess from its name and values.",
        tiles=_tiles(frame, facts, repeated),
        sections=tuple(
            s
            for s in (
                _columns(facts, repeated),
                outcome.section(facts, label),
                quantiles(facts),
                shapes(facts),
            )
            if s is not None
        ),
        footer="Values are shown only where at least "
        f"{LEAST_ROWS} rows hold them, and never from a column that may hold personal data.",
    )
    write(page, out)


def source_of(path: Path, table: str = "") -> Source:
    """A file as a source; of a SQLite file the table named, or its only one.

    Raises DataError for a table that is not there, and where it holds several and none is named.
    """
    if path.suffix.lower() not in _SQLITE:
        return Source(source=path.name)
    if not path.is_file():
        raise DataError(f"{path.name} is not there.", remedy="Give the path of a file.")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            kept = (
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
            )
            names = [str(row[0]) for row in database.execute(f"{kept} ORDER BY name")]
    except sqlite3.Error as fault:
        raise DataError(f"{path.name} is no SQLite file.", remedy="Export the table to CSV.") from fault
    if table not in names and (table or len(names) != 1):
        asked = f"no table {table!r}" if table else plural(len(names), "table")
        raise DataError(f"{path.name} holds {asked}.", remedy=f"Name one with --table: {listed(names)}.")
    chosen = (table or names[0]).replace('"', '""')
    return Source(source=f"sqlite:///{path.name}", query=f'SELECT * FROM "{chosen}"')  # noqa: S608 - quoted


def _texts(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with lists as texts, so that rows can be compared."""
    nested = [at for at in range(frame.shape[1]) if as_typed(frame.iloc[:200, at])[0] == "list"]
    if not nested:
        return frame
    return pd.concat(
        [frame.iloc[:, at].map(str) if at in nested else frame.iloc[:, at] for at in range(frame.shape[1])],
        axis=1,
    )


def _tiles(frame: pd.DataFrame, facts: list[ColumnFacts], repeated: int) -> tuple[Tile, ...]:
    cells = max(len(frame) * len(facts), 1)
    return (
        Tile(label="rows", value=count(len(frame))),
        Tile(label="columns", value=count(len(facts))),
        Tile(label="cells without a value", value=share(sum(f.n_missing for f in facts), cells)),
        Tile(label="rows equal to an earlier one", value=count(repeated), note=share(repeated, len(frame))),
    )


def _columns(facts: list[ColumnFacts], repeated: int) -> Section:
    gaps = sorted((f for f in facts if f.n_missing), key=lambda f: -f.n_missing)
    finding = (
        f"{plural(len(facts) - len(gaps), 'column')} of {len(facts)} {_have(len(facts) - len(gaps))} no gap"
    )
    if not gaps:
        finding = "No column has a gap"
    if gaps:
        finding += "; most is missing in " + listed(
            [f"{f.name} ({share(f.n_missing, f.n_rows)})" for f in gaps[:3]]
        )
    personal = [said(f.finds, FIRM) for f in facts if f.finds.of(FIRM)]
    unread = [f"{f.name} ({count(f.n_unread)})" for f in facts if f.n_unread > 0]
    notes = [f"Values unlike the rest of their column: {listed(unread)}."] if unread else []
    if repeated:
        notes.append(
            f"{plural(repeated, 'row')} equal an earlier row in every column: exported twice, or lacking an id."
        )
    names = ("missing", "share", "distinct")
    return Section(
        id="columns",
        title="Columns",
        finding=f"{finding}.",
        meaning="To make a brief of it: mercer init FILE, which maps these columns to users, items, times and amounts.",
        watch=f"Texts hold what looks like personal data: {listed(personal)}." if personal else "",
        grids=(
            Grid(
                columns=(
                    Column(name="column"),
                    Column(name="read as"),
                    Column(name="stored as"),
                    Column(name="could be"),
                    *(Column(name=name, align="right") for name in names),
                    Column(name="filled", bar=True),
                ),
                rows=tuple(
                    (
                        f.name,
                        f.kind,
                        f.stored,
                        f.meaning,
                        count(f.n_missing),
                        share(f.n_missing, f.n_rows),
                        count(f.n_distinct),
                        1 - f.n_missing / f.n_rows,
                    )
                    for f in facts
                ),
            ),
            *((finds_grid(found),) if (found := [f.finds for f in facts if f.finds.counts]) else ()),
        ),
        notes=tuple(notes),
    )


def _have(n: int) -> str:
    return "has" if n == 1 else "have"
