"""Where a brief's data are looked for: files in folders, copies of what queries find in databases, or data frames
handed over in Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mercer.brief import Brief, Source
from mercer.contracts import TABLES
from mercer.data.databases import copy_rows, is_database
from mercer.errors import BriefError, DataError, NotFoundError, nearest

DataArgument = Path | str | Mapping[str, pd.DataFrame] | None
"""A folder, frames by canonical table, or nothing: beside the brief."""


@contextmanager
def opened(brief: Brief | Path | str, data: DataArgument) -> Iterator[tuple[Brief, tuple[Path, ...]]]:
    """The brief, and the folders where its files are, in order.

    A folder: that one. Frames: each is written to a Parquet file for as long as the block runs, and stands for the
    table's source; the brief's map, time zone and currency hold for it. Nothing: beside the brief, or data/ there.
    What a query finds in a database is copied once, for as long as the block runs: steps are keyed by the hash of
    the rows that they read.
    Raises NotFoundError for a folder that is not there, BriefError for a table that does not exist, and what
    `copy_rows` raises.
    """
    loaded = brief if isinstance(brief, Brief) else Brief.load(brief)
    with TemporaryDirectory(prefix="mercer-data-") as scratch:
        own = Path(scratch)
        if isinstance(data, Mapping):
            loaded = _with_frames(loaded, data, own)
        folders = (own,) if isinstance(data, Mapping) else _folders(brief, data)
        sources = [*loaded.data.sources.values(), *loaded.rivals.values()]
        queries = [source for source in sources if is_database(source.source)]
        for source in queries:
            copy_rows(source, folders, own)
        yield loaded, (*folders, own) if queries else folders


def _folders(brief: Brief | Path | str, data: Path | str | None) -> tuple[Path, ...]:
    if data is not None:
        if not Path(data).is_dir():
            raise NotFoundError(f"The data folder {data} does not exist.", remedy="Give another with --data.")
        return (Path(data),)
    beside = (Path() if isinstance(brief, Brief) else Path(brief).parent).resolve()
    return (beside, beside / "data")


def _with_frames(brief: Brief, frames: Mapping[str, pd.DataFrame], folder: Path) -> Brief:
    sources: dict[str, Source] = {}
    for table, frame in frames.items():
        if table not in TABLES:
            raise BriefError(f"data: no table is called {table!r}.", remedy=nearest(table, TABLES))
        file = f"{table}.parquet"
        try:
            pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), folder / file)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as fault:
            raise DataError(
                f"data[{table!r}]: a column mixes types that no file can hold.",
                remedy="Give each column one type.",
            ) from fault
        except UnicodeEncodeError as fault:
            raise DataError(
                f"data[{table!r}] holds text that no UTF-8 can hold: bytes were read as if they were text.",
                remedy="Read the file in its own encoding, such as pd.read_csv(..., encoding='cp1252').",
            ) from fault
        known: Source | None = getattr(brief.data, table)
        sources[table] = Source(source=file) if known is None else known.model_copy(update={"source": file})
    return brief.model_copy(update={"data": brief.data.model_copy(update=sources)})
