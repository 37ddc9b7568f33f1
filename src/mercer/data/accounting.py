"""What became of every row that was read: kept, quarantined or merged, by rule."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Action = Literal["quarantine", "relabel", "redact", "fill", "merge"]


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How many rows a rule acted on, rules that found nothing included."""

    rule: str
    sentence: str
    action: Action
    count: int


@dataclass(frozen=True, slots=True)
class TableCount:
    """kept + quarantined + merged == read, always. merged: rows that repeat the entry of another (items).

    notes: what the source did not say and its content told, such as its encoding or whether the day comes first.
    """

    read: int
    kept: int
    quarantined: int
    merged: int
    rules: tuple[RuleCount, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Accounting:
    """The accounting of every table, as accounting.json holds it (schema 1)."""

    tables: dict[str, TableCount] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"schema": 1, "tables": {name: asdict(count) for name, count in self.tables.items()}}
