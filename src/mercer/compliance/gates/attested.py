"""What only a person can attest, what the brief has no use for, and what is not built yet.

None of the three can answer PASS: a sentence typed into a brief is no measurement.
"""

from __future__ import annotations

from mercer.compliance.evidence import Evidence
from mercer.compliance.gates.base import Measured, RuleGate


class Attestation(RuleGate):
    """A document that only a person can stand for; printed as attested, never as passed."""

    name = "attestation"
    stage = "data"

    def measure(self, evidence: Evidence) -> Measured:
        """Read the reference from `governance.attestations`."""
        governance = evidence.brief.governance
        reference = governance.attestations.get(self.rule.id, "").strip()
        if not reference:
            return Measured(
                examined=0, violations=0, measured="no document is named",
                missing=f"governance.attestations names no {self.rule.id!r}; only a person can attest this.",
            )  # fmt: skip
        role = governance.owner_role or evidence.brief.owner_role
        return Measured(
            examined=1,
            violations=0,
            measured=f"attested by {role}, self-declared until signed: {reference}",
            missing="An attestation is no measurement; a role may accept it under `accept`.",
        )


class AbsentFunction(RuleGate):
    """A duty of something that no target of the brief does."""

    name = "absent-function"
    stage = "serve"

    def inapplicable(self, evidence: Evidence) -> str:
        """What the targets do instead."""
        tasks = ", ".join(f"{name} ({target.task})" for name, target in evidence.brief.targets.items())
        return f"no target of the brief {self.rule.parameters['function']}: {tasks}"

    def measure(self, evidence: Evidence) -> Measured:
        """Never reached: a brief of schema 1 can't ask for such a function."""
        raise NotImplementedError


class NotBuilt(RuleGate):
    """A rule that is known and that nothing here measures yet."""

    name = "not-built"
    stage = "evaluate"

    def measure(self, evidence: Evidence) -> Measured:  # noqa: ARG002 - nothing to look at yet
        """Say so."""
        return Measured(
            examined=0,
            violations=0,
            measured="not measured",
            missing="mercer has no measurement of this rule yet.",
        )
