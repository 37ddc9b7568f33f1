"""The ensemble of trees."""

from __future__ import annotations

import time

import numpy as np
import pytest

from mercer.behavior.trees import grow
from mercer.contracts import Silent

PARAMS = {"objective": "binary", "num_leaves": 7, "learning_rate": 0.1, "seed": 1, "num_threads": 1}


def grown(signal: float, *, rounds: int = 200, patience: int = 10):
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(600, 3))
    target = (signal * matrix[:, 0] + rng.normal(size=600) > 0).astype(float)
    found = grow(
        matrix, target, fold=np.arange(600) % 4, offset=None, categorical=[], params=PARAMS, rounds=rounds,
        patience=patience, deadline=time.perf_counter() + 60, progress=Silent(),
    )  # fmt: skip
    return matrix, target, found


def test_growth_stops_where_the_held_out_loss_does():
    _, _, noise = grown(0.0)
    _, _, signal = grown(3.0)
    assert noise.rounds < signal.rounds < 200
    for found in (noise, signal):
        assert [member.num_trees() for member in found.trees.members] == [found.rounds] * 4


def test_out_of_fold_scores_come_from_the_member_that_never_saw_the_row():
    matrix, _, found = grown(3.0)
    scores = found.trees.raw(matrix)
    fold = np.arange(600) % 4
    assert np.array_equal(found.out_of_fold, scores[fold, np.arange(600)])


def test_out_of_fold_scores_of_noise_know_nothing():
    _, target, found = grown(0.0)
    assert abs(np.corrcoef(found.out_of_fold, target)[0, 1]) < 0.12


def test_contributions_sum_to_the_mean_score():
    matrix, _, found = grown(2.0, rounds=20)
    contributions, base = found.trees.contributions(matrix)
    assert contributions.sum(axis=1) + base == pytest.approx(found.trees.raw(matrix).mean(axis=0), abs=1e-10)
