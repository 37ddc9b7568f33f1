"""A small decoder in the format of the large ones: a folder with config.json, shards of safetensors and a tokenizer.

    python examples/small_decoder.py mistral models/small-mistral
    python examples/small_decoder.py llama models/small-llama

Three layers of width 64 with random weights, which know nothing; tokens learned from the titles of a simulated shop. It
is what docs/how-to/recommend-with-a-decoder.md was tried on: every step is that of a large one, and takes minutes.
"""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from pathlib import Path

import pandas as pd
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig, PreTrainedTokenizerFast

from mercer.simulate import small_shop

CONFIGS = {"mistral": partial(MistralConfig, sliding_window=48), "llama": LlamaConfig}


def titles() -> list[str]:
    """Of the goods of a simulated shop."""
    with tempfile.TemporaryDirectory() as folder:
        small_shop(Path(folder))
        return pd.read_parquet(Path(folder) / "items.parquet")["title"].dropna().tolist()


def tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    """Byte-level tokens, as those of LLaMA 3 and of later Mistrals."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=["<s>", "</s>"], initial_alphabet=alphabet, show_progress=False
    )
    raw.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=raw, bos_token="<s>", eos_token="</s>")


def main() -> None:
    """Write the folder that the command line names."""
    family, folder = sys.argv[1], Path(sys.argv[2])
    made = tokenizer(titles())
    torch.manual_seed(1)
    config = CONFIGS[family](
        vocab_size=len(made), hidden_size=64, intermediate_size=128, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512,
        bos_token_id=made.bos_token_id, eos_token_id=made.eos_token_id,
    )  # fmt: skip
    AutoModelForCausalLM.from_config(config).save_pretrained(folder, max_shard_size="300KB")
    made.save_pretrained(folder)


if __name__ == "__main__":
    main()
