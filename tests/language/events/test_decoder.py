from __future__ import annotations

import numpy as np
import pytest
import torch

from language.events.small import EVERY, decoder, log
from mercer.contracts import Ragged


@pytest.mark.parametrize("family", ["gpt2", "llama", "mistral"])
def test_the_class_is_transformers_own(family: str) -> None:
    made = decoder(family=family)
    assert type(made.model).__module__.startswith("transformers.models.")
    assert made.model.config.model_type == family
    assert made.model.config.vocab_size == made.tokenizer.size
    assert not made.model.training


@pytest.mark.parametrize("family", ["gpt2", "llama", "mistral"])
@pytest.mark.parametrize("tied", [True, False])
def test_logits_are_a_part_of_the_models_own(family: str, tied: bool) -> None:
    made = decoder(family=family, tied=tied)
    ids = torch.arange(1, 9)[None]
    whole = made.model(input_ids=ids).logits
    assert torch.allclose(made.logits(made.states(ids), 3, 11), whole[..., 3:11], atol=1e-6)


def test_the_seed_decides_the_weights() -> None:
    one, same, other = decoder(seed=1), decoder(seed=1), decoder(seed=2)
    ids = torch.arange(5)[None]
    assert torch.equal(one.states(ids), same.states(ids))
    assert not torch.equal(one.states(ids), other.states(ids))


@pytest.mark.parametrize("family", ["gpt2", "llama", "mistral"])
def test_company_changes_no_state(family: str) -> None:
    made = decoder(EVERY, family=family)
    rows = made.tokenizer.rows(log())
    last, mean = made.pooled(rows, batch_tokens=200)
    for row in range(len(rows)):
        alone = made.pooled(rows.take(np.array([row])))
        assert np.allclose(alone[0][0], last[row], atol=1e-5)
        assert np.allclose(alone[1][0], mean[row], atol=1e-5)
    ids = torch.from_numpy(rows[2].astype(np.int64))[None]
    states = made.states(ids)[0].detach().numpy()
    assert np.allclose(states[-1], last[2], atol=1e-5)
    assert np.allclose(states.mean(0), mean[2], atol=1e-5)


def test_no_rows_give_no_states() -> None:
    last, mean = decoder().pooled(Ragged.from_rows([]))
    assert last.shape == mean.shape == (0, 16)
