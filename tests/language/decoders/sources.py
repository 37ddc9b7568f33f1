"""Sources to import: folders in Hugging Face format and GGUF files of tiny decoders."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from mercer.testing.decoders import tiny_decoder

FAMILIES = ("gpt2", "llama", "mistral")
TEXT = "running shoes for women under 40 pounds, black and white, size 38"


def folder(place: Path, family: str = "llama", *, seed: int = 1) -> Path:
    """A folder as the hub has it: no card, only the model's files."""
    tiny_decoder(family, seed=seed, folder=place)
    return place


def change(path: Path, **values: object) -> None:
    """Set keys of a JSON file."""
    content = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**content, **values}), "utf-8")


def logits(place: Path, text: str = TEXT) -> torch.Tensor:
    """What the model in a folder says of a text, read by Transformers alone, in the precision stored there."""
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(place)
    model = AutoModelForCausalLM.from_pretrained(place, dtype="auto").eval()
    with torch.no_grad():
        return model(torch.tensor([tokenizer(text)["input_ids"]])).logits[0]


def perplexity(rows: torch.Tensor, ids: list[int]) -> float:
    """Of a text under the logits at each of its tokens."""
    loss = torch.nn.functional.cross_entropy(rows[:-1].double(), torch.tensor(ids[1:]))
    return float(loss.exp())


def gguf(
    path: Path,
    *,
    kind: str = "F16",
    family: str = "llama",
    split: str = "smollm",
    architecture: str = "llama",
    seed: int = 1,
) -> dict:
    """A GGUF file of a LLaMA with random weights, written as llama.cpp's converter does.

    kind: type of the matrices. family: whose tokenizer it has, mistral's being of SentencePiece. Returns what a
    LLaMA in Transformers should then hold, by its own names: float32, after rounding to the type.
    """
    from gguf import GGMLQuantizationType, GGUFWriter
    from gguf.quants import dequantize, quantize

    width, heads, few, layers, inner = 64, 4, 2, 2, 128
    tokenizer = json.loads(tiny_decoder(family).tokenizer.backend_tokenizer.to_str())
    words = sorted(tokenizer["model"]["vocab"], key=tokenizer["model"]["vocab"].get)
    control = {token["content"] for token in tokenizer["added_tokens"]}
    out = GGUFWriter(path, architecture)
    out.add_name("tiny")
    out.add_license("mit")
    out.add_context_length(256)
    out.add_embedding_length(width)
    out.add_block_count(layers)
    out.add_feed_forward_length(inner)
    out.add_head_count(heads)
    out.add_head_count_kv(few)
    out.add_layer_norm_rms_eps(1e-5)
    out.add_rope_freq_base(10000.0)
    out.add_rope_dimension_count(width // heads)
    out.add_vocab_size(len(words))
    types = [3 if word in control else 1 for word in words]
    merges = [" ".join(pair) for pair in tokenizer["model"]["merges"]]
    if family == "mistral":
        types[0] = 2
        types = [6 if word.startswith("<0x") else type_ for word, type_ in zip(words, types, strict=True)]
        rank = {merge.replace(" ", ""): place for place, merge in enumerate(merges)}
        out.add_tokenizer_model("llama")
        out.add_token_scores([-float(rank.get(word, -1) + 1) for word in words])
    else:
        out.add_tokenizer_model("gpt2")
        out.add_tokenizer_pre(split)
        out.add_token_merges(merges)
    out.add_token_list(words)
    out.add_token_types(types)
    out.add_bos_token_id(1)
    out.add_eos_token_id(2)
    rng = np.random.default_rng(seed)
    held = {}

    def add(name: str, own: str, shape: tuple[int, ...], *, turned: int = 0) -> None:
        """turned: number of heads whose rows llama.cpp stores in another order."""
        plain = len(shape) == 1
        type_ = GGMLQuantizationType.F32 if plain else GGMLQuantizationType[kind]
        raw = (np.ones(shape) if plain else rng.normal(0, 0.3, shape)).astype(np.float32)
        stored = raw
        if turned:
            stored = raw.reshape(turned, 2, shape[0] // turned // 2, shape[1]).swapaxes(1, 2).reshape(shape)
        data = quantize(np.ascontiguousarray(stored), type_)
        out.add_tensor(name, data, raw_dtype=type_)
        back = dequantize(data, type_)
        if turned:
            back = back.reshape(turned, shape[0] // turned // 2, 2, shape[1]).swapaxes(1, 2).reshape(shape)
        held[own] = back

    add("token_embd.weight", "model.embed_tokens.weight", (len(words), width))
    add("output_norm.weight", "model.norm.weight", (width,))
    for layer in range(layers):
        of, own = f"blk.{layer}.", f"model.layers.{layer}."
        small = width // heads * few
        add(f"{of}attn_norm.weight", f"{own}input_layernorm.weight", (width,))
        add(f"{of}ffn_norm.weight", f"{own}post_attention_layernorm.weight", (width,))
        add(f"{of}attn_q.weight", f"{own}self_attn.q_proj.weight", (width, width), turned=heads)
        add(f"{of}attn_k.weight", f"{own}self_attn.k_proj.weight", (small, width), turned=few)
        add(f"{of}attn_v.weight", f"{own}self_attn.v_proj.weight", (small, width))
        add(f"{of}attn_output.weight", f"{own}self_attn.o_proj.weight", (width, width))
        add(f"{of}ffn_gate.weight", f"{own}mlp.gate_proj.weight", (inner, width))
        add(f"{of}ffn_up.weight", f"{own}mlp.up_proj.weight", (inner, width))
        add(f"{of}ffn_down.weight", f"{own}mlp.down_proj.weight", (width, inner))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    return held
