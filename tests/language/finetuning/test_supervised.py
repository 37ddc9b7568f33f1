"""The trainee of examples keeps what the loop relies on, with small matrices and with all weights."""

from __future__ import annotations

import pytest
import torch

from language.finetuning.small import EXAMPLES, alone, kept, network, options
from mercer.contracts import Runtime
from mercer.errors import DataError
from mercer.language.finetuning.options import FineTuningOptions
from mercer.language.finetuning.supervised import SupervisedTrainee
from mercer.testing.trainees import TraineeContract
from mercer.training import Trainee, TrainingOptions, train


class SupervisedContract(TraineeContract):
    chosen: FineTuningOptions

    def make(self) -> Trainee:
        some, decoder = network("llama", self.chosen)
        lessons = kept(decoder, EXAMPLES)
        return SupervisedTrainee(some, lessons[2:], self.chosen, lessons[:2])

    def options(self) -> TrainingOptions:
        base = super().options()
        return self.chosen.model_copy(update={**base.model_dump(), "learning_rate": 1e-3})


class TestLora(SupervisedContract):
    chosen = options(pack=False, dropout=0.1)


class TestLoraWithTokens(SupervisedContract):
    chosen = options(pack=False, added_tokens=("<item 1>", "<item 2>"))


class TestFull(SupervisedContract):
    chosen = options(pack=False, method="full")


def test_the_loss_is_that_of_answers_alone() -> None:
    some, decoder = network("gpt2", options())
    lessons = kept(decoder, EXAMPLES)
    trainee = SupervisedTrainee(some, lessons, options())
    some.eval()
    rows = torch.arange(len(trainee.costs())).numpy()
    loss, terms = trainee.loss(rows, torch.Generator())
    each = [alone(some, lesson) for lesson in lessons]
    assert terms == sum(map(len, each)) == sum(lesson[0].n_answer for lesson in lessons)
    assert float(loss.detach()) == pytest.approx(-float(torch.cat(each).sum()), rel=1e-5)


def test_it_learns_its_examples() -> None:
    chosen = options(epochs=60, learning_rate=5e-3)
    some, decoder = network("llama", chosen)
    lessons = kept(decoder, EXAMPLES)
    record = train(
        SupervisedTrainee(some, lessons, chosen, lessons),
        chosen,
        seed=1,
        facts={},
        runtime=Runtime(threads=1),
    )
    assert record.losses[-1] < 0.3 * record.losses[0]
    assert record.best is not None
    assert record.best.value == pytest.approx(-record.losses[-1], abs=0.3)


def test_no_examples_are_refused() -> None:
    some, _ = network("llama", options())
    with pytest.raises(DataError, match="No example"):
        SupervisedTrainee(some, (), options())
