from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from mercer.errors import UsageError
from mercer.evaluation import least_detectable, widest_sd


def test_by_hand() -> None:
    found = least_detectable(n=400, sd=2.0, mean=10.0, paired=True)
    assert found.absolute == pytest.approx((norm.ppf(0.975) + norm.ppf(0.8)) * 2 / 20)
    assert found.relative == pytest.approx(found.absolute / 10)


def test_a_difference_of_that_size_is_found_about_eight_times_in_ten() -> None:
    rng = np.random.default_rng(0)
    least = least_detectable(n=200, sd=1.0, paired=True).absolute
    samples = rng.normal(least, 1.0, (2000, 200))
    z = samples.mean(1) / (samples.std(1, ddof=1) / np.sqrt(200))
    assert np.mean(np.abs(z) > 1.96) == pytest.approx(0.8, abs=0.03)


def test_pilot_values_give_the_same_as_their_sd() -> None:
    values = [0.0, 1.0, 0.5, 0.25, 1.0, 0.0]
    by_values = least_detectable(values=values)
    assert by_values == least_detectable(n=6, sd=float(np.std(values, ddof=1)), mean=float(np.mean(values)))


def test_too_little_to_go_on_is_refused() -> None:
    with pytest.raises(UsageError, match="at least two units"):
        least_detectable(values=[1.0])
    with pytest.raises(UsageError):
        least_detectable(n=10)


def test_no_share_spreads_wider_than_a_coin() -> None:
    assert widest_sd(0.5) == 0.5
    values = np.random.default_rng(0).random(100)
    assert values.std() <= widest_sd(float(values.mean()))
    with pytest.raises(UsageError):
        widest_sd(1.2)
