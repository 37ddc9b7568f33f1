"""The line from scores to probabilities, and its interval."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from behavior.examples import sigmoid
from mercer.behavior.calibration import Calibration, log_odds
from mercer.behavior.calibration import sigmoid as stable


def scores(n, seed, intercept=-0.7, slope=0.5):
    rng = np.random.default_rng(seed)
    score = rng.normal(scale=2, size=n)
    return score, (rng.random(n) < sigmoid(intercept + slope * score)).astype(float)


def test_it_equals_logistic_regression_on_large_samples():
    score, outcome = scores(20_000, 1)
    found = Calibration.fit(score, outcome, np.arange(20_000))
    oracle = LogisticRegression(C=1e9).fit(score[:, None], outcome)
    assert found.slope == pytest.approx(float(oracle.coef_[0, 0]), abs=2e-3)
    assert found.intercept == pytest.approx(float(oracle.intercept_[0]), abs=2e-3)


def test_the_interval_covers_the_true_probability_in_95_of_100_samples():
    at = np.array([-3.0, 0.0, 3.0])
    truth = sigmoid(-0.7 + 0.5 * at)
    inside = np.zeros(3)
    for seed in range(200):
        score, outcome = scores(400, seed)
        low, high = Calibration.fit(score, outcome, np.arange(400)).interval(at, np.zeros(3))
        inside += (low <= truth) & (truth <= high)
    assert (inside / 200 > 0.90).all()
    assert (inside / 200 < 0.995).all()


def test_repeated_rows_of_an_entity_do_not_narrow_the_interval():
    score, outcome = scores(300, 3)
    once = Calibration.fit(score, outcome, np.arange(300))
    often = Calibration.fit(np.tile(score, 5), np.tile(outcome, 5), np.tile(np.arange(300), 5))
    width_once, width_often = (
        np.diff(c.interval(np.zeros(1), np.zeros(1)), axis=0)[0, 0] for c in (once, often)
    )
    assert width_often == pytest.approx(width_once, rel=0.05)


def test_perfectly_separated_scores_give_finite_parameters():
    score = np.concatenate([np.full(50, -9.0), np.full(50, 9.0)])
    found = Calibration.fit(score, (score > 0).astype(float), np.arange(100))
    assert np.isfinite([found.intercept, found.slope, *found.covariance]).all()
    assert 0 < found.value(np.array([-9.0]))[0] < 0.1


def test_scores_that_are_worse_than_chance_become_the_base_rate():
    score, outcome = scores(2000, 4, slope=-1.0)
    found = Calibration.fit(score, outcome, np.arange(2000))
    assert found.slope == 0
    assert found.value(score) == pytest.approx(np.full(2000, (outcome.sum() + 0.5) / 2001))


def test_equal_scores_are_no_obstacle():
    found = Calibration.fit(np.zeros(40), np.arange(40) % 4 == 0, np.arange(40))
    assert found.value(np.zeros(1))[0] == pytest.approx(11 / 42, abs=0.02)


@pytest.mark.parametrize(("shift", "scale"), [(40.0, 1.0), (-900.0, 1.0), (0.0, 1e-4), (7.0, 300.0)])
def test_the_scale_of_a_score_changes_nothing(shift, scale):
    score, outcome = scores(1000, 6)
    entity = np.arange(1000)
    plain, moved = (
        Calibration.fit(score, outcome, entity),
        Calibration.fit(shift + scale * score, outcome, entity),
    )
    at = np.array([-2.0, 0.0, 3.0])
    assert moved.value(shift + scale * at) == pytest.approx(plain.value(at), abs=1e-6)
    for one, other in zip(
        moved.interval(shift + scale * at, np.zeros(3)), plain.interval(at, np.zeros(3)), strict=True
    ):
        assert one == pytest.approx(other, abs=1e-4)


def test_a_wider_spread_of_scores_widens_the_interval():
    score, outcome = scores(500, 5)
    found = Calibration.fit(score, outcome, np.arange(500))
    narrow, wide = (np.diff(found.interval(np.zeros(1), np.full(1, s)), axis=0)[0, 0] for s in (0.0, 1.0))
    assert wide > narrow > 0


def test_the_sigmoid_never_overflows():
    with np.errstate(all="raise"):
        assert stable(np.array([-700.0, 0.0, 700.0])) == pytest.approx([0, 0.5, 1])


def test_it_survives_json():
    found = Calibration(log_odds(0.2), 0.9, (0.1, 0.01, 0.2))
    assert Calibration.parse(found.dump()) == found
