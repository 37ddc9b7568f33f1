from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.training import TrainingOptions
from mercer.training.schedule import learning_rate


@pytest.mark.parametrize(
    ("decay", "half", "end"), [("cosine", 0.5, 0.0), ("linear", 0.5, 0.0), ("constant", 1.0, 1.0)]
)
def test_it_rises_over_the_warm_up_and_then_falls_as_chosen(decay: str, half: float, end: float) -> None:
    options = TrainingOptions(learning_rate=0.1, warmup=0.2, decay=decay)
    assert learning_rate(options, 0.0) == 0.0
    assert learning_rate(options, 0.1) == pytest.approx(0.05)
    assert learning_rate(options, 0.2) == pytest.approx(0.1)
    assert learning_rate(options, 0.6) == pytest.approx(0.1 * half)
    assert learning_rate(options, 1.0) == pytest.approx(0.1 * end)


@given(st.floats(0, 1), st.floats(0, 0.99), st.sampled_from(["cosine", "linear", "constant"]))
def test_it_is_never_negative_nor_above_the_highest(done: float, warmup: float, decay: str) -> None:
    options = TrainingOptions(learning_rate=0.1, warmup=warmup, decay=decay)
    assert 0.0 <= learning_rate(options, done) <= 0.1 + 1e-12
