"""`past-rate`, worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from behavior.examples import QUICK
from mercer.behavior import PastRate
from mercer.behavior.rates import RateTable
from mercer.behavior.spending import SpendRule
from mercer.testing.customers import customer_log, labelled_customers, snapshots_at

LOG = customer_log()


def table(smoothing=2.0):
    frame = pd.DataFrame(
        {"days_since_purchase": [5.0, 5, 50, 50, np.nan], "purchase_days": [1.0, 9, 1, 1, 0]}
    )
    outcome = np.array([0.0, 1, 0, 0, 0])
    return frame, RateTable.fit(frame, outcome, np.arange(5), recency_bins=2, smoothing=smoothing)


def test_a_cell_is_drawn_to_its_recency_and_that_to_the_base_rate():
    frame, rates = table()
    assert rates.base == pytest.approx(1.5 / 6)
    recent = (1 + 2 * 0.25) / (2 + 2)
    assert rates.rows[0] == pytest.approx(recent)
    assert rates.predict(frame).value[:2] == pytest.approx([(0 + 2 * recent) / 3, (1 + 2 * recent) / 3])


def test_who_never_bought_has_a_row_of_its_own():
    frame, rates = table()
    row, column = rates.cell(frame)
    assert row.tolist() == [0, 0, 1, 1, 2]
    assert column.tolist() == [0, 3, 0, 0, 0]


def test_contributions_sum_to_the_log_odds_over_the_base_rate():
    frame, rates = table()
    value = rates.predict(frame).value
    total = np.log(value / (1 - value)) - np.log(rates.base / (1 - rates.base))
    assert rates.contributions(frame).sum(axis=1) == pytest.approx(total)


def test_an_entity_seen_twice_is_one_witness():
    frame, _ = table()
    outcome = np.array([0.0, 1, 0, 0, 0])
    apart = RateTable.fit(frame, outcome, np.arange(5), recency_bins=2, smoothing=2)
    same = RateTable.fit(frame, outcome, np.array([0, 1, 2, 2, 4]), recency_bins=2, smoothing=2)
    assert same.strength[1, 0] == apart.strength[1, 0] - 1


def test_spend_is_the_past_rate_times_one_factor():
    frame = pd.DataFrame({"spend_rate": [10.0, 30.0, np.nan]})
    rule = SpendRule.fit(frame, np.array([100.0, 1500.0, 7.0]))
    assert rule.days == 40
    assert rule.value(frame).tolist() == [400, 1200, 7]


def test_without_any_past_spend_everybody_gets_the_average():
    frame = pd.DataFrame({"spend_rate": [np.nan, np.nan]})
    assert SpendRule.fit(frame, np.array([100.0, 300.0])).value(frame).tolist() == [200, 200]


def test_recent_customers_are_likelier_to_buy():
    fitted = PastRate().fit(labelled_customers(LOG, "probability"), **QUICK)
    snapshots = snapshots_at(LOG, np.arange(LOG.n_users), 300)
    reasons = fitted.explain(snapshots, n=2)
    recency = [r for row in reasons for r in row if r.feature == "days_since_purchase"]
    fresh = [r.contribution for r in recency if r.value < 10]
    stale = [r.contribution for r in recency if r.value > 120]
    assert fresh
    assert stale
    assert min(fresh) > max(stale)
