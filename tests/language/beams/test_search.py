"""beam_search: only permitted items, the best of them, and the same as Transformers finds."""

import numpy as np
import pytest
import torch

from mercer.contracts import Ragged
from mercer.errors import DivergedError, UsageError
from mercer.language.beams import DecoderSteps, Prefixes, beam_search

from .small import (
    ROWS,
    SIZES,
    STARTS,
    VOCABULARY,
    Even,
    allowed_quickly,
    catalogue,
    exhaustive,
    model,
    prompts,
    rules,
)


def _check_permitted(beams: int, *, requests: int, seed: int) -> None:
    """Decode at least so many beams over random catalogues and rules; none may lead to a forbidden item."""
    rng = np.random.default_rng(seed)
    sizes = (16, 16, 8, 3)
    starts = 8 + np.cumsum([0, *sizes[:-1]])
    rows = [(int(start), int(start + size)) for start, size in zip(starts, sizes, strict=True)]
    decoded = empty = round_ = 0
    while decoded < beams:
        decoder = model(
            ("gpt2", "llama", "mistral")[round_ % 3], layers=1, window=5, seed=seed + round_, vocab_size=64
        )
        n_items = int(rng.choice([1, 7, 300, 2_000, 2_000, 4_000]))
        tree = Prefixes.of(catalogue(n_items, rng, sizes), sizes)
        given = rules(requests, n_items, rng)
        width = int(rng.choice([1, 5, 50, 50, 50]))
        found = beam_search(
            DecoderSteps(decoder, rows),
            prompts(list(rng.integers(1, 12, requests)), rng),
            tree,
            width=width,
            k=width,
            permitted=tree.permitted(requests, **given),
            among_children=bool(rng.random() < 0.5),
        )
        wanted = allowed_quickly(requests, n_items, **given)
        row, place = np.nonzero(found.items >= 0)
        assert wanted[row, found.items[row, place]].all(), "a forbidden item was answered"
        counts = (found.items >= 0).sum(1)
        # A request's beams run dry only where everything permitted was found or the others lie under other prefixes.
        assert ((counts > 0) == wanted.any(1)).all(), "something was permitted and nothing found"
        assert (counts <= wanted.sum(1)).all()
        assert all(len(set(items[:n])) == n for items, n in zip(found.items, counts, strict=True))
        assert (np.isfinite(found.log_probability) == (found.items >= 0)).all()
        assert (np.diff(np.where(found.items >= 0, found.log_probability, -1e9), axis=1) <= 0).all()
        decoded += int(counts.sum())
        empty += int((counts == 0).sum())
        round_ += 1
    assert empty, "no request had nothing permitted"


def test_only_permitted_items_are_found():
    _check_permitted(20_000, requests=60, seed=0)


@pytest.mark.slow
def test_only_permitted_items_are_found_in_a_million_beams():
    _check_permitted(1_000_000, requests=400, seed=1_000)


def test_wide_beams_find_the_best_permitted_items_in_order():
    rng = np.random.default_rng(8)
    codes = catalogue(70, rng)
    tree, decoder = Prefixes.of(codes, SIZES), model("llama")
    begun = prompts([4, 9, 2], rng)
    given = {"available": rng.random(70) < 0.7, "deny": [Ragged.from_rows(rng.integers(0, 70, (3, 20)))]}
    found = beam_search(
        DecoderSteps(decoder, ROWS), begun, tree, width=70, k=10, permitted=tree.permitted(3, **given)
    )
    wanted = np.stack([exhaustive(decoder, prompt, codes) for prompt in begun])
    wanted[~allowed_quickly(3, 70, **given)] = -np.inf
    assert (found.items == np.argsort(-wanted, axis=1)[:, :10]).all()
    np.testing.assert_allclose(found.log_probability, -np.sort(-wanted, axis=1)[:, :10], atol=1e-4)


@pytest.mark.parametrize("family", ["gpt2", "llama", "mistral"])
@pytest.mark.parametrize("width", [1, 6])
def test_it_finds_what_generate_finds(family, width):
    rng = np.random.default_rng(2)
    paths = (catalogue(150, rng) + STARTS).astype(np.int32)
    tree = Prefixes.of(paths, (VOCABULARY,) * 4)
    decoder, begun = model(family), prompts([10] * 5, rng)
    after: dict[tuple, set] = {}
    for path in paths.tolist():
        for step in range(4):
            after.setdefault(tuple(path[:step]), set()).add(path[step])
    ids = torch.from_numpy(np.stack(begun).astype(np.int64))
    # Told outright: token 0 is an ordinary one here, and generate would take it for padding.
    answer = decoder.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        num_beams=width,
        num_return_sequences=width,
        max_new_tokens=4,
        do_sample=False,
        length_penalty=0.0,
        prefix_allowed_tokens_fn=lambda _, told: list(after[tuple(told[10:].tolist())]),
        return_dict_in_generate=True,
        output_scores=True,
    )
    item = {tuple(path): number for number, path in enumerate(paths.tolist())}
    theirs = [item[tuple(path)] for path in answer.sequences[:, 10:].tolist()]
    found = beam_search(DecoderSteps(decoder), begun, tree, width=width, k=width)
    assert found.items.ravel().tolist() == theirs
    if width > 1:
        np.testing.assert_allclose(found.log_probability.ravel(), answer.sequences_scores.numpy(), atol=1e-4)


def test_nothing_permitted_is_no_answer():
    rng = np.random.default_rng(0)
    tree = Prefixes.of(catalogue(40, rng), SIZES)
    steps, begun = DecoderSteps(model("gpt2"), ROWS), prompts([3, 3, 3], rng)
    allow = Ragged.from_rows([[], [5, 5, -1], [-1]])
    found = beam_search(steps, begun, tree, width=4, k=3, permitted=tree.permitted(3, allow=[allow]))
    assert found.items.tolist() == [[-1] * 3, [5, -1, -1], [-1] * 3]
    assert np.isneginf(found.log_probability[[0, 2]]).all()
    withdrawn = tree.permitted(3, available=np.zeros(40, bool))
    assert (beam_search(steps, begun, tree, width=4, k=3, permitted=withdrawn).items == -1).all()


def test_no_requests_no_items_and_one_item():
    steps = DecoderSteps(model("gpt2"), ROWS)
    rng = np.random.default_rng(0)
    tree = Prefixes.of(catalogue(9, rng), SIZES)
    assert beam_search(steps, [], tree, width=4, k=3).items.shape == (0, 3)
    empty = Prefixes.of(np.zeros((0, 4), np.int32), SIZES)
    assert (beam_search(steps, prompts([3], rng), empty, width=4, k=3).items == -1).all()
    one = Prefixes.of(np.zeros((1, 4), np.int32), (1, 1, 1, 1))
    found = beam_search(DecoderSteps(model("gpt2"), [(8, 9)] * 4), prompts([3], rng), one, width=4, k=2)
    assert found.items.tolist() == [[0, -1]]
    assert found.log_probability[0, 0] == 0


def test_ties_go_to_the_smaller_item():
    codes = catalogue(60, np.random.default_rng(3))
    found = beam_search(Even(), [np.zeros(1, np.int32)] * 2, Prefixes.of(codes, SIZES), width=60, k=60)
    assert found.items.tolist() == [list(range(60))] * 2


@pytest.mark.parametrize("sizes", [SIZES, (6, 5, 4, 1)])
def test_probabilities_among_children_sum_to_one_whatever_the_rules(sizes):
    rng = np.random.default_rng(6)
    tree, begun = Prefixes.of(catalogue(50, rng, sizes), sizes), prompts([7, 3], rng)
    steps = DecoderSteps(
        model("llama"), [(start, start + size) for (start, _), size in zip(ROWS, sizes, strict=True)]
    )
    found = beam_search(steps, begun, tree, width=50, k=50, among_children=True)
    np.testing.assert_allclose(np.exp(found.log_probability.astype(float)).sum(1), 1, atol=1e-4)
    few = tree.permitted(2, available=np.arange(50) < 9)
    ruled = beam_search(steps, begun, tree, width=50, k=9, permitted=few, among_children=True)
    for whole, scores, items, part in zip(
        found.items, found.log_probability, ruled.items, ruled.log_probability, strict=True
    ):
        by_item = dict(zip(whole.tolist(), scores.tolist(), strict=True))
        np.testing.assert_allclose(part, [by_item[item] for item in items.tolist()], atol=1e-4)


def test_a_position_with_one_token_is_not_asked_about():
    decoder, read = model("llama"), []
    decoder.model.register_forward_pre_hook(lambda *_: read.append(1))
    rng = np.random.default_rng(0)
    sizes = (6, 5, 4, 1)
    rows = [(start, start + size) for (start, _), size in zip(ROWS, sizes, strict=True)]
    tree = Prefixes.of(catalogue(40, rng, sizes), sizes)
    beam_search(DecoderSteps(decoder, rows), prompts([5], rng), tree, width=4, k=4)
    assert len(read) == 3


def test_a_model_without_numbers_gives_no_answer():
    decoder = model("gpt2")
    with torch.no_grad():
        decoder.transformer.ln_f.weight.fill_(torch.nan)
    rng = np.random.default_rng(0)
    tree = Prefixes.of(catalogue(9, rng), SIZES)
    with pytest.raises(DivergedError, match="not numbers"):
        beam_search(DecoderSteps(decoder, ROWS), prompts([3], rng), tree, width=2, k=2)


def test_other_rules_and_lists_longer_than_beams_are_refused():
    rng = np.random.default_rng(0)
    tree, other = (Prefixes.of(catalogue(9, rng), SIZES) for _ in range(2))
    begun = prompts([3], rng)
    with pytest.raises(UsageError, match="5 items are asked of beams of width 4"):
        beam_search(Even(), begun, tree, width=4, k=5)
    for permitted in (tree.permitted(2), other.permitted(1)):
        with pytest.raises(UsageError, match="The rules are of"):
            beam_search(Even(), begun, tree, width=4, k=4, permitted=permitted)
