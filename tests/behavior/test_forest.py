"""Logistic regression and random forest: arrays that answer as scikit-learn's objects do."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from mercer.behavior import LogisticRegression, RandomForest
from mercer.behavior.forest import _filled
from mercer.behavior.matrix import Encoding


def _data(n=600, seed=0):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(n, 4))
    matrix[:, 3] = rng.integers(0, 3, n)
    matrix[rng.random(n) < 0.1, 1] = np.nan
    chance = 1 / (1 + np.exp(-(2 * matrix[:, 0] + np.where(matrix[:, 3] == 1, 1.5, 0) - 0.5)))
    return matrix, (rng.random(n) < chance).astype(float)


ENCODING = Encoding(("a", "b", "c", "d"), {"d": ("x", "y", "z")})


def test_a_forest_of_arrays_answers_as_the_forest_it_was_made_from():
    matrix, outcome = _data()
    options = RandomForest.Options(trees=20, min_rows_per_leaf=5, feature_share=0.5)
    member = RandomForest(options).learn(matrix, outcome, ENCODING, 3, 1)
    oracle = RandomForestClassifier(n_estimators=20, min_samples_leaf=3, max_features=2, random_state=3)
    oracle.fit(_filled(matrix), outcome)
    odds = RandomForest(options).raw(member, matrix)
    said = np.clip(oracle.predict_proba(_filled(matrix))[:, 1], 1e-3, 1 - 1e-3)
    assert 1 / (1 + np.exp(-odds)) == pytest.approx(said)


def test_the_parts_of_a_forest_lead_from_the_root_to_the_rate():
    matrix, outcome = _data()
    forest = RandomForest(RandomForest.Options(trees=15))
    member = forest.learn(matrix, outcome, ENCODING, 1, 1)
    start = member["rate"][member["roots"]].mean()
    rate = 1 / (1 + np.exp(-forest.raw(member, matrix)))
    inside = (rate > 0.002) & (rate < 0.998)
    total = start + forest.parts(member, matrix).sum(axis=1)
    assert total[inside] == pytest.approx(rate[inside])


def test_the_parts_of_a_line_sum_to_its_distance_from_the_average():
    matrix, outcome = _data()
    line = LogisticRegression()
    member = line.learn(matrix, outcome, ENCODING, 1, 1)
    raw, parts = line.raw(member, matrix), line.parts(member, matrix).sum(axis=1)
    assert raw - parts == pytest.approx(np.full(len(raw), (raw - parts)[0]))
    assert np.corrcoef(raw, matrix[:, 0])[0, 1] > 0.8
    of_d = line.parts(member, matrix)[:, 3]
    assert of_d[matrix[:, 3] == 1].min() > of_d[matrix[:, 3] != 1].max()


def test_an_outlier_and_a_missing_value_stay_harmless():
    matrix, outcome = _data()
    line = LogisticRegression()
    member = line.learn(matrix, outcome, ENCODING, 1, 1)
    odd = np.array([[1e12, np.nan, -1e12, np.nan]])
    assert np.isfinite(line.raw(member, odd)).all()
    assert abs(line.raw(member, odd)[0]) < 60
