"""Score a system that mercer did not build from a file of its rankings, under the same protocol."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.contracts import Holdout, Ragged, Rankings
from mercer.errors import DataError, nearest
from mercer.evaluation.midranks import group_mid_ranks
from mercer.evaluation.ranking import check_holdout, list_ranks, ranking_rows
from mercer.evaluation.scored import Scored
from mercer.evaluation.slices import Slices

_UNIT_NAMES = ("unit", "user", "query")
_SHOWN = 5


def score_rankings_file(
    path: Path, holdout: Holdout, *, slices: Slices | None = None, depth: int = 10
) -> Scored:
    """Read a CSV or Parquet file with columns unit (or user, or query), item, and rank or score.

    Raises DataError naming file, column and rows for what can't be scored.
    """
    try:
        if path.suffix.lower() == ".parquet":
            frame = pd.read_parquet(path)
        else:
            frame = pd.read_csv(path, dtype=dict.fromkeys((*_UNIT_NAMES, "item"), str), keep_default_na=False)
    except FileNotFoundError as fault:
        raise DataError(f"{path.name}: no such file.", remedy="Give a CSV or Parquet file.") from fault
    except (OSError, ValueError) as fault:
        raise DataError(
            f"{path.name} can't be read as CSV or Parquet.", remedy="Columns: unit, item, rank (or score)."
        ) from fault
    return score_rankings_frame(frame, holdout, name=path.name, slices=slices, depth=depth)


def score_rankings_frame(
    frame: pd.DataFrame,
    holdout: Holdout,
    *,
    name: str = "rankings",
    slices: Slices | None = None,
    depth: int = 10,
) -> Scored:
    """Score rankings given as a frame, one row an item shown to a unit.

    rank counts from 1, smaller is better; score: larger is better. Items that the protocol rules out
    (history masked, denied, not a candidate) are left out before ranks are counted; ties get the mid-rank;
    items not listed are misses. Units of the holdout that the frame lacks have only misses.
    Row numbers in errors count from 1, the first row of data.
    """
    check_holdout(holdout)
    unit_column = _unit_column(frame, name)
    worth = _worth(frame, name)
    units = {unit: row for row, unit in enumerate(holdout.units)}
    row = np.array([units.get(str(unit), -1) for unit in frame[unit_column]], np.int64)
    item = holdout.requests.items.encode([str(item) for item in frame["item"]]).astype(np.int64)
    _refuse(row < 0, name, unit_column, "not held-out units", "Rank for the units of the test set only.")
    _refuse(item < 0, name, "item", "not in the catalogue", "Use the catalogue's item ids.")
    _refuse(~np.isfinite(worth), name, "rank or score", "not finite numbers", "Leave unranked items out.")
    n_items = len(holdout.requests.items)
    _refuse(
        pd.Series(row * n_items + item).duplicated().to_numpy(bool), name, "item",
        "items given twice to one unit", "Give each item once a unit.",
    )  # fmt: skip
    allowed = _allowed(holdout, row, item)
    answered = _as_rankings(row[allowed], item[allowed], worth[allowed], len(holdout), depth)
    ranks = list_ranks(answered, holdout.relevant)
    lists = Rankings(answered.items[:, :depth], answered.scores[:, :depth])
    return ranking_rows(holdout, ranks, [lists], depth=depth, slices=slices)


def _unit_column(frame: pd.DataFrame, name: str) -> str:
    found = next((column for column in _UNIT_NAMES if column in frame.columns), None)
    if found is None:
        hint = nearest("unit", [str(column) for column in frame.columns] or ["(none)"])
        raise DataError(f"{name} has no column 'unit' (or 'user', or 'query').", remedy=hint)
    if "item" not in frame.columns:
        raise DataError(f"{name} has no column 'item'.", remedy=nearest("item", map(str, frame.columns)))
    return found


def _worth(frame: pd.DataFrame, name: str) -> npt.NDArray[np.float64]:
    """How good each row's place is, larger better."""
    for column, sign in (("rank", -1.0), ("score", 1.0)):
        if column in frame.columns:
            numbers = pd.to_numeric(frame[column], errors="coerce")
            return sign * numbers.to_numpy(np.float64, na_value=np.nan)
    raise DataError(f"{name} has neither a column 'rank' nor 'score'.", remedy="Add one of them.")


def _refuse(bad: npt.NDArray[np.bool_], name: str, column: str, what: str, remedy: str) -> None:
    if bad.any():
        rows = ", ".join(str(at + 1) for at in np.flatnonzero(bad)[:_SHOWN])
        raise DataError(
            f"{name}, column {column!r}: {int(bad.sum())} rows are {what} (first rows: {rows}).",
            remedy=remedy,
        )


def _allowed(
    holdout: Holdout, row: npt.NDArray[np.int64], item: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Which of the listed items the protocol lets a system answer, block by block."""
    allowed = np.zeros(len(row), bool)
    size = max(1, 8_000_000 // max(1, len(holdout.requests.items)))
    for at in range(0, len(holdout), size):
        end = min(at + size, len(holdout))
        inside = np.flatnonzero((row >= at) & (row < end))
        if len(inside):
            eligible = holdout.requests.take(np.arange(at, end)).eligible()
            allowed[inside] = eligible[row[inside] - at, item[inside]]
    return allowed


def _as_rankings(
    row: npt.NDArray[np.int64],
    item: npt.NDArray[np.int64],
    worth: npt.NDArray[np.float64],
    n: int,
    depth: int,
) -> Rankings:
    """Lists padded to the longest; the score kept is minus the mid-rank, exact in float32."""
    order = np.lexsort((item, -worth, row))
    row, item, worth = row[order], item[order], worth[order]
    lists = Ragged(np.searchsorted(row, np.arange(n + 1)).astype(np.int64), item.astype(np.int32))
    width = max(int(lists.lengths.max(initial=0)), depth)
    place = np.arange(len(row)) - lists.indptr[row]
    items = np.full((n, width), -1, np.int32)
    scores = np.full((n, width), -np.inf, np.float32)
    items[row, place] = item
    scores[row, place] = -group_mid_ranks(row, -worth)
    return Rankings(items, scores)
