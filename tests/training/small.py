"""A tiny network that learns which item comes next: histories of different lengths, shared negatives, dropout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from mercer.contracts import Runtime
from mercer.environment import device
from mercer.training import TrainingOptions, TrainingRecord, train
from mercer.training.trainee import Rows

N_ITEMS = 40
PAD = N_ITEMS
FACTS = {"data": "shop-1", "model": "next-item"}


class Network(torch.nn.Module):
    """The mean of what came before, through a layer; scores are products with the items' vectors."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.items = torch.nn.Embedding(N_ITEMS + 1, 12, padding_idx=PAD)
        self.layer = torch.nn.Linear(12, 12)
        self.dropout = torch.nn.Dropout(dropout)
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, history: torch.Tensor) -> torch.Tensor:
        """float32[b, t, d] of items int64[b, t]."""
        if self.training:
            self.seen += 1
        vectors = self.dropout(self.items(history))
        places = torch.arange(1, history.shape[1] + 1, device=history.device).view(1, -1, 1)
        return self.layer(vectors.cumsum(1) / places)


class NextItem:
    """A Trainee. rows: how many histories; the weights come from `weight_seed`, the data do not."""

    def __init__(
        self, rows: int = 120, *, dropout: float = 0.1, weight_seed: int = 0, validates: bool = True
    ) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(weight_seed)
            self.module: Any = Network(dropout)
        chance = np.random.default_rng(7)
        self.histories = [_walk(chance, int(n)) for n in chance.integers(3, 14, rows)]
        self.held = torch.tensor(np.stack([_walk(chance, 6) for _ in range(50)]))
        self.validates = validates

    def costs(self) -> Rows:
        return np.array([len(history) - 1 for history in self.histories], dtype=np.int64)

    def loss(self, rows: Rows, generator: torch.Generator) -> tuple[torch.Tensor, float]:
        device = self.module.items.weight.device
        longest = max(len(self.histories[row]) for row in rows)
        padded = np.full((len(rows), longest), PAD)
        for at, row in enumerate(rows):
            padded[at, : len(self.histories[row])] = self.histories[row]
        items = torch.tensor(padded, device=device)
        hidden, answers = self.module(items[:, :-1]), items[:, 1:]
        negatives = torch.randint(N_ITEMS, (16,), generator=generator, device=device)
        real = answers != PAD
        right = (hidden * self.module.items(answers)).sum(-1, keepdim=True)
        wrong = hidden @ self.module.items(negatives).T
        losses = -torch.log_softmax(torch.cat([right, wrong], -1), -1)[..., 0]
        return losses[real].sum(), float(real.sum())

    def validate(self) -> float | None:
        if not self.validates:
            return None
        held = self.held.to(self.module.items.weight.device)
        scores = self.module(held[:, :-1])[:, -1] @ self.module.items.weight[:N_ITEMS].T
        better = (scores > scores.gather(1, held[:, -1:])).sum(1)
        return float((1.0 / (1.0 + better)).mean())


def _walk(chance: np.random.Generator, n: int) -> np.ndarray:
    """Mostly to the next item but one, from a random start: something to be learned."""
    steps = np.where(chance.random(n) < 0.8, 2, chance.integers(0, N_ITEMS, n))
    return np.cumsum(steps) % N_ITEMS


def options(**given: Any) -> TrainingOptions:
    """Quick ones."""
    quick = {"epochs": 4, "batch_tokens": 60, "learning_rate": 0.02, "estimate_steps": 0, "patience": 0}
    return TrainingOptions(**{**quick, **given})


def trained(
    trainee: NextItem | None = None, *, runtime: Runtime | None = None, seed: int = 1, **given: Any
) -> tuple[NextItem, TrainingRecord]:
    """A trainee after its training, and the record."""
    trainee = trainee or NextItem()
    record = train(trainee, options(**given), seed=seed, facts=FACTS, runtime=runtime or here())
    return trainee, record


def weights(trainee: NextItem) -> dict[str, torch.Tensor]:
    """A copy of all that the module holds."""
    return {name: one.clone() for name, one in trainee.module.state_dict().items()}


def here(**given: Any) -> Runtime:
    """Where the tests train: on the CPU, or where `pytest --device` says."""
    return Runtime(threads=1, device=device(), **given)


# On a GPU sums are added up in an order that changes: equal means near there, and to the bit on the CPU.
_NEAR = {"rtol": 1e-3, "atol": 1e-4}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    """Whether weights are equal."""
    if a.keys() != b.keys():
        return False
    if device() == "cpu":
        return all(torch.equal(a[name], b[name]) for name in a)
    return all(torch.allclose(a[name].cpu(), b[name].cpu(), **_NEAR) for name in a)


def equal(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether losses are equal."""
    return tuple(a) == tuple(b) if device() == "cpu" else bool(np.allclose(a, b, **_NEAR))


def equal_validations(a: TrainingRecord, b: TrainingRecord) -> bool:
    """Whether two trainings were evaluated after the same steps with the same values."""
    if device() == "cpu":
        return a.validations == b.validations
    return [one.step for one in a.validations] == [one.step for one in b.validations]
