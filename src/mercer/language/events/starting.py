"""The model at its start: made from a config, with weights that are a function of the seed."""

from __future__ import annotations

from typing import Any

from mercer.errors import MissingExtraError
from mercer.language.events.options import ShapeOptions


def from_config(shape: ShapeOptions, *, tokens: int, longest: int, padding: int, seed: int) -> Any:
    """A causal language model of Transformers in evaluation mode.

    tokens: rows of the vocabulary. longest: tokens of the longest row. Raises MissingExtraError without the libraries.
    """
    torch, transformers = libraries()
    config, cls = _config(transformers, shape, tokens=tokens, longest=longest, padding=padding)
    config._attn_implementation = "sdpa"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return cls(config).eval()


def _config(
    transformers: Any, shape: ShapeOptions, *, tokens: int, longest: int, padding: int
) -> tuple[Any, type[Any]]:
    inner = int(shape.width * shape.inner)
    same: dict[str, Any] = {
        "vocab_size": tokens,
        "pad_token_id": padding,
        "bos_token_id": None,
        "eos_token_id": None,
        "tie_word_embeddings": shape.tied,
        "max_position_embeddings": longest,
    }
    if shape.family == "gpt2":
        config = transformers.GPT2Config(
            n_embd=shape.width, n_layer=shape.layers, n_head=shape.heads, n_inner=inner,
            # The same function as gelu_new, in one kernel.
            activation_function="gelu_pytorch_tanh",
            embd_pdrop=0.0, resid_pdrop=0.0, attn_pdrop=0.0, **same,
        )  # fmt: skip
        return config, transformers.GPT2LMHeadModel
    same |= {
        "hidden_size": shape.width,
        "intermediate_size": inner,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.heads,
        "attention_dropout": 0.0,
    }
    if shape.family == "llama":
        return transformers.LlamaConfig(**same), transformers.LlamaForCausalLM
    return transformers.MistralConfig(sliding_window=shape.sliding, **same), transformers.MistralForCausalLM


def libraries() -> tuple[Any, Any]:
    """PyTorch and Transformers. Raises MissingExtraError where one is absent."""
    try:
        import torch
        import transformers
    except ImportError as missing:
        raise MissingExtraError(missing.name or "transformers", "decoder") from missing
    return torch, transformers
