"""The loss of a batch is the sum of its questions' losses, whichever way rows are put together."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from mercer.recommend.sequence.events import Spans
from tests.recommend.sequence.networks import RANKERS, batch, options, states, trainee

QUIET = {"dropout": 0.0, "embedding_dropout": 0.0, "id_dropout": 0.0}


@pytest.mark.parametrize("encoder", RANKERS)
def test_the_full_softmax_is_that_of_every_question(encoder: str) -> None:
    made = trainee(encoder, options(loss="softmax", **QUIET))
    rows = np.array([3, 0, 7, 8])
    loss, terms = made.loss(rows, torch.Generator())
    lessons, want = made._lessons, 0.0
    for row in rows:
        spans = Spans(first=lessons.spans.first[[row]], length=lessons.spans.length[[row]])
        found = (
            states(made.network, batch(made.events, spans))[0] @ torch.from_numpy(made.arrays()["vectors"]).T
        )
        asked = slice(lessons.indptr[row], lessons.indptr[row + 1])
        place, answer = torch.from_numpy(lessons.place[asked]), torch.from_numpy(lessons.answer[asked])
        want += functional.cross_entropy(found[place], answer, reduction="sum").item()
    assert loss.item() == pytest.approx(want, rel=1e-5)
    assert terms == sum(lessons.indptr[rows + 1] - lessons.indptr[rows])


def test_sampling_all_items_is_the_full_softmax() -> None:
    rows, chance = np.arange(5), torch.Generator()
    full = trainee("sasrec", options(loss="softmax", **QUIET)).loss(rows, chance)
    sampled = trainee("sasrec", options(negatives=24, **QUIET)).loss(rows, chance)
    assert full[0].item() == pytest.approx(sampled[0].item(), rel=1e-6)


@pytest.mark.parametrize("loss", ["sampled-softmax", "softmax", "bce"])
def test_every_weight_learns(loss: str) -> None:
    made = trainee("ligr", options(loss=loss, blocks=2, id_dropout=0.3))
    found, _ = made.loss(np.arange(len(made.costs())), torch.Generator().manual_seed(1))
    found.backward()
    for name, weight in made.module.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().sum() > 0, name


def test_the_same_generator_gives_the_same_loss() -> None:
    made = trainee("sasrec", options())
    one, other, third = (
        made.loss(np.arange(6), torch.Generator().manual_seed(seed))[0].item() for seed in (1, 1, 2)
    )
    assert one == other != third
