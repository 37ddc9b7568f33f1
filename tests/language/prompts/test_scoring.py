"""What a prompt says: log-probabilities of the model as they are, and the effect of what should not matter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mercer.errors import UnsupportedError, UsageError
from mercer.language.decoders import Decoder
from mercer.language.prompts import Prompt, PromptScorer, load_prompt
from mercer.language.prompts.models import random_twin
from mercer.language.prompts.spread import Spread, order_effect, spread_of
from mercer.testing.decoders import tiny_decoder

TITLES = ("Blue mug", "Red lamp", "Warm scarf of wool", "Notebook")


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return tiny_decoder("llama", window=1024)


def values(*titles: str) -> list[dict[str, str]]:
    return [{"title": title} for title in titles]


def log_probability(decoder: Decoder, prompt: list[int], text: str) -> float:
    """Token by token, each with the whole text before it read again."""
    import torch

    ids, total = list(prompt), 0.0
    for token in decoder.encode(text, joined=True):
        with torch.no_grad():
            logits = decoder.model(torch.tensor([ids])).logits[0, -1].double()
        total += float(torch.log_softmax(logits, -1)[token])
        ids.append(token)
    return total


def test_a_title_scores_what_it_gains_by_the_search(decoder: Decoder) -> None:
    prompt = load_prompt("search-title")
    start, said = decoder.start, prompt.wordings[0]
    known = start + decoder.encode(f"{said}\n\nSearch: mug\nItem:")
    unknown = start + decoder.encode(f"{said}\n\nItem:")
    wanted = [
        log_probability(decoder, known, f" {t}") - log_probability(decoder, unknown, f" {t}") for t in TITLES
    ]
    text = PromptScorer(prompt, decoder, per="text").say({"query": "mug"}, values(*TITLES))
    assert text == pytest.approx(wanted, abs=1e-4)
    lengths = [len(decoder.encode(f" {title}", joined=True)) for title in TITLES]
    token = PromptScorer(prompt, decoder, per="token").say({"query": "mug"}, values(*TITLES))
    assert token == pytest.approx(np.array(wanted) / lengths, abs=1e-4)


def test_a_search_scores_what_it_gains_by_the_title_examples_included(decoder: Decoder) -> None:
    prompt = load_prompt("search-likelihood")
    head = f"{prompt.wordings[1]}\n\nItem: Steel pan\nSearch: pan\n\n"
    unknown = decoder.start + decoder.encode(f"{head}Search:")
    wanted = [
        log_probability(decoder, decoder.start + decoder.encode(f"{head}Item: {title}\nSearch:"), " mug")
        - log_probability(decoder, unknown, " mug")
        for title in TITLES
    ]
    scorer = PromptScorer(prompt, decoder, wording=1, per="text")
    told = scorer.say({"query": "mug"}, values(*TITLES), [{"title": "Steel pan", "query": "pan"}])
    assert told == pytest.approx(wanted, abs=1e-4)


def test_listed_candidates_are_labels_whose_probabilities_sum_to_one(decoder: Decoder) -> None:
    scorer = PromptScorer(load_prompt("search-listed"), decoder, orders=1)
    assert np.exp(scorer.say({"query": "mug"}, values(*TITLES))).sum() == pytest.approx(1)


def test_over_all_orders_the_place_in_the_list_is_nothing(decoder: Decoder) -> None:
    scorer = PromptScorer(load_prompt("search-listed"), decoder, orders=4)
    one = scorer.say({"query": "mug"}, values(*TITLES))
    shifted = scorer.say({"query": "mug"}, values(*TITLES[1:], TITLES[0]))
    assert shifted == pytest.approx(np.roll(one, -1), abs=1e-5)
    single = PromptScorer(load_prompt("search-listed"), decoder, orders=1)
    moved = single.say({"query": "mug"}, values(*TITLES[1:], TITLES[0]))
    assert np.abs(moved - np.roll(single.say({"query": "mug"}, values(*TITLES)), -1)).max() > 1e-3


def test_nothing_to_score_is_an_empty_answer(decoder: Decoder) -> None:
    assert PromptScorer(load_prompt("search-title"), decoder).say({"query": "mug"}, []).shape == (0,)


def test_a_prompt_for_writing_scores_nothing(decoder: Decoder) -> None:
    free: dict[str, Any] = {
        "name": "free", "version": 1, "task": "search", "purpose": "A test.",
        "variables": {"query": {"type": "text", "tokens": 8}}, "wordings": ["Find it."],
        "messages": [{"role": "user", "template": "{query}"}], "answer": {"form": "free", "tokens": 5},
    }  # fmt: skip
    with pytest.raises(UnsupportedError, match="scores no candidates"):
        PromptScorer(Prompt.model_validate(free), decoder)


def test_a_prompt_that_could_pass_the_window_is_refused(decoder: Decoder) -> None:
    scorer = PromptScorer(load_prompt("recommend-title"), decoder)
    scorer.check_window(examples=0, candidates=20, told=5)
    with pytest.raises(UsageError, match="window"):
        scorer.check_window(examples=8, candidates=20, told=20)
    with pytest.raises(UsageError, match="window"):
        PromptScorer(load_prompt("search-listed"), decoder).check_window(examples=0, candidates=26, told=1)


def test_a_random_twin_has_the_shape_and_another_mind(decoder: Decoder) -> None:
    twin, again, other = (random_twin(decoder, seed) for seed in (5, 5, 6))
    assert twin.tokenizer is decoder.tokenizer
    assert type(twin.model) is type(decoder.model)
    pairs = [dict(one.model.named_parameters()) for one in (decoder, twin, again, other)]
    assert [{name: p.shape for name, p in one.items()} for one in pairs][1:] == 3 * [
        {name: p.shape for name, p in pairs[0].items()}
    ]
    name = max(pairs[0], key=lambda name: pairs[0][name].numel())
    assert pairs[1][name].equal(pairs[2][name])
    assert not pairs[1][name].equal(pairs[0][name])
    assert not pairs[1][name].equal(pairs[3][name])
    assert len({decoder.fingerprint, twin.fingerprint, other.fingerprint}) == 3


# What should not matter


def test_the_order_of_a_list_has_an_effect_that_is_measured(decoder: Decoder) -> None:
    questions = [({"query": query}, values(*TITLES)) for query in ("mug", "lamp", "scarf")]
    found = order_effect(PromptScorer(load_prompt("search-listed"), decoder), questions)
    assert found.by_place.sum() == pytest.approx(1)
    assert 0 <= found.agreement <= 1
    with pytest.raises(UsageError, match="same number"):
        order_effect(PromptScorer(load_prompt("search-listed"), decoder), [])


def test_a_spread_is_the_least_the_middle_and_the_most() -> None:
    found = Spread("ndcg@10", {"a": 0.2, "b": 0.5, "c": 0.3})
    assert (found.lowest, found.median, found.highest) == (0.2, 0.3, 0.5)
    assert "0.2000 / 0.3000 / 0.5000 over 3 wordings" in found.said()
    with pytest.raises(UsageError, match="No wording"):
        spread_of({}, "ndcg@10")
