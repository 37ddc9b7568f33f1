"""What every gate has: its rule, when it does not apply, and how a measurement becomes a finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from mercer.compliance.evidence import Evidence
from mercer.compliance.rules import Rule, Stage
from mercer.contracts import Finding, Status

MOST_ROWS = 20
"""A finding shows at most so many offending rows; `measured` gives the whole count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a gate saw.

    examined: how many things were looked at. violations: how many of them break the rule.
    missing: what was not there to be measured; the rule is then not assessed unless something else fails.
    bring: what would let the rule be measured; left out, the rule's own remedy says it.
    """

    examined: int
    violations: int
    measured: float | str
    offending: Sequence[Mapping[str, Any]] = ()
    missing: str = ""
    bring: str = ""
    target: str = ""
    threshold: float | str | None = None

    @property
    def status(self) -> Status:
        """A violation fails even where other things are missing; nothing examined is not assessed."""
        if self.violations:
            return "FAIL"
        return "NOT_ASSESSED" if self.missing or not self.examined else "PASS"


class RuleGate:
    """Base of the gates here. Stability: callers stable, implementers may use it."""

    name: ClassVar[str]
    stage: ClassVar[Stage]

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def check(self, evidence: Evidence) -> Finding:
        """Measure `evidence`; NOT_APPLICABLE where a fact of the brief says so."""
        fact = applicability(self.rule, evidence) or self.inapplicable(evidence)
        if fact:
            return self.finding("NOT_APPLICABLE", examined=0, measured="not measured", because=fact)
        seen = self.measure(evidence)
        return self.finding(
            seen.status,
            examined=seen.examined,
            measured=seen.measured,
            threshold=seen.threshold,
            because=_because(seen),
            target=seen.target,
            remedy=seen.bring if seen.status == "NOT_ASSESSED" else "",
            offending=tuple(seen.offending)[:MOST_ROWS] if seen.status == "FAIL" else (),
        )

    def inapplicable(self, evidence: Evidence) -> str:  # noqa: ARG002 - subclasses read it
        """The brief's fact that makes the rule not apply, or nothing."""
        return ""

    def measure(self, evidence: Evidence) -> Measured:
        """Look at the evidence."""
        raise NotImplementedError

    def finding(
        self,
        status: Status,
        *,
        examined: int,
        measured: float | str,
        threshold: float | str | None = None,
        because: str = "",
        target: str = "",
        remedy: str = "",
        offending: tuple[Mapping[str, Any], ...] = (),
    ) -> Finding:
        """A finding of this gate under its rule."""
        return Finding(
            rule=self.rule.id,
            gate=self.name,
            stage=self.rule.stage,
            status=status,
            examined=examined,
            measured=measured,
            threshold=self.rule.threshold if threshold is None else threshold,
            remedy=remedy or self.rule.remedy,
            because=because,
            target=target,
            offending=offending,
        )

    def number(self, name: str, default: float) -> float:
        """A numeric parameter of the rule. Raises ValueError when the pack gives another type."""
        value = self.rule.parameters.get(name, default)
        if isinstance(value, int | float):
            return float(value)
        raise ValueError(f"rule {self.rule.id}: parameter {name} is no number")

    def words(self, name: str) -> tuple[str, ...]:
        """A parameter of the rule that is a list of words. Raises ValueError for another type."""
        value = self.rule.parameters.get(name, [])
        if isinstance(value, list):
            return tuple(value)
        raise ValueError(f"rule {self.rule.id}: parameter {name} is no list")


def _because(seen: Measured) -> str:
    if seen.missing:
        return seen.missing
    return "There was nothing to examine." if not seen.examined and not seen.violations else ""


def applicability(rule: Rule, evidence: Evidence) -> str:
    """The brief's fact by which the pack itself says that the rule does not apply, or nothing."""
    brief = evidence.brief
    if rule.only_with and rule.only_with not in brief.data.sources and rule.only_with not in evidence.tables:
        return f"data.{rule.only_with} is absent"
    if rule.only_effects:
        effects = {name: target.effect for name, target in evidence.behavior_targets.items()}
        if not effects:
            return "no target of the brief predicts anything about a person"
        if not set(effects.values()) & set(rule.only_effects):
            return "; ".join(f"targets.{name}.effect is {effect}" for name, effect in effects.items())
    return ""


def plural(count: int, noun: str) -> str:
    """`1 row`, `2 rows`, `2 people`, `2 proxies`."""
    many = {"person": "people", "forgotten person": "forgotten people", "proxy": "proxies"}
    return f"{count} {noun}" if count == 1 else f"{count} {many.get(noun, noun + 's')}"


def first(rows: Iterable[Mapping[str, Any]], most: int = MOST_ROWS) -> list[Mapping[str, Any]]:
    """At most `most` rows."""
    kept: list[Mapping[str, Any]] = []
    for row in rows:
        if len(kept) == most:
            break
        kept.append(row)
    return kept


def instant(micros: int) -> str:
    """A time as people read it: the day and the minute, UTC."""
    import numpy as np

    return str(np.datetime64(int(micros), "us").astype("datetime64[m]")) + "Z"
