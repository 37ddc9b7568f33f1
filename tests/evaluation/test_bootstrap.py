from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evaluation.small import predictions
from mercer.evaluation import measure
from mercer.evaluation.bootstrap import interval, replicates, two_sided_p
from mercer.evaluation.measure import Measure


def mean_of(values: np.ndarray, cluster: np.ndarray | None = None) -> Measure:
    n = len(values)
    codes = np.arange(n) if cluster is None else cluster
    return Measure(
        keys=pd.RangeIndex(n), cluster=codes.astype(np.int64), clusters=pd.RangeIndex(int(codes.max()) + 1),
        weight=np.ones(n), values=values,
    )  # fmt: skip


def test_the_interval_of_a_mean_is_the_textbook_one() -> None:
    values = np.random.default_rng(0).normal(10, 3, 2000)
    found = interval(replicates([mean_of(values)], n=2000)[:, 0], values.mean(), centred=False)
    half = 1.96 * values.std() / np.sqrt(2000)
    assert found.low == pytest.approx(values.mean() - half, abs=0.02)
    assert found.high == pytest.approx(values.mean() + half, abs=0.02)


def test_repeated_units_of_a_cluster_do_not_narrow_the_interval() -> None:
    values = np.random.default_rng(0).normal(0, 1, 200)
    alone = replicates([mean_of(values)], n=500, seed=1)[:, 0]
    thrice = replicates([mean_of(np.repeat(values, 3), np.repeat(np.arange(200), 3))], n=500, seed=1)[:, 0]
    assert np.allclose(alone, thrice)


def test_the_seed_decides_and_blocks_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    measures = [mean_of(np.arange(50.0))]
    whole = replicates(measures, n=40, seed=3)
    assert not np.array_equal(whole, replicates(measures, n=40, seed=4))
    monkeypatch.setattr("mercer.evaluation.bootstrap._CELLS", 120)
    assert np.array_equal(whole, replicates(measures, n=40, seed=3))


def test_pooled_and_per_unit_measures_share_their_draws() -> None:
    rng = np.random.default_rng(2)
    scored = predictions(rng.random(80).tolist(), rng.integers(0, 2, 80).tolist())
    both = replicates([measure(scored, "brier"), measure(scored, "auc")], n=30)
    alone = replicates([measure(scored, "auc")], n=30)
    assert np.array_equal(both[:, 1], alone[:, 0])


def test_measures_of_other_clusters_can_not_share_draws() -> None:
    with pytest.raises(ValueError, match="same clusters"):
        replicates([mean_of(np.arange(5.0)), mean_of(np.arange(6.0))])


def test_about_95_of_100_intervals_cover_the_truth() -> None:
    rng = np.random.default_rng(8)
    hits = 0
    for trial in range(200):
        values = rng.exponential(1.0, 100)
        found = interval(replicates([mean_of(values)], n=400, seed=trial)[:, 0], values.mean(), centred=False)
        hits += found.low is not None and found.high is not None and found.low <= 1.0 <= found.high
    assert 180 <= hits <= 199


def test_a_centred_interval_lies_around_the_value() -> None:
    found = interval(np.array([0.4, 0.5, 0.6] * 20), 0.9, centred=True)
    assert found.low == pytest.approx(0.8)
    assert found.high == pytest.approx(1.0)


def test_too_many_undefined_resamples_give_no_interval() -> None:
    found = interval(np.array([np.nan] * 10 + [1.0] * 90), 1.0, centred=False)
    assert (found.low, found.high) == (None, None)


def test_bootstrap_p_counts_what_lies_beyond_zero() -> None:
    samples = np.r_[np.full(5, -1.0), np.full(94, 1.0)]
    assert two_sided_p(samples, 1.0, centred=False) == pytest.approx(2 * 6 / 100)
    assert two_sided_p(np.full(10, np.nan), 1.0, centred=False) is None
