"""k-means: exact on separate groups, an even share where asked, no point without rows as far as rows differ."""

from __future__ import annotations

import numpy as np
import pytest

from language.semantic_ids.small import vectors
from mercer.language.semantic_ids.kmeans import kmeans, nearest


def chance() -> np.random.Generator:
    return np.random.default_rng(1)


def test_separate_groups_are_found() -> None:
    rows = np.repeat(np.array([[0, 0], [9, 0], [0, 9]], np.float32), 5, axis=0)
    points = kmeans(rows, 3, rounds=10, balance=0, chance=chance())
    assert sorted(map(tuple, points.at.tolist())) == [(0, 0), (0, 9), (9, 0)]
    assert len(set(points.nearest(rows).tolist())) == 3


def test_it_ends_no_worse_than_it_began() -> None:
    rows = vectors(200)

    def error(rounds: int) -> float:
        points = kmeans(rows, 8, rounds=rounds, balance=0, chance=chance())
        return float(((rows - points.at[points.nearest(rows)]) ** 2).sum())

    assert error(20) < error(1)


def test_balance_evens_the_shares_and_new_rows_pay_the_same_prices() -> None:
    rows = (np.random.default_rng(5).standard_normal((600, 3)) ** 3).astype(np.float32)

    def most(balance: float) -> int:
        points = kmeans(rows, 12, rounds=40, balance=balance, chance=chance())
        return int(np.bincount(points.nearest(rows), minlength=12).max())

    assert most(1.0) < most(0.0)
    cheap_is_far = nearest(np.zeros((1, 1), np.float32), np.array([[1], [2]], np.float32), np.float32([9, 0]))
    assert cheap_is_far.tolist() == [1]


@pytest.mark.parametrize("n_different", [1, 2, 3])
def test_points_beyond_the_different_rows_stand_for_nothing(n_different: int) -> None:
    rows = np.repeat(np.eye(n_different, 4, dtype=np.float32) + 0.1, 6, axis=0)
    points = kmeans(rows, 5, rounds=10, balance=0, chance=chance())
    assert int(np.isfinite(points.price).sum()) == n_different
    assert np.isfinite(points.at).all()
    assert points.nearest(rows).max() < n_different


def test_equal_rows_get_equal_points_wherever_they_stand() -> None:
    rows = np.random.default_rng(3).standard_normal((333, 48)).astype(np.float32)
    points = kmeans(rows, 64, rounds=3, balance=0, chance=chance())
    assert points.nearest(rows).tolist() == [int(points.nearest(row[None])[0]) for row in rows]


def test_the_same_chance_gives_the_same_bytes() -> None:
    one, other = (kmeans(vectors(90), 7, rounds=9, balance=0.3, chance=chance()) for _ in range(2))
    assert one.at.tobytes() == other.at.tobytes()
    assert one.price.tobytes() == other.price.tobytes()
