"""Every predictor keeps every promise of the contract."""

from typing import ClassVar

from mercer.behavior import (
    BaseRate,
    BgNbdPredictor,
    LightGbm,
    LogisticRegression,
    PastFrequency,
    PastRate,
    PastSpend,
    RandomForest,
    Recency,
)
from mercer.testing.predictors import PredictorContract


class TestBaseRate(PredictorContract):
    predictor = BaseRate
    tells_apart = False


class TestPastRate(PredictorContract):
    predictor = PastRate


class TestPastSpend(PredictorContract):
    predictor = PastSpend


class TestPastFrequency(PredictorContract):
    predictor = PastFrequency


class TestRecency(PredictorContract):
    predictor = Recency


class TestBgNbd(PredictorContract):
    predictor = BgNbdPredictor


class TestLogisticRegression(PredictorContract):
    predictor = LogisticRegression


class TestRandomForest(PredictorContract):
    predictor = RandomForest
    options: ClassVar = {"trees": 10}


class TestLightGbm(PredictorContract):
    predictor = LightGbm
    options: ClassVar = {"rounds": 40, "folds": 3, "min_rows_per_leaf": 10}
