"""EventDecoder: a causal language model of Transformers over the tokens of events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from mercer.language.events.options import ShapeOptions
from mercer.language.events.starting import from_config
from mercer.language.events.tokenizer import EventTokenizer

if TYPE_CHECKING:
    import torch

Floats = npt.NDArray[np.float64]


class EventDecoder:
    """GPT2LMHeadModel, LlamaForCausalLM or MistralForCausalLM over the vocabulary of a tokenizer.

    model: in evaluation mode; its head has a row for each token, and a token's probability is the softmax over the rows
    of its own field alone. shape: as chosen.
    Stability: experimental.
    """

    def __init__(self, model: Any, tokenizer: EventTokenizer, shape: ShapeOptions) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.shape = shape

    @classmethod
    def new(cls, tokenizer: EventTokenizer, shape: ShapeOptions, *, seed: int) -> Self:
        """A decoder at its start; its weights are a function of the seed. Raises MissingExtraError: no libraries."""
        from mercer.language.events.dropout import with_dropout

        model = from_config(
            shape,
            tokens=tokenizer.size,
            longest=tokenizer.longest,
            padding=tokenizer.special("padding"),
            seed=seed,
        )
        with_dropout(model, shape.dropout)
        return cls(model, tokenizer, shape)

    @property
    def n_weights(self) -> int:
        """Numbers in the weights, tied ones once."""
        return sum(one.numel() for one in self.model.parameters())

    def slot_rows(self, number: int) -> tuple[int, int]:
        """The rows over which a slot of the tokenizer is normalised."""
        slot = self.tokenizer.slots[number]
        return slot.start, slot.stop

    def states(self, ids: torch.Tensor) -> torch.Tensor:
        """The last layer's output after each token, shape (n, length, width); padding stands on the right."""
        body = getattr(self.model, self.model.base_model_prefix)
        found: torch.Tensor = body(input_ids=ids, use_cache=False).last_hidden_state
        return found

    def logits(self, states: torch.Tensor, start: int, stop: int) -> torch.Tensor:
        """Scores of the tokens from start to stop - 1, shape (n, stop - start), from states, shape (n, width)."""
        from torch.nn import functional

        return functional.linear(states, self.model.get_output_embeddings().weight[start:stop])
