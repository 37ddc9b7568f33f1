"""What items' vectors add to a decoder: the right item, the right child, in training as in the search."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from language.events.small import EVERY, ITEMS_ALONE, N_ITEMS, ids, log, shape, tokenizer
from mercer.errors import ConflictError, UsageError
from mercer.language.beams import DecoderSteps, beam_search
from mercer.language.events import EventOptions, TaskOptions
from mercer.language.events.decoder import EventDecoder
from mercer.language.events.paths import Paths
from mercer.language.events.tasks import next_event
from mercer.language.events.trainee import EventTrainee
from mercer.testing.trainees import TraineeContract
from mercer.training import Trainee

FAMILIES = ("gpt2", "llama", "mistral")
VECTORS = np.random.default_rng(5).standard_normal((N_ITEMS, 7)).astype(np.float32)


def decoder(
    options: EventOptions = ITEMS_ALONE, *, loud: float = 20.0, meaning: str = "items", **changes: object
) -> EventDecoder:
    """A decoder that reads vectors; loud: how much louder than at the start its weights for them are."""
    made = EventDecoder.new(tokenizer(options), shape(meaning=meaning, **changes), seed=1, vectors=VECTORS)
    assert made.meaning is not None
    weights = made.meaning.weights
    assert (weights.rows is not None) == (meaning == "items")
    with torch.no_grad():
        for weight in (weights.read, weights.foretold):
            weight.mul_(loud)
        if weights.rows is not None:
            weights.rows.normal_(0, 0.02 * loud, generator=torch.Generator().manual_seed(2))
    return made


def rows_of(made: EventDecoder) -> np.ndarray:
    """What was learned of each item."""
    assert made.meaning is not None
    rows = made.meaning.weights.rows
    return np.zeros((N_ITEMS, 16)) if rows is None else rows.detach().numpy()


@pytest.mark.parametrize("options", [ITEMS_ALONE, EVERY], ids=["items", "every field"])
def test_the_item_is_known_at_its_last_token_alone(options: EventOptions) -> None:
    made, shop = tokenizer(options), log()
    rows = made.rows(shop)
    for user, row in enumerate(rows):
        found = Paths(made).items(row[None])[0]
        newest = shop.item[shop.indptr[user] : shop.indptr[user + 1]][-options.window :]
        assert found[found >= 0].tolist() == newest.tolist()
        at = np.flatnonzero(found >= 0)
        assert ((at - 1) % made.n_event == made.n_before + made.n_levels - 1).all()


def test_a_path_that_no_item_has_and_one_cut_off_are_none() -> None:
    made = tokenizer()
    whole = made.paths[3]
    strange = whole.copy()
    strange[-1] = made.item_rows[-1][1] - 1
    rows = np.array([[1, *whole], [1, *strange], [*whole[1:], 1, 1]])
    assert Paths(made).items(rows).tolist() == [[-1, -1, -1, -1, 3], [-1] * 5, [-1] * 5]


@pytest.mark.parametrize("meaning", ["vectors", "items"])
def test_what_is_read_is_of_the_item(meaning: str) -> None:
    made = decoder(meaning=meaning)
    assert made.meaning is not None
    row = torch.from_numpy(made.tokenizer.rows(log((3,)))[0].astype(np.int64))[None]
    read = made.meaning.read(row)[0]
    item = Paths(made.tokenizer).items(row.numpy())[0]
    known = item[item >= 0]
    wanted = VECTORS[known] @ made.meaning.weights.read.detach().numpy().T + rows_of(made)[known]
    np.testing.assert_allclose(read[item >= 0].detach(), wanted, rtol=1e-4, atol=1e-6)
    assert not read[item < 0].any()


@pytest.mark.parametrize("learns", [True, False])
@pytest.mark.parametrize("meaning", ["vectors", "items"])
def test_what_is_foretold_of_a_child_is_the_mean_of_what_lies_below(meaning: str, learns: bool) -> None:
    made = decoder(meaning=meaning)
    assert made.meaning is not None
    tree, codes = made.tokenizer.prefixes, made.tokenizer.ids.codes
    states = torch.randn((len(tree.depths[1]), 16))
    for level, nodes in ((0, np.zeros(len(states), int)), (1, np.arange(len(states)))):
        with torch.set_grad_enabled(learns):
            found = made.meaning.foretold(states, level, nodes).detach().numpy()
        for row, node in enumerate(nodes):
            first = tree.item[tree.depths[level].leaves[node]]
            below = (codes[:, :level] == codes[first, :level]).all(axis=1)
            for token in range(tree.sizes[level]):
                children = np.flatnonzero(below & (codes[:, level] == token))
                wanted = 0.0
                if len(children):
                    turned = made.meaning.weights.foretold.detach().numpy() @ VECTORS[children].mean(axis=0)
                    wanted = float(states[row].numpy() @ (turned + rows_of(made)[children].mean(axis=0)))
                assert found[row, token] == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_loss_is_the_log_probability_that_the_search_gives(family: str) -> None:
    """Two events: the loss of the second is what beams as wide as the catalogue say after the first."""
    made = decoder(family=family)
    shop = log((2,) * N_ITEMS)
    shop.item[:] = np.stack([np.full(N_ITEMS, 4), np.arange(N_ITEMS)], axis=1).ravel()
    weights = np.tile([0.0, 1.0], N_ITEMS)
    lines = next_event(made.tokenizer, shop, TaskOptions(), weights=weights)
    trainee = EventTrainee(made, lines, among_children=True)
    loss = [float(trainee.loss(np.array([row]), torch.Generator())[0].detach()) for row in range(N_ITEMS)]
    assert np.exp(-np.array(loss)).sum() == pytest.approx(1.0, abs=1e-4)
    before = log((1,))
    before.item[:] = 4

    def searched(beside: object) -> np.ndarray:
        steps = DecoderSteps(made.model, made.tokenizer.item_rows, beside=beside)
        found = beam_search(
            steps, [made.tokenizer.rows(before)[0]], made.tokenizer.prefixes,
            width=N_ITEMS, k=N_ITEMS, among_children=True,
        )  # fmt: skip
        out = np.empty(N_ITEMS)
        out[found.items[0]] = found.log_probability[0]
        return out

    np.testing.assert_allclose(searched(made.meaning), -np.array(loss), atol=1e-3)
    assert np.abs(searched(None) + np.array(loss)).max() > 0.1, "the vectors say something"


@pytest.mark.parametrize("family", FAMILIES)
def test_it_comes_back_bit_for_bit(family: str, tmp_path: Path) -> None:
    made = decoder(family=family)
    made.save(tmp_path)
    again = EventDecoder.load(tmp_path, ids(), vectors=VECTORS)
    row = torch.from_numpy(made.tokenizer.rows(log((4,)))[0].astype(np.int64))[None]
    assert torch.equal(again.states(row), made.states(row))
    assert np.array_equal(rows_of(again), rows_of(made))
    assert again.n_weights == made.n_weights
    with pytest.raises(UsageError, match="vectors"):
        EventDecoder.load(tmp_path, ids())
    with pytest.raises(ConflictError, match="shape"):
        EventDecoder.load(tmp_path, ids(), vectors=VECTORS[:, :3])


def test_vectors_are_needed() -> None:
    with pytest.raises(UsageError, match="no vectors"):
        EventDecoder.new(tokenizer(), shape(meaning="vectors"), seed=1)


def test_a_grown_catalogue_reads_the_new_vectors() -> None:
    made = decoder()
    louder = VECTORS.copy()
    louder[4] *= 3
    other = made.over(made.tokenizer, louder)
    row = torch.from_numpy(np.array([[1, *made.tokenizer.paths[4]]], np.int64))
    assert not torch.equal(other.states(row), made.states(row))
    assert torch.equal(made.over(made.tokenizer, VECTORS).states(row), made.states(row))
    with pytest.raises(UsageError, match="vectors"):
        made.over(made.tokenizer)


def test_what_was_kept_is_made_anew_when_weights_change() -> None:
    made = decoder()
    assert made.meaning is not None
    rows, turned = made.meaning.weights.rows, made.meaning.weights.foretold
    assert rows is not None
    states, root = torch.ones((1, 16)), np.zeros(1, int)
    with torch.inference_mode():
        first = made.meaning.foretold(states, 0, root)
    with torch.no_grad():
        rows.add_(1.0)
    with torch.inference_mode():
        second = made.meaning.foretold(states, 0, root)
    token = made.tokenizer.prefixes.depths[1].token
    np.testing.assert_allclose((second - first)[0, token], 16.0, rtol=1e-4)
    with torch.no_grad():
        turned.zero_()
    with torch.inference_mode():
        third = made.meaning.foretold(states, 0, root)
    anew = made.meaning.over(made.tokenizer, VECTORS)
    with torch.inference_mode():
        assert torch.equal(third, anew.foretold(states, 0, root))
    assert not torch.allclose(third, second)


class TestMeaning(TraineeContract):
    def make(self) -> Trainee:
        made = decoder(EVERY, loud=1.0)
        lines = next_event(made.tokenizer, log(), TaskOptions())
        return EventTrainee(made, lines, among_children=True, validation=lines.take(np.arange(2)))
