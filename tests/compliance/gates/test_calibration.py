"""Slope and expected error: hand-worked, recovered from known truth, and never decided by a small sample."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from mercer.compliance import Evidence, check
from mercer.compliance.gates.calibration import expected_error, slope
from mercer.contracts import Finding


def drawn(true_slope: float, n: int = 4000, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    odds = rng.normal(-0.5, 1.2, n)
    outcome = (rng.random(n) < 1 / (1 + np.exp(-true_slope * odds))).astype(float)
    return pd.DataFrame({"value": 1 / (1 + np.exp(-odds)), "outcome": outcome, "cluster": np.arange(n)})


@pytest.mark.parametrize("true_slope", [0.4, 1.0, 1.8])
def test_known_slope_is_inside_its_interval(true_slope: float) -> None:
    found = slope(drawn(true_slope))

    assert found.low < true_slope < found.high
    assert found.high - found.low < 0.3


def test_slope_is_that_of_plain_logistic_regression() -> None:
    rows = drawn(1.3)
    odds = np.log(rows["value"] / (1 - rows["value"])).to_numpy()[:, None]
    reference = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(odds, rows["outcome"])

    assert slope(rows).value == pytest.approx(reference.coef_[0, 0], rel=1e-5)


def test_repeated_rows_of_a_cluster_do_not_narrow_the_interval() -> None:
    once = drawn(1.0, 500)
    thrice = pd.concat([once] * 3, ignore_index=True)

    assert slope(thrice).high == pytest.approx(slope(once).high)
    assert slope(thrice).low == pytest.approx(slope(once).low)


def test_expected_error_by_hand() -> None:
    # Ten bins of two rows: the first says 0.1 and never happens, the last 0.9 and happens once in two.
    value = np.repeat(np.linspace(0.1, 0.9, 10), 2)
    outcome = value.copy()
    outcome[:2], outcome[-2:] = 0.0, [0.0, 1.0]
    rows = pd.DataFrame({"value": value, "outcome": outcome, "cluster": np.arange(20)})

    assert expected_error(rows).value == pytest.approx((0.2 + 0.8) / 20)


def test_true_probabilities_are_never_surely_wrong_where_a_point_would_be() -> None:
    found = [expected_error(drawn(1.0, 300, seed)) for seed in range(20)]

    assert sum(error.value > 0.05 for error in found) >= 10
    assert not any(error.low > 0.05 for error in found)


def test_constant_prediction_has_no_slope_and_does_not_crash() -> None:
    rows = pd.DataFrame({"value": 0.3, "outcome": np.tile([0.0, 1.0], 25), "cluster": np.arange(50)})

    assert np.isnan(slope(rows).value)


def test_draws_in_blocks_are_the_draws_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = drawn(1.0, 300)
    whole = expected_error(rows)
    monkeypatch.setattr("mercer.compliance.gates.calibration._MOST_CELLS", 300 * 7)

    assert expected_error(rows) == whole


def mrm(evidence: Evidence) -> Finding:
    return next(found for found in check(evidence).findings if found.rule == "mrm")


def test_few_rows_are_not_assessed_even_when_far_off(clean: Evidence) -> None:
    rows = clean.predictions["repurchase"].head(50).assign(value=0.99, outcome=[0.0, 1.0] * 25)

    found = mrm(replace(clean, predictions={"repurchase": rows}))

    assert found.status == "NOT_ASSESSED"
    assert "50 test rows" in found.because


def test_owner_may_not_validate(clean: Evidence) -> None:
    governance = clean.brief.governance.model_copy(update={"validator_role": "Growth "})
    brief = clean.brief.model_copy(update={"governance": governance})

    found = mrm(replace(clean, brief=brief))

    assert found.status == "FAIL"
    assert found.offending[0]["why"] == "owner and validator are the same role"


def test_nobody_named_is_not_assessed(clean: Evidence) -> None:
    governance = clean.brief.governance.model_copy(update={"validator_role": ""})
    brief = clean.brief.model_copy(update={"governance": governance})

    assert mrm(replace(clean, brief=brief)).status == "NOT_ASSESSED"
