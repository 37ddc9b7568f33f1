"""Which weights learn, and how the others are held."""

from __future__ import annotations

import pytest
import torch

from language.finetuning.small import FAMILIES, logits, network, options
from mercer.contracts import Runtime
from mercer.language.finetuning.weights import TARGETS, add_tokens, frozen_precision, prepared
from mercer.testing.decoders import Family, tiny_decoder


@pytest.mark.parametrize("family", FAMILIES)
def test_small_matrices_stand_beside_every_large_one_of_attention_and_between(family: Family) -> None:
    some, decoder = network(family, options())
    learned = {name for name, weight in some.named_parameters() if weight.requires_grad}
    layers = decoder.model.config.num_hidden_layers
    places = {"gpt2": 4, "llama": 7, "mistral": 7}[family]
    assert len(learned) == 2 * layers * places
    assert all("lora_" in name for name in learned)
    assert {part for part in TARGETS[family] if any(f".{part}." in name for name in learned)} == set(
        TARGETS[family]
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_at_first_they_add_nothing_and_are_a_function_of_the_seed(family: Family) -> None:
    before = logits(tiny_decoder(family))
    weights = []
    for seed in (1, 1, 2):
        decoder = tiny_decoder(family)
        model = prepared(decoder, options(), seed=seed)
        assert torch.equal(logits(decoder), before)
        weights.append(
            torch.cat([one.flatten() for name, one in model.named_parameters() if "lora_A" in name])
        )
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_with_all_weights_the_tied_ones_count_once() -> None:
    some, decoder = network("llama", options(method="full"))
    learned = [weight for weight in some.parameters() if weight.requires_grad]
    assert sum(weight.numel() for weight in learned) == decoder.model.num_parameters()
    assert decoder.model.get_input_embeddings().weight is decoder.model.get_output_embeddings().weight


@pytest.mark.parametrize("family", FAMILIES)
def test_an_added_token_begins_as_the_mean_of_all(family: Family) -> None:
    decoder = tiny_decoder(family)
    before = decoder.model.get_input_embeddings().weight.detach().clone()
    ids = add_tokens(decoder, ("<a>", "<b>"))
    after = decoder.model.get_input_embeddings().weight
    assert ids == [len(before), len(before) + 1]
    assert torch.equal(after[: len(before)], before)
    assert torch.allclose(after[ids], before.mean(0).expand(2, -1), atol=1e-6)
    assert after is decoder.model.get_output_embeddings().weight


def test_untied_models_learn_both_rows_of_an_added_token() -> None:
    import transformers

    tied = tiny_decoder("mistral")
    config = transformers.MistralConfig.from_dict(
        {**tied.model.config.to_dict(), "tie_word_embeddings": False}
    )
    tied.model = transformers.MistralForCausalLM(config).eval()
    model = prepared(tied, options(added_tokens=("<a>",)), seed=1)
    rows = [name for name, weight in model.named_parameters() if weight.requires_grad and "lora_" not in name]
    assert sorted(name.split(".")[-4] if "lm_head" not in name else "lm_head" for name in rows) == [
        "embed_tokens",
        "lm_head",
    ]


@pytest.mark.parametrize(
    ("method", "precision", "device", "held"),
    [
        ("lora", "fp32", "cuda", "fp32"),
        ("lora", "bf16", "cpu", "fp32"),
        ("lora", "bf16", "cuda:1", "bf16"),
        ("dpo", "bf16", "cuda", "bf16"),
        ("full", "bf16", "cuda", "fp32"),
    ],
)
def test_how_frozen_weights_are_held(method: str, precision: str, device: str, held: str) -> None:
    assert frozen_precision(options(method=method), Runtime(precision=precision, device=device)) == held
