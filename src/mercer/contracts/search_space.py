"""Which options of a plug-in are worth searching, and where: declared on the field, read by `tune`.

    class Options(BaseOptions):
        decay: float = searched(0.75, low=0.2, high=1.0, description="weight kept per step of age")
        loss: str = searched("bce", choices=("bce", "softmax"), description="what is minimised")

A field made by pydantic's `Field` alone is never searched. The default is always trial 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field

_KEY = "search"


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Where one option is searched: `choices`, or numbers from low to high, both included.

    log: searched on a logarithmic scale. integer: whole numbers only.
    """

    low: float | None = None
    high: float | None = None
    log: bool = False
    integer: bool = False
    choices: tuple[Any, ...] = ()


def searched(
    default: Any,
    *,
    low: float | None = None,
    high: float | None = None,
    log: bool = False,
    choices: tuple[Any, ...] = (),
    **field: Any,
) -> Any:
    """A pydantic field whose value `tune` may search. `field`: what pydantic's `Field` takes (ge, le, description).

    Raises ValueError unless exactly one of `choices` and `low` with `high` is given, with the default inside.
    """
    if choices:
        if low is not None or high is not None or default not in choices:
            raise ValueError("choices exclude low and high, and hold the default")
    elif low is None or high is None or not low <= default <= high or (log and low <= 0):
        raise ValueError("low and high are both needed, hold the default between them, and are > 0 with log")
    integer = isinstance(default, int) and not isinstance(default, bool)
    space: dict[str, Any] = {
        "low": low,
        "high": high,
        "log": log,
        "integer": integer,
        "choices": list(choices),
    }
    extra: dict[str, Any] = {_KEY: space}
    return Field(default, json_schema_extra=extra, **field)


def search_space(options: type[BaseModel]) -> dict[str, Range]:
    """The searched options of a class by name, in the order they are declared; empty when nothing is."""
    found = {}
    for name, field in options.model_fields.items():
        extra: Any = field.json_schema_extra
        space: Any = extra.get(_KEY) if isinstance(extra, dict) else None
        if space is not None:
            found[name] = Range(**{**space, "choices": tuple(space["choices"])})
    return found
