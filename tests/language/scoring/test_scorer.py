"""LocalScorer: the contract, equality with the plain computation, and what it reads how often."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.errors import UsageError
from mercer.language.decoders.card import FAMILIES
from mercer.language.scoring import LocalScorer
from mercer.testing.decoders import TokenScorerContract, tiny_decoder

DECODERS = {family: tiny_decoder(family, window=96) for family in FAMILIES}


class TestGpt2(TokenScorerContract):
    def make(self):
        return LocalScorer(tiny_decoder("gpt2"))


class TestLlama(TokenScorerContract):
    def make(self):
        return LocalScorer(tiny_decoder("llama"), tokens_at_once=20)


class TestMistral(TokenScorerContract):
    def make(self):
        return LocalScorer(tiny_decoder("mistral"))


def _plain(decoder, prompt, continuation):
    with torch.no_grad():
        logits = decoder.model(torch.tensor([prompt + continuation])).logits[0].double()
    scores = torch.log_softmax(logits, -1)
    return sum(scores[len(prompt) - 1 + place, token].item() for place, token in enumerate(continuation))


tokens = st.integers(3, 390)


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=25, deadline=None)
@given(
    shared=st.lists(tokens, max_size=40),
    prompts=st.lists(st.lists(tokens, min_size=1, max_size=30), min_size=1, max_size=5),
    row=st.lists(st.lists(tokens, max_size=25), max_size=5),
    budget=st.sampled_from([1, 60, 2_048]),
)
def test_scores_equal_the_plain_ones(family, shared, prompts, row, budget):
    decoder = DECODERS[family]
    scorer = LocalScorer(decoder, tokens_at_once=budget)
    begun = [shared + prompt for prompt in prompts]
    rows = [row[number % 2 :] for number in range(len(begun))]
    for prompt, own, scored in zip(begun, rows, scorer.score_ids(begun, rows), strict=True):
        wanted = [_plain(decoder, prompt, continuation) for continuation in own]
        np.testing.assert_allclose(scored.log_probability, wanted, atol=1e-4)
        assert scored.tokens.tolist() == [len(continuation) for continuation in own]


def test_texts_are_cut_apart_and_joined():
    scorer = LocalScorer(DECODERS["mistral"])
    decoder = scorer.decoder
    prompt, rest = decoder.start + decoder.encode("a blue"), decoder.encode(" mug", joined=True)
    assert decoder.decode(prompt + rest) == "a blue mug"
    np.testing.assert_allclose(
        scorer.score(["a blue"], [[" mug"]])[0], [_plain(decoder, prompt, rest)], atol=1e-4
    )


def test_scores_forgive_length_where_asked():
    scored = LocalScorer(DECODERS["llama"]).score_tokens(["a"], [[" blue mug", ""]])[0]
    assert scored.tokens.tolist() == [len(DECODERS["llama"].encode(" blue mug")), 0]
    np.testing.assert_allclose(scored.mean(), [scored.log_probability[0] / scored.tokens[0], 0.0])


def test_a_prompt_is_read_once_for_all_its_continuations(monkeypatch):
    read = []
    decoder = tiny_decoder("llama")
    decoder.model.model.register_forward_pre_hook(
        lambda module, args, kwargs: read.append(kwargs["input_ids"].numel()), with_kwargs=True
    )
    prompt = [5] * 100
    LocalScorer(decoder).score_ids([prompt], [[[7, 8, 9]] * 50])
    assert read == [100, 50 * 2], "the prompt was read again, or the last token of a continuation was"
    read.clear()
    LocalScorer(decoder).score_ids([[*prompt, last] for last in range(3, 13)], [[[7]]] * 10)
    assert read == [100, 10], "what all prompts begin with was read again"


def test_the_likeliest_allowed_sequence_is_found():
    decoder = DECODERS["gpt2"]
    scorer = LocalScorer(decoder)
    allowed = [[first, second] for first in range(5, 9) for second in range(20, 24)]
    prompts = ["a mug", "warm shoes"]
    for prompt, found in zip(prompts, scorer.generate(prompts, allowed), strict=True):
        assert found == max(allowed, key=lambda tokens: _plain(decoder, decoder.encode(prompt), tokens))


def test_the_window_is_kept_to_its_last_token():
    scorer = LocalScorer(DECODERS["gpt2"])
    full = scorer.score_ids([[5] * 90, [6] * 20], [[[7] * 6], [[8] * 40]])
    np.testing.assert_allclose(
        full[0].log_probability, [_plain(scorer.decoder, [5] * 90, [7] * 6)], atol=1e-4
    )
    with pytest.raises(UsageError, match=r"90 tokens and 7 more .* 96"):
        scorer.score_ids([[5] * 90], [[[7] * 7]])
