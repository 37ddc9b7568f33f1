"""Base of what travels over HTTP: unknown fields refused, no silent conversion, times with a zone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Wire(BaseModel):
    """A body or a part of one."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _only_text(value: Any) -> Any:
    # Without this, a number would be taken for seconds since 1970.
    if not isinstance(value, str | datetime):
        raise ValueError("a time is ISO 8601 text with a zone, such as 2026-10-01T12:00:00Z")  # noqa: TRY004
    return value


def _no_control(value: str) -> str:
    if any(ord(character) < 32 for character in value):
        raise ValueError("control characters are not allowed")
    return value


Time = Annotated[AwareDatetime, BeforeValidator(_only_text)]
Id = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_no_control)]
Text = Annotated[str, Field(max_length=10_000), AfterValidator(_no_control)]
Whole = Annotated[int, Field(strict=True, ge=-(2**53), le=2**53)]
Yes = Annotated[bool, Field(strict=True)]
Cell = (
    Yes
    | Annotated[int, Field(strict=True, ge=-(2**53), le=2**53)]
    | Annotated[float, Field(strict=True, allow_inf_nan=False)]
    | Annotated[str, Field(strict=True, max_length=10_000), AfterValidator(_no_control)]
    | None
)
"""The value of a flat column: true or false, a number, text, or null where it is not known."""


def micros(time: datetime) -> int:
    """Microseconds since 1970 in UTC, exact."""
    apart = time - _EPOCH
    return (apart.days * 86_400 + apart.seconds) * 1_000_000 + apart.microseconds


def as_time(micros_: int) -> datetime:
    """The aware time of microseconds since 1970 in UTC."""
    from datetime import timedelta

    return _EPOCH + timedelta(microseconds=micros_)
