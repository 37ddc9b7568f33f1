"""The contract holds for a sound trainee, and each promise has been seen broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mercer.testing.trainees import TraineeContract
from mercer.training.trainee import Rows
from training.small import NextItem


class TestNextItem(TraineeContract):
    def make(self) -> NextItem:
        return NextItem(24)


class OtherWeights(NextItem):
    def __init__(self, rows: int) -> None:
        super().__init__(rows, weight_seed=np.random.default_rng().integers(1 << 30).item())


class FloatCosts(NextItem):
    def costs(self) -> Rows:
        return super().costs().astype(float)  # type: ignore[return-value]


class Mean(NextItem):
    def loss(self, rows: Rows, generator: torch.Generator) -> tuple[torch.Tensor, float]:
        total, terms = super().loss(rows, generator)
        return total / terms, 1.0


class Counts(NextItem):
    calls = 0

    def loss(self, rows: Rows, generator: torch.Generator) -> tuple[torch.Tensor, float]:
        self.calls += 1
        total, terms = super().loss(rows, generator)
        return total * (1 + 0.01 * self.calls), terms


class Idle(NextItem):
    def __init__(self, rows: int) -> None:
        super().__init__(rows)
        self.module.unused = torch.nn.Parameter(torch.zeros(3))


class ForgetsTerms(NextItem):
    def loss(self, rows: Rows, generator: torch.Generator) -> tuple[torch.Tensor, float]:
        return super().loss(rows, generator)[0], 0.0


class LearnsWhenValidated(NextItem):
    def validate(self) -> float | None:
        self.module.layer.weight += 0.1
        return super().validate()


class OwnChance(NextItem):
    """Its dropout comes from a generator of its own, whose state no checkpoint holds."""

    def __init__(self, rows: int) -> None:
        super().__init__(rows)
        self.chance = np.random.default_rng(0)

    def loss(self, rows: Rows, generator: torch.Generator) -> tuple[torch.Tensor, float]:
        total, terms = super().loss(rows, generator)
        return total * float(self.chance.uniform(0.9, 1.1)), terms


BREAKS = [
    (OtherWeights, "test_two_of_a_kind_begin_alike"),
    (FloatCosts, "test_costs_have_the_declared_form"),
    (Mean, "test_parts_of_a_batch_add_up"),
    (Counts, "test_a_loss_remembers_nothing"),
    (Idle, "test_every_weight_learns"),
    (ForgetsTerms, "test_the_loss_is_a_sum_over_terms"),
    (LearnsWhenValidated, "test_validation_only_looks"),
    (OtherWeights, "test_a_training_repeats_itself"),
    (OwnChance, "test_a_loss_remembers_nothing"),
    (OwnChance, "test_an_interrupted_training_ends_the_same"),
]


@pytest.mark.parametrize(("broken", "promise"), BREAKS)
def test_what_breaks_a_promise_is_caught(broken: type[NextItem], promise: str, tmp_path: Path) -> None:
    class Broken(TraineeContract):
        def make(self) -> NextItem:
            return broken(24)

    arguments = (tmp_path,) if "interrupted" in promise else ()
    with pytest.raises(AssertionError):
        getattr(Broken(), promise)(*arguments)


def test_every_promise_was_seen_broken() -> None:
    promises = {name for name in vars(TraineeContract) if name.startswith("test_")}
    assert {promise for _, promise in BREAKS} == promises
