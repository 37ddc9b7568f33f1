from __future__ import annotations

import math

import numpy as np
import pytest
import sklearn.metrics as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from evaluation.small import predictions
from mercer.evaluation import measure, value

# Few distinct values, so that ties are common.
probability = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.8, 1.0])
rows = st.lists(st.tuples(probability, st.sampled_from([0.0, 1.0])), min_size=4, max_size=30).filter(
    lambda pairs: len({y for _, y in pairs}) == 2
)


@settings(max_examples=80, deadline=None)
@given(rows)
def test_probability_metrics_equal_scikit_learn_with_ties(pairs: list[tuple[float, float]]) -> None:
    p, y = [a for a, _ in pairs], [b for _, b in pairs]
    scored = predictions(p, y)
    assert value(scored, "auc") == pytest.approx(oracle.roc_auc_score(y, p))
    assert value(scored, "average-precision") == pytest.approx(oracle.average_precision_score(y, p))
    assert value(scored, "brier") == pytest.approx(oracle.brier_score_loss(y, p))
    base = np.mean(y)
    assert value(scored, "brier-skill") == pytest.approx(
        1 - oracle.brier_score_loss(y, p) / (base * (1 - base)), abs=1e-9
    )


@settings(max_examples=40, deadline=None)
@given(rows, st.integers(0, 10_000))
def test_weights_count_as_repetitions(pairs: list[tuple[float, float]], seed: int) -> None:
    p, y = np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])
    times = np.random.default_rng(seed).integers(0, 4, len(p)).astype(float)
    repeated = predictions(np.repeat(p, times.astype(int)).tolist(), np.repeat(y, times.astype(int)).tolist())
    if len({*repeated.rows["outcome"]}) < 2:
        return
    for name in ("auc", "average-precision", "brier", "brier-skill"):
        weighted = measure(predictions(p.tolist(), y.tolist()), name).at(times[None])[0]
        assert weighted == pytest.approx(value(repeated, name), abs=1e-9), name


def test_one_class_alone_has_no_auc() -> None:
    assert math.isnan(value(predictions([0.1, 0.9], [1, 1]), "auc"))
    assert math.isnan(value(predictions([0.1, 0.9], [1, 1]), "brier-skill"))


def test_calibration_slope_equals_an_unpenalised_logistic_regression() -> None:
    rng = np.random.default_rng(3)
    p = rng.uniform(0.05, 0.95, 400)
    truth = 1 / (1 + np.exp(-0.5 * np.log(p / (1 - p))))
    y = (rng.random(400) < truth).astype(float)
    fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(np.log(p / (1 - p))[:, None], y)
    assert value(predictions(p.tolist(), y.tolist()), "calibration-slope") == pytest.approx(
        fitted.coef_[0, 0], rel=1e-4
    )


def test_a_separable_sample_has_no_calibration_slope() -> None:
    assert math.isnan(value(predictions([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]), "calibration-slope"))


def test_ece_by_hand() -> None:
    # Two distinct predictions make two bins: |0.5 - 0.2| for half the rows, |1.0 - 0.8| for the others.
    scored = predictions([0.2] * 10 + [0.8] * 10, [0, 1] * 5 + [1] * 10)
    assert value(scored, "ece") == pytest.approx(0.5 * 0.3 + 0.5 * 0.2)


def test_amount_metrics_by_hand() -> None:
    scored = predictions([10, 20, 0], [0, 26, 0], "amount")
    assert value(scored, "mae") == pytest.approx(16 / 3)
    assert value(scored, "rmse") == pytest.approx(math.sqrt(136 / 3))
    assert value(scored, "bias") == pytest.approx(4 / 3)


def test_spend_gini_of_perfect_constant_and_reversed_orders() -> None:
    spend = [0.0, 0.0, 10.0, 30.0]
    assert value(predictions([1, 1, 2, 3], spend, "amount"), "spend-gini") == pytest.approx(1.0)
    assert value(predictions([5, 5, 5, 5], spend, "amount"), "spend-gini") == pytest.approx(0.0)
    assert value(predictions([4, 3, 2, 1], spend, "amount"), "spend-gini") == pytest.approx(-1.0)
    assert math.isnan(value(predictions([1, 2], [0, 0], "amount"), "spend-gini"))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 50)), min_size=3, max_size=20))
def test_spend_gini_equals_a_lorenz_curve_over_shuffled_ties(pairs: list[tuple[int, int]]) -> None:
    value_, spend = np.array([a for a, _ in pairs], float), np.array([b for _, b in pairs], float)
    if spend.sum() == 0 or len(set(spend)) == 1:
        return

    def area(order: np.ndarray) -> float:
        curve = np.r_[0, np.cumsum(spend[order])] / spend.sum()
        return float(np.trapezoid(curve, dx=1 / len(spend)) - 0.5)

    rng = np.random.default_rng(0)
    shuffles = [rng.permutation(len(spend)) for _ in range(3000)]
    mean = np.mean([area(s[np.argsort(-value_[s], kind="stable")]) for s in shuffles])
    expected = mean / area(np.argsort(-spend))
    got = value(predictions(value_.tolist(), spend.tolist(), "amount"), "spend-gini")
    assert got == pytest.approx(expected, abs=0.06)
