"""Dropout on what enters a decoder, and on what its attention and the layers between give back.

Transformers' LLaMA and Mistral drop attention weights alone, and PyTorch's dropout draws a float a number. Here hooks
on the model's own modules drop, the same way in every family, by one random byte a number. They sleep in evaluation
mode.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class _Dropout:
    """A forward hook: zeroes a share of what a module gives back, in steps of 1/256, while the module trains.

    Its chance is that of PyTorch's own generator, which the training loop sets for each step.
    """

    def __init__(self, share: float) -> None:
        self._threshold = round(256 * share)

    def __call__(self, module: nn.Module, _: Any, output: Any) -> Any:
        if not module.training:
            return None
        if isinstance(output, tuple):
            return (self._dropped(output[0]), *output[1:])
        return self._dropped(output)

    def _dropped(self, x: Tensor) -> Tensor:
        words = torch.empty((x.numel() + 7) // 8, dtype=torch.int64, device=x.device)
        words.random_(-(2**63), None)
        keep = words.view(torch.uint8)[: x.numel()].view(x.shape) >= self._threshold
        return x * keep * (256 / (256 - self._threshold))


def with_dropout(model: Any, share: float) -> None:
    """Let a model of one of the three families drop; once a model."""
    if round(256 * share) == 0:
        return
    hook = _Dropout(share)
    model.get_input_embeddings().register_forward_hook(hook)
    body = getattr(model, model.base_model_prefix)
    for layer in body.h if hasattr(body, "h") else body.layers:
        for name in ("attn", "self_attn", "mlp"):
            if hasattr(layer, name):
                getattr(layer, name).register_forward_hook(hook)
