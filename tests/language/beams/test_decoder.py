"""DecoderSteps: beams side by side get what each would get alone by plain forward passes."""

import numpy as np
import pytest
import torch

from mercer.errors import UnsupportedError, UsageError
from mercer.language.beams import DecoderSteps, Prefixes, beam_search

from .small import FIRST, ROWS, SIZES, STARTS, VOCABULARY, catalogue, exhaustive, model, prompts

KINDS = {
    "gpt2": ("gpt2", None),
    "llama": ("llama", None),
    "mistral": ("mistral", None),
    "mistral that looks 7 back": ("mistral", 7),
    "mistral that looks 2 back": ("mistral", 2),
}


@pytest.fixture(scope="module", params=KINDS, name="decoder")
def _decoder(request):
    family, window = KINDS[request.param]
    return model(family, window=window)


def _plain(decoder, tokens, position):
    start, stop = ROWS[position]
    with torch.no_grad():
        logits = decoder(torch.tensor([tokens])).logits[0, -1, start:stop].double()
    return torch.log_softmax(logits, -1).numpy()


def test_steps_give_what_plain_forward_gives(decoder):
    rng = np.random.default_rng(3)
    begun = prompts([1, 12, 5, 5], rng)
    steps = DecoderSteps(decoder, ROWS)
    state, known = steps.begin(begun, width=6, steps=3)
    beams = [[list(prompt)] for prompt in begun]
    for position, count in enumerate((3, 6, 4), 1):
        parents = rng.integers(0, len(beams[0]), (len(begun), count)).astype(np.int32)
        tokens = rng.integers(0, SIZES[position - 1], parents.shape).astype(np.int32)
        beams = [
            [
                [*row[parent], int(STARTS[position - 1] + token)]
                for parent, token in zip(parents[place], tokens[place], strict=True)
            ]
            for place, row in enumerate(beams)
        ]
        known = steps.step(state, parents, tokens, np.zeros_like(parents))
        for place, row in enumerate(beams):
            for beam, path in enumerate(row):
                np.testing.assert_allclose(known[place, beam], _plain(decoder, path, position), atol=1e-4)


def test_beams_as_wide_as_the_catalogue_order_it_as_plain_scoring_does(decoder):
    rng = np.random.default_rng(4)
    codes = catalogue(50, rng)
    begun = prompts([1, 20, 6, 33], rng)
    found = beam_search(DecoderSteps(decoder, ROWS), begun, Prefixes.of(codes, SIZES), width=50, k=50)
    for items, scores, prompt in zip(found.items, found.log_probability, begun, strict=True):
        wanted = exhaustive(decoder, prompt, codes)
        assert sorted(items) == list(range(50))
        np.testing.assert_allclose(scores, wanted[items], atol=1e-4)
        np.testing.assert_allclose(scores, np.sort(wanted)[::-1], atol=1e-4)


def test_a_request_gets_the_same_alone_and_among_many(decoder):
    rng = np.random.default_rng(5)
    tree = Prefixes.of(catalogue(80, rng), SIZES)
    steps = DecoderSteps(decoder, ROWS)
    begun = prompts([9, 1, 30, 9, 14, 2, 30], rng)
    many = beam_search(steps, begun, tree, width=6, k=6)
    small = beam_search(steps, begun, tree, width=6, k=6, memory=1)
    np.testing.assert_allclose(many.log_probability, small.log_probability, atol=1e-4)
    for row, prompt in enumerate(begun):
        alone = beam_search(steps, [prompt], tree, width=6, k=6)
        np.testing.assert_allclose(many.log_probability[row], alone.log_probability[0], atol=1e-4)
        assert set(many.items[row]) == set(alone.items[0])


def test_the_prompt_is_read_once_for_all_beams():
    decoder, read = model("llama"), []
    decoder.model.register_forward_pre_hook(
        lambda _, __, given: read.append(tuple(given["input_ids"].shape)), with_kwargs=True
    )
    rng = np.random.default_rng(0)
    tree = Prefixes.of(catalogue(200, rng), SIZES)
    beam_search(DecoderSteps(decoder, ROWS), prompts([20, 20], rng), tree, width=5, k=5)
    assert read == [(2, 20), (2, 5), (2, 5), (2, 5)]


def test_an_eager_model_gives_the_same():
    rng = np.random.default_rng(1)
    tree, begun = Prefixes.of(catalogue(60, rng), SIZES), prompts([4, 11], rng)
    decoder = model("llama")
    quick = beam_search(DecoderSteps(decoder, ROWS), begun, tree, width=10, k=10)
    decoder.set_attn_implementation("eager")
    eager = beam_search(DecoderSteps(decoder, ROWS), begun, tree, width=10, k=10)
    np.testing.assert_allclose(quick.log_probability, eager.log_probability, atol=1e-4)


def test_what_it_cant_decode_is_refused():
    decoder = model("gpt2")
    with pytest.raises(UsageError, match=rf"Rows {FIRST} to 99 are not among the vocabulary's {VOCABULARY}"):
        DecoderSteps(decoder, [(FIRST, 99)])
    steps = DecoderSteps(decoder, ROWS)
    rng = np.random.default_rng(0)
    with pytest.raises(UsageError, match="A prompt has 0 tokens"):
        steps.begin(prompts([3, 0], rng), width=2, steps=3)
    with pytest.raises(UsageError, match="A prompt has 62 tokens and its answer 3 more are read"):
        steps.begin(prompts([62], rng), width=2, steps=3)
    steps.begin(prompts([61], rng), width=2, steps=3)
    with pytest.raises(UsageError, match="training mode"):
        DecoderSteps(model("gpt2").train(), ROWS).begin(prompts([3], rng), width=2, steps=3)
    decoder.config.model_type = "opt"
    with pytest.raises(UnsupportedError, match="A opt with sdpa attention"):
        DecoderSteps(decoder, ROWS)
