"""What a case is, apart from where it is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from mercer.errors import UsageError

Kind = Literal["alert", "adverse-decision", "failed-gate", "law-change"]
Status = Literal["open", "closed"]

DISPOSITIONS: Mapping[str, float | None] = {
    "confirmed": 1.0,
    "upheld": 1.0,
    "dismissed": 0.0,
    "overturned": 0.0,
    "mended": None,
    "inconclusive": None,
}
"""What a person may decide, and the label it becomes: 1 the alert was right, 0 it was not, None neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCase:
    """A case about to be opened.

    occasion: what makes it this case and not another of the same subject and rule: a day, a finding's digest.
    Opening a case with the same kind, subject, rule and occasion twice opens it once.
    """

    kind: Kind
    subject: str
    opened: datetime
    rule: str
    occasion: str
    score: float | None = None
    reasons: tuple[Mapping[str, Any], ...] = ()

    @property
    def key(self) -> str:
        """SHA-256 over kind, subject, rule and occasion."""
        content = json.dumps([self.kind, self.subject, self.rule, self.occasion])
        return hashlib.sha256(content.encode("utf-8")).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` reads them."""
        return {
            "kind": self.kind,
            "subject": self.subject,
            "opened": self.opened.isoformat(),
            "rule": self.rule,
            "occasion": self.occasion,
            "score": self.score,
            "reasons": [dict(reason) for reason in self.reasons],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> NewCase:
        """What `to_json` wrote."""
        opened, reasons = datetime.fromisoformat(content["opened"]), tuple(content["reasons"])
        return cls(**{**content, "opened": opened, "reasons": reasons})


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """One thing that happened to a case. Lines are only ever added."""

    at: datetime
    action: Literal["opened", "closed", "erased"]
    disposition: str | None = None
    reviewer_role: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case with its history, oldest line first."""

    case: str
    kind: str
    subject: str
    opened: datetime
    score: float | None
    reasons: tuple[Mapping[str, Any], ...]
    rule: str
    disposition: str | None
    reviewer_role: str | None
    closed: datetime | None
    history: tuple[HistoryLine, ...] = ()

    @property
    def status(self) -> Status:
        """Open until a person disposes of it."""
        return "open" if self.closed is None else "closed"

    def to_json(self) -> dict[str, Any]:
        """Plain values; times as ISO text in UTC."""
        return {
            "case": self.case,
            "kind": self.kind,
            "subject": self.subject,
            "status": self.status,
            "opened": self.opened.isoformat(),
            "score": self.score,
            "reasons": [dict(reason) for reason in self.reasons],
            "rule": self.rule,
            "disposition": self.disposition,
            "reviewer_role": self.reviewer_role,
            "closed": self.closed.isoformat() if self.closed else None,
            "history": [
                {
                    "at": line.at.isoformat(),
                    "action": line.action,
                    "disposition": line.disposition,
                    "reviewer_role": line.reviewer_role,
                    "note": line.note,
                }
                for line in self.history
            ],
        }


def to_micros(at: datetime | int) -> int:
    """A time as int64 microseconds. Raises UsageError for a datetime without zone."""
    if isinstance(at, int):
        return at
    if at.tzinfo is None:
        raise UsageError("A time without zone was given.", remedy="Give datetimes in UTC.")
    return round(at.timestamp() * 1_000_000)


def to_datetime(at: datetime | int) -> datetime:
    """A time as a datetime in UTC."""
    seconds, micros = divmod(to_micros(at), 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)
