"""An item's token is one among those that go on from its prefix, so the probabilities of all items sum to one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from language.events.small import EVERY, N_ITEMS, decoder, log, tokenizer
from mercer.errors import DataError
from mercer.language.beams import DecoderSteps, Prefixes, beam_search
from mercer.language.events import Lines, TaskOptions
from mercer.language.events.paths import Paths
from mercer.language.events.tasks import next_event
from mercer.language.events.trainee import EventTrainee
from mercer.testing.trainees import TraineeContract
from mercer.training import Trainee


def test_every_token_goes_on_from_its_own_prefix() -> None:
    made = tokenizer(EVERY)
    paths = Paths(made)
    lines = next_event(made, log(), TaskOptions())
    above = paths.parents(lines)
    of_items = (lines.slot >= made.n_before) & (lines.slot < made.n_before + made.n_levels)
    assert ((above >= 0) == of_items).all()
    for level, slot in enumerate(paths.slots):
        at = np.flatnonzero(lines.slot == slot)
        among = paths.among(level, above[at])
        token = lines.token[at] - made.item_rows[level][0]
        assert among[np.arange(len(at)), token].all(), "the token that came is one of them"
        held = {tuple(path[:level]): set() for path in made.ids.codes.tolist()}
        for path in made.ids.codes.tolist():
            held[tuple(path[:level])].add(path[level])
        prefix = [
            tuple(lines.token[one - level : one] - [r[0] for r in made.item_rows[:level]]) for one in at
        ]
        assert all(set(np.flatnonzero(row)) == held[key] for row, key in zip(among, prefix, strict=True))


def test_a_path_that_no_item_has_is_refused() -> None:
    made = tokenizer()
    lines = next_event(made, log((1,)), TaskOptions())
    strange = lines.token.copy()
    strange[-1] = made.item_rows[-1][1] - 1
    parts = {"indptr": lines.indptr, "slot": lines.slot, "weight": lines.weight}
    with pytest.raises(DataError, match="no item has"):
        Paths(made).parents(Lines(token=strange, **parts))
    slot = lines.slot.copy()
    slot[-1] = -1
    with pytest.raises(DataError, match="not whole"):
        Paths(made).parents(Lines(token=lines.token, **{**parts, "slot": slot}))


def test_the_loss_is_the_log_probability_that_the_search_gives() -> None:
    """One event after nothing: the loss of each item is what beams as wide as the catalogue say of it."""
    made = decoder()
    shop = log((1,) * N_ITEMS)
    shop.item[:] = np.arange(N_ITEMS)
    lines = next_event(made.tokenizer, shop, TaskOptions())
    trainee = EventTrainee(made, lines, among_children=True)
    loss = [float(trainee.loss(np.array([row]), torch.Generator())[0].detach()) for row in range(N_ITEMS)]
    assert np.exp(-np.array(loss)).sum() == pytest.approx(1.0, abs=1e-5)
    ids = made.tokenizer.ids
    found = beam_search(
        DecoderSteps(made.model, made.tokenizer.item_rows),
        [made.tokenizer.rows(log((0,)))[0]],
        Prefixes.of(ids.codes, ids.sizes),
        width=N_ITEMS, k=N_ITEMS, among_children=True,
    )  # fmt: skip
    assert np.allclose(found.log_probability[0], -np.array(loss)[found.items[0]], atol=1e-4)


class TestAmongChildren(TraineeContract):
    def make(self) -> Trainee:
        made = decoder(EVERY)
        lines = next_event(made.tokenizer, log(), TaskOptions())
        return EventTrainee(
            made, lines, among_children=True, label_smoothing=0.1, validation=lines.take(np.arange(2))
        )
