"""The network looks back only; dropout drops the share it was asked for; a cold item is what content says."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mercer.recommend.sequence.events import Events, Spans
from mercer.recommend.sequence.network import dropped
from mercer.testing.small_shop import small_dataset
from tests.recommend.sequence.networks import RANKERS, batch, chance_network, options, states


@pytest.mark.parametrize("encoder", RANKERS)
def test_the_future_changes_nothing(encoder: str) -> None:
    heard = small_dataset().interactions
    made = chance_network(encoder, heard, options())
    asked = batch(Events.of(heard, ("view", "purchase")), Spans.ends(heard, 12))
    other = replace(
        asked,
        item=torch.cat((asked.item[:, :6], 23 - asked.item[:, 6:]), 1),
        minute=torch.cat((asked.minute[:, :6], asked.minute[:, 6:] + 10**5), 1),
    )
    torch.testing.assert_close(states(made, asked)[:, :6], states(made, other)[:, :6])
    assert not torch.allclose(states(made, asked)[:, 6:], states(made, other)[:, 6:])


def test_ligr_reads_times_and_kinds_and_sasrec_does_not() -> None:
    heard = small_dataset().interactions
    asked = batch(Events.of(heard, ("view", "purchase")), Spans.ends(heard, 12))
    later = replace(asked, minute=asked.minute * 7)
    swapped = replace(asked, kind=1 - asked.kind)
    spread = replace(asked, gap=asked.gap.flip(1))
    for encoder, reads in (("ligr", True), ("sasrec", False)):
        made = chance_network(encoder, heard, options())
        for changed in (later, swapped, spread):
            assert torch.allclose(states(made, asked), states(made, changed)) is not reads


def test_dropout_drops_its_share_and_keeps_the_mean() -> None:
    x = torch.ones(1003, 101)
    out = dropped(x, 0.3, torch.Generator().manual_seed(1))
    assert (out == 0).float().mean().item() == pytest.approx(0.3, abs=0.005)
    assert out.mean().item() == pytest.approx(1, abs=0.01)
    assert dropped(x, 0.3, None) is x


def test_cold_items_share_a_learned_vector_in_place_of_an_id() -> None:
    heard = small_dataset().interactions
    made = chance_network("sasrec", heard.where(heard.item != 5), options(content=()))
    vectors = made.items(torch.arange(24))
    assert torch.equal(vectors[5], made.items.unknown)
    assert not torch.equal(vectors[4], made.items.unknown)


def test_ids_are_dropped_in_training_alone() -> None:
    heard = small_dataset().interactions
    made = chance_network("sasrec", heard, options(content=(), id_dropout=0.5))
    codes, chance = torch.arange(24), torch.Generator().manual_seed(1)
    hidden = (made.items(codes, chance) == made.items.unknown).all(1)
    assert 4 <= hidden.sum() <= 20
    assert not (made.items(codes) == made.items.unknown).all(1).any()
