"""The report, worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mercer.contracts import Codes, Floats32
from mercer.language.semantic_ids import ResidualKmeans, report
from mercer.language.semantic_ids.kmeans import Points


def by_hand() -> ResidualKmeans:
    """Two levels on a line: 0 or 10, then 0 or 1."""
    arrays: dict[str, Any] = {
        "at.0": np.float32([[0], [10]]), "price.0": np.zeros(2, np.float32),
        "at.1": np.float32([[0], [1]]), "price.1": np.zeros(2, np.float32),
    }  # fmt: skip
    return ResidualKmeans.of(arrays, ResidualKmeans.Options(levels=2, codes=2))


def test_collisions_balance_and_reconstruction() -> None:
    found = report(by_hand(), np.float32([[0], [0.2], [1], [10]]))
    assert found.n_items == 4
    assert found.collision_rate == pytest.approx(1 / 4)
    assert found.sharing == pytest.approx(2 / 4)
    assert found.largest == 2
    assert found.used == (2, 2)
    assert found.perplexity[0] == pytest.approx(4 / 3**0.75)
    assert found.perplexity[1] == pytest.approx(4 / 3**0.75)
    spread = sum((x - 2.8) ** 2 for x in (0, 0.2, 1, 10))
    assert found.r2 == pytest.approx(1 - 0.04 / spread, rel=1e-5)
    assert "25.00 % collisions" in found.said()


def test_equal_vectors_that_are_met_have_r2_one() -> None:
    assert report(by_hand(), np.full((5, 1), 11, np.float32)).r2 == 1
    assert report(by_hand(), np.full((5, 1), 14, np.float32)).r2 == 0


def test_points_are_what_codes_stand_for() -> None:
    codes: Codes = np.int32([[1, 1]])
    made: Floats32 = by_hand().decode(codes)
    assert made.tolist() == [[11]]
    assert Points(np.float32([[3]]), np.float32([0])).nearest(made).tolist() == [0]
