"""Where a brief's data are looked for: files in folders, or data frames handed over in Python."""

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
from mercer.errors import BriefError, DataError, NotFoundError, nearest

DataArgument = Path | str | Mapping[str, pd.DataFrame] | None
"""A folder, frames by canonical table, or nothing: beside the brief."""


@contextmanager
def opened(brief: Brief | Path | str, data: DataArgument) -> Iterator[tuple[Brief, tuple[Path, ...]]]:
    """The brief, and the folders where its files are, in order.

    A folder: that one. Frames: each is written to a Parquet file for as long as the block runs, and stands for the
    table's source; the brief's map, time zone and currency hold for it. Nothing: beside the brief, or data/ there.
    Raises NotFoundError for a folder that is not there, BriefError for a table that does not exist.
    """
    loaded = brief if isinstance(brief, Brief) else Brief.load(brief)
    if isinstance(data, Mapping):
        with TemporaryDirectory(prefix="mercer-frames-") as folder:
            yield _with_frames(loaded, data, Path(folder)), (Path(folder),)
        return
    if data is not None:
        if not Path(data).is_dir():
            raise NotFoundError(f"The data folder {data} does not exist.", remedy="Give another with --data.")
        yield loaded, (Path(data),)
        return
    beside = (Path() if isinstance(brief, Brief) else Path(brief).parent).resolve()
    yield loaded, (beside, beside / "data")


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
        known: Source | None = getattr(brief.data, table)
        sources[table] = Source(source=file) if known is None else known.model_copy(update={"source": file})
    return brief.model_copy(update={"data": brief.data.model_copy(update=sources)})
