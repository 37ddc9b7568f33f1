"""The verdict: what fails, what is accepted by whom, and what nobody may accept."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from mercer.brief import Acceptance
from mercer.compliance import Evidence, GateReport, check, plant
from mercer.contracts import plugins
from mercer.errors import BriefError, UnsupportedError

DAY = date(2026, 11, 24)
UNMEASURED = {"edpb-model", "aia-5", "gdpr-dpia", "ccpa-ra"}


def with_brief(evidence: Evidence, **changes: object) -> Evidence:
    return replace(evidence, brief=evidence.brief.model_copy(update=changes))


def accept(rule: str, until: date = DAY, role: str = "data-protection", reason: str = "known") -> Acceptance:
    return Acceptance(rule=rule, role=role, reason=reason, until=until)


def test_clean_run_passes_with_what_was_accepted(clean: Evidence) -> None:
    report = check(clean)

    assert report.verdict == "pass"
    assert {entry.rule.id for entry in report.judged if entry.accepted} == {
        "edpb-model",
        "aia-5",
        "gdpr-dpia",
        "ccpa-ra",
    }
    assert report.blocking == ()


def test_what_is_not_assessed_blocks_until_accepted(clean: Evidence) -> None:
    report = check(with_brief(clean, accept=[]))

    assert report.verdict == "not-assessed"
    assert {entry.rule.id for entry in report.blocking} == UNMEASURED


def test_acceptance_holds_through_its_last_day(clean: Evidence) -> None:
    others = [entry for entry in clean.brief.accept if entry.rule != "aia-5"]

    assert check(with_brief(clean, accept=[*others, accept("aia-5", DAY)])).verdict == "pass"
    late = check(with_brief(clean, accept=[*others, accept("aia-5", date(2026, 11, 23))]))
    assert late.verdict == "not-assessed"
    (blocking,) = late.blocking
    assert blocking.note == "The brief's acceptance ended on 2026-11-23."


def test_acceptance_without_role_or_reason_does_not_hold(clean: Evidence) -> None:
    others = [entry for entry in clean.brief.accept if entry.rule != "aia-5"]
    for empty in (accept("aia-5", role=" "), accept("aia-5", reason="")):
        assert check(with_brief(clean, accept=[*others, empty])).verdict == "not-assessed"


def test_failure_is_never_accepted(clean: Evidence) -> None:
    accepted = [*clean.brief.accept, accept("gdpr-consent", date(2030, 1, 1))]
    report = check(plant("consent", with_brief(clean, accept=accepted)))

    assert report.verdict == "fail"
    (blocking,) = report.blocking
    assert blocking.accepted is None
    assert "can't be accepted" in blocking.note


def test_accepting_a_rule_that_does_not_exist_names_the_nearest(clean: Evidence) -> None:
    with pytest.raises(BriefError, match="Did you mean 'gdpr-consent'"):
        check(with_brief(clean, accept=[accept("gdpr-consnt")]))


def test_attestation_is_printed_and_never_a_pass(clean: Evidence) -> None:
    governance = clean.brief.governance.model_copy(update={"attestations": {"gdpr-dpia": "DPIA-2026-04"}})
    report = check(with_brief(clean, governance=governance, accept=[]))
    (found,) = [f for f in report.findings if f.rule == "gdpr-dpia"]

    assert found.status == "NOT_ASSESSED"
    assert found.measured == "attested by growth, self-declared until signed: DPIA-2026-04"


def test_report_without_findings_is_red() -> None:
    empty = GateReport(packs_date=DAY, jurisdictions=("EU",), judged=())

    assert empty.verdict == "not-assessed"


def test_gate_that_cannot_run_blocks_and_says_why(clean: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def __init__(self, rule: object) -> None: ...

        def check(self, evidence: object) -> object:
            raise UnsupportedError("The index is gone.", remedy="Build it.")

    true_load: Callable[[str, str], object] = plugins.load
    monkeypatch.setattr(
        plugins, "load", lambda group, name: Broken if name == "purposes" else true_load(group, name)
    )
    (found,) = [f for f in check(clean).findings if f.rule == "gdpr-purpose"]

    assert (found.status, found.because, found.remedy) == ("NOT_ASSESSED", "The index is gone.", "Build it.")


def test_evidence_of_nothing_passes_no_rule(clean: Evidence) -> None:
    nothing = Evidence(brief=clean.brief, now=clean.now, pseudonyms=clean.pseudonyms)
    report = check(nothing)

    assert {found.status for found in report.findings} <= {"NOT_ASSESSED", "NOT_APPLICABLE"}
    assert all(found.because for found in report.findings)


def test_gates_change_nothing_and_repeat_themselves(clean: Evidence) -> None:
    before = {name: frame.copy(deep=True) for name, frame in clean.tables.items()}
    first = check(clean).to_json()

    assert check(clean).to_json() == first
    for name, frame in clean.tables.items():
        assert frame.equals(before[name])


def test_saved_report_holds_every_fact_of_a_rule(clean: Evidence, tmp_path: Path) -> None:
    check(plant("consent", clean)).save(tmp_path / "gates.json")
    content = json.loads((tmp_path / "gates.json").read_text("utf-8"))
    (found,) = [f for f in content["findings"] if f["rule"] == "gdpr-consent"]

    assert content["schema"] == 1
    assert content["verdict"] == "fail"
    assert content["counts"]["FAIL"] == 1
    assert found["citation"] == "GDPR 7(1), 7(3)"
    assert found["effective_from"] == "2018-05-25"
    assert found["quote"].startswith("Where processing is based on consent")
    assert len(found["quote_sha256"]) == 64
    assert found["offending"][0]["user"].startswith("p:")
    assert found["blocks"]
    assert {entry["rule"] for entry in content["upcoming"]} >= {"aia-5b"}
    assert [path.name for path in tmp_path.iterdir()] == ["gates.json"]


def test_rule_past_its_review_day_says_so(clean: Evidence) -> None:
    old = check(with_brief(clean, packs_date=date(2028, 1, 1))).to_json()

    assert all(found["review_due"] for found in old["findings"])
    assert not any(found["review_due"] for found in check(clean).to_json()["findings"])
