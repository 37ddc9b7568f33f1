"""Conformal bands of amounts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.behavior.bands import Bands


def draw(n, seed):
    """Predictions and outcomes: mostly nothing, sometimes lognormal around the prediction."""
    rng = np.random.default_rng(seed)
    value = rng.lognormal(5, 1.5, n)
    return value, np.where(rng.random(n) < 0.4, 0.0, value * rng.lognormal(0.2, 0.8, n))


def test_thirty_nine_ratios_leave_out_only_the_extremes():
    """With 39 rows, 40 * 0.975 = 39: the 39th smallest ratio above, and the smallest one below."""
    value = np.full(39, 999.0)
    outcome = np.arange(1, 40) * 1000.0
    bands = Bands.fit(value, outcome)
    assert bands.floor == 1000.0
    low, high = bands.interval(np.array([999.0]))
    assert low[0] == 999.0  # 1,000 by the ratio, and never above the value itself
    assert high[0] == pytest.approx(39_000)


@pytest.mark.parametrize("n", [400, 4000])
def test_new_outcomes_lie_inside_95_times_in_100(n):
    inside = []
    for seed in range(20):
        value, outcome = draw(n, seed)
        new, true = draw(2000, 1000 + seed)
        low, high = Bands.fit(value, outcome).interval(new)
        inside.append(np.mean((low <= true) & (true <= high)))
    assert 0.94 < np.mean(inside) < 0.975


def test_every_range_of_predictions_is_covered():
    value, outcome = draw(20_000, 1)
    new, true = draw(20_000, 2)
    low, high = Bands.fit(value, outcome).interval(new)
    for part in np.array_split(np.argsort(new), 5):
        assert np.mean((low <= true)[part] & (true <= high)[part]) > 0.93


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1e9), st.floats(0, 1e9)), min_size=1, max_size=30), st.floats(0, 1e12))
def test_the_value_lies_in_its_interval(rows, new):
    value, outcome = np.array(rows).T
    low, high = Bands.fit(value, outcome).interval(np.append(value, new))
    assert (low >= 0).all()
    assert (low <= np.append(value, new)).all()
    assert (high >= np.append(value, new)).all()


def test_ties_in_the_predictions_leave_no_band_empty():
    value = np.concatenate([np.zeros(1500), np.ones(500)])
    bands = Bands.fit(value, np.arange(2000.0))
    assert len(bands.high) == len(bands.edges) + 1
    assert np.isfinite(bands.high).all()


def test_they_survive_json():
    bands = Bands.fit(*draw(1000, 1))
    assert Bands.parse(bands.dump()) == bands
