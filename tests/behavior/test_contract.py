"""Both predictors keep every promise of the contract."""

from typing import ClassVar

from mercer.behavior import LightGbm, PastRate
from mercer.testing.predictors import PredictorContract


class TestPastRate(PredictorContract):
    predictor = PastRate


class TestLightGbm(PredictorContract):
    predictor = LightGbm
    options: ClassVar = {"rounds": 40, "folds": 3, "min_rows_per_leaf": 10}
