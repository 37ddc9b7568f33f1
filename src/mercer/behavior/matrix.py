"""Feature frames as matrices: which columns a model reads and how categories are numbered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mercer.contracts import frequent
from mercer.errors import DataError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Encoding:
    """Columns in the order of the matrix; categories: the known values of each column of text."""

    names: tuple[str, ...]
    categories: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def learn(cls, frame: pd.DataFrame) -> Encoding:
        """Columns of `frame` that vary; a value that all rows share, or each row its own text, is left out."""
        names: list[str] = []
        categories: dict[str, tuple[str, ...]] = {}
        for name in frame.columns:
            column = frame[name]
            if column.nunique(dropna=False) < 2:
                continue
            if column.dtype != np.float64:
                known = frequent(column)
                if not known:
                    continue
                categories[name] = known
            names.append(name)
        return cls(tuple(names), categories)

    @property
    def categorical(self) -> list[int]:
        """Positions of the columns of text."""
        return [at for at, name in enumerate(self.names) if name in self.categories]

    def matrix(self, frame: pd.DataFrame) -> Floats:
        """float64, shape (n, len(names)); NaN where missing; a category unknown at the fit is missing.

        Raises DataError naming a column that the fit saw and `frame` lacks.
        """
        values = np.empty((len(frame), len(self.names)))
        for at, name in enumerate(self.names):
            if name not in frame.columns:
                raise DataError(
                    f"Column {name!r}, which the model was fitted on, is missing.",
                    remedy="Give every column of the training examples.",
                )
            values[:, at] = self._numbers(name, frame[name])
        return values

    def text(self, name: str, value: float) -> str | None:
        """The category that `value` of column `name` stands for, or None where it is a number or missing."""
        known = self.categories.get(name)
        return None if known is None or np.isnan(value) else known[int(value)]

    def dump(self) -> dict[str, Any]:
        """JSON content; `Encoding.parse` reads it."""
        return {"names": list(self.names), "categories": {k: list(v) for k, v in self.categories.items()}}

    @classmethod
    def parse(cls, content: dict[str, Any]) -> Encoding:
        """Read what `dump` gave."""
        return cls(tuple(content["names"]), {k: tuple(v) for k, v in content["categories"].items()})

    def _numbers(self, name: str, column: pd.Series[Any]) -> Floats:
        known = self.categories.get(name)
        if known is None:
            return pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        code = {value: float(at) for at, value in enumerate(known)}
        return np.fromiter((code.get(value, np.nan) for value in column), np.float64, len(column))
