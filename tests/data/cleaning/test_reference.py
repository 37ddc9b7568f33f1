from __future__ import annotations

from conftest import ROOT

from mercer.data.cleaning import all_rules
from mercer.data.cleaning.reference import rules_table


def test_the_reference_holds_the_rules_as_they_are() -> None:
    page = (ROOT / "docs" / "reference" / "data.md").read_text("utf-8")
    assert rules_table() in page, "print it anew: mercer.data.cleaning.reference.rules_table()"


def test_every_rule_is_told_once() -> None:
    lines = rules_table().splitlines()[2:]
    assert len(lines) == len(all_rules())
    assert all(line.count("|") == 6 for line in lines)
