"""What search rankers share."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mercer.search.ranking import best


@given(st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 2.0]), max_size=30), st.integers(0, 35))
def test_the_best_are_the_first_of_a_stable_sort(values: list[float], k: int) -> None:
    array = np.array(values, np.float64)
    assert best(array, k).tolist() == np.argsort(-array, kind="stable")[:k].tolist()
