from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from mercer.evaluation.significance import benjamini_hochberg, holm, sign_flip_p


def test_sign_flips_agree_with_counting_every_assignment() -> None:
    d = np.array([0.3, 0.1, -0.2, 0.5, 0.4, 0.25, 0.0])
    sums = [abs(sum(s * v for s, v in zip(signs, d, strict=True))) for signs in product((-1, 1), repeat=7)]
    exact = np.mean(np.array(sums) >= abs(d.sum()) - 1e-12)
    assert sign_flip_p(d, n=20_000) == pytest.approx(exact, abs=0.01)


def test_no_difference_gives_one_and_a_large_one_the_least_p() -> None:
    assert sign_flip_p(np.zeros(9)) == 1.0
    assert sign_flip_p(np.ones(100), n=999) == pytest.approx(1 / 1000)


def test_p_is_uniform_where_nothing_differs() -> None:
    rng = np.random.default_rng(4)
    p = np.array([sign_flip_p(rng.normal(size=30), n=199, seed=s) for s in range(300)])
    assert 0.02 < np.mean(p < 0.05) < 0.09


def test_the_seed_decides_and_blocks_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    d = np.random.default_rng(0).normal(size=24)
    p = sign_flip_p(d, n=500, seed=1)
    assert p == sign_flip_p(d, n=500, seed=1)
    monkeypatch.setattr("mercer.evaluation.significance._CELLS", 24 * 10)
    assert p == sign_flip_p(d, n=500, seed=1)


def test_holm_by_hand() -> None:
    assert holm([0.01, None, 0.04, 0.03]) == [
        pytest.approx(0.03),
        None,
        pytest.approx(0.06),
        pytest.approx(0.06),
    ]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_benjamini_hochberg_equals_scipy(p: list[float]) -> None:
    assert benjamini_hochberg(p) == pytest.approx(false_discovery_control(p).tolist())


@given(st.lists(st.floats(0, 1), max_size=12))
def test_adjusted_p_keep_the_order_and_never_shrink(p: list[float]) -> None:
    for adjusted in (holm(p), benjamini_hochberg(p)):
        pairs = sorted(zip(p, adjusted, strict=True))
        assert all(b is not None and b >= a - 1e-15 for a, b in pairs)
        assert [b for _, b in pairs] == sorted(b for _, b in pairs if b is not None)
