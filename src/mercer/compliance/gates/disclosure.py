"""The published ranking parameters against those of the model that ranks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mercer.compliance.evidence import Evidence
from mercer.compliance.gates.base import Measured, RuleGate

Parameters = list[tuple[str, str]]


class Disclosure(RuleGate):
    """What is published of a ranking is what ranks: the same parameters, reasons and order."""

    name = "disclosure"
    stage = "serve"

    def inapplicable(self, evidence: Evidence) -> str:
        """Without a ranking target there is nothing to publish."""
        return "" if evidence.ranking_targets else "no target of the brief ranks items"

    def measure(self, evidence: Evidence) -> Measured:
        """Compare the candidate's disclosure with the model's own parameters, target by target."""
        if evidence.candidate is None:
            return Measured(
                examined=0, violations=0, measured="none",
                missing="There is no candidate release whose disclosure could be read.",
            )  # fmt: skip
        examined, unknown = 0, []
        offending: list[Mapping[str, Any]] = []
        for name in evidence.ranking_targets:
            if name not in evidence.parameters:
                unknown.append(name)
                continue
            own = [(str(a), str(b)) for a, b in evidence.parameters[name]]
            published = [(str(a), str(b)) for a, b in evidence.candidate.disclosure(name)]
            examined += max(len(own), len(published))
            offending += [{"target": name, **row} for row in _drift(own, published)]
        missing = f"The model's own parameters are not known for {', '.join(unknown)}." if unknown else ""
        return Measured(
            examined=examined,
            violations=len(offending),
            measured=f"{len(offending)} of {examined} parameters differ from the model's",
            offending=offending,
            missing=missing,
            target=str(offending[0]["target"]) if offending else "",
        )


def _drift(own: Parameters, published: Parameters) -> list[dict[str, str]]:
    """Rows that say what is missing, invented, empty or out of order."""
    if not published:
        return [{"parameter": name, "why": "nothing is published"} for name, _ in own] or [
            {"parameter": "", "why": "neither the model nor the release names a parameter"}
        ]
    rows = [{"parameter": name, "why": "published, but not the model's"} for name, _ in published
            if name not in dict(own)]  # fmt: skip
    rows += [{"parameter": name, "why": "the model's, but not published"} for name, _ in own
             if name not in dict(published)]  # fmt: skip
    rows += [{"parameter": name, "why": "no reason is given"} for name, why in published if not why.strip()]
    if not rows and own != published:
        rows = [{"parameter": a[0], "why": "another order or another reason than the model's"}
                for a, b in zip(published, own, strict=True) if a != b]  # fmt: skip
    return rows
