"""Dropout on what enters a decoder, and on what its attention and the layers between give back.

Transformers' LLaMA and Mistral drop attention weights alone, and PyTorch's dropout draws a float a number. Here hooks
on the model's own modules drop, the same way in every family, by one random byte a number. They sleep in evaluation
mode.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from mercer.training.dropout import dropped


class _Dropout:
    """A forward hook: zeroes a share of what a module gives back, in steps of 1/256, while the module trains.

    Its chance is that of PyTorch's own generator, which the training loop sets for each step.
    """

    def __init__(self, share: float) -> None:
        self._share = share

    def __call__(self, module: nn.Module, _: Any, output: Any) -> Any:
        if not module.training:
            return None
        if isinstance(output, tuple):
            return (dropped(output[0], self._share), *output[1:])
        return dropped(output, self._share)


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
