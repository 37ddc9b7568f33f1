"""BG/NBD and Gamma-Gamma: the published fit, parameters found again, and formulas against simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from conftest import shared_data
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import hyp2f1

from mercer.behavior.bg_nbd import BgNbd, GammaGamma

TRUE = BgNbd(r=0.6, alpha=20.0, a=0.8, b=2.5)


def simulated(n, horizon, seed=0, model=TRUE):
    """Customers observed for `t` days and then for `horizon` more: x, t_x, t and purchases after t."""
    rng = np.random.default_rng(seed)
    rate, leave = rng.gamma(model.r, 1 / model.alpha, n), rng.beta(model.a, model.b, n)
    t = rng.uniform(50, 300, n)
    x, t_x, later = np.zeros(n), np.zeros(n), np.zeros(n)
    for at in range(n):
        clock = 0.0
        while rng.random() >= leave[at] or clock == 0.0:
            clock += rng.exponential(1 / rate[at])
            if clock > t[at] + horizon:
                break
            if clock <= t[at]:
                x[at], t_x[at] = x[at] + 1, clock
            else:
                later[at] += 1
    return x, t_x, t, later


def test_the_published_fit_is_found():
    frame = pd.read_csv(shared_data("cdnow-summary") / "cdnow_customers_summary.csv")
    found = BgNbd.fit(*(frame[name].to_numpy(float) for name in ("frequency", "recency", "T")))
    assert found.r == pytest.approx(0.243, abs=0.001)
    assert found.alpha == pytest.approx(4.414, abs=0.005)
    assert found.a == pytest.approx(0.793, abs=0.002)
    assert found.b == pytest.approx(2.426, abs=0.006)
    summary = [frame[name].to_numpy(float) for name in ("frequency", "recency", "T")]
    assert found.log_likelihood(*summary) == pytest.approx(-9582.4, abs=0.1)


def test_what_the_model_expects_is_what_its_world_does():
    x, t_x, t, later = simulated(30_000, 60.0)
    expected, buys = TRUE.expected(x, t_x, t, 60.0), TRUE.buys(x, t_x, t, 60.0)
    error = 4 * later.std() / np.sqrt(len(later))
    assert expected.mean() == pytest.approx(later.mean(), abs=error)
    assert buys.mean() == pytest.approx((later > 0).mean(), abs=0.012)
    top = expected >= np.quantile(expected, 0.9)
    assert expected[top].mean() == pytest.approx(later[top].mean(), rel=0.06)
    assert buys[top].mean() == pytest.approx((later[top] > 0).mean(), rel=0.04)


def test_what_is_expected_equals_the_published_form():
    rng = np.random.default_rng(5)
    t, x = rng.uniform(0, 300, 500), rng.integers(0, 40, 500).astype(float)
    t_x = np.where(x > 0, t * rng.random(500), 0.0)
    r, alpha, a, b, later = TRUE.r, TRUE.alpha, TRUE.a, TRUE.b, 60.0
    series = hyp2f1(r + x, b + x, a + b + x - 1, later / (alpha + t + later))
    numerator = (a + b + x - 1) / (a - 1) * (1 - ((alpha + t) / (alpha + t + later)) ** (r + x) * series)
    gone = a / (b + np.maximum(x, 1) - 1) * ((alpha + t) / (alpha + t_x)) ** (r + x)
    published = numerator / (1 + np.where(x > 0, gone, 0))
    assert TRUE.expected(x, t_x, t, later) == pytest.approx(published, rel=1e-9)


@given(
    parameters=st.lists(st.floats(-7, 7), min_size=4, max_size=4),
    x=st.integers(0, 800),
    t=st.floats(0, 3000),
    share=st.floats(0, 1),
    horizon=st.floats(0.1, 2000),
)
def test_any_parameters_give_a_probability_and_a_finite_number(parameters, x, t, share, horizon):
    model = BgNbd(*np.exp(parameters))
    known = np.array([float(x)]), np.array([share * t if x else 0.0]), np.array([t])
    [chance], [purchases], [alive] = (
        model.buys(*known, horizon), model.expected(*known, horizon), model.alive(*known),
    )  # fmt: skip
    assert 0 <= chance <= alive <= 1
    assert 0 <= purchases <= alive * horizon * (model.r + x) / (model.alpha + t) * (1 + 1e-9)


def test_the_parameters_of_a_world_are_found_again():
    x, t_x, t, _ = simulated(20_000, 0.0, seed=1)
    found = BgNbd.fit(x, t_x, t)
    assert found.r == pytest.approx(TRUE.r, rel=0.08)
    assert found.alpha == pytest.approx(TRUE.alpha, rel=0.1)
    assert found.a / (found.a + found.b) == pytest.approx(TRUE.a / (TRUE.a + TRUE.b), rel=0.12)


def test_units_of_time_and_money_change_nothing_else():
    x, t_x, t, _ = simulated(3_000, 0.0, seed=2)
    days, weeks = BgNbd.fit(x, t_x, t), BgNbd.fit(x, t_x / 7, t / 7)
    assert weeks.alpha == pytest.approx(days.alpha / 7, rel=1e-3)
    assert weeks.buys(x, t_x / 7, t / 7, 10.0) == pytest.approx(days.buys(x, t_x, t, 70.0), rel=1e-3)


@pytest.mark.parametrize(
    "x",
    [np.zeros(50), np.full(50, 30.0), np.array([0.0])],
    ids=["nobody came back", "everybody alike", "one customer"],
)
def test_the_search_ends_on_data_that_say_little(x):
    t = np.full(len(x), 100.0)
    found = BgNbd.fit(x, np.where(x > 0, 90.0, 0.0), t, penalty=1e-4)
    chance = found.buys(x, np.where(x > 0, 90.0, 0.0), t, 30.0)
    assert ((chance >= 0) & (chance <= 1)).all()
    assert np.isfinite(found.expected(x, np.where(x > 0, 90.0, 0.0), t, 30.0)).all()


def test_the_value_of_a_purchase_day_is_found_again():
    rng = np.random.default_rng(3)
    p, q, gamma, m = 6.0, 4.0, 1500.0, 8000
    n = rng.integers(1, 12, m).astype(float)
    scale = rng.gamma(q, 1 / gamma, m)
    mean = rng.gamma(p * n, 1 / (n * scale))
    found = GammaGamma.fit(n, mean)
    assert (found.p, found.q) == (pytest.approx(p, rel=0.15), pytest.approx(q, rel=0.15))
    true = p / scale
    said = found.expected(n, mean)
    assert ((said - true) ** 2).mean() < 0.9 * ((mean - true) ** 2).mean()
    assert found.expected(np.zeros(1), np.zeros(1))[0] == pytest.approx(p * gamma / (q - 1), rel=0.1)
