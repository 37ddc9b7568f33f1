from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.errors import DataError
from mercer.training.sampler import Sampler

costs = st.lists(st.integers(1, 60), min_size=1, max_size=400).map(lambda one: np.array(one, dtype=np.int64))


@given(costs, st.integers(1, 200), st.integers(0, 5))
def test_every_row_is_in_one_batch_and_no_batch_costs_too_much(
    costs: np.ndarray, batch_tokens: int, epoch: int
) -> None:
    sampler = Sampler(costs, batch_tokens, seed=3)
    batches = sampler.batches(epoch)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(costs)))
    for batch in batches:
        assert len(batch) == 1 or sampler.padded(batch) <= batch_tokens
        assert (np.diff(costs[batch]) <= 0).all(), (
            "rows of a batch are sorted, so that processes share them well"
        )


@given(costs, st.integers(0, 1000))
def test_a_plan_is_a_function_of_seed_and_epoch(costs: np.ndarray, seed: int) -> None:
    one, other = Sampler(costs, 90, seed=seed), Sampler(costs, 90, seed=seed)
    other.batches(5)
    for epoch in (2, 0):
        assert [b.tolist() for b in one.batches(epoch)] == [b.tolist() for b in other.batches(epoch)]


def test_epochs_and_seeds_differ() -> None:
    costs = np.arange(1, 200, dtype=np.int64)
    plans = [
        [batch.tolist() for batch in Sampler(costs, 400, seed=seed).batches(epoch)]
        for seed in (1, 2)
        for epoch in (0, 1)
    ]
    assert all(a != b for at, a in enumerate(plans) for b in plans[:at])


def test_rows_of_similar_cost_come_together() -> None:
    costs = np.random.default_rng(0).integers(1, 51, 5000)
    sampler = Sampler(costs, 1000, seed=1)
    padded = sum(sampler.padded(batch) for batch in sampler.batches(0))
    assert padded < 1.05 * costs.sum(), "at random it would be about twice as much"


def test_batches_do_not_come_in_the_order_of_their_cost() -> None:
    sampler = Sampler(np.random.default_rng(0).integers(1, 51, 5000), 1000, seed=1)
    longest = [sampler.longest(batch) for batch in sampler.batches(0)]
    assert abs(np.corrcoef(longest, np.arange(len(longest)))[0, 1]) < 0.3


def test_no_rows_and_a_row_without_cost_are_refused() -> None:
    with pytest.raises(DataError, match="no rows to train on"):
        Sampler(np.array([], dtype=np.int64), 10, seed=1)
    with pytest.raises(DataError, match="Training row 1 has the cost 0"):
        Sampler(np.array([3, 0], dtype=np.int64), 10, seed=1)
