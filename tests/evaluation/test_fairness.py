"""Groups at a decision: against an independent library, against planted unfairness, and with honest intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import (
    MetricFrame,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from sklearn.metrics import roc_auc_score

from mercer.errors import DataError
from mercer.evaluation import Scored
from mercer.evaluation.fairness import audit_groups, group_names


def _scored(n: int = 3000, *, bias: float = 0.0, seed: int = 0) -> Scored:
    """Two groups with equal outcomes; group b gets `bias` added to its probability."""
    rng = np.random.default_rng(seed)
    true = rng.beta(2, 5, n)
    group = np.where(rng.random(n) < 0.6, "a", "b")
    rows = pd.DataFrame(
        {
            "unit": [f"u{i:05d}" for i in range(n)],
            "cluster": [f"u{i:05d}" for i in range(n)],
            "as_of": 0,
            "value": np.clip(true + np.where(group == "b", bias, 0.0), 0, 1),
            "low": 0.0,
            "high": 1.0,
            "outcome": (rng.random(n) < true).astype(float),
            "weight": 1.0,
            "slice_sex": group,
        }
    )
    return Scored(kind="probability", rows=rows)


def test_the_rates_are_those_of_an_independent_library() -> None:
    scored = _scored(bias=0.1)
    rows = scored.rows
    chosen = rows["value"] >= np.sort(rows["value"])[::-1][899]
    oracle = MetricFrame(
        metrics={"selected": selection_rate, "true_positive_rate": true_positive_rate,
                 "false_positive_rate": false_positive_rate},
        y_true=rows["outcome"], y_pred=chosen.astype(int), sensitive_features=rows["slice_sex"],
    ).by_group  # fmt: skip
    for audit in audit_groups(scored, "sex", share=0.3, n=20):
        for name in oracle.columns:
            assert audit.rates[name].value == pytest.approx(oracle.loc[audit.group, name])
        inside = rows[rows["slice_sex"] == audit.group]
        assert audit.rates["auc"].value == pytest.approx(roc_auc_score(inside["outcome"], inside["value"]))


def test_equal_treatment_lies_inside_the_intervals_and_a_planted_bias_outside() -> None:
    _, fair = audit_groups(_scored(), "sex", share=0.3)
    gap = fair.gaps["selected"]
    assert gap.low < 0 < gap.high  # type: ignore[operator]
    _, unfair = audit_groups(_scored(bias=0.15), "sex", share=0.3)
    assert unfair.group == "b"
    assert unfair.gaps["selected"].low > 0  # type: ignore[operator]
    assert unfair.gaps["calibration_gap"].low > 0.05  # type: ignore[operator]
    assert unfair.ratio.low > 1.25  # type: ignore[operator]


def test_intervals_cover_the_truth_of_a_fair_decision() -> None:
    seeds = range(60)
    inside = 0
    for seed in seeds:
        gap = audit_groups(_scored(600, seed=seed), "sex", share=0.3, n=200)[1].gaps["selected"]
        inside += gap.low <= 0 <= gap.high  # type: ignore[operator]
    assert inside / len(seeds) >= 0.85


def test_ties_on_the_border_are_selected_in_part_and_favour_nobody() -> None:
    scored = _scored()
    scored.rows["value"] = 0.5
    audits = audit_groups(scored, "sex", share=0.3, n=10)
    assert [audit.rates["selected"].value for audit in audits] == pytest.approx([0.3, 0.3])


def test_the_lowest_can_be_selected() -> None:
    low = audit_groups(_scored(bias=0.15), "sex", share=0.3, high=False, n=10)[1]
    assert low.ratio.value < 1  # type: ignore[operator]


def test_repeats_of_a_unit_count_once() -> None:
    once = _scored()
    twice = Scored(
        kind="probability", rows=pd.concat([once.rows, once.rows.assign(as_of=1)], ignore_index=True)
    )
    assert audit_groups(once, "sex", share=0.3, n=5) == audit_groups(twice, "sex", share=0.3, n=5)


def test_what_can_not_be_audited_is_refused() -> None:
    scored = _scored()
    with pytest.raises(DataError, match="no slice 'age'"):
        audit_groups(scored, "age", share=0.3)
    scored.rows["slice_sex"] = "a"
    with pytest.raises(DataError, match="fewer than two groups"):
        audit_groups(scored, "sex", share=0.3)
    with pytest.raises(DataError, match="between 0 and 1"):
        audit_groups(_scored(), "sex", share=1.0)


def test_groups_have_names() -> None:
    assert group_names("AGE", [24, 25, 61, 62, None]) == [
        "under 25",
        "25 to 39",
        "40 to 61",
        "62 and over",
        "",
    ]
    assert group_names("SEX", [1.0, 2.0, 1.0]) == ["1", "2", "1"]
    assert group_names("sex", ["male ", None]) == ["male", ""]
    assert set(group_names("income", range(100))) == {
        "up to 24.75",
        "up to 49.5",
        "up to 74.25",
        "over 74.25",
    }
