"""A fact: what a sentence of a narrative may rest on, with the id that the sentence cites."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

Kind = Literal[
    "case", "case-kind", "subject", "rule", "opened", "closed", "disposition", "role", "score", "measured",
    "threshold", "remedy", "rows", "prediction", "interval", "reason", "item", "brand", "price", "history",
    "parameter",
]  # fmt: skip
Unit = Literal["", "days", "count", "share", "ratio", "money", "date"]
Direction = Literal["", "raises", "lowers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One fact.

    id: what sentences cite, such as `f3`. name: what a reader calls it, a noun or a noun phrase. value: a number
    (`money` in minor units of `currency`, `share` as a fraction), a text, a time in UTC, or None where the value
    is missing. direction: which way a reason moves the score or prediction. meaning: more words of the source that
    may be quoted, such as why a parameter matters. required: a narrative without it is incomplete.
    """

    id: str
    kind: Kind
    name: str
    value: float | str | datetime | None
    unit: Unit = ""
    currency: str = ""
    direction: Direction = ""
    meaning: str = ""
    required: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types; a time as ISO text."""
        value = self.value.isoformat() if isinstance(self.value, datetime) else self.value
        return {**asdict(self), "value": value}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Fact:
        """What `to_json` wrote; of a fact whose unit is `date` the value is a time, one without zone in UTC."""
        value = content["value"]
        if content.get("unit") == "date":
            read = datetime.fromisoformat(str(value))
            value = read.replace(tzinfo=UTC) if read.tzinfo is None else read
        elif isinstance(value, int):
            value = float(value)
        return cls(**{**content, "value": value})


def by_id(facts: Iterable[Fact]) -> dict[str, Fact]:
    """The facts by their ids."""
    return {fact.id: fact for fact in facts}
