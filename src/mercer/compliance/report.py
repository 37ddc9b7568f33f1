"""The gates' report: every finding with its rule, what was accepted, one verdict. Written as gates.json."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from mercer.brief import Acceptance
from mercer.compliance.rules import Rule
from mercer.contracts import Finding

SCHEMA = 1

Verdict = Literal["pass", "fail", "not-assessed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A finding beside its rule.

    accepted: the acceptance that holds for it, if any. note: why an acceptance of the brief does not hold.
    """

    rule: Rule
    finding: Finding
    accepted: Acceptance | None = None
    note: str = ""

    @property
    def blocks(self) -> bool:
        """Whether this finding alone keeps a release from shipping."""
        if self.finding.status == "FAIL":
            return True
        return self.finding.status == "NOT_ASSESSED" and self.accepted is None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport:
    """All findings of a run under the packs of one date."""

    packs_date: date
    jurisdictions: tuple[str, ...]
    judged: tuple[Judged, ...]
    upcoming: tuple[Rule, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings alone."""
        return tuple(entry.finding for entry in self.judged)

    @property
    def verdict(self) -> Verdict:
        """`fail` on any FAIL; else `not-assessed` on any NOT_ASSESSED that is not accepted; else `pass`.

        A report without a single finding is `not-assessed`: a guard that guards nothing is red.
        """
        if any(entry.finding.status == "FAIL" for entry in self.judged):
            return "fail"
        if not self.judged or any(entry.blocks for entry in self.judged):
            return "not-assessed"
        return "pass"

    @property
    def blocking(self) -> tuple[Judged, ...]:
        """Findings that keep the release from shipping, failures first."""
        return tuple(sorted((e for e in self.judged if e.blocks), key=lambda e: e.finding.status != "FAIL"))

    def to_json(self) -> dict[str, Any]:
        """The content of gates.json."""
        counts = Counter(f.status for f in self.findings)
        return {
            "schema": SCHEMA,
            "verdict": self.verdict,
            "packs_date": str(self.packs_date),
            "jurisdictions": list(self.jurisdictions),
            "counts": {name: counts[name] for name in ("PASS", "FAIL", "NOT_APPLICABLE", "NOT_ASSESSED")},
            "findings": [_finding(entry, self.packs_date) for entry in self.judged],
            "upcoming": [
                {"rule": r.id, "title": r.title, "citation": r.citation, "jurisdiction": r.jurisdiction,
                 "effective_from": str(r.effective_from), "verified": r.verified}
                for r in self.upcoming
            ],
            "notice": "Measurements against engineering readings of rules. Nothing here is legal advice.",
        }  # fmt: skip

    def save(self, path: Path) -> None:
        """Write gates.json, whole or not at all."""
        draft = path.with_name(f".{path.name}.draft")
        with draft.open("w", encoding="utf-8") as stream:
            json.dump(self.to_json(), stream, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
            stream.write("\n")
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)


def _finding(entry: Judged, day: date) -> dict[str, Any]:
    rule, finding = entry.rule, entry.finding
    accepted = entry.accepted
    return {
        **asdict(finding),
        "offending": [dict(row) for row in finding.offending],
        "threshold_unit": rule.threshold_unit,
        "title": rule.title,
        "citation": rule.citation,
        "jurisdiction": rule.jurisdiction,
        "effective_from": str(rule.effective_from) if rule.effective_from else None,
        "effective": rule.date_note,
        "review_by": str(rule.review_by),
        "review_due": rule.review_by < day,
        "verified": rule.verified,
        "standing": rule.standing,
        "obligation": rule.obligation,
        "evidence": rule.evidence,
        "source": rule.source,
        "quote": rule.quote.text if rule.quote else None,
        "quote_sha256": rule.quote.sha256 if rule.quote else None,
        "quote_source": f"{rule.quote.source} {rule.quote.paragraph}" if rule.quote else None,
        "accepted": accepted.model_dump(mode="json") if accepted else None,
        "note": entry.note,
        "blocks": entry.blocks,
    }
