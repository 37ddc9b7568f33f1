"""A causal language model as the loop trains it: log-probabilities of answer tokens, and of nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from mercer.language.finetuning.packing import Batch, attention_mask


class AnswerNetwork(nn.Module):
    """A model of the transformers library, with or without small matrices, whose head is asked only where it matters.

    model: a PreTrainedModel or a PeftModel of one; it attends by `sdpa`. The head has one row for every token of the
    vocabulary and costs as much as many layers, so prompts are left out before it.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self._window: int | None = getattr(_base(model).config, "sliding_window", None)

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.parameters()).device

    def forward(self, batch: Batch) -> torch.Tensor:
        """Natural log-probability of every answer token, float32, shape (answer tokens,)."""
        base = _base(self.model)
        body = getattr(base, base.base_model_prefix)
        states = body(
            input_ids=batch.ids,
            position_ids=batch.positions,
            attention_mask=attention_mask(batch.blocks, self._window),
            use_cache=False,
        ).last_hidden_state
        logits = base.get_output_embeddings()(states.flatten(0, 1)[batch.places]).float()
        return -nn.functional.cross_entropy(logits, batch.answers, reduction="none")

    def pieces(self, batch: Batch) -> torch.Tensor:
        """Log-probability of every piece's answer, the sum over its tokens, float32, shape (pieces,)."""
        tokens = self(batch)
        return torch.zeros(batch.n_pieces, device=tokens.device).index_add(0, batch.piece, tokens)

    @contextmanager
    def before(self) -> Iterator[None]:
        """The network as it was before any training, while it lasts: the small matrices are left out.

        The model must have some, and nothing else of it may have been trained.
        """
        model: Any = self.model
        training = self.training
        self.eval()
        try:
            with torch.no_grad(), model.disable_adapter():
                yield
        finally:
            self.train(training)


def _base(model: Any) -> Any:
    """The model itself, with small matrices inside it or without."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model
