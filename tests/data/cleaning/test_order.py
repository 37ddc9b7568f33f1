from __future__ import annotations

from pathlib import Path

import pytest

from mercer.contracts import TABLES
from mercer.data.cleaning import all_rules, rules_for
from mercer.data.ingest import _check_rules
from mercer.errors import BriefError

from ..made import EVENT, brief_of, events, table


def test_every_table_has_rules_of_distinct_names_and_ends_with_its_needed_values() -> None:
    for name in TABLES:
        rules = [rule.name for rule in rules_for(name)]
        assert len(set(rules)) == len(rules)
        assert rules[-1] == "missing-value"
    assert len(all_rules()) >= 20
    assert all(rule.sentence.endswith(".") and rule.name == name for name, rule in all_rules().items())


def test_a_row_is_counted_once_under_the_first_rule_that_fits(tmp_path: Path) -> None:
    cleaned = events(tmp_path, {}, {"user": None, "quantity": 0, "time": "2031-01-01T00:00:00Z"})
    assert cleaned.reasons() == {1: "future-time"}
    assert cleaned.rules() == {"future-time": 1}


def test_a_rule_that_is_off_does_not_act(tmp_path: Path) -> None:
    cleaned = events(tmp_path, {}, {"amount_minor": 0}, rules_off=["zero-price"])
    assert cleaned.rules() == {}
    assert "zero-price" not in {rule.rule for rule in cleaned.accounting.tables["events"].rules}


def test_unknown_rules_and_those_that_others_rest_on_cannot_be_switched_off() -> None:
    source = {"events": {"source": "log.csv"}}
    with pytest.raises(BriefError, match=r"no rule is called 'zero-prise'\. Did you mean 'zero-price'"):
        _check_rules(brief_of({**source, "rules_off": ["zero-prise"]}))
    for name in ("suppressed", "unreadable-time", "missing-value", "conflicting-event"):
        with pytest.raises(BriefError, match=f"'{name}' can't be switched off"):
            _check_rules(brief_of({**source, "rules_off": [name]}))


def test_a_rule_that_acts_when_asked_is_off_until_then_and_others_need_no_asking(tmp_path: Path) -> None:
    rows = [{"item": "a1", "title": "Mug"}, {"item": "A1", "title": "Mug"}]
    assert table(tmp_path, "items", *rows).rules("items") == {}
    source = {"events": {"source": "log.csv"}}
    with pytest.raises(BriefError, match=r"data\.rules_on: 'zero-price' is on already"):
        _check_rules(brief_of({**source, "rules_on": ["zero-price"]}))
    with pytest.raises(
        BriefError, match=r"data\.rules_on: no rule is called 'near-duplicate'\. Did you mean"
    ):
        _check_rules(brief_of({**source, "rules_on": ["near-duplicate"]}))


def test_needed_values_of_other_tables(tmp_path: Path) -> None:
    row = {"user": "ann", "purpose": "recommendation", "given": "yes", "time": EVENT["time"]}
    cleaned = table(tmp_path, "consents", row, {**row, "given": "maybe"}, {**row, "purpose": None})
    assert cleaned.reasons("consents") == {1: "missing-value", 2: "missing-value"}
    assert cleaned.kept("consents")["given"].tolist() == [True]


def test_an_optional_value_of_the_wrong_type_is_unknown_and_counted(tmp_path: Path) -> None:
    row = {"request": "r", "item": "mug", "position": 1, "propensity": "0.5"}
    cleaned = table(tmp_path, "impressions", row, {**row, "position": 2, "propensity": "half"})
    assert cleaned.rules("impressions") == {"unreadable-value": 1}
    assert cleaned.kept("impressions")["propensity"].isna().tolist() == [False, True]
