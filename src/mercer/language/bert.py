"""The network of a BERT-shaped sentence encoder, in plain PyTorch, ending in unit vectors.

Written out so that the graph which is exported is the one that is read here: no library decides on masks or
attention kernels while it is traced. Only the export imports this module.
Source: Devlin et al., BERT, NAACL 2019; Reimers and Gurevych, Sentence-BERT, EMNLP 2019 (mean pooling).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


class Layer(nn.Module):
    """One transformer block, post-norm. Shapes: hidden (n, t, d), mask (n, 1, 1, t) to add to the logits."""

    def __init__(self, width: int, inner: int, heads: int, epsilon: float) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.mix = (nn.Linear(width, width) for _ in range(4))
        self.mix_norm = nn.LayerNorm(width, eps=epsilon)
        self.widen, self.narrow = nn.Linear(width, inner), nn.Linear(inner, width)
        self.out_norm = nn.LayerNorm(width, eps=epsilon)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """The block's output, same shape as `hidden`."""
        n, t, d = hidden.shape
        query, key, value = (
            part(hidden).view(n, t, self.heads, d // self.heads).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        logits = query @ key.transpose(2, 3) / (d // self.heads) ** 0.5 + mask
        attended = (logits.softmax(-1) @ value).transpose(1, 2).reshape(n, t, d)
        hidden = self.mix_norm(hidden + self.mix(attended))
        output: Tensor = self.out_norm(hidden + self.narrow(nn.functional.gelu(self.widen(hidden))))
        return output


class SentenceEncoder(nn.Module):
    """input_ids, attention_mask: int64, shape (n, t) -> float32, shape (n, d), rows of unit length."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        width, epsilon = config["hidden_size"], config["layer_norm_eps"]
        self.words = nn.Embedding(config["vocab_size"], width)
        self.places = nn.Embedding(config["max_position_embeddings"], width)
        self.segments = nn.Embedding(config["type_vocab_size"], width)
        self.norm = nn.LayerNorm(width, eps=epsilon)
        self.layers = nn.ModuleList(
            Layer(width, config["intermediate_size"], config["num_attention_heads"], epsilon)
            for _ in range(config["num_hidden_layers"])
        )

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Mean of the token vectors where attention_mask is 1, scaled to unit length."""
        hidden = self.states(input_ids, attention_mask)
        weight = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * weight).sum(1) / weight.sum(1).clamp(min=1e-9)
        length = (mean * mean).sum(1, keepdim=True).sqrt()
        unit: Tensor = mean / length.clamp(min=1e-12)
        return unit

    def states(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The vector of each token, float32, shape (n, t, d)."""
        places = torch.arange(input_ids.shape[1], device=input_ids.device)
        hidden: Tensor = self.words(input_ids) + self.places(places) + self.segments.weight[0]
        hidden = self.norm(hidden)
        # Large and finite: minus infinity turns a row without any token into NaN.
        mask = (1.0 - attention_mask.to(hidden.dtype))[:, None, None, :] * -1e9
        for layer in self.layers:
            hidden = layer(hidden, mask)
        return hidden


def load_encoder(config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> SentenceEncoder:
    """The network with the weights of a published BERT checkpoint (names as in its safetensors file).

    Raises RuntimeError (of torch) naming the tensors when one is missing or has another shape.
    """
    network = SentenceEncoder(config)
    renamed = {ours: weights[theirs] for theirs, ours in _names(config["num_hidden_layers"])}
    network.load_state_dict(renamed)
    return network.eval()


def _names(n_layers: int) -> list[tuple[str, str]]:
    """Pairs (name in the checkpoint, name here)."""
    pairs = [(f"embeddings.{theirs}_embeddings.weight", f"{ours}.weight") for theirs, ours in _EMBEDDINGS]
    norm = [("embeddings.LayerNorm", "norm")]
    blocks = [
        (f"encoder.layer.{n}.{theirs}", f"layers.{n}.{ours}")
        for n in range(n_layers)
        for theirs, ours in _BLOCK
    ]
    return pairs + [(f"{t}.{part}", f"{o}.{part}") for t, o in norm + blocks for part in ("weight", "bias")]


_EMBEDDINGS = (("word", "words"), ("position", "places"), ("token_type", "segments"))
_BLOCK = (
    ("attention.self.query", "query"),
    ("attention.self.key", "key"),
    ("attention.self.value", "value"),
    ("attention.output.dense", "mix"),
    ("attention.output.LayerNorm", "mix_norm"),
    ("intermediate.dense", "widen"),
    ("output.dense", "narrow"),
    ("output.LayerNorm", "out_norm"),
)
