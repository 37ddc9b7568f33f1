"""Every fault by its short name, and planting one just before the gates run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mercer.compliance.evidence import Evidence
from mercer.compliance.faults import answers, predictions, rows
from mercer.compliance.rules import Rule, rule
from mercer.errors import NotFoundError, nearest


@dataclass(frozen=True, slots=True)
class Fault:
    """One planted violation.

    name: what `mercer demo --fault` takes (the rule's id does as well). rule: the rule that must catch it.
    sentence: what is planted, in plain words. make: evidence without the violation to evidence with it.
    """

    name: str
    rule: str
    sentence: str
    make: Callable[[Evidence], Evidence]

    def plant(self, evidence: Evidence) -> Evidence:
        """The evidence with the violation planted, under a brief that falls under the rule.

        Raises UnsupportedError where the run has nothing that the fault could be planted in (a fault of
        predictions needs a target that predicts).
        """
        return self.make(_within(evidence, rule(self.rule)))


FAULTS: dict[str, Fault] = {
    entry.name: entry
    for entry in (
        Fault(
            "consent",
            "gdpr-consent",
            "three training rows happened after their consent was withdrawn",
            rows.withdrawn_consent,
        ),
        Fault(
            "object",
            "gdpr-object",
            "rows of objectors trained a model, and the release goes on profiling them",
            rows.objectors_trained,
        ),
        Fault("purpose", "gdpr-purpose", "a column collected for insurance is read", rows.foreign_purpose),
        Fault("erase", "gdpr-erase", "a forgotten person is back in the data", rows.forgotten_person),
        Fault(
            "minors", "minors", "rows of three children under thirteen trained a model", rows.known_children
        ),
        Fault(
            "retention",
            "glba-safeguards",
            "two customers last seen 1,000 days ago are still held",
            rows.stale_customers,
        ),
        Fault("cards", "pci-data", "an item's title holds a (made-up) card number", rows.card_in_title),
        Fault(
            "open-banking",
            "psd2",
            "a balance read through open banking is a feature",
            predictions.open_banking_feature,
        ),
        Fault(
            "special", "gdpr-special", "a customer segment is religion under another name", predictions.proxy
        ),
        Fault(
            "basis", "regb-basis", "a credit score reads the applicant's sex", predictions.prohibited_basis
        ),
        Fault(
            "calibration",
            "mrm",
            "the released probabilities are far off what then happened",
            predictions.miscalibrated,
        ),
        Fault(
            "explanation",
            "gdpr-adm",
            "the most adverse decisions come without reasons",
            answers.without_reasons("significant"),
        ),
        Fault(
            "credit-review", "ccd2", "no adverse credit assessment ever reaches a person", answers.no_person
        ),
        Fault(
            "notice",
            "regb-notice",
            "the reasons given for a refusal are not the model's",
            answers.turned_reasons("credit"),
        ),
        Fault(
            "colorado",
            "co-admt",
            "reasons name values that the model never read",
            answers.false_values("significant"),
        ),
        Fault("age", "age-goods", "age-limited goods are shown to everybody", answers.ageless),
        Fault("opt-out", "ccpa-gpc", "the browser's opt-out signal is ignored", answers.ignoring("opt_out")),
        Fault(
            "unprofiled", "dsa-38", "the option without profiling profiles", answers.ignoring("not_profiled")
        ),
        Fault(
            "ranking",
            "dsa-27",
            "the published ranking parameters name one that the model does not have",
            answers.invented_parameter,
        ),
        Fault("sellers", "p2b-5", "nothing is published of what decides the ranking", answers.silent),
        Fault(
            "consumers", "crd-rank", "ranking parameters are published without reasons", answers.reasonless
        ),
    )
}
"""Faults by short name, one for every rule whose gate can fail."""


def fault(name: str) -> Fault:
    """A fault by its short name or its rule's id. Raises NotFoundError naming the nearest."""
    by_rule = {entry.rule: entry for entry in FAULTS.values()}
    found = FAULTS.get(name) or by_rule.get(name)
    if found is None:
        raise NotFoundError(f"No fault is called {name!r}.", remedy=nearest(name, [*FAULTS, *by_rule]))
    return found


def plant(name: str, evidence: Evidence) -> Evidence:
    """`fault(name).plant(evidence)`. Raises NotFoundError for an unknown fault."""
    return fault(name).plant(evidence)


def _within(evidence: Evidence, judged_by: Rule) -> Evidence:
    """A brief that the rule binds: its jurisdiction is named, and it is in force on the packs' date."""
    brief = evidence.brief
    changes: dict[str, object] = {}
    place = judged_by.jurisdiction
    if place != "global" and place not in brief.jurisdictions:
        changes["jurisdictions"] = [*brief.jurisdictions, place]
    if judged_by.effective_from and judged_by.effective_from > brief.packs_date:
        changes["packs_date"] = judged_by.effective_from
    return replace(evidence, brief=brief.model_copy(update=changes)) if changes else evidence
