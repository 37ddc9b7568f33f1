"""Rows of flat columns as a released model reads them: each named, each of its type, nothing guessed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mercer.brief import ColumnNote
from mercer.contracts import FlatColumn
from mercer.data.examples import to_column
from mercer.errors import DamagedError, DataError, nearest

FOLDER = "columns"
"""Folder of a release with one file a target that predicts from flat columns."""


def write_columns(folder: Path, target: str, columns: Sequence[FlatColumn]) -> None:
    """Write `columns/TARGET.json` of a release."""
    (folder / FOLDER).mkdir(exist_ok=True)
    content = [column.to_json() for column in columns]
    (folder / FOLDER / f"{target}.json").write_text(
        json.dumps(content, indent=1, ensure_ascii=False), "utf-8"
    )


def read_columns(folder: Path) -> dict[str, tuple[FlatColumn, ...]]:
    """The columns of every target that predicts from such. Raises DamagedError for a file that holds none."""
    found = {}
    for path in sorted((folder / FOLDER).glob("*.json")):
        try:
            content = json.loads(path.read_text("utf-8"))
            found[path.stem] = tuple(FlatColumn.from_json(one) for one in content)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
            raise DamagedError(
                f"{FOLDER}/{path.name} does not hold columns.", remedy="Build the release again."
            ) from fault
    return found


def typed_frame(
    frame: pd.DataFrame,
    columns: Sequence[FlatColumn],
    *,
    decimal: str = ".",
    thousands: str | None = None,
) -> pd.DataFrame:
    """The columns in their order and types; other columns of `frame` are left out, such as the label.

    Values may be spelled as in the source the model was fitted on (text of a CSV file). A missing value is allowed.
    Raises DataError naming a column that is not there, or the column and row of a value that is not of its type.
    """
    names = [str(name) for name in frame.columns]
    ready: dict[str, pd.Series[Any]] = {}
    for column in columns:
        if column.name not in names:
            raise DataError(
                f"The frame has no column {column.name!r}, which the model reads.",
                remedy=nearest(column.name, names)
                if names
                else "Give a frame with the columns of the source.",
            )
        given = frame.iloc[:, names.index(column.name)].reset_index(drop=True)
        value, bad = to_column(given, ColumnNote(type=column.type), decimal, thousands)
        if bad.any():
            raise DataError(
                f"Column {column.name!r}, row {int(bad.argmax())}: the value is no {column.type}.",
                remedy=f"Give {_legal(column)}, or leave the value empty.",
            )
        ready[column.name] = value.astype("float64") if column.type != "category" else value
    return pd.DataFrame(ready, index=pd.RangeIndex(len(frame)))


def _legal(column: FlatColumn) -> str:
    return {"number": "a number", "boolean": "true or false", "category": "text"}[column.type]


def unseen(frame: pd.DataFrame, columns: Sequence[FlatColumn]) -> list[str]:
    """Columns in which the first row of `frame` holds a category that no model could know: it counts as missing."""
    return [
        column.name
        for column in columns
        if column.type == "category"
        and len(frame)
        and isinstance(frame[column.name].iloc[0], str)
        and frame[column.name].iloc[0] not in column.values
    ]


def meanings(columns: Sequence[FlatColumn]) -> Mapping[str, str]:
    """What the data dictionary says of the columns that it says something of."""
    return {column.name: column.means for column in columns if column.means}
