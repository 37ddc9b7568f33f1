"""The gates' report as the page shows it: a strip of rules by stage, and what needs a person's eyes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STAGES = ("data", "train", "evaluate", "serve")

_WORDS = {
    "PASS": ("pass", "passes", "✓"),
    "FAIL": ("fail", "fails", "✕"),
    "NOT_APPLICABLE": ("na", "does not apply", "–"),
    "NOT_ASSESSED": ("open", "not assessed", "?"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One finding. state: pass, fail, na, open or accepted; at: its number in gates.json."""

    at: int
    state: str
    word: str
    sign: str
    title: str
    finding: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Id of the evidence."""
        return f"gates.findings[{self.at}]"

    @property
    def offending_columns(self) -> list[str]:
        """Columns of the offending examples, in the order they come."""
        return list(dict.fromkeys(key for row in self.finding.get("offending") or [] for key in row))


@dataclass(frozen=True, slots=True, kw_only=True)
class GateView:
    """All rules. attention: those that fail or are open. accepted: not assessed, and accepted by role."""

    packs_date: str
    stages: tuple[tuple[str, tuple[Rule, ...]], ...]
    attention: tuple[Rule, ...]
    accepted: tuple[Rule, ...]
    rules: tuple[Rule, ...]
    upcoming: tuple[Mapping[str, Any], ...]

    @property
    def total(self) -> int:
        """Rules in force."""
        return len(self.rules)

    @property
    def satisfied(self) -> int:
        """Rules that pass, do not apply, or were accepted by role."""
        return sum(rule.state in ("pass", "na", "accepted") for rule in self.rules)

    @property
    def examined(self) -> int:
        """Things looked at by all gates together."""
        return sum(int(rule.finding.get("examined") or 0) for rule in self.rules)


def gate_view(gates: Mapping[str, Any] | None) -> GateView | None:
    """The view of a gates.json, or None where there is none."""
    if gates is None:
        return None
    rules = tuple(_rule(at, finding) for at, finding in enumerate(gates.get("findings") or []))
    names = [*STAGES, *dict.fromkeys(str(rule.finding.get("stage")) for rule in rules)]
    stages = [
        (name, tuple(r for r in rules if r.finding.get("stage") == name)) for name in dict.fromkeys(names)
    ]
    order = {"fail": 0, "open": 1}
    return GateView(
        packs_date=str(gates.get("packs_date", "")),
        stages=tuple((name, found) for name, found in stages if found),
        attention=tuple(sorted((r for r in rules if r.state in order), key=lambda r: order[r.state])),
        accepted=tuple(r for r in rules if r.state == "accepted"),
        rules=rules,
        upcoming=tuple(gates.get("upcoming") or ()),
    )


def _rule(at: int, finding: Mapping[str, Any]) -> Rule:
    state, word, sign = _WORDS.get(str(finding.get("status")), ("open", "unknown", "?"))
    if state == "open" and finding.get("accepted"):
        state, word, sign = "accepted", "accepted without an assessment", "A"
    title = str(finding.get("title") or finding.get("rule"))
    return Rule(at=at, state=state, word=word, sign=sign, title=title, finding=finding)
