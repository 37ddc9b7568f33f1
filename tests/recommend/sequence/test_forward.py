"""What serves in NumPy is the network that PyTorch trained: states and scores within 1e-5, the same ten first."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.recommend.sequence import forward
from mercer.recommend.sequence.events import Events, Spans
from mercer.recommend.sequence.forward import Forward
from mercer.recommend.sequence.trainee import SequenceTrainee
from mercer.testing.small_shop import small_dataset
from tests.recommend.sequence.networks import RANKERS, batch, options, states, trainee


def both(encoder: str, blocks: int, window: int, seed: int):
    """States after the end of each history of the small shop, by NumPy and by PyTorch; and the item vectors."""
    chosen = options(blocks=blocks, window=window)
    made: SequenceTrainee = trainee(encoder, chosen, seed)
    heard = small_dataset().interactions
    events, spans = Events.of(heard, chosen.kinds), Spans.ends(heard, window)
    arrays = made.arrays()
    served = Forward(arrays, chosen.heads, chosen.blocks).states(events, spans)
    trained = states(made.network, batch(events, spans))
    return served, trained[torch.arange(len(spans)), torch.from_numpy(spans.length - 1)].numpy(), arrays


@pytest.mark.parametrize("encoder", RANKERS)
@settings(max_examples=12, deadline=None)
@given(blocks=st.integers(1, 3), window=st.integers(1, 40), seed=st.integers(0, 99))
def test_numpy_says_what_torch_says(encoder: str, blocks: int, window: int, seed: int) -> None:
    served, trained, arrays = both(encoder, blocks, window, seed)
    np.testing.assert_allclose(served, trained, rtol=1e-5, atol=1e-5)
    one, other = served @ arrays["vectors"].T, trained @ arrays["vectors"].T
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
    assert np.array_equal(np.argsort(-one)[:, :10], np.argsort(-other)[:, :10])


def test_pieces_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = both("ligr", 2, 20, 1)[0]
    monkeypatch.setattr(forward, "_PIECE", 30)
    np.testing.assert_allclose(both("ligr", 2, 20, 1)[0], whole, rtol=1e-5, atol=1e-5)


def test_empty_histories_have_no_state() -> None:
    made = trainee("sasrec", options())
    heard = small_dataset().interactions.blank(np.arange(30) % 2 == 0)
    found = Forward(made.arrays(), 2, 3).states(Events.of(heard, ("view", "purchase")), Spans.ends(heard, 12))
    assert not found[::2].any()
    assert found[1::2].any(axis=1).all()
