"""Judge a run: every rule in force finds its gate, every gate measures, every acceptance is weighed."""

from __future__ import annotations

from datetime import date

from mercer.brief import Acceptance, Brief
from mercer.compliance.evidence import Evidence
from mercer.compliance.report import GateReport, Judged
from mercer.compliance.rules import Rule, all_rules, load_rules, upcoming
from mercer.contracts import Finding, Gate, plugins
from mercer.errors import BriefError, MercerError, nearest


def check(evidence: Evidence) -> GateReport:
    """Run the gates of every rule in force for the brief's jurisdictions on its `packs_date`.

    Raises BriefError when the brief accepts a rule that does not exist, and NotFoundError when a pack names a
    gate that is not installed.
    """
    brief = evidence.brief
    check_acceptances(brief)
    day = brief.packs_date
    judged = tuple(
        _judge(rule, _measure(rule, evidence), brief) for rule in load_rules(brief.jurisdictions, day)
    )
    return GateReport(
        packs_date=day,
        jurisdictions=tuple(brief.jurisdictions),
        judged=judged,
        upcoming=tuple(upcoming(brief.jurisdictions, day)),
    )


def check_acceptances(brief: Brief) -> None:
    """Raises BriefError naming the nearest rule when `accept` or an attestation names none that exists."""
    known = [rule.id for rule in all_rules()]
    named = [("accept", entry.rule) for entry in brief.accept]
    named += [("governance.attestations", rule) for rule in brief.governance.attestations]
    for field, name in named:
        if name not in known:
            raise BriefError(f"{field}: no rule is called {name!r}.", remedy=nearest(name, known))


def _measure(rule: Rule, evidence: Evidence) -> Finding:
    gate: Gate = plugins.load(plugins.GATES, rule.gate)(rule)
    try:
        finding = gate.check(evidence)
    except MercerError as fault:
        # A gate that can't run must block, and say why; only faults we understand are turned into a finding.
        finding = Finding(
            rule=rule.id, gate=rule.gate, stage=rule.stage, status="NOT_ASSESSED", examined=0,
            measured="the gate could not run", threshold=rule.threshold, remedy=fault.remedy or rule.remedy,
            because=fault.message,
        )  # fmt: skip
    return finding


def _judge(rule: Rule, finding: Finding, brief: Brief) -> Judged:
    entries = [entry for entry in brief.accept if entry.rule == rule.id]
    if not entries or finding.status in ("PASS", "NOT_APPLICABLE"):
        return Judged(rule=rule, finding=finding)
    if finding.status == "FAIL":
        return Judged(
            rule=rule, finding=finding, note="The brief accepts this rule, but a FAIL can't be accepted."
        )
    latest = max(entries, key=lambda entry: entry.until)
    why_not = _does_not_stand(latest, brief.packs_date)
    if why_not:
        return Judged(rule=rule, finding=finding, note=why_not)
    return Judged(rule=rule, finding=finding, accepted=latest)


def _does_not_stand(entry: Acceptance, day: date) -> str:
    if entry.until < day:
        return f"The brief's acceptance ended on {entry.until}."
    if not entry.role.strip() or not entry.reason.strip():
        return "The brief's acceptance names no role or no reason."
    return ""
