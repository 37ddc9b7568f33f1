"""The columns of flat examples: what a model of such a target reads, and what a caller must send."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

ColumnType = Literal["number", "boolean", "category"]

MOST_CATEGORIES = 200
FEWEST_ROWS = 5
"""Rarer categories count as missing: they teach nothing, and a model must not store what may be an id."""


def frequent(values: Iterable[object]) -> tuple[str, ...]:
    """The texts among `values` that a model may know: the most frequent, those of too few rows left out, sorted."""
    counts = Counter(value for value in values if isinstance(value, str))
    common = [value for value, rows in counts.items() if rows >= FEWEST_ROWS]
    return tuple(sorted(sorted(common, key=lambda value: (-counts[value], value))[:MOST_CATEGORIES]))


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatColumn:
    """One column. values: the categories that a model can know (see `frequent`); others count as missing.

    means: what the data dictionary says, "" where it says nothing.
    """

    name: str
    type: ColumnType
    means: str = ""
    values: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {**asdict(self), "values": list(self.values)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> FlatColumn:
        """Read what `to_json` gave. Raises KeyError or TypeError for something else."""
        return cls(
            name=str(content["name"]),
            type=content["type"],
            means=str(content["means"]),
            values=tuple(str(value) for value in content["values"]),
        )
