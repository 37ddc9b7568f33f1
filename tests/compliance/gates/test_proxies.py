"""Probes: right by hand and by scikit-learn, honest about small groups and many features."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from mercer.brief import ColumnNote
from mercer.compliance import Evidence, check
from mercer.compliance.gates.proxies import protected_groups, reach_of
from mercer.contracts import Finding


def special(evidence: Evidence) -> Finding:
    return next(found for found in check(evidence).findings if found.rule == "gdpr-special")


def with_feature(evidence: Evidence, name: str, values: np.ndarray) -> Evidence:
    frame = evidence.features["repurchase"].assign(**{name: values})
    return replace(evidence, features={"repurchase": frame})


def group_of(evidence: Evidence) -> np.ndarray:
    groups = protected_groups(evidence, {"religion"})["religion"]
    return (groups.reindex(evidence.features["repurchase"].index) == "a").to_numpy()


def test_reach_by_hand_counts_ties_half_and_both_ways() -> None:
    inside = np.array([True, True, False, False])

    assert reach_of(np.array([3.0, 2.0, 2.0, 1.0]), inside)[0] == pytest.approx(3.5 / 4)
    assert reach_of(np.array([1.0, 2.0, 2.0, 3.0]), inside)[0] == pytest.approx(3.5 / 4)
    assert reach_of(np.ones(4), inside)[0] == pytest.approx(0.5)


def test_reach_is_scikit_learns_auc() -> None:
    rng = np.random.default_rng(2)
    inside = rng.random(300) < 0.3
    values = np.round(rng.normal(size=300) + inside, 1)

    auc = roc_auc_score(inside, values)
    assert reach_of(values, inside)[0] == pytest.approx(max(auc, 1 - auc))


def test_standard_error_shrinks_with_the_sample_and_covers() -> None:
    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(200):
        inside = np.arange(120) < 40
        reach, se = reach_of(rng.normal(size=120) + 1.2 * inside, inside)
        covered += reach - 1.96 * se < 0.802 < reach + 1.96 * se  # P(N(1.2, sqrt 2) > 0)
    assert covered >= 180


def test_noisy_stand_in_is_caught_and_named(clean: Evidence) -> None:
    rng = np.random.default_rng(1)
    values = np.where(rng.random(240) < 0.03, rng.random(240), group_of(clean)).astype(float)

    found = special(with_feature(clean, "postcode_band", values))

    assert found.status == "FAIL"
    assert found.offending[0]["column"] == "postcode_band"
    assert found.offending[0]["auc_low"] > 0.75
    assert found.target == "repurchase"


def test_weak_link_is_no_proxy(clean: Evidence) -> None:
    rng = np.random.default_rng(1)

    assert special(with_feature(clean, "hour", rng.normal(size=240) + 0.5 * group_of(clean))).status == "PASS"


def test_small_group_does_not_decide(clean: Evidence) -> None:
    users = clean.tables["users"].assign(attributes=None)
    users["religion"] = ["rare" if number < 12 else "common" for number in range(240)]
    values = (users["religion"] == "rare").to_numpy(float)
    evidence = with_feature(replace(clean, tables={**clean.tables, "users": users}), "segment", values)

    found = special(evidence)

    assert found.status == "NOT_ASSESSED"
    assert "large enough" in found.because


def test_protected_feature_fails_by_its_name_or_by_the_dictionary(clean: Evidence) -> None:
    assert special(with_feature(clean, "Religion", np.zeros(240))).status == "FAIL"
    marked = clean.brief.model_copy(update={"columns": {"dialect": ColumnNote(protected=True)}})
    assert special(with_feature(replace(clean, brief=marked), "dialect", np.zeros(240))).status == "FAIL"


def test_prediction_that_gives_a_group_away_is_caught(clean: Evidence) -> None:
    rows = clean.predictions["repurchase"]
    rows = rows.assign(value=np.where(group_of(clean), 0.9, 0.1))

    found = special(replace(clean, predictions={"repurchase": rows}))

    assert found.status == "FAIL"
    assert found.offending[0]["column"] == "the prediction"


def test_without_protected_attributes_nothing_is_claimed(clean: Evidence) -> None:
    users = clean.tables["users"].drop(columns="attributes")

    found = special(replace(clean, tables={**clean.tables, "users": users}))

    assert found.status == "NOT_ASSESSED"
    assert "no protected attribute" in found.because


def test_attributes_come_from_columns_and_from_json(clean: Evidence) -> None:
    users = pd.DataFrame(
        {
            "user": ["a", "b", "c"],
            "age": [30, 70, None],
            "sex": ["f", None, "m"],
            "attributes": ['{"religion": "x"}', "no json", None],
        }
    )
    groups = protected_groups(replace(clean, tables={"users": users}), {"sex", "age"}).fillna("")

    assert groups["sex"].tolist() == ["f", "", "m"]
    assert groups["religion"].tolist() == ["x", "", ""]
    assert groups["age"].tolist() == ["under 62", "from 62", ""]
