"""The packs: dated, complete, quoted word for word, and honest about what nobody could verify."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path

import pytest
from conftest import ROOT, shared_data
from pydantic import ValidationError

from mercer.compliance import Rule, all_rules, load_rules, upcoming
from mercer.compliance.rules import omitted, rule
from mercer.contracts import plugins
from mercer.errors import NotFoundError

TODAY = date(2026, 11, 24)
QUOTED = [entry for entry in all_rules() if entry.quote]


def ids(rules: list[Rule]) -> set[str]:
    return {entry.id for entry in rules}


def test_rule_binds_from_its_day_on() -> None:
    assert "aia-50-1" not in ids(load_rules(["EU"], date(2026, 8, 1)))
    assert "aia-50-1" in ids(load_rules(["EU"], date(2026, 8, 2)))


def test_rule_without_a_date_is_in_force_and_says_so() -> None:
    assert "age-goods" in ids(load_rules(["UK"], date(1990, 1, 1)))
    assert rule("age-goods").date_note == "in force, date unverified"


def test_state_brings_federal_rules_and_card_rules_bind_everywhere() -> None:
    california = ids(load_rules(["US-CA"], TODAY))

    assert {"ccpa-gpc", "mrm", "pci-data"} <= california
    assert "ny-price" not in california
    assert "gdpr-consent" not in california
    assert "ccpa-gpc" not in ids(load_rules(["US"], TODAY))


def test_what_comes_is_listed_next_first() -> None:
    coming = upcoming(["EU", "US-CA", "US-CO"], TODAY)

    assert [entry.id for entry in coming][:2] == ["ccpa-admt", "co-admt"]
    assert {entry.id for entry in coming} >= {"aia-5b", "aia-fria", "aia-logs"}
    assert not ids(coming) & ids(load_rules(["EU", "US-CA", "US-CO"], TODAY))


def test_every_gate_that_a_rule_names_is_installed_and_every_gate_is_used() -> None:
    named = {entry.gate for entry in all_rules()}

    gates = {name: plugins.load(plugins.GATES, name) for name in plugins.names(plugins.GATES)}

    assert named == {name for name, gate in gates.items() if gate.__module__.startswith("mercer.")}
    assert all(gate.name == name for name, gate in gates.items())


def test_enough_rules_are_executable_and_cover_every_stage() -> None:
    executable = [r for r in all_rules() if r.gate not in ("attestation", "absent-function", "not-built")]

    assert len({entry.gate for entry in executable}) >= 10
    assert {entry.stage for entry in executable} == {"data", "train", "evaluate", "serve"}
    assert {entry.jurisdiction for entry in executable} >= {"EU", "UK", "US", "US-CA", "global"}


def test_hash_of_every_quote_is_its_own() -> None:
    assert len(QUOTED) >= 5
    for entry in QUOTED:
        assert entry.quote is not None
        assert hashlib.sha256(entry.quote.text.encode()).hexdigest() == entry.quote.sha256


def test_altered_quote_is_refused() -> None:
    content = QUOTED[0].model_dump(mode="json")
    content["quote"]["text"] += " or not"

    with pytest.raises(ValidationError, match="hash"):
        Rule.model_validate(content)


@pytest.mark.parametrize("entry", QUOTED, ids=lambda entry: entry.id)
def test_quote_stands_word_for_word_in_the_law(entry: Rule) -> None:
    quote = entry.quote
    assert quote is not None
    text = (shared_data("eu-law") / quote.source).read_text("utf-8")
    starts = (f"[{quote.paragraph}] ", f"{quote.paragraph} ")
    paragraphs = [line for line in text.splitlines() if line.startswith(starts)]

    assert len(paragraphs) == 1
    assert quote.text in paragraphs[0]


def test_what_nobody_can_open_is_unverifiable_whatever_it_claims() -> None:
    assert rule("dsa-27").verified == "V"
    assert rule("dsa-27").unverifiable
    assert rule("dsa-27").standing.startswith("unverifiable")
    assert rule("ccd2").unverifiable
    assert not rule("gdpr-consent").unverifiable
    assert rule("mrm").standing == "rests on a secondary source"


def test_every_known_obligation_is_judged_or_said_to_be_left_out() -> None:
    path = ROOT.parent / "shared" / "research" / "obligations.jsonl"
    if not path.is_file():
        pytest.skip("the list of obligations is not beside this checkout")
    known = {json.loads(line)["id"]: json.loads(line) for line in path.read_text("utf-8").splitlines()}
    judged = {entry.id: entry for entry in all_rules()}

    assert set(known) <= set(judged) | {entry.id for entry in omitted()}
    assert not set(judged) & {entry.id for entry in omitted()}
    for name in set(known) & set(judged):
        assert judged[name].effective_from == (
            date.fromisoformat(known[name]["effective_from"]) if known[name]["effective_from"] else None
        )
        # A pack may claim less than the research, never more.
        assert judged[name].verified in known[name]["verified"]


def test_unknown_rule_names_the_nearest() -> None:
    with pytest.raises(NotFoundError, match="gdpr-consent"):
        rule("gdpr-consnt")


def test_reference_page_is_what_the_packs_say() -> None:
    from mercer.compliance.reference import page

    assert (Path(ROOT) / "docs" / "reference" / "rules.md").read_text("utf-8") == page()
