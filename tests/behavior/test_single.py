"""The naive rows: one number each."""

from __future__ import annotations

import numpy as np
import pytest

from mercer.behavior import PastFrequency, PastSpend, Recency
from mercer.contracts import Budget, Runtime
from mercer.features import compute
from mercer.testing.customers import customer_log, labelled_customers

LOG = customer_log()


@pytest.mark.parametrize("cls", [PastSpend, PastFrequency, Recency])
@pytest.mark.parametrize("kind", ["probability", "amount"])
def test_the_order_is_that_of_the_number(cls, kind):
    train = labelled_customers(LOG, kind)
    model = cls(cls.Options(kind=kind)).fit(train, budget=Budget(), seed=1, runtime=Runtime())
    said = model.predict(train.snapshots).value
    number = cls.strength(compute(train.snapshots)[cls.feature].to_numpy())
    up = np.argsort(number, kind="stable")
    assert (np.diff(said[up]) >= -1e-12).all() or kind == "amount"
    if kind == "amount":
        known = number > 0
        assert np.allclose(said[known] / number[known], said[known][0] / number[known][0])
        assert said[known].sum() == pytest.approx(train.outcome[known].sum())


def test_a_month_ago_is_half_of_today_and_never_is_nothing():
    assert Recency.strength(np.array([0.0, 30.0, 335.0, np.nan])) == pytest.approx(
        [365 / 30, 365 / 60, 1.0, 0.0]
    )


@pytest.mark.parametrize("cls", [PastSpend, PastFrequency, Recency])
def test_probabilities_have_the_mean_of_the_outcomes_they_were_fitted_to(cls):
    train = labelled_customers(LOG, "probability")
    model = cls().fit(train, budget=Budget(), seed=1, runtime=Runtime())
    assert model.predict(train.snapshots).value.mean() == pytest.approx(train.outcome.mean(), abs=0.01)
