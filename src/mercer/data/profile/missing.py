"""Missing values by column of every canonical table."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mercer.contracts import TABLES
from mercer.data.profile.section import Column, Grid, Section
from mercer.data.profile.words import count, listed, share
from mercer.errors import DamagedError

Gap = tuple[str, str, int, int]
"""Table, column, missing values, rows that could have one."""

_LOST = {
    ("items", "text"): "search has titles only to read",
    ("items", "category"): "no list can be varied by category",
    ("items", "price_minor"): "the catalogue has no prices of its own",
    ("items", "available_until"): "every item counts as still on sale",
    ("events", "session"): "visits can't be told apart",
    ("events", "channel"): "channels can't be compared",
}
"""What the brief can't have where a column is empty."""


def missing_values(folder: Path) -> list[Gap]:
    """Every column of every table, from the files' own statistics; the origin of an event is asked of returns only.

    Raises DamagedError for a file that can't be read.
    """
    found = []
    for name in TABLES:
        place = folder / f"{name}.parquet"
        if place.is_file():
            try:
                found += _of_file(name, place)
            except (OSError, pa.ArrowException) as fault:
                raise DamagedError(f"{place.name} can't be read.", remedy="Clean the data again.") from fault
    return found


def _of_file(name: str, place: Path) -> list[Gap]:
    with pq.ParquetFile(place) as file:
        meta, columns = file.metadata, file.schema_arrow.names
        gaps = []
        for column in columns:
            known = [_nulls(meta.row_group(g), column) for g in range(meta.num_row_groups)]
            nulls = sum(n for n in known if n is not None)
            if None in known:
                nulls = file.read(columns=[column]).column(column).null_count
            rows = meta.num_rows
            if (name, column) == ("events", "origin"):
                kind = file.read(columns=["kind"]).column("kind")
                rows = pc.sum(pc.equal(kind, "return")).as_py() or 0
                nulls = max(0, rows - (meta.num_rows - nulls))
            gaps.append((name, column, int(nulls), int(rows)))
        return gaps


def _nulls(group: pq.RowGroupMetaData, column: str) -> int | None:
    """Nulls of a flat column in a row group; None where the file doesn't say."""
    for at in range(group.num_columns):
        chunk = group.column(at)
        if chunk.path_in_schema == column:
            known = chunk.statistics is not None and chunk.statistics.has_null_count
            return int(chunk.statistics.null_count) if known else None
    return None


def section(folder: Path) -> Section | None:
    """Columns with gaps, and those that hold nothing; None for a folder without tables."""
    found = missing_values(folder)
    if not found:
        return None
    empty = [gap for gap in found if gap[2] == gap[3]]
    partly = [gap for gap in found if 0 < gap[2] < gap[3]]
    full = len(found) - len(empty) - len(partly)
    worst = sorted(partly, key=lambda gap: -gap[2] / gap[3])[:3]
    parts = [(full, "no gap"), (len(partly), "some"), (len(empty), "nothing but gaps")]
    said = listed([f"{n} {'has' if n == 1 else 'have'} {what}" for n, what in parts if n])
    finding = f"Of {count(len(found))} columns after cleaning, {said}"
    if worst:
        gaps = [f"{t}.{c} ({share(n, of)})" for t, c, n, of in worst]
        finding += f"; the widest {'gap is' if len(gaps) == 1 else 'gaps are'} in {listed(gaps)}"
    grids = [grid for grid in (_partly(partly), _empty(empty)) if grid.rows]
    watch = "Items have no longer text: search and cold items have titles only to go by."
    return Section(
        id="missing",
        title="Missing values",
        finding=f"{finding}.",
        meaning=_meaning(empty),
        watch=watch if ("items", "text") in {gap[:2] for gap in empty} else "",
        grids=tuple(grids),
    )


def _partly(partly: list[Gap]) -> Grid:
    return Grid(
        columns=(
            Column(name="table"),
            Column(name="column"),
            Column(name="means"),
            Column(name="missing", align="right"),
            Column(name="of", align="right"),
            Column(name="share", align="right"),
            Column(name="", bar=True),
        ),
        rows=tuple((t, c, _means(t, c), count(n), count(of), share(n, of), n / of) for t, c, n, of in partly),
    )


def _empty(empty: list[Gap]) -> Grid:
    return Grid(
        title=f"Columns that hold nothing ({len(empty)})",
        folded=True,
        columns=(Column(name="table"), Column(name="column"), Column(name="would mean")),
        rows=tuple((t, c, _means(t, c)) for t, c, _, _ in empty),
    )


def _means(table: str, column: str) -> str:
    known = {c.name: c.meaning for c in TABLES[table].columns}
    return known.get(column, "a column of your own")


def _meaning(empty: list[Gap]) -> str:
    lost = [why for at, why in _LOST.items() if at in {gap[:2] for gap in empty}]
    if not lost:
        return "A missing value stays missing: models are told so, none is guessed."
    return f"Because columns are empty, {listed(lost)}. A missing value stays missing: none is guessed."
