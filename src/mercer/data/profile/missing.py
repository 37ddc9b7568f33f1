"""Missing values by column of every canonical table."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mercer.contracts import TABLES
from mercer.data.profile.section import Column, Grid, Section
from mercer.data.profile.words import count, listed, share
from mercer.errors import DamagedError

Gap = tuple[str, str, int, int]
"""Table, column, missing values, rows."""


def missing_values(folder: Path) -> list[Gap]:
    """Every column of every table, from the files' own statistics. Raises DamagedError for a file that can't be read."""
    found = []
    for name in TABLES:
        place = folder / f"{name}.parquet"
        if place.is_file():
            found += _of_file(name, place)
    return found


def _of_file(name: str, place: Path) -> list[Gap]:
    try:
        with pq.ParquetFile(place) as file:
            meta, columns = file.metadata, file.schema_arrow.names
            unknown, nulls = [], dict.fromkeys(columns, 0)
            for column in columns:
                got = [_nulls(meta.row_group(g), column) for g in range(meta.num_row_groups)]
                if any(n is None for n in got):
                    unknown.append(column)
                else:
                    nulls[column] = sum(n or 0 for n in got)
            if unknown:
                table = file.read(columns=unknown)
                nulls |= {column: table.column(column).null_count for column in unknown}
            return [(name, column, nulls[column], meta.num_rows) for column in columns]
    except (OSError, pa.ArrowException) as fault:
        raise DamagedError(f"{place.name} can't be read.", remedy="Clean the data again.") from fault


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
    finding = f"Of {count(len(found))} columns after cleaning, {full} have no gap, {len(partly)} have some and {len(empty)} hold nothing"
    if worst:
        finding += "; the widest gaps are in " + listed(
            [f"{t}.{c} ({share(n, of)})" for t, c, n, of in worst]
        )
    rows = [(t, c, _meaning_of(t, c), count(n), share(n, of), n / of) for t, c, n, of in partly]
    grids = []
    if rows:
        grids.append(
            Grid(
                columns=(
                    Column(name="table"), Column(name="column"), Column(name="means"),
                    Column(name="missing", align="right"), Column(name="share", align="right"), Column(name="", bar=True),
                ),
                rows=tuple(rows),
            )
        )  # fmt: skip
    if empty:
        grids.append(
            Grid(
                title=f"Columns that hold nothing ({len(empty)})",
                folded=True,
                columns=(Column(name="table"), Column(name="column"), Column(name="would mean")),
                rows=tuple((t, c, _meaning_of(t, c)) for t, c, _, _ in empty),
            )
        )
    return Section(
        id="missing",
        title="Missing values",
        finding=finding + ".",
        meaning=_meaning(empty),
        grids=tuple(grids),
    )


def _meaning_of(table: str, column: str) -> str:
    known = {c.name: c.meaning for c in TABLES[table].columns}
    return known.get(column, "a column of your own")


_LOST = {
    ("items", "text"): "search has titles only to read",
    ("items", "category"): "no list can be varied by category",
    ("items", "price_minor"): "the catalogue has no prices of its own",
    ("items", "available_until"): "every item counts as still on sale",
    ("events", "session"): "visits can't be told apart",
    ("events", "channel"): "channels can't be compared",
}


def _meaning(empty: list[Gap]) -> str:
    lost = [why for at, why in _LOST.items() if at in {gap[:2] for gap in empty}]
    if not lost:
        return "A missing value stays missing: models are told so, none is guessed."
    return f"Because columns are empty, {listed(lost)}. A missing value stays missing: none is guessed."
