"""Scored rows: what a run keeps of every model, so that any metric can be computed again later.

Ranking rows are one per judged item of a unit; prediction rows one per entity and cut-off. Neither holds a
model, a feature or a text.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mercer.errors import DamagedError, DataError

Kind = Literal["ranking", "probability", "amount"]

REPEAT, FOLD = "repeat", "fold"
"""Columns that folds add: which division of the units a row belongs to (from 1), and the fold's name, "2.4"."""

SEED = "seed"
"""Column that several seeds add: which seed the model was fitted with whose answer a row holds."""

SLICE = "slice_"
"""Prefix of slice columns: `slice_history` holds "new" or "old"."""

RANKING_COLUMNS = ("unit", "cluster", "item", "grade", "rank")
LIST_COLUMNS = ("unit", "position", "item", "score", "bits")
PREDICTION_COLUMNS = ("unit", "cluster", "as_of", "value", "low", "high", "outcome", "weight")


@dataclass(frozen=True, kw_only=True)
class Scored:
    """The scored rows of one model on one held-out set.

    rows, for a ranking: RANKING_COLUMNS, one row a judged item, `rank` the mid-rank from 1 (inf: a miss);
        for predictions: PREDICTION_COLUMNS, `value`, `low`, `high` and `outcome` in the unit of the target
        (a probability, or minor units of money), `as_of` int64 microseconds. Slice columns follow. Over folds also
        `repeat` and `fold`, with several seeds also `seed`: a unit then has rows in every repeat and for every
        seed, and metrics are means over them.
    lists, for a ranking: LIST_COLUMNS, the first `depth` items of every unit; `bits` is the item's
        self-information, -log2 of its share of the histories.
    n_items: size of the catalogue that was ranked, 0 for predictions.
    depth: how many places `lists` keeps.

    Stability: callers stable; columns may be added, never renamed.
    """

    kind: Kind
    rows: pd.DataFrame
    lists: pd.DataFrame | None = None
    n_items: int = 0
    depth: int = 10

    def __post_init__(self) -> None:
        """Raises DataError when a column is missing."""
        needed = RANKING_COLUMNS if self.kind == "ranking" else PREDICTION_COLUMNS
        _need(self.rows, needed, "Scored rows")
        if self.lists is not None:
            _need(self.lists, LIST_COLUMNS, "Scored lists")

    @cached_property
    def units(self) -> pd.Index:
        """The distinct units, sorted; for predictions one entry a (unit, as_of)."""
        pairs = self.rows[["unit", "as_of"]] if self.kind != "ranking" else None
        names = set(self.text("unit")) if pairs is None else set(pairs.itertuples(index=False, name=None))
        found: pd.Index = pd.Index(sorted(names))
        return found

    @cached_property
    def repeats(self) -> tuple[Scored, ...]:
        """The rows of each seed and each division of the units into folds, apart, in the order they were joined; of
        what was fitted with one seed and divided once, itself. The first is of the seed that ships."""
        found: tuple[Scored, ...] = (self,)
        for column in (SEED, REPEAT):
            found = tuple(part for one in found for part in one._apart(column))
        return found

    @property
    def by_seed(self) -> tuple[Scored, ...]:
        """The rows of each seed, apart, in the order they were joined; of one seed, itself."""
        return self._apart(SEED)

    def fold(self, name: str) -> Scored:
        """The rows of one fold, such as "2.4"."""
        return self._where(FOLD, name)

    def _apart(self, column: str) -> tuple[Scored, ...]:
        values = list(dict.fromkeys(self.rows[column])) if column in self.rows else []
        return tuple(self._where(column, one) for one in values) if len(values) > 1 else (self,)

    def _where(self, column: str, value: object) -> Scored:
        rows = self.rows.loc[self.rows[column] == value].reset_index(drop=True)
        lists = self.lists
        if lists is not None:
            lists = lists.loc[lists[column] == value].reset_index(drop=True)
        return replace(self, rows=rows, lists=lists)

    @cached_property
    def slices(self) -> dict[str, list[str]]:
        """Values that occur, by name of the slice column without its prefix."""
        return {
            str(column).removeprefix(SLICE): sorted(set(self.text(str(column))) - {""})
            for column in self.rows.columns
            if str(column).startswith(SLICE)
        }

    @cached_property
    def clusters(self) -> tuple[npt.NDArray[np.int64], pd.Index]:
        """Cluster of each row as a code, and the names that codes stand for, sorted."""
        return self._coded("cluster")

    @cached_property
    def unit_codes(self) -> npt.NDArray[np.int64]:
        """Position of each row's unit among the sorted unit names; for rankings, in `units`."""
        return self._coded("unit")[0]

    def text(self, column: str) -> npt.NDArray[np.object_]:
        """A column of `rows` as an array of str."""
        if column not in self._texts:
            self._texts[column] = self.rows[column].astype(str).to_numpy(object)
        return self._texts[column]

    @cached_property
    def _texts(self) -> dict[str, npt.NDArray[np.object_]]:
        return {}

    def _coded(self, column: str) -> tuple[npt.NDArray[np.int64], pd.Index]:
        codes, names = pd.factorize(self.text(column), sort=True)
        return codes.astype(np.int64), pd.Index(names)

    def save(self, path: Path) -> None:
        """Write `path` (Parquet) and, beside it, `….lists.parquet`; a folder gets `rows.parquet`."""
        path = _file(path)
        rows = self.rows
        if self.kind != "ranking":
            rows = rows.assign(as_of=pd.to_datetime(rows["as_of"], unit="us"))
        header = {
            "mercer.kind": self.kind,
            "mercer.n_items": str(self.n_items),
            "mercer.depth": str(self.depth),
        }
        _write(rows, path, header)
        if self.lists is not None:
            _write(self.lists, _lists_path(path), header)

    @classmethod
    def load(cls, path: Path) -> Scored:
        """Read what `save` wrote. Raises DamagedError when the file is missing, damaged or another kind."""
        path = _file(path)
        try:
            table = pq.read_table(path)
            header = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
            lists = pq.read_table(_lists_path(path)).to_pandas() if _lists_path(path).is_file() else None
            kind, n_items, depth = (header[f"mercer.{name}"] for name in ("kind", "n_items", "depth"))
        except (OSError, KeyError, pa.ArrowException) as fault:
            raise DamagedError(
                f"{path.name} does not hold scored rows.", remedy="Evaluate the model again."
            ) from fault
        if kind not in ("ranking", "probability", "amount"):
            raise DamagedError(f"{path.name} holds scored rows of an unknown kind, {kind!r}.")
        rows = table.to_pandas()
        if kind != "ranking":
            rows["as_of"] = rows["as_of"].astype("datetime64[us]").astype(np.int64)
        return cls(kind=kind, rows=rows, lists=lists, n_items=int(n_items), depth=int(depth))


def _need(frame: pd.DataFrame, columns: tuple[str, ...], what: str) -> None:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise DataError(f"{what} have no column {missing[0]!r}.", remedy=f"Needed: {', '.join(columns)}.")


def _file(path: Path) -> Path:
    return path / "rows.parquet" if path.is_dir() else path


def _lists_path(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".parquet") + ".lists.parquet")


def _write(frame: pd.DataFrame, path: Path, header: dict[str, str]) -> None:
    """Whole or not at all: a sibling first, flushed, then renamed."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), **header})
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    with draft.open("wb") as stream:
        pq.write_table(table, stream)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)
