"""What is drawn is as likely as the correction says; the binary loss is what its paper says."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from mercer.recommend.sequence.losses import Candidates, binary_loss, softmax_loss


def test_the_offset_is_how_often_an_item_is_a_candidate() -> None:
    n_items, n_answers, rounds = 8, 3, 4000
    share = torch.tensor([0.5, 0.3, 0.2, 0, 0, 0, 0, 0])
    candidates = Candidates(torch.arange(n_items), share, negatives=2)
    chance = torch.Generator().manual_seed(1)
    met = torch.zeros(n_items)
    for _ in range(rounds):
        answers = torch.multinomial(share, n_answers, replacement=True, generator=chance)
        met[torch.unique(torch.cat((answers, candidates.drawn(chance))))] += 1
    offset = candidates.offset(torch.arange(n_items), n_answers)
    assert offset is not None
    torch.testing.assert_close(met / rounds, offset.exp(), rtol=0.1, atol=0.02)


def test_as_many_negatives_as_items_are_all_items() -> None:
    candidates = Candidates(torch.tensor([1, 4]), torch.zeros(5), negatives=2)
    assert candidates.drawn(torch.Generator()).tolist() == [1, 4]
    assert candidates.offset(torch.tensor([1, 4]), 3) is None


def test_only_known_items_are_drawn() -> None:
    candidates = Candidates(torch.tensor([1, 4, 5]), torch.zeros(6), negatives=2)
    chance = torch.Generator().manual_seed(1)
    drawn = {item for _ in range(50) for item in candidates.drawn(chance).tolist()}
    assert drawn == {1, 4, 5}


@pytest.mark.parametrize(("calibration", "power"), [(0.0, 1.0), (1.0, 0.2), (0.5, 0.6)])
def test_binary_loss_weakens_the_answer_by_the_sampling(calibration: float, power: float) -> None:
    logits, drawn = torch.tensor([[2.0, 0.5, 1.0]]), torch.tensor([False, True, True])
    loss = binary_loss(logits, torch.tensor([0]), drawn, torch.ones(1), calibration=calibration, n_items=11)
    sigma = functional.sigmoid(torch.tensor([2.0, -0.5, -1.0]))
    want = -power * math.log(sigma[0]) - math.log(sigma[1]) - math.log(sigma[2])
    assert loss.item() == pytest.approx(want, rel=1e-5)


def test_the_answer_is_not_held_against_itself() -> None:
    logits, own = torch.tensor([[2.0, 0.5]]), torch.tensor([0])
    both, alone = (
        binary_loss(logits, own, torch.tensor(drawn), torch.ones(1), calibration=0.0, n_items=11).item()
        for drawn in ([True, True], [False, True])
    )
    assert both == pytest.approx(alone)


def test_the_correction_brings_sampling_near_the_full_softmax() -> None:
    """Answers are popular items, so among the candidates of a batch popular items are too many by far."""
    n_items, n_answers = 200, 40
    share = 1 / torch.arange(1.0, n_items + 1)
    share /= share.sum()
    chance = torch.Generator().manual_seed(1)
    candidates = Candidates(torch.arange(n_items), share, negatives=20)
    slopes = {
        "full": torch.zeros(n_items, 8),
        "corrected": torch.zeros(n_items, 8),
        "plain": torch.zeros(n_items, 8),
    }
    start = torch.randn(n_items, 8, generator=chance)
    for _ in range(300):
        states = 0.5 * torch.randn(n_answers, 8, generator=chance)
        answers = torch.multinomial(share, n_answers, replacement=True, generator=chance)
        drawn = torch.unique(torch.cat((answers, candidates.drawn(chance))))
        for name, items, offset in (
            ("full", torch.arange(n_items), None),
            ("corrected", drawn, candidates.offset(drawn, n_answers)),
            ("plain", drawn, None),
        ):
            vectors = start.clone().requires_grad_()
            own = torch.searchsorted(items, answers)
            softmax_loss(states, vectors[items], own, torch.ones(n_answers), offset=offset).backward()
            slopes[name] += vectors.grad
    likeness = {
        name: functional.cosine_similarity(slopes["full"].flatten(), slopes[name].flatten(), dim=0).item()
        for name in ("corrected", "plain")
    }
    assert likeness["corrected"] > 0.9
    assert likeness["plain"] < likeness["corrected"] - 0.05
