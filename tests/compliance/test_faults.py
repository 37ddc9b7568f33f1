"""Every rule whose gate can fail catches what is planted, and passes what is not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from compliance.shop import people
from mercer.compliance import FAULTS, Evidence, all_rules, check, fault, plant
from mercer.contracts import Finding
from mercer.errors import NotFoundError, UnsupportedError

CANNOT_FAIL = ("attestation", "absent-function", "not-built")


def finding_of(evidence: Evidence, rule: str) -> Finding:
    return next(found for found in check(evidence).findings if found.rule == rule)


def test_every_rule_that_can_fail_has_a_fault() -> None:
    judged = {rule.id for rule in all_rules() if rule.gate not in CANNOT_FAIL}

    assert {entry.rule for entry in FAULTS.values()} == judged
    assert len(judged) >= 20


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_planted_violation_fails_its_rule_and_shows_rows(clean: Evidence, name: str) -> None:
    found = finding_of(plant(name, clean), FAULTS[name].rule)

    assert found.status == "FAIL"
    assert found.examined > 0
    assert found.offending
    assert found.remedy
    shown = json.dumps([dict(row) for row in found.offending]) + str(found.measured)
    assert not any(person in shown for person in people())


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_same_rule_does_not_fail_without_the_fault(clean: Evidence, name: str) -> None:
    failed = [found.rule for found in check(clean).findings if found.status == "FAIL"]

    assert FAULTS[name].rule not in failed


def test_a_fault_is_named_by_its_rule_too() -> None:
    assert fault("gdpr-consent") is fault("consent")


def test_unknown_fault_names_the_nearest() -> None:
    with pytest.raises(NotFoundError, match="consent"):
        fault("consnet")


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_fault_says_what_it_needs_where_there_is_nothing(clean: Evidence, name: str) -> None:
    nothing = Evidence(brief=clean.brief, now=clean.now, pseudonyms=clean.pseudonyms)

    with pytest.raises(UnsupportedError, match="needs"):
        plant(name, nothing)


@pytest.mark.parametrize("name", ["consent", "object", "minors", "special", "erase"])
def test_fault_brings_the_table_that_a_poor_log_lacks(clean: Evidence, name: str) -> None:
    poor = replace(clean, tables={"events": clean.tables["events"]}, suppression=None)

    assert finding_of(plant(name, poor), FAULTS[name].rule).status == "FAIL"


def test_age_fault_limits_the_best_seller_of_a_catalogue_without_limits(clean: Evidence) -> None:
    free = clean.items.assign(min_age=0)
    unlimited = replace(clean, items=free, tables={**clean.tables, "items": free})

    found = finding_of(plant("age", unlimited), "age-goods")

    assert found.status == "FAIL"
    assert {row["min_age"] for row in found.offending} == {18}


def test_fault_puts_the_brief_under_its_rule(clean: Evidence) -> None:
    german = clean.brief.model_copy(update={"jurisdictions": ["EU"]})
    planted = plant("colorado", replace(clean, brief=german))

    assert planted.brief.jurisdictions == ["EU", "US-CO"]
    assert str(planted.brief.packs_date) == "2027-01-01"
    assert clean.brief.packs_date < planted.brief.packs_date
