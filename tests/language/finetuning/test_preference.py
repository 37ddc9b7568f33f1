"""Direct preference optimisation: its loss by hand, and what the loop relies on."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from language.finetuning.small import PREFERENCES, alone, kept, network, options
from mercer.contracts import Runtime
from mercer.language.finetuning.preference import PreferenceTrainee
from mercer.testing.trainees import TraineeContract
from mercer.training import Trainee, TrainingOptions, train

CHOSEN = options(method="dpo", row_tokens=150, batch_tokens=300, pack=False)


class TestPreferenceTrainee(TraineeContract):
    def make(self) -> Trainee:
        some, decoder = network("llama", CHOSEN)
        lessons = kept(decoder, PREFERENCES)
        return PreferenceTrainee(some, lessons[2:], CHOSEN, lessons[:2])

    def options(self) -> TrainingOptions:
        return CHOSEN.model_copy(update={**super().options().model_dump(), "learning_rate": 1e-3})


def test_the_loss_is_equation_7() -> None:
    """-log sigmoid(beta * ((log p(y_w) - log ref(y_w)) - (log p(y_l) - log ref(y_l)))), a sum over pairs."""
    chosen = options(method="dpo", beta=0.3, row_tokens=150, batch_tokens=300)
    some, decoder = network("llama", chosen)
    lessons = kept(decoder, PREFERENCES)
    reference = [[float(alone(some, (piece,)).sum()) for piece in lesson] for lesson in lessons]
    with torch.no_grad():
        for name, weight in some.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.05, generator=torch.Generator().manual_seed(1))
    policy = [[float(alone(some, (piece,)).sum()) for piece in lesson] for lesson in lessons]
    margins = [0.3 * ((w - rw) - (x - rx)) for (w, x), (rw, rx) in zip(policy, reference, strict=True)]
    expected = sum(math.log1p(math.exp(-margin)) for margin in margins)
    assert max(map(abs, margins)) > 0.1, "the weights moved too little to show anything"

    trainee = PreferenceTrainee(some, lessons, chosen)
    loss, terms = trainee.loss(np.arange(len(trainee.costs())), torch.Generator())
    assert terms == len(PREFERENCES)
    assert float(loss.detach()) == pytest.approx(expected, abs=1e-3)


def test_before_training_a_preference_is_a_coin() -> None:
    some, decoder = network("mistral", CHOSEN)
    lessons = kept(decoder, PREFERENCES)
    trainee = PreferenceTrainee(some, lessons, CHOSEN, lessons)
    some.eval()
    with torch.no_grad():
        assert trainee.validate() == pytest.approx(math.log(0.5), abs=1e-5)


def test_it_learns_what_was_preferred() -> None:
    chosen = options(method="dpo", epochs=30, learning_rate=3e-3, row_tokens=150, batch_tokens=300)
    some, decoder = network("gpt2", chosen)
    lessons = kept(decoder, PREFERENCES)
    trainee = PreferenceTrainee(some, lessons, chosen, lessons)
    record = train(trainee, chosen, seed=1, facts={}, runtime=Runtime(threads=1))
    assert record.losses[0] == pytest.approx(math.log(2), abs=0.15)
    assert record.best is not None
    assert record.best.value > math.log(0.9)
